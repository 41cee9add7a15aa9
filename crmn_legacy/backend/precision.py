"""Number formats of a run (`--precision`), set before a graph is built."""

from contextlib import ExitStack, contextmanager, nullcontext

from crmn_legacy.errors import UserError

PRECISIONS = ("float32", "tf32", "bfloat16", "float64")


def use(precision, backend="xla", device="cpu"):
    """Make graphs and their compilation use a number format.

    ``float32`` and ``float64``: all numbers, products in full. ``tf32``: float32 storage, products of convolutions and
    dense layers on TF32 units (CUDA only). ``bfloat16``: float32 storage and sums, the factors of those products
    rounded to bfloat16.

    Parameters
    ----------
    precision : {'float32', 'tf32', 'bfloat16', 'float64'}
    backend : {'xla', 'c', 'program'}
        ``program``: XLA's, without Aesara.
    device : {'cpu', 'cuda'}

    Returns
    -------
    contextlib.AbstractContextManager
        Steps must be called for the first time within it.

    Raises
    ------
    UserError
        The backend or device has no such format.
    """
    if precision not in PRECISIONS:
        raise UserError(f"--precision got {precision!r}, expected one of {', '.join(PRECISIONS)}")
    if precision == "tf32" and (backend == "c" or device != "cuda"):
        raise UserError(
            "--precision tf32 got no CUDA device, expected one: TF32 is a format of NVIDIA's; add --device cuda"
        )
    if precision == "bfloat16" and backend == "c":
        raise UserError(f"--precision bfloat16 got --backend {backend}, expected --backend xla")
    if backend != "program":
        import aesara

        aesara.config.floatX = "float64" if precision == "float64" else "float32"
    if backend == "c":
        return nullcontext()
    import jax

    jax.config.update("jax_enable_x64", precision == "float64")
    # Left alone, JAX may compute float32 products on a GPU in TF32.
    jax.config.update("jax_default_matmul_precision", "tensorfloat32" if precision == "tf32" else "highest")
    if backend == "program":
        return nullcontext()  # how products are made was fixed when it was written
    from crmn_legacy.backend.lowerings import settings

    return settings(matmul_dtype="bfloat16" if precision == "bfloat16" else None)


@contextmanager
def kept():
    """What `use` sets for the whole process is, after the block, as it was before: for somebody's program."""
    import aesara
    import jax

    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_default_matmul_precision")}
    with aesara.config.change_flags(floatX=aesara.config.floatX):
        try:
            yield
        finally:
            for name, value in before.items():
                jax.config.update(name, value)


class JaxNumbers:
    """JAX's number formats as they are now, for what is computed later.

    Parameters
    ----------
    wide : bool
        Whether float64 is needed, which JAX would take for float32 unless it is told.
    """

    def __init__(self, wide=False):
        import jax

        self._jax = jax
        self._wide = wide or jax.config.jax_enable_x64
        self._products = jax.config.jax_default_matmul_precision

    def __call__(self):
        """A context manager in which they are in force, whatever the process has set since."""
        config = self._jax.config
        if (config.jax_enable_x64, config.jax_default_matmul_precision) == (self._wide, self._products):
            return nullcontext()
        within = ExitStack()
        within.enter_context(self._jax.experimental.enable_x64(self._wide))
        within.enter_context(self._jax.default_matmul_precision(self._products))
        return within
