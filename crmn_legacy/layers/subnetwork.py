"""Layers that hold networks of their own, and what their outputs are as functions of all they read."""

import lasagne
from aesara.compile.sharedvalue import SharedVariable
from aesara.graph.basic import clone_replace, graph_inputs
from lasagne.layers import InputLayer


class SubnetworkMixin:
    """Of a layer that holds networks: its parameters are theirs.

    Attributes
    ----------
    networks : list of Layer
        Output layers of the networks inside, each upon `InputLayer`s of its own.
    """

    networks = ()

    def get_params(self, **tags):
        """Parameters of all networks inside that carry the `tags`, in the order of the networks."""
        return lasagne.layers.get_all_params(self.networks, **tags) if self.networks else []


def input_layers(shapes):
    """Stand-ins, of these shapes, for what a network inside a layer reads."""
    return [InputLayer(shape) for shape in shapes]


class Function:
    """An expression with everything that it reads as an argument, shared values too.

    Parameters
    ----------
    output : Variable
        Of a network's layers; the shared variables that it reads may have default updates.
    inputs : list of Variable
        Free variables of `output`.

    Attributes
    ----------
    arguments : list of Variable
        `inputs`, then a placeholder for each stored value.
    stored : list of SharedVariable
        One for each stored value, in the order of the placeholders; it is the one with a default update, if any has.
    moved : list of int
        Places in `stored` of those with a default update.
    outputs : list of Variable
        The output, then the new values of those in `moved`; functions of `arguments` alone.
    """

    def __init__(self, output, inputs):
        inputs = list(inputs)
        read = [v for v in dict.fromkeys(graph_inputs([output])) if isinstance(v, SharedVariable)]
        moving = [v for v in read if getattr(v, "default_update", None) is not None]
        updates = [v.default_update for v in moving]
        read = dict.fromkeys([*read, *(v for v in graph_inputs(updates) if isinstance(v, SharedVariable))])
        chosen = {id(v.container): v for v in read}
        chosen.update((id(v.container), v) for v in moving)
        placeholders = {container: v.type() for container, v in chosen.items()}
        self.stored = list(chosen.values())
        self.moved = [self.stored.index(v) for v in moving]
        self.arguments = [*inputs, *placeholders.values()]
        self.outputs = clone_replace([output, *updates], {v: placeholders[id(v.container)] for v in read})

    def __call__(self, *arguments):
        """The outputs as expressions of other arguments."""
        return clone_replace(self.outputs, dict(zip(self.arguments, arguments, strict=True)))
