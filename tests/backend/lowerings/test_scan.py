"""Loops over time, and their gradients, against Aesara's Python code."""

import re

import aesara
import aesara.tensor as at
import jax
import numpy as np
import pytest
from aesara.sandbox.rng_mrg import MRG_RandomStream
from aesara.scan.utils import until

from crmn_legacy.backend.lowerings import lower
from crmn_legacy.backend.lowerings.scan import MOST_WRITTEN_OUT

from .reference import assert_agrees, hlo, python_only, xla_result

RNG = np.random.default_rng(0)
INPUT, WEIGHT, START = RNG.normal(size=(6, 2, 3)), RNG.normal(size=(3, 3)), RNG.normal(size=(2, 3))


def scanned(*arguments, **options):
    with python_only():
        return aesara.scan(*arguments, **options)[0]


def recurrence(x, h, w):
    return at.tanh(x + h.dot(w))


def variables():
    return at.dtensor3("x"), at.dmatrix("w"), at.dmatrix("h0")


@pytest.mark.parametrize(
    "options", [{}, {"go_backwards": True}, {"truncate_gradient": 2}, {"n_steps": 4}, {"strict": True}], ids=str
)
def test_a_recurrence_and_its_gradients_agree_with_python(options):
    x, w, h0 = variables()
    h = scanned(recurrence, sequences=[x], outputs_info=[h0], non_sequences=[w], **options)
    assert_agrees([x, w, h0], [h, h[-1]], [INPUT, WEIGHT, START], wrt=[x, w, h0])


def test_taps_of_sequences_and_outputs_agree_with_python():
    x, w, _ = variables()
    starts = at.dtensor3()

    def step(before, now, h2, h1, w):
        return at.tanh(now * before + h1.dot(w) + h2), (now * h1).sum()

    outputs = scanned(
        step,
        sequences=[{"input": x, "taps": [-1, 0]}],
        outputs_info=[{"initial": starts, "taps": [-2, -1]}, None],
        non_sequences=[w],
    )
    values = [INPUT, WEIGHT, RNG.normal(size=(2, 2, 3))]
    assert_agrees([x, w, starts], outputs, values, wrt=[x, w, starts])


def test_far_taps_agree_with_python():
    start = at.dvector()
    y = scanned(lambda a, b: a * 0.5 + b, outputs_info=[{"initial": start, "taps": [-5, -2]}], n_steps=7)
    assert_agrees([start], [y], [RNG.normal(size=5)], wrt=[start])


def test_several_outputs_of_all_kinds_agree_with_python():
    x, w, h0 = variables()

    def step(x, h, c, w):
        c = c + (x * h).sum(1)
        h = recurrence(x, h, w) + c[:, None]
        return h, c, h.max(), at.cast(h.argmax(1), "int32")

    h, c, top, position = scanned(
        step, sequences=[x], outputs_info=[h0, at.zeros((h0.shape[0],)), None, None], non_sequences=[w]
    )
    assert_agrees([x, w, h0], [h, c, top], [INPUT, WEIGHT, START], wrt=[x, w, h0])
    assert_agrees([x, w, h0], [position], [INPUT, WEIGHT, START])


def test_a_loop_without_sequences_agrees_with_python():
    w, h0 = at.dmatrix(), at.dmatrix()
    h = scanned(lambda h, w: at.tanh(h.dot(w)), outputs_info=[h0], non_sequences=[w], n_steps=3)
    assert_agrees([w, h0], [h], [WEIGHT, START], wrt=[w, h0])


def test_shapes_inside_a_loop_are_known():
    x, w, h0 = variables()

    def step(x, h, w, n):
        half = at.zeros((x.shape[0], n // 2))
        return at.tanh(x + h.dot(w)) + at.concatenate([half, at.ones((x.shape[0], n - n // 2))], 1)

    h = scanned(step, sequences=[x], outputs_info=[h0], non_sequences=[w, w.shape[0]])
    assert_agrees([x, w, h0], [h], [INPUT, WEIGHT, START], wrt=[x, w, h0])


def test_numbers_of_the_steps_agree_with_python():
    x = at.dvector()
    y = scanned(lambda i, x: x[i] * i, sequences=[at.arange(x.shape[0])], non_sequences=[x])
    assert_agrees([x], [y], [RNG.normal(size=4)], wrt=[x])


@pytest.mark.parametrize("derived", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_nested_loops_agree_with_python(derived):
    x = at.dmatrix()

    def outer(row):
        return scanned(lambda element, total: total * 0.5 + element, sequences=[row], outputs_info=[at.zeros(())])[-1]

    assert_agrees([x], [scanned(outer, sequences=[x])], [RNG.normal(size=(3, 4))], wrt=[x] if derived else [])


def test_second_derivatives_agree_with_python():
    x, w, h0 = variables()
    h = scanned(recurrence, sequences=[x], outputs_info=[h0], non_sequences=[w])
    with python_only():
        first = aesara.grad((h[-1] ** 2).sum(), w)
        second = aesara.grad((first**2).sum(), w)
    assert_agrees([x, w, h0], [second], [INPUT[:3], WEIGHT, START], tolerance=1e-9)


def test_reduced_loops_agree_with_python():
    x = at.dmatrix()
    with python_only():
        total = aesara.reduce(lambda row, total: total + row**2, x, at.zeros((x.shape[1],)))[0]
        mapped = aesara.map(lambda row: row.sum(), x)[0]
    assert_agrees([x], [total, mapped], [RNG.normal(size=(3, 4))], wrt=[x])


def test_shared_state_of_a_loop_is_updated():
    counter = aesara.shared(np.float64(1.0))
    x = at.dvector()
    with python_only():
        y, updates = aesara.scan(lambda e: (e * counter, {counter: counter * 2}), sequences=[x])
    got = xla_result([x, counter], [y, updates[counter]], [np.ones(3), np.float64(1.0)])
    np.testing.assert_array_equal(got[0], [1, 2, 4])
    assert got[1] == 8


def test_a_buffer_shorter_than_the_loop_is_used_in_circles():
    """Aesara's memory rewrite shortens buffers; the lowering reads them the same way."""
    h0 = at.dscalar()
    h = scanned(lambda h: 2 * h + 1, outputs_info=[h0], n_steps=5)
    (node,) = [node for node in aesara.graph.basic.io_toposort([h0], [h]) if hasattr(node.op, "inner_outputs")]
    for length in (1, 2, 4):
        short = node.op(node.inputs[0], at.set_subtensor(at.zeros(length)[0], h0))
        assert_agrees([h0], [short[-1:]], [np.float64(3.0)])


def test_whole_numbers_travel_as_the_last_of_them_whatever_the_length_of_their_buffer():
    start = at.lvector()
    h = scanned(lambda before, last: 3 * last - before, outputs_info=[{"initial": start, "taps": [-3, -1]}], n_steps=5)
    (node,) = [node for node in aesara.graph.basic.io_toposort([start], [h]) if hasattr(node.op, "inner_outputs")]
    for length in (3, 4, 6, 8, 11):
        buffer = at.set_subtensor(at.zeros(length, dtype="int64")[:3], start)
        shown = node.op(node.inputs[0], buffer)
        assert_agrees([start], [shown[-3:] if length < 8 else shown], [np.array([1, 5, 2])])


def test_random_numbers_of_a_symbolic_shape_are_drawn_without_a_copy_of_all_states_in_each_step():
    """A copy in each step would take a time that grows with the square of the steps."""
    stream = MRG_RandomStream(seed=3)
    x = at.dvector()
    with python_only():
        h, updates = aesara.scan(
            lambda h: h + stream.uniform(size=h.shape, dtype="float64"), outputs_info=at.zeros_like(x), n_steps=6
        )
    states = list(updates)
    given = [np.ones(5), *(state.get_value() for state in states)]
    with python_only():
        expected = aesara.function([x], h, updates=updates)(np.ones(5))
    program = jax.jit(lower([x, *states], [h, *updates.values()]))
    np.testing.assert_allclose(program(*given)[0], expected, rtol=1e-6)
    compiled = program.lower(*given).compile().as_text()
    assert "15360,6]" in compiled and not re.search(r"= s32\[[67],15360,6\]\S* copy\(", compiled)


def test_a_loop_that_ends_on_a_condition_is_refused():
    x = at.dvector()
    y = scanned(lambda e: (e, until(e > 2)), sequences=[x])
    with pytest.raises(NotImplementedError, match="until"):
        lower([x], [y])


def test_a_number_of_steps_that_is_data_is_refused():
    h0, n = at.dscalar(), at.lscalar()
    h = scanned(lambda h: h + 1, outputs_info=[h0], n_steps=n)
    with pytest.raises(NotImplementedError, match="depends on the data"):
        jax.jit(lower([h0, n], [h]))(np.float64(0), np.int64(3))


def test_a_loop_whose_shapes_follow_from_its_steps_is_written_out():
    x = at.dvector()
    sums = scanned(lambda k, x: x[:k].sum(), sequences=[at.arange(1, x.shape[0] + 1)], non_sequences=[x])
    ends = scanned(
        lambda k, y, h, x: h * 0.5 + x[k:].sum() * y,
        sequences=[at.arange(3), x],
        outputs_info=[at.zeros(())],
        non_sequences=[x],
    )
    assert_agrees([x], [sums, ends], [RNG.normal(size=5)], wrt=[x])


def test_a_long_loop_is_not_written_out():
    x = at.dvector()
    sums = scanned(lambda k, x: x[:k].sum(), sequences=[at.arange(x.shape[0])], non_sequences=[x])
    with pytest.raises(NotImplementedError, match="a bound of a slice depends on the data"):
        jax.jit(lower([x], [sums]))(np.zeros(MOST_WRITTEN_OUT + 1))


def test_a_loop_stays_one_loop():
    x, w, h0 = (at.ftensor3(), at.fmatrix(), at.fmatrix())
    h = scanned(recurrence, sequences=[x], outputs_info=[h0], non_sequences=[w])
    text = hlo([x, w, h0], [h], [value.astype("float32") for value in (INPUT, WEIGHT, START)])
    assert text.count("stablehlo.while") == 1
    assert "scatter" not in text
