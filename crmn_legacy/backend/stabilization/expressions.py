"""Nodes of an Aesara graph, each made once: what is computed alike is one variable."""

import numpy as np
from aesara.graph.basic import Constant
from aesara.scalar import basic as scalar
from aesara.tensor import math
from aesara.tensor.basic import Alloc, constant, fill, switch
from aesara.tensor.elemwise import DimShuffle, Elemwise
from aesara.tensor.shape import Reshape
from aesara.tensor.subtensor import AdvancedSubtensor, AdvancedSubtensor1, Subtensor
from aesara.tensor.type import TensorType

# Constants with more elements than these are not compared.
_MOST_ELEMENTS = 1000
# How far back a number is followed that the graph makes of constants.
_CONSTANT_DEPTH = 6
_FOLDED = (scalar.Add, scalar.Sub, scalar.Mul, scalar.TrueDivide, scalar.Neg, scalar.Cast, scalar.Identity, scalar.Sqr)

# Ops that move the elements of their first input about, or select some: what is done to each may be done after as well.
MOVING = (DimShuffle, Reshape, Subtensor, AdvancedSubtensor, AdvancedSubtensor1)


def comes_from(variable, kinds):
    """Whether a variable is put out by an `Elemwise` of a scalar op of these classes."""
    node = variable.owner
    return node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, kinds)


def has_op(variable, kinds):
    """Whether a variable is put out by an op of these classes."""
    return variable.owner is not None and isinstance(variable.owner.op, kinds)


def is_real(variable):
    """Whether a variable is a dense tensor of floating-point numbers."""
    return isinstance(variable.type, TensorType) and variable.type.dtype in ("float16", "float32", "float64")


class Expressions:
    """Makes nodes, each once, and knows the nodes of the graph that it was shown.

    Patterns are recognised by that: where one variable is looked for twice, it is the same object.
    """

    def __init__(self):
        self._nodes, self._constants, self._same, self._values = {}, {}, {}, {}

    def meet(self, node, may_stand):
        """Take a node of the graph in.

        Parameters
        ----------
        node : aesara.graph.basic.Apply
        may_stand : callable
            Whether another node that computes the same may be put in its place.

        Returns
        -------
        aesara.graph.basic.Apply
            The node itself, or such another one.
        """
        try:
            known = self._nodes.setdefault(self._key(node.op, node.inputs), node)
        except TypeError:  # an op that cannot be hashed is like no other
            return node
        if known is node or [one.type for one in known.outputs] != [one.type for one in node.outputs]:
            return node
        if may_stand(known):
            return known
        self._same.update(zip(node.outputs, known.outputs, strict=True))
        return node

    def _key(self, op, inputs):
        return op, *map(self.representative, inputs)

    def representative(self, variable):
        """The one of all equal variables that stands for them in comparisons."""
        found = self._same.get(variable)
        if found is None:
            found = self._same[variable] = (
                self._equal_constant(variable) if isinstance(variable, Constant) else variable
            )
        return found

    def _equal_constant(self, variable):
        if np.size(variable.data) > _MOST_ELEMENTS:
            return variable
        try:
            return self._constants.setdefault(variable.signature(), variable)
        except TypeError:
            return variable

    def apply(self, op, *inputs, output=0):
        """An output of an op's node, which is made unless it is there."""
        key = self._key(op, inputs)
        if key not in self._nodes:
            self._nodes[key] = op.make_node(*key[1:])
        return self._nodes[key].outputs[output]

    def constant_value(self, variable, depth=_CONSTANT_DEPTH):
        """The number that all elements of a variable are, as a float; None if that is not known, or not finite."""
        if variable not in self._values:
            value = self._found_value(variable, depth)
            if depth < _CONSTANT_DEPTH:
                return value
            self._values[variable] = value
        return self._values[variable]

    def _found_value(self, variable, depth):
        if isinstance(variable, Constant):
            return _only_value(variable.data)
        if depth == 0 or variable.owner is None:
            return None
        if has_op(variable, DimShuffle | Alloc):
            return self.constant_value(variable.owner.inputs[0], depth - 1)
        if comes_from(variable, scalar.Second):
            return self.constant_value(variable.owner.inputs[1], depth - 1)
        return self._folded(variable.owner, depth) if comes_from(variable, _FOLDED) else None

    def _folded(self, node, depth):
        values = []
        for argument in node.inputs:
            values.append(self.constant_value(argument, depth - 1))
            if values[-1] is None:
                return None
        with np.errstate(all="ignore"):
            try:
                return _if_finite(node.op.scalar_op.impl(*values))
            except ArithmeticError:
                return None

    def dimshuffle(self, variable, order):
        """A variable with its dimensions in another order, ``'x'`` for a new one; what does nothing is left out."""
        if has_op(variable, DimShuffle):
            before = variable.owner.op.new_order
            order = ["x" if place == "x" else before[place] for place in order]
            return self.dimshuffle(variable.owner.inputs[0], order)
        if _changes_nothing(order, variable.type.broadcastable):
            return self.representative(variable)
        return self.apply(DimShuffle(variable.type.broadcastable, list(order)), variable)

    def keeping_dimensions(self, reduced, axes, ndim):
        """What a reduction over `axes` of an array of `ndim` dimensions gave, with these axes of length 1."""
        places = iter(range(reduced.type.ndim))
        return self.dimshuffle(reduced, ["x" if axis in axes else next(places) for axis in range(ndim)])

    def elementwise(self, op, *inputs):
        """An elementwise op of variables, whose last dimensions belong together."""
        ndim = max(variable.type.ndim for variable in inputs)
        return self.apply(op, *(self.of_dimensions(variable, ndim) for variable in inputs))

    def of_dimensions(self, variable, ndim):
        """A variable with dimensions of length 1 before its own."""
        return self.dimshuffle(variable, ["x"] * (ndim - variable.type.ndim) + list(range(variable.type.ndim)))

    def number(self, value, like):
        """A number, with the dtype and as many dimensions as `like`."""
        return self.of_dimensions(constant(np.asarray(value, like.type.dtype)), like.type.ndim)

    def negative(self, x):
        """``-x``; of what is a negative already, what it is the negative of."""
        if comes_from(x, scalar.Neg):
            return x.owner.inputs[0]
        if has_op(x, MOVING):
            return self.moved_like(x, self.negative(x.owner.inputs[0]))
        return self.apply(math.neg, x)

    def moved_like(self, moved, x):
        """Other elements, moved about as an op of `MOVING` did it to those that `moved` has."""
        if has_op(moved, DimShuffle):
            return self.dimshuffle(x, moved.owner.op.new_order)
        return self.apply(moved.owner.op, x, *moved.owner.inputs[1:])

    def filled(self, value, like):
        """A value with the dimensions that it has when it is computed together with `like`."""
        if all(one or not two for one, two in zip(like.type.broadcastable, value.type.broadcastable, strict=True)):
            return value
        return self.elementwise(fill, like, value)

    def cast(self, value, dtype):
        """A value in another dtype."""
        if value.type.dtype == dtype:
            return value
        return self.apply(Elemwise(scalar.Cast(scalar.get_scalar_type(dtype))), value)

    def fitted(self, value, kind):
        """A value as one of a type, cast if need be; None if it has other dimensions."""
        value = self.cast(value, kind.dtype)
        if kind.is_super(value.type):
            return value
        if value.type.broadcastable != kind.broadcastable:
            return None
        try:
            return kind.filter_variable(value, allow_convert=True)
        except TypeError:
            return None

    def chosen(self, condition, if_true, if_false):
        """One of two values, element by element."""
        return self.elementwise(switch, condition, if_true, if_false)


def _changes_nothing(order, broadcastable):
    """Whether dimensions are where they were; one of length 1 may have been taken out and put back."""
    if len(order) != len(broadcastable):
        return False
    return all(
        place == index or (place == "x" and broadcastable[index] and index not in order)
        for index, place in enumerate(order)
    )


def _only_value(data):
    if not isinstance(data, np.ndarray | np.number | int | float):
        return None
    data = np.asarray(data)
    if not 0 < data.size <= _MOST_ELEMENTS or data.dtype.kind not in "buif":
        return None
    first = data.flat[0]
    return _if_finite(first) if (data == first).all() else None


def _if_finite(number):
    return float(number) if np.isfinite(number) else None
