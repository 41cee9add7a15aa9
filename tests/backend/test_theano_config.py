"""``theano.config`` as programs read and set it."""

import contextlib

import pytest

from crmn_legacy.backend import theano_config

# isort: split
# The names below can be imported once the package above is.
import aesara
import theano


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(theano_config, "_kept", {})
    monkeypatch.setattr(theano_config, "_chosen", set())
    with contextlib.ExitStack() as stack:
        stack.enter_context(aesara.config.change_flags(floatX="float64", compute_test_value="off"))
        yield


def test_it_is_aesaras_configuration():
    theano.config.floatX = "float32"
    assert aesara.config.floatX == theano.config.floatX == "float32"
    theano.config.scan.allow_gc = not theano.config.scan.allow_gc
    assert theano.config.scan.allow_gc is aesara.config.scan__allow_gc is theano.config.scan__allow_gc
    theano.config.scan.allow_gc = not theano.config.scan.allow_gc
    assert theano.tensor.config is theano.configparser.config is theano.configdefaults.config is theano.config


@pytest.mark.parametrize("name", sorted(theano_config.GONE))
def test_an_option_that_aesara_lacks_is_read_and_set_without_effect(name):
    *sections, option = name.split("__")
    place = theano.config
    for section in sections:
        place = getattr(place, section)
    assert getattr(place, option) == theano_config.GONE[name]
    setattr(place, option, "something")
    assert getattr(place, option) == "something"
    assert option in dir(place)


def test_an_option_of_the_programs_own_is_kept_and_an_unknown_one_an_attribute_error():
    theano.config.my_option = 3
    assert theano.config.my_option == 3
    for unknown in ("nonesuch", "lib.nonesuch"):
        place = theano.config.lib if "." in unknown else theano.config
        with pytest.raises(AttributeError, match=f"no option {unknown}"):
            getattr(place, unknown.rpartition(".")[2])
    assert not hasattr(theano.config, "nonesuch") and getattr(theano.config, "nonesuch", 1) == 1


def test_a_card_that_is_asked_for_is_set_aside_with_a_note(capsys):
    theano.config.device = "gpu0"
    assert theano.config.device == "cpu"
    assert capsys.readouterr().err.startswith("note: theano.config.device = 'gpu0' set aside")
    theano.config.device = "cpu"
    theano.config.force_device = False
    assert capsys.readouterr().err == ""


def test_what_theano_took_and_aesara_does_not_is_set_aside_and_nonsense_is_an_error(capsys):
    before = theano.config.mode
    theano.config.mode = "ProfileMode"
    assert theano.config.mode == before
    assert "theano.config.mode = 'ProfileMode' set aside" in capsys.readouterr().err
    with pytest.raises(ValueError):
        theano.config.floatX = "float7"


def test_options_change_for_a_while():
    with theano.configparser.change_flags({"lib.cnmem": 0.5}, floatX="float32", device="gpu"):
        assert (theano.config.lib.cnmem, theano.config.floatX) == (0.5, "float32")
    assert (theano.config.lib.cnmem, theano.config.floatX, theano.config.device) == (0.0, "float64", "cpu")

    @theano.config.change_flags(compute_test_value="raise")
    def inside():
        return theano.config.compute_test_value

    assert (inside(), inside(), theano.config.compute_test_value) == ("raise", "raise", "off")


@pytest.mark.parametrize(
    ("kind", "arguments", "good", "bad"),
    [
        ("EnumStr", ("a", "b", "c"), "b", "d"),
        ("BoolParam", (True,), False, "perhaps"),
        ("IntParam", (3, lambda value: value > 0), 4, -1),
        ("FloatParam", (0.5,), 0.25, "half"),
        ("StrParam", ("x",), "y", None),
        ("ConfigParam", ("x", str.upper), "Y", None),
    ],
)
def test_a_program_declares_options_of_its_own(kind, arguments, good, bad):
    name = f"declared.{kind}"
    theano.configparser.AddConfigVar(name, "For this test.", getattr(theano.configparser, kind)(*arguments))
    assert getattr(theano.config.declared, kind) == (arguments[0].upper() if kind == "ConfigParam" else arguments[0])
    setattr(theano.config.declared, kind, good)
    assert getattr(theano.config.declared, kind) == good
    if bad is not None:
        with pytest.raises(ValueError):
            setattr(theano.config.declared, kind, bad)
