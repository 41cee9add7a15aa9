"""A study's tables in Markdown."""

from crmn_legacy.landmarks import PARTS
from crmn_legacy.paper import in_billions, in_millions, row_of


def _spread(mean, deviation, digits=2):
    if mean is None:
        return "-"
    return f"{mean:.{digits}f}" + ("" if deviation is None else f" ± {deviation:.{digits}f}")


def of_runs(variants):
    """Every run: its seed, its best epoch, its scores, its seconds, its bits.

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant

    Returns
    -------
    str
        A table of Markdown.
    """
    rows = []
    for variant in variants:
        for result in variant.results:
            record, numbers = result.run.record, result.numbers()
            best = f"{record.result.best_epoch} of {record.result.epochs}"
            scores = [_spread(numbers.get(name), None) for name in ("validation", "test")]
            rows.append(
                [variant.name, record.seed, best, *scores, f"{numbers['seconds'] / 60:.0f}", f"`{record.bits[7:19]}`"]
            )
    return table(("variant", "seed", "best epoch", "validation", "test", "minutes", "bits"), rows)


def of_variants(variants, base=None):
    """Every variant: parameters, operations, mean and deviation over its seeds, the difference to another.

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant
    base : str, optional
        The variant to which differences are given.

    Returns
    -------
    str
        A table of Markdown.
    """
    known = {variant.name: variant for variant in variants}
    rows = []
    for variant in variants:
        record = variant.results[0].run.record
        size = in_millions(record.parameters), in_billions(record.flops)
        spreads = [_spread(*variant.spread(name)) for name in ("validation", "test", "area", "failures")]
        rows.append([variant.name, len(variant.results), *size, *spreads, _difference(variant, known.get(base))])
    columns = ("variant", "seeds", "parameters", "FLOPs", "validation, %", "test, %", "area to 8%", "failures, %")
    return table((*columns, f"test less that of {base}" if base else "difference"), rows)


def _difference(variant, base):
    if base is None or variant is base:
        return "-"
    ours, theirs = (each.spread("test")[0] for each in (variant, base))
    return "-" if None in (ours, theirs) else f"{ours - theirs:+.2f}"


def beside_printed(variants, base):
    """Variants that are their rows but for size and length, beside what the paper prints of the rows.

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant
    base : str
        The variant to which differences are given, ours and the printed ones alike.

    Returns
    -------
    str
        A table of Markdown.
    """
    known = {variant.name: variant for variant in variants if not variant.results[0].planned.ablation}
    against = known.get(base)
    rows = []
    for variant in known.values():
        row = row_of(variant.results[0].planned.row)
        rows.append([variant.name, row.method, _spread(*variant.spread("test")), _difference(variant, against)])
        for test_set in _SCORES:
            if test_set in row.printed:
                rows[-1] += [f"{row.printed[test_set]:.2f}", _printed_difference(row, test_set, against)]
    shown = [name for name in _SCORES if known and name in row.printed]
    columns = ("variant", "row", "ours, %", f"less {base}")
    return table((*columns, *(text for name in shown for text in (f"printed, {_SCORES[name]}", f"less {base}"))), rows)


# Keys of `paper.Row.printed`, and what stands above them.
_SCORES = {"common": "Common", "ibug": "iBug", "accuracy": "accuracy"}


def _printed_difference(row, score, against):
    base = against and row_of(against.results[0].planned.row)
    return "-" if base is None or base is row else f"{row.printed[score] - base.printed[score]:+.2f}"


def of_parts(variants):
    """Every variant's error by part of the face.

    Parameters
    ----------
    variants : list of crmn_legacy.study.results.Variant

    Returns
    -------
    str
        A table of Markdown.
    """
    rows = [[variant.name, *(_spread(*variant.spread(part)) for part in PARTS)] for variant in variants]
    return table(("variant", *(f"{part}, %" for part in PARTS)), rows)


def table(columns, rows):
    """A table of Markdown; all columns but the first to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
