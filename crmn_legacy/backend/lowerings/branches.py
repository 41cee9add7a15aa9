"""Choices of which only one side is computed.

What nothing but one side of an ``ifelse`` needs is computed where that side is taken.
"""

import dataclasses
from typing import Any

from aesara.graph.basic import Constant
from aesara.ifelse import IfElse

from .control_flow import choice
from .duals import of_duals
from .order import Map, of_maps


@dataclasses.dataclass(frozen=True)
class Choice:
    """An ``ifelse``, and what is computed for one of its sides alone.

    Attributes
    ----------
    node : aesara.graph.basic.Apply
    sides : tuple of set of Apply
        For the one side alone, and for the other.
    """

    node: Any
    sides: tuple

    @property
    def branches(self):
        """The variables of the one side and of the other, as the node has them."""
        count = self.node.op.n_outs
        return self.node.inputs[1 : 1 + count], self.node.inputs[1 + count :]

    def inputs(self):
        """The variables that the sides need of the rest of the graph, a list for each side."""
        needed = []
        for branch, nodes in zip(self.branches, self.sides, strict=True):
            made = {variable for node in nodes for variable in node.outputs}
            read = [*branch, *(variable for node in nodes for variable in node.inputs)]
            needed.append([v for v in dict.fromkeys(read) if v not in made and not isinstance(v, Constant)])
        return needed

    def function(self, make_program):
        """What computes the outputs, of the condition and of the sides' inputs.

        Parameters
        ----------
        make_program : callable
            Of inputs and outputs.
        """
        inputs = self.inputs()
        then, otherwise = (make_program(*ends) for ends in zip(inputs, self.branches, strict=True))
        count = len(inputs[0])

        def computed(program, values):
            # What a map keeps with it must not leave the side that computed it.
            return lambda: program.in_their_order(*(Map(v.array) if isinstance(v, Map) else v for v in values))

        @of_duals
        @of_maps
        def choose(condition, *values):
            return choice(condition, computed(then, values[:count]), computed(otherwise, values[count:]))

        return choose


def choices(nodes, outputs):
    """The choices of a graph that save work, and what they compute themselves.

    Parameters
    ----------
    nodes : list of aesara.graph.basic.Apply
        In the order in which they are computed.
    outputs : sequence of Variable
        Of the graph.

    Returns
    -------
    dict of Apply to Choice
    """
    found, taken = {}, set()
    if not any(isinstance(node.op, IfElse) for node in nodes):
        return found
    users = {}
    for node in nodes:
        for place, variable in enumerate(node.inputs):
            users.setdefault(variable, []).append((node, place))
    for variable in outputs:
        users.setdefault(variable, []).append((None, 0))
    for node in reversed(nodes):
        if isinstance(node.op, IfElse) and node not in taken:
            count = node.op.n_outs
            before = nodes[: nodes.index(node)]
            places = range(1, 1 + count), range(1 + count, 1 + 2 * count)
            sides = tuple(_only_for(node, side, before, users) for side in places)
            if any(sides):
                found[node] = Choice(node, sides)
                taken = taken.union(*sides)
    return found


def _only_for(node, places, before, users):
    """The nodes that nothing but some inputs of `node` needs."""
    found = set()
    for other in reversed(before):
        needed_by = [user for variable in other.outputs for user in users.get(variable, ())]
        if all(user in found or (user is node and place in places) for user, place in needed_by):
            found.add(other)
    return found
