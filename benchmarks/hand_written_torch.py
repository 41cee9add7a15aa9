"""The CRMN of Table 1, its plain ResNet and their train step, written by hand in PyTorch.

As a PyTorch user would: `nn.Module`, `nn.BatchNorm2d` and `torch.optim.SGD(nesterov=True)`. Two things
differ from Lasagne's ways. The momentum collects gradients and is multiplied by the rate afterwards, which
is the same update as long as the rates stay as they are. And batch norm keeps a running unbiased variance
where Lasagne keeps a running inverse deviation, so running statistics agree at the start and are not to be
compared after a train step.
"""

from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional

GATES = ("ingate", "forgetgate", "cell", "outgate")
PEEPHOLES = ("ingate", "forgetgate", "outgate")
EPSILON = 1e-4  # of batch normalisation
TORCH_NAMES = {
    "W": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "mean": "running_mean",
    "inv_std": "running_var",
    "var": "running_var",
}


class LocalContrast(nn.Module):
    """Local contrast normalisation of values 0 to 255, a picture and channel at a time (Honari et al.)."""

    def __init__(self, channels):
        super().__init__()
        taps = torch.exp(-((torch.arange(9, dtype=torch.float64) - 4) ** 2) / (2 * 1.591**2))
        window = torch.outer(taps, taps) / taps.sum() ** 2
        self.register_buffer("kernel", window.repeat(channels, 1, 1, 1), persistent=False)

    def local_mean(self, x):
        return functional.conv2d(x, self.kernel.to(x.dtype), padding=4, groups=x.shape[1])

    def forward(self, images):
        centred = images - self.local_mean(images)
        deviation = self.local_mean(centred**2).sqrt()
        floor = deviation.mean(dim=(2, 3), keepdim=True).clamp(min=1e-4)
        return (centred / torch.maximum(deviation, floor) + 2.5) / 5


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut, which is projected where the shape changes."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1)
        self.bn1 = nn.BatchNorm2d(filters, EPSILON)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(filters, EPSILON)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut = nn.Sequential(
                OrderedDict(conv=nn.Conv2d(channels, filters, 1, stride), bn=nn.BatchNorm2d(filters, EPSILON))
            )

    def forward(self, x):
        residual = self.relu(self.bn1(self.conv1(x)))
        residual = self.bn2(self.conv2(residual))
        residual += self.shortcut(x)
        return self.relu(residual)


class PeepholeLSTM(nn.Module):
    """LSTM with peepholes, the output gate's on the new cell; gives the last hidden state, (batch, units)."""

    def __init__(self, features, units):
        super().__init__()
        self.units = units
        for gate in GATES:
            self.register_parameter(f"W_in_to_{gate}", nn.Parameter(0.1 * torch.randn(features, units)))
            self.register_parameter(f"W_hid_to_{gate}", nn.Parameter(0.1 * torch.randn(units, units)))
            self.register_parameter(f"b_{gate}", nn.Parameter(torch.zeros(units)))
        for gate in PEEPHOLES:
            self.register_parameter(f"W_cell_to_{gate}", nn.Parameter(0.1 * torch.randn(units)))

    def joined(self, prefix):
        return torch.cat([getattr(self, prefix + gate) for gate in GATES], dim=-1)

    def forward(self, inputs):
        projected = inputs @ self.joined("W_in_to_") + self.joined("b_")
        W_hid = self.joined("W_hid_to_")
        hidden = cell = inputs.new_zeros(len(inputs), self.units)
        for products in projected.unbind(dim=1):
            ingate, forgetgate, candidate, outgate = (products + hidden @ W_hid).chunk(4, dim=-1)
            ingate = torch.sigmoid(ingate + self.W_cell_to_ingate * cell)
            forgetgate = torch.sigmoid(forgetgate + self.W_cell_to_forgetgate * cell)
            cell = forgetgate * cell + ingate * torch.tanh(candidate)
            outgate = torch.sigmoid(outgate + self.W_cell_to_outgate * cell)
            hidden = outgate * torch.tanh(cell)
        return hidden


class Net(nn.Module):
    """A CRMN, or with `units` 0 its ResNet, of the sizes that a `hand_written_sizes.Network` tells."""

    def __init__(self, network):
        super().__init__()
        channels, filters = network.input_shape[0], network.filters
        self.pool, self.memory_features = network.pool, network.memory_features
        self.contrast = LocalContrast(channels) if network.contrast else nn.Identity()
        self.stem = nn.Sequential(
            OrderedDict(
                conv=nn.Conv2d(channels, filters[0], 3, padding=1),
                bn=nn.BatchNorm2d(filters[0], EPSILON),
                relu=nn.ReLU(inplace=True),
            )
        )
        stages = {"stage1": nn.Sequential(), "stage2": nn.Sequential(), "stage3": nn.Sequential()}
        for name, channels, filters_out, stride in network.blocks():
            stage, block = name.split(".")
            stages[stage].add_module(block, Block(channels, filters_out, stride))
        self.stage1, self.stage2, self.stage3 = stages.values()
        self.lstm = PeepholeLSTM(network.memory_features, network.units) if network.units else None
        self.output = nn.Linear(network.units + filters[-1], network.outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)

    def forward(self, images):
        x = self.stem(self.contrast(images.to(self.output.weight.dtype)))
        memory = []
        for block in (*self.stage1, *self.stage2, *self.stage3):
            x = block(x)
            if self.lstm is not None:
                pooled = functional.avg_pool2d(x, self.pool).flatten(1)
                memory.append(functional.pad(pooled, (0, self.memory_features - pooled.shape[1])))
        features = x.mean(dim=(2, 3))
        if self.lstm is not None:
            features = torch.cat([self.lstm(torch.stack(memory, dim=1)), features], dim=1)
        return torch.sigmoid(self.output(features))


def torch_name(name):
    """PyTorch's name of an array of the flat dict: `stem.bn.inv_std` is `stem.bn.running_var`."""
    module, _, attribute = name.rpartition(".")
    return f"{module}.{TORCH_NAMES.get(attribute, attribute)}"


def as_torch(name, array, flip_filters):
    """An array of the flat dict as PyTorch lays it out; `flip_filters` where the kernels truly convolve."""
    if name == "output.W":
        return array.T
    if name.endswith(".inv_std"):
        return array**-2.0 - EPSILON
    return array[:, :, ::-1, ::-1] if flip_filters and array.ndim == 4 else array


def load(net, arrays, flip_filters):
    """Copy the flat dict's weights and running statistics into the network, which takes their dtype.

    Any network will do whose modules have the names of the arrays.
    """
    state = {
        torch_name(name): torch.from_numpy(np.array(as_torch(name, array, flip_filters)))
        for name, array in arrays.items()
    }
    net.to(state["output.bias"].dtype)
    outcome = net.load_state_dict(state, strict=False)
    absent = [name for name in outcome.missing_keys if not name.endswith("num_batches_tracked")]
    if absent or outcome.unexpected_keys:
        raise ValueError(f"weights of another network: without {absent}, but with {outcome.unexpected_keys}")
    return net


def objective(net, batch):
    """Squared error summed over the outputs and averaged over the batch of (images, targets, mask)."""
    images, targets, mask = batch
    return (mask * (net(images) - targets) ** 2).sum() / len(images)


def make_optimiser(net, rates, momentum=0.9, weight_decay=0.0):
    """Nesterov momentum; `rates` has one each for `resnet`, `lstm` and `output`.

    The decay adds `weight_decay` times half the sum of squared weights `W` to the objective.
    """
    groups = {}
    for name, parameter in net.named_parameters():
        component = name.split(".")[0] if name.startswith(("lstm.", "output.")) else "resnet"
        is_weight = parameter.ndim > 1 or ".W_" in name
        groups.setdefault((component, is_weight), []).append(parameter)
    return torch.optim.SGD(
        [
            {"params": group, "lr": rates[component], "weight_decay": weight_decay * is_weight}
            for (component, is_weight), group in groups.items()
        ],
        momentum=momentum,
        nesterov=True,
    )


def make_step(net, objective, optimiser):
    """`step(batch) -> loss` of training; `objective(net, batch)` gives the loss."""

    def step(batch):
        net.train()
        optimiser.zero_grad(set_to_none=True)
        loss = objective(net, batch)
        loss.backward()
        optimiser.step()
        return loss.detach()

    return step


def make_evaluation(net, objective):
    """`evaluate(batch) -> loss` by the running statistics."""
    net.eval()

    def evaluate(batch):
        with torch.inference_mode():
            return objective(net, batch)

    return evaluate
