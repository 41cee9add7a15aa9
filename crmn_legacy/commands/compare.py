"""`compare DIR DIR`: the first epoch, update and tensor in which two runs differ, how far apart, and why."""

import sys
import tempfile
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.compare import (
    RunOnDisk,
    epoch_line,
    first_epoch,
    first_update,
    reasons,
    shown,
    state_at,
    traced_at,
)
from crmn_legacy.archive.trace import digests
from crmn_legacy.archive.ulp import largest_difference
from crmn_legacy.errors import UserError


class _NotReplayedError(Exception):
    """Why the numbers of a run cannot be had."""


def compare(arguments):
    """Print where two runs part; 0 if they are identical, else 1."""
    runs = [RunOnDisk.read(folder) for folder in arguments.runs]
    epoch = first_epoch(*runs)
    traced = all(run.traced for run in runs)
    update = first_update(*(run.folder for run in runs)) if traced else None
    for mark, run in zip("ab", runs, strict=True):
        print(_headline(mark, run))
    for line in reasons(*runs):
        print(line)
    if epoch is None and update is None:
        return _agree(*runs)
    if epoch is not None:
        print(f"first differing epoch: {epoch_line(*runs, epoch)}")
    with tempfile.TemporaryDirectory(prefix="crmn_legacy-compare-") as place:
        try:
            _PartedTensors(runs, epoch, Path(place), not arguments.no_replay).print_from(update)
        except (_NotReplayedError, UserError) as error:
            print(f"no further: {error}")
    return 1


def _headline(mark, run):
    record, folder = run.record, run.folder
    words = [f"{mark}: {folder}", shown(record.row), shown(record.status), f"{len(run.curve)} epochs"]
    words.append(shown(run.links[-1]))
    problems = archive.verify(folder) if record.status == "finished" else []
    words += [f"does not verify ({shown(problems[0])})"] if problems else []
    return ", ".join(words)


def _agree(ours, theirs):
    """The verdict on two runs whose chains and traces agree as far as both go."""
    if len(ours.curve) != len(theirs.curve):
        shorter = min(len(ours.curve), len(theirs.curve))
        print(f"identical up to epoch {shorter}, where {'a' if len(ours.curve) == shorter else 'b'} ends")
        return 1
    results = [run.record.result for run in (ours, theirs)]
    if results[0] != results[1]:
        print(f"equal weights, unequal results: {shown(results[0])} | {shown(results[1])}")
        return 1
    print("identical")
    return 0


class _PartedTensors:
    """The tensors of two runs where they first differ: stored ones, or those of replays that keep to the digests."""

    def __init__(self, runs, epoch, place, may_replay):
        self.runs, self.epoch, self.place, self.may_replay = runs, epoch, place, may_replay

    def print_from(self, update):
        """Print the first update and tensor that differ, and how far apart they are."""
        traces = [run.folder for run in self.runs]
        if update is None:
            traces = self._traces()
            update = first_update(*traces)
        if update is None:
            print("first differing step: none; what differs is not a step's")
            return
        print(f"first differing step: {update}")
        if update.tensors:
            (ours, our_place), (theirs, their_place) = self._states(traces, update.update)
            self._largest(update, ours, theirs)
            print(f"numbers: a from {our_place}, b from {their_place}")

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
        """Print the largest difference of the first tensor, and of all if it is another's."""
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
        print(f"first differing tensor: {shown(first)}, {found[first]}")
        numbers = {name: one for name, one in found.items() if hasattr(one, "apart")}
        if numbers:
            farthest = max(numbers, key=lambda name: (numbers[name].apart is None, numbers[name].apart or 0))
            if farthest != first:
                print(f"farthest apart: {shown(farthest)}, {numbers[farthest]}")


def _platforms(run, again):
    keys = [one.record.platform_key for one in (run, again)]
    return "" if keys[0] == keys[1] else f"; another platform: {shown(keys[0])} | {shown(keys[1])}"
