"""A run that says at every moment what it is doing, and is killed at a moment drawn at random within that."""

import hashlib
import itertools
import json
import os
import struct
import subprocess
import time
import zipfile
from pathlib import Path

import msgspec
import numpy as np

from crmn_legacy import archive
from tests.training.runs import ROOT, command_of, environment

# The child writes a line `<time> <part> <what>` to a pipe whenever what it is doing changes. Between two lines it is
# still doing what the former said, so the last line before a kill names what was killed.
WATCH = """
import time
os.nice(5)  # so that who kills it comes in time where the machine is busy
doing = ["start-up importing"]
def tell(what):
    os.write({pipe}, f"{{time.monotonic()}} {{what}}\\n".encode())
tell(doing[-1])
def part():
    return doing[-1].split()[0]
def watch(owner, name, describe, after=None):
    function = getattr(owner, name)
    def watching(*arguments, **keywords):
        doing.append(describe(*arguments))
        tell(doing[-1])
        try:
            return function(*arguments, **keywords)
        finally:
            doing.pop()
            if after is not None:
                doing[-1] = after
            tell(doing[-1])
    setattr(owner, name, watching)
from crmn_legacy import files
# Before anyone takes it from there.
watch(files, "write_whole", lambda path, content: part() + " writing-" + os.path.basename(path))
from crmn_legacy.training import evaluation, loop, progress as reports
watch(loop.Training, "run", lambda *_: "steps first", after="finishing record")
watch(loop.Training, "validate", lambda *_: "validation first")
watch(evaluation, "predict", lambda *_: "test batches")
def step(self, progress):
    doing[-1] = f"steps {{progress.updates}}"
    tell(doing[-1])
reports._Lines.step = step
replace = os.replace
def replacing(source, target):
    replace(source, target)
    tell(part() + " wrote-" + os.path.basename(target))
os.replace = replacing
"""


class Watched:
    """A child that reports; `events` are (time, what), with the time on this machine's monotonic clock."""

    def __init__(self, script, arguments, output):
        reading, writing = os.pipe()
        command = command_of(*arguments, before=WATCH.format(pipe=writing), script=script)
        with open(output, "w", encoding="utf-8") as file:
            self.child = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, pass_fds=[writing], cwd=ROOT, env=environment()
            )
        os.close(writing)
        self.output, self.events = Path(output), []
        self._pipe = os.fdopen(reading, encoding="ascii")

    def until(self, due):
        """Read events until `due(what)` says so; False if the child ended before."""
        for line in self._pipe:
            moment, what = line.rstrip().split(" ", 1)
            self.events.append((float(moment), what))
            if due(what):
                return True
        return False

    def end(self):
        """Wait for the child; its status, and what it was doing last."""
        self.until(lambda what: False)
        self._pipe.close()
        return self.child.wait(), self.events[-1][1]

    def kill(self, delay):
        """SIGKILL after `delay` seconds; does nothing if the child has ended."""
        due = time.monotonic() + delay
        time.sleep(max(delay - 0.002, 0))
        while time.monotonic() < due:  # sleep is too coarse for what takes a millisecond
            pass
        self.child.kill()

    def bits(self):
        """The last line of a run that came to its end."""
        last = self.output.read_text(encoding="utf-8").splitlines()[-1]
        assert last.startswith("bits: sha256:"), self.output.read_text(encoding="utf-8")
        return last


def kind(what):
    """The kind of moment that an event begins: one of `KINDS`."""
    part, detail = what.split(" ", 1)
    if part in ("start-up", "steps", "validation") and detail.startswith(("writing-", "wrote-")):
        return "saving"
    return part


KINDS = ("start-up", "steps", "saving", "validation", "test", "finishing")


def durations(events):
    """How long the moments of each kind lasted, in the order of the events."""
    lasted = {name: [] for name in KINDS}
    for (moment, what), (after, _) in itertools.pairwise(events):
        lasted[kind(what)].append(after - moment)
    return lasted


def reckon_bits(arrays, losses, before):
    """A link of the chain, put together from its definition."""
    sha = hashlib.sha256(before.encode())
    for name, array in sorted(arrays.items()):
        sha.update(f"{name} {array.dtype.name} {array.shape}\n".encode())
        sha.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    sha.update(struct.pack(f"<{len(losses)}d", *losses))
    return "sha256:" + sha.hexdigest()


def load(path):
    """Arrays and progress of a checkpoint, read by NumPy alone; every checksum in it holds."""
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    return arrays, json.loads(str(arrays.pop("progress")))


def really_whole(folder):
    """Whether a folder holds a finished run whose digests and chain hold, without asking `archive`."""
    manifest = folder / "MANIFEST.sha256"
    if not manifest.is_file():
        return False
    listed = dict(reversed(line.split("  ")) for line in manifest.read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path != manifest}
    record = json.loads((folder / "run.json").read_text())
    arrays, progress = load(folder / "checkpoint.npz")
    lines = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    before = lines[-2]["bits"] if len(lines) > 1 else record["initial_bits"]
    chained = reckon_bits(arrays, lines[-1]["losses"], before)
    return (
        listed == found
        and lines == progress["curve"]
        and record["status"] == "finished"
        and chained == lines[-1]["bits"] == record["bits"]
    )


def without_times(lines):
    """Lines of a curve (list of dict) without the times they took."""
    return [{name: value for name, value in line.items() if not name.endswith("seconds")} for line in lines]


def check_killed(folder, curve):
    """What must hold of a folder at whatever moment its run was killed; returns the updates that are saved.

    `curve` is the uninterrupted run's (list of `archive.record.Epoch`).
    """
    problems = archive.verify(folder) if folder.is_dir() else ["no folder"]
    assert bool(problems) != (folder.is_dir() and really_whole(folder)), problems
    saved = [0]
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        if (folder / name).exists():
            arrays, progress = load(folder / name)
            lines = progress["curve"]
            assert without_times(lines) == without_times(msgspec.to_builtins(curve[: len(lines)]))
            # Between two epochs the chain's last link is of this very state.
            if lines and not progress["step"]:
                assert reckon_bits(arrays, lines[-1]["losses"], before_last(folder, lines)) == progress["bits"]
            saved.append(progress["updates"])
    return max(saved)


def before_last(folder, lines):
    """The link before the chain's last."""
    return lines[-2]["bits"] if len(lines) > 1 else json.loads((folder / "run.json").read_text())["initial_bits"]


class Ledger:
    """How many kills of each kind there were, and of the files that they fell on."""

    def __init__(self):
        self.kinds = dict.fromkeys(KINDS, 0)
        self.files, self.chains = {}, []

    def add(self, what):
        self.kinds[kind(what)] += 1
        if kind(what) in ("saving", "finishing") and "-" in what:
            detail = what.split(" ", 1)[1].replace("-", " ", 1)
            self.files[detail] = self.files.get(detail, 0) + 1

    @property
    def total(self):
        return sum(self.kinds.values())

    def lines(self):
        yield ", ".join(f"{name} {count}" for name, count in self.kinds.items())
        yield "while " + ", ".join(f"{name} {count}" for name, count in sorted(self.files.items()))
        yield f"kills a run: {self.chains}"
