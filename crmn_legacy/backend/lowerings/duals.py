"""Small integers that are known while a program is traced, and traced as well: shapes may follow from them."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, eq=False)
class Dual:
    """A small integer, or a few, known and traced at once.

    Attributes
    ----------
    known : numpy.ndarray or slice
        The value of the call that the program is traced for.
    traced : jax.Array or slice
    guards : crmn_legacy.backend.lowerings.guarded.Guards
    place : int
        Where `guards` keep the value.
    """

    known: Any
    traced: Any
    guards: Any
    place: int

    @property
    def shape(self):
        return self.traced.shape

    @property
    def ndim(self):
        return self.traced.ndim

    @property
    def dtype(self):
        return self.traced.dtype


def known_of(value):
    """The known value of a dual; any other as it is."""
    return value.known if isinstance(value, Dual) else value


def traced_of(value):
    """The traced value of a dual; any other as it is."""
    return value.traced if isinstance(value, Dual) else value


def of_duals(function):
    """Mark a lowering that is given `Dual` values as they are."""
    function.takes_duals = True
    return function


def takes_duals(function):
    """Tell whether a lowering is marked with `of_duals`."""
    return getattr(function, "takes_duals", False)
