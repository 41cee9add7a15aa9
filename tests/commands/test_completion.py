"""`completion`: what a shell that has read the script completes."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crmn_legacy import installation, paper
from crmn_legacy.commands.completion import described
from crmn_legacy.options import DECLARED
from crmn_legacy.recipe import parser as recipe_parser
from tests.training.runs import ROOT, TINY, environment

SHELLS = ("bash", "zsh", "fish")

# Calls what `complete` was told to call, as bash does when Tab is pressed at the end of the line.
COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
spec=$(complete -p crmn-legacy); function=${spec##*-F }; ${function%% *}
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The files that the shells read, by shell."""
    pytest.importorskip("shtab", reason="no shtab: make completion")
    place, found = tmp_path_factory.mktemp("completion"), {}
    for shell in SHELLS:
        words = [sys.executable, "-m", "crmn_legacy", "completion", shell]
        done = subprocess.run(words, env=environment(), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found[shell] = place / shell
        found[shell].write_text(done.stdout)
    return found


@pytest.fixture
def completed(scripts, tmp_path):
    """Completions by bash of a line whose last word is begun, in a folder of some files."""
    for name in ("faces.h5", "own.py", "portrait.jpg", "test.npz"):
        (tmp_path / name).touch()
    (tmp_path / "runs" / "faces").mkdir(parents=True)

    def call(line):
        words = ["bash", "--norc", "-c", COMPLETE, "bash", str(scripts["bash"]), *shlex.split(line)]
        words += [""] * line.endswith(" ")
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        return set(done.stdout.split())

    return call


def test_commands_and_their_options(completed):
    assert {"tables", "train", "compare", "completion"} <= completed("crmn-legacy ")
    assert completed("crmn-legacy co") == {"compare", "completion"}
    assert completed("crmn-legacy compare --") == {"--help", "--json", "--no-replay"}
    assert completed("crmn-legacy completion ") == set(SHELLS)


def test_rows_and_recipes_of_ones_own(completed):
    rows = set(installation.rows())
    assert paper.ROWS.keys() <= rows
    assert completed("crmn-legacy train ") == rows | {"own.py", "runs"}
    assert completed("crmn-legacy train table1_r") == {row for row in rows if row.startswith("table1_r")}
    assert "table3_maxout" in completed("crmn-legacy kernels table3_m")
    assert completed("crmn-legacy export ") == rows | {"own.py", "runs"}


def test_what_train_hands_on_is_what_a_recipe_takes(completed):
    assert {f"--{name}" for name in DECLARED} < completed("crmn-legacy train table1_crmn --")
    assert completed("crmn-legacy train table1_crmn --seed") == {"--seed", "--seeds"}
    assert completed("crmn-legacy train table1_crmn --smoke --bits ") == {"portable", "strict", "fast"}
    assert completed("crmn-legacy train table1_crmn --data fa") == {"faces.h5"}
    assert completed("crmn-legacy train table1_crmn --resume ru") == {"runs"}


def test_what_data_hands_on_is_what_its_scripts_take(completed):
    assert completed("crmn-legacy data ") == {"faces", "cifar", "rendered-faces", "rendered-shapes"}
    assert completed("crmn-legacy data rendered-shapes --") == {"--help", "--out", "--classes", "--rounds", "--seed"}
    assert completed("crmn-legacy data cifar --classes ") == {"10", "100"}
    assert completed("crmn-legacy data faces --root ") == {"runs"}


def test_networks_cards_folders_and_files(completed):
    assert completed("crmn-legacy predict --pretrained ") == set(installation.pretrained_names())
    assert completed("crmn-legacy predict --pretrained table1_crmn_quarter por") == {"portrait.jpg"}
    assert completed("crmn-legacy predict runs/faces por") == {"portrait.jpg"}
    assert completed("crmn-legacy kernels table1_crmn --card h") == {"h100", "h200"}
    assert completed("crmn-legacy verify ") == {"runs"} and completed("crmn-legacy verify runs/") == {"runs/faces"}
    assert completed("crmn-legacy compare runs/faces ru") == {"runs"}
    assert completed("crmn-legacy report runs/faces --predictions ") == {"test.npz", "runs"}
    assert completed("crmn-legacy evaluate runs/faces --normalise ") == {"eye-centres", "outer-corners"}


@pytest.mark.parametrize("shell", SHELLS)
def test_each_script_has_every_command_and_every_option(scripts, shell):
    text = scripts[shell].read_text()
    dashes = "-l " if shell == "fish" else "--"
    commands = next(action for action in described()._actions if action.choices).choices
    assert len(commands) >= 13
    for name, command in commands.items():
        assert name in text
        for option in (word for action in command._actions for word in action.option_strings if word[:2] == "--"):
            assert dashes + option[2:] in text, (name, option)
    assert all(row in text for row in installation.rows())


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_reads_it(scripts, shell):
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell}")
    done = subprocess.run([shell, "-n", scripts[shell]], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_the_whole_command_line_is_that_of_its_parsers():
    commands = next(action for action in described()._actions if action.choices).choices
    recipe = installation.load_recipe(TINY)
    taken = {word for action in recipe_parser(recipe)._actions for word in action.option_strings}
    assert {word for action in commands["train"]._actions for word in action.option_strings} == taken
    kinds = next(action for action in commands["data"]._actions if action.choices).choices
    scripts = {path.stem.replace("_", "-") for path in (ROOT / "data_prep").glob("rendered_*.py")}
    assert scripts <= kinds.keys()


def test_without_shtab_it_is_told_how_to_get_it(refused, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert "completion got no shtab" in refused("completion", "bash")
    assert "expected" in refused("completion", "csh")


def test_a_program_s_own_name_is_completed_however_it_was_started(scripts):
    assert Path(scripts["bash"]).read_text().splitlines()[-1].endswith(" crmn-legacy")
