import pytest
from lasagne.layers import DropoutLayer, InputLayer

from crmn_legacy import cost, models, paper

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


def test_a_layer_without_a_rule_is_named():
    with pytest.raises(TypeError, match="DropoutLayer"):
        cost.flops(DropoutLayer(InputLayer((None, 3))))
