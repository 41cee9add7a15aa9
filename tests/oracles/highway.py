"""NumPy oracle of the highway layer (Srivastava et al., 2015, equation 3), forward and gradient."""


def forward(transformed, gate, x):
    """y = H T + x (1 - T)."""
    return transformed * gate + x * (1 - gate)


def gradient(transformed, gate, x, d_out):
    """Gradients by H, T and x."""
    return d_out * gate, d_out * (transformed - x), d_out * (1 - gate)
