"""Maps joined as dense networks do: each join once, with the same numbers as whole joins."""

import re

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.compile.builders import OpFromGraph
from aesara.tensor.nnet.abstract_conv import conv2d

from crmn_legacy.backend.barrier import barrier
from crmn_legacy.backend.lowerings import settings

from .reference import hlo, xla_result

x, w = at.dtensor4("x"), at.dtensor4("w")
RNG = np.random.default_rng(0)
VALUES = [RNG.normal(size=shape) for shape in ((2, 3, 6, 5), (3, 3, 3, 3))]


def maps(number):
    """Each a convolution of the one before."""
    found = [conv2d(x, w, border_mode="half")]
    for _ in range(number - 1):
        found.append(at.tanh(conv2d(found[-1], w, border_mode="half")))
    return found


def join(parts):
    return at.concatenate(parts, axis=1)


def weighted(joins):
    return [(one * (place + 1)).sum((0, 2, 3)) for place, one in enumerate(joins)]


def again(parts, last):
    """The join of the parts behind a barrier that waits for `last`."""
    return join(barrier(*parts, last)[:-1])


def nested(parts):
    inner = [at.dtensor4() for _ in parts]
    return OpFromGraph(inner, [join(inner)])(*parts)


FOUR = maps(4)
JOINS = {
    "ever longer": [join(FOUR[:number]) for number in (2, 3, 4)],
    "by two at once": [join(FOUR[:2]), join(FOUR)],
    "shorter after longer": [join(FOUR), join(FOUR[:2]), join(FOUR[:3])],
    "the same": [join(FOUR), join(FOUR)],
    "others after the same first": [
        join(FOUR[:3]),
        join([FOUR[0], FOUR[2]]),
        join([FOUR[0], FOUR[2], FOUR[1], FOUR[3]]),
    ],
    "the first twice": [join([FOUR[0], FOUR[0]]), join([FOUR[0], FOUR[0], FOUR[1]]), join(FOUR[:1])],
    "behind a barrier": [join(FOUR), again(FOUR[:2], FOUR[3]), again(FOUR, FOUR[3])],
    "behind two barriers": [join([*barrier(*FOUR[:2], FOUR[3])[:2], barrier(FOUR[2], FOUR[3])[0]])],
    "inside a graph": [join(FOUR[:3]), nested(FOUR[:2]), nested(FOUR)],
}


@pytest.mark.parametrize("name", JOINS)
def test_joins_have_the_same_numbers(name):
    outputs = weighted(JOINS[name])
    if "barrier" not in name:  # which only gradients put there
        outputs += aesara.grad(sum((output**2).sum() for output in outputs), [x, w])
    with settings(channels_last=False):
        wanted = xla_result([x, w], outputs, VALUES)
    found = xla_result([x, w], outputs, VALUES)
    for one, other in zip(wanted, found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["ever longer", "shorter after longer", "the same", "behind a barrier"])
def test_a_join_takes_the_one_before_it_or_is_its_beginning(name):
    with settings(channels_last=True):
        joined = re.findall(r"concatenate.*-> tensor<2x6x5x(\d+)xf\d+>", hlo([x, w], weighted(JOINS[name]), VALUES))
    assert joined == (["6", "9", "12"] if name == "ever longer" else ["12"])
