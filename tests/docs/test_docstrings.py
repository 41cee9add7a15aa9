"""What the API's pages show has docstrings by numpydoc's rules, as far as this house keeps them."""

import dataclasses
import importlib
import re

import msgspec
import pytest

pytest.importorskip("numpydoc", reason="numpydoc is not installed: make manual")

from numpydoc.validate import validate

from tests.walkthrough import ROOT, read

# SA01, ES01, EX01: "See Also", an extended summary and examples are written where they help. PR07, RT03: name and type
# may say enough. SS05: takes every summary whose first word ends in s ("Whether ...") for the third person.
NOT_KEPT = {"ES01", "EX01", "PR07", "RT03", "SA01", "SS05"}
# The first that one meets; each is shown in use.
WITH_EXAMPLES = ("crmn_legacy.fit", "crmn_legacy.load", "crmn_legacy.name_parameters")


def shown():
    """Dotted names of what the pages of docs/api show."""
    found = []
    for page in sorted((ROOT / "docs" / "api").glob("*.md")):
        current = "crmn_legacy"
        for kind, name, members in re.findall(
            r"^\.\. (automodule|autoclass|autofunction):: (\S+)\n(?:   :members:([^\n]*)\n)?", read(page), re.MULTILINE
        ):
            if kind != "automodule":
                found.append(name if "." in name else f"{current}.{name}")
                continue
            module = importlib.import_module(name)
            named = members.replace(",", " ").split() or module.__all__
            found += [f"{name}.{member}" for member in named if _is_ours(getattr(module, member))]
    return found


def _is_ours(thing):
    return callable(thing) and getattr(thing, "__module__", "").startswith("crmn_legacy")


def _is_record(name):
    """Whether a class is made of fields, which it documents as attributes, or says what others have to answer to."""
    module, _, attribute = name.rpartition(".")
    thing = getattr(importlib.import_module(module), attribute)
    fields = dataclasses.is_dataclass(thing) or getattr(thing, "_is_protocol", False)
    return isinstance(thing, type) and (fields or issubclass(thing, msgspec.Struct | tuple))


SHOWN = shown()


@pytest.mark.parametrize("name", SHOWN)
def test_a_docstring_is_as_numpydoc_wants_it(name):
    skipped = NOT_KEPT | ({"PR01"} if _is_record(name) else set())
    errors = [f"{code}: {said}" for code, said in validate(name)["errors"] if code not in skipped]
    assert errors == []


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_what_one_meets_first_has_an_example(name):
    assert validate(name)["docstring"].count(">>>")


def test_the_pages_show_every_public_layer_model_and_setting():
    for room in ("layers", "models", "training", "data"):
        module = importlib.import_module(f"crmn_legacy.{room}")
        ours = {f"crmn_legacy.{room}.{name}" for name in module.__all__ if _is_ours(getattr(module, name))}
        assert ours <= set(SHOWN)
    assert len(SHOWN) > 100
