"""A trained network put to use: a run's folder or a bundle taken up, and asked for points or classes."""

from crmn_legacy import submodules as _submodules

__getattr__, __dir__ = _submodules.attributes(globals())
