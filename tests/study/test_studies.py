"""The studies in the tree: each run is one that its recipe can do, and its schedule has time for."""

import runpy

import pytest

from crmn_legacy.installation import load_recipe
from tests.study.test_queue import ROOT

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
