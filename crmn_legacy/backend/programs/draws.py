"""First weights as the draws that they were made of, which take a line each where the weights take megabytes."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Draw:
    """One call of a random generator that made a parameter.

    Attributes
    ----------
    place : (int, int)
        Purpose and index: with the seed they are the generator.
    distribution : str
        The name of a method of `numpy.random.Generator`.
    arguments, keywords : tuple, dict
        It was called with.
    """

    place: tuple
    distribution: str
    arguments: tuple
    keywords: dict

    def described(self):
        """As program.json has it (a dict)."""
        keywords = {name: list(value) if isinstance(value, tuple) else value for name, value in self.keywords.items()}
        return {
            "draw": list(self.place),
            "distribution": self.distribution,
            "arguments": list(self.arguments),
            "keywords": keywords,
        }


def describe(state, draws, values, streams):
    """How each array of a first state is made again.

    Parameters
    ----------
    state : dict of str to array
    draws : list of Draw
        In their order.
    values : callable
        Draw -> what it gave.
    streams : callable
        (seed, number) -> first states of so many streams of random numbers.

    Returns
    -------
    dict of str to dict
        Shape and dtype; and ``fill``, or a draw (with ``streams``, where it seeded these); neither of what no draw
        explains, and must be stored.
    """
    open_draws = [(draw, np.asarray(values(draw))) for draw in draws]
    return {
        name: {"shape": list(value.shape), "dtype": str(value.dtype), **_how(name, value, open_draws, streams)}
        for name, value in state.items()
    }


def _how(name, value, open_draws, streams):
    if value.size and (value == value.flat[0]).all():
        return {"fill": value.flat[0].item()}
    for number, (draw, drawn) in enumerate(open_draws):
        if drawn.shape == value.shape and np.array_equal(drawn.astype(value.dtype), value):
            del open_draws[number]
            return draw.described()
        if name.endswith(".rng") and not drawn.shape and np.array_equal(streams(int(drawn), len(value)), value):
            del open_draws[number]
            return draw.described() | {"streams": len(value)}
    return {}
