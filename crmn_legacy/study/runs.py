"""What a study is made of: runs of recipes, in literals."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from crmn_legacy import archive
from crmn_legacy.errors import UserError
from crmn_legacy.installation import recipe_script
from crmn_legacy.options import DECLARED, Options


@dataclass(frozen=True)
class StudyRun:
    """A run of a row's own recipe.

    Attributes
    ----------
    variant : str
        What it is of; runs of one variant differ by their seed alone.
    row : str
        Whose recipe is run.
    network, set : dict
        Arguments of ``--network`` and ``--set``, by name.
    epochs, seed : int
    trial : bool
        Whether it is there for its validation score alone: then tables say nothing of the test pictures.
    ablation : bool
        Whether it is unlike its row in more than size and length: then no printed number stands beside it.
    """

    variant: str
    row: str
    network: dict
    epochs: int
    seed: int = 1
    set: dict = field(default_factory=dict)
    trial: bool = False
    ablation: bool = False

    @property
    def name(self):
        """Of its folder."""
        return f"{self.variant}_seed{self.seed}"

    def options(self, data=None):
        """What the run is told (`crmn_legacy.options.Options`), with the path of its data."""
        told = {name: getattr(self, name) for name in ("network", "set", "epochs", "seed")}
        return Options(data=None if data is None else str(data), **told)

    def script(self):
        """Where its recipe lies (Path)."""
        return recipe_script(self.row)

    def state(self, folder):
        """How far it is: ``new``, ``begun`` or ``finished``.

        Parameters
        ----------
        folder : path
            Of the run.

        Raises
        ------
        UserError
            The folder holds another run.
        """
        return state_of(folder, self.row, self.options(), "let the study write into another")


def state_of(folder, row, options, otherwise):
    """How far a run in a folder is: ``new``, ``begun`` or ``finished``.

    Parameters
    ----------
    folder : path
    row : str
    options : crmn_legacy.options.Options
        What it is to be told; where data and programs lie, and what any resumed run may change, is not looked at.
    otherwise : str
        What a user can do other than to remove a folder of another run.

    Raises
    ------
    UserError
        The folder holds another run.
    """
    if not (Path(folder) / archive.RUN).is_file():
        return "new"
    record = archive.read_record(folder, required=("row", "options"))
    found, expected = _comparable(record.options), _comparable(options)
    if record.row != row or found != expected:
        unlike = sorted(name for name in expected if found[name] != expected[name])
        raise UserError(
            f"got '{folder}' with a run of {record.row!a}, {_shown(found, unlike)}; expected {row!r}, "
            f"{_shown(expected, unlike)}: remove the folder, or {otherwise}"
        )
    return "finished" if (Path(folder) / archive.MANIFEST).is_file() else "begun"


def changeable():
    """Options of which a resumed run may have others: where data lie, and what does not make it another run (list)."""
    return [name for name, declared in DECLARED.items() if declared.on_resume in ("elsewhere", "other")]


def _comparable(options):
    """Options as JSON holds them (a dict), but those that are `changeable`."""
    told = json.loads(msgspec.json.encode(options))
    return {name: value for name, value in told.items() if name not in changeable()}


def _shown(options, names):
    return ", ".join(f"{name} {options[name]}" for name in names) or "its options"


@dataclass(frozen=True)
class Study:
    """Runs that are trained in order, on one data file.

    Attributes
    ----------
    name : str
        Of the folder that holds its runs, under ``runs/``.
    runs : tuple of StudyRun
        No variant twice with one seed.
    base : str or None
        The variant that others are held against.

    Raises
    ------
    ValueError
        Two runs have one name.
    """

    name: str
    runs: tuple
    base: str | None = None

    def __post_init__(self):
        names = [run.name for run in self.runs]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a study got two runs called {', '.join(twice)}; expected a name for each")

    def chosen(self, names):
        """Runs by their names, in the study's order; all where `names` is empty.

        Raises
        ------
        UserError
            There is no run of a name.
        """
        known = [run.name for run in self.runs]
        if unknown := [name for name in names if name not in known]:
            raise UserError(f"--only got {unknown[0]!a}; expected some of {', '.join(known)}")
        return [run for run in self.runs if run.name in names or not names]
