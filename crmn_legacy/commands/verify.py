"""`verify DIR`: do a run's manifest and digests hold?"""

from crmn_legacy import archive


def verify(arguments):
    """Print what is wrong with a run's folder; 0 if nothing is, else 1."""
    problems = archive.verify(arguments.run)
    for problem in problems:
        print(problem)
    if problems:
        return 1
    record = archive.read_json(f"{arguments.run}/{archive.RUN}")
    print(f"whole: {record['row']}, {record['bits']}")
    return 0
