"""`doctor`: a line a check, each failure with its mend."""

import pytest

from crmn_legacy.commands import doctor as module

CHECKS = [
    "Python",
    "packages",
    "processor",
    "embedded sample",
    "XLA",
    "CUDA devices",
    "C compiler",
    "compilation cache",
    "home",
    "temporary files",
    "environment",
    "disk",
]


def test_this_machine_can_do_what_is_needed(command, compiled):
    checks = {check["check"]: check for check in command("doctor", "--json").json}
    assert list(checks) == CHECKS
    assert all(check["status"] in ("ok", "missing") for check in checks.values())
    assert all(check["found"] for check in checks.values())
    assert all(bool(check["mend"]) == (check["status"] != "ok") for check in checks.values())
    assert "xla/cpu/float32/portable/avx2/partition8/" in checks["XLA"]["found"]
    assert checks["XLA"]["found"].endswith("--bits strict can be kept")
    assert checks["compilation cache"]["found"] == str(compiled)


def test_what_fails_is_named_with_its_mend_and_status_1(command, monkeypatch):
    monkeypatch.setattr(module.processor, "flags", lambda: {"sse2"})
    for name in ("_xla", "_devices"):
        monkeypatch.setattr(module, name, lambda: module._check("one", True, "found", "mend"))
    done = command("doctor")
    assert done.status == 1 and done.err == ""
    (line,) = (line for line in done.out.splitlines() if line.startswith("bad"))
    assert "processor" in line and "none of AVX" in line and "mend: `--bits portable` needs AVX2" in line


@pytest.mark.parametrize(
    ("good", "needed", "status"), [(True, True, "ok"), (False, True, "bad"), (False, False, "missing")]
)
def test_a_check_that_fails_is_bad_only_where_the_default_needs_it(good, needed, status):
    check = module._check("name", good, "found", "do this", needed)
    assert check["status"] == status and check["mend"] == ("" if good else "do this")


def test_packages_unlike_the_pins_are_named(monkeypatch, tmp_path):
    (tmp_path / "requirements.txt").write_text("# comment\nnumpy==0.1  # why\nno-such-package==3\n")
    monkeypatch.setattr(module, "CHECKOUT", tmp_path)
    check = module._packages()
    assert check["status"] == "bad"
    assert "(pinned 0.1)" in check["found"] and "no-such-package none (pinned 3)" in check["found"]


def test_a_home_and_a_folder_for_temporary_files_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert module._home() == {"check": "home", "status": "ok", "found": str(tmp_path), "mend": ""}
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    assert module._home()["status"] == "missing" and "set HOME" in module._home()["mend"]

    def none():
        raise FileNotFoundError(2, "No usable temporary directory")

    monkeypatch.setattr(module.tempfile, "gettempdir", none)
    assert module._temporary()["status"] == "bad" and "set TMPDIR" in module._temporary()["mend"]


def test_variables_that_runs_set_aside_or_refuse_are_named(monkeypatch):
    monkeypatch.setattr(module.variables, "removed", lambda: {"JAX_DISABLE_JIT": "1", "OMP_PLACES": "cores"})
    check = module._environment()
    assert check["status"] == "ok" and check["found"] == "JAX_DISABLE_JIT, OMP_PLACES set aside"
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2")
    check = module._environment()
    assert check["status"] == "bad" and check["found"] == "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2"
