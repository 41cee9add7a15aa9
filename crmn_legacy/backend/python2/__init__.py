"""Python 2 programs, converted in memory and run by Python 3: ``python -m crmn_legacy.backend --python2 SCRIPT``.

Syntax is converted by lib2to3 (:mod:`~crmn_legacy.backend.python2.syntax`), what means something else by rewriting the
syntax tree (:mod:`~crmn_legacy.backend.python2.meaning`). Converted code runs with builtins of its own
(:mod:`~crmn_legacy.backend.python2.names`), whose ``__import__`` knows Python 2's standard modules
(:mod:`~crmn_legacy.backend.python2.standard_modules`). The modules in the script's folder and below are converted as
they are imported; no other code is touched. Byte strings are ``str``, their bytes decoded as UTF-8.
"""

import builtins

from crmn_legacy import submodules as _submodules
from crmn_legacy.backend.python2 import importing, syntax
from crmn_legacy.backend.python2.conversion import code, converted

__all__ = ["compiled", "install", "is_python2", "without_own_frames"]


def install(folder):
    """Convert from now on what is imported from `folder` and below; and give NumPy what Python 2's strings need."""
    from crmn_legacy.backend.python2 import names

    importing.install(folder)
    names.install()


def compiled(source, path):
    """Compile a Python 2 script; one that is plainly Python 3 is compiled as it is.

    Parameters
    ----------
    source : bytes
    path : str
        Its file, as tracebacks are to show it.

    Returns
    -------
    code
    dict
        The builtins to run it with: ``__builtins__`` of its module.

    Raises
    ------
    SyntaxError
    UserError
        If there is nothing at hand to convert it with.
    """
    from crmn_legacy.backend.python2 import names

    tree, is_python2 = converted(source, path)
    return code(tree, path), names.BUILTINS if is_python2 else vars(builtins)


def without_own_frames(trace):
    """A traceback without the frames of this package, which stand for what Python 2 had built in."""
    while trace is not None and _is_own(trace):
        trace = trace.tb_next
    step = trace
    while step is not None and step.tb_next is not None:
        if _is_own(step.tb_next):
            step.tb_next = step.tb_next.tb_next
        else:
            step = step.tb_next
    return trace


def _is_own(step):
    # Python takes its import system's frames out itself, but not with ours between them.
    frame = step.tb_frame
    return frame.f_globals.get("__package__") == __package__ or frame.f_code.co_filename.startswith("<frozen importlib")


def is_python2(path):
    """Whether the file at `path`, which Python 3 cannot read, is Python 2."""
    with open(path, "rb") as file:
        return syntax.looks_like_python2(syntax.decoded(file.read()), path)


__getattr__, __dir__ = _submodules.attributes(globals())
