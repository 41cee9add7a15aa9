"""`verify DIR`: do a run's manifest and digests hold?"""

import json

from crmn_legacy import archive
from crmn_legacy.errors import printable


def verify(arguments):
    """Print what is wrong with a run's folder, and what is not the run's; 0 if nothing is wrong, else 1."""
    problems, foreign = archive.verify(arguments.run), archive.foreign(arguments.run)
    if arguments.json:
        print(json.dumps(_described(arguments, problems, foreign)))
        return int(bool(problems or (arguments.strict and foreign)))
    for problem in problems:
        print(printable(problem))
    if foreign:
        print(f"not the run's: {archive.shown_names(foreign, most=20)}")
    if problems or (arguments.strict and foreign):
        return 1
    record = archive.read_record(arguments.run, required=())
    missing = archive.left_out(arguments.run)
    without = ("checkpoints" if archive.WEIGHTS not in missing else "arrays") if missing else ""
    whole = f"whole, without {without}" if without else "whole"
    print(printable(f"{whole}: {record.row}, {record.bits}"))
    return 0


def _described(arguments, problems, foreign):
    """What ``--json`` prints (a dict); the record's own words are there only if the folder is whole."""
    record = None if problems else archive.read_record(arguments.run, required=())
    return {
        "run": str(arguments.run),
        "whole": not problems,
        "problems": list(problems),
        "foreign": list(foreign),
        "left_out": [] if problems else list(archive.left_out(arguments.run)),
        "row": record and record.row,
        "bits": record and record.bits,
    }
