import pytest
from lasagne.layers import Conv2DLayer, ElemwiseSumLayer, get_all_layers, get_all_params

from crmn_legacy import models
from crmn_legacy.models.resnet import residual_blocks


def a_network(n=2, num_filters=4):
    return models.resnet(
        models.face_input((1, 80, 80)),
        n=n,
        num_filters=num_filters,
        num_outputs=136,
        nonlinearity=models.sigmoid,
    )


@pytest.mark.parametrize("n", [1, 2, 5])
def test_there_are_6n_plus_2_weight_layers_besides_the_shortcuts(n):
    weights = [layer for layer in get_all_layers(a_network(n)) if hasattr(layer, "W")]
    main = [layer for layer in weights if "shortcut" not in layer.name]
    assert len(main) == 6 * n + 2
    assert [layer.name for layer in weights if "shortcut" in layer.name] == [
        "stage2.block1.shortcut.conv",
        "stage3.block1.shortcut.conv",
    ]


def test_maps_halve_and_filters_double_at_the_entry_of_stages_2_and_3():
    shapes = [b.output_shape[1:] for b in residual_blocks(models.face_input((1, 80, 80)), 2, 4)]
    assert shapes == [(4, 80, 80)] * 2 + [(8, 40, 40)] * 2 + [(16, 20, 20)] * 2


def test_a_block_adds_shortcut_and_residual_before_the_rectifier():
    sums = [layer for layer in get_all_layers(a_network()) if isinstance(layer, ElemwiseSumLayer)]
    assert len(sums) == 6
    assert all(layer.input_layers[1].name.endswith("bn2") for layer in sums)


def test_every_convolution_keeps_its_bias():
    convolutions = [layer for layer in get_all_layers(a_network()) if isinstance(layer, Conv2DLayer)]
    assert convolutions and all(layer.b is not None for layer in convolutions)


def test_parameters_carry_layer_path_names():
    names = {p.name for p in get_all_params(a_network())}
    assert {
        "stem.conv.W",
        "stem.conv.b",
        "stem.bn.inv_std",
        "stage1.block1.conv1.W",
        "stage1.block2.bn2.gamma",
        "stage2.block1.shortcut.conv.W",
        "stage2.block1.shortcut.bn.mean",
        "output.W",
        "output.b",
    } <= names
