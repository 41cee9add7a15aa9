"""Training, evaluation and prediction as programs of StableHLO, which need neither this package nor Aesara to run."""

from crmn_legacy import submodules as _submodules

__getattr__, __dir__ = _submodules.attributes(globals())
