"""``--seeds`` of a recipe: the same run once a seed, each as a program of its own, and what came out on average."""

import sys
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy import archive
from crmn_legacy.archive.golden import golden_bits
from crmn_legacy.archive.replay import as_typed, call, pasteable
from crmn_legacy.errors import UserError
from crmn_legacy.options import DECLARED, Options
from crmn_legacy.report.formatting import mean_and_deviation, percent, significant
from crmn_legacy.study.runs import changeable, state_of

# A run's status: the user's mistake, which the next would meet as well; 128 and the signal that stopped it.
_MISTAKE, _STOPPED = 2, 128


@dataclass(frozen=True)
class _SeedRun:
    """A run of one of the seeds.

    Attributes
    ----------
    seed : int
    folder : Path
    options : Options
    state : str
        ``new``, ``begun`` or ``finished``, before anything was done.
    """

    seed: int
    folder: Path
    options: Options
    state: str

    def words(self, script):
        """The command line that runs it, or goes on with it (list of str)."""
        safely = ["-P"] if sys.flags.safe_path else []
        if self.state == "begun":
            # The others are as they were.
            told = ["--resume", str(self.folder), *self._options(changeable()).as_words()]
        else:
            others = self._options(name for name in DECLARED if name != "seed")
            told = ["--out", str(self.folder), "--seed", str(self.seed), *others.as_words()]
        return [sys.executable, *safely, str(script), *told]

    def _options(self, names):
        return Options(**{name: getattr(self.options, name) for name in names})


def train_each(recipe, script, given, words):
    """Train a recipe once for each seed, skip what is finished, go on with what was stopped, and print a table.

    Parameters
    ----------
    recipe : crmn_legacy.recipe.Recipe
    script : Path
        The recipe's file.
    given : dict
        Of the command line: options, ``seeds``, ``out`` and the like; None where one was not given.
    words : list of str
        The command line itself.

    Returns
    -------
    int
        The worst status of the runs.

    Raises
    ------
    UserError
        Options that do not go together, or a folder that holds another run.
    """
    _require_alone(given)
    place = Path(given["out"]) if given["out"] else archive.dated_place(recipe.row)
    # All folders first: what is amiss with the last is told before hours have passed.
    runs = [_seed_run(recipe, seed, place, given) for seed in given["seeds"]]
    _require_alike(recipe, script, runs)
    try:
        status = _train(runs, script)
    except KeyboardInterrupt:  # between two runs
        status = _STOPPED + 2
    if status >= _STOPPED:
        again = [*as_typed(script), *words, *([] if given["out"] else ["--out", str(place)])]
        print(f"interrupted; go on with all seeds by: {pasteable(again)}", file=sys.stderr)
    elif finished := [run for run in runs if (run.folder / archive.MANIFEST).is_file()]:
        print("\n".join(_table(finished)))
    return status


def _require_alone(given):
    """Refuse what says itself which run it is of."""
    if given["seed"] is not None:
        raise UserError("--seeds got --seed as well, expected one of them")
    if given["resume"]:
        raise UserError(
            "--seeds got --resume as well, expected one of them: with the former --out, --seeds goes on by itself"
        )
    if several := [name for name in ("coordinator", "processes", "process") if given[name] is not None]:
        raise UserError(f"--seeds got --{several[0]} as well, expected a single process: start each seed by itself")


def _seed_run(recipe, seed, place, given):
    told = {name: given[name] for name in DECLARED if given[name] is not None}
    options, folder = Options(**told, seed=seed), place / f"{archive.SEED}{seed}"
    return _SeedRun(seed, folder, options, state_of(folder, recipe.row, options, "give another --out"))


def _require_alike(recipe, script, runs):
    """Refuse folders of runs that another recipe or other data were used for: a mean is of one and the same."""
    there = [run for run in runs if run.state != "new"]
    data = there and there[0].options.data
    digest = recipe.task.read(Path(data)).digest if data else None
    for run in there:
        record = archive.read_record(run.folder)
        kept = run.folder / archive.RECIPE
        if not kept.is_file() or kept.read_bytes() != script.read_bytes():
            raise UserError(
                f"got '{run.folder}' with a run of another recipe than '{script}' is now; expected the same: restore "
                "it, or give another --out"
            )
        if (record.options.data is None) != (data is None) or (data and record.data_digest != digest):
            raise UserError(
                f"got '{run.folder}' with a run on other data than '{data or 'the embedded sample'}'; expected the "
                "same: give another --out"
            )


def _train(runs, script):
    """Train what is not finished, in order; the worst status."""
    worst = 0
    for number, run in enumerate(runs, 1):
        told = f"seed {run.seed} ({number} of {len(runs)})"
        if run.state == "finished":
            print(f"{told}: is finished in '{run.folder}'", flush=True)
            record = archive.read_record(run.folder)
            status = int(golden_bits(record) not in (None, record.bits))
        else:
            print(f"{told}: {'goes on' if run.state == 'begun' else 'begins'}", flush=True)
            status, _ = call(run.words(script))
        worst = max(worst, status)
        if status >= _STOPPED or status == _MISTAKE:
            break
    return worst


def _table(runs):
    """Results of finished runs, a line a number (list of str)."""
    results = [archive.read_record(run.folder, required=("result",)).result for run in runs]
    rows = [["", *(f"seed {run.seed}" for run in runs), "mean ± deviation"]]
    for name, values, factor, shown in _numbers(results):
        known = [factor * value for value in values if value is not None]
        whole = mean_and_deviation(known) if len(known) == len(values) else f"{len(known)} of {len(values)} known"
        rows.append([name, *map(shown, values), whole])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{'>' if place else '<'}{widths[place]}}" for place, cell in enumerate(row)).rstrip()
        for row in rows
    ]


def _numbers(results):
    """What the table shows: a name, a value of each result, a factor for their mean, and how one is printed."""
    yield "validation loss", [result.validation_loss for result in results], 1, significant
    for name in ("error", "accuracy"):
        values = [getattr(result, f"validation_{name}") for result in results]
        if any(value is not None for value in values):
            yield f"validation {name}, %", values, 100, percent
    for name in dict.fromkeys(name for result in results for name in result.test or {}):
        scores = [(result.test or {}).get(name) for result in results]
        yield f"test {name}, %", [score and score.mean for score in scores], 100, percent
