"""Runs whose batches several devices share, in one process and in several, that meet on this machine."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.data.files.faces import write_faces
from tests.training.runs import ROOT, assert_one_line, bits_of, command_of, environment, faces, run_tiny

# Eight devices want eight pictures a batch.
EIGHT = ("--set", "batch_size=8")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "faces.h5"
    write_faces(path, faces(train=26))
    return path


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run of four devices in one process: its folder and its bits."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, bits_of(run_tiny("--data", data, "--out", folder, "--devices", "4"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Run:
    """The processes of one run; a context at whose end none is left."""

    def __init__(self, processes, *arguments, before=()):
        self.port, self.number, self.arguments = free_port(), processes, arguments
        self.before = dict(before)
        self.children = [self._start(process) for process in range(processes)]

    def _start(self, process):
        words = ["--coordinator", f"127.0.0.1:{self.port}", "--processes", self.number, "--process", process]
        return subprocess.Popen(
            command_of(*self.arguments, *words, before=self.before.get(process)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for child in self.children:
            child.kill()
            child.communicate()

    def ends(self):
        """Wait for all: each one's status, output and errors."""
        found = []
        for child in self.children:
            out, errors = child.communicate(timeout=300)
            found.append((child.returncode, out, errors))
        return found

    def wait_for_epoch(self, folder):
        """Wait until an epoch is written."""
        curve = folder / archive.CURVE
        while not (curve.is_file() and curve.read_text()):
            assert all(child.poll() is None for child in self.children), self.ends()
            time.sleep(0.05)


def bits_of_all(processes, *arguments):
    """The bits of a run of several processes, of which the first alone speaks."""
    with Run(processes, *arguments) as run:
        (first, *others) = run.ends()
    assert first[0] == 0, first[2]
    assert all(other == (0, "", "") for other in others), others
    return re.search("^bits: sha256:.*$", first[1], re.MULTILINE)[0]


@pytest.mark.slow
def test_the_documents_two_processes_come_to_the_bits_of_one(tmp_path):
    (block,) = re.findall("^```bash\n(.*?)^```$", (ROOT / "docs" / "DEVICES.md").read_text(), re.MULTILINE | re.DOTALL)
    words = block.replace("127.0.0.1:7000", f"127.0.0.1:{free_port()}").replace("recipes/", f"{ROOT}/recipes/")
    variables = environment(PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    done = subprocess.run(
        ["bash", "-e", "-c", words], capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=600
    )
    assert done.returncode == 0, done.stderr
    bits = re.findall("^bits: .*$", done.stdout, re.MULTILINE)
    assert len(bits) == 2 and bits[0] == bits[1]
    ours, theirs = (archive.read_record(tmp_path / "runs" / name) for name in ("several", "one"))
    assert "/cpux4/" in ours.platform_key and ours.platform_key == theirs.platform_key
    assert ours.options == theirs.options
    assert archive.verify(tmp_path / "runs" / "several") == []


@pytest.mark.slow
def test_four_processes_come_to_the_bits_of_one_and_have_a_device_each(tmp_path, data, whole):
    assert bits_of_all(4, "--data", data, "--out", tmp_path / "run") == whole[1]


@pytest.mark.slow
def test_eight_devices_give_the_same_bits_in_one_process_in_two_and_in_four(tmp_path, data):
    told = ("--data", data, *EIGHT, "--devices", "8", "--epochs", "2")
    alone = bits_of(run_tiny(*told, "--out", tmp_path / "1"))
    assert [bits_of_all(number, *told, "--out", tmp_path / str(number)) for number in (2, 4)] == [alone, alone]


def test_a_signal_to_one_stops_all_after_one_update_and_the_run_goes_on_in_one_process(tmp_path, data, whole):
    """To the bits of the run that was never stopped."""
    folder = tmp_path / "run"
    with Run(2, "--data", data, "--out", folder, "--devices", "4") as run:
        run.wait_for_epoch(folder)
        run.children[1].send_signal(signal.SIGTERM)
        (first, other) = run.ends()
    assert (first[0], other[0]) == (143, 143)
    assert "interrupted; go on with: " in first[2] and other[1:] == ("", "")
    assert archive.read_record(folder).status == "interrupted"
    assert bits_of(run_tiny("--resume", folder)) == whole[1]
    assert archive.read_record(folder).platform_key == archive.read_record(whole[0]).platform_key


@pytest.mark.parametrize(
    ("victim", "blow", "told"),
    [
        (1, signal.SIGKILL, "is gone"),
        pytest.param(0, signal.SIGKILL, "is gone", marks=pytest.mark.slow),
        pytest.param(1, signal.SIGSTOP, "has not answered for 30 s", marks=pytest.mark.slow),
    ],
)
def test_a_process_that_dies_or_hangs_stops_the_other_which_says_so(tmp_path, data, whole, victim, blow, told):
    folder = tmp_path / "run"
    with Run(2, "--data", data, "--out", folder, "--devices", "4") as run:
        run.wait_for_epoch(folder)
        began = time.monotonic()
        run.children[victim].send_signal(blow)
        other = run.children[1 - victim]
        _, errors = other.communicate(timeout=60)
        assert time.monotonic() - began < 60
    assert (other.returncode, errors.strip()) == (
        1,
        f"error: process {victim} {told}, so this one stops; what was saved is whole: go on with --resume",
    )
    assert archive.read_record(folder).status == "running"
    if victim == 0:
        assert bits_of_all(2, "--resume", folder) == whole[1]


def test_a_run_goes_on_with_one_device_to_nearly_the_same_and_its_key_says_so(tmp_path, data, whole):
    folder = tmp_path / "run"
    child = run_tiny("--data", data, "--out", folder, "--devices", "4", before=STOP)
    assert child.returncode == 143, child.stderr
    child = run_tiny("--resume", folder, "--devices", "1")
    assert bits_of(child)
    assert "note: platform_key differ from those the run began with; its bits may move" in child.stdout
    key = archive.read_record(folder).platform_key
    assert re.fullmatch(r"xla/cpux4/\S+ > xla/cpu/\S+", key)
    assert f"golden: none for {key}" in child.stdout
    for line, other in zip(archive.read_curve(folder), archive.read_curve(whole[0]), strict=True):
        np.testing.assert_allclose(line.losses, other.losses, rtol=1e-4)


# Stops after its second update.
STOP = """
from crmn_legacy.training import progress as reports
def step(self, progress):
    if progress.updates == 2:
        os.kill(os.getpid(), signal.SIGTERM)
reports._Lines.step = step
"""


def test_processes_that_are_about_to_run_something_else_are_refused(tmp_path, data):
    other = tmp_path / "other.h5"
    write_faces(other, faces(train=26, seed=1))
    folder = tmp_path / "run"
    with Run(2, "--data", data, "--out", folder) as run:
        run.children[1].kill()
        run.children[1].communicate()
        run.arguments = ("--data", other, "--out", folder)
        run.children[1] = run._start(1)
        ends = run.ends()
    for status, out, errors in ends:
        assert (status, out) == (2, "")
        assert errors == "error: process 1 got another data than process 0, expected the same in all processes\n"
    assert not folder.exists()


def test_a_process_that_cannot_begin_ends_the_other(tmp_path, data):
    """The folder is in the way of the first, after both have met."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with Run(2, "--data", data, "--out", tmp_path / "run") as run:
        first, other = run.ends()
    assert first[0] == 2 and "exists and is not empty" in first[2]
    assert other[0] == 1 and other[2].startswith("error: process 0 ")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--processes", "3", "--process", "0"), "--processes got 3, expected a divisor of the batch size 4"),
        (("--processes", "2", "--process", "2"), "--process got 2 of --processes 2"),
        (
            ("--processes", "2", "--process", "0", "--devices", "1"),
            "--devices got 1 for 2 processes, expected a multiple",
        ),
        (("--processes", "2", "--process", "0", "--backend", "c"), "expected --device cpu --devices 1"),
    ],
)
def test_shares_that_will_not_do_are_refused(tmp_path, data, words, said):
    child = run_tiny("--data", data, "--out", tmp_path / "run", "--coordinator", "127.0.0.1:7000", *words)
    assert said in assert_one_line(child)
    assert not (tmp_path / "run").exists()


CODE = """
import re, sys
from crmn_legacy.backend import determinism
determinism.pin_host(); determinism.pin("portable", "cpu", 4)
import numpy as np
from crmn_legacy import samples
from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.training import steps
for row in sys.argv[1:]:
    recipe = load_recipe(recipe_script(row))
    network = steps.build(lambda: recipe.network(**recipe.network_arguments(True)), 1)
    data = recipe.task.read(samples.path(recipe.task.sample))
    with_batch = recipe.task.batches(data, "train", 8, 1).epoch(1)
    batch = next(with_batch)
    with_batch.close()
    step = steps.train_step(*steps.parts_of(recipe, network), devices=4)
    rates = {name: np.float32(0.01) for name in recipe.schedule.components}
    text = step.lower(step.initial_state(), batch, rates).compile().as_text()
    sums = re.findall(r"= (\\S+) (?:all-reduce|reduce-scatter)\\(", text)
    print(row, text.count(" all-gather("), *sums)
"""


def sums_left_to_xla(*rows):
    """Row -> shapes of the sums over devices in its training step that XLA adds up in whatever order."""
    words = [sys.executable, "-c", CODE, *rows]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=1200)
    assert done.returncode == 0, done.stderr
    found = {}
    for line in done.stdout.splitlines():
        row, gathered, *sums = line.split()
        assert int(gathered) > 10
        found[row] = sums
    return found


def test_no_sum_over_devices_of_a_step_is_left_to_xla():
    assert sums_left_to_xla("table1_crmn") == {"table1_crmn": []}


@pytest.mark.slow
def test_none_of_any_row_is():
    from crmn_legacy import paper

    found = sums_left_to_xla(*paper.ROWS)
    assert set(found) == set(paper.ROWS)
    for row, sums in found.items():
        # A barrier sends one element, to which all other devices add zeros.
        assert set(sums) <= ({"f32[1]{0}"} if "densenet" in row else set()), row
