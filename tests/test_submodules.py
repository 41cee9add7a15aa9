"""Submodules are attributes of their package."""

import importlib
import pkgutil

import pytest

import crmn_legacy

PACKAGES = ["crmn_legacy"] + [
    found.name for found in pkgutil.walk_packages(crmn_legacy.__path__, "crmn_legacy.") if found.ispkg
]


@pytest.mark.parametrize("name", PACKAGES)
def test_every_submodule_is_an_attribute_and_is_offered(name):
    package = importlib.import_module(name)
    for found in pkgutil.iter_modules(package.__path__):
        if found.name == "__main__":
            continue
        assert found.name in dir(package)
        # A function may have its module's name, as `models.crmn` has.
        assert callable(getattr(package, found.name)) or getattr(package, found.name) is importlib.import_module(
            f"{name}.{found.name}"
        )


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_no_submodule_is_an_attribute_error(name):
    package = importlib.import_module(name)
    for attribute in ("nonesuch", "__wrapped__", "__main__"):
        with pytest.raises(AttributeError, match=f"module '{name}' has no attribute '{attribute}'"):
            getattr(package, attribute)


def test_what_a_package_names_itself_is_offered_too():
    assert {"PeepholeLSTMLayer", "peephole_lstm", "__all__"} <= set(dir(crmn_legacy.layers))
