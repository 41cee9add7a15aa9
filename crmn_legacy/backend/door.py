"""The front door: Theano programs whose functions XLA compiles, on the processor or for a card."""

from crmn_legacy.backend import (
    aesara_patches,
    aesara_settings,
    cache,
    determinism,
    install,
    lasagne_gpu_layers,
    theano_comparisons,
)
from crmn_legacy.errors import UserError

BACKENDS = ("xla", "c")
DEVICES = ("cpu", "cuda")
_SECONDS_WORTH_KEEPING = 0.05


def open_door(backend="xla", device=None):
    """Make ``import theano`` work, and its functions be compiled; call it before Theano or Aesara is imported.

    Parameters
    ----------
    backend : {'xla', 'c'}
        Who compiles them: XLA, or Aesara's own C compiler (or Python, where there is none).
    device : {'cpu', 'cuda'}, optional
        Where XLA computes; by default on what JAX finds.

    Raises
    ------
    UserError
        An unknown backend or device; a real Theano.

    Examples
    --------
    >>> from crmn_legacy.backend.door import open_door
    >>> open_door()  # doctest: +SKIP
    >>> import theano
    >>> x = theano.tensor.vector()
    >>> theano.function([x], x**2)([1, 2, 3]).tolist()
    [1.0, 4.0, 9.0]
    """
    if backend not in BACKENDS:
        raise UserError(f"--backend got {backend!r}, expected one of {', '.join(BACKENDS)}")
    if device not in (None, *DEVICES):
        raise UserError(f"--device got {device!r}, expected one of {', '.join(DEVICES)}")
    if backend == "c" and device == "cuda":
        raise UserError("--device cuda got --backend c, expected --backend xla: Aesara computes on the processor alone")
    install()
    theano_comparisons.install()
    lasagne_gpu_layers.answer_wrappers()
    aesara_patches.mend_when_imported("aesara.compile.function.types", _name_as_theano)
    if backend == "c":
        return
    # Before NumPy is imported; the rest when the program, which may choose its flags first, imports Theano.
    determinism.pin_libraries()

    def compile_by_xla(module):
        from crmn_legacy.backend import function

        switches = determinism.pin_within("portable", device)
        function.install(prepare=lambda: _prepare(switches, device))

    aesara_patches.mend_when_imported("aesara", compile_by_xla)


def _name_as_theano(module):
    # What Aesara calls `vm`.
    module.Function.fn = property(lambda self: self.vm)


def _prepare(switches, device):
    """Before the first function is compiled: where programs are kept, and what products are made of."""
    import aesara
    import jax

    if device == "cuda":
        _require_card(jax)
    platform = jax.default_backend()
    cache.use(determinism.platform_key(switches, "xla", "cuda" if platform == "gpu" else platform, 1, "door"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _SECONDS_WORTH_KEEPING)
    # Left alone, JAX may compute float32 products on a GPU in TF32.
    jax.config.update("jax_default_matmul_precision", "highest")
    if aesara.config.floatX == "float64":
        aesara_settings.tell_float64()


def _require_card(jax):
    try:
        jax.devices()
    # Where no plug-in for cards is installed JAX only asserts that there is one.
    except (RuntimeError, AssertionError) as error:
        told = f" ({str(error).splitlines()[0]})" if str(error) else ""
        raise UserError(
            f"--device cuda got no CUDA device{told}, expected one and JAX's build for it: install `jax[cuda12]` of "
            "the pinned version, or leave --device out"
        ) from None
