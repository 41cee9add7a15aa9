"""Files of predictions as `evaluate --predictions` writes them, with known content."""

import numpy as np

from crmn_legacy import archive
from crmn_legacy.report.memory import STATES

DEPTH, UNITS = 3, 5


def memory(pictures, outputs, seed=1):
    """Columns of a memory."""
    random = np.random.default_rng(seed)
    columns = {f"from_{part}": random.normal(size=(pictures, outputs)) for part in ("memory", "pool")}
    kept = 3 if pictures >= 3 else 0
    for name in STATES:
        columns |= {f"{name}.mean": random.uniform(size=(DEPTH, UNITS))}
        columns |= {f"{name}.deviation": random.uniform(size=(DEPTH, UNITS))}
        columns |= {f"{name}.single": random.uniform(size=(kept, DEPTH, UNITS))}
    return {f"memory.{name}": value.astype(np.float32) for name, value in columns.items()}


def faces(pictures=13, seed=0):
    """Columns of faces; predictions are the farther off, the later the picture."""
    random = np.random.default_rng(seed)
    target = random.uniform(0.2, 0.8, (pictures, 136)).astype(np.float32)
    # Eyes of one distance in all pictures.
    target[:, 72:96] = np.tile(np.repeat([[0.3, 0.4], [0.7, 0.4]], 6, axis=0).ravel(), (pictures, 1))
    return {
        "predicted": target + np.linspace(0.01, 0.1, pictures, dtype=np.float32)[:, None],
        "target": target,
        "pictures": random.integers(0, 256, (pictures, 1, 16, 16), dtype=np.uint8),
        "names": np.array([f"face {place}" for place in range(pictures)]),
        "sources": np.array(["helen"] * pictures),
        **memory(pictures, 136),
    }


def classes(pictures=40, number=10, seed=0):
    """Columns of a classifier that takes every picture of class 1 for class 2, surest of the last."""
    random = np.random.default_rng(seed)
    target = np.arange(pictures) % number
    taken = np.where(target == 1, 2, target)
    predicted = np.full((pictures, number), 0.01, np.float32)
    predicted[np.arange(pictures), taken] = np.linspace(0.5, 0.9, pictures)
    return {
        "predicted": predicted,
        "target": target.astype(np.int32),
        "pictures": random.normal(size=(pictures, 3, 8, 8)).astype(np.float32),
        "raw": random.integers(0, 256, (pictures, 3, 8, 8), dtype=np.uint8),
        "names": np.array([f"picture {place}" for place in range(pictures)]),
        "sources": np.array(["cifar10"] * pictures),
        "classes": np.array([f"class {place}" for place in range(number)]),
        **memory(pictures, number),
    }


def write(path, columns):
    """The file's path."""
    archive.write_arrays(path, columns)
    return path
