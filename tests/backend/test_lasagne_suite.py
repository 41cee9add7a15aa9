"""Lasagne 0.1's own test suite, on Aesara under Theano's names.

The suite ships in Lasagne's source archive only. The archive is fetched with pip, its digest checked, and kept
in the user's cache; or ``CRMN_LEGACY_LASAGNE_SOURCE`` names the folder of an unpacked one.
"""

import collections
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree
from pathlib import Path

import pytest

ARCHIVE = "Lasagne-0.1.tar.gz"
SHA256 = "3c634ecab67e43e4f18520932bfd88bd3c678ec723c48177f18799dab2411233"

PASSED = 726
_NO_CARD = "wants an ImportError where there is no card, but the layers are answered by the ordinary operations"
KNOWN_FAILURES = {
    "TestConv2DDNNLayer.test_import_without_gpu_or_cudnn_raises": _NO_CARD,
    "TestConv2DMMLayer.test_import_without_gpu_raises": _NO_CARD,
    "TestConv2DCCLayer.test_import_without_gpu_raises": _NO_CARD,
    "TestGetOutput_InputLayer.test_get_output_input_is_variable": "makes a theano.Variable of a str, which is no type",
}
# Lasagne's two example programs, which its suite runs on demand.
KNOWN_SKIPS = {"examples": 2}

RUNNER = """
import sys
import crmn_legacy
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


@pytest.fixture(scope="session")
def lasagne_source(tmp_path_factory):
    """The folder of Lasagne 0.1's unpacked source archive."""
    given = os.environ.get("CRMN_LEGACY_LASAGNE_SOURCE")
    if given:
        assert (Path(given) / "lasagne" / "tests").is_dir(), f"{given} is no unpacked Lasagne source archive"
        return Path(given)
    folder = tmp_path_factory.mktemp("lasagne")
    # The filter refuses what would be written outside the folder.
    with tarfile.open(cached_archive()) as archive:
        archive.extractall(folder, filter="data")
    return folder / "Lasagne-0.1"


def cached_archive():
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "crmn_legacy"
    path = cache / ARCHIVE
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        download(cache)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert digest == SHA256, f"{path} is not the release of Lasagne 0.1; remove it"
    return path


def download(folder):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    # pip asks the archive's setup.py for its name: with the setuptools at hand, not with one fetched for this.
    command += ["--no-binary", ":all:", "--no-build-isolation", "--dest", str(folder), "Lasagne==0.1"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("Lasagne 0.1's source archive could not be fetched: pip took over 120 s")
    if ran.returncode:
        reason = (ran.stderr.strip() or "pip failed").splitlines()[-1]
        pytest.skip(f"Lasagne 0.1's source archive could not be fetched: {reason}")


def run_suite(source, folder, flags, runner=("-c", RUNNER)):
    """Run the suite; return its test cases, each an element of pytest's JUnit report."""
    if importlib.util.find_spec("mock") is None:
        pytest.skip("Lasagne's suite needs the package mock")
    tests = source / "lasagne" / "tests"
    report = folder / "report.xml"
    # Lasagne's own pytest options and plugins are for the pytest of 2015: its settings are not read.
    command = [sys.executable, *runner, "-q", "-c", os.devnull, "-p", "no:cacheprovider", "-W", "ignore"]
    command += ["-o", "python_files=test*py", "-o", "junit_family=xunit2", f"--junitxml={report}"]
    command += [f"--rootdir={tests}", f"--confcutdir={tests}", str(tests)]
    repository = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    ran = subprocess.run(
        command,
        cwd=folder,
        env={**environment, "AESARA_FLAGS": flags},
        capture_output=True,
        text=True,
    )
    assert ran.returncode in (0, 1), ran.stdout[-4000:] + ran.stderr[-4000:]
    return xml.etree.ElementTree.parse(report).getroot().findall("./testsuite/testcase")


def assert_lasagnes_bar_is_met(cases):
    outcomes = collections.defaultdict(list)
    for case in cases:
        outcome = case[0].tag if len(case) else "passed"
        outcomes[outcome].append(case)
    failed = [f"{case.get('classname').rpartition('.')[2]}.{case.get('name')}" for case in outcomes.pop("failure", [])]
    assert sorted(failed) == sorted(KNOWN_FAILURES)
    assert len(outcomes.pop("passed")) == PASSED
    assert count_skips(outcomes.pop("skipped")) == KNOWN_SKIPS
    assert not outcomes


def count_skips(cases):
    counts = collections.Counter()
    for case in cases:
        message = case[0].get("message")
        is_example = case.get("name").startswith("test_example[") and "--runslow" in message
        counts["examples" if is_example else message] += 1
    return dict(counts)


def test_lasagnes_own_suite_passes_but_for_the_known_failures(lasagne_source, tmp_path):
    # Most of the suite's functions run once: what compiles fastest is fastest, and that is no C.
    assert_lasagnes_bar_is_met(run_suite(lasagne_source, tmp_path, "mode=FAST_COMPILE,cxx="))


@pytest.mark.slow
def test_lasagnes_own_suite_passes_through_xla(lasagne_source, tmp_path):
    door = ("-m", "crmn_legacy.backend", "-m", "pytest")
    assert_lasagnes_bar_is_met(run_suite(lasagne_source, tmp_path, "cxx=", door))


@pytest.mark.slow
def test_lasagnes_own_suite_passes_in_float32(lasagne_source, tmp_path):
    assert_lasagnes_bar_is_met(run_suite(lasagne_source, tmp_path, "mode=FAST_COMPILE,cxx=,floatX=float32"))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_lasagnes_own_suite_passes_in_compiled_code(lasagne_source, tmp_path):
    assert_lasagnes_bar_is_met(run_suite(lasagne_source, tmp_path, ""))


def test_every_known_failure_has_its_reason():
    assert all(len(reason) > 20 for reason in KNOWN_FAILURES.values())


def test_an_archive_of_another_digest_is_refused(tmp_path, monkeypatch):
    (tmp_path / "crmn_legacy").mkdir()
    (tmp_path / "crmn_legacy" / ARCHIVE).write_bytes(b"something else")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(AssertionError, match="is not the release of Lasagne"):
        cached_archive()
