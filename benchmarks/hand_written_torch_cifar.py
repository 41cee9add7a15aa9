"""The wide ResNet and the DenseNet of Tables 2 and 3 and their train step, written by hand in PyTorch.

As a PyTorch user would: `nn.Module`, `nn.BatchNorm2d` and `torch.optim.SGD(nesterov=True)`, tensors as PyTorch lays
them out. Modules have the names that a run's `weights.npz` has, so that `hand_written_torch.load` fills them. There is
no dropout, as in the rows of Table 3 that are measured.
"""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional

STEM_FILTERS = 16


def convolution(channels, filters, size, stride=1):
    """Convolution without bias that keeps the size but for its stride, He normal by what comes out."""
    conv = nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


class ThreeStages(nn.Module):
    """A convolution, three stages, batch norm and rectifier, the global average and a dense layer."""

    def add_stages(self, stages, channels, classes):
        """Add all layers; the last of three `stages` gives `channels` maps."""
        self.stem = nn.Sequential(OrderedDict(conv=convolution(3, STEM_FILTERS, 3)))
        self.stage1, self.stage2, self.stage3 = stages
        self.final = nn.Sequential(OrderedDict(bn=nn.BatchNorm2d(channels), relu=nn.ReLU(inplace=True)))
        self.output = nn.Linear(channels, classes)
        nn.init.zeros_(self.output.bias)

    def forward(self, images):
        x = self.stage3(self.stage2(self.stage1(self.stem(images))))
        return self.output(self.final(x).mean(dim=(2, 3)))


class WideBlock(nn.Module):
    """Zagoruyko and Komodakis, Figure 1(c); where the shape changes, the first rectifier's output is projected."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = convolution(channels, filters, 3, stride)
        self.bn2 = nn.BatchNorm2d(filters)
        self.conv2 = convolution(filters, filters, 3)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = None
        if stride > 1 or channels != filters:
            self.shortcut = nn.Sequential(OrderedDict(conv=convolution(channels, filters, 1, stride)))

    def forward(self, x):
        common = self.relu(self.bn1(x))
        residual = self.conv2(self.relu(self.bn2(self.conv1(common))))
        return residual + (x if self.shortcut is None else self.shortcut(common))


class WideResNet(ThreeStages):
    """6n + 4 layers; `filters` maps in the first stage, 16 times the widening factor."""

    def __init__(self, n, filters, classes):
        super().__init__()
        channels, stages = STEM_FILTERS, []
        for stage in range(3):
            blocks = OrderedDict()
            for block in range(n):
                blocks[f"block{block + 1}"] = WideBlock(channels, filters << stage, 2 if stage and not block else 1)
                channels = filters << stage
            stages.append(nn.Sequential(blocks))
        self.add_stages(stages, channels, classes)


class DenseBlock(nn.Module):
    """Batch norm, rectifier, 3x3 convolution of `growth_rate` maps, which join what came in."""

    def __init__(self, channels, growth_rate):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv1 = convolution(channels, growth_rate, 3)

    def forward(self, x):
        return torch.cat([x, self.conv1(self.relu(self.bn1(x)))], dim=1)


class DenseNet(ThreeStages):
    """3n + 4 layers without bottlenecks and without compression."""

    def __init__(self, n, growth_rate, classes):
        super().__init__()
        channels, stages = STEM_FILTERS, []
        for stage in range(3):
            modules = OrderedDict()
            for block in range(n):
                modules[f"block{block + 1}"] = DenseBlock(channels, growth_rate)
                channels += growth_rate
            if stage < 2:
                modules["transition"] = nn.Sequential(
                    OrderedDict(
                        bn=nn.BatchNorm2d(channels),
                        relu=nn.ReLU(inplace=True),
                        conv=convolution(channels, channels, 1),
                        pool=nn.AvgPool2d(2),
                    )
                )
            stages.append(nn.Sequential(modules))
        self.add_stages(stages, channels, classes)


def objective(net, batch):
    """Cross-entropy of the batch of (images, labels)."""
    images, labels = batch
    return functional.cross_entropy(net(images), labels)


def make_optimiser(net, rate, weight_decay, momentum=0.9):
    """Nesterov momentum; the decay is of all parameters."""
    return torch.optim.SGD(net.parameters(), rate, momentum, weight_decay=weight_decay, nesterov=True)
