"""Theano 0.7's comparisons, in a process that has opened the door to programs of the time."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import aesara.tensor as at
import pytest
import theano.tensor as T

REPOSITORY = str(Path(__file__).parents[2])

PREAMBLE = """
import json
import crmn_legacy
from crmn_legacy import backend
from crmn_legacy.backend import theano_comparisons
backend.install()
theano_comparisons.install()
import jax
import numpy as np
import theano
import theano.tensor as T
from theano.ifelse import ifelse
theano_comparisons.install()

v, m = T.dvector("v"), T.dmatrix("m")
VALUES = {v: np.array([2.0, 0.5, -1.0]), m: np.array([[1.0, np.nan], [-3.0, np.inf]])}
INPUTS, GIVEN = list(VALUES), list(VALUES.values())


def python(output, query=None):
    mode = theano.compile.mode.Mode("py", query)
    return theano.function(INPUTS, output, mode=mode, on_unused_input="ignore")(*GIVEN)


def told(value):
    return [str(value.dtype), value.tolist()]
"""


def run(program):
    """Run a program behind the door; return what it prints, read as JSON."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREAMBLE + textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": REPOSITORY, "AESARA_FLAGS": "cxx=,mode=FAST_COMPILE"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


# What v = [2, 0.5, -1] and m = [[1, nan], [-3, inf]] give.
NUMBERS = {
    "v > 0": ["int8", [1, 1, 0]],
    "v >= 0.5": ["int8", [1, 1, 0]],
    "v < 0.5": ["int8", [0, 0, 1]],
    "v <= 0.5": ["int8", [0, 1, 1]],
    "np.array([1.0, 1.0, 1.0]) > v": ["int8", [0, 1, 1]],
    "T.gt(v, 0)": ["int8", [1, 1, 0]],
    "T.ge(v, 2)": ["int8", [1, 0, 0]],
    "T.lt(0.6, v)": ["int8", [1, 0, 0]],
    "T.le(v, v)": ["int8", [1, 1, 1]],
    "T.eq(v, 2)": ["int8", [1, 0, 0]],
    "T.neq(v, 2)": ["int8", [0, 1, 1]],
    "T.isnan(m)": ["int8", [[0, 1], [0, 0]]],
    "T.isinf(m)": ["int8", [[0, 0], [0, 1]]],
    "T.isnan(T.cast(v, 'int32'))": ["int8", [0, 0, 0]],
    "T.isclose(v, 2 + 1e-9)": ["int8", [1, 0, 0]],
    "T.allclose(v, v)": ["int8", 1],
    "T.all(v > 0)": ["int8", 0],
    "T.any(v > 0)": ["int8", 1],
    "(v > 0).all()": ["int8", 0],
    "(m > 1).any(axis=1)": ["int8", [0, 1]],
    "T.all(m, axis=0, keepdims=True)": ["int8", [[1, 1]]],
    # They add and are negated.
    "T.gt(v, 0) + T.gt(v, 1)": ["int8", [2, 1, 0]],
    "T.sum(T.gt(v, 0) + T.gt(v, 1))": ["int64", 3],
    "T.gt(v, 0) - T.gt(v, 1)": ["int8", [0, 1, 0]],
    "-T.eq(v, 2.)": ["int8", [-1, 0, 0]],
    "1 - (v > 0)": ["int8", [0, 0, 1]],
    "(v > 0) * (v < 1)": ["int8", [0, 1, 0]],
    "(v > 0) * v": ["float64", [2.0, 0.5, 0.0]],
    "(v > 0) * T.cast(v, 'float32')": ["float32", [2.0, 0.5, 0.0]],
    "(v > 0).sum()": ["int64", 2],
    "T.mean(T.neq(v, 2))": ["float64", 2 / 3],
    "T.mean(T.eq(v, 0.5), dtype='float32')": ["float32", 0.3333333432674408],
    "T.max(v > 0)": ["int8", 1],
    "T.min(v > 0)": ["int8", 0],
    "T.dot(v > 0, v)": ["float64", 2.5],
    # Their bits are those of an int8.
    "(v > 0) & (v > 1)": ["int8", [1, 0, 0]],
    "T.and_(v > 0, v > 1)": ["int8", [1, 0, 0]],
    "T.or_(v > 1, v < 0)": ["int8", [1, 0, 1]],
    "(v > 1) | (v < 0)": ["int8", [1, 0, 1]],
    "T.xor(v > 0, v > 1)": ["int8", [0, 1, 0]],
    "(v > 0) ^ (v > 1)": ["int8", [0, 1, 0]],
    "(v > 0) & np.array([False, True, True])": ["int8", [0, 1, 0]],
    "np.array([False, True, True]) ^ (v > 0)": ["int8", [1, 0, 1]],
    "T.bitwise_or(T.cast(v, 'bool'), T.eq(v, 2))": ["int8", [1, 1, 1]],
    "T.and_(T.cast(v, 'bool'), T.cast(v > 0, 'bool'))": ["bool", [True, True, False]],
    "T.or_(T.cast(v, 'int32'), 4)": ["int32", [6, 4, -1]],
    "T.invert(v > 0)": ["int8", [-2, -2, -1]],
    "~(v > 0)": ["int8", [-2, -2, -1]],
    # Where truth is asked for, not is not.
    "T.switch(v > 0, v, -v)": ["float64", [2.0, 0.5, 1.0]],
    "T.switch(~(v > 0), 7., v)": ["float64", [2.0, 0.5, 7.0]],
    "T.where(T.isnan(m) | T.isinf(m), 0., m)": ["float64", [[1.0, 0.0], [-3.0, 0.0]]],
    "ifelse(T.gt(v.sum(), 9), v, -v)": ["float64", [-2.0, -0.5, 1.0]],
    "ifelse(~T.gt(v.sum(), 9), v, -v)": ["float64", [2.0, 0.5, -1.0]],
    "T.all(~(v > 5))": ["int8", 1],
    "T.any(~(v > -5))": ["int8", 0],
    "T.cast(~(v > 0), 'bool')": ["bool", [False, False, True]],
    "T.cast(v > 0, 'float32')": ["float32", [1.0, 1.0, 0.0]],
    "(v > 0).astype('int32')": ["int32", [1, 1, 0]],
    # No gradient goes through.
    "T.grad(T.sum((v > 1) * v ** 2), v)": ["float64", [4.0, 0.0, 0.0]],
    "T.grad(T.sum(T.switch(v > 0, v ** 2, v)), v)": ["float64", [4.0, 1.0, 1.0]],
    "T.grad(T.sum((v > 1) * 1.) + v.sum(), v)": ["float64", [1.0, 1.0, 1.0]],
    # Numbers are places.
    "v[T.cast(v > 0, 'int8')]": ["float64", [0.5, 0.5, 2.0]],
    "v[(v > 0).astype('int8')]": ["float64", [0.5, 0.5, 2.0]],
    "v[1 - (v > 0)]": ["float64", [2.0, 2.0, 0.5]],
}

# XLA's shapes cannot follow from these.
SELECTIONS = {
    "v[v > 0]": ["float64", [2.0, 0.5]],
    "v[T.eq(v, 0.5)]": ["float64", [0.5]],
    "v[~(v > 0)]": ["float64", [-1.0]],
    "v[(v > 0) & ~(v > 1)]": ["float64", [0.5]],
    "v[T.or_(v > 1, v < 0)]": ["float64", [2.0, -1.0]],
    "v[(v > 0) * (v < 1)]": ["float64", [0.5]],
    "m[T.isnan(m)]": ["float64", [float("nan")]],
    "m[~T.isnan(m).T]": ["float64", [1.0, float("nan"), float("inf")]],
    "m[m[:, 0] > 0, 0]": ["float64", [1.0]],
    "m[T.gt(m.flatten(), 0).reshape((2, 2))]": ["float64", [1.0, float("inf")]],
    "m[(m > 0)[0]]": ["float64", [[1.0, float("nan")]]],
    "v[T.eq(v, v).nonzero()]": ["float64", [2.0, 0.5, -1.0]],
    "v[(~T.eq(v, 2)).nonzero()]": ["float64", [0.5, -1.0]],
    "T.nonzero(~(v > 0))[0]": ["int64", [2]],
    "T.flatnonzero(~(m > 0))": ["int64", [1, 2]],
    "T.set_subtensor(v[v > 0], 7.)": ["float64", [7.0, 7.0, -1.0]],
    "T.inc_subtensor(v[~(v > 0)], 1.)": ["float64", [2.0, 0.5, 0.0]],
    "T.set_subtensor(v[(v > 0).nonzero()], v[v > 0] * 2)": ["float64", [4.0, 1.0, -1.0]],
    "T.grad(v[v > 0].sum(), v)": ["float64", [1.0, 1.0, 0.0]],
}


@pytest.fixture(scope="module")
def answers():
    program = f"""
        from crmn_legacy.backend.lowerings import lower

        def through_xla(output):
            with jax.experimental.enable_x64():
                return np.asarray(jax.jit(lower(INPUTS, [output]))(*GIVEN)[0])

        numbers, selections = {list(NUMBERS)}, {list(SELECTIONS)}
        print(json.dumps({{
            "python": {{text: told(python(eval(text))) for text in numbers + selections}},
            "rewritten": {{text: told(python(eval(text), "fast_run")) for text in numbers + selections}},
            "xla": {{text: told(through_xla(eval(text))) for text in numbers}},
        }}))
    """
    return run(program)


@pytest.mark.parametrize("way", ["python", "rewritten", "xla"])
@pytest.mark.parametrize("text", NUMBERS)
def test_a_comparison_is_theanos_number(answers, way, text):
    assert answers[way][text] == NUMBERS[text]


@pytest.mark.parametrize("way", ["python", "rewritten"])
@pytest.mark.parametrize("text", SELECTIONS)
def test_a_comparison_selects_as_a_mask(answers, way, text):
    # NaN is unlike itself.
    assert json.dumps(answers[way][text]) == json.dumps(SELECTIONS[text])


def test_what_else_asks_whether_something_holds():
    program = """
        from theano.sandbox.rng_mrg import MRG_RandomStreams

        def step(x):
            return x + 1, theano.scan_module.until(~(x < 3))

        stopped, _ = theano.scan(step, outputs_info=T.constant(0.0), n_steps=20)
        from aesara.raise_op import Assert
        try:
            python(Assert("negative")(v, T.all(~(v < 0))))
            refused = None
        except AssertionError as error:
            refused = str(error).partition("\\n")[0]
        try:
            chained = bool(v > 0)
        except TypeError as error:
            chained = str(error)
        # Aesara's own code compares, and inverts, by the operators too.
        truncated = theano.function([], MRG_RandomStreams(3).normal((80,), truncate=True))()
        print(json.dumps([python(stopped).tolist(), refused, chained, len(truncated), bool(abs(truncated).max() <= 2)]))
    """
    stopped, refused, chained, count, truncated = run(program)
    assert stopped == [1.0, 2.0, 3.0, 4.0]
    assert refused == "negative"
    assert "boolean operations" in chained
    assert (count, truncated) == (80, True)


def test_truth_is_asked_of_comparisons_alone():
    program = """
        from crmn_legacy.backend.theano_comparisons import truth
        b, flags = T.bvector(), T.TensorType("bool", (None,))()
        kept = [b, v, 3, None, slice(None), b & (v > 0), (v > 0) + (v > 1), -(v > 0), T.cast(v > 0, "int8"), ~b]
        asked = [v > 0, ~(v > 0), (v > 0) & flags, (v > 0) * (v < 1), (v > 0)[::-1], (v > 0).dimshuffle("x", 0)]
        print(json.dumps([all(truth(x) is x for x in kept), [truth(x).dtype for x in asked]]))
    """
    assert run(program) == [True, ["bool"] * 6]


def test_names_that_were_looked_up_before_are_theanos_from_then_on():
    program = """
        import subprocess, sys
        code = '''
        import crmn_legacy
        import theano.tensor as T
        x = T.dvector()
        before = T.gt(x, 0).dtype, (x > 0).dtype
        from crmn_legacy.backend import theano_comparisons
        theano_comparisons.install()
        import json
        import theano.tensor.basic
        print(json.dumps([*before, T.gt(x, 0).dtype, (x > 0).dtype, T.basic.eq(x, 0).dtype]))
        '''
        import textwrap
        print(subprocess.run([sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
                             capture_output=True, text=True, check=True).stdout)
    """
    assert run(program) == ["bool", "bool", "int8", "int8", "int8"]


def test_without_the_door_comparisons_are_aesaras():
    x = at.dvector()
    assert (x > 0).dtype == T.gt(x, 0).dtype == "bool"
    assert T.eq is at.eq
