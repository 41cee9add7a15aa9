"""The options of a run, each declared once: flags, the check of a record, the replay and the documents follow."""

import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from crmn_legacy.backend.determinism import PROFILES
from crmn_legacy.backend.precision import PRECISIONS

_LARGEST_COUNT = 2**64 - 1


@dataclass(frozen=True)
class Option:
    """What is to be known of an option beside its name, its type and its default.

    Attributes
    ----------
    help : str
        What ``--help`` says.
    metavar : str or None
        What its value is called there.
    at_least : int or None
        The least whole number that it may be.
    moves_bits : bool
        Whether it may move a result.
    in_platform_key : bool
        Whether the platform key tells it.
    on_resume : {'kept', 'elsewhere', 'longer', 'other'}
        Whether a resumed run may have another: none at all, another path to the same data, a larger number, or any.
    """

    help: str
    metavar: str | None = None
    at_least: int | None = None
    moves_bits: bool = True
    in_platform_key: bool = False
    on_resume: str = "kept"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is told; a field is an option of the same name.

    Raises
    ------
    ValueError
        A number is out of its range.
    """

    data: Annotated[
        str | None, Option("HDF5 file of data_prep; without it, a rehearsal", metavar="FILE", on_resume="elsewhere")
    ] = None
    epochs: Annotated[int | None, Option("end after N epochs", metavar="N", at_least=1, on_resume="longer")] = None
    steps: Annotated[int | None, Option("end after N updates, whatever the epoch", metavar="N", at_least=1)] = None
    seed: Annotated[int, Option("of every random draw", metavar="S", at_least=0)] = 1
    backend: Annotated[Literal["xla", "c"], Option("who compiles", in_platform_key=True)] = "xla"
    device: Annotated[Literal["cpu", "cuda"], Option("what computes", in_platform_key=True)] = "cpu"
    devices: Annotated[
        int,
        Option("devices that share each batch", metavar="N", at_least=1, in_platform_key=True, on_resume="other"),
    ] = 1
    precision: Annotated[Literal[PRECISIONS], Option("number format", in_platform_key=True)] = "float32"
    bits: Annotated[
        Literal[PROFILES],
        Option(
            "strict: the same bits on unlike AVX2 processors, or refused; portable: on any number of cores, and on "
            "unlike processors as far as this jaxlib lets it; fast: on this machine only",
            in_platform_key=True,
        ),
    ] = "portable"
    smoke: Annotated[bool, Option("the row's network at its smallest")] = False
    network: Annotated[
        dict[str, Any], Option("other arguments of the recipe's network, such as n=3 fm=2", metavar="NAME=VALUE")
    ] = {}
    set: Annotated[
        dict[str, Any],
        Option("other literals of the recipe, such as batch_size=32 schedule.rate=0.02", metavar="NAME=VALUE"),
    ] = {}
    programs: Annotated[
        str | None,
        Option(
            "train by the programs of this folder, which `export` wrote: no graph is built, to the same bits",
            metavar="FOLDER",
            moves_bits=False,
            on_resume="elsewhere",
        ),
    ] = None
    remat: Annotated[
        bool, Option("compute again what gradients need, where the network can (see CHANGES.md)", moves_bits=False)
    ] = False
    trace: Annotated[bool, Option("keep a digest of every tensor after every update", moves_bits=False)] = False
    tensorboard: Annotated[
        bool,
        Option(
            "write losses, rates, scores and a few faces for TensorBoard, into the run's folder; needs tensorboardX "
            "(`make tensorboard`)",
            moves_bits=False,
            on_resume="other",
        ),
    ] = False

    def __post_init__(self):
        for name, declared in DECLARED.items():
            value = getattr(self, name)
            if declared.at_least is not None and value is not None and not in_range(value, declared):
                raise ValueError(
                    f"got {name} {ascii(value)[:40]}, expected at least {declared.at_least} and at most "
                    f"{_LARGEST_COUNT}"
                )

    def changed(self):
        """Names of the options that are not at their default (list of str)."""
        return [name for name in DECLARED if getattr(self, name) != getattr(DEFAULTS, name)]

    def as_words(self):
        """The command line that gives these options (list of str)."""
        words = []
        for name in self.changed():
            value = getattr(self, name)
            if isinstance(value, dict):
                words += [f"--{name}", *(f"{key}={entry!r}" for key, entry in value.items())]
            else:
                words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
        return words


def in_range(number, declared):
    """Whether a whole number is one that an option may be."""
    return declared.at_least <= number <= _LARGEST_COUNT


def _declared(annotation):
    return next(part for part in get_args(annotation) if isinstance(part, Option))


DECLARED = {name: _declared(kind) for name, kind in typing.get_type_hints(Options, include_extras=True).items()}
"""Each option's declaration by its name, in the order of ``--help``."""

DEFAULTS = Options()
"""What an option is when it is not given. A resumed run takes those of the run it resumes."""


OF_A_BUNDLE = ("seed", "precision", "smoke", "network", "set", "remat")
"""Those that a bundle of programs is made with."""


def kind_of(name):
    """An option's type without ``None``: str, int, bool, dict, or a tuple of choices."""
    kind = get_args(typing.get_type_hints(Options, include_extras=True)[name])[0]
    if get_origin(kind) in (Union, type(int | None)):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is Literal:
        return get_args(kind)
    return get_origin(kind) or kind


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
