"""What the run asks of a task, a schedule, an optimiser, batches and a compiled step."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from crmn_legacy.archive.checkpoint import Progress, ScheduleState
from crmn_legacy.archive.record import Epoch
from crmn_legacy.data.randomness import Generators

State = Mapping[str, Any]
"""Arrays by name: of the host, or where a step computes."""


class Batches(Protocol):
    """The batches of one split of a data file; see `crmn_legacy.data.batches.Batches`."""

    rows: np.ndarray
    batch_size: int
    steps_per_epoch: int

    def epochs(self, first: int, last: int, start: int = 0) -> Generator[dict]:
        """The augmented batches of some epochs, from a step of the first on; to be closed."""

    def evaluation(self, jitter: bool = False) -> Iterator[tuple[dict, int]]:
        """The split in the file's order, a batch and how many of its pictures count at a time."""


class Preprocessing(Protocol):
    """From pictures as stored to what a network reads; see `crmn_legacy.data.preprocessing`."""

    def __call__(self, images: np.ndarray, pictures: Any) -> np.ndarray:
        """Pictures as float32, prepared by the statistics of the training pictures."""


class Augmentation(Protocol):
    """What is done to training pictures anew in each epoch; see `crmn_legacy.data.crop_flip`."""

    last_epoch: int | None

    def __call__(self, pictures: np.ndarray, generators: Generators) -> np.ndarray:
        """Pictures, each augmented by its own random numbers."""

    def plain(self, pictures: np.ndarray) -> np.ndarray:
        """Pictures as they are tested."""


class Task(Protocol):
    """What is learned: the data, the loss, the score; see `crmn_legacy.training.tasks`."""

    metric: str
    measure: str
    predicts: str
    sample: str
    samples: int
    jitters_validation: bool

    def read(self, path: Path) -> Any:
        """The data of a file that data_prep made."""

    def batches(self, data: Any, split: str, batch_size: int, seed: int) -> Batches:
        """Batches of a split."""

    def inputs(self) -> dict:
        """The symbolic batch."""

    def losses(self, predicted: Any, inputs: dict) -> Any:
        """The loss of each picture, symbolic."""

    def known(self, inputs: dict) -> dict:
        """What layers are told of the symbolic batch beside its pictures; or, as ``inputs``, what input layers read."""

    def watched(self, predicted: Any, inputs: dict) -> dict:
        """What a training step puts out beside the loss."""

    def score(self, predicted: np.ndarray, batch: dict, all_points: bool = False) -> np.ndarray:
        """The score of each picture, a fraction."""

    def target(self, batch: dict) -> np.ndarray:
        """What predictions are held against."""

    def by_test_set(self, scores: np.ndarray, data: Any, rows: np.ndarray) -> dict:
        """The mean score of each test set."""

    def unlike_release(self, data: Any) -> list[str]:
        """What the training part lacks of the published data, or has beyond it."""

    def describe(self) -> dict:
        """The task in plain words and numbers."""


class Schedule(Protocol):
    """Learning rates by component; see `crmn_legacy.training.schedules`."""

    components: tuple[str, ...]

    def start(self) -> ScheduleState:
        """The state before the first epoch."""

    def trained(self, epoch: int) -> tuple[str, ...]:
        """The components that are trained in an epoch."""

    def rates(self, state: ScheduleState, epoch: int = 1, update: int = 1) -> dict[str, float]:
        """The learning rate of each component."""

    def after_update(self, state: ScheduleState, update: int, outputs: dict) -> ScheduleState:
        """The state after an update."""

    def after_epoch(self, state: ScheduleState, epoch: int, validation_loss: float) -> ScheduleState:
        """The state after an epoch."""

    def describe(self) -> dict:
        """The schedule in plain words and numbers."""


class Optimizer(Protocol):
    """Updates from gradients and rates; see `crmn_legacy.training.optimizers`."""

    def updates(self, loss: Any, parameters: list, rates: dict) -> dict:
        """Symbolic updates of all parameters."""

    def describe(self) -> dict:
        """The optimiser in plain words and numbers."""


class Observer(Protocol):
    """What watches the loop, and moves nothing in it; see `crmn_legacy.training.tensorboard`."""

    def updated(self, progress: Progress) -> None:
        """An update was begun; the losses of those before it are known, after an epoch's last one its own, too."""

    def validated(self, batch: dict, predicted: np.ndarray, count: int) -> None:
        """A batch of the validation part was predicted; so many of its pictures count."""

    def ended(self, line: Epoch) -> None:
        """An epoch ended; its checkpoint is not written yet."""

    def flush(self) -> None:
        """A checkpoint is about to be written."""


class TrainingStep(Protocol):
    """One update; see `crmn_legacy.training.steps.TrainingSteps`."""

    def __call__(self, state: State, batch: dict, rates: dict) -> tuple[State, dict]:
        """The state after the update, and the step's outputs."""

    def put(self, state: State) -> State:
        """A state of the host, brought to where the step computes."""

    def get(self, state: State) -> dict[str, np.ndarray]:
        """A state brought back to the host."""


class EvaluationStep(Protocol):
    """One forward pass; see `crmn_legacy.training.steps.evaluation_step`."""

    def __call__(self, state: State, batch: dict) -> tuple[State, dict]:
        """The state after the pass (random numbers move on), and its outputs."""

    def put(self, state: State) -> State:
        """A state of the host, brought to where the step computes."""

    def get_outputs(self, outputs: dict) -> dict[str, np.ndarray]:
        """A step's outputs brought back to the host."""
