"""Environment variables by which libraries of numbers would be told otherwise than a run tells them, set aside.

JAX, XLA, oneDNN, NumPy, the BLAS libraries and OpenMP read dozens of variables, and many move bits. Those that fix bits
are set by :mod:`~crmn_legacy.backend.determinism`; all others of these families are taken out of the environment before
the library that reads them starts, so that what a run computes follows from its options alone. Kept are the few in
`KEPT`, which say where to compute, how much memory to take and what to log.
"""

import contextlib
import os
import sys
import warnings

from crmn_legacy.errors import printable

FAMILIES = (
    "JAX_", "JAX2TF_", "MOSAIC_GPU_", "PJRT_",
    "XLA_", "TF_XLA_", "TF_ENABLE_", "TF_DISABLE_", "TF_CUDNN_", "TF_CUBLAS_", "TF_DETERMINISTIC_", "TF_GPU_",
    "TF_NUM_", "TF_USE_", "TSL_", "TFRT_", "LLVM_ENABLE_", "LLVM_OVERRIDE_", "LLVM_PASS_", "MLIR_", "TRITON_",
    "DNNL_", "ONEDNN_", "XNN_", "XNNPACK_", "CUBLAS_", "CUBLASLT_", "CUDNN_", "NVIDIA_TF32_OVERRIDE",
    "NPY_", "NUMPY_", "SCIPY_",
    "OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "VECLIB_", "NPROC",
    "OMP_", "GOMP_", "KMP_",
)  # fmt: skip
"""Prefixes of the variables that the libraries read."""

KEPT = ("JAX_PLATFORMS", "XLA_PYTHON_CLIENT_", "XLA_CLIENT_MEM_FRACTION")
"""Prefixes of those among them that stay as the user set them."""

_OF_NUMPY = ("NPY_", "NUMPY_", "OPENBLAS_", "GOTO_", "BLIS_", "MKL_", "VECLIB_", "OMP_", "GOMP_", "KMP_")
_OF_JAX = ("JAX_", "JAX2TF_")

_removed, _late = {}, []


def removed():
    """What was taken out of this process's environment, name -> value (a dict)."""
    return dict(_removed)


def set_aside(ours):
    """Take what `FAMILIES` names out of the environment, and tell so in one line on stderr.

    Parameters
    ----------
    ours : collection of str
        Names that are set elsewhere, or dropped without a word: a process that started this one may have set them.
    """
    found = {name: value for name, value in sorted(os.environ.items()) if _is_foreign(name) and name not in ours}
    for name in found:
        del os.environ[name]
        library = "numpy" if name.startswith(_OF_NUMPY) else "jax" if name.startswith(_OF_JAX) else None
        if library in sys.modules:
            _late.append(name)
    note(found)


def note(found):
    """Remember that variables, name -> value, were set aside, and tell so."""
    _removed.update(found)
    if found:
        named = ", ".join(f"{name}={value[:200]}" for name, value in found.items())
        tell(f"{named} set aside: a run is told how to compute by its options alone")


def set_warnings_right():
    """Let no warning be an error (``-W error``, ``PYTHONWARNINGS``): old libraries warn of each other all the time."""
    if not any(_is_error(option) for option in sys.warnoptions):
        return
    tell("warnings are not taken for errors, as -W or PYTHONWARNINGS asked: the libraries warn of each other")
    warnings.resetwarnings()
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter("ignore", category)


def _is_error(option):
    action, _, rest = option.partition(":")
    # Of `-bb`, which is nothing that a library here does.
    return bool(action) and "error".startswith(action) and not rest.endswith("BytesWarning")


def read_already():
    """Names of what was set aside after the library that reads it had started (a list of str)."""
    return list(_late)


def tell(note):
    """Print a note on stderr, if anybody can read it."""
    # Python may have no stderr here yet, or one that is full; a note is not worth a failure.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(f"note: {printable(note)}", file=sys.stderr, flush=True)


def _is_foreign(name):
    return name.startswith(FAMILIES) and not name.startswith(KEPT)
