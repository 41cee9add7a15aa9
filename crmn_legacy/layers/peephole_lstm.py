"""The paper's LSTM with peepholes, which runs over the depth of a network."""

import aesara.tensor as T
import numpy as np
from lasagne import init, nonlinearities
from lasagne.layers import Gate, Layer

PEEPHOLES = ("ingate", "forgetgate", "outgate")

STATES = ("ingate", "forgetgate", "cell", "outgate", "hidden")
"""What `PeepholeLSTMLayer.get_states_for` gives, in the order of the equations."""


class PeepholeLSTMLayer(Layer):
    r"""The LSTM of the paper's Section 3: one step per residual block, peepholes on all three gates by default.

    .. math::

        i_l &= \sigma(x_l W_{xi} + h_{l-1} W_{hi} + w_{ci} \odot c_{l-1} + b_i) \\
        f_l &= \sigma(x_l W_{xf} + h_{l-1} W_{hf} + w_{cf} \odot c_{l-1} + b_f) \\
        s_l &= \tanh(x_l W_{xc} + h_{l-1} W_{hc} + b_c) \\
        c_l &= f_l \odot c_{l-1} + i_l \odot s_l \\
        o_l &= \sigma(x_l W_{xo} + h_{l-1} W_{ho} + w_{co} \odot c_l + b_o) \\
        h_l &= o_l \odot \tanh(c_l)

    The output gate's peephole reads the new cell state, inside the logistic. Lasagne 0.1's own `LSTMLayer`
    adds it after the logistic and so does not compute these equations; all else is alike, parameter names too.

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, depth, features), the depth known; trailing dimensions are flattened into the features.
    num_units : int
        Units of the hidden and of the cell state.
    ingate, forgetgate, cell, outgate : lasagne.layers.Gate
        Initialisers of W_in (features, units), W_hid (units, units), W_cell (units,) and b (units,), and the
        nonlinearity, of each gate and of the cell's input. One whose W_cell is None has no peephole, hence no such
        parameter: so the cell's input.
    nonlinearity : callable
        Applied to the cell state on its way to the hidden state.
    cell_init, hid_init : callable or array
        Initialisers of the states before the first step, (1, units).
    learn_init : bool
        Whether these two are trained.
    only_return_final : bool
        True: the last hidden state, (batch, units). False: all of them, (batch, depth, units).
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        The input has fewer than three dimensions, or its depth is unknown.

    References
    ----------
    Moniz and Pal, 2017, Section 3; Gers, Schraudolph and Schmidhuber, 2002, for the peepholes.

    Examples
    --------
    >>> PeepholeLSTMLayer((None, 15, 25600), num_units=100).output_shape
    (None, 100)
    """

    def __init__(
        self,
        incoming,
        num_units,
        ingate=Gate(),  # noqa: B008 - a Gate holds initialisers only, as in Lasagne's own signature
        forgetgate=Gate(),  # noqa: B008
        cell=Gate(W_cell=None, nonlinearity=nonlinearities.tanh),  # noqa: B008
        outgate=Gate(),  # noqa: B008
        nonlinearity=nonlinearities.tanh,
        cell_init=init.Constant(0.0),  # noqa: B008
        hid_init=init.Constant(0.0),  # noqa: B008
        learn_init=False,
        only_return_final=True,
        **kwargs,
    ):
        super().__init__(incoming, **kwargs)
        if len(self.input_shape) < 3 or self.input_shape[1] is None:
            raise ValueError(
                f"PeepholeLSTMLayer {self.name!r} expects input of shape (batch, depth, features) with a known "
                f"depth, got {self.input_shape}"
            )
        self.num_units = num_units
        self.nonlinearity = nonlinearity
        self.only_return_final = only_return_final
        self.num_steps = self.input_shape[1]
        self.num_inputs = int(np.prod(self.input_shape[2:]))
        self.gates = {"ingate": ingate, "forgetgate": forgetgate, "cell": cell, "outgate": outgate}

        for name, gate in self.gates.items():
            self._add(f"W_in_to_{name}", gate.W_in, (self.num_inputs, num_units))
            self._add(f"W_hid_to_{name}", gate.W_hid, (num_units, num_units))
            self._add(f"b_{name}", gate.b, (num_units,), regularizable=False)
        for name in PEEPHOLES:
            # Lasagne's Gate(W_cell=None) has no attribute W_cell.
            if getattr(self.gates[name], "W_cell", None) is not None:
                self._add(f"W_cell_to_{name}", self.gates[name].W_cell, (num_units,))
        for name, spec in (("cell_init", cell_init), ("hid_init", hid_init)):
            self._add(name, spec, (1, num_units), trainable=learn_init, regularizable=False)

    def _add(self, name, spec, shape, **tags):
        setattr(self, name, self.add_param(spec, shape, name=name, **tags))

    def _of_gates(self, prefix):
        return [getattr(self, f"{prefix}_{name}") for name in self.gates]

    def _stacked(self, prefix):
        """The four gates' parameters side by side, so that one operation serves all gates."""
        return T.concatenate(self._of_gates(prefix), axis=-1)

    def _with_peephole(self, x, gate, c):
        """What a gate's nonlinearity reads, out of what comes from input and hidden state, and the cell state."""
        W_cell = getattr(self, f"W_cell_to_{gate}", None)
        return x if W_cell is None else x + W_cell * c

    def get_output_shape_for(self, input_shape):
        if self.only_return_final:
            return input_shape[0], self.num_units
        return input_shape[0], input_shape[1], self.num_units

    def get_output_for(self, input, **kwargs):
        hidden = self._steps(input)["hidden"]
        return hidden[-1] if self.only_return_final else T.stack(hidden, axis=1)

    def get_states_for(self, input):
        """What the memory holds at each step: gates after their nonlinearities, cell state and hidden state.

        Parameters
        ----------
        input : Variable
            (batch, depth, features).

        Returns
        -------
        dict of str to Variable
            By the names of `STATES`, each (batch, depth, units).
        """
        return {name: T.stack(steps, axis=1) for name, steps in self._steps(input).items()}

    def _steps(self, input):
        """By the names of `STATES`, a list of (batch, units), one a step."""
        batch_size = input.shape[0]
        # The inputs of all steps are known before the first one, hence one matrix product a gate for all of them. To
        # put the gates' matrices side by side, as those of the hidden state, would take longer than the product.
        rows = input.reshape((batch_size * self.num_steps, self.num_inputs))
        from_input = T.concatenate([T.dot(rows, W) for W in self._of_gates("W_in_to")], axis=1)
        from_input = (from_input + self._stacked("b")).reshape((batch_size, self.num_steps, 4 * self.num_units))
        W_hid = self._stacked("W_hid_to")
        sigma = {name: gate.nonlinearity for name, gate in self.gates.items()}

        rows = T.zeros((batch_size, 1), dtype=input.dtype)
        c = rows + self.cell_init[0]
        h = rows + self.hid_init[0]
        states = {name: [] for name in STATES}
        for step in range(self.num_steps):
            gates = from_input[:, step] + T.dot(h, W_hid)
            i, f, s, o = (gates[:, k * self.num_units : (k + 1) * self.num_units] for k in range(4))
            i = sigma["ingate"](self._with_peephole(i, "ingate", c))
            f = sigma["forgetgate"](self._with_peephole(f, "forgetgate", c))
            c = f * c + i * sigma["cell"](s)
            o = sigma["outgate"](self._with_peephole(o, "outgate", c))
            h = o * self.nonlinearity(c)
            for name, value in zip(STATES, (i, f, c, o, h), strict=True):
                states[name].append(value)
        return states
