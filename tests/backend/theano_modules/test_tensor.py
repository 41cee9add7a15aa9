import numpy as np
import pytest

# isort: split
import aesara.tensor as at
import theano
import theano.tensor as T

VALUES = np.random.default_rng(0).standard_normal((2, 3, 4))
X = at.constant(VALUES)


@pytest.mark.parametrize("named", [{}, {"outdim": 2}, {"ndim": 2}, {"outdim": None, "ndim": 2}])
def test_flatten_is_told_the_axes_by_either_name(evaluate, named):
    expected = VALUES.reshape(2, 12) if named else VALUES.ravel()
    assert np.array_equal(evaluate(T.flatten(X, **named)), expected)
    assert np.array_equal(evaluate(T.flatten(X, 2)), VALUES.reshape(2, 12))
    assert T.is_flat(T.flatten(X, **named), **named)


@pytest.mark.parametrize("named", [{"outdim": 2}, {"ndim": 2}])
def test_a_variables_flatten_too(evaluate, named):
    assert np.array_equal(evaluate(X.flatten(**named)), evaluate(X.flatten(2)))


def test_reshape_takes_a_name(evaluate):
    result = T.reshape(X, (6, 4), 2, "rows")
    assert result.name == "rows" and evaluate(result).shape == (6, 4)


@pytest.mark.parametrize(("function", "expected"), [(T.std, np.std), (T.var, np.var)])
def test_the_third_argument_of_std_and_var_is_keepdims_or_ddof(evaluate, function, expected):
    assert np.allclose(evaluate(function(X, 1, True)), expected(VALUES, 1, keepdims=True))
    assert np.allclose(evaluate(function(X, 1, 1)), expected(VALUES, 1, ddof=1))
    assert np.allclose(evaluate(function(X, axis=0, keepdims=False)), expected(VALUES, 0))


def test_products_and_choices(evaluate):
    a, b = VALUES, VALUES.transpose(0, 2, 1)
    assert np.allclose(evaluate(T.batched_dot(x=X, y=at.constant(b))), a @ b)
    assert np.allclose(evaluate(T.batched_dot(X, at.constant(b))), a @ b)
    assert np.allclose(evaluate(T.dot(a=at.constant(a[0]), b=at.constant(b[0]))), a[0] @ b[0])
    rows = np.array([[1, 2], [3, 4]])
    chosen = T.choose(at.constant(np.array([1, 0])), at.constant(rows), None, "raise")
    assert evaluate(chosen).tolist() == [3, 2]


def test_operations_that_were_classes(evaluate):
    assert evaluate(T.Rebroadcast((0, False))(at.zeros((1, 2)))).shape == (1, 2)
    assert T.Rebroadcast((1, True))(T.matrix()).broadcastable == (False, True)
    assert evaluate(T.Flatten(2)(X)).shape == (2, 12)
    assert evaluate(T.basic.Tile(2)(at.constant(VALUES[0]), (2, 1))).shape == (6, 4)
    assert np.array_equal(evaluate(T.Diagonal(1)(at.constant(VALUES[0]))), VALUES[0].diagonal(1))
    assert np.allclose(evaluate(T.extra_ops.DiffOp(1, 0)(X)), np.diff(VALUES, 1, 0))
    assert np.array_equal(evaluate(T.extra_ops.RepeatOp(1)(X, 2)), VALUES.repeat(2, 1))


def test_a_type_is_made_of_lengths_of_one_or_not():
    for kind in (T.TensorType("float32", (True, False)), T.Tensor(dtype="float32", broadcastable=(True, False))):
        assert kind.broadcastable == (True, False) and kind().dtype == "float32"
    assert theano.shared(np.zeros((1, 2)), broadcastable=(True, False)).broadcastable == (True, False)


def test_an_array_is_read_from_a_file_when_the_function_runs(evaluate, tmp_path):
    path = theano.gof.generic()
    np.save(tmp_path / "a.npy", VALUES[0])
    result = T.load(str(tmp_path / "a.npy"), "float64", (False, False))
    assert result.broadcastable == (False, False) and path.type == theano.gof.generic
    assert np.array_equal(evaluate(result), VALUES[0])


@pytest.mark.parametrize("structure", ["general", "symmetric", "lower_triangular", "upper_triangular"])
def test_systems_are_solved_by_the_kind_of_their_matrix(evaluate, structure):
    a = VALUES[0, :, :3] + 3 * np.eye(3)
    a = {"general": a, "symmetric": a + a.T, "lower_triangular": np.tril(a), "upper_triangular": np.triu(a)}[structure]
    found = evaluate(T.slinalg.Solve(A_structure=structure)(at.constant(a), at.constant(VALUES[0, :, 0])))
    assert np.allclose(a @ found, VALUES[0, :, 0])


def test_diagonals_and_hints_of_the_sandbox(evaluate):
    from theano.sandbox.linalg import ops

    assert np.array_equal(evaluate(ops.alloc_diag(at.constant([1.0, 2.0]))), np.diag([1.0, 2.0]))
    assert ops.psd(X) is X and not ops.is_psd(X)
    assert np.allclose(evaluate(ops.matrix_inverse(at.constant(2 * np.eye(2)))), 0.5 * np.eye(2))


def test_whole_numbers_divide_as_theano_says(evaluate):
    assert evaluate(T.basic.div_proxy(at.constant(7), 2)) == 3
    with theano.config.change_flags(int_division="floatX"):
        assert evaluate(T.basic.div_proxy(at.constant(7), 2)) == 3.5
