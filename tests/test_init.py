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


def test_importing_the_package_imports_little():
    """Which takes milliseconds; a clock would tell of the machine's load as well."""
    ran = python(
        "-c", "import sys; before = set(sys.modules); import crmn_legacy; print(len(set(sys.modules) - before))"
    )
    assert int(ran.stdout) <= 25


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


def test_what_a_program_asks_of_the_package_is_there_without_another_import():
    asked = [
        "layers.PeepholeLSTMLayer",
        "backend.compile.compile_step",
        "training.fitting.fit",
        "training.schedules.WarmUp",
        "data.boxes.crop_face",
        "data.files.faces.read_faces",
        "metrics.interocular_error",
        "archive.read_arrays",
        "cost.parameters",
        "inference.predictors.load",
        "models.crmn",
        "models.blocks",
        "report.render",
    ]
    code = f"import crmn_legacy\nfor name in {asked}: print(eval('crmn_legacy.' + name).__name__)"
    ran = python("-c", code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split()[:2] == ["PeepholeLSTMLayer", "compile_step"]


def test_a_module_that_is_asked_for_is_imported_and_no_more():
    asked = "import os, sys, crmn_legacy; before = dict(os.environ); crmn_legacy.metrics; crmn_legacy.layers\n"
    ran = python("-c", f"{asked}print(dict(os.environ) == before, 'crmn_legacy.training' in sys.modules)")
    assert (ran.stdout, ran.stderr) == ("True False\n", "")


def test_what_completion_offers_is_there():
    assert {"layers", "data", "metrics", "fit", "load", "models"} <= set(dir(crmn_legacy))
    assert "__main__" not in dir(crmn_legacy)
    ran = python("-c", "import crmn_legacy; print(dir(crmn_legacy.models))")
    assert "'crmn'" in ran.stdout and "'blocks'" in ran.stdout


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonesuch'"):
        _ = crmn_legacy.nonesuch


def test_every_lazy_name_resolves():
    for name, reference in crmn_legacy._LAZY.items():
        # Imported first: until then something else stands for `models`.
        expected = backend.resolve(reference)
        assert getattr(crmn_legacy, name) is expected


def test_installing_twice_adds_no_second_finder():
    before = list(sys.meta_path)
    backend.install()
    assert sys.meta_path == before
