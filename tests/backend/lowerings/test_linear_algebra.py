"""Linear algebra against NumPy and SciPy, which Aesara's Python code calls."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor import nlinalg, slinalg
from aesara.tensor.type_other import NoneConst

from crmn_legacy.backend.lowerings import lower, settings

from .reference import assert_agrees, python_only, xla_result

RNG = np.random.default_rng(0)
SQUARE, TALL, ROW = RNG.normal(size=(5, 5)), RNG.normal(size=(5, 3)), RNG.normal(size=5)
SYMMETRIC, POSITIVE = SQUARE + SQUARE.T, SQUARE @ SQUARE.T + np.eye(5)
A, B = at.dmatrix("a"), at.dmatrix("b")


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (nlinalg.matrix_inverse, SQUARE),
        (nlinalg.pinv, TALL),
        (lambda a: nlinalg.pinv(a, hermitian=True), SYMMETRIC),
        (nlinalg.det, SQUARE),
        (nlinalg.trace, SQUARE),
        (lambda a: nlinalg.matrix_power(a, 5), SQUARE),
        (slinalg.expm, SQUARE),
        *((lambda a, u=u: nlinalg.eigh(a, u)[1], SYMMETRIC) for u in "LU"),
        *((lambda a, u=u: nlinalg.eigh(a, u)[0], SQUARE) for u in "LU"),
        *((lambda a, o=o: nlinalg.norm(a, o), SQUARE) for o in ("fro", "inf", "-inf", 1, -1)),
        *((lambda a, k=k, e=e: slinalg.Cholesky(k, e)(a), POSITIVE) for k in (True, False) for e in ("raise", "nan")),
    ],
)
def test_functions_of_a_matrix_and_their_gradients_agree_with_python(function, value):
    with settings(passes_checks=True):
        assert_agrees([A], [function(A)], [value], wrt=[A], tolerance=1e-9)


@pytest.mark.parametrize(
    ("outputs", "value"),
    [
        ([nlinalg.inv(A)], SQUARE),
        ([nlinalg.pinv(A)], np.ones((4, 3))),
        (nlinalg.eig(A), POSITIVE),
        *((nlinalg.qr(A, mode), TALL) for mode in ("reduced", "complete", "r")),
        *((nlinalg.svd(A, full, True), value) for full in (0, 1) for value in (TALL, TALL.T.copy())),
        (nlinalg.svd(A, 0, 0), TALL),
        ([slinalg.Eigvalsh(lower)(A, NoneConst) for lower in (True, False)], SQUARE),
        ([slinalg.Cholesky(lower, "nan")(A) for lower in (True, False)], -POSITIVE),
    ],
)
def test_decompositions_agree_with_python(outputs, value):
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    assert_agrees([A], outputs, [value], tolerance=1e-9)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("kind", ["gen", "sym", "her", "pos"])
def test_solutions_and_their_gradients_agree_with_python(kind, lower):
    b = at.dvector()
    assert_agrees([A, B], [slinalg.solve(A, B, kind, lower)], [POSITIVE, TALL], wrt=[A, B], tolerance=1e-9)
    half = np.tril(POSITIVE) if lower else np.triu(POSITIVE)
    assert_agrees([A, b], [slinalg.solve(A, b, kind, lower)], [half, ROW], tolerance=1e-9)


@pytest.mark.parametrize("lower", [True, False])
def test_triangular_solutions_agree_with_python(lower):
    solve = slinalg.solve_triangular
    assert_agrees([A, B], [solve(A, B, lower=lower)], [POSITIVE, TALL], wrt=[A, B], tolerance=1e-9)
    outputs = [solve(A, B, trans, lower, unit) for trans in (0, 1, 2, "T") for unit in (True, False)]
    outputs.append(slinalg.cho_solve((A, lower), B))
    assert_agrees([A, B], outputs, [POSITIVE, TALL], tolerance=1e-9)


@pytest.mark.parametrize("lower", [True, False])
def test_eigenvalues_against_another_matrix_agree_with_python(lower):
    assert_agrees([A, B], [slinalg.eigvalsh(A, B, lower)], [SYMMETRIC, POSITIVE], wrt=[A, B], tolerance=1e-9)


def test_tensors_are_inverted_and_solved_as_in_python():
    a, b = at.dtensor4(), at.dmatrix()
    assert_agrees([a], [nlinalg.tensorinv(a)], [RNG.normal(size=(4, 6, 8, 3))], tolerance=1e-9)
    values = [RNG.normal(size=(2, 3, 3, 2)), RNG.normal(size=(2, 3))]
    assert_agrees([a, b], [nlinalg.tensorsolve(a, b)], values, tolerance=1e-9)


def test_kronecker_products_agree_with_python():
    assert_agrees([A, B], [slinalg.kron(A, B)], [SQUARE, TALL], wrt=[A, B])


def test_other_numbers_than_float64_agree_with_python():
    i, z = at.lmatrix(), at.zmatrix()
    assert_agrees([i], [nlinalg.matrix_inverse(i), nlinalg.det(i)], [np.array([[2, 1], [1, 1]])])
    complex_matrix = SQUARE + 1j * SYMMETRIC
    assert_agrees([z], [nlinalg.matrix_inverse(z)], [complex_matrix])
    with settings(passes_checks=True):
        assert_agrees([z], [slinalg.cholesky(z)], [complex_matrix @ complex_matrix.conj().T])


def test_a_root_that_may_not_exist_is_left_to_aesara_which_raises():
    with pytest.raises(NotImplementedError, match="LinAlgError"):
        lower([A], [slinalg.cholesky(A)])(POSITIVE)


def test_within_a_loop_a_matrix_that_is_not_positive_has_no_finite_root():
    x = at.dtensor3()
    with python_only():
        roots = aesara.map(slinalg.cholesky, x)[0]
    (got,) = xla_result([x], [roots], [np.stack([POSITIVE, -POSITIVE])])
    np.testing.assert_allclose(got[0], np.linalg.cholesky(POSITIVE), rtol=1e-10, atol=1e-10)
    assert np.isnan(got[1]).all()


@pytest.mark.parametrize(
    "outputs", [nlinalg.qr(A, "raw"), nlinalg.lstsq(A, B, -1.0), [slinalg.solve_continuous_lyapunov(A, B)]]
)
def test_what_xla_cannot_compute_is_refused(outputs):
    with pytest.raises(NotImplementedError):
        lower([A, B], list(outputs))(SQUARE, SQUARE)
