"""A study's page of tables and figures, made anew from the runs' folders."""

from crmn_legacy.errors import UserError
from crmn_legacy.report.charts import alone
from crmn_legacy.study import figures, results, tables

PAGE = "README.md"

_SAID = """Errors are in percent of the distance between the eyes' centres; "validation" is of jittered pictures, at the
epoch that its loss chose; "±" is the deviation of a sample over the seeds."""


def write(study, folder, data, out):
    """Write the page and its figures.

    Parameters
    ----------
    study : Study
    folder : Path
        Holds the runs' folders.
    data : path
        Of the data file.
    out : Path
        Made where it is not there; what lies there under the same names is replaced.

    Returns
    -------
    list of Path
        Of what was written.

    Raises
    ------
    UserError
        No run is finished, or one will not do.
    """
    variants = results.read(study.runs, folder, data)
    if not variants:
        raise UserError(f"got '{folder}', in which no run of the study is finished; expected one at least: train first")
    shown = [variant for variant in variants if variant.results[0].predicted is not None]
    out.mkdir(parents=True, exist_ok=True)
    page, written = out / PAGE, []
    for name, chart in _charts(shown):
        written.append(out / f"{name}.svg")
        written[-1].write_text(alone(chart), encoding="utf-8")
    guess = results.mean_face(shown[0].results[0], study.runs, folder, data) if shown else None
    page.write_text(_page(study, variants, shown, guess, written), encoding="utf-8")
    return [page, *written]


def _charts(shown):
    if not shown:
        return []
    return [("learning", figures.learning(shown)), ("errors", figures.cumulative(shown))]


def _page(study, variants, shown, guess, drawn):
    done = sum(len(variant.results) for variant in variants)
    parts = [
        f"<!-- made by `studies/{study.name}.py tables`; what it means stands in studies/RESULTS.md -->\n",
        f"# {study.name}\n",
        f"{done} of {len(study.runs)} runs are finished. {_SAID}\n",
    ]
    if shown:
        parts += ["## Networks\n", tables.of_variants(shown, study.base), "## Parts of the face, test pictures\n"]
        parts += [tables.of_parts(shown)]
        parts += [f"The mean face of the training pictures errs by {guess:.2f}% on the test pictures.\n"]
    parts += ["## Runs\n", tables.of_runs(variants)]
    parts += [f"![{path.stem}]({path.name})\n" for path in drawn]
    return "\n".join(parts)
