"""Why two runs may differ, by what their folders say."""

import pytest

from crmn_legacy import archive
from crmn_legacy.archive.compare import RunOnDisk
from crmn_legacy.archive.differences import differences, shown
from crmn_legacy.options import Options
from tests.folders import write_run


@pytest.fixture
def ours(tmp_path):
    return write_run(tmp_path / "ours")


def found(ours, theirs):
    return differences(RunOnDisk.read(ours), RunOnDisk.read(theirs))


def lines(ours, theirs):
    return [line for each in found(ours, theirs) for line in each.lines()]


def test_equal_runs_differ_in_nothing(ours, tmp_path):
    assert found(ours, write_run(tmp_path / "theirs")) == []


def test_reasons_are_told_a_line_each(ours, tmp_path):
    theirs = write_run(
        tmp_path / "theirs",
        options=Options(seed=2, data="/elsewhere/faces.h5"),
        data_digest="e" * 64,
        packages={"numpy": "2.0.0"},
        platform_key="xla/there",
        environment={"NPROC": "4"},
        source={"state": "dirty"},
    )
    (theirs / archive.RECIPE).write_text("RECIPE = 2\n")
    assert lines(ours, theirs) == [
        "recipe.py: 2 lines differ",
        "  - RECIPE = 1",
        "  + RECIPE = 2",
        "options: seed 1 | 2",
        "data: dddddddddddd | eeeeeeeeeeee",
        "packages: numpy 1.26.4 | 2.0.0",
        "source: state None | dirty",
        "platform key: xla/here | xla/there",
        "environment: NPROC None | 4",
    ]


def test_variables_that_libraries_read_are_among_the_reasons(tmp_path):
    ours = write_run(
        tmp_path / "ours",
        variables={"PYTHONPATH": "<source>", "LANG": "C", "CRMN_LEGACY_CACHE": "off", "NPROC": "8"},
        environment={"NPROC": "8"},
    )
    theirs = write_run(
        tmp_path / "theirs",
        variables={"LD_PRELOAD": "/opt/x.so", "JAX_DISABLE_JIT": "1 (set aside)", "PYTHONPATH": "/other"},
        environment={"NPROC": "8"},
    )
    assert lines(ours, theirs) == [
        "variables: JAX_DISABLE_JIT None | 1 (set aside); LD_PRELOAD None | /opt/x.so; PYTHONPATH None | /other"
    ]


def test_a_long_difference_of_recipes_is_cut_short(ours, tmp_path):
    theirs = write_run(tmp_path / "theirs")
    (theirs / archive.RECIPE).write_text("".join(f"{'x' * 300}{number}\n" for number in range(50)))
    found = lines(ours, theirs)
    assert found[0] == "recipe.py: 51 lines differ" and found[-1] == "  and 39 more"
    assert len(found) == 14 and max(map(len, found)) < 120


def test_what_a_file_says_is_printed_on_one_line_without_controls():
    assert shown("a\x1b[2Jb\nc") == "'a\\x1b[2Jb\\nc'"
    assert shown("0123456789abcdef" * 4) == "0123456789ab"
    assert "\n" not in shown({"a": "x\ny"})
