import aesara.tensor as T
import numpy as np
import pytest
from lasagne.layers import Conv2DLayer, get_all_layers, get_all_params, get_output
from scipy.signal import convolve2d

from crmn_legacy import cost, models
from crmn_legacy.layers import IdentityShortcutLayer
from crmn_legacy.models.resnet_110 import residual_blocks
from crmn_legacy.training.steps import build
from tests.evaluate import evaluate, random_parameters
from tests.oracles import shortcut


def a_network(n=1, num_filters=2, size=32, num_outputs=10):
    return build(
        lambda: models.cifar_resnet(
            models.picture_input((3, size, size)),
            n=n,
            num_filters=num_filters,
            num_outputs=num_outputs,
            nonlinearity=models.softmax,
        ),
        seed=1,
    )


def test_the_published_network_has_110_layers_and_its_parameters():
    network = a_network(n=18, num_filters=16)
    assert cost.weight_layers(network) == 110
    # Convolutions, batch norms' scales and shifts, the dense layer.
    assert cost.parameters(network) == 1_719_216 + 8_096 + 650 == 1_727_962


def test_maps_halve_and_filters_double_at_the_entry_of_stages_2_and_3():
    shapes = [block.output_shape[1:] for block in residual_blocks(models.picture_input((3, 32, 32)), 2, 4)]
    assert shapes == [(4, 32, 32)] * 2 + [(8, 16, 16)] * 2 + [(16, 8, 8)] * 2


def test_shortcuts_have_no_parameters_and_stand_where_the_shape_changes():
    layers = get_all_layers(a_network(n=2))
    shortcuts = [layer for layer in layers if isinstance(layer, IdentityShortcutLayer)]
    assert [layer.name for layer in shortcuts] == ["stage2.block1.shortcut", "stage3.block1.shortcut"]
    assert all(not layer.params and layer.mode == "subsample" for layer in shortcuts)


def test_no_convolution_has_a_bias():
    convolutions = [layer for layer in get_all_layers(a_network()) if isinstance(layer, Conv2DLayer)]
    assert len(convolutions) == 7 and all(layer.b is None for layer in convolutions)


def test_parameters_carry_layer_path_names():
    names = {p.name for p in get_all_params(a_network(), trainable=True)}
    convolutions = ["stem.conv", *(f"stage{s}.block1.conv{c}" for s in (1, 2, 3) for c in (1, 2))]
    norms = [name.replace("conv", "bn") for name in convolutions]
    scales = {f"{bn}.{parameter}" for bn in norms for parameter in ("gamma", "beta")}
    assert names == {f"{conv}.W" for conv in convolutions} | scales | {"output.W", "output.b"}


def convolved(x, W, stride):
    """The true convolution, zeros beyond the border."""
    maps = [[sum(convolve2d(c, w, mode="same") for c, w in zip(p, f, strict=True)) for f in W] for p in x]
    return np.array(maps)[:, :, ::stride, ::stride]


def written_out(values, x, mode="subsample", factors=(1, 1, 1), epsilon=None):
    """The smallest network in NumPy, with stored statistics; `factors` multiply the blocks' residuals.

    Variances are stored where batch norm's `epsilon` is given, else inverse deviations.
    """

    def conv_bn(layer, conv, bn, stride=1):
        mean, gamma, beta = (values[f"{bn}.{p}"][:, None, None] for p in ("mean", "gamma", "beta"))
        inv_std = values[f"{bn}.inv_std"] if epsilon is None else 1 / np.sqrt(values[f"{bn}.var"] + epsilon)
        inv_std = inv_std[:, None, None]
        return (convolved(layer, values[f"{conv}.W"], stride) - mean) * inv_std * gamma + beta

    layer = np.maximum(conv_bn(x, "stem.conv", "stem.bn"), 0)
    for stage, factor in zip((1, 2, 3), factors, strict=True):
        name, stride = f"stage{stage}.block1", 1 if stage == 1 else 2
        residual = np.maximum(conv_bn(layer, f"{name}.conv1", f"{name}.bn1", stride), 0)
        residual = conv_bn(residual, f"{name}.conv2", f"{name}.bn2")
        layer = np.maximum(shortcut.forward(layer, residual.shape[1], stride, mode) + factor * residual, 0)
    logits = np.exp(layer.mean(axis=(2, 3)) @ values["output.W"] + values["output.b"])
    return logits / logits.sum(axis=1, keepdims=True)


@pytest.mark.usefixtures("double")
def test_the_smallest_network_computes_the_equations():
    network = a_network(size=8)
    values = random_parameters(network, seed=2)
    x = np.random.default_rng(3).normal(size=(2, 3, 8, 8))
    symbol = T.tensor4()
    (got,) = evaluate([get_output(network, symbol, deterministic=True)], {symbol: x})
    np.testing.assert_allclose(got, written_out(values, x), rtol=0, atol=1e-11)


def test_a_subsampled_shortcut_costs_nothing_and_an_averaged_one_reads_its_input():
    def flops(mode):
        return cost.flops(residual_blocks(models.picture_input((3, 32, 32)), 1, 4, mode=mode)[-1])

    assert flops("average") - flops("subsample") == 4 * 32 * 32 + 8 * 16 * 16
