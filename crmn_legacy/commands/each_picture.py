"""The same for each of many pictures: one that will not do is told, and the others go on."""

import json
import sys

from crmn_legacy.errors import UserError, printable


def for_each_picture(pictures, work, as_json):
    """Work on pictures one after another, and print what comes out.

    Nothing of a picture is kept.

    Parameters
    ----------
    pictures : list of path or crmn_legacy.commands.picture_names.Picture
    work : callable
        Takes one; returns what ``--json`` prints of the picture (a dict) and else (list of str).
    as_json : bool
        Whether one list of JSON objects is printed; a picture that failed has its ``error`` there.

    Returns
    -------
    int
        Exit status: 0; 1 if some pictures failed; 2 if all did.

    Raises
    ------
    UserError
        The only picture failed.
    """
    failed = 0
    for number, picture in enumerate(pictures):
        try:
            one, lines = work(picture)
        except UserError as error:
            if len(pictures) == 1:
                raise
            one, lines = {"picture": str(picture), "error": str(error)}, []
            failed += 1
            print(printable(f"error: {error}"), file=sys.stderr)
        if as_json:
            sys.stdout.write((", " if number else "[") + json.dumps(one, allow_nan=False))
            continue
        # Pictures that somebody sent may have names that a terminal would obey. All of a picture at once: a reader that
        # wants the first line alone, as `head` does, has then taken the rest.
        sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    if as_json:
        print("]")
    if failed:
        print(f"error: {failed} of {len(pictures)} pictures failed", file=sys.stderr)
    return 0 if not failed else 1 if failed < len(pictures) else 2
