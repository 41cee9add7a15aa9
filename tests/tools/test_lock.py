"""The locks agree with each other, and are written in one form."""

import re
from pathlib import Path

from tools import lock

ROOT = Path(__file__).parents[2]


def locked(name):
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def versions(name):
    return dict(line.split()[0].split("==") for line in locked(name))


def test_cuda_adds_to_the_common_lock_and_changes_nothing_of_it():
    assert set(locked("requirements.lock")) < set(locked("requirements-cuda12.lock"))


def test_the_whole_cuda_toolchain_is_pinned():
    added = set(versions("requirements-cuda12.lock")) - set(versions("requirements.lock"))
    libraries = (
        "cublas cuda-cupti cuda-nvcc cuda-nvrtc cuda-runtime cudnn cufft cusolver cusparse nccl nvjitlink nvshmem"
    )
    assert {f"nvidia-{name}-cu12" for name in libraries.split()} | {"jax-cuda12-plugin", "jax-cuda12-pjrt"} <= added
    assert {name for name in added if not re.fullmatch(r"nvidia-\S+-cu12|jax-cuda12-\S+", name)} == set()


def test_the_plugin_is_that_of_jax():
    pins = versions("requirements-cuda12.lock")
    assert pins["jax"] == pins["jaxlib"] == pins["jax-cuda12-plugin"] == pins["jax-cuda12-pjrt"]


def test_lines_are_in_the_order_of_names_whatever_their_case():
    found = {"b": ("B", "1", "d1"), "a": ("a", "2", "d2")}
    assert lock.lines(found) == ["a==2 --hash=sha256:d2", "B==1 --hash=sha256:d1"]


def test_a_lock_says_how_it_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    lock.write("some.lock", "What for.", ("Run time", ["a==1 --hash=sha256:d"]), ("Tests only", []))
    text = (tmp_path / "some.lock").read_text()
    assert "# What for. Made by" in text
    assert "--no-build-isolation -r some.lock" in text
    assert text.endswith("\n# Run time\na==1 --hash=sha256:d\n\n# Tests only\n")
