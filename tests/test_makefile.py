"""What `make` does on machines where other work has left its settings."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_pip_installs_into_the_environment_wherever_a_user_s_settings_send_it():
    words = ["make", "--always-make", "--dry-run", "environment", f"PYTHON={sys.executable}"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [line for line in said.splitlines() if " pip " in line]
    assert len(commands) == 3
    # What each gives to the process after it, in place of pip.
    show = "import json, os; print(json.dumps({n: v for n, v in os.environ.items() if n.startswith('PIP_')}))"
    settings = {"PIP_USER": "1", "PIP_TARGET": "/x", "PIP_PREFIX": "/x", "PIP_ROOT": "/x", "PIP_INDEX_URL": "http://y"}
    for command in commands:
        prefix = command.split(".venv/bin/python")[0].split()
        done = subprocess.run(
            [*prefix, sys.executable, "-c", show], env={**os.environ, **settings}, capture_output=True, text=True
        )
        kept = [name for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT") if f'"{name}": "' in done.stdout]
        assert kept == ["PIP_USER"] and '"PIP_USER": "0"' in done.stdout and "http://y" in done.stdout
