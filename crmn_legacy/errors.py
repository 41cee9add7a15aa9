"""The one error class that a user meets, and how it leaves a program."""

import sys


class UserError(Exception):
    """A mistake that the user can mend, told in one line: what was got, what was expected, how to mend it.

    Programs print it as ``error: <message>`` and exit with status 2; see :func:`run`.
    """


def run(main):
    """Call `main` as a program: `UserError` becomes one line on stderr and exit status 2.

    Parameters
    ----------
    main : callable
        Takes nothing, returns an exit status (``None`` counts as 0).
    """
    try:
        status = main()
    except UserError as error:
        sys.stdout.flush()
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        status = 2
    sys.exit(status)
