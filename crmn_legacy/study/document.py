"""A study's page of tables and figures, made anew from the runs' folders."""

import shlex

from crmn_legacy.errors import UserError
from crmn_legacy.report.charts import alone
from crmn_legacy.study import figures, results, tables

PAGE = "README.md"

_SAID = {
    "error": 'Errors are in percent of the distance between the eyes\' centres; "validation" is of jittered pictures',
    "accuracy": 'Accuracies are in percent; "validation" is of pictures held out',
}

_DEVIATION = '"±" is the deviation of a sample over the seeds'


def write(study, places):
    """Write the page and its figures, from what was kept alone.

    Parameters
    ----------
    study : Study
    places : crmn_legacy.study.keeping.Places
        The page goes into the study's own folder; what lies there under the same names is replaced.

    Returns
    -------
    list of Path
        Of what was written.

    Raises
    ------
    UserError
        No run was kept, or one will not do.
    """
    variants = results.read(study.runs, places)
    if not variants:
        raise UserError(f"got '{places.kept}', in which no run of the study was kept; expected one: train first")
    tested = [variant for variant in variants if variant.spread("test")[0] is not None]
    faces = [variant for variant in tested if variant.results[0].parts is not None]
    page, written = places.kept / PAGE, []
    for name, chart in _charts(tested, faces):
        written.append(places.kept / f"{name}.svg")
        written[-1].write_text(alone(chart), encoding="utf-8")
    guess = results.mean_face(places) if faces else None
    parts = [*_head(study, variants), *_tables(study, variants, tested), *_of_faces(faces, guess)]
    parts += [f"![{path.stem}]({path.name})\n" for path in written] + ["## Commands\n", _commands(variants)]
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
    if not tested:
        return parts
    beside = ["## Beside the printed numbers\n", tables.beside_printed(tested, study.base)]
    return ["## Networks\n", tables.of_variants(tested, study.base), *beside, *parts]


def _commands(variants):
    """Of every run the command that repeats it, and its bits."""
    lines = ["```"]
    for result in (result for variant in variants for result in variant.results):
        words = result.planned.options("FILE").as_words()
        lines += [f"python recipes/{result.planned.row}.py {shlex.join(words)}", f"bits: {result.run.record.bits}"]
    return "\n".join([*lines, "```\n"])


def _of_faces(faces, guess):
    if not faces:
        return []
    said = f"The mean face of the training pictures errs by {guess:.2f}% on the test pictures.\n"
    return ["## Parts of the face, test pictures\n", tables.of_parts(faces), said]
