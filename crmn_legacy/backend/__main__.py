"""``python -m crmn_legacy.backend SCRIPT [ARGS]``: an unmodified Theano or Lasagne 0.1 program on Aesara."""

import contextlib
import importlib.util
import os
import sys
import warnings
from types import ModuleType

from crmn_legacy import backend
from crmn_legacy.backend import aesara_settings, compiler, variables
from crmn_legacy.errors import UserError, run

USAGE = "usage: python -m crmn_legacy.backend SCRIPT [ARGS], or -m MODULE [ARGS]"


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
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    with _faults_of_its_own():
        code = compile(source, path, "exec")
    _run(code, path, arguments)


def run_module(name, arguments):
    """Run the module `name` as ``python -m`` would: a package's program, or ``pytest``.

    Parameters
    ----------
    name : str
    arguments : list of str
        What becomes ``sys.argv[1:]``.

    Raises
    ------
    UserError
        There is no such module.
    """
    with _faults_of_its_own():
        spec = _find(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = _find(f"{name}.__main__")
        code = spec and spec.loader.get_code(spec.name)
    if code is None:
        raise UserError(f"got -m {name}, which Python does not find, expected a module or a package's program; {USAGE}")
    _run(code, spec.origin, arguments, spec)


def _find(name):
    """The spec of a module, or None."""
    try:
        return None if name.startswith(".") else importlib.util.find_spec(name)
    except ModuleNotFoundError as error:
        # A package on the way may lack something of its own.
        if error.name and f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _run(code, path, arguments, spec=None):
    backend.install()
    sys.argv = [path, *arguments]
    if not sys.warnoptions:
        # Python shows these for __main__ alone; that Theano's way of calling is old is no news to the script.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = __builtins__
    if spec is not None:
        module.__spec__, module.__package__ = spec, spec.parent
    # Kept in sys.modules to the end, so that pickling and exit handlers find the script's names.
    sys.modules["__main__"] = module
    with _faults_of_its_own():
        exec(code, module.__dict__)


@contextlib.contextmanager
def _faults_of_its_own():
    """What a program raises is told as Python tells it, without the frames above its own."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        trace = error.__traceback__.tb_next.tb_next
        sys.excepthook(type(error), error.with_traceback(trace), trace)
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
    if arguments[0] != "-m":
        run_script(arguments[0], arguments[1:])
    elif len(arguments) == 1:
        raise UserError(f"got -m and no module; {USAGE}")
    else:
        run_module(arguments[1], arguments[2:])


if __name__ == "__main__":
    run(main)
