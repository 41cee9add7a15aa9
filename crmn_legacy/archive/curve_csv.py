"""The curve as a table for spreadsheets: derived from the epochs of ``curve.jsonl``, never read again."""

import csv
import io

import msgspec


def as_csv(epochs):
    """The scalars of a curve, a line an epoch and a column a scalar, as CSV.

    Parameters
    ----------
    epochs : list of Epoch
        What of one is a text, a digest say, or a list is left out; of a dict each entry has a column of its own. A
        number that an epoch lacks leaves its cell empty.

    Returns
    -------
    str
        Its first line names the columns, in the order of an `Epoch`: ``epoch``, ``updates``, ``rates.stem``, and so
        on. Numbers are written so that they read back as they were.

    Examples
    --------
    >>> from crmn_legacy.archive.record import Epoch
    >>> line = Epoch(epoch=1, updates=3, rates={"all": 0.1}, losses=[2.0], train_loss=2.0, validation_loss=1.5, bits="")
    >>> print(as_csv([line]), end="")
    epoch,updates,rates.all,train_loss,validation_loss,shifts,best
    1,3,0.1,2.0,1.5,0,0
    """
    rows = [scalars(epoch) for epoch in epochs]
    text = io.StringIO()
    writer = csv.DictWriter(text, _columns(epochs, rows), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def scalars(epoch):
    """The numbers of an `Epoch` by the names of their columns (a dict); of a dict's entries ``rates.stem``."""
    found = {}
    for field in msgspec.structs.fields(epoch):
        value = getattr(epoch, field.name)
        if isinstance(value, dict):
            found |= {f"{field.name}.{name}": number for name, number in value.items()}
        elif isinstance(value, int | float):
            found[field.name] = value
    # Its weights are stored where it was the best so far.
    return found | {"best": int(epoch.weights is not None)}


def _columns(epochs, rows):
    """The columns of all rows, in the order of an epoch's fields whichever epoch has them."""
    order = {field.name: place for epoch in epochs[:1] for place, field in enumerate(msgspec.structs.fields(epoch))}
    found = dict.fromkeys(name for row in rows for name in row)
    return sorted(found, key=lambda name: order.get(name.partition(".")[0], len(order)))
