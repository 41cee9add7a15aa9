"""The one error class that a user meets, and how it leaves a program."""

import contextlib
import errno
import os
import sys
import traceback

# Set to anything, it shows where an internal error came from.
TRACEBACK_VARIABLE = "CRMN_LEGACY_TRACEBACK"

# A place without room is for the user to mend.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class UserError(Exception):
    """A mistake that the user can mend, told in one line: what was got, what was expected, how to mend it.

    Programs print it as ``error: <message>`` and exit with status 2; see :func:`run`.
    """


def printable(text):
    """`text` with every character that a terminal would obey, or hide, written as its escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def shown(value):
    """A file's own words for an error line: printable, and short."""
    return ascii(value[:40] if isinstance(value, str | bytes) else value)[:40]


def run(main):
    """Call `main` as a program and exit: one line on stderr and a status, never a traceback.

    Parameters
    ----------
    main : callable
        Takes nothing, returns an exit status (``None`` counts as 0). A `UserError` gives status 2, and so does
        output for which there is no room; ctrl-C 130, a broken pipe 141, any other error 1.
    """
    _open_closed_streams()
    # A file's name may hold bytes that are no text; telling it must not fail.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _ended(main)
    except UserError as error:
        status = _print_error(f"error: {error}", 2)
    except KeyboardInterrupt:
        status = _print_error("interrupted", 130)
    except BrokenPipeError:
        _silence(sys.stdout)
        status = 141
    except Exception as error:
        status = _print_unexpected(error)
    sys.exit(status)


def tell_uncaught():
    """Let what a script's imports raise, before its `run`, end it as `run` would: in one line, with its status."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _told


def _told(kind, error, trace):
    if isinstance(error, UserError):
        sys.exit(_print_error(f"error: {error}", 2))
    if isinstance(error, KeyboardInterrupt):
        sys.exit(_print_error("interrupted", 130))
    sys.__excepthook__(kind, error, trace)


def _ended(main):
    """What `main` returns, once its output is with the system; a program that ends in ``--help`` has output too."""
    try:
        status = main()
    except SystemExit:
        sys.stdout.flush()
        raise
    sys.stdout.flush()
    return status


def _print_unexpected(error):
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        where = f"'{error.filename}'" if error.filename else "the output"
        return _print_error(
            f"error: cannot write {where} ({error.strerror}); expected room for it: free some, or write elsewhere", 2
        )
    if os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exc()
    hint = f"a fault of this program, not yours; {TRACEBACK_VARIABLE}=1 shows where"
    return _print_error(f"internal error: {type(error).__name__}: {error} ({hint})", 1)


def _print_error(line, status):
    _open_closed_streams()
    try:
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)
    try:
        print(printable(" ".join(line.split())), file=sys.stderr, flush=True)
    except OSError:
        _silence(sys.stderr)
    return status


def _open_closed_streams():
    """A stream that was closed before the program began is None to Python; what is written to it is lost."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - open until the program ends


def _silence(stream):
    """Nobody can read our output; Python would complain of it again when it flushes at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
