"""What a run was made by."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from crmn_legacy.training import provenance as module
from crmn_legacy.training.provenance import provenance


def test_names_versions_machine_and_command_line():
    found = provenance()
    assert found["packages"]["aesara"] == "2.9.4" and found["packages"]["lasagne"] == "0.1"
    assert found["python"].startswith("3.11")
    assert found["orig_argv"] == sys.orig_argv[1:]
    json.dumps(found)


def test_names_the_commit_and_whether_files_differ_from_it():
    if not (Path(module.__file__).parents[2] / ".git").exists() or not shutil.which("git"):
        pytest.skip("no git checkout")
    found = provenance()
    assert len(found["git_commit"]) == 40 and found["git_dirty"] in (True, False)


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = provenance()
    assert found["git_commit"] is None and found["git_dirty"] is None
