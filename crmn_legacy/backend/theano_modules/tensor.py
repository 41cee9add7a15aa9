"""Functions of ``theano.tensor`` by Theano's conventions, where Aesara's are others."""

import aesara.tensor as at
from aesara.tensor import slinalg
from aesara.tensor.shape import specify_broadcastable, unbroadcast


def flatten(x, outdim=None, ndim=None):
    """`x` with the axes from ``outdim - 1`` on made one; ``theano.tensor.flatten``."""
    return at.flatten(x, _one_of(outdim, ndim, default=1))


def is_flat(var, outdim=None, ndim=None):
    """Whether `var` has `outdim` axes; ``theano.tensor.is_flat``."""
    return at.basic.is_flat(var, _one_of(outdim, ndim, default=1))


def _one_of(old, new, default):
    return new if old is None and new is not None else default if old is None else old


def reshape(x, newshape, ndim=None, name=None):
    """`x` in another shape; ``theano.tensor.reshape``."""
    result = at.reshape(x, newshape, ndim)
    if name is not None:
        result.name = name
    return result


def var(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """The variance along `axis`; ``theano.tensor.var``. A third argument that is a bool is `keepdims`, as in 0.7."""
    ddof, keepdims = _degrees(ddof, keepdims)
    return at.var(input, axis=axis, ddof=ddof, keepdims=keepdims, corrected=corrected)


def std(input, axis=None, ddof=0, keepdims=False, corrected=False):
    """The standard deviation along `axis`; ``theano.tensor.std``, its arguments those of `var`."""
    ddof, keepdims = _degrees(ddof, keepdims)
    return at.std(input, axis=axis, ddof=ddof, keepdims=keepdims, corrected=corrected)


def _degrees(ddof, keepdims):
    return (0, ddof) if isinstance(ddof, bool) else (ddof, keepdims)


def choose(a, choices, out=None, mode="raise"):
    """Of `choices` the one that `a` says, element by element; ``theano.tensor.choose``. `out` is None, as it was."""
    assert out is None
    return at.choose(a, choices, mode)


def batched_dot(a=None, b=None, x=None, y=None):
    """The products of matrices one by one; ``theano.tensor.batched_dot``, whose arguments were first `x` and `y`."""
    return at.batched_dot(x if a is None else a, y if b is None else b)


def dot(a=None, b=None, l=None, r=None):  # noqa: E741 - Aesara's name
    """The product; ``theano.tensor.dot``."""
    return at.dot(l if a is None else a, r if b is None else b)


class Rebroadcast:
    """Declare of axes whether they have length 1: ``Rebroadcast((0, True), (1, False))(x)``."""

    def __init__(self, *axes):
        self.axis = dict(axes)

    def __call__(self, x):
        wanted = [axis for axis, flag in self.axis.items() if flag]
        unwanted = [axis for axis, flag in self.axis.items() if not flag]
        return unbroadcast(specify_broadcastable(x, *wanted), *unwanted)


class Flatten:
    """``theano.tensor.Flatten(outdim)(x)``."""

    def __init__(self, outdim=1):
        self.outdim = outdim

    def __call__(self, x):
        return at.flatten(x, self.outdim)


class Tile:
    """``theano.tensor.Tile(ndim)(x, reps)``."""

    def __init__(self, ndim):
        self.ndim = ndim

    def __call__(self, x, reps):
        return at.tile(x, reps, ndim=self.ndim)


class Diagonal:
    """``theano.tensor.Diagonal(offset, axis1, axis2)(x)``."""

    def __init__(self, offset=0, axis1=0, axis2=1):
        self.offset, self.axis1, self.axis2 = offset, axis1, axis2

    def __call__(self, x):
        return at.diagonal(x, self.offset, self.axis1, self.axis2)


class DiffOp:
    """``theano.tensor.extra_ops.DiffOp(n, axis)(x)``."""

    def __init__(self, n=1, axis=-1):
        self.n, self.axis = n, axis

    def __call__(self, x):
        return at.extra_ops.diff(x, self.n, self.axis)


class RepeatOp:
    """``theano.tensor.extra_ops.RepeatOp(axis)(x, repeats)``."""

    def __init__(self, axis=None):
        self.axis = axis

    def __call__(self, x, repeats):
        return at.repeat(x, repeats, self.axis)


def load(path, dtype, broadcastable=None, mmap_mode=None, shape=None):
    """An array that is read from a file when the function runs; ``theano.tensor.load``."""
    from aesara.tensor import io

    if broadcastable is not None:
        shape = tuple(1 if flag else None for flag in broadcastable)
    return io.load(path, dtype, shape, mmap_mode)


def alloc_diag(x):
    """A matrix with the vector `x` on its diagonal; ``theano.tensor.nlinalg.alloc_diag``."""
    return at.diag(x)


def Solve(A_structure="general", lower=False, overwrite_A=False, overwrite_b=False):
    """The operation that solves ``A x = b`` for a kind of `A`; ``theano.tensor.slinalg.Solve``.

    Parameters
    ----------
    A_structure : {'general', 'symmetric', 'lower_triangular', 'upper_triangular'}
    lower : bool
        Of a symmetric `A`, use the lower triangle.
    overwrite_A, overwrite_b : bool
        Have no effect.
    """
    if A_structure in ("lower_triangular", "upper_triangular"):
        return slinalg.SolveTriangular(lower=A_structure == "lower_triangular")
    kinds = {"general": "gen", "symmetric": "sym", "gen": "gen", "sym": "sym", "her": "her", "pos": "pos"}
    return slinalg.Solve(assume_a=kinds[A_structure], lower=lower)


def psd(v):
    """`v`, of which the caller says that it is positive semi-definite; ``theano.sandbox.linalg.psd``."""
    return v


is_psd = is_symmetric = is_positive = lambda v: False


def div_proxy(x, y):
    """``x / y`` as ``theano.config.int_division`` says of whole numbers."""
    from crmn_legacy.backend.python2.runtime import divide

    return divide(at.as_tensor_variable(x), y)


def as_cuda_or_tensor_variable(x, name=None, ndim=None):
    """`x` as a symbolic tensor."""
    return at.as_tensor_variable(x, name, ndim)
