"""`verify DIR`: do a run's manifest and digests hold?"""

from crmn_legacy import archive
from crmn_legacy.errors import printable


def verify(arguments):
    """Print what is wrong with a run's folder; 0 if nothing is, else 1."""
    problems = archive.verify(arguments.run)
    for problem in problems:
        print(printable(problem))
    if problems:
        return 1
    record = archive.read_record(arguments.run, required=())
    whole = "whole, without arrays" if archive.left_out(arguments.run) else "whole"
    print(printable(f"{whole}: {record.row}, {record.bits}"))
    return 0
