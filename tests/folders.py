"""A small finished run's folder, written as a run writes it, with arithmetic in the place of a network."""

import hashlib
import json

import numpy as np
from msgspec.structs import replace

from crmn_legacy import archive
from crmn_legacy.archive.checkpoint import Progress, ScheduleState, pack
from crmn_legacy.archive.record import Epoch, Plan, Result, RunRecord
from crmn_legacy.archive.trace import Trace
from crmn_legacy.options import DEFAULTS

STEPS, EPOCHS = 2, 2
RECORD = RunRecord(
    row="table1_crmn",
    status="finished",
    seed=1,
    data_digest="d" * 64,
    started="2017-06-01T00:00:00Z",
    plan=Plan(kind="smoke", arguments={}, batch_size=2, epochs=EPOCHS, steps=None),
    options=DEFAULTS,
    platform_key="xla/here",
    packages={"numpy": "1.26.4"},
    result=Result(best_epoch=1, epochs=EPOCHS, updates=STEPS * EPOCHS, validation_loss=1.0),
)


def states(disturbed=None):
    """The state before the first update and after each; from update `disturbed` on one number is another."""
    found = [{"w": np.arange(4, dtype="f4"), "w.velocity": np.zeros(4, "f4")}]
    for update in range(1, STEPS * EPOCHS + 1):
        velocity = found[-1]["w.velocity"] * np.float32(0.9) - np.float32(0.1) * np.cos(found[-1]["w"])
        if update == disturbed:
            velocity[2] += np.float32(2**-10)
        found.append({"w": found[-1]["w"] + velocity, "w.velocity": velocity})
    return found


def write_run(path, trace=True, disturbed=None, **changes):
    """Write the folder of a finished run; `changes` go to its record.

    Returns
    -------
    Path
    """
    made = states(disturbed)
    folder = archive.RunFolder(path, new=True)
    (path / archive.RECIPE).write_text("RECIPE = 1\n")
    record = replace(
        RECORD,
        initial_bits=archive.digest_tensors(made[0]),
        initial_weights=archive.digest_tensors({"w": made[0]["w"]}),
    )
    archive.write_arrays(path / archive.INITIAL_WEIGHTS, {"w": made[0]["w"]})
    archive.write_arrays(path / archive.WEIGHTS, {"w": made[STEPS]["w"]})
    curve, bits = [], record.initial_bits
    tracing = Trace(path) if trace else None
    for update, state in enumerate(made):
        loss = None if not update else float(np.abs(state["w"]).sum())
        epoch, step = ((update - 1) // STEPS + 1, (update - 1) % STEPS + 1) if update else (0, 0)
        if tracing:
            tracing.add(state, epoch, step, update, loss)
        if step == 1:
            losses = []
        if update:
            losses.append(loss)
        if step == STEPS:
            losses.append(loss / 2)
            bits = archive.digest_tensors(state, losses, bits)
            weights = archive.digest_tensors({"w": state["w"]}) if epoch == 1 else None
            line = Epoch(
                epoch=epoch,
                updates=update,
                rates={"all": 0.1},
                losses=losses,
                train_loss=sum(losses[:-1]) / STEPS,
                validation_loss=losses[-1],
                bits=bits,
                weights=weights,
            )
            curve.append(line)
            schedule = ScheduleState(best_loss=curve[0].validation_loss, best_epoch=1)
            progress = Progress(epoch=epoch + 1, updates=update, curve=curve, bits=bits, schedule=schedule)
            folder.write_checkpoint(pack(state, progress))
    if tracing:
        tracing.close()
    folder.write_curve(curve)
    folder.finish(replace(record, bits=bits, **changes))
    folder.close()
    return path


def rewrite(folder, name, content):
    """Alter a file and the manifest with it, as somebody would who wants not to be found out."""
    (folder / name).write_bytes(content)
    lines = [line for line in (folder / archive.MANIFEST).read_text().splitlines() if line[66:] != name]
    lines.append(f"{hashlib.sha256(content).hexdigest()}  {name}")
    (folder / archive.MANIFEST).write_text("\n".join(lines) + "\n")


def rewrite_json(folder, name, change):
    """Alter a JSON object in a file, or each in a file of lines, by a function, and the manifest with it."""
    text = (folder / name).read_text()
    if name.endswith(".jsonl"):
        objects = [json.loads(line) for line in text.splitlines()]
        change(objects)
        rewrite(folder, name, "".join(json.dumps(one) + "\n" for one in objects).encode())
    else:
        record = json.loads(text)
        change(record)
        rewrite(folder, name, json.dumps(record).encode())
