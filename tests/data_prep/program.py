"""Scripts run as programs: in a process of their own, or, which is faster, in this one."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from crmn_legacy.errors import run


def run_script(script, *arguments, folder=None):
    """Run `script` in a process of its own; its ``returncode``, ``stdout`` and ``stderr``."""
    return subprocess.run(
        [sys.executable, script, *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )


def run_main(capsys, main, *arguments):
    """Run `main` as its script does; as :func:`run_script`, but in this process."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run(lambda: main([str(argument) for argument in arguments]))
    printed = capsys.readouterr()
    return SimpleNamespace(returncode=ended.value.code or 0, stdout=printed.out, stderr=printed.err)
