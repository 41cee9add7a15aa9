"""The switches that fix floating-point bits, in one place, set before anything starts.

Three profiles (`--bits`): ``fast`` leaves the choice of kernels and the partition of the work to the machine;
``portable`` fixes the instruction set and the partition, so that the number of cores and threads moves nothing, and
the blocks that the work is cut into; ``strict`` is for unlike processors: it refuses where something of this cannot be
fixed, and turns off what still asks for the processor's make.
"""

import functools
import hashlib
import os
import platform
import sys
from dataclasses import dataclass

from crmn_legacy.backend import aesara_settings, matmul_blocking, processor, variables
from crmn_legacy.errors import UserError

PROFILES = ("strict", "portable", "fast")

# Read by NumPy and by the BLAS and OpenMP libraries when they are loaded: one thread, and one family of kernels for
# every machine. NumPy has others of exp, log, tan and more for AVX-512.
_HOST = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL",
}

# XLA's CPU client makes its pool, and so its partition of the work, of this many threads, whatever the machine has.
PARTITION = 8

# oneDNN makes the inner loops of XLA's matrix kernels while it runs, and does not heed XLA's own flag.
_INSTRUCTION_SET = {"ONEDNN_MAX_CPU_ISA": "AVX2"}

# XNNPACK chooses its kernels by the make of the processor.
_XLA_FLAGS = ("--xla_cpu_max_isa=AVX2", "--xla_cpu_use_xnnpack=false")
_XLA_GPU_FLAGS = ("--xla_gpu_deterministic_ops=true", "--xla_gpu_autotune_level=0")
_DEVICES_FLAG = "--xla_force_host_platform_device_count="

# Set here, or dropped by a profile that leaves them to the machine.
_OURS = {*_HOST, *_INSTRUCTION_SET, "XLA_FLAGS", "NPROC", "JAX_PLATFORMS"}

# What a run relies on of JAX, and does not set itself; a program may have changed it before it started a run.
_JAX_DEFAULTS = {
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "jax_numpy_dtype_promotion": "standard",
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_default_dtype_bits": "64",
    "jax_softmax_custom_jvp": False,
    "jax_optimization_level": "UNKNOWN",
    "jax_exec_time_optimization_effort": 0.0,
    "jax_memory_fitting_level": "O2",
    "jax_memory_fitting_effort": 0.0,
    "jax_compiler_enable_remat_pass": True,
}

# With an explicit -march Aesara adds none of its own; without contraction no multiply-add is fused.
_C_FLAGS = "-march=x86-64-v3 -ffp-contract=off"


@dataclass(frozen=True)
class Switches:
    """What was set, for the provenance of a run.

    Attributes
    ----------
    bits : str
        The profile.
    environment : dict
        Variables that this process runs under because of it.
    partition : int or None
        XLA's partition of the work, or None where the machine decides.
    c_flags : str or None
        What the C compiler is told under ``--backend c``, or None where Aesara decides.
    caches : str or None
        The cache sizes that XLA's matrix kernels go by, or None where those are the processor's.
    """

    bits: str
    environment: dict
    partition: int | None = None
    c_flags: str | None = None
    caches: str | None = None


def pin_host():
    """Fix the threads and kernels of host libraries, and set aside what else they and JAX would read.

    Call it before NumPy is imported.

    Returns
    -------
    bool
        False if NumPy was there already, so that its BLAS has chosen for itself.
    """
    _require_folder()
    pin_libraries()
    aesara_settings.fix()
    return "numpy" not in sys.modules


def pin_libraries():
    """The part of `pin_host` that leaves Aesara's settings as they are."""
    variables.set_aside(_OURS)
    variables.set_warnings_right()
    os.environ.update(_HOST)


def _require_folder():
    try:
        os.getcwd()
    except OSError as error:
        raise UserError(
            f"got a current folder that is gone ({error.strerror}), expected one: change to another, and start again"
        ) from None


def pin(bits="portable", device="cpu", devices=1):
    """Set what `bits` promises, before JAX starts.

    Parameters
    ----------
    bits : {'strict', 'portable', 'fast'}
        The profile.
    device : {'cpu', 'cuda'} or None
        What the run computes on; None leaves it to JAX.
    devices : int
        Number of devices; on the CPU they are made from its threads.

    Returns
    -------
    Switches
        What was set.

    Raises
    ------
    UserError
        The processor lacks AVX2 and FMA; JAX has started already, or with settings of its own; `bits` is unknown;
        the C library was told for which processor to compute; `strict` is asked of a jaxlib that does not let it fix
        everything.
    """
    if bits not in PROFILES:
        raise UserError(f"--bits got {bits!r}, expected one of {', '.join(PROFILES)}")
    fixed = bits != "fast"
    if fixed and not {"avx2", "fma"} <= processor.flags():
        raise UserError(
            f"--bits {bits} got a processor without AVX2 and FMA, expected one with them (any x86-64 since 2013); "
            "run with --bits fast, whose result holds for this machine only"
        )
    variables.set_aside(_OURS)
    if fixed:
        _refuse_what_is_fixed_otherwise(bits)
    environment = {**_HOST, "XLA_FLAGS": " ".join(_xla_flags(bits, device, devices))}
    if fixed:
        environment |= {"NPROC": str(PARTITION), **_INSTRUCTION_SET}
    if device is not None:
        environment["JAX_PLATFORMS"] = device
        if "jax" in sys.modules:
            # It read the variable when it was imported.
            sys.modules["jax"].config.update("jax_platforms", device)
    if _jax_has_started() and any(os.environ.get(name) != value for name, value in environment.items()):
        raise UserError(
            "JAX has started already under other switches, expected to set them first: "
            "start the run in a process of its own"
        )
    _note_foreign_flags()
    os.environ.update(environment)
    if not fixed:
        for name in ("NPROC", *_INSTRUCTION_SET):
            os.environ.pop(name, None)
        return Switches(bits, environment)
    caches = matmul_blocking.words() if matmul_blocking.pin() else None
    if caches is None and bits == "strict":
        raise UserError(
            "--bits strict got a jaxlib whose matrix kernels ask the processor for its caches, expected the one that "
            "requirements.lock names; install it, or run with --bits portable"
        )
    return Switches(bits, environment, PARTITION, _C_FLAGS, caches)


def pin_within(bits="portable", device=None):
    """`pin` within somebody's program, which may have imported NumPy or started JAX before: a weaker promise will do.

    Parameters
    ----------
    bits, device
        As for `pin`.

    Returns
    -------
    Switches
        Of the profile, or where it cannot be had of ``fast``; a note on standard error then says why.
    """
    try:
        return pin(bits, device)
    except UserError as error:
        _tell_once(f"note: bits may be others elsewhere: {error}")
    try:
        return pin("fast", device)
    except UserError:
        return Switches("fast", {})


@functools.cache
def _tell_once(note):
    """A program asks for a network many times, and can mend what it is told at its beginning alone."""
    print(note, file=sys.stderr)


def _refuse_what_is_fixed_otherwise(bits):
    """Refuse what moves bits and was read before anything here could change it."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if "glibc.cpu." in tunables:
        raise UserError(
            f"--bits {bits} got GLIBC_TUNABLES={tunables}, by which the C library computes exp and log for another "
            "processor; expected no glibc.cpu in it: unset GLIBC_TUNABLES, or run with --bits fast"
        )
    if late := variables.read_already():
        raise UserError(
            f"--bits {bits} got {', '.join(late)}, which NumPy or JAX read when they were imported; expected it unset: "
            "unset it, or ask crmn_legacy for what is wanted (Recipe, load, fit) before they are imported"
        )
    config = getattr(sys.modules.get("jax"), "config", None)
    values = getattr(config, "values", {})
    for name, value in _JAX_DEFAULTS.items():
        found = values.get(name, value)
        if found != value:
            raise UserError(
                f"--bits {bits} got a JAX whose {name} is {found}, expected {value}: leave it as JAX has it, or start "
                "the run in a process of its own"
            )


def _xla_flags(bits, device, devices):
    flags = []
    if bits != "fast":
        flags += _XLA_FLAGS
        flags += _XLA_GPU_FLAGS if device == "cuda" else ()
    if device == "cpu" and devices > 1:
        flags.append(f"{_DEVICES_FLAG}{devices}")
    return flags


def _note_foreign_flags():
    """Tell of flags for XLA that are not from here: what starts this process may have set ours."""
    given = os.environ.get("XLA_FLAGS", "")
    own = (*_XLA_FLAGS, *_XLA_GPU_FLAGS, _DEVICES_FLAG)
    if not all(flag.startswith(own) for flag in given.split()):
        variables.note({"XLA_FLAGS": given})


def _jax_has_started():
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bool(bridge and getattr(bridge, "_backends", None))


def platform_key(switches, backend, device, devices, precision):
    """What a golden digest is held under: two runs of one key must give the same bits.

    Parameters
    ----------
    switches : Switches
        As `pin` returned them.
    backend, device, precision : str
        As the run was told.
    devices : int
        Number of devices.

    Returns
    -------
    str
        Words joined by ``/``: backend, device kind, instruction set, partition, caches, jaxlib or compiler, precision;
        for ``c`` a digest of what the user chose of compiler, flags and BLAS, if anything.
    """
    words = [backend, device if devices == 1 else f"{device}x{devices}", precision, switches.bits]
    if switches.bits == "fast":
        name = processor.model_name() or platform.processor() or "unknown"
        words += [processor.newest_avx() or platform.machine(), f"cores{len(os.sched_getaffinity(0))}"]
        words.append(name.replace(" ", "_"))
    else:
        words += ["avx2", f"partition{switches.partition}"]
    if switches.bits != "strict":
        words.append(switches.caches or processor.cache_sizes())
    if backend == "xla":
        import jaxlib

        words.append(f"jaxlib{jaxlib.__version__}")
        if device == "cuda":
            import jax

            words.append(jax.devices()[0].device_kind.replace(" ", "_"))
    else:
        import aesara

        words.append(f"aesara{aesara.__version__}")
        if chosen := aesara_settings.choices():
            words.append(f"flags{hashlib.sha256(repr(sorted(chosen.items())).encode()).hexdigest()[:8]}")
    return "/".join(words)
