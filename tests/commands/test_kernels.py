"""`kernels`: what it refuses, and of a small network, where NVIDIA's compiler is installed, what it tells."""

import json
import subprocess
from pathlib import Path

import pytest

from crmn_legacy.backend.cards import compilation
from crmn_legacy.commands import kernels

ROOT = Path(__file__).parents[2]
CUDA_PYTHON = ROOT / ".venv-cuda" / "bin" / "python"
CARD = ("table1_crmn", "--card", "h100")


@pytest.mark.parametrize(
    "words, problem",
    [
        (("table1_crmn", "--card", "gtx"), "--card got 'gtx', expected one of h100"),
        ((*CARD, "--devices", "3", "--hosts", "2"), "as many cards on each machine"),
        ((*CARD, "--devices", "0"), "expected at least 1 of both"),
        (("table1_crmn", "--card", "t4", "--precision", "tf32"), "for Tesla T4, expected one of float32"),
        ((*CARD, "--devices", "5"), "for batches of 64 pictures, expected a divisor"),
        (("table1_none", "--card", "h100"), "which is no row's recipe"),
        ((*CARD, "--out", "."), "--out got '.', which exists"),
    ],
)
def test_bad_input_is_told_in_one_line(refused, monkeypatch, words, problem):
    monkeypatch.setattr("crmn_legacy.commands.kernels.require_wheels", lambda: None)
    assert problem in refused("kernels", *words)


def test_without_nvidias_wheels_it_says_how_to_have_them(refused, monkeypatch):
    monkeypatch.setattr(compilation, "_PLUGIN", "no_such_plugin")
    assert "make cuda-environment" in refused("kernels", *CARD)


@pytest.mark.parametrize(
    "change, expected",
    [
        ({}, "match"),
        ({"train": {"ptx_digest": "other"}}, "differs"),
        ({"row": "table1_rcn"}, "none"),
        ({"devices": 8}, "none"),
        ({"key": "h100/tf32/jaxlib0"}, "none"),
    ],
)
def test_kernels_are_held_against_golden_ones(monkeypatch, change, expected):
    known = {"h100/float32/jaxlib0": {"table1_crmn": {"train": "a", "evaluate": "b"}}}
    monkeypatch.setattr(kernels, "golden_kernels", lambda key: known.get(key, {}))
    described = {"row": "table1_crmn", "devices": 1, "key": "h100/float32/jaxlib0"}
    described |= {"train": {"ptx_digest": "a"}, "evaluate": {"ptx_digest": "b"}} | change
    assert kernels._held_against_golden(described, is_published=True) == expected
    assert kernels._held_against_golden(described, is_published=False) == "none"


@pytest.mark.slow
@pytest.mark.skipif(not CUDA_PYTHON.exists(), reason="no .venv-cuda: make cuda-environment")
def test_a_small_network_compiles_twice_to_the_same_kernels(tmp_path):
    words = [str(CUDA_PYTHON), "-m", "crmn_legacy", "kernels", *CARD, "--network", "n=1", "fm=1", "--json"]
    found = []
    for name in ("one", "two"):
        done = subprocess.run([*words, "--out", str(tmp_path / name)], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    for step in ("train", "evaluate"):
        one, two = (each[step] for each in found)
        assert one["ptx_digest"] == two["ptx_digest"] and one["program_digest"] == two["program_digest"]
        assert one["float64"] == one["host_calls"] == 0 and one["own"] and one["cudnn"] and one["launches"]
        assert (tmp_path / "one" / step / "kernels.cubin").read_bytes()[:4] == b"\x7fELF"
    # The whole state but the random numbers' and the rates is overwritten in place.
    assert found[0]["train"]["donated"] > 0.95 * found[0]["train"]["arguments"]
