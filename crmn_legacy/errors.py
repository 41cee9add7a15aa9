"""The one error class that a user meets, and how it leaves a program."""

import os
import sys
import traceback

# Set to anything, it shows where an internal error came from.
TRACEBACK_VARIABLE = "CRMN_LEGACY_TRACEBACK"


class UserError(Exception):
    """A mistake that the user can mend, told in one line: what was got, what was expected, how to mend it.

    Programs print it as ``error: <message>`` and exit with status 2; see :func:`run`.
    """


def run(main):
    """Call `main` as a program and exit: one line on stderr and a status, never a traceback.

    Parameters
    ----------
    main : callable
        Takes nothing, returns an exit status (``None`` counts as 0). A `UserError` gives status 2, ctrl-C 130, a
        broken pipe 141, any other error 1.
    """
    # A file's name may hold bytes that are no text; telling it must not fail.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
    except UserError as error:
        status = _tell(f"error: {error}", 2)
    except KeyboardInterrupt:
        status = _tell("interrupted", 130)
    except BrokenPipeError:
        _silence_output()
        status = 141
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            traceback.print_exc()
        hint = f"a fault of this program, not yours; {TRACEBACK_VARIABLE}=1 shows where"
        status = _tell(f"internal error: {type(error).__name__}: {error} ({hint})", 1)
    sys.exit(status)


def _tell(line, status):
    try:
        sys.stdout.flush()
    except OSError:
        _silence_output()
    print(" ".join(line.split()), file=sys.stderr)
    return status


def _silence_output():
    """Nobody can read our output; Python would complain of it again when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
