"""Values of shared variables that stay on the device between calls, and come home when they are looked at.

Aesara keeps a shared variable's value in a cell that every function reads. A compiled function leaves there what it
computed, an array of JAX; whoever looks (``get_value``, a pickle, a function that Aesara computes) gets NumPy's.
"""

import sys
import weakref

import numpy as np

_ours = weakref.WeakValueDictionary()
_twins = {}


def is_on_device(value):
    """Tell whether a value is an array of JAX."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def keep(cell, value):
    """Leave what a program computed in a shared variable's cell; it may be donated to the next."""
    cell[0] = value
    _ours[id(value)] = value


def may_be_donated(value):
    """Tell whether nobody but one cell holds an array of JAX."""
    return id(value) in _ours


def copied(value):
    """A copy on the device, of NumPy's array or of JAX's."""
    import jax.numpy as jnp
    from jax.experimental import enable_x64

    with enable_x64():
        return jnp.array(value)


def move(cell):
    """Move a shared variable's value to the device, where it stays: a set of data is not sent with every call."""
    value = cell[0]
    if isinstance(value, np.ndarray) and value.ndim and twin(value) is None:
        keep(cell, copied(value))


def home(cell):
    """Bring a cell's value home.

    Returns
    -------
    object
        NumPy's array, which may be written: where the device is this machine's memory it is the memory itself, so that
        what is written is seen by the next call, as it was with Theano's ``borrow=True``.
    """
    value = cell[0]
    if not is_on_device(value):
        return value
    _ours.pop(id(value), None)
    if next(iter(value.devices())).platform != "cpu":
        return np.array(value)
    array = np.asarray(value)
    if array.size:
        array = np.asarray(_Memory(array))
        _twins[id(array)] = value
        weakref.finalize(array, _twins.pop, id(array), None)
    else:
        array = array.copy()
    cell[0] = array
    return array


def twin(array):
    """The array of JAX whose memory NumPy's `array` is; None if there is none."""
    return _twins.get(id(array))


class _Memory:
    """The memory of a read-only array, to be written."""

    def __init__(self, array):
        self.array = array
        interface = dict(array.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def install():
    """Have Aesara's cells bring their values home when they are read; idempotent."""
    from aesara.link.basic import Container

    if getattr(Container, "brings_home", False):
        return
    set_value = Container.__set__

    def get(self):
        """The value, at home."""
        return home(self.storage)

    def state(self):
        """What is pickled and copied: the value at home."""
        home(self.storage)
        return self.__dict__

    deep_copied = Container.__deepcopy__

    def deep_copy(self, memo):
        home(self.storage)
        return deep_copied(self, memo)

    Container.__get__ = get
    Container.data = Container.value = property(get, set_value)
    Container.__getstate__ = state
    Container.__deepcopy__ = deep_copy
    Container.brings_home = True
