"""The commands of `python -m crmn_legacy`, one a file; each takes parsed arguments and returns an exit status."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.backend import determinism

# Most commands bring NumPy in, which reads its switches only once.
determinism.pin_host()

__getattr__, __dir__ = _submodules.attributes(globals())
