"""The interpreter: what is known while tracing, what is refused, and how deep a graph may be."""

import sys

import aesara
import aesara.tensor as at
import jax
import jax.export
import numpy as np
import pytest
from aesara.compile.builders import OpFromGraph
from aesara.graph.basic import Apply
from aesara.graph.op import Op
from aesara.tensor.nnet.abstract_conv import conv2d
from aesara.tensor.nnet.batchnorm import batch_normalization_train
from aesara.tensor.signal.pool import Pool

from crmn_legacy.backend.lowerings import lower, lowering

from .reference import assert_agrees, hlo, python_result, xla_result


class Doubling(Op):
    """An op that nobody has lowered."""

    def make_node(self, x):
        return Apply(self, [x], [x.type()])

    def perform(self, node, inputs, storage):
        storage[0][0] = 2 * inputs[0]


def test_an_op_without_lowering_is_named_with_the_way_out():
    x = at.dvector()
    with pytest.raises(NotImplementedError) as caught:
        lower([x], [Doubling()(x)])
    message = str(caught.value)
    assert "Doubling" in message
    assert "lowering.register(Doubling)" in message
    assert "C backend" in message


def test_a_registered_op_is_lowered():
    class Tripling(Doubling):
        pass

    @lowering.register(Tripling)
    def _(op, node):
        return lambda x: 3 * x

    x = at.dvector()
    np.testing.assert_array_equal(lower([x], [Tripling()(x)])(np.arange(3.0))[0], [0, 3, 6])


def test_aesaras_own_dispatch_answers_where_this_one_is_silent():
    x = at.dmatrix()
    value = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert_agrees([x], [at.nlinalg.det(x), at.nlinalg.matrix_inverse(x)], [value])


def test_asking_aesaras_dispatch_leaves_jax_in_32_bits():
    x = at.fmatrix()
    before = jax.config.jax_enable_x64
    lower([x], [at.nlinalg.det(x)])
    assert jax.config.jax_enable_x64 == before


def test_a_missing_input_is_named():
    x, y = at.dvector("x"), at.dvector("forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        lower([x], [x + y])


def test_a_wrong_number_of_arrays_is_refused():
    x, y = at.dvector(), at.dvector()
    with pytest.raises(TypeError, match="got 1 arrays, expected 2"):
        lower([x, y], [x + y])(np.zeros(3))


def test_an_error_says_at_which_node():
    x, y = at.dmatrix(), at.dmatrix()
    with pytest.raises(TypeError) as caught:
        lower([x, y], [at.dot(x, y)])(np.zeros((2, 3)), np.zeros((2, 3)))
    assert any("while lowering" in note and "[2, 3]" in note for note in caught.value.__notes__)


def test_graphs_deeper_than_the_recursion_limit_are_lowered():
    x = at.dscalar()
    y = x
    depth = 3 * sys.getrecursionlimit()
    for _ in range(depth):
        y = y + 1.0
    assert float(lower([x], [y])(0.0)[0]) == depth


def test_inputs_may_be_outputs_and_outputs_repeat():
    x = at.dvector()
    y = x + 1
    got = xla_result([x], [x, y, y, at.constant(3.0)], [np.arange(2.0)])
    for found, wanted in zip(got, [[0, 1], [1, 2], [1, 2], 3], strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_an_intermediate_variable_may_be_an_input():
    x = at.dvector()
    y = x * 2
    (got,) = xla_result([y], [y + 1], [np.arange(2.0)])
    np.testing.assert_array_equal(got, [1, 2])


def test_shared_variables_are_ordinary_inputs():
    x, w = at.dvector(), aesara.shared(np.ones(3), "w")
    got = xla_result([x, w], [(w * x).sum(), w - 0.1 * x], [np.arange(3.0), np.full(3, 2.0)])
    np.testing.assert_allclose(got[0], 6)
    np.testing.assert_allclose(got[1], [2, 1.9, 1.8])


def test_shapes_computed_in_the_graph_are_numbers_to_xla():
    x = at.dtensor3()
    n = x.shape[0] * x.shape[1] + 1 - at.cast(at.ceil(x.shape[2] / 2.0), "int64")
    outputs = [
        at.zeros((n, x.shape[2])) + x[0, 0],
        x.reshape((-1, x.shape[2] // 2 * 2)),
        at.arange(n) * 2,
        at.concatenate([x.flatten(), at.ones(n)]),
        at.tile(x, (1, 2, x.shape[1] - 1)),
    ]
    assert_agrees([x], outputs, [np.random.default_rng(0).normal(size=(2, 3, 4))])


def test_one_graph_serves_several_shapes():
    x = at.dmatrix()
    function = jax.jit(lower([x], [x.reshape((x.shape[1], x.shape[0])).sum(0) / x.shape[0]]))
    for shape in [(2, 3), (4, 5)]:
        value = np.random.default_rng(0).normal(size=shape).astype("float32")
        np.testing.assert_allclose(
            function(value)[0], value.reshape(shape[::-1]).sum(0) / shape[0], rtol=1e-5, atol=1e-6
        )


def test_an_op_without_lowering_is_computed_while_tracing_where_it_is_known():
    x = at.dvector()
    mask = at.constant(np.array([True, False, True]))
    assert_agrees([x], [x[at.nonzero(mask)[0]], at.arange(0.5, 2.5, 0.5)], [np.arange(3.0)])
    with pytest.raises(NotImplementedError, match="Nonzero"):
        jax.jit(lower([x], [at.nonzero(x)[0]]))(np.zeros(3))


def test_a_shape_that_is_data_is_refused():
    x, n = at.dvector(), at.lscalar()
    with pytest.raises(NotImplementedError, match="depends on the data"):
        jax.jit(lower([x, n], [at.zeros(n) + x[0]]))(np.zeros(3), np.int64(2))


def test_constants_of_an_in_place_op_are_not_changed():
    start = np.arange(3)
    constant = at.constant(start)
    y = at.subtensor.set_subtensor(constant[0], 7, inplace=True)
    np.testing.assert_array_equal(xla_result([], [y], [])[0], [7, 1, 2])
    np.testing.assert_array_equal(constant.data, [0, 1, 2])


def test_floating_point_arrays_are_left_to_xla():
    """Only shapes and such are computed while tracing: NumPy's tanh is not the same on all processors."""
    x = at.fvector()
    y = at.tanh(at.constant(np.ones(3, "float32"))) * x
    assert "stablehlo.tanh" in hlo([x], [y], [np.zeros(3, "float32")])


def test_results_have_the_dtypes_of_the_graph():
    x, i = at.fvector(), at.ivector()
    outputs = [x * i, x.sum(), i.sum(), i / 2, x > 0, at.cast(x, "int8"), i.mean(), x + np.float64(0.5)]
    values = [np.array([0.5, -1.5], "float32"), np.array([2, 3], "int32")]
    for variable, wanted, wide, narrow in zip(
        outputs,
        python_result([x, i], outputs, values),
        xla_result([x, i], outputs, values),
        xla_result([x, i], outputs, values, x64=False),
        strict=True,
    ):
        assert wide.dtype == variable.dtype
        np.testing.assert_allclose(wide, wanted)
        np.testing.assert_allclose(narrow, wanted)
        assert narrow.dtype.itemsize <= 4


def test_a_graph_as_an_op_is_lowered():
    x, y = at.dscalar(), at.dscalar()
    op = OpFromGraph([x, y], [x * y, x + y])
    v = at.dvector()
    a, b = op(v[0], v[1])
    assert_agrees([v], [a, b, aesara.grad(a * b, v)], [np.array([2.0, 5.0])])


def test_a_program_can_be_exported_for_processors_and_gpus():
    """Without a custom call, so that the export needs nothing but XLA."""
    x, w = at.ftensor4(), at.ftensor4()
    gamma = at.fvector()
    h = batch_normalization_train(conv2d(x, w, border_mode="half"), gamma, gamma, axes="spatial")[0]
    h = Pool(ignore_border=True, mode="max")(at.nnet.relu(h), (2, 2))
    loss = (h**2).mean()
    function = jax.jit(lower([x, w, gamma], [loss, *aesara.grad(loss, [w, gamma])]))
    values = [np.ones(shape, "float32") for shape in [(2, 3, 8, 8), (4, 3, 3, 3), (4,)]]
    exported = jax.export.export(function, platforms=["cpu", "cuda"])(*values)
    text = exported.mlir_module()
    assert "stablehlo.convolution" in text
    assert "custom_call" not in text
    assert "scatter" not in text


def test_nodes_before_the_inputs_are_left_alone():
    from aesara.sandbox.rng_mrg import MRG_RandomStream

    from crmn_legacy.backend.lowerings.interpreter import sorted_nodes

    x = at.vector()
    drawn = MRG_RandomStream(1).uniform((3,))
    outputs = [at.lt(drawn, at.exp(x) + 1)]
    nodes = sorted_nodes([x, drawn], outputs)
    assert drawn.owner not in nodes and nodes[-1] is outputs[0].owner
