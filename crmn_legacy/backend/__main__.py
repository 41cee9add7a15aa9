"""``python -m crmn_legacy.backend SCRIPT [ARGS]``: an unmodified Theano or Lasagne 0.1 program on Aesara."""

import argparse
import contextlib
import importlib.util
import os
import sys
import warnings
from types import ModuleType

from crmn_legacy.backend import aesara_settings, compiler, door, old_names, python2, theano_flags, variables
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
    sys.path[0] = folder
    old_names.install()
    builtins = __builtins__
    try:
        if is_python2:
            python2.install(folder)
            code, builtins = python2.compiled(source, path)
        else:
            code = compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise _unreadable(error, path, is_python2) from None
    try:
        _run(code, path, arguments, builtins=builtins)
    except SyntaxError as error:
        # Of a module beside the script.
        raise _unreadable(error, error.filename, is_python2) from None


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
    old_names.install()
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


def _run(code, path, arguments, spec=None, builtins=__builtins__):
    sys.argv = [path, *arguments]
    if not sys.warnoptions:
        # Python shows these for __main__ alone; that Theano's way of calling is old is no news to the script.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        # Nor that Aesara is to change.
        warnings.filterwarnings("ignore", category=FutureWarning, module=r"aesara\b")
    module = ModuleType("__main__")
    module.__file__ = path
    module.__builtins__ = builtins
    if spec is not None:
        module.__spec__, module.__package__ = spec, spec.parent
    # Kept in sys.modules to the end, so that pickling and exit handlers find the script's names.
    sys.modules["__main__"] = module
    folder = None if spec is not None else os.path.dirname(os.path.realpath(path))
    with _faults_of_its_own(folder):
        exec(code, module.__dict__)


@contextlib.contextmanager
def _faults_of_its_own(folder=None):
    """What a program raises is told as Python tells it, without the frames above its own.

    A file below `folder` that Python cannot read is left to the caller.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if folder and isinstance(error, SyntaxError) and _is_below(folder, error.filename):
            raise
        trace = python2.without_own_frames(error.__traceback__.tb_next.tb_next)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
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
    usage = "%(prog)s [OPTIONS] SCRIPT [ARGS], or -m MODULE [ARGS]"
    parser = _Parser(prog="python -m crmn_legacy.backend", usage=usage, allow_abbrev=False)
    parser.add_argument("--backend", choices=door.BACKENDS, default="xla", help="who compiles: XLA, or Aesara's C")
    parser.add_argument("--device", choices=door.DEVICES, help="where XLA computes; by default a card if JAX finds one")
    parser.add_argument("--python2", action="store_true", help="SCRIPT and the modules beside it are Python 2")
    parser.add_argument("-m", dest="is_module", action="store_true", help="SCRIPT is the name of a module")
    parser.add_argument("script", metavar="SCRIPT", help="a Theano or Lasagne program")
    parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="the script's own arguments")
    return parser


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in one line."""

    def error(self, message):
        required = "the following arguments are required"
        missing = "got -m and no module" if sys.argv[-1] == "-m" else "got no script"
        raise UserError(f"{missing if message.startswith(required) else message}; {USAGE}")


def main():
    """Run the command line."""
    given = build_parser().parse_args()
    if given.is_module and given.python2:
        raise UserError("got --python2 and -m, expected one of them: a Python 2 program is given as a script")
    variables.set_warnings_right()
    theano_flags.install()
    door.open_door(given.backend, given.device)
    if given.backend == "c" and compiler.default() is None and "cxx" not in aesara_settings.choices():
        variables.tell("no C++ compiler with Python's headers: Aesara computes in Python, slowly; install g++")
    if given.is_module:
        run_module(given.script, given.arguments)
    else:
        run_script(given.script, given.arguments, given.python2)


if __name__ == "__main__":
    run(main)
