"""NumPy oracle of the paper's LSTM (Section 3), forward and gradient, written from its six equations."""

import numpy as np

GATES = ("ingate", "forgetgate", "cell", "outgate")


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def peepholes(p):
    """Weight of the cell state in each of the three gates that may read it; 0 where one does not."""
    return {gate: p.get(f"W_cell_to_{gate}", 0.0) for gate in ("ingate", "forgetgate", "outgate")}


def forward(x, p):
    """Hidden states (batch, depth, units) and what the gradient needs, for x (batch, depth, features).

    `p` maps Lasagne's parameter names to arrays; `cell_init` and `hid_init` are (1, units). A gate that has no
    `W_cell_to_<gate>` in it has no peephole.
    """
    peephole = peepholes(p)
    batch, depth, _ = x.shape
    h = np.repeat(p["hid_init"], batch, axis=0)
    c = np.repeat(p["cell_init"], batch, axis=0)
    hidden, tape = [], []
    for step in range(depth):
        x_l, h_before, c_before = x[:, step], h, c

        def linear(gate, x_l=x_l, h_before=h_before):
            return x_l @ p[f"W_in_to_{gate}"] + h_before @ p[f"W_hid_to_{gate}"] + p[f"b_{gate}"]

        i = logistic(linear("ingate") + peephole["ingate"] * c_before)
        f = logistic(linear("forgetgate") + peephole["forgetgate"] * c_before)
        s = np.tanh(linear("cell"))
        c = f * c_before + i * s
        o = logistic(linear("outgate") + peephole["outgate"] * c)  # reads the new cell state
        h = o * np.tanh(c)
        hidden.append(h)
        tape.append((x_l, h_before, c_before, i, f, s, c, o))
    return np.stack(hidden, axis=1), tape


def gradient(x, p, d_hidden):
    """Gradients of sum(hidden * d_hidden) by x and by every parameter, by hand through the equations."""
    _, tape = forward(x, p)
    peephole = peepholes(p)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    d_x = np.zeros_like(x)
    d_h = np.zeros_like(tape[0][1])
    d_c = np.zeros_like(d_h)
    for step in reversed(range(x.shape[1])):
        x_l, h_before, c_before, i, f, s, c, o = tape[step]
        d_h = d_h + d_hidden[:, step]
        d_o = d_h * np.tanh(c) * o * (1 - o)
        d_c = d_c + d_h * o * (1 - np.tanh(c) ** 2) + d_o * peephole["outgate"]
        d_i = d_c * s * i * (1 - i)
        d_f = d_c * c_before * f * (1 - f)
        d_s = d_c * i * (1 - s**2)
        for gate, d, read in (("ingate", d_i, c_before), ("forgetgate", d_f, c_before), ("outgate", d_o, c)):
            if f"W_cell_to_{gate}" in p:
                grads[f"W_cell_to_{gate}"] += (d * read).sum(axis=0)
        d_c = d_c * f + d_i * peephole["ingate"] + d_f * peephole["forgetgate"]
        d_h = np.zeros_like(d_h)
        for gate, d in zip(GATES, (d_i, d_f, d_s, d_o), strict=True):
            grads[f"W_in_to_{gate}"] += x_l.T @ d
            grads[f"W_hid_to_{gate}"] += h_before.T @ d
            grads[f"b_{gate}"] += d.sum(axis=0)
            d_x[:, step] += d @ p[f"W_in_to_{gate}"].T
            d_h += d @ p[f"W_hid_to_{gate}"].T
    grads["hid_init"] += d_h.sum(axis=0, keepdims=True)
    grads["cell_init"] += d_c.sum(axis=0, keepdims=True)
    return d_x, grads
