"""Two traced runs of the tiny recipe of which the second has another rate from epoch 2 on; shared by tests here."""

import pytest

from tests.training.runs import TINY, bits_of, run_tiny

LOWERED = '''
from dataclasses import dataclass


@dataclass(frozen=True)
class Lowered(training.RateSchedule):
    """From epoch 2 on the output layer has half its rate."""

    def rates(self, state, epoch=1, update=1):
        rates = super().rates(state, epoch, update)
        return {**rates, "output": rates["output"] / 2} if state.best_epoch else rates


RECIPE = '''


def lowered_recipe(folder):
    """A copy of the tiny recipe that lowers one rate."""
    folder.mkdir()
    text = TINY.read_text(encoding="utf-8")
    assert text.count("\nRECIPE = ") == text.count("training.RateSchedule(") == 1
    text = text.replace("training.RateSchedule(", "Lowered(").replace("\nRECIPE = ", LOWERED)
    (folder / TINY.name).write_text(text, encoding="utf-8")
    return folder / TINY.name


@pytest.fixture(scope="session")
def traced(tmp_path_factory, data):
    """A run that kept a trace."""
    folder = tmp_path_factory.mktemp("traced") / "run"
    bits_of(run_tiny("--data", data, "--out", folder, "--trace"))
    return folder


@pytest.fixture(scope="session")
def lowered(tmp_path_factory, data):
    """A traced run with another rate from epoch 2 on."""
    folder = tmp_path_factory.mktemp("lowered")
    bits_of(run_tiny("--data", data, "--out", folder / "run", "--trace", script=lowered_recipe(folder / "recipe")))
    return folder / "run"
