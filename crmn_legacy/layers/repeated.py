"""Many blocks alike as one loop over their parameters."""

import aesara
import aesara.tensor as T
import lasagne
from lasagne.layers import Layer

from crmn_legacy.layers.subnetwork import Function, SubnetworkMixin, input_layers


class RepeatedLayer(SubnetworkMixin, Layer):
    r"""Blocks of one form, one after the other, compiled once.

    .. math:: y = f(\ldots f(f(x; \theta_1); \theta_2) \ldots; \theta_N)

    Each block is built of Lasagne's layers, with parameters of its own under its own names; the graph has the first
    block's expression only, as the body of a scan over the blocks' stacked parameters. Compile time and depth of the
    graph do not grow with the number of blocks. Batch norm's running averages of each block move as they would in
    blocks written out.

    Of the forward pass each block's input is kept, nothing from inside: the scan's gradient computes a block again
    before it goes back through it, which takes one more forward pass of the blocks in all.

    Parameters
    ----------
    incoming : Layer or tuple
        Any shape.
    block : callable
        ``block(incoming, name)`` builds one block upon the Layer `incoming`, all its layers' names beginning with
        `name`, and returns its last Layer, whose shape is that of `incoming`. Its parameters are all it may keep: no
        layer inside draws random numbers.
    names : sequence of str
        Of the blocks, from the first to the last; at least one.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        No name; a block that changes the shape; and, in `get_output_for`, one that keeps more than parameters.

    Examples
    --------
    >>> from crmn_legacy.layers import BatchNormLayer
    >>> block = lambda incoming, name: BatchNormLayer(incoming, name=name)
    >>> RepeatedLayer((None, 16, 8, 8), block, ["one", "two"]).output_shape
    (None, 16, 8, 8)
    """

    def __init__(self, incoming, block, names, **kwargs):
        super().__init__(incoming, **kwargs)
        if not names:
            raise ValueError(f"RepeatedLayer {self.name!r} expects the name of at least one block, got none")
        self.inputs = input_layers([self.input_shape] * len(names))
        self.networks = [block(layer, name) for layer, name in zip(self.inputs, names, strict=True)]
        for name, network in zip(names, self.networks, strict=True):
            if tuple(network.output_shape) != tuple(self.input_shape):
                raise ValueError(
                    f"RepeatedLayer {self.name!r} expects blocks that keep the shape {self.input_shape}, but "
                    f"{name!r} gives {network.output_shape}"
                )
        self.block_params = [lasagne.layers.get_all_params(network) for network in self.networks]

    def get_output_for(self, input, **kwargs):
        """The last block's output; keywords go to the layers of the blocks."""
        block_input = input.type()
        expression = lasagne.layers.get_output(self.networks[0], {self.inputs[0]: block_input}, **kwargs)
        body = Function(expression, [block_input])
        columns = [self._column(variable) for variable in body.stored]
        for place in body.moved:
            # A default update takes effect only for a variable of the graph, and must not outlive it.
            columns[place] = [parameter.clone() for parameter in columns[place]]

        def step(*slices_and_input):
            *slices, block_input = slices_and_input
            return body(block_input, *slices)

        outputs, _ = aesara.scan(
            step,
            sequences=[T.stack(column) for column in columns],
            outputs_info=[input, *[None] * len(body.moved)],
            return_list=True,
            strict=True,
            name=self.name,
        )
        for place, values in zip(body.moved, outputs[1:], strict=True):
            for number, parameter in enumerate(columns[place]):
                parameter.default_update = values[number]
        return outputs[0][-1]

    def _column(self, variable):
        """The parameters of all blocks that stand where `variable` does in the first."""
        for place, parameter in enumerate(self.block_params[0]):
            if parameter.container is variable.container:
                return [parameters[place] for parameters in self.block_params]
        raise ValueError(
            f"RepeatedLayer {self.name!r} expects blocks that keep parameters only, got one that reads "
            f"{variable.name!r}"
        )
