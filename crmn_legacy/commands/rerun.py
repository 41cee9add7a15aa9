"""`rerun DIR`: the same run again from its folder; `identical`, or where it parted."""

from pathlib import Path

import msgspec

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.compare import PartedEpoch, RunOnDisk, first_epoch, first_update
from crmn_legacy.archive.differences import differences, shown
from crmn_legacy.commands.telling import Telling
from crmn_legacy.errors import UserError

# What ``--json`` tells; None where there is nothing to tell.
_FACTS = ("run", "out", "status", "problem", "epochs", "platforms", "differences", "epoch", "update", "ends", "results")


def rerun(arguments):
    """Run a run again and hold it against its folder; 0 if identical, 1 if it parted, else the run's own status."""
    folder = Path(arguments.run)
    record = replay.ready(folder)
    out = arguments.out and Path(arguments.out)
    if out and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        # Else a run that lies there already would be taken for the rerun.
        raise UserError(f"--out got '{out}', which exists and is not empty, expected a new folder: give another")
    done = len(archive.read_curve(folder))
    if arguments.epochs is not None and not 1 <= arguments.epochs <= done:
        raise UserError(f"--epochs got {arguments.epochs}, expected 1 to {done}, as many as the run has")
    data = replay.data_of(folder, record, arguments.data)
    out = out or archive.dated_place(f"rerun-{record.row}")
    words = replay.command(folder, record, out, data, epochs=arguments.epochs)
    status, _ = replay.call(words, aside=arguments.json)
    telling = Telling(arguments.json, identical=False, **dict.fromkeys(_FACTS))
    telling.tell(run=str(folder), out=str(out), status=status)
    status = _held(folder, out, status, telling, arguments.epochs)
    telling.end()
    return status


def _held(folder, out, status, telling, epochs):
    """Hold a rerun, which ended with a status, against its run; the command's status."""
    if not (out / archive.MANIFEST).is_file():
        line = "the rerun did not come to its end: nothing to compare"
        telling.tell(line, problem=line)
        return status or 1
    problems = archive.verify(out)
    if problems:
        line = f"the rerun's own folder does not verify: {problems[0]}"
        telling.tell(line, problem=line)
        return 1
    return verdict(RunOnDisk.read(folder), RunOnDisk.read(out), telling, epochs)


def verdict(stored, again, telling, epochs=None):
    """Tell whether a rerun is identical, or where it parted and what speaks for a reason; 0 or 1.

    Parameters
    ----------
    stored, again : RunOnDisk
        The run and its rerun.
    telling : Telling
    epochs : int, optional
        After how many the rerun was to end; all by default.
    """
    keys = [run.record.platform_key for run in (stored, again)]
    platforms = f"{shown(keys[0])} | {shown(keys[1])}"
    part = epochs is not None and epochs < len(stored.curve)
    telling.tell(platforms=keys, epochs={"run": len(stored.curve), "rerun": len(again.curve)})
    parted = parting(stored, again, part)
    if parted is None:
        if keys[0] != keys[1]:
            telling.tell(f"on another platform: {platforms}")
        line = f"identical so far: {epochs} of {len(stored.curve)} epochs" if part else "identical"
        telling.tell(line, identical=True)
        return 0
    if keys[0] != keys[1]:
        telling.tell(f"another platform, the probable reason: {platforms}")
    unlike = differences(stored, again)
    telling.tell(differences=[entry for each in unlike for entry in each.described()])
    for line in (line for each in unlike if each.what != "platform key" for line in each.lines()):
        telling.tell(line)
    words, facts = parted
    telling.tell(f"parted: {words}", **facts)
    return 1


def parting(stored, again, part=False):
    """Where a rerun parted, or None if it is identical, of a rerun of the first epochs as far as it goes.

    Returns
    -------
    (str, dict) or None
        In words; and what `Telling` keeps of it.
    """
    number = first_epoch(stored, again)
    if part and number is None:
        return None
    epoch = None if number is None else PartedEpoch.of(stored, again, number)
    facts = {} if epoch is None else {"epoch": epoch.described()}
    update = first_update(stored.folder, again.folder) if stored.traced and again.traced else None
    if update is not None:
        return str(update), {**facts, "update": update.described()}
    if epoch is not None:
        return f"epoch {epoch}", facts
    lengths = [len(run.curve) for run in (stored, again)]
    if lengths[0] != lengths[1]:
        ends = {"run": ("run", "rerun")[lengths.index(min(lengths))], "epoch": min(lengths)}
        return f"after {min(lengths)} epochs one goes on", {"ends": ends}
    results = [run.record.result for run in (stored, again)]
    if results[0] != results[1]:
        words = f"the weights are equal, the results are not: {shown(results[0])} | {shown(results[1])}"
        return words, {"results": msgspec.to_builtins(results)}
    return None
