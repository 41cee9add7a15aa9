"""Outcomes chosen by uniform random numbers, as the MRG streams do it."""

import jax.numpy as jnp
from aesara.sandbox.multinomial import ChoiceFromUniform, MultinomialFromUniform
from jax import lax

from .registry import as_array, known_integers, lowering, output_dtype


def _numbers_by_round(pvals, uniform, count):
    """The uniform numbers (rounds, rows), one a round for each row of probabilities.

    Raises
    ------
    ValueError
        If there are not `count` numbers a row.
    """
    (count,) = known_integers((count,), "the number of samples of a multinomial draw")
    if uniform.shape[0] != len(pvals) * count:
        raise ValueError(f"got {uniform.shape[0]} uniform numbers, expected {count} for each of {len(pvals)} rows")
    return uniform.reshape(count, len(pvals))


def _outcomes(pvals, uniform):
    """The first outcome of each row that takes the sum of probabilities above the number; -1 if none does."""
    # In double precision where there is any, as Aesara adds them up in C.
    above = jnp.cumsum(pvals, 1, dtype=float) > uniform[:, None]
    return jnp.where(above.any(1), jnp.argmax(above, 1), -1)


@lowering.register(MultinomialFromUniform)
def _multinomial(op, node):
    def multinomial(pvals, uniform, count):
        pvals, uniform = as_array(pvals), as_array(uniform)
        rounds = _numbers_by_round(pvals, uniform, count)
        outcomes, dtype = jnp.arange(pvals.shape[1]), output_dtype(node)

        def add_round(counts, numbers):
            chosen = _outcomes(pvals, numbers)[:, None] == outcomes
            return counts + chosen.astype(dtype), None

        return lax.scan(add_round, jnp.zeros(pvals.shape, dtype), rounds)[0]

    return multinomial


@lowering.register(ChoiceFromUniform)
def _choice(op, node):
    def choice(pvals, uniform, count):
        pvals, uniform = as_array(pvals), as_array(uniform)
        rounds = _numbers_by_round(pvals, uniform, count)
        if len(rounds) > pvals.shape[1]:
            raise ValueError(f"got {len(rounds)} samples without replacement, expected at most {pvals.shape[1]}")
        outcomes = jnp.arange(pvals.shape[1])

        def choose(pvals, numbers):
            chosen = _outcomes(pvals, numbers)
            if not op.replace:
                taken = chosen[:, None] == outcomes
                left = jnp.where(taken, 0, pvals)
                # A row from which nothing was taken stays as it is.
                pvals = jnp.where(taken.any(1)[:, None], left / left.sum(1, keepdims=True), pvals)
            return pvals, chosen.astype(output_dtype(node))

        return lax.scan(choose, pvals, rounds)[1].T

    return choice
