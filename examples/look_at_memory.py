"""A small CRMN trained on the rendered faces, and what its memory holds over the depth; a minute, without data.

Writes run/, predictions.npz and report.html into the current folder.
"""

import subprocess
import sys

import numpy as np

from crmn_legacy import samples

data = str(samples.path("rendered_faces.h5"))
for command in (
    ["train", "table1_crmn", "--smoke", "--epochs", "3", "--data", data, "--out", "run"],
    ["evaluate", "run", "--data", data, "--predictions", "predictions.npz"],
    ["report", "run", "--predictions", "predictions.npz", "--out", "report.html"],
):
    subprocess.run([sys.executable, "-m", "crmn_legacy", *command], check=True)

with np.load("predictions.npz") as found:
    for name in ("ingate", "forgetgate", "outgate", "hidden"):
        by_step = np.abs(found[f"memory.{name}.mean"]).mean(axis=1)
        print(f"{name:<12}", *(f"step {step}: {size:.2f}" for step, size in enumerate(by_step, 1)))
    memory, pool = (found[f"memory.from_{part}"].var(axis=0).sum() for part in ("memory", "pool"))
print(
    f"of the output's variance {100 * memory / (memory + pool):.0f}% comes by the memory, the rest by the global pool"
)
