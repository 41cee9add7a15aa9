"""A study's page of tables and figures, made anew from the runs' folders."""

from crmn_legacy.errors import UserError
from crmn_legacy.report.charts import alone
from crmn_legacy.study import figures, results, tables

PAGE = "README.md"

_SAID = {
    "error": 'Errors are in percent of the distance between the eyes\' centres; "validation" is of jittered pictures',
    "accuracy": 'Accuracies are in percent; "validation" is of pictures held out',
}

_DEVIATION = '"±" is the deviation of a sample over the seeds'


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
    tested = [variant for variant in variants if variant.spread("test")[0] is not None]
    faces = [variant for variant in tested if variant.results[0].predicted is not None]
    out.mkdir(parents=True, exist_ok=True)
    page, written = out / PAGE, []
    for name, chart in _charts(tested, faces):
        written.append(out / f"{name}.svg")
        written[-1].write_text(alone(chart), encoding="utf-8")
    guess = results.mean_face(faces[0].results[0], study.runs, folder, data) if faces else None
    parts = [*_head(study, variants), *_tables(study, variants, tested), *_of_faces(faces, guess)]
    parts += [f"![{path.stem}]({path.name})\n" for path in written]
    page.write_text("\n".join(parts), encoding="utf-8")
    return [page, *written]


def _charts(tested, faces):
    if tested:
        yield "learning", figures.learning(tested)
    if faces:
        yield "errors", figures.cumulative(faces)


def _head(study, variants):
    done = sum(len(variant.results) for variant in variants)
    said = _SAID[variants[0].results[0].run.metric]
    return [
        f"<!-- made by `studies/{study.name}.py tables` -->\n",
        f"# {study.name}\n",
        f"{done} of {len(study.runs)} runs are finished. {said}, at the epoch that its loss chose; {_DEVIATION}.\n",
    ]


def _tables(study, variants, tested):
    parts = ["## Runs\n", tables.of_runs(variants)]
    return ["## Networks\n", tables.of_variants(tested, study.base), *parts] if tested else parts


def _of_faces(faces, guess):
    if not faces:
        return []
    said = f"The mean face of the training pictures errs by {guess:.2f}% on the test pictures.\n"
    return ["## Parts of the face, test pictures\n", tables.of_parts(faces), said]
