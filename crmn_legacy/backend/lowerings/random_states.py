"""Draws from NumPy's generators: the numbers that NumPy gives, inside a program of XLA.

A generator travels as an array of 32-bit words. Each draw is a call to NumPy on the host, which takes the words and
returns those of the generator after the draw beside the sample; it is a pure function and may stand in a loop.
"""

import functools
import threading

import jax
import numpy as np
from aesara.tensor.random.op import RandomVariable
from jax import lax
from jax.experimental.buffer_callback import buffer_callback

from ..random_function import RandomFunction
from .interpreter import Program
from .registry import as_array, concrete, known_integers, lowering, on_processor, output_dtype

# What is in the state of each of NumPy's bit generators: where, as which integers, how many of them. Integers of 128
# bits are Python's.
_INTEGER, _WORDS, _LONGS = "integer", "<u4", "<u8"
_BUFFER = ((("has_uint32",), _INTEGER, 4), (("uinteger",), _INTEGER, 4))
_PCG64 = ((("state", "state"), _INTEGER, 16), (("state", "inc"), _INTEGER, 16), *_BUFFER)
_LAYOUTS = {
    "MT19937": ((("state", "key"), _WORDS, 624), (("state", "pos"), _INTEGER, 4)),
    "PCG64": _PCG64,
    "PCG64DXSM": _PCG64,
    "Philox": (
        (("state", "counter"), _LONGS, 4),
        (("state", "key"), _LONGS, 2),
        (("buffer",), _LONGS, 4),
        (("buffer_pos",), _INTEGER, 4),
        *_BUFFER,
    ),
    "SFC64": ((("state", "state"), _LONGS, 4), *_BUFFER),
}
_NAMES = tuple(_LAYOUTS)
# A RandomState also keeps the second of two Gaussians.
_GAUSSIAN = ((("has_gauss",), _INTEGER, 4), (("gauss",), "<f8", 1))


def state_to_array(rng):
    """Write down the state of a generator of NumPy.

    Parameters
    ----------
    rng : numpy.random.RandomState or numpy.random.Generator

    Returns
    -------
    array of uint32 (words,)
        Two words that say which generator it is, then its state, least significant words first. As many for one kind
        of generator; 630 for a `RandomState`.

    Raises
    ------
    TypeError
        If `rng` is no generator, or has a bit generator that is not NumPy's own.

    Examples
    --------
    >>> rng = np.random.RandomState(1)
    >>> same = array_to_state(state_to_array(rng))
    >>> same.uniform() == rng.uniform()
    True
    """
    legacy = isinstance(rng, np.random.RandomState)
    if not legacy and not isinstance(rng, np.random.Generator):
        raise TypeError(f"got {type(rng).__name__}, expected a RandomState or a Generator of NumPy")
    state = rng.get_state(legacy=False) if legacy else rng.bit_generator.state
    name = state["bit_generator"]
    if name not in _LAYOUTS:
        raise TypeError(f"got a generator on {name}, expected one on {', '.join(_LAYOUTS)}")
    parts = [np.array([_NAMES.index(name), legacy], "<u4").tobytes()]
    for place, kind, size in _layout(name, legacy):
        value = functools.reduce(lambda inner, key: inner[key], place, state)
        parts.append(int(value).to_bytes(size, "little") if kind == _INTEGER else np.asarray(value, kind).tobytes())
    return np.frombuffer(b"".join(parts), "<u4").astype(np.uint32, copy=False)


def array_to_state(array, into=None):
    """Return the generator whose state was written down.

    Parameters
    ----------
    array : array of uint32 (words,)
        What `state_to_array` gave.
    into : numpy.random.RandomState or numpy.random.Generator, optional
        A generator of that kind that is to have this state; making a new one takes longer than a small draw.

    Returns
    -------
    numpy.random.RandomState or numpy.random.Generator
        `into`, or a new one.
    """
    words = np.ascontiguousarray(array, dtype="<u4")
    name, legacy = _NAMES[words[0]], bool(words[1])
    state = {"bit_generator": name}
    rest = memoryview(words.tobytes())[8:]
    for place, kind, size in _layout(name, legacy):
        if kind == _INTEGER:
            value, taken = int.from_bytes(rest[:size], "little"), size
        else:
            taken = size * np.dtype(kind).itemsize
            value = np.frombuffer(rest[:taken], kind)
        rest = rest[taken:]
        functools.reduce(lambda inner, key: inner.setdefault(key, {}), place[:-1], state)[place[-1]] = value
    if legacy:
        state["gauss"] = float(state["gauss"][0])
        rng = np.random.RandomState(getattr(np.random, name)(0)) if into is None else into
        rng.set_state(state)
    else:
        rng = np.random.Generator(getattr(np.random, name)(0)) if into is None else into
        rng.bit_generator.state = state
    return rng


def _layout(name, legacy):
    return (*_LAYOUTS[name], *(_GAUSSIAN if legacy else ()))


@lowering.register(RandomFunction)
def _random_function(op, node):
    def draw(state, size, *parameters):
        size = known_integers(size, "the number of random numbers")
        shape = op.sample_shape(size, parameters)
        if shape is None or not all(map(concrete, shape)):
            raise NotImplementedError(f"the shape of what {op} draws depends on the data, but XLA fixes shapes")
        return _drawn(node, state, parameters, tuple(map(int, shape)), functools.partial(op.sample, size=size))

    return draw


@lowering.register(RandomVariable)
def _random_variable(op, node):
    def draw(state, size, _, *parameters):
        size = known_integers(size, "the number of random numbers")
        shape = size if size and op.ndim_supp == 0 else _shape(op, node, size, parameters)

        def sample(rng, *parameters):
            return op.rng_fn(rng, *parameters, size or None)

        return _drawn(node, state, parameters, shape, sample)

    return draw


def _shape(op, node, size, parameters):
    """The shape that a random variable of Aesara has with parameters of these shapes."""
    from aesara.tensor import constant

    lengths = [
        tuple(constant(length, dtype="int64") for length in np.shape(value)) if value is not None else ()
        for value in parameters
    ]
    size = constant(np.asarray(size, "int64"))
    sides = [
        constant(side) if isinstance(side, int) else side for side in op._infer_shape(size, node.inputs[3:], lengths)
    ]
    return known_integers(Program(node.inputs[3:], sides)(*parameters), "the number of random numbers")


def _drawn(node, state, parameters, shape, sample):
    """The state of a generator after a draw, and the sample.

    Parameters
    ----------
    node : aesara.graph.basic.Apply
    state : array of uint32 (words,), or a generator that is a constant of the graph
    parameters : sequence
        Of the distribution: arrays, and None where it has none.
    shape : tuple of int
        Of the sample.
    sample : callable
        Takes a generator of NumPy and the parameters, returns the sample; the generator is then past it.
    """
    state = as_array(state if hasattr(state, "shape") else state_to_array(state))
    dtype = output_dtype(node, 1)
    given = [index for index, value in enumerate(parameters) if not concrete(value)]

    def on_host(words, *values):
        arguments = list(parameters)
        for index, value in zip(given, values, strict=True):
            arguments[index] = np.asarray(value)
        rng = _set_generator(np.asarray(words))
        drawn = np.asarray(sample(rng, *arguments))
        if drawn.shape != shape:
            raise ValueError(f"{node.op} drew numbers of shape {drawn.shape}, expected {shape}")
        return state_to_array(rng), drawn.astype(dtype, copy=False)

    results = jax.ShapeDtypeStruct(state.shape, state.dtype), jax.ShapeDtypeStruct(shape, dtype)
    call = _called_in_place if on_processor() else _called_with_copies
    return call(on_host, results, [state, *(parameters[index] for index in given)])


def _called_in_place(function, results, arguments):
    """Call `function` on the host with the processor's own buffers.

    `jax.pure_callback` copies what it is given by the very threads that wait for it: with one thread and some
    megabytes it never returns.
    """

    def in_place(_, outputs, *values):
        for output, value in zip(outputs, function(*values), strict=True):
            np.asarray(output)[...] = value

    return buffer_callback(in_place, results)(*arguments)


def _called_with_copies(function, results, arguments):
    """Call `function` on the host with what an accelerator holds.

    What has 64 bits travels as words of 32: JAX's x64 switch is the thread's, and a callback has a thread of its own.
    """
    dtypes = [np.dtype(value.dtype) for value in arguments]

    def with_copies(*values):
        values = [
            np.asarray(value).view(dtype)[..., 0] if dtype.itemsize == 8 else value
            for value, dtype in zip(values, dtypes, strict=True)
        ]
        return [
            np.array(value, order="C")[..., None].view(np.uint32) if value.dtype.itemsize == 8 else value
            for value in function(*values)
        ]

    travelling = [
        jax.ShapeDtypeStruct((*kind.shape, 2), np.uint32) if kind.dtype.itemsize == 8 else kind for kind in results
    ]
    arguments = [
        lax.bitcast_convert_type(value, np.uint32) if dtype.itemsize == 8 else value
        for value, dtype in zip(arguments, dtypes, strict=True)
    ]
    values = jax.pure_callback(with_copies, travelling, *arguments, vmap_method="sequential")
    return [
        lax.bitcast_convert_type(value, kind.dtype) if kind.dtype.itemsize == 8 else value
        for value, kind in zip(values, results, strict=True)
    ]


_scratch = threading.local()


def _set_generator(words):
    """A generator in the state that `words` tell, this thread's own; good until the next call."""
    if not hasattr(_scratch, "generators"):
        _scratch.generators = {}
    kind = tuple(words[:2].tolist())
    _scratch.generators[kind] = array_to_state(words, _scratch.generators.get(kind))
    return _scratch.generators[kind]
