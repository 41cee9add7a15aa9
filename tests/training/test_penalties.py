"""Weight decay and norm constraints: which parameters they take, and how much."""

import aesara
import aesara.tensor as T
import numpy as np
import pytest
from aesara.graph.basic import applys_between
from lasagne.layers import DenseLayer, InputLayer

from crmn_legacy.backend.compile import compile_step
from crmn_legacy.layers import BatchNormLayer
from crmn_legacy.training import penalties
from crmn_legacy.training.penalties import MaxNorm, WeightDecay, as_decay
from tests.oracles import descent


@pytest.fixture
def network():
    hidden = DenseLayer(InputLayer((None, 3)), 4, name="hidden")
    return DenseLayer(BatchNormLayer(hidden, name="bn"), 2, name="output")


def squares(network, names):
    import lasagne

    values = {p.name: p.get_value() for p in lasagne.layers.get_all_params(network)}
    return {name: float((values[name].astype(np.float64) ** 2).sum()) for name in names}


def penalty(decay, network):
    return float(decay.added_to(T.constant(0.0), network).eval())


def test_weights_only_leaves_biases_and_batch_norm_out(network):
    expected = 0.5 * 0.3 * sum(squares(network, ("hidden.W", "output.W")).values())
    assert penalty(WeightDecay(0.3), network) == pytest.approx(expected, rel=1e-5)
    assert penalty(as_decay(0.3), network) == pytest.approx(expected, rel=1e-5)


def test_all_takes_every_trained_parameter(network):
    names = ("hidden.W", "hidden.b", "bn.gamma", "bn.beta", "output.W", "output.b")
    expected = 0.5 * 0.3 * sum(squares(network, names).values())
    assert squares(network, ["bn.gamma"])["bn.gamma"] == 4
    assert penalty(WeightDecay(0.3, of="all"), network) == pytest.approx(expected, rel=1e-5)


def test_multipliers_go_by_name(network):
    found = squares(network, ("hidden.W", "output.W"))
    expected = 0.5 * 0.3 * (found["hidden.W"] + 10 * found["output.W"])
    assert penalty(WeightDecay(0.3, multipliers=(("output.W", 10.0),)), network) == pytest.approx(expected, rel=1e-5)
    assert penalty(WeightDecay(0.3, multipliers=(("*", 0.0),)), network) == 0


def test_a_long_sum_adds_in_order_in_a_graph_neither_wide_nor_deep():
    values = np.random.default_rng(0).normal(size=1000).astype("float32")
    terms = T.vector(dtype="float32")
    total = penalties._sum([terms[i] for i in range(len(values))])
    nodes = [node for node in applys_between([terms], [total]) if len(node.inputs) > 2]
    assert 1000 / 40 < len(nodes) < 1000 / 20 and max(len(node.inputs) for node in nodes) < 40
    # Additions in another order round to another number.
    in_order = np.add.accumulate(values)[-1]
    assert in_order != values[::-1].cumsum()[-1]
    step = compile_step({"terms": terms}, {"total": total})
    assert step(step.initial_state(), {"terms": values})[1]["total"] == in_order
    assert penalties._sum([terms]) is terms


def test_no_decay_leaves_the_loss_as_it_is(network):
    loss = T.scalar()
    assert as_decay(0.0).added_to(loss, network) is loss


def test_decays_describe_themselves_as_briefly_as_they_can():
    assert as_decay(1e-4).describe() == 1e-4
    assert WeightDecay(1e-4, of="all").describe() == {"coefficient": 1e-4, "of": "all", "multipliers": ()}
    with pytest.raises(ValueError, match="'weights' or 'all'"):
        WeightDecay(1e-4, of="some")


@pytest.mark.parametrize("shape", [(5, 3), (4, 2, 3, 3)])
def test_new_values_are_scaled_down_to_the_limit(double, shape):
    weights = np.random.default_rng(1).normal(size=shape) * np.linspace(0.1, 2, shape[-1])
    parameter, other = aesara.shared(weights, name="h0.conv.W"), aesara.shared(weights, name="h1.conv.W")
    updates = {parameter: parameter * 1.5, other: other * 1.5}
    MaxNorm("h0.*", 1.3).constrain(updates)
    step = compile_step({}, {}, updates)
    state = step.get(step(step.initial_state(), {})[0])
    np.testing.assert_allclose(state["h0.conv.W"], descent.max_norm(weights * 1.5, 1.3), rtol=1e-5)
    np.testing.assert_allclose(state["h1.conv.W"], weights * 1.5)
    assert (state["h0.conv.W"] != state["h1.conv.W"]).any()


def test_a_constraint_on_nothing_is_refused():
    with pytest.raises(ValueError, match=r"pattern 'h9\.\*', which no parameter fits"):
        MaxNorm("h9.*", 1.0).constrain({})
