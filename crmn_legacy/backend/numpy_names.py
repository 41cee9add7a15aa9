"""Names that NumPy 2 removed, for Aesara 2.9.4; see `crmn_legacy.backend.aesara_patches`, which applies it."""


def mend_numpy_names(module):
    """Give NumPy 2 back the names that Aesara 2.9.4 still uses.

    NumPy 2.0 removed them or moved them (its migration guide lists each with its successor). Aesara 2.9.4
    declares ``numpy<2`` but needs nothing else of NumPy 1. On NumPy 1 nothing is changed.
    """
    from crmn_legacy.backend import aesara_patches

    aesara_patches._require_version()
    import numpy

    for name, value in _removed_numpy_names(numpy).items():
        # A plain getattr would emit the deprecation warnings that NumPy 1.25 attaches to some of them.
        if name not in vars(numpy):
            setattr(numpy, name, value)


def _removed_numpy_names(numpy):
    """Return each removed name with its successor in NumPy 2, ``{}`` on NumPy 1."""
    if int(numpy.__version__.partition(".")[0]) < 2:
        return {}
    from numpy._core.multiarray import MAXDIMS

    class Cast(dict):
        """``numpy.cast``: a dtype -> the function that converts to it."""

        def __missing__(self, dtype):
            return lambda x: numpy.asarray(x).astype(dtype)

    def obj2sctype(dtype, default=None):
        try:
            return numpy.dtype(dtype).type
        except TypeError:
            return default

    return {
        "obj2sctype": obj2sctype,
        "sctype2char": lambda dtype: numpy.dtype(dtype).char,
        "cast": Cast(),
        "MAXDIMS": MAXDIMS,
        "AxisError": numpy.exceptions.AxisError,
        "ComplexWarning": numpy.exceptions.ComplexWarning,
        "float_": numpy.float64,
        "complex_": numpy.complex128,
        "unicode_": numpy.str_,
        "product": numpy.prod,
        "Inf": numpy.inf,
        "NaN": numpy.nan,
    }
