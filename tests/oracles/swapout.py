"""NumPy oracle of Swapout (Singh et al., 2016, equation for Y, Section 3): forward, expectation, gradient."""


def keep_probabilities(blocks, first, last):
    """Linear from the first block to the last, both included."""
    return [first + (last - first) * block / max(blocks - 1, 1) for block in range(blocks)]


def sampled(x, residual, theta1, theta2):
    """Y = Theta1 X + Theta2 F(X), each Theta a mask of 0 and 1 of the units' shape."""
    assert set(theta1.ravel()) | set(theta2.ravel()) <= {0, 1}
    return theta1 * x + theta2 * residual


def expected(x, residual, keep1, keep2):
    """The mean of `sampled` over the masks."""
    return keep1 * x + keep2 * residual


def gradient(theta1, theta2, d_out):
    """Gradients by X and F(X)."""
    return theta1 * d_out, theta2 * d_out
