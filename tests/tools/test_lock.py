"""The locks agree with each other, and are written in one form."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import lock

ROOT = Path(__file__).parents[2]


def locked(name):
    return [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]


def versions(name):
    return dict(line.split()[0].split("==") for line in locked(name))


def test_cuda_adds_to_the_common_lock_and_changes_nothing_of_it():
    assert set(locked("requirements.lock")) < set(locked("requirements-cuda12.lock"))


def test_what_finds_faces_is_one_package_more():
    added = set(versions("requirements-detect.lock")) - set(versions("requirements.lock"))
    assert added == {"opencv-python-headless"}
    assert set(locked("requirements.lock")) < set(locked("requirements-detect.lock"))


def test_what_writes_event_files_is_two_packages_more():
    added = set(versions("requirements-tensorboard.lock")) - set(versions("requirements.lock"))
    assert added == {"tensorboardx", "protobuf"}
    assert set(locked("requirements.lock")) < set(locked("requirements-tensorboard.lock"))


def test_what_makes_completions_is_one_package_more():
    added = set(versions("requirements-completion.lock")) - set(versions("requirements.lock"))
    assert added == {"shtab"}
    assert set(locked("requirements.lock")) < set(locked("requirements-completion.lock"))


def test_what_makes_the_manual_adds_to_the_common_lock_and_to_no_other():
    assert set(locked("requirements.lock")) < set(locked("requirements-docs.lock"))
    assert {"furo", "myst-parser", "numpydoc", "sphinx"} <= set(versions("requirements-docs.lock"))


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


def file(digest):
    return {"url": f"https://example.org/{digest}", "hashes": {"sha256": digest}}


def test_a_line_pins_the_version_and_every_file_that_fits():
    built = {"name": "a", "version": "1", "wheels": [file("d1"), file("d2")]}
    assert lock.line(built) == "a==1 --hash=sha256:d1 --hash=sha256:d2"
    assert lock.line({"name": "b", "version": "2", "sdist": file("d3")}) == "b==2 --hash=sha256:d3"


# Stands for uv: what it pins was pinned or asked before, and the digest of a file is its distribution's name.
UV = """
import pathlib, sys
source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[sys.argv.index("--output-file") + 1])
if "refuse" in sys.argv:
    sys.exit(1)
if out.name == "pylock.toml":
    pins = [line.split()[0].split("==") for line in source.read_text().splitlines() if line[0] != "#"]
    text = "[[packages]]\\nname = '{0}'\\nversion = '{1}'\\nwheels = [{{ hashes = {{ sha256 = '{0}' }} }}]\\n"
    out.write_text("".join(text.format(*pin) for pin in pins))
else:
    held = dict(line.split()[0].split("==") for line in out.read_text().splitlines() if line[0] != "#")
    asked = dict((line + "==9").split("==")[:2] for line in source.read_text().splitlines() if line[0] != "#")
    out.write_text("".join(f"{name}=={held.get(name, new)}\\n" for name, new in asked.items()))
"""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A project whose locks pin one distribution each; uv is a program of the test's."""
    for part in ("-uv", "-build", "", "-cuda12", "-detect", "-tensorboard", "-completion", "-docs", "-python2"):
        name = f"requirements{part}.lock"
        (tmp_path / name).write_text(f"# Why {name}.\na==1 --hash=sha256:former\n")
    (tmp_path / "requirements.txt").write_text("# Why.\na\n")
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['a', 'built==2']\n"
        "[project.optional-dependencies]\ntest = ['tested']\ncuda12 = ['gpu']\ndetect = ['eyes']\nlock = ['uv==3']\n"
        "tensorboard = ['events']\ncompletion = ['words']\ndocs = ['pages']\npython2 = ['old']\n"
    )
    (tmp_path / "uv.py").write_text(UV)
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "COMPILE", [sys.executable, tmp_path / "uv.py"])
    return tmp_path


def test_each_lock_keeps_its_comments_and_pins_and_gets_what_is_asked(tree):
    lock.main([])
    common = ["a==1 --hash=sha256:a", "tested==9 --hash=sha256:tested"]
    expected = {
        "requirements-uv.lock": ["uv==3 --hash=sha256:uv"],
        "requirements-build.lock": ["a==1 --hash=sha256:a", "built==2 --hash=sha256:built"],
        "requirements.lock": common,
        "requirements-cuda12.lock": [*common, "gpu==9 --hash=sha256:gpu"],
        "requirements-detect.lock": [*common, "eyes==9 --hash=sha256:eyes"],
        "requirements-tensorboard.lock": [*common, "events==9 --hash=sha256:events"],
        "requirements-completion.lock": [*common, "words==9 --hash=sha256:words"],
        "requirements-python2.lock": ["old==9 --hash=sha256:old"],
        "requirements-docs.lock": [*common, "pages==9 --hash=sha256:pages"],
    }
    found = {name: (tree / name).read_text().splitlines() for name in expected}
    assert found == {name: [f"# Why {name}.", *lines] for name, lines in expected.items()}


def test_locks_stay_as_they_are_where_uv_refuses(tree):
    before = {path.name: path.read_text() for path in tree.glob("*.lock")}
    with pytest.raises(subprocess.CalledProcessError):
        lock.main(["refuse"])
    assert {path.name: path.read_text() for path in tree.glob("*.lock")} == before
