"""NumPy oracle of the Recombinator Network's default for 68 points and of its denoiser (Honari et al., 2016)."""

import numpy as np

from tests.oracles.upsampling import upsample


def rectify(x):
    return np.maximum(x, 0)


def convolve(x, w, b):
    """True convolution (filters flipped) of (batch, channels, height, width) that keeps height and width."""
    flipped = w[:, :, ::-1, ::-1]
    size = w.shape[2]
    half = size // 2
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (half, half), (half, half)))
    summed = sum(
        np.einsum("bchw,oc->bohw", padded[:, :, i : i + height, j : j + width], flipped[:, :, i, j])
        for i in range(size)
        for j in range(size)
    )
    return summed + b[:, None, None]


def pooled(x):
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def network(x, parameters):
    """Scores (batch, points, height, width); `parameters` by name, as ``rcn.trunk.conv1.W``."""

    def conv(layer, name):
        return convolve(layer, parameters[f"rcn.{name}.W"], parameters[f"rcn.{name}.b"])

    t1 = rectify(conv(x, "trunk.conv1"))
    t2 = rectify(conv(pooled(t1), "trunk.conv2"))
    t3 = rectify(conv(pooled(t2), "trunk.conv3"))
    t4 = rectify(conv(pooled(t3), "trunk.conv4"))
    t5 = rectify(conv(pooled(t4), "trunk.conv5"))
    s = rectify(conv(rectify(conv(t5, "coarsest.conv1")), "coarsest.conv2"))
    d = rectify(conv(np.concatenate([t4, upsample(s, 2)], axis=1), "coarser.conv1"))
    c = rectify(conv(np.concatenate([t3, upsample(d, 2)], axis=1), "coarse.conv1"))
    c = rectify(conv(c, "coarse.conv2"))
    m = rectify(conv(np.concatenate([t2, upsample(c, 2)], axis=1), "middle.conv1"))
    m = rectify(conv(m, "middle.conv2"))
    f = rectify(conv(np.concatenate([t1, upsample(m, 2)], axis=1), "fine.conv1"))
    f = rectify(conv(rectify(conv(f, "fine.conv2")), "fine.conv3"))
    return conv(f, "output")


def denoiser(maps, parameters):
    """Scores (batch, points, height, width) of one-hot maps; `parameters` by name, as ``denoiser.conv1.W``."""
    for name in ("conv1", "conv2", "conv3"):
        maps = rectify(convolve(maps, parameters[f"denoiser.{name}.W"], parameters[f"denoiser.{name}.b"]))
    return convolve(maps, parameters["denoiser.output.W"], parameters["denoiser.output.b"])
