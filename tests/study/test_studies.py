"""The studies in the tree: each run is one that its recipe can do, and its schedule has time for."""

import runpy
import shlex
import shutil
from pathlib import Path

import pytest

from crmn_legacy.installation import load_recipe
from crmn_legacy.study import document, program
from crmn_legacy.study.keeping import Places
from tests.study.test_queue import ROOT
from tests.test_readme import commands

STUDIES = {path.stem: runpy.run_path(str(path))["STUDY"] for path in sorted((ROOT / "studies").glob("*.py"))}


@pytest.mark.parametrize("name", STUDIES)
def test_each_run_is_one_of_its_recipe(name):
    study = STUDIES[name]
    assert study.name == name and study.base in {run.variant for run in study.runs}
    for run in study.runs:
        recipe = load_recipe(run.script())
        assert recipe.row == run.row
        assert recipe.network_arguments(given=run.network) == run.network
        changed = recipe.with_literals(run.set)
        assert run.trial or changed.schedule.minimum_epochs < run.epochs


@pytest.mark.parametrize("name", STUDIES)
def test_runs_that_are_compared_have_one_length(name):
    lengths = {run.epochs for run in STUDIES[name].runs if not run.trial}
    assert len(lengths) == 1


PAGES = sorted(name for name in STUDIES if (ROOT / "studies" / name / document.PAGE).exists())


@pytest.mark.parametrize("name", PAGES)
def test_a_page_in_the_tree_is_what_its_kept_runs_give(name, tmp_path):
    kept = ROOT / "studies" / name
    shutil.copytree(kept, tmp_path / name)
    for path in document.write(STUDIES[name], Places(tmp_path / "runs", tmp_path / name)):
        assert path.read_bytes() == (kept / path.name).read_bytes()
    assert not any(text in page_text(kept) for text in ("/tmp/", "/home/", "/work/"))


def test_the_commands_of_the_results_are_those_of_a_study():
    words = [shlex.split(command) for command in commands((ROOT / "studies" / "RESULTS.md").read_text())]
    called = [given for given in words if given[1].startswith("studies/")]
    assert [given[2] for given in called] == ["train", "tables"]
    for _, script, *given in called:
        assert program._parser(STUDIES[Path(script).stem], None).parse_args(given).do


def page_text(folder):
    return "".join(path.read_text() for path in folder.rglob("*") if path.suffix in (".json", ".jsonl", ".md"))
