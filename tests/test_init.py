import subprocess
import sys

import pytest

import crmn_legacy
from crmn_legacy import backend


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=120, **options)


def test_importing_the_package_imports_no_third_party_module():
    ran = python(
        "-c",
        "import sys; before = set(sys.modules); import crmn_legacy\n"
        "for name in sorted(set(sys.modules) - before): print(name.partition('.')[0])",
    )
    assert ran.returncode == 0, ran.stderr
    imported = set(ran.stdout.split())
    assert "crmn_legacy" in imported
    assert imported - {"crmn_legacy"} <= sys.stdlib_module_names
    # Slow ones of the standard library have no place there either.
    assert not imported & {"dataclasses", "inspect", "typing", "subprocess", "logging"}


def test_importing_the_package_takes_milliseconds():
    timed = "import time; start = time.perf_counter(); import crmn_legacy; print(time.perf_counter() - start)"
    python("-c", timed)  # compiles the modules to byte code
    seconds = min(float(python("-c", timed).stdout) for _ in range(5))
    assert seconds < 0.05


def test_a_lazy_name_is_imported_when_first_asked_for(monkeypatch):
    monkeypatch.setitem(crmn_legacy._LAZY, "fractions_half", "fractions:Fraction")
    monkeypatch.setitem(crmn_legacy._LAZY, "errors_module", "crmn_legacy.errors")
    try:
        assert "fractions_half" in dir(crmn_legacy)
        assert crmn_legacy.fractions_half(1, 2) == 0.5
        assert crmn_legacy.errors_module.UserError is crmn_legacy.errors.UserError
    finally:
        vars(crmn_legacy).pop("fractions_half", None)
        vars(crmn_legacy).pop("errors_module", None)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        _ = crmn_legacy.nonesuch


def test_every_lazy_name_resolves():
    for name, reference in crmn_legacy._LAZY.items():
        assert getattr(crmn_legacy, name) is backend.resolve(reference)


def test_installing_twice_adds_no_second_finder():
    before = list(sys.meta_path)
    backend.install()
    assert sys.meta_path == before
