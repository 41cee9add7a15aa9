"""The C++ compiler of ``--backend c``: whether there is one, and whether it works."""

import os
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

_PROGRAM = '#include <Python.h>\nextern "C" PyObject* nothing() { return PyLong_FromLong(1); }\n'


def default():
    """Path of the compiler that Aesara takes by default, or None: without Python's headers none is of use."""
    found = shutil.which("g++") or shutil.which("clang++")
    headers = os.path.join(sysconfig.get_path("include"), "Python.h")
    return found if found and os.path.exists(headers) else None


def fault(flags=None):
    """What keeps Aesara from compiling C (a str), or None; tries a program of two lines.

    Parameters
    ----------
    flags : str, optional
        Given to the compiler in place of Aesara's choice.
    """
    import aesara

    if not aesara.config.cxx:
        return "no g++ or clang++" if not shutil.which("g++") else "no Python.h"
    include = [f"-I{sysconfig.get_path(name)}" for name in ("include", "platinclude")]
    given = shlex.split(aesara.config.gcc__cxxflags if flags is None else flags)
    links = shlex.split(aesara.config.blas__ldflags)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "try.cpp"
            source.write_text(_PROGRAM)
            words = [*shlex.split(aesara.config.cxx), *given, *include, "-shared", "-fPIC", str(source)]
            done = subprocess.run(
                [*words, "-o", f"{folder}/try.so", *links], capture_output=True, text=True, errors="replace", timeout=60
            )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"{aesara.config.cxx}: {getattr(error, 'strerror', None) or error}"
    if done.returncode == 0:
        return None
    told = done.stderr.splitlines()
    lines = [line for line in told if "error" in line.lower() or "cannot find" in line] or told
    return f"{aesara.config.cxx}: {lines[0][-120:] if lines else f'status {done.returncode}'}"
