"""``python -m crmn_legacy.backend SCRIPT [ARGS]``: an unmodified Theano or Lasagne 0.1 script on Aesara."""

import argparse
import os
import sys
import warnings
from types import ModuleType

from crmn_legacy import backend
from crmn_legacy.backend import aesara_settings, compiler, old_names, python2, six_names, theano_flags, variables
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


def run_script(path, arguments, is_python2=False):
    """Run the script at `path` as Python would: as ``__main__``, with its arguments and import path.

    Parameters
    ----------
    path : str
    arguments : list of str
        What becomes ``sys.argv[1:]``.
    is_python2 : bool
        Convert it, and the modules beside it, from Python 2.
    """
    source = read_script(path)
    folder = os.path.dirname(os.path.realpath(path))
    backend.install()
    old_names.install()
    sys.argv = [path, *arguments]
    sys.path[0] = folder
    six_names.install()
    if not sys.warnoptions:
        # Python shows these for __main__ alone; that Theano's way of calling is old is no news to the script.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    try:
        if is_python2:
            python2.install(folder)
            code, module.__builtins__ = python2.compiled(source, path)
        else:
            code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise _unreadable(error, path, is_python2) from None
    # Kept in sys.modules to the end, so that pickling and exit handlers find the script's names.
    sys.modules["__main__"] = module
    try:
        exec(code, module.__dict__)
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, SyntaxError) and _is_below(folder, error.filename):
            raise _unreadable(error, error.filename, is_python2) from None
        # The script's own fault: told as Python tells it, without the frame above.
        error = error.with_traceback(error.__traceback__.tb_next)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(1)


def _is_below(folder, file):
    return file is not None and os.path.isfile(file) and os.path.realpath(file).startswith(os.path.join(folder, ""))


def _unreadable(error, path, is_python2):
    """What tells that Python cannot read a file of the script's: where, why, and how to go on if it is Python 2."""
    line = getattr(error, "lineno", None)
    place = f"{path}, line {line}" if line else path
    got = f"got {place} ({getattr(error, 'msg', None) or error})"
    if is_python2:
        return UserError(f"{got}, expected Python 2 or 3: mend that line")
    if python2.is_python2(path):
        return UserError(f"{got}, expected Python 3, but it is Python 2: give --python2 before the script")
    return UserError(f"{got}, expected Python 3: mend that line, or give --python2 if it is Python 2")


def build_parser():
    """Options of the door, one line each; they stand before SCRIPT, and what follows it is the script's own."""
    parser = _Parser(prog="python -m crmn_legacy.backend", usage=USAGE.partition(": ")[2], allow_abbrev=False)
    parser.add_argument("--python2", action="store_true", help="SCRIPT and the modules beside it are Python 2")
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
    run_script(given.script, given.arguments, given.python2)


if __name__ == "__main__":
    run(main)
