"""Names of before 2018, which the door gives back and nothing else does."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import collections, inspect, fractions, threading, time, base64
import numpy as np
from collections import Iterable, Mapping, Callable, MutableMapping, OrderedDict
from fractions import gcd
import scipy.misc, scipy.ndimage
from scipy.misc import imread, imsave, imresize, logsumexp

assert isinstance([], Iterable) and isinstance({}, Mapping) and isinstance(len, Callable) and gcd(12, 18) == 6
assert inspect.getargspec(lambda a, b=1, *c, **d: 0) == (["a", "b"], "c", "d", (1,))
assert inspect.getargspec(lambda a: 0).args == ["a"]
assert time.clock() <= time.clock() and not threading.Thread().isAlive()
assert base64.decodestring(base64.encodestring(b"x")) == b"x"
assert (np.float, np.int, np.bool, np.object, np.complex, np.str) == (float, int, bool, object, complex, str)
assert np.zeros(2, dtype=np.float).dtype == "float64" and np.asscalar(np.ones(1)) == 1.0
assert isinstance(np.float64(1), np.float) and "float32" in np.typeDict
assert len(np.linspace(0, 1, 1e1)) == len(np.logspace(0, 1, num=np.sqrt(100))) == 10 and len(np.linspace(0, 1)) == 50
assert scipy.ndimage.imread is scipy.misc.imread
print("all there")
"""


def test_the_door_gives_them_back_and_the_package_does_not(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for words, status in (
        (["-m", "crmn_legacy.backend"], 0),
        (["-c", "import crmn_legacy; exec(open('script.py').read())"], 1),
    ):
        done = subprocess.run(
            [sys.executable, *words, "script.py"], capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        assert done.returncode == status, done.stderr
        assert (done.stdout == "all there\n") == (status == 0)
        assert (done.stderr == "") == (status == 0)
