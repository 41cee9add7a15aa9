"""Choices, checks, and what a program prints while it runs."""

import jax
import numpy as np
from aesara.ifelse import IfElse
from aesara.printing import Print
from aesara.raise_op import CheckAndRaise
from aesara.tensor.basic import Default
from jax import lax

from .duals import of_duals, traced_of
from .order import of_maps, written
from .registry import active_settings, as_array, concrete, lowering


@lowering.register(CheckAndRaise)
def _check(op, node):
    def check(x, *conditions):
        """What is known while tracing is checked once and for all; what depends on the data cannot raise under XLA."""
        if not all(np.all(condition) for condition in conditions if concrete(condition)):
            raise op.exc_type(op.msg)
        if not concrete(*conditions) and not active_settings().passes_checks:
            raise NotImplementedError(f"what it checks depends on the data, and XLA raises no {op.exc_type.__name__}")
        return x

    return of_maps(check)


@lowering.register(IfElse)
def _if_else(op, node):
    count = op.n_outs

    def if_else(condition, *branches):
        then, otherwise = branches[:count], branches[count:]
        return choice(condition, lambda: then, lambda: otherwise)

    return if_else


def choice(condition, then, otherwise):
    """What one of two functions returns, a sequence of values; the other one is not computed.

    Parameters
    ----------
    condition : array
        Of no dimension.
    then, otherwise : callable
        Without arguments.

    Returns
    -------
    sequence
        Of one branch as they are, if the condition is known while tracing; else arrays.

    Raises
    ------
    NotImplementedError
        If the condition is not known, and the branches differ in shape.
    """
    if concrete(condition):
        return then() if condition else otherwise()
    shapes = []

    def arrays(branch):
        def compute():
            values = tuple(as_array(written(traced_of(value))) for value in branch())
            shapes.append([value.shape for value in values])
            return values

        return compute

    try:
        return lax.cond(as_array(traced_of(condition)).astype(bool), arrays(then), arrays(otherwise))
    except TypeError as error:
        if len(shapes) == 2 and shapes[0] != shapes[1]:
            raise NotImplementedError(
                "the branches of ifelse differ in shape, but XLA needs one shape for both"
            ) from error
        raise


@lowering.register(Print)
def _print(op, node):
    # Of several devices nobody knows which comes first.
    ordered = active_settings().mesh is None

    @of_duals
    @of_maps
    def show(x):
        jax.debug.callback(_shown(op), as_array(written(traced_of(x))), ordered=ordered)
        return x

    return show


def _shown(op):
    """What prints a value: Aesara's function, or the script's own."""
    return lambda value: op.global_fn(op, np.asarray(value))


@lowering.register(Default)
def _default(op, node):
    return of_maps(lambda x, default: default if x is None else x)
