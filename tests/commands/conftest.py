"""The command line in this process, over a run of the tiny recipe."""

import json
import sys

import pytest

from crmn_legacy.cli import main
from crmn_legacy.errors import run
from crmn_legacy.inference import trained_network
from tests.commands.parted import lowered, traced
from tests.training.runs import TINY

__all__ = ["command", "lowered", "refused", "traced"]

JAX_SETTINGS = ("jax_enable_x64", "jax_default_matmul_precision", "jax_compilation_cache_dir")


class Done:
    """What a command left: its status and what it printed."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def json(self):
        assert self.status == 0, self.err
        (line,) = self.out.splitlines()
        return json.loads(line)


@pytest.fixture
def command(capsys, monkeypatch):
    """Calls ``python -m crmn_legacy`` in this process, with the tiny recipe in the place of the row's own."""
    import aesara
    import jax

    monkeypatch.setattr(trained_network, "RECIPES", TINY.parent)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["crmn_legacy", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            run(main)
        said = capsys.readouterr()
        return Done(stop.value.code, said.out, said.err)

    before = {name: getattr(jax.config, name) for name in JAX_SETTINGS}
    with aesara.config.change_flags(floatX=aesara.config.floatX):
        yield call
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def refused(command):
    """Calls a command that must be refused; returns the one line it says."""

    def call(*arguments):
        done = command(*arguments)
        assert done.status == 2, done.err
        assert done.out == "" and len(done.err.splitlines()) == 1 and done.err.startswith("error: ")
        return done.err

    return call
