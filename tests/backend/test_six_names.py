"""Programs that import six, which came with Theano, where it is not installed."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import pickle, urllib.request
import six
assert six.moves.reduce
import six.moves.cPickle
from six import iteritems
from six.moves import cPickle, range, reduce, urllib as moved, xrange
from six.moves.urllib.parse import urljoin
from six.moves.urllib.request import urlretrieve
from theano.compat.six.moves import cPickle as old

assert pickle is cPickle is old is six.moves.cPickle and pickle.__name__ == pickle.__spec__.name == "pickle"
assert moved is urllib and urlretrieve is urllib.request.urlretrieve and urljoin is urllib.parse.urljoin
assert list(iteritems({1: 2})) == [(1, 2)] and list(xrange(2)) == [0, 1] and six.string_types == (str,)
assert six.types is __import__("types") and six.moves.xrange is range
print("all there")
"""


def door(folder):
    (folder / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-m", "crmn_legacy.backend", "script.py"],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )


def test_six_is_answered(tmp_path):
    done = door(tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "all there\n"


def test_one_that_is_installed_is_left_alone(tmp_path):
    (tmp_path / "six.py").write_text("installed = True\n")
    code = (
        "import sys; from crmn_legacy.backend import six_names; before = list(sys.meta_path); six_names.install();"
        "import six; print(six.installed, sys.meta_path == before)"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.stdout == "True True\n", done.stderr
