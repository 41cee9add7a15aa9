"""``python -m crmn_legacy.backend SCRIPT [ARGS]``: an unmodified Theano or Lasagne 0.1 script on Aesara."""

import argparse
import os
import sys
import warnings
from types import ModuleType

from crmn_legacy import backend
from crmn_legacy.backend import aesara_settings, compiler, theano_flags, variables
from crmn_legacy.errors import UserError, run

USAGE = "usage: python -m crmn_legacy.backend SCRIPT [ARGS]"


def read_script(path):
    """Return the source text of the script at `path`, as bytes.

    Raises
    ------
    UserError
        If there is no file at `path`, or it cannot be read.
    """
    if os.path.isdir(path):
        raise UserError(f"got the directory {path}, expected a Python script; {USAGE}")
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}), expected a Python script; {USAGE}") from None


def run_script(path, arguments):
    """Run the script at `path` as Python would: as ``__main__``, with its arguments and import path.

    Parameters
    ----------
    path : str
    arguments : list of str
        What becomes ``sys.argv[1:]``.
    """
    source = read_script(path)
    backend.install()
    sys.argv = [path, *arguments]
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    if not sys.warnoptions:
        # Python shows these for __main__ alone; that Theano's way of calling is old is no news to the script.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    # Kept in sys.modules to the end, so that pickling and exit handlers find the script's names.
    sys.modules["__main__"] = module
    try:
        exec(compile(source, path, "exec"), module.__dict__)
    except UserError:
        raise
    except Exception as error:
        # The script's own fault: told as Python tells it, without the frame above.
        error = error.with_traceback(error.__traceback__.tb_next)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def build_parser():
    """Options of the door, one line each; they stand before SCRIPT, and what follows it is the script's own."""
    parser = _Parser(prog="python -m crmn_legacy.backend", usage=USAGE.partition(": ")[2], allow_abbrev=False)
    parser.add_argument("script", metavar="SCRIPT", help="a Theano or Lasagne program")
    parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the script's own arguments")
    return parser


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message):
        required = "the following arguments are required"
        raise UserError(f"{'got no script' if message.startswith(required) else message}; {USAGE}")


def main():
    """Run the command line."""
    given = build_parser().parse_args()
    variables.set_warnings_right()
    theano_flags.install()
    if compiler.default() is None and "cxx" not in aesara_settings.choices():
        variables.tell("no C++ compiler with Python's headers: Aesara computes in Python, slowly; install g++")
    run_script(given.script, given.arguments)


if __name__ == "__main__":
    run(main)
