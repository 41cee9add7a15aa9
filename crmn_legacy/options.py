"""How a run is told to go: its options, and the short runs on the embedded sample."""

from dataclasses import dataclass

# What an option is when it is not given. A resumed run takes those of the run it resumes.
DEFAULTS = {
    "data": None,
    "epochs": None,
    "steps": None,
    "seed": 1,
    "backend": "xla",
    "device": "cpu",
    "devices": 1,
    "precision": "float32",
    "bits": "portable",
    "smoke": False,
    "trace": False,
    "remat": False,
}


@dataclass(frozen=True)
class Trial:
    """A short run on the embedded sample.

    Attributes
    ----------
    batch_size : int
        Pictures a batch, fewer than the published run's where that would take long.
    epochs : int
        Epochs of the sample.
    steps : int or None
        Updates after which the run ends, whatever the epoch.
    """

    batch_size: int
    epochs: int = 1
    steps: int | None = None
