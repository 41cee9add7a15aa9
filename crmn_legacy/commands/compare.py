"""`compare DIR DIR`: the first epoch, update and tensor in which two runs differ, how far apart, and why."""

import sys
import tempfile
from pathlib import Path

import msgspec

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.compare import PartedEpoch, RunOnDisk, first_epoch, first_update, state_at, traced_at
from crmn_legacy.archive.differences import differences, shown
from crmn_legacy.archive.trace import digests
from crmn_legacy.archive.ulp import largest_difference
from crmn_legacy.commands.telling import Telling
from crmn_legacy.errors import UserError

# What ``--json`` tells; None where there is nothing to tell.
_FACTS = ("a", "b", "differences", "epoch", "update", "tensor", "farthest", "numbers", "ends", "results", "no_further")


class _NotReplayedError(Exception):
    """Why the numbers of a run cannot be had."""


def compare(arguments):
    """Print where two runs part; 0 if they are identical, else 1."""
    runs = [RunOnDisk.read(folder) for folder in arguments.runs]
    telling = Telling(arguments.json, identical=False, **dict.fromkeys(_FACTS))
    status = _compare(runs, telling, not arguments.no_replay)
    telling.end()
    return status


def _compare(runs, telling, may_replay):
    epoch = first_epoch(*runs)
    traced = all(run.traced for run in runs)
    update = first_update(*(run.folder for run in runs)) if traced else None
    for mark, run in zip("ab", runs, strict=True):
        _tell_run(mark, run, telling)
    unlike = differences(*runs)
    telling.tell(differences=[entry for each in unlike for entry in each.described()])
    for line in (line for each in unlike for line in each.lines()):
        telling.tell(line)
    if epoch is None and update is None:
        return _agree(*runs, telling)
    if epoch is not None:
        parted = PartedEpoch.of(*runs, epoch)
        telling.tell(f"first differing epoch: {parted}", epoch=parted.described())
    with tempfile.TemporaryDirectory(prefix="crmn_legacy-compare-") as place:
        try:
            _PartedTensors(runs, epoch, Path(place), may_replay, telling).tell_from(update)
        except (_NotReplayedError, UserError) as error:
            telling.tell(f"no further: {error}", no_further=str(error))
    return 1


def _tell_run(mark, run, telling):
    record, folder = run.record, run.folder
    words = [f"{mark}: {folder}", shown(record.row), shown(record.status), f"{len(run.curve)} epochs"]
    words.append(shown(run.links[-1]))
    problems = archive.verify(folder) if record.status == "finished" else []
    words += [f"does not verify ({shown(problems[0])})"] if problems else []
    told = {"run": str(folder), "row": record.row, "status": record.status, "epochs": len(run.curve)}
    telling.tell(", ".join(words), **{mark: {**told, "bits": run.links[-1], "problems": problems}})


def _agree(ours, theirs, telling):
    """Tell the verdict on two runs whose chains and traces agree as far as both go; the status."""
    if len(ours.curve) != len(theirs.curve):
        shorter = min(len(ours.curve), len(theirs.curve))
        ends = "a" if len(ours.curve) == shorter else "b"
        telling.tell(f"identical up to epoch {shorter}, where {ends} ends", ends={"run": ends, "epoch": shorter})
        return 1
    results = [run.record.result for run in (ours, theirs)]
    if results[0] != results[1]:
        line = f"equal weights, unequal results: {shown(results[0])} | {shown(results[1])}"
        telling.tell(line, results=msgspec.to_builtins(results))
        return 1
    telling.tell("identical", identical=True)
    return 0


class _PartedTensors:
    """The tensors of two runs where they first differ: stored ones, or those of replays that keep to the digests."""

    def __init__(self, runs, epoch, place, may_replay, telling):
        self.runs, self.epoch, self.place, self.may_replay, self.telling = runs, epoch, place, may_replay, telling

    def tell_from(self, update):
        """Tell the first update and tensor that differ, and how far apart they are."""
        traces = [run.folder for run in self.runs]
        if update is None:
            traces = self._traces()
            update = first_update(*traces)
        if update is None:
            self.telling.tell("first differing step: none; what differs is not a step's")
            return
        self.telling.tell(f"first differing step: {update}", update=update.described())
        if update.tensors:
            (ours, our_place), (theirs, their_place) = self._states(traces, update.update)
            self._largest(update, ours, theirs)
            line = f"numbers: a from {our_place}, b from {their_place}"
            self.telling.tell(line, numbers={"a": our_place, "b": their_place})

    def _traces(self):
        """Folders with traces of both runs up to the end of the epoch in which they part."""
        updates = {run.folder: run.curve[self.epoch - 1].updates if self.epoch else 1 for run in self.runs}
        places = self._replay({mark: run for mark, run in self._marked() if not run.traced}, updates, trace=True)
        for mark, run in self._marked():
            if mark not in places:
                continue
            again = RunOnDisk.read(places[mark])
            # The initial state and each epoch up to there.
            for number, (link, other) in enumerate(zip(run.links[: self.epoch + 1], again.links, strict=False)):
                if link != other:
                    raise _NotReplayedError(
                        f"the replay of {mark} parts from it in epoch {number}{_platforms(run, again)}"
                    )
        return [places.get(mark, run.folder) for mark, run in self._marked()]

    def _states(self, traces, update):
        """Both states after an update, each with where it is from; their digests are those of the traces."""
        found = {}
        for (mark, run), trace in zip(self._marked(), traces, strict=True):
            state, name = state_at(run.folder, update)
            if state is None and trace != run.folder:
                state, name = state_at(trace, update)[0], f"a replay to update {update}"
            if state is not None:
                found[mark] = (state, name)
        left = {mark: run for mark, run in self._marked() if mark not in found}
        for mark, out in self._replay(left, {run.folder: max(update, 1) for run in left.values()}, trace=False).items():
            found[mark] = (state_at(out, update)[0], f"a replay to update {update}")
            left[mark] = RunOnDisk.read(out)
        for (mark, run), trace in zip(self._marked(), traces, strict=True):
            state, name = found[mark]
            if state is None or digests(state).items() - traced_at(trace, update).items():
                raise _NotReplayedError(
                    f"{mark}, by {name}, does not have the digests of its trace at update {update}"
                    f"{_platforms(run, left.get(mark, run))}"
                )
        return [found[mark] for mark, _ in self._marked()]

    def _marked(self):
        return list(zip("ab", self.runs, strict=True))

    def _replay(self, runs, updates, trace):
        """Run runs again to so many updates; mark -> folder. None is run unless all may be."""
        prepared = {}
        for mark, run in runs.items():
            if not self.may_replay:
                raise _NotReplayedError(
                    f"{mark} would have to be replayed to update {updates[run.folder]}: leave --no-replay out"
                )
            record = replay.ready(run.folder)
            prepared[mark] = (record, replay.data_of(run.folder, record))
        places = {}
        for mark, (record, data) in prepared.items():
            folder, number = runs[mark].folder, updates[runs[mark].folder]
            print(f"replaying {mark} to update {number}", file=sys.stderr, flush=True)
            places[mark] = self.place / f"{mark}-{'traced' if trace else 'plain'}"
            words = replay.command(folder, record, places[mark], data, steps=number, trace=trace)
            status, last = replay.call(words, quiet=True)
            if not (places[mark] / archive.MANIFEST).is_file():
                raise _NotReplayedError(f"the replay of {mark} ended with status {status} ({shown(last)[:200]})")
        return places

    def _largest(self, update, ours, theirs):
        """Tell the largest difference of the first tensor, and of all if it is another's."""
        found = {}
        for name in update.tensors:
            if name in ours and name in theirs:
                try:
                    found[name] = largest_difference(ours[name], theirs[name])
                except ValueError as error:
                    found[name] = error
            else:
                holder = "a" if name in ours else "b" if name in theirs else "neither folder"
                found[name] = f"in {holder} only"
        first = update.tensors[0]
        self.telling.tell(f"first differing tensor: {shown(first)}, {found[first]}", tensor=_tensor(first, found))
        numbers = {name: one for name, one in found.items() if hasattr(one, "apart")}
        if numbers:
            farthest = max(numbers, key=lambda name: (numbers[name].apart is None, numbers[name].apart or 0))
            told = f"farthest apart: {shown(farthest)}, {numbers[farthest]}" if farthest != first else None
            self.telling.tell(told, farthest=_tensor(farthest, found))


def _tensor(name, found):
    """What of a tensor differs, or why that cannot be said, for JSON (a dict)."""
    difference = found[name]
    told = difference.described() if hasattr(difference, "described") else {"fault": str(difference)}
    return {"name": name, **told}


def _platforms(run, again):
    keys = [one.record.platform_key for one in (run, again)]
    return "" if keys[0] == keys[1] else f"; another platform: {shown(keys[0])} | {shown(keys[1])}"
