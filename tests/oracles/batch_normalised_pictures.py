"""Blocks of pre-activation and dense networks in NumPy, from the sources' figures.

Maps are (batch, maps, rows, columns).

He et al., 2016, Figure 1(b); Zagoruyko and Komodakis, 2016, Figure 1; Huang et al., 2017, Section 3. Weights come by
name, as ``{"block.conv1.W": array, ...}``. Torch correlates; here filters are turned around first, as in Theano.
"""

import numpy as np

EPSILON = 1.000001e-5


def convolution(x, w, stride=1):
    """Convolution with as many zeros around `x` as keep its size at stride 1."""
    side = w.shape[2]
    reach = side // 2
    padded = np.pad(x, [(0, 0), (0, 0), (reach, reach), (reach, reach)])
    turned = w[:, :, ::-1, ::-1]
    rows, columns = ((size - 1) // stride + 1 for size in x.shape[2:])
    y = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = padded[:, :, i * stride : i * stride + side, j * stride : j * stride + side]
            y[:, :, i, j] = np.einsum("bcrs,fcrs->bf", window, turned)
    return y


def normalised_and_rectified(x, weights, name):
    """max(0, gamma (x - mean) / sqrt(variance + epsilon) + beta), statistics over pictures and pixels."""
    mean = x.mean((0, 2, 3), keepdims=True)
    variance = ((x - mean) ** 2).mean((0, 2, 3), keepdims=True)
    gamma, beta = (weights[f"{name}.{which}"][None, :, None, None] for which in ("gamma", "beta"))
    return np.maximum(0, gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta)


def bottleneck(x, weights, name, stride=1):
    """1x1, 3x3, 1x1, each after batch norm and rectifier; a projection where `weights` have one, else the identity."""
    common = normalised_and_rectified(x, weights, f"{name}.bn1")
    y = convolution(common, weights[f"{name}.conv1.W"], stride)
    y = convolution(normalised_and_rectified(y, weights, f"{name}.bn2"), weights[f"{name}.conv2.W"])
    y = convolution(normalised_and_rectified(y, weights, f"{name}.bn3"), weights[f"{name}.conv3.W"])
    return y + _shortcut(x, common, weights, name, stride)


def wide_block(x, weights, name, stride=1, mask=1.0):
    """Two 3x3 convolutions, each after batch norm and rectifier; `mask` multiplies what the second one reads."""
    common = normalised_and_rectified(x, weights, f"{name}.bn1")
    y = convolution(common, weights[f"{name}.conv1.W"], stride)
    y = convolution(normalised_and_rectified(y, weights, f"{name}.bn2") * mask, weights[f"{name}.conv2.W"])
    return y + _shortcut(x, common, weights, name, stride)


def dense_block(x, weights, names):
    """Each convolution reads `x` and what all before it gave; all of it comes out."""
    for name in names:
        normalised = normalised_and_rectified(x, weights, f"{name}.bn1")
        x = np.concatenate([x, convolution(normalised, weights[f"{name}.conv1.W"])], axis=1)
    return x


def transition(x, weights, name):
    """1x1 convolution after batch norm and rectifier, then means of 2x2 pixels."""
    y = convolution(normalised_and_rectified(x, weights, f"{name}.bn"), weights[f"{name}.conv.W"])
    return (y[:, :, ::2, ::2] + y[:, :, ::2, 1::2] + y[:, :, 1::2, ::2] + y[:, :, 1::2, 1::2]) / 4


def classified(x, weights):
    """Batch norm, rectifier, mean of each map, one dense layer, softmax: (batch, classes)."""
    features = normalised_and_rectified(x, weights, "final.bn").mean((2, 3))
    scores = np.exp(features @ weights["output.W"] + weights["output.b"])
    return scores / scores.sum(1, keepdims=True)


def _shortcut(x, common, weights, name, stride):
    projection = weights.get(f"{name}.shortcut.conv.W")
    return x if projection is None else convolution(common, projection, stride)
