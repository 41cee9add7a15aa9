"""What may stand where the paper's memory stands: its LSTM over the depth, and what that is compared with."""

from lasagne.layers import ConcatLayer, DenseLayer, Gate, LSTMLayer, SliceLayer
from lasagne.nonlinearities import tanh

from crmn_legacy.layers import DepthStackLayer, PeepholeLSTMLayer, ZeroPadLayer


def peepholes(steps, num_units, **lstm):
    """The paper's memory: the peephole LSTM over the zero-padded steps.

    Parameters
    ----------
    steps : list of Layer
        One per residual block, (batch, features) of any lengths, in the order of depth.
    num_units : int
        Units of the hidden state.
    **lstm
        Further arguments of `PeepholeLSTMLayer`.

    Returns
    -------
    Layer
        (batch, num_units). Parameters of all memories are called "lstm": the schedule knows them by that name.
    """
    return PeepholeLSTMLayer(_stacked(steps), num_units, name="lstm", **lstm)


def no_peepholes(steps, num_units, **lstm):
    """The same without the three gates' peepholes.

    Parameters
    ----------
    steps, num_units, **lstm
        As for `peepholes`.

    Returns
    -------
    Layer
        (batch, num_units).
    """
    gates = {gate: Gate(W_cell=None) for gate in ("ingate", "forgetgate", "outgate")}
    return peepholes(steps, num_units, **gates, **lstm)


def lasagne_lstm(steps, num_units):
    """Lasagne 0.1's own LSTM, whose output gate adds its peephole after the logistic.

    Parameters
    ----------
    steps, num_units
        As for `peepholes`.

    Returns
    -------
    Layer
        (batch, num_units).
    """
    hidden = LSTMLayer(_stacked(steps), num_units, unroll_scan=True, name="lstm")
    return SliceLayer(hidden, -1, axis=1, name="lstm.last")


def dense(steps, num_units):
    """No memory: all steps side by side, in one dense layer with as many parameters as the LSTM of `num_units` has.

    Parameters
    ----------
    steps, num_units
        As for `peepholes`.

    Returns
    -------
    Layer
        (batch, units), with the number of units, at least one, whose parameters come nearest.
    """
    joined = ConcatLayer(steps, name="steps")
    longest = max(step.output_shape[1] for step in steps)
    parameters = 4 * num_units * (longest + num_units + 1) + 3 * num_units
    units = max(1, round(parameters / (joined.output_shape[1] + 1)))
    return DenseLayer(joined, units, nonlinearity=tanh, name="lstm")


def none(steps, num_units):
    """No memory at all, which leaves the plain ResNet.

    Parameters
    ----------
    steps, num_units
        As for `peepholes`; not looked at.

    Returns
    -------
    None
    """


MEMORIES = {
    "peepholes": peepholes,
    "no_peepholes": no_peepholes,
    "lasagne": lasagne_lstm,
    "dense": dense,
    "none": none,
}
"""By the names that `crmn_legacy.models.crmn` takes."""


def _stacked(steps):
    length = max(step.output_shape[1] for step in steps)
    padded = [ZeroPadLayer(step, length, name=f"{step.name.rsplit('.', 1)[0]}.pad") for step in steps]
    return DepthStackLayer(padded, name="depth")
