"""SIGKILL at random moments of every kind: going on gives the bits of a run that nothing interrupted."""

import random
import shutil
import signal

import pytest

from crmn_legacy import archive
from crmn_legacy.data.files.faces import write_faces
from tests.training.killing import KINDS, Ledger, Watched, check_killed, durations, kind
from tests.training.runs import ROOT, TINY, assert_same_run, curve, faces

# Of the draws. The moments depend on the machine too, so a second run of the same seed kills elsewhere.
SEED = 2017
# Kills wanted of each kind, at the least; and how many starts may at most be spent on them.
TINY_KILLS = {"start-up": 5, "steps": 9, "saving": 13, "validation": 7, "test": 5, "finishing": 6}
SMOKE_KILLS = {"steps": 2, "saving": 1, "validation": 1, "test": 1}
# How many moments of a kind are let pass at most: short of an epoch, so that a run can be killed many times.
REACH = {"start-up": 1, "steps": 4, "saving": 9, "validation": 2, "test": 1, "finishing": 6}
# SIGTERM, after which a run saves, or from before it is heeded.
STOPPED = (128 + signal.SIGTERM, -signal.SIGTERM)


class Killer:
    """Runs a recipe and kills it, again and again, until there were enough kills of each kind."""

    def __init__(self, place, script, arguments, draw):
        place.mkdir()
        self.place, self.script, self.arguments, self.draw = place, script, list(arguments), draw
        self.ledger, self.starts = Ledger(), 0
        self.reference = place / "uninterrupted"
        run = self._start(self.reference)
        assert run.end()[0] == 0, run.output.read_text()
        self.bits, self.curve = run.bits(), curve(self.reference)
        self.lasted = durations(run.events)
        assert all(self.lasted[name] for name in KINDS)

    def _start(self, folder):
        self.starts += 1
        went_on = (folder / archive.RUN).exists()
        words = ["--resume", folder] if went_on else [*self.arguments, "--out", folder]
        return Watched(self.script, words, self.place / f"{self.starts}.txt")

    def until(self, wanted, longest_chain):
        """Kill, go on, kill again, and let some run end and be compared, until all kills that are wanted were made."""
        while any(self.ledger.kinds[name] < count for name, count in wanted.items()):
            assert self.starts < 6 * sum(wanted.values()), f"too few kills: {list(self.ledger.lines())}"
            self.chain(wanted, self.draw.randint(1, longest_chain))

    def chain(self, wanted, kills):
        """One run, killed up to `kills` times."""
        folder, killed, saved = self.place / "killed", 0, 0
        while True:
            run = self._start(folder)
            if killed < kills:
                self._kill(run, self._target(wanted))
            status, what = run.end()
            if status == 0:
                break
            if status not in STOPPED:
                assert status == -signal.SIGKILL, run.output.read_text()
                killed += 1
                self.ledger.add(what)
            now = check_killed(folder, self.curve)
            assert now >= saved, f"killed at {what}: {now} updates are saved, there had been {saved}"
            saved = now
            if folder.exists() and not archive.verify(folder):
                break  # killed when all was done
            self._remove_if_never_begun(folder)
        self.ledger.chains.append(killed)
        assert archive.read_record(folder).bits == self.bits.removeprefix("bits: ")
        assert_same_run(folder, self.reference)
        shutil.rmtree(folder)

    def _remove_if_never_begun(self, folder):
        """As its user would a folder that has nothing to go on from yet."""
        if folder.exists() and not (folder / archive.RUN).exists():
            assert not (folder / archive.CHECKPOINT).exists()
            shutil.rmtree(folder)

    def _target(self, wanted):
        """A kind of moment, the more likely the more kills of it are still wanted."""
        missing = {name: max(count - self.ledger.kinds[name], 0) for name, count in wanted.items()}
        names = [name for name, count in missing.items() if count] or list(wanted)
        return self.draw.choices(names, [missing[name] or 1 for name in names])[0]

    def _kill(self, run, target):
        # The place is drawn by progress, since time alone would move with the machine's load; then the moment by time.
        left = self.draw.randint(1, REACH[target])

        def due(what):
            nonlocal left
            left -= kind(what) == target
            return left == 0

        if target == "steps" and self.draw.random() < 0.2 and run.until(due):
            # Asked to stop, the run saves in the middle of an epoch: killed while it does, or later.
            run.child.send_signal(signal.SIGTERM)
            left, target = self.draw.randint(1, 3), "saving"
        if run.until(due):
            run.kill(self.draw.uniform(0, 1) * self.draw.choice(self.lasted[target]))


def tell(capsys, killer, name):
    with capsys.disabled():
        print(f"\n{name}, seed {SEED}: {killer.ledger.total} of {killer.ledger.total} kills ended in the same bits")
        for line in killer.ledger.lines():
            print(f"  {line}")


@pytest.mark.slow
def test_killed_at_fifty_random_moments_of_all_kinds_it_ends_with_the_same_bits(tmp_path, compiled, capsys):
    draw = random.Random(SEED)
    data = tmp_path / "faces.h5"
    write_faces(data, faces(valid=30, test=200))
    tiny = Killer(tmp_path / "tiny", TINY, ["--data", data, "--epochs", "12", "--trace"], draw)
    # One run killed up to ten times before it ends, then shorter chains of kills.
    tiny.chain({"start-up": 1, "steps": 3, "saving": 4, "validation": 2}, 10)
    tiny.until(TINY_KILLS, longest_chain=8)
    tell(capsys, tiny, "tiny recipe")
    smoke = Killer(tmp_path / "smoke", ROOT / "recipes" / "table1_crmn.py", ["--smoke", "--epochs", "3"], draw)
    smoke.until(SMOKE_KILLS, longest_chain=5)
    tell(capsys, smoke, "table1_crmn --smoke")
    kinds = {name: tiny.ledger.kinds[name] + smoke.ledger.kinds[name] for name in KINDS}
    assert sum(kinds.values()) >= 50 and min(kinds.values()) >= 5, kinds
    assert tiny.ledger.chains[0] >= 8
