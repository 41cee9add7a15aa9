"""The examples in docstrings are run."""

import doctest
import importlib
import operator
import pkgutil

import pytest

import crmn_legacy

_FINDER = doctest.DocTestFinder(exclude_empty=True)


def with_examples():
    """Names of the package's modules with an example in them."""
    found = []
    for module in pkgutil.walk_packages(crmn_legacy.__path__, "crmn_legacy."):
        spec = module.module_finder.find_spec(module.name)
        if not module.name.endswith("__main__") and ">>> " in spec.loader.get_source(module.name):
            found.append(module.name)
    return found


@pytest.mark.parametrize("name", with_examples())
def test_examples_give_what_stands_below_them(name, double):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    # What changes the whole process is shown, and tried elsewhere.
    assert (results.attempted or "+SKIP" in module.__loader__.get_source(name)) and not results.failed


@pytest.mark.parametrize("name", ["fit", "load", "name_parameters", "restore", "backend.compile.compile_step"])
def test_what_the_package_offers_has_an_example(name):
    (found,) = _FINDER.find(operator.attrgetter(name)(crmn_legacy), name)
    assert found.examples
