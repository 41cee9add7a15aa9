"""Decompositions, inverses and solutions of linear equations.

Where NumPy or SciPy raise an error, because a matrix is singular, the results are not finite. Programs count on the
error where a matrix is not positive definite; so its root is left to Aesara, but within loops.
"""

import jax
import jax.numpy as jnp
from aesara.tensor import nlinalg, slinalg
from jax import lax

from .registry import active_settings, as_array, canonical, lowering, on_processor

# From which share of the largest singular value on NumPy takes a smaller one for zero.
_PSEUDO_INVERSE_CUTOFF = 1e-15


def _computed(function):
    """The lowering of an op by a function of the op and its inputs, as numbers that have quotients."""

    def lowered(op, node):
        def compute(*values):
            dtype = jnp.result_type(*(value.dtype for value in values))
            if not jnp.issubdtype(dtype, jnp.inexact):
                dtype = canonical("float64")
            return function(op, *(as_array(value, dtype) for value in values))

        return compute

    return lowered


def _eigenvalues_and_vectors(op, x):
    if not on_processor():
        raise NotImplementedError("no XLA lowering for Eig on this device: XLA finds eigenvalues on processors only")
    # As Aesara does, which keeps the parts that are real.
    values, vectors = jnp.linalg.eig(x)
    return (values, vectors) if jnp.iscomplexobj(x) else (values.real, vectors.real)


def _of_one_triangle(g, lower):
    """The gradient by a symmetric matrix, of which the op reads one triangle."""
    return jnp.tril(g) + jnp.triu(g, 1).T if lower else jnp.triu(g) + jnp.tril(g, -1).T


def _symmetric_eigenvalues_gradient(op, x, values, vectors, g_values, g_vectors):
    # A value's difference to itself divides nothing.
    itself = jnp.eye(len(values), dtype=bool)
    differences = jnp.where(itself, 1, values[None, :] - values[:, None])
    turned = vectors @ jnp.where(itself, 0, (vectors.T @ g_vectors) / differences)
    return _of_one_triangle(vectors @ (vectors * g_values + turned).T, op.UPLO == "L")


def _qr(op, x):
    if op.mode not in ("reduced", "complete", "r"):
        raise NotImplementedError(f"no XLA lowering for the mode {op.mode!r} of qr")
    return jnp.linalg.qr(x, op.mode)


def _svd(op, x):
    return jnp.linalg.svd(x, full_matrices=bool(op.full_matrices), compute_uv=bool(op.compute_uv))


_ops = {
    nlinalg.MatrixPinv: lambda op, x: jnp.linalg.pinv(x, rtol=_PSEUDO_INVERSE_CUTOFF, hermitian=bool(op.hermitian)),
    nlinalg.Inv: lambda op, x: jnp.linalg.inv(x),
    nlinalg.MatrixInverse: lambda op, x: jnp.linalg.inv(x),
    nlinalg.Det: lambda op, x: jnp.linalg.det(x),
    nlinalg.Eig: _eigenvalues_and_vectors,
    nlinalg.Eigh: lambda op, x: jnp.linalg.eigh(x, UPLO=op.UPLO, symmetrize_input=False),
    nlinalg.EighGrad: _symmetric_eigenvalues_gradient,
    nlinalg.QRFull: _qr,
    nlinalg.SVD: _svd,
    nlinalg.TensorInv: lambda op, x: jnp.linalg.tensorinv(x, op.ind),
    nlinalg.TensorSolve: lambda op, a, b: jnp.linalg.tensorsolve(a, b, op.axes),
}


def _cholesky(op, x):
    active = active_settings()
    if op.on_error == "raise" and not active.passes_checks and not active.in_loop:
        raise NotImplementedError("a matrix may not be positive definite, and XLA raises no LinAlgError")
    root = lax.linalg.cholesky(x if op.lower else x.T.conj(), symmetrize_input=False)
    root = jnp.where(jnp.isnan(root).any(), jnp.nan, root)
    return root if op.lower else root.T.conj()


def _from_one_triangle(x, lower, conjugated):
    """The whole of a symmetric matrix, or of a Hermitian one."""
    half = jnp.tril(x, -1) if lower else jnp.triu(x, 1)
    return jnp.diag(jnp.diag(x)) + half + (half.T.conj() if conjugated else half.T)


def _solve(op, a, b):
    if op.assume_a == "gen":
        return jnp.linalg.solve(a, b)
    if op.assume_a == "pos":
        return jax.scipy.linalg.solve(a, b, lower=op.lower, assume_a="pos")
    return jnp.linalg.solve(_from_one_triangle(a, op.lower, op.assume_a == "her"), b)


def _solve_triangular(op, a, b):
    return jax.scipy.linalg.solve_triangular(a, b, op.trans, op.lower, op.unit_diagonal)


def _standard(op, a, b):
    """A symmetric matrix that has the eigenvalues of `a` against `b`, and the root of `b`."""
    root = lax.linalg.cholesky(b if op.lower else b.T.conj(), symmetrize_input=False)
    a = _from_one_triangle(a, op.lower, True)
    half = jax.scipy.linalg.solve_triangular(root, a, lower=True)
    return jax.scipy.linalg.solve_triangular(root, half.T.conj(), lower=True), root


def _symmetric_eigenvalues(op, a, b=None):
    a = _from_one_triangle(a, op.lower, True) if b is None else _standard(op, a, b)[0]
    return jnp.linalg.eigvalsh(a)


def _against_another_gradient(op, a, b, g):
    a, root = _standard(op, a, b)
    values, vectors = jnp.linalg.eigh(a)
    vectors = jax.scipy.linalg.solve_triangular(root, vectors, trans=1, lower=True)
    by_a, by_b = (vectors * g) @ vectors.T, -(vectors * (g * values)) @ vectors.T
    return _of_one_triangle(by_a, op.lower), _of_one_triangle(by_b, op.lower)


def _exponential_gradient(op, x, g):
    # The derivative of an exponential stands in the exponential of a block matrix.
    count = len(x)
    blocks = jnp.block([[x.T, g], [jnp.zeros_like(x), x.T]])
    return jax.scipy.linalg.expm(blocks)[:count, count:]


_ops |= {
    slinalg.Cholesky: _cholesky,
    slinalg.CholeskySolve: lambda op, c, b: jax.scipy.linalg.cho_solve((c, op.lower), b),
    slinalg.Solve: _solve,
    slinalg.SolveTriangular: _solve_triangular,
    slinalg.Eigvalsh: _symmetric_eigenvalues,
    slinalg.EigvalshGrad: _against_another_gradient,
    slinalg.Expm: lambda op, x: jax.scipy.linalg.expm(x),
    slinalg.ExpmGrad: _exponential_gradient,
}
for _op, _function in _ops.items():
    lowering.register(_op, _computed(_function))
