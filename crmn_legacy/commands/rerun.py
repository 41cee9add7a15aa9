"""`rerun DIR`: the same run again from its folder; `identical`, or where it parted."""

from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.archive import replay
from crmn_legacy.archive.compare import RunOnDisk, epoch_line, first_epoch, first_update, reasons, shown
from crmn_legacy.errors import UserError


def rerun(arguments):
    """Run a run again and hold it against its folder; 0 if identical, 1 if it parted, else the run's own status."""
    folder = Path(arguments.run)
    record = replay.ready(folder)
    stamp = archive.now().replace("-", "").replace(":", "")
    out = Path(arguments.out or Path("runs") / f"rerun-{record.row}-{stamp}")
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        # Else a run that lies there already would be taken for the rerun.
        raise UserError(f"--out got '{out}', which exists and is not empty, expected a new folder: give another")
    done = len(archive.read_curve(folder))
    if arguments.epochs is not None and not 1 <= arguments.epochs <= done:
        raise UserError(f"--epochs got {arguments.epochs}, expected 1 to {done}, as many as the run has")
    data = replay.data_of(folder, record, arguments.data)
    status, _ = replay.call(replay.command(folder, record, out, data, epochs=arguments.epochs))
    if not (out / archive.MANIFEST).is_file():
        print("the rerun did not come to its end: nothing to compare")
        return status or 1
    problems = archive.verify(out)
    if problems:
        print(f"the rerun's own folder does not verify: {problems[0]}")
        return 1
    return verdict(RunOnDisk.read(folder), RunOnDisk.read(out), arguments.epochs)


def verdict(stored, again, epochs=None):
    """Print whether a rerun is identical, or where it parted and what speaks for a reason; 0 or 1.

    Parameters
    ----------
    stored, again : RunOnDisk
        The run and its rerun.
    epochs : int, optional
        After how many the rerun was to end; all by default.
    """
    keys = [run.record.platform_key for run in (stored, again)]
    part = epochs is not None and epochs < len(stored.curve)
    parted = parting(stored, again, part)
    if parted is None:
        if keys[0] != keys[1]:
            print(f"on another platform: {shown(keys[0])} | {shown(keys[1])}")
        print(f"identical so far: {epochs} of {len(stored.curve)} epochs" if part else "identical")
        return 0
    if keys[0] != keys[1]:
        print(f"another platform, the probable reason: {shown(keys[0])} | {shown(keys[1])}")
    for line in reasons(stored, again):
        if not line.startswith("platform key: "):
            print(line)
    print(f"parted: {parted}")
    return 1


def parting(stored, again, part=False):
    """Where a rerun parted (a str), or None if it is identical, of a rerun of the first epochs as far as it goes."""
    epoch = first_epoch(stored, again)
    if part and epoch is None:
        return None
    update = first_update(stored.folder, again.folder) if stored.traced and again.traced else None
    if update is not None:
        return str(update)
    if epoch is not None:
        return f"epoch {epoch_line(stored, again, epoch)}"
    if len(stored.curve) != len(again.curve):
        return f"after {min(len(stored.curve), len(again.curve))} epochs one goes on"
    results = [run.record.result for run in (stored, again)]
    if results[0] != results[1]:
        return f"the weights are equal, the results are not: {shown(results[0])} | {shown(results[1])}"
    return None
