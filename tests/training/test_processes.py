"""Two runs at once: a folder has one at a time, and the second harms nothing."""

import subprocess

import pytest

from tests.training.runs import ROOT, assert_same_run, command_of, environment, run_tiny

# Both stand at the place where the folder is taken before either takes it.
MEET = """
import time
from crmn_legacy import archive
take = archive.RunFolder.__init__
def meeting(self, path, new):
    Path({place!r}, str(os.getpid())).touch()
    while len(os.listdir({place!r})) < 2:
        time.sleep(0.001)
    take(self, path, new)
archive.RunFolder.__init__ = meeting
"""

# Is killed after its fourth update.
KILL = """
from crmn_legacy.training import progress as reports
def step(self, progress):
    if progress.updates == 4:
        os.kill(os.getpid(), signal.SIGKILL)
reports._Lines.step = step
"""

# The clock stands still.
STOPPED_CLOCK = """
from crmn_legacy import archive
archive.now = lambda: "2026-01-02T03:04:05Z"
"""


def both(tmp_path, *arguments, before="", cwd=ROOT):
    """Two runs of the same words, which meet at the door: what both said, the one that ended with 0 first."""
    place = tmp_path / "meeting"
    place.mkdir()
    command = command_of(*arguments, before=MEET.format(place=str(place)) + before)
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=environment())
        for _ in range(2)
    ]
    said = [(*child.communicate(), child.returncode) for child in children]
    return sorted(said, key=lambda one: one[2])


def assert_one_was_refused(said, bits):
    (out, err, status), (nothing, refusal, refused) = said
    assert (status, refused) == (0, 2), (err, refusal)
    assert out.splitlines()[-1] == bits
    assert nothing == "" and len(refusal.splitlines()) == 1
    assert "another process is running" in refusal or "not empty" in refusal


def test_of_two_runs_that_begin_in_one_folder_at_once_one_is_refused(tmp_path, data, finished):
    said = both(tmp_path, "--data", data, "--out", tmp_path / "run")
    assert_one_was_refused(said, finished[1])
    assert_same_run(tmp_path / "run", finished[0])


@pytest.mark.slow
def test_of_two_that_go_on_with_one_run_at_once_one_is_refused(tmp_path, data, finished):
    run_tiny("--data", data, "--out", tmp_path / "run", before=KILL)
    said = both(tmp_path, "--resume", tmp_path / "run")
    assert_one_was_refused(said, finished[1])
    assert_same_run(tmp_path / "run", finished[0])


@pytest.mark.slow
def test_two_runs_that_begin_in_the_same_second_have_a_folder_each(tmp_path, data, finished):
    said = both(tmp_path, "--data", data, before=STOPPED_CLOCK, cwd=tmp_path)
    assert [status for *_, status in said] == [0, 0], said
    folders = sorted((tmp_path / "runs").iterdir())
    assert [folder.name for folder in folders] == [
        "table1_crmn-20260102T030405Z",
        "table1_crmn-20260102T030405Z-2",
    ]
    for folder in folders:
        assert_same_run(folder, finished[0])
