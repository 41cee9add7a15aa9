"""Less memory for more work: parts of a network that the gradient computes a second time."""

from itertools import compress

import aesara
import lasagne
from aesara.compile.builders import OpFromGraph
from aesara.gradient import DisconnectedType
from lasagne.layers import MergeLayer

from crmn_legacy.backend.barrier import barrier
from crmn_legacy.layers.subnetwork import Function, SubnetworkMixin, input_layers


class RecomputedLayer(SubnetworkMixin, MergeLayer):
    """A network inside a network, of which the graph keeps nothing but its inputs for the gradient.

    Its values, gradients and running averages are those of the layers written out. Where the gradient needs what they
    computed, the graph computes it again behind a barrier (`benchmarks/RESULTS.md` has what that saves).

    Parameters
    ----------
    incomings : list of Layer or tuple
        Any shapes.
    network : callable
        ``network(layers)`` builds the network upon Layers that stand for the `incomings`, and returns its last Layer.
        Its parameters are all it may keep: no layer inside draws random numbers.
    on_request : bool
        Compute again only in graphs built with ``get_output(..., remat=True)``; otherwise in all that are trained.
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    References
    ----------
    Chen et al., "Training deep nets with sublinear memory cost", 2016; for DenseNets: Pleiss et al.,
    "Memory-efficient implementation of DenseNets", 2017.
    """

    def __init__(self, incomings, network, on_request=False, **kwargs):
        super().__init__(incomings, **kwargs)
        self.inputs = input_layers(self.input_shapes)
        self.networks = [network(self.inputs)]
        self.on_request = on_request

    def get_output_shape_for(self, input_shapes):
        shapes = dict(zip(self.inputs, input_shapes, strict=True))
        return lasagne.layers.get_output_shape(self.networks[0], shapes)

    def get_output_for(self, inputs, deterministic=False, remat=False, **kwargs):
        """The network's output; `remat` and all other keywords go to its layers too."""
        kwargs.update(deterministic=deterministic, remat=remat)
        if deterministic or (self.on_request and not remat):
            return self._written_out(inputs, kwargs)
        placeholders = [variable.type() for variable in inputs]
        function = Function(self._written_out(placeholders, kwargs), placeholders)
        output, *new_values = Recomputed(function)(*inputs, *function.stored, return_list=True)
        for place, value in zip(function.moved, new_values, strict=True):
            function.stored[place].default_update = value
        return output

    def _written_out(self, inputs, kwargs):
        return lasagne.layers.get_output(self.networks[0], dict(zip(self.inputs, inputs, strict=True)), **kwargs)


class Recomputed(OpFromGraph):
    """A function as one operation; its gradient evaluates it again, from inputs that come behind a `Barrier`.

    Parameters
    ----------
    function : Function
        Its first output is differentiated, by all arguments but those that it moves; the others pass no gradient.
    """

    def __init__(self, function):
        self.function = function
        moved = {len(function.arguments) - len(function.stored) + place for place in function.moved}
        self.differentiable = [place not in moved for place in range(len(function.arguments))]
        pattern = [[it_is, *[False] * len(moved)] for it_is in self.differentiable]
        super().__init__(function.arguments, function.outputs, connection_pattern=pattern)

    def L_op(self, inputs, outputs, output_grads):
        """Gradients by the inputs, of the inputs and the output's gradient alone."""
        arguments, output = self.function.arguments, self.function.outputs[0]
        gradient = output.type()
        found = aesara.grad(
            None,
            list(compress(arguments, self.differentiable)),
            known_grads={output: gradient},
            disconnected_inputs="ignore",
            return_disconnected="zero",
        )
        # An operation of its own: to put other variables in would copy the whole graph that they come from.
        again = OpFromGraph([*arguments, gradient], found, on_unused_input="ignore")
        found = iter(again(*barrier(*inputs, output_grads[0]), return_list=True))
        return [next(found) if it_is else DisconnectedType()() for it_is in self.differentiable]
