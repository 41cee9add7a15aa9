"""The benchmark of recomputation runs, and says what it is there to say: less is kept."""

import json

import pytest

from benchmarks import remat


@pytest.mark.slow
def test_recomputation_needs_less_memory(capsys):
    remat.main(["--n", "6", "--growth-rate", "12", "--batch-size", "4", "--turns", "1", "--anyway"])
    (found,) = json.loads(capsys.readouterr().out.splitlines()[-1])["numbers"]["depths"]
    assert found["remat"]["megabytes"] < 0.95 * found["kept"]["megabytes"]
