"""The wide ResNet beside one written in PyTorch from the same paper: forward, and updates by Torch's own optimiser."""

import lasagne
import numpy as np
import pytest

from crmn_legacy import data, models
from crmn_legacy.training import Classification, TorchNesterov, WeightDecay
from crmn_legacy.training.steps import build, evaluation_step, train_step

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.slow

N, FILTERS, CLASSES, BATCH = 2, 8, 10, 4
TASK = Classification(CLASSES, data.ChannelMeanStd(), data.NoAugmentation())
RATES, DECAY = (0.1, 0.02, 0.02), 5e-4


class Block(torch.nn.Module):
    """Figure 1(c): BN-ReLU-conv, twice; the shortcut is a projection of the first BN-ReLU where the shape changes."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.bn1, self.bn2 = torch.nn.BatchNorm2d(inside), torch.nn.BatchNorm2d(outside)
        self.conv1 = torch.nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.conv2 = torch.nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.shortcut = torch.nn.Conv2d(inside, outside, 1, stride, bias=False) if inside != outside else None

    def forward(self, x):
        common = self.bn1(x).relu()
        shortcut = x if self.shortcut is None else self.shortcut(common)
        return shortcut + self.conv2(self.bn2(self.conv1(common)).relu())


class WideResNet(torch.nn.Module):
    """6n + 4 layers; parameters are called as in the paper's Table 1."""

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        widths = [16, FILTERS, 2 * FILTERS, 4 * FILTERS]
        self.blocks = torch.nn.ModuleList(
            Block(widths[s] if b == 0 else widths[s + 1], widths[s + 1], 2 if s > 0 and b == 0 else 1)
            for s in range(3)
            for b in range(N)
        )
        self.bn, self.output = torch.nn.BatchNorm2d(widths[3]), torch.nn.Linear(widths[3], CLASSES)

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.output(self.bn(x).relu().mean((2, 3)))


def ours_to_theirs(net):
    """Our name -> (their tensor, how our array becomes theirs). Ours is true convolution: filters are turned."""

    def turned(array):
        return array[:, :, ::-1, ::-1]

    def same(array):
        return array

    found = {"stem.conv.W": (net.stem.weight, turned), "output.b": (net.output.bias, same)}
    found["output.W"] = net.output.weight, np.transpose
    norms = {"final.bn": net.bn}
    for number, block in enumerate(net.blocks):
        path = f"stage{number // N + 1}.block{number % N + 1}"
        norms |= {f"{path}.bn1": block.bn1, f"{path}.bn2": block.bn2}
        found |= {f"{path}.conv{k}.W": (getattr(block, f"conv{k}").weight, turned) for k in (1, 2)}
        if block.shortcut is not None:
            found[f"{path}.shortcut.conv.W"] = block.shortcut.weight, turned
    for path, norm in norms.items():
        found |= {f"{path}.gamma": (norm.weight, same), f"{path}.beta": (norm.bias, same)}
        found |= {f"{path}.mean": (norm.running_mean, same), f"{path}.var": (norm.running_var, same)}
    return found


@pytest.fixture
def pair(double):
    """Our network and theirs, with our weights moved a little from where they begin, in double precision."""
    network = build(
        lambda: models.wide_resnet(
            models.picture_input((3, 32, 32)),
            n=N,
            num_filters=FILTERS,
            num_outputs=CLASSES,
            nonlinearity=models.softmax,
        ),
        seed=3,
    )
    random = np.random.default_rng(4)
    for parameter in lasagne.layers.get_all_params(network, trainable=True):
        value = parameter.get_value()
        parameter.set_value(value + 0.1 * random.normal(size=value.shape))
    net = WideResNet().double()
    arrays = {p.name: p.get_value() for p in lasagne.layers.get_all_params(network)}
    with torch.no_grad():
        for name, (tensor, convert) in ours_to_theirs(net).items():
            tensor.copy_(torch.from_numpy(convert(arrays[name]).copy()))
    batches = [
        {"images": random.normal(size=(BATCH, 3, 32, 32)), "labels": random.integers(0, CLASSES, BATCH).astype("int32")}
        for _ in RATES
    ]
    return network, net, batches


def test_both_have_the_same_parameters(pair):
    network, net, _ = pair
    ours = {p.name for p in lasagne.layers.get_all_params(network)}
    assert ours == set(ours_to_theirs(net))
    assert lasagne.layers.count_params(network, trainable=True) == sum(p.numel() for p in net.parameters())


def test_predictions_agree(pair):
    network, net, batches = pair
    step = evaluation_step(network, TASK)
    require_like_predictions(step, step.get(step.initial_state()), net, batches[0])


def require_like_predictions(step, state, net, batch):
    found = step.get_outputs(step(step.put(state), batch)[1])
    with torch.no_grad():
        logits = net.eval()(torch.from_numpy(batch["images"]))
    np.testing.assert_allclose(found["predicted"], torch.softmax(logits, 1).numpy(), rtol=0, atol=1e-9)


def test_updates_agree_with_those_of_torchs_optimiser_while_the_rate_falls(pair):
    network, net, batches = pair
    train = train_step(network, TASK, TorchNesterov(0.9), ("network",), WeightDecay(DECAY, of="all"))
    state = train.initial_state()
    optimizer = torch.optim.SGD(net.train().parameters(), lr=RATES[0], momentum=0.9, nesterov=True, weight_decay=DECAY)
    for rate, batch in zip(RATES, batches, strict=True):
        state, outputs = train(state, batch, {"network": np.float64(rate)})
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        logits = net(torch.from_numpy(batch["images"]))
        loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(batch["labels"]).long())
        loss.backward()
        optimizer.step()
        assert float(outputs["loss"]) == pytest.approx(loss.item(), rel=1e-9)
    ours = train.get(state)
    for name, (tensor, convert) in ours_to_theirs(net).items():
        theirs = tensor.detach().numpy()
        np.testing.assert_allclose(convert(ours[name]), theirs, rtol=0, atol=1e-8 * max(1, abs(theirs).max()))
    require_like_predictions(evaluation_step(network, TASK), ours, net, batches[0])
