"""In which order the elements of a map lie while a graph is lowered.

Aesara writes a map as (batch, channel, rows, columns). XLA's kernels on a processor want (batch, rows, columns,
channel), and so do sums over all places of a channel. Turning each convolution's operands to and fro would cost more
than it gains; so a map that a convolution made stays in its order until something needs the written one.

A lowering marked with :func:`of_maps` is given such maps as they are; one made with :func:`keeping_order` computes in
their order. All others get arrays in the written order.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

# Where each dimension as written lies, and the way back.
_LAST = (0, 2, 3, 1)
_WRITTEN = (0, 3, 1, 2)


@jax.tree_util.register_pytree_node_class
class Map:
    """An array as written (batch, channel, rows, columns), held as (batch, rows, columns, channel).

    Filters (outputs, inputs, rows, columns) may be held so too. A compiled function takes and returns maps as they are.

    Parameters
    ----------
    array : jax.Array
        In the order in which it is held.
    before : Map, optional
        The map that this one is behind a barrier.
    barrier : callable, optional
        Puts a Map behind that barrier.

    Attributes
    ----------
    shape : tuple of int
        As written.
    axes : tuple of int
        Where each dimension as written lies.
    longest : None or (list of Map, Map)
        The longest join that begins with this map: of what, and the join (`joining`).
    """

    ndim = 4
    axes = _LAST

    def __init__(self, array, before=None, barrier=None):
        self.array = array
        self.before = before
        self.barrier = barrier
        self.longest = None

    def tree_flatten(self):
        return (self.array,), None

    @classmethod
    def tree_unflatten(cls, _, arrays):
        return cls(*arrays)

    def __array__(self, dtype=None, copy=None):
        """The array as written, for NumPy."""
        return np.asarray(self.array, dtype).transpose(_WRITTEN)

    @property
    def shape(self):
        return tuple(self.array.shape[axis] for axis in _WRITTEN)

    @property
    def dtype(self):
        return self.array.dtype

    def astype(self, dtype):
        return Map(self.array.astype(dtype))

    @functools.cached_property
    def written(self):
        """The array in the written order; one for all who ask."""
        return self.array.transpose(_WRITTEN)

    @functools.cached_property
    def stored(self):
        """The array, computed once and kept, for all who ask from now on."""
        self.array = stored(self.array)
        return self.array


def stored(array):
    """`array`, so that XLA computes it once.

    Otherwise its processor code computes what is cheap anew for every kernel that reads it, in each one's order and
    from whatever it was made of, to any depth. What ends in a division is not cheap to it. That by one changes no
    number, and takes no longer than to write the array.
    """
    return array / jax.lax.optimization_barrier(jnp.ones((), array.dtype))


def of_maps(function):
    """Mark a lowered function that takes a :class:`Map` where there is one, and may return one."""
    function.of_maps = True
    return function


def takes_maps(function):
    """Whether a lowered function is marked by :func:`of_maps`."""
    return getattr(function, "of_maps", False)


def written(value):
    """`value` in the written order."""
    return value.written if isinstance(value, Map) else value


def moved(value):
    """A value of four dimensions with its channels last; any other as it is."""
    if isinstance(value, Map):
        return value.array
    if np.ndim(value) != 4:
        return value
    return (value if isinstance(value, np.ndarray | jax.Array) else jnp.asarray(value)).transpose(_LAST)


def lying_like(value, other):
    """`value` in the order in which `other` lies."""
    return _as_map(moved(value)) if isinstance(other, Map) else written(value)


def moved_axis(axis):
    """Where the dimension that is written as `axis` lies in a :class:`Map`."""
    return _LAST.index(axis % 4)


def in_moved_order(of_dimensions):
    """A list with something for each of four dimensions as written, put into the order of a :class:`Map`."""
    return [of_dimensions[axis] for axis in _LAST]


def keeping_order(function, last=None):
    """A lowered function that computes in the order in which its maps lie.

    Parameters
    ----------
    function : callable
        Of arrays in the written order.
    last : callable, optional
        The same of arrays whose channels lie last, with results of four dimensions in that order too; `function`, if it
        asks for no dimension.

    Returns
    -------
    callable
        Uses `last` as soon as one argument is a :class:`Map`.
    """
    last = last or function

    @of_maps
    def either(*values):
        if not any(isinstance(value, Map) for value in values):
            return function(*values)
        results = last(*map(moved, values))
        if isinstance(results, tuple | list):
            return [_as_map(result) for result in results]
        return _as_map(results)

    return either


def _as_map(result):
    return Map(result) if np.ndim(result) == 4 else result
