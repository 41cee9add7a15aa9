"""Whole graphs: what losses come to at extreme and ordinary inputs, in loops and functions, and what is left alone."""

import contextlib
import logging
import sys

import aesara
import aesara.tensor as T
import jax
import numpy as np
import pytest
from aesara.compile.builders import OpFromGraph
from aesara.compile.mode import Mode
from aesara.graph.fg import FunctionGraph
from aesara.tensor.special import softmax

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.backend.lowerings import lower
from crmn_legacy.backend.stabilization import Stabilization, rewriting, stabilized

from .losses import EXTREME, LABELS, LOSSES, ORDINARY, TARGETS

DTYPES = ("float32", "float64")
VALUES = EXTREME, TARGETS, LABELS
ZEROS = np.zeros_like(EXTREME)
# These are no numbers at 0 only.
AT_ZERO = ("the root of a square", "the power 0.5 of a product", "a branch that is not taken")
# XLA itself knows the first; of the other the gradient has no value at 0.
FINITE = {"log(exp)", "x / |x|"}
# Only few of them in loops, for each loop is compiled by itself.
IN_LOOPS = ("binary cross-entropy", "log(softmax)[labels]", "log(1 + exp)", "log(shares)", "1 / (1 + exp)")


@pytest.fixture(autouse=True)
def no_rule_failed(caplog):
    yield
    assert [record.getMessage() for record in caplog.records if record.name == rewriting.__name__] == []


def graph(build, dtype):
    """Inputs, and a loss with its gradient."""
    x, t = (T.matrix(name, dtype=dtype) for name in "xt")
    k = T.ivector("k")
    loss = build(x, t, k)
    return [x, t, k], [loss, T.grad(loss.sum(), x)]


def computed(inputs, outputs, values, stable=True):
    """Outputs as XLA has them of a graph, rewritten or not."""
    fgraph = FunctionGraph(inputs, outputs)
    if stable:
        stabilized(fgraph)
    dtypes = [variable.type.dtype for variable in inputs]
    wide = "float64" in dtypes
    with jax.experimental.enable_x64() if wide else contextlib.nullcontext():
        function = jax.jit(lower(fgraph.inputs, fgraph.outputs))
        arrays = function(*(np.asarray(value, dtype) for value, dtype in zip(values, dtypes, strict=True)))
        return [np.asarray(array) for array in arrays]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LOSSES)
def test_extreme_inputs_give_what_the_closed_form_gives(name, dtype):
    loss = LOSSES[name]
    values = EXTREME, TARGETS, LABELS
    value, gradient = computed(*graph(loss.build, dtype), values)
    tolerance = {"rtol": 1e-12, "atol": 1e-13} if dtype == "float64" else {"rtol": 2e-6, "atol": 1e-6}
    x = EXTREME.astype(dtype).astype("float64")
    np.testing.assert_allclose(value, loss.value(x, TARGETS, LABELS), **tolerance)
    np.testing.assert_allclose(gradient, loss.gradient(x, TARGETS, LABELS), **tolerance)


@pytest.mark.parametrize("name", LOSSES)
def test_ordinary_inputs_give_what_they_gave(name):
    values = abs(ORDINARY) if name == "log times 0" else ORDINARY, TARGETS, LABELS
    before, after = (computed(*graph(LOSSES[name].build, "float64"), values, stable) for stable in (False, True))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - FINITE))
def test_what_is_rewritten_was_not_finite_before(name):
    """Or else the tests above would show nothing."""
    values = ZEROS if name in AT_ZERO else EXTREME, TARGETS, LABELS
    before = computed(*graph(LOSSES[name].build, "float64"), values, stable=False)
    assert not all(np.isfinite(array).all() for array in before)
    after = computed(*graph(LOSSES[name].build, "float64"), values)
    assert all(np.isfinite(array).all() for array in after)


def test_a_sign_written_as_a_quotient_is_0_at_0():
    x = T.dvector("x")
    (found,) = computed([x], [x / abs(x) + x / T.sqrt(x**2)], [[-2.0, 0.0, 3.0]])
    np.testing.assert_array_equal(found, [-2, 0, 2])


@pytest.mark.parametrize("name", IN_LOOPS)
def test_losses_in_the_steps_of_a_loop(name):
    x, t = (T.tensor3(letter, dtype="float64") for letter in "xt")
    k = T.imatrix("k")
    sums, _ = aesara.scan(
        lambda x, t, k, total: total + LOSSES[name].build(x, t, k).sum(),
        sequences=[x, t, k],
        outputs_info=T.zeros((), "float64"),
    )
    values = [np.stack([part, part[::-1]]) for part in VALUES]
    value, gradient = computed([x, t, k], [sums[-1], T.grad(sums[-1], x)], values)
    parts = list(zip(*values, strict=True))
    np.testing.assert_allclose(value, sum(LOSSES[name].value(*part).sum() for part in parts), rtol=1e-12)
    expected = np.stack([LOSSES[name].gradient(*part) for part in parts])
    np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-13)


def test_a_loss_in_the_graph_of_an_op():
    x = T.dvector("x")
    op = OpFromGraph([x], [T.log(1 - T.sigmoid(x))])
    y = op(x)
    value, gradient = computed([x], [y, T.grad(y.sum(), x)], [[800.0, -3.0]])
    np.testing.assert_allclose(value, [-800, -np.logaddexp(0, -3)], rtol=1e-12)
    np.testing.assert_allclose(gradient, [-1, -1 / (1 + np.exp(3))], rtol=1e-12)
    assert op.inner_outputs[0].owner.op == T.log  # the op itself is as it was


@pytest.mark.parametrize("backend", ["xla", "c"])
def test_both_backends_agree_where_numbers_are_extreme(backend):
    w, x = aesara.shared(np.float32(800), name="w"), T.fvector("x")
    loss = T.log(1 - T.sigmoid(w * x)).sum()
    with aesara.config.change_flags(mode=Mode("py", "fast_run"), cxx=""):
        step = compile_step({"x": x}, {"loss": loss}, {w: w - T.grad(loss, w)}, backend=backend)
        state, outputs = step(step.initial_state(), {"x": np.ones(1, "float32")})
    assert step.get_outputs(outputs)["loss"] == -800
    assert step.get(state)["w"] == 801


def test_functions_of_aesara_take_it_as_their_optimizer():
    x, k = T.dmatrix("x"), T.ivector("k")
    w = aesara.shared(np.eye(2), name="w")
    probabilities = softmax(T.dot(x, w), axis=-1)
    loss = -T.log(probabilities)[T.arange(k.shape[0]), k].mean()
    step = aesara.function([x, k], [loss, x], updates={w: w - T.grad(loss, w)}, mode=Mode("py", Stabilization()))
    value, given = step([[0, 900]], [0])
    assert value == 900
    np.testing.assert_array_equal(given, [[0, 900]])
    np.testing.assert_array_equal(w.get_value(), [[1, 0], [900, -899]])


def test_modes_that_leave_rewrites_out_or_take_them_in_are_this_one_still():
    mode = Mode("py", Stabilization())
    x = T.dscalar("x")
    for changed in (mode.excluding("fusion"), mode.including("gpu"), mode.requiring("inplace")):
        assert aesara.function([x], T.log(T.exp(x) + 1), mode=changed)(900) == 900


def test_an_output_that_becomes_an_input_is_not_its_memory():
    x = T.dvector("x")
    function = aesara.function([x], T.log(T.exp(x)), mode=Mode("py", Stabilization()))
    given = np.array([900.0])
    found = function(given)
    assert found == [900] and not np.shares_memory(found, given)


def nodes(fgraph):
    return [(node.op, *node.inputs) for node in fgraph.toposort()]


def untouched(x):
    """Expressions that are stable as they are written, and look like those that are not."""
    shifted = x - x.max(axis=1, keepdims=True)
    gate = T.sigmoid(x)
    mean, deviation = x.mean(axis=0), T.sqrt(x.var(axis=0) + 1e-4)
    yield shifted - T.log(T.exp(shifted).sum(axis=1, keepdims=True))
    yield T.exp(shifted) / T.exp(shifted).sum(axis=1, keepdims=True)
    yield gate * T.tanh(x) + (1 - gate) * x
    yield (x - mean) / deviation
    yield T.log(gate + 1e-8) + T.log(T.clip(gate, 1e-7, 1 - 1e-7))
    yield softmax(x, axis=-1) ** 2 + T.nnet.softmax(x)
    yield x * 0 + T.switch(T.gt(x, 0), x, 0) * 2
    yield T.sqrt((x**2).sum(axis=1))


def test_what_needs_nothing_stays_as_it_is_node_for_node():
    x = T.dmatrix("x")
    outputs = list(untouched(x))
    fgraph = FunctionGraph([x], [*outputs, *(T.grad(output.sum(), x) for output in outputs)], clone=False)
    before = nodes(fgraph)
    counts = stabilized(fgraph, merging=False)
    assert counts == (len(before), 0, 0)
    assert nodes(fgraph) == before


def test_equal_nodes_become_one_unless_they_are_to_stay():
    x = T.dvector("x")
    for merging in (True, False):
        fgraph = FunctionGraph([x], [T.tanh(x) + 1, T.tanh(x) + 1], clone=False)
        counts = stabilized(fgraph, merging)
        assert counts.merged == (3 if merging else 0)
        assert (fgraph.outputs[0] is fgraph.outputs[1]) == merging


def test_an_op_that_cannot_be_hashed_is_merged_with_none():
    class Unhashable(aesara.graph.op.Op):
        __hash__ = None

        def make_node(self, x):
            return aesara.graph.basic.Apply(self, [x], [x.type()])

        def perform(self, node, inputs, outputs):
            outputs[0][0] = inputs[0]

    x = T.dvector("x")
    op = Unhashable()
    fgraph = FunctionGraph([x], [op(x), op(x)], clone=False)
    assert stabilized(fgraph) == (2, 0, 0)


def test_a_rule_that_fails_leaves_the_node_and_says_so(monkeypatch, caplog):
    def fail(rules, node):
        raise TypeError("no rule for this")

    monkeypatch.setattr(rewriting.Rules, "replacement", fail)
    x = T.dvector("x")
    fgraph = FunctionGraph([x], [T.log(1 - T.sigmoid(x))], clone=False)
    before = nodes(fgraph)
    with caplog.at_level(logging.WARNING):
        assert stabilized(fgraph).replaced == 0
    assert nodes(fgraph) == before
    assert "is computed as it is written: TypeError: no rule for this" in caplog.text
    caplog.clear()


def recurrent(steps):
    """A gated recurrence, with a loss at each step."""
    x, w = T.dmatrix("x"), T.dmatrix("w")
    h, cost = x, 0
    for _ in range(steps):
        gate = T.sigmoid(T.dot(h, w))
        h = gate * T.tanh(T.dot(h, w)) + (1 - gate) * h
        cost += -T.log(softmax(h, axis=-1))[:, 0].mean() + T.nnet.binary_crossentropy(gate, x).mean()
    return [x, w], [cost, *T.grad(cost, [x, w])]


def scalar_chain(steps):
    """Products of products, all of which are looked for in others."""
    x = T.dvector("x")
    h = x
    for _ in range(steps):
        h = h * T.sigmoid(h) / (1 + T.exp(h))
    return [x], [T.log(h).sum(), T.grad(T.log(h).sum(), x)]


def shared_divisor(steps):
    """One logistic in many losses, whose gradient adds up all of them."""
    x, s = T.dvector("x"), None
    s = T.sigmoid(x)
    cost = sum((T.log(s * (n + 1)) * n).sum() for n in range(steps))
    return [x], [cost, T.grad(cost, x)]


@pytest.mark.parametrize("build", [recurrent, scalar_chain, shared_divisor])
def test_the_work_is_in_proportion_to_the_graph(build):
    """Calls of functions are counted, which no machine changes."""
    calls, sizes = [], []
    for steps in (10, 40):
        fgraph = FunctionGraph(*build(steps))
        sizes.append(len(fgraph.apply_nodes))
        calls.append(0)

        def count(frame, event, argument):
            calls[-1] += event == "call"

        sys.setprofile(count)
        try:
            counts = stabilized(fgraph)
        finally:
            sys.setprofile(None)
        assert counts.visited <= sizes[-1]
    assert calls[-1] / sizes[-1] < 1.2 * calls[0] / sizes[0]
