"""A draw from a `numpy.random.RandomState` as an op of a graph, and how Theano asked NumPy for its distributions."""

import copy

import numpy as np
from aesara import tensor
from aesara.gradient import grad_undefined
from aesara.graph.basic import Apply
from aesara.graph.op import Op
from aesara.tensor.exceptions import ShapeError
from aesara.tensor.random.type import RandomStateType
from aesara.tensor.type import integer_dtypes


class RandomFunction(Op):
    """Draw from a generator.

    Parameters
    ----------
    fn : str or callable
        A method of `numpy.random.RandomState` by its name, or a function that takes a generator, the parameters, and
        the shape (a tuple, or None).
    outtype : aesara.tensor.type.TensorType
        Of the sample.
    inplace : bool
        Advance the generator that is given, rather than a copy of it.
    ndim_added : int
        How many dimensions the sample has beyond those of the shape.
    """

    __props__ = ("fn", "outtype", "inplace", "ndim_added")

    def __init__(self, fn, outtype, inplace=False, ndim_added=0):
        self.fn = fn
        self.outtype = outtype
        self.inplace = inplace
        self.ndim_added = ndim_added
        if inplace:
            self.destroy_map = {0: [0]}

    def __str__(self):
        return f"RandomFunction{{{self.fn if isinstance(self.fn, str) else self.fn.__name__}}}"

    def make_node(self, r, shape, *args):
        """Build the node of a draw from `r` with the shape `shape`, a vector, and the parameters `args`."""
        if not isinstance(getattr(r, "type", None), RandomStateType):
            raise TypeError(f"got {r!r}, expected a variable of type RandomStateType, as shared(RandomState(seed)) is")
        shape = tensor.as_tensor_variable(shape, ndim=1)
        if shape.type.dtype not in integer_dtypes:
            # An empty tuple comes as an empty vector of floats.
            shape = tensor.cast(shape, "int64")
        return Apply(self, [r, shape, *map(tensor.as_tensor_variable, args)], [r.type(), self.outtype()])

    def perform(self, node, inputs, output_storage):
        """Draw."""
        rng, shape, *parameters = inputs
        # A shallow copy of a generator may share its state with it.
        rng = rng if self.inplace else copy.deepcopy(rng)
        output_storage[0][0] = rng
        output_storage[1][0] = np.asarray(self.sample(rng, *parameters, size=shape), node.outputs[1].type.dtype)

    def sample(self, rng, *parameters, size):
        """What NumPy draws from `rng`, which is advanced.

        Parameters
        ----------
        rng : numpy.random.RandomState
        *parameters : array
            Of the distribution.
        size : sequence of int
            Shape of the sample; empty: that of the parameters.
        """
        size = tuple(int(length) for length in size) or None
        draw = getattr(np.random.RandomState, self.fn) if isinstance(self.fn, str) else self.fn
        drawn = np.asarray(draw(rng, *parameters, size))
        if size is None and drawn.ndim == 0:
            drawn = drawn.reshape((1,) * self.outtype.ndim)
        if drawn.ndim != self.outtype.ndim or (size and drawn.shape[: drawn.ndim - self.ndim_added] != size):
            raise ValueError(
                f"{self} drew numbers of shape {drawn.shape}, expected {self.outtype.ndim} dimensions, "
                f"the first of them {size or ()}"
            )
        return drawn

    def sample_shape(self, size, parameters):
        """The shape that a sample will have, as far as parameters tell; None where they don't.

        Parameters
        ----------
        size : sequence of int or of scalar
            As `sample` takes it.
        parameters : sequence of array or of TensorVariable
            Only the shape of most is looked at.

        Returns
        -------
        tuple or None
        """
        if self.fn is permutation_helper:
            return (*size, parameters[0])
        if self.fn is multinomial_helper and len(size) + 1 == self.outtype.ndim:
            return (*size, parameters[1].shape[-1])
        if self.ndim_added == 0 and len(size) == self.outtype.ndim:
            return tuple(size)
        return None

    def infer_shape(self, fgraph, node, shapes):
        """Shapes of the outputs, for Aesara's rewrites."""
        size = node.inputs[1]
        try:
            length = tensor.get_vector_length(size)
        except ValueError:
            length = self.outtype.ndim - self.ndim_added
        shape = self.sample_shape([size[axis] for axis in range(length)], node.inputs[2:])
        if shape is None:
            raise ShapeError()
        return [None, [tensor.cast(side, "int64") for side in shape]]

    def grad(self, inputs, output_grads):
        """No gradient goes through a draw."""
        return [
            grad_undefined(self, index, variable, "no gradient goes through a draw of random numbers")
            for index, variable in enumerate(inputs)
        ]

    def R_op(self, inputs, eval_points):
        """None goes forward either."""
        return [None for _ in eval_points]


def random_integers_helper(rng, low, high, size):
    """Integers from `low` to `high`, both included."""
    # Theano asked for them one by one; all at once they are the same. As int64, for 127 + 1 leaves int8.
    low, high = np.asarray(low).astype("int64"), np.asarray(high).astype("int64")
    return rng.randint(low, high + 1, size, dtype="int64")


def choice_helper(rng, a, replace, p, size):
    """Elements of `a`, or of ``range(a)``; an empty `p` says nothing."""
    return rng.choice(a, size, bool(replace), p if p.size else None)


def permutation_helper(rng, n, size):
    """Permutations of ``range(n)``, drawn one after the other."""
    permutations = np.empty((*(size or ()), int(n)), "int64")
    for index in np.ndindex(permutations.shape[:-1]):
        permutations[index] = rng.permutation(int(n))
    return permutations


def multinomial_helper(rng, n, pvals, size):
    """Counts of outcomes, drawn row by row."""
    if size is None:
        size = np.broadcast_shapes(n.shape, pvals.shape[:-1])
    n, rows = np.broadcast_to(n, size), np.broadcast_to(pvals, (*size, pvals.shape[-1]))
    if rows.size and rows.min() < 0:
        raise ValueError("got a negative probability, expected none in the pvals of a multinomial draw")
    counts = np.empty(rows.shape)
    for index in np.ndindex(size):
        counts[index] = rng.multinomial(n[index], _room_for_rounding(rows[index]).astype("float64"))
    return counts


def _room_for_rounding(row):
    """Take a little off probabilities whose rounding errors NumPy might refuse, where Theano did so."""
    total = np.sum(row)
    if 1.0 < total < 1.0 + 1e-5 or row[-1] < 5e-5:
        row = row * (1.0 - 5e-5)
        total = np.sum(row)
    if not total <= 1.0:
        raise ValueError(f"got probabilities that sum to {total}, expected at most 1 in each row of pvals")
    return row
