import pytest
from lasagne.layers import DenseLayer, DropoutLayer, InputLayer

from crmn_legacy import cost, models, paper
from crmn_legacy.layers import RecomputedLayer

HEAD = {"num_outputs": 136, "nonlinearity": models.sigmoid}

# The paper's arithmetic, exact, from its numbers alone (not from this package).
EXACT = {
    "table1_crmn": 17_758_372,
    "table1_resnet_n18_fm4": 27_626_760,
    "table1_resnet_n9_fm8": 54_549_640,
    "table1_resnet_n9_fm4": 13_667_976,
    "table1_resnet_n5_fm4": 7_464_072,
}


@pytest.mark.parametrize("name", EXACT)
def test_table_1_is_matched_in_every_printed_digit_of_both_columns(name):
    printed = paper.ROWS[name].printed
    arguments = {"n": printed["n"], "num_filters": 16 * printed["fm"], **HEAD}
    faces = models.face_input((1, 80, 80))
    if name == "table1_crmn":
        network = models.crmn(faces, pool_size=4, num_units=100, **arguments)
    else:
        network = models.resnet(faces, **arguments)
    assert cost.parameters(network) == EXACT[name]
    assert paper.in_millions(cost.parameters(network)) == printed["parameters"]
    assert paper.in_billions(cost.flops(network)) == printed["flops"]


def test_lasagnes_own_lstm_costs_as_much_as_the_papers():
    papers, lasagnes = (
        models.crmn(models.face_input((1, 16, 16)), 1, 2, 4, 3, memory=memory, **HEAD)
        for memory in ("peepholes", "lasagne")
    )
    assert cost.flops(lasagnes) == cost.flops(papers)
    assert cost.parameters(lasagnes) == cost.parameters(papers)


@pytest.mark.parametrize("share", [False, True])
def test_layers_cost_together_what_the_network_does_and_a_shared_weight_is_told_once(share):
    network = models.crmn(models.face_input((1, 16, 16)), 1, 2, 4, 3, **HEAD)
    if share:
        network = DenseLayer(network, 136, W=DenseLayer(network, 136, name="one").W, name="two")
    layers = cost.by_layer(network)
    assert sum(layer.parameters for layer in layers) == cost.parameters(network)
    assert sum(layer.flops for layer in layers) == cost.flops(network)
    lstm = next(layer for layer in layers if layer.name == "lstm")
    assert (lstm.kind, lstm.output_shape) == ("PeepholeLSTMLayer", (None, 3))
    # Four gates of input, hidden state and bias; three peepholes.
    assert lstm.parameters == 4 * 3 * (2 * 16 + 3 + 1) + 3 * 3


def test_layers_within_a_layer_are_counted_with_it():
    within = RecomputedLayer([InputLayer((None, 4))], lambda layers: DenseLayer(layers[0], 3), name="within")
    one = cost.by_layer(within)[-1]
    assert (one.parameters, one.flops) == (5 * 3, cost.flops(within)) and one.flops >= 2 * 4 * 3


def test_a_layer_without_a_rule_is_named():
    with pytest.raises(TypeError, match="DropoutLayer"):
        cost.flops(DropoutLayer(InputLayer((None, 3))))
