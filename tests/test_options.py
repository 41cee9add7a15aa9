"""Options, each declared once: flags, words and the check of a record agree."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crmn_legacy.cli import add_options
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED, DEFAULTS, Options, kind_of
from crmn_legacy.parser import Parser


def parsed(words):
    flags = Parser()
    add_options(flags)
    given = vars(flags.parse_args(words))
    return replace(DEFAULTS, **{name: value for name, value in given.items() if value is not None})


values = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3)
)
names = st.text("abcdef_.", min_size=1, max_size=5)


@given(
    st.builds(
        Options,
        data=st.none() | st.sampled_from(["a.h5", "/b c/d.h5"]),
        epochs=st.none() | st.integers(1, 2**64 - 1),
        seed=st.integers(0, 2**64 - 1),
        devices=st.integers(1, 9),
        precision=st.sampled_from(kind_of("precision")),
        bits=st.sampled_from(kind_of("bits")),
        smoke=st.booleans(),
        network=st.dictionaries(names, values | st.tuples(values, values), max_size=3),
        set=st.dictionaries(names, values, max_size=2),
        trace=st.booleans(),
    )
)
def test_the_words_of_options_give_them_back(options):
    assert parsed(options.as_words()) == options


def test_only_what_differs_from_the_default_is_given():
    assert DEFAULTS.as_words() == [] and DEFAULTS.changed() == []
    assert Options(seed=2, smoke=True).as_words() == ["--seed", "2", "--smoke"]


@pytest.mark.parametrize("words", ["--network n", "--network =3", "--set", "--epochs 0", "--seed -1", "--bits x"])
def test_flags_that_will_not_do_are_refused(words):
    with pytest.raises(UserError):
        parsed(words.split())


def test_every_option_is_declared_with_help_and_a_known_rule():
    assert DECLARED.keys() == set(Options.__struct_fields__)
    assert all(declared.help for declared in DECLARED.values())
    assert {declared.on_resume for declared in DECLARED.values()} == {"kept", "elsewhere", "longer", "other"}
    flags = argparse.ArgumentParser()
    add_options(flags)
    assert {action.dest for action in flags._actions} - {"help"} == DECLARED.keys()
