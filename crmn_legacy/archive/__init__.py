"""A run's folder: written once, digested, verified, compared. Reads and writes files; knows no model."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.archive.arrays import digest_tensors, read_arrays, write_arrays
from crmn_legacy.archive.folder import RunFolder, dated_place, lighten, now
from crmn_legacy.archive.layout import (
    ARRAYS,
    CHECKPOINT,
    CURVE,
    CURVE_CSV,
    FORMER_CHECKPOINT,
    INITIAL_WEIGHTS,
    MANIFEST,
    RECIPE,
    RUN,
    SEED,
    TENSORBOARD,
    TRACE,
    WEIGHTS,
    WRITTEN,
)
from crmn_legacy.archive.record import read_curve, read_json, read_record, write_json
from crmn_legacy.archive.verification import foreign, left_out, shown_names, verify

__all__ = [
    "ARRAYS",
    "CHECKPOINT",
    "CURVE",
    "CURVE_CSV",
    "FORMER_CHECKPOINT",
    "INITIAL_WEIGHTS",
    "MANIFEST",
    "RECIPE",
    "RUN",
    "SEED",
    "TENSORBOARD",
    "TRACE",
    "WEIGHTS",
    "WRITTEN",
    "RunFolder",
    "dated_place",
    "digest_tensors",
    "foreign",
    "left_out",
    "lighten",
    "now",
    "read_arrays",
    "read_curve",
    "read_json",
    "read_record",
    "shown_names",
    "verify",
    "write_arrays",
    "write_json",
]

__getattr__, __dir__ = _submodules.attributes(globals())
