"""``python -m crmn_legacy.backend SCRIPT [ARGS]``: an unmodified Theano or Lasagne 0.1 script on Aesara."""

import os
import sys
import warnings
from types import ModuleType

from crmn_legacy import backend
from crmn_legacy.backend import aesara_settings, compiler, theano_comparisons, variables
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
    theano_comparisons.install()
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


def main():
    """Run the command line."""
    arguments = sys.argv[1:]
    if arguments in (["-h"], ["--help"]):
        print(USAGE)
        return
    if not arguments:
        raise UserError(f"got no script; {USAGE}")
    if os.environ.get("THEANO_FLAGS") and not os.environ.get("AESARA_FLAGS"):
        print("note: THEANO_FLAGS is not read; give its flags as AESARA_FLAGS", file=sys.stderr)
    variables.set_warnings_right()
    aesara_settings.drop_device()
    if compiler.default() is None and "cxx" not in aesara_settings.choices():
        variables.tell("no C++ compiler with Python's headers: Aesara computes in Python, slowly; install g++")
    run_script(arguments[0], arguments[1:])


if __name__ == "__main__":
    run(main)
