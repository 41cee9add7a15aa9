"""Ops that are linear in one input and move its elements about: how a factor of what goes in is one of what comes out.

The gradient of an expression passes through them between the place where it is divided by something and the place where
it is multiplied by the same.
"""

from functools import partial
from typing import NamedTuple

from aesara.compile.ops import ViewOp
from aesara.raise_op import CheckAndRaise
from aesara.scalar import basic as scalar
from aesara.tensor.basic import Alloc, Join, Split
from aesara.tensor.elemwise import DimShuffle
from aesara.tensor.math import Sum
from aesara.tensor.shape import Reshape, SpecifyShape
from aesara.tensor.subtensor import (
    AdvancedIncSubtensor,
    AdvancedIncSubtensor1,
    AdvancedSubtensor,
    AdvancedSubtensor1,
    IncSubtensor,
    Subtensor,
)

from .expressions import comes_from, has_op

_SELECTIONS = {
    IncSubtensor: Subtensor,
    AdvancedIncSubtensor: AdvancedSubtensor,
    AdvancedIncSubtensor1: AdvancedSubtensor1,
}


class Passage(NamedTuple):
    """Which input of a node the output is linear in, and the factor of the output that one of this input is."""

    index: int
    factor: callable


def passages(expressions, variable):
    """Through which inputs of its node factors pass to a variable.

    Parameters
    ----------
    expressions : crmn_legacy.backend.stabilization.expressions.Expressions
    variable : aesara.graph.basic.Variable

    Returns
    -------
    list of Passage
        Their `factor` takes a factor of the input and returns the same of the output, None if it is none there.
    """
    node = variable.owner
    if comes_from(variable, scalar.Second):
        return [Passage(1, lambda factor: factor)]
    if comes_from(variable, scalar.Cast):
        return [Passage(0, lambda factor: _uncast(expressions, node, factor))]
    if comes_from(variable, scalar.Switch):
        return [Passage(index, partial(_of_branch, expressions, node, index)) for index in (1, 2)]
    for kinds, way in _WAYS.items():
        if isinstance(node.op, kinds):
            return way(expressions, variable)
    return []


def _uncast(expressions, node, factor):
    if comes_from(factor, scalar.Cast) and factor.owner.inputs[0].type.dtype == node.outputs[0].type.dtype:
        return factor.owner.inputs[0]
    return expressions.apply(node.op, factor)


def _of_branch(expressions, node, index, factor):
    """Of two branches chosen by the same condition the factor is chosen so, too."""
    if comes_from(factor, scalar.Switch):
        conditions = [expressions.representative(one.inputs[0]) for one in (factor.owner, node)]
        if conditions[0] is conditions[1]:
            return factor.owner.inputs[index]
    return factor


def _same(expressions, variable):
    return [Passage(0, lambda factor: factor)]


def _dimshuffle(expressions, variable):
    order = variable.owner.op.new_order
    return [Passage(0, lambda factor: expressions.dimshuffle(factor, order))]


def _sum(expressions, variable):
    """What is the same all along the axes that are summed is a factor of the sum."""
    given = variable.owner.inputs[0].type.ndim
    axes = range(given) if variable.owner.op.axis is None else [one % given for one in variable.owner.op.axis]
    kept = [place for place in range(given) if place not in axes]

    def factor_of_sum(factor):
        if not all(factor.type.broadcastable[axis] for axis in axes):
            return None
        return expressions.dimshuffle(factor, kept)

    return [Passage(0, factor_of_sum)]


def _reshape(expressions, variable):
    given, shape = variable.owner.inputs

    def reshaped(factor):
        if factor.type.broadcastable != given.type.broadcastable:
            return None
        # A gradient is brought back to the shape that the expression had.
        if has_op(factor, Reshape) and factor.owner.inputs[0].type.ndim == variable.type.ndim:
            return factor.owner.inputs[0]
        return expressions.apply(variable.owner.op, factor, shape)

    return [Passage(0, reshaped)]


def _alloc(expressions, variable):
    return [Passage(0, lambda factor: expressions.of_dimensions(factor, variable.type.ndim))]


def _part(expressions, variable):
    given, *place = variable.owner.inputs

    def part(factor):
        if factor.type.broadcastable != given.type.broadcastable:
            return None
        return expressions.apply(variable.owner.op, factor, *place)

    return [Passage(0, part)]


def _placed(expressions, variable):
    """Parts of an array of zeros are set: if they were taken from something, the factor is that."""
    op, (ground, _, *place) = variable.owner.op, variable.owner.inputs
    if expressions.constant_value(ground) != 0:
        return []

    def whole(factor):
        if not has_op(factor, _SELECTIONS[type(op)]):
            return None
        taken = factor.owner.inputs[1:]
        if [expressions.representative(x) for x in taken] != [expressions.representative(x) for x in place]:
            return None
        if list(getattr(op, "idx_list", ())) != list(getattr(factor.owner.op, "idx_list", ())):
            return None
        whole = factor.owner.inputs[0]
        return whole if whole.type.ndim == variable.type.ndim else None

    return [Passage(1, whole)]


def _split(expressions, variable):
    """Of what was joined each part has its own factor."""
    node = variable.owner

    def part(factor):
        if not has_op(factor, Join) or len(factor.owner.inputs) != len(node.outputs) + 1:
            return None
        axes = [expressions.constant_value(axis) for axis in (factor.owner.inputs[0], node.inputs[1])]
        if None in axes or axes[0] != axes[1]:
            return None
        return factor.owner.inputs[1 + variable.index]

    return [Passage(0, part)]


_WAYS = {
    DimShuffle: _dimshuffle,
    Sum: _sum,
    Reshape: _reshape,
    Alloc: _alloc,
    ViewOp | CheckAndRaise | SpecifyShape: _same,
    Subtensor | AdvancedSubtensor | AdvancedSubtensor1: _part,
    tuple(_SELECTIONS): _placed,
    Split: _split,
}
