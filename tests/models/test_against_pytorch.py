"""Wide ResNet and DenseNet beside those by hand in PyTorch: forward, and updates by Torch's own optimiser."""

import lasagne
import numpy as np
import pytest

from crmn_legacy import data, models
from crmn_legacy.training import Classification, TorchNesterov, WeightDecay
from crmn_legacy.training.steps import build, evaluation_step, train_step

torch = pytest.importorskip("torch")

from benchmarks import hand_written_torch as by_torch  # noqa: E402
from benchmarks import hand_written_torch_cifar as by_hand  # noqa: E402

pytestmark = pytest.mark.slow

N, FILTERS, GROWTH_RATE, CLASSES, BATCH = 2, 16, 4, 10, 4
TASK = Classification(CLASSES, data.ChannelMeanStd(), data.NoAugmentation())
RATES, DECAY = (0.1, 0.02, 0.02), 5e-4


def a_wide_resnet():
    return models.wide_resnet(models.picture_input((3, 32, 32)), N, FILTERS, CLASSES, models.softmax)


def a_densenet():
    return models.densenet(models.picture_input((3, 32, 32)), N, GROWTH_RATE, CLASSES, models.softmax)


PAIRS = {
    "wide-resnet": (a_wide_resnet, lambda: by_hand.WideResNet(N, FILTERS, CLASSES)),
    "densenet": (a_densenet, lambda: by_hand.DenseNet(N, GROWTH_RATE, CLASSES)),
}


@pytest.fixture(params=PAIRS)
def pair(request, double):
    """Our network and theirs, with our weights moved a little from where they begin, in double precision."""
    ours, theirs = PAIRS[request.param]
    network = build(ours, seed=3)
    random = np.random.default_rng(4)
    for parameter in lasagne.layers.get_all_params(network, trainable=True):
        value = parameter.get_value()
        parameter.set_value(value + 0.1 * random.normal(size=value.shape))
    arrays = {p.name: p.get_value() for p in lasagne.layers.get_all_params(network)}
    net = by_torch.load(theirs(), arrays, flip_filters=True)
    batches = [
        {"images": random.normal(size=(BATCH, 3, 32, 32)), "labels": random.integers(0, CLASSES, BATCH).astype("int32")}
        for _ in RATES
    ]
    return network, net, batches


def test_both_have_as_many_parameters(pair):
    network, net, _ = pair
    assert lasagne.layers.count_params(network, trainable=True) == sum(p.numel() for p in net.parameters())


def test_predictions_agree(pair):
    network, net, batches = pair
    step = evaluation_step(network, TASK)
    assert_predictions_agree(step, step.get(step.initial_state()), net, batches[0])


def assert_predictions_agree(step, state, net, batch):
    found = step.get_outputs(step(step.put(state), batch)[1])
    with torch.no_grad():
        logits = net.eval()(torch.from_numpy(batch["images"]))
    np.testing.assert_allclose(found["predicted"], torch.softmax(logits, 1).numpy(), rtol=0, atol=1e-9)


def test_updates_agree_with_those_of_torchs_optimiser_while_the_rate_falls(pair):
    network, net, batches = pair
    train = train_step(network, TASK, TorchNesterov(0.9), ("network",), WeightDecay(DECAY, of="all"))
    state = train.initial_state()
    optimiser = by_hand.make_optimiser(net, RATES[0], DECAY)
    their_step = by_torch.make_step(net, by_hand.objective, optimiser)
    for rate, batch in zip(RATES, batches, strict=True):
        state, outputs = train(state, batch, {"network": np.float64(rate)})
        optimiser.param_groups[0]["lr"] = rate
        loss = their_step([torch.from_numpy(batch["images"]), torch.from_numpy(batch["labels"]).long()])
        assert float(outputs["loss"]) == pytest.approx(loss.item(), rel=1e-9)
    ours, trained = train.get(state), net.state_dict()
    for parameter in lasagne.layers.get_all_params(network):
        theirs = trained[by_torch.torch_name(parameter.name)].numpy()
        found = by_torch.as_torch(parameter.name, ours[parameter.name], flip_filters=True)
        np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-8 * max(1, abs(theirs).max()))
    assert_predictions_agree(evaluation_step(network, TASK), ours, net, batches[0])
