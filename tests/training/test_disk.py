"""Disks that are full, read-only or taken away under a run: one line, and nothing lost that was saved."""

import os
import shutil
import subprocess

import pytest

from crmn_legacy import archive
from tests.training.runs import assert_one_line, assert_same_run, bits_of, contents, run_tiny

# Does something to the run's folder after an update, before its loss is known.
AFTER_UPDATE = """
import shutil, subprocess
from crmn_legacy.training import progress as reports
folder = Path({folder!r})
def step(self, progress):
    if {when}:
        {action}
reports._Lines.step = step
"""

# A call that changes the disk fails when it is made for the n-th time.
FAILING = """
call, seen = os.{call}, []
def failing(*arguments, **keywords):
    seen.append(arguments)
    if len(seen) == {count}:
        Path({fired!r}).touch()
        raise OSError(errno.{error}, os.strerror(errno.{error}))
    return call(*arguments, **keywords)
os.{call} = failing
"""

# Root without its powers: permissions hold for it as for everybody.
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def after_update(folder, action, when="progress.updates == 4"):
    return AFTER_UPDATE.format(folder=str(folder), when=when, action=action)


def mounted(options, place):
    return subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tests", str(place)], capture_output=True, text=True, check=False
    )


@pytest.fixture
def disk(tmp_path):
    """A file system of its own; call it with mount's options to make it anew of another size, or read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    if not shutil.which("mount") or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    made = mounted("size=16m", place)
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")

    def again(options):
        subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)

    again.place = place
    yield again
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def powerless():
    """Words before a command that make permissions hold for it."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("running as root, whom permissions do not stop, without setpriv")
    return POWERLESS


def go_on(folder, data, finished):
    """Resume, or begin anew what had not begun; the end is that of the run which nothing disturbed."""
    if (folder / archive.RUN).exists():
        child = run_tiny("--resume", folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        child = run_tiny("--data", data, "--out", folder)
    assert bits_of(child) == finished[1]
    assert_same_run(folder, finished[0])


# Of what a whole run takes, in percent: full at the weights it begins with, at its checkpoints, at its end.
@pytest.mark.parametrize(
    "share", [pytest.param(share, marks=[] if share == 80 else pytest.mark.slow) for share in (5, 20, 40, 60, 80)]
)
def test_a_full_disk_ends_the_run_in_one_line_and_it_goes_on_when_there_is_room(disk, data, finished, share):
    folder = disk.place / "run"
    # The checkpoint stands there a third time while it is written.
    needed = sum(path.stat().st_size for path in [*finished[0].iterdir(), finished[0] / "checkpoint.npz"])
    disk(f"size={needed * share // 100}")
    line = assert_one_line(run_tiny("--data", data, "--out", folder))
    assert "No space left on device" in line
    assert not list(folder.glob("*.part"))
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        if (folder / name).exists():
            archive.read_arrays(folder / name)
    disk("size=16m")
    go_on(folder, data, finished)


@pytest.mark.slow
@pytest.mark.parametrize(("call", "error"), [("fsync", "ENOSPC"), ("replace", "EIO")])
def test_a_disk_that_fails_at_each_write_in_turn_loses_nothing(tmp_path, data, finished, call, error):
    folder, fired, count, saved = tmp_path / "run", tmp_path / "fired", 0, 0
    while True:
        count += 1
        before = FAILING.format(call=call, count=count, error=error, fired=str(fired))
        child = run_tiny("--data", data, "--out", folder, before=before)
        if child.returncode == 0:  # it had another way, or the run was over before
            assert_same_run(folder, finished[0])
            if not fired.exists():
                break
        else:
            assert_one_line(child)
            if (folder / "checkpoint.npz").exists():
                archive.read_arrays(folder / "checkpoint.npz")
                saved += 1
            if archive.verify(folder):
                go_on(folder, data, finished)
        shutil.rmtree(folder)
        fired.unlink()
    # At least two files an epoch take their place, and those of the start and the end.
    assert count > 12 and saved > 8


def test_a_run_on_a_read_only_disk_is_refused(disk, data):
    disk("ro")
    line = assert_one_line(run_tiny("--data", data, "--out", disk.place / "run"))
    assert "Read-only file system" in line and "give another --out" in line


@pytest.mark.slow
def test_resuming_on_a_read_only_disk_is_refused_and_changes_nothing(disk, data, finished):
    folder = disk.place / "run"
    run_tiny("--data", data, "--out", folder, before=after_update(folder, KILL))
    (folder / "checkpoint.npz.01234567.part").write_bytes(b"half")
    before = contents(folder)
    disk("ro")
    assert "Read-only file system" in assert_one_line(run_tiny("--resume", folder))
    assert contents(folder) == before
    disk("rw")
    go_on(folder, data, finished)


@pytest.mark.slow
def test_a_disk_that_turns_read_only_under_a_run_keeps_what_was_saved(disk, data, finished):
    folder = disk.place / "run"
    action = f'subprocess.run(["mount", "-o", "remount,ro", {str(disk.place)!r}], check=True)'
    line = assert_one_line(run_tiny("--data", data, "--out", folder, before=after_update(folder, action)))
    assert "Read-only file system" in line and "a whole checkpoint is kept" in line
    disk("rw")
    go_on(folder, data, finished)


def test_a_folder_that_may_not_be_written_any_more_keeps_what_was_saved(tmp_path, data, finished, powerless):
    folder = tmp_path / "run"
    child = run_tiny(
        "--data", data, "--out", folder, before=after_update(folder, "folder.chmod(0o555)"), prefix=powerless
    )
    line = assert_one_line(child)
    assert "Permission denied" in line and "a whole checkpoint is kept" in line
    before = contents(folder)
    assert "Permission denied" in assert_one_line(run_tiny("--resume", folder, prefix=powerless))
    assert contents(folder) == before
    folder.chmod(0o755)
    go_on(folder, data, finished)


def test_a_folder_that_is_moved_under_a_run_is_left_alone_and_so_is_what_takes_its_place(tmp_path, data, finished):
    folder, moved = tmp_path / "run", tmp_path / "moved"
    action = f"folder.rename({str(moved)!r}); folder.mkdir()"
    line = assert_one_line(run_tiny("--data", data, "--out", folder, before=after_update(folder, action)))
    assert "moved or removed" in line
    assert list(folder.iterdir()) == []
    go_on(moved, data, finished)


@pytest.mark.slow
def test_a_folder_that_is_removed_under_a_run_ends_it_in_one_line(tmp_path, data, finished):
    folder = tmp_path / "run"
    child = run_tiny("--data", data, "--out", folder, before=after_update(folder, "shutil.rmtree(folder)"))
    assert "moved or removed" in assert_one_line(child)
    assert not folder.exists()


@pytest.mark.slow
def test_weights_damaged_while_the_run_was_stopped_are_not_vouched_for(tmp_path, data, finished):
    folder = tmp_path / "run"
    # On the sample, of which a rehearsal reads no test part: nothing needs these weights any more.
    words = ("--out", folder, "--epochs", "5")
    run_tiny(*words, before=after_update(folder, KILL, "progress.epoch == 5"))
    losses = [line.validation_loss for line in archive.read_curve(folder)]
    assert len(losses) == 4 and losses[3] > min(losses)
    weights = folder / "weights.npz"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert "weights.npz" in assert_one_line(run_tiny("--resume", folder))
    assert archive.verify(folder)
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    bits_of(run_tiny("--resume", folder))
    assert archive.verify(folder) == []
