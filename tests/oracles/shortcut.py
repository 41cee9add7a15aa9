"""NumPy oracle of the parameter-free shortcut, option A (He et al., 2015, Section 3.3; Huang et al., 2016)."""

import numpy as np


def forward(x, num_filters, stride, mode):
    """Every `stride`-th pixel, or the mean of each window, loop by loop; then channels of zeros."""
    batch, channels, height, width = x.shape
    out = np.zeros((batch, num_filters, height // stride, width // stride))
    for row in range(height // stride):
        for column in range(width // stride):
            window = x[:, :, row * stride : (row + 1) * stride, column * stride : (column + 1) * stride]
            taken = window[:, :, 0, 0] if mode == "subsample" else window.mean(axis=(2, 3))
            out[:, :channels, row, column] = taken
    return out


def gradient(shape, stride, mode, d_out):
    """Gradient by x, of `shape`."""
    d_x = np.zeros(shape)
    for row in range(d_out.shape[2]):
        for column in range(d_out.shape[3]):
            d_pixel = d_out[:, : shape[1], row, column]
            if mode == "subsample":
                d_x[:, :, row * stride, column * stride] = d_pixel
            else:
                rows, columns = (slice(at * stride, (at + 1) * stride) for at in (row, column))
                d_x[:, :, rows, columns] = d_pixel[:, :, None, None] / stride**2
    return d_x
