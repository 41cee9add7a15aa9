"""The formats that `data_prep` writes and reads: HDF5 files of faces and of labelled pictures, photographs, points."""

from crmn_legacy import submodules as _submodules

__getattr__, __dir__ = _submodules.attributes(globals())
