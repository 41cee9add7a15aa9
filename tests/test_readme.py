"""Each command of README.md does what it says there, on as little as shows it."""

import re

import pytest

from crmn_legacy.data.files.photographs import read_points
from tests.walkthrough import README_AND_ITS_PAGES, ROOT, Step, commands, do, lay_clone, read, why_not

README, RUNS, *_ = map(read, README_AND_ITS_PAGES)
COMMANDS = commands("".join(map(read, README_AND_ITS_PAGES)))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Command -> what became of it; all were run in order, in a folder that looks like a clone with its data."""
    clone = tmp_path_factory.mktemp("readme")
    lay_clone(clone)
    done = {
        command: do(Step(command), clone)
        for command in COMMANDS
        if not command.startswith("source ") and not why_not(command)
    }
    done["clone"] = clone
    return done


def test_the_first_two_commands_are_the_ones_to_start_with():
    assert COMMANDS[:2] == ["make reproduce", "make test"]


def test_the_shell_is_told_of_the_environment_that_make_builds():
    (folder,) = re.findall(r"^VENV := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [command for command in COMMANDS if command.startswith("source ")] == [f"source {folder}/bin/activate"]


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("source ")])
def test_a_command_of_the_readme_works(outcomes, command):
    if reason := why_not(command):
        pytest.skip(reason)
    done = outcomes[command]
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_what_make_calls_is_there(outcomes, command):
    called = outcomes[command].stdout
    assert [name for name in re.findall(r"\S+\.(?:py|lock)\b", called) if not (ROOT / name).is_file()] == []


def test_the_run_of_the_readme_is_the_one_it_goes_on_with(outcomes):
    curve = (outcomes["clone"] / "runs" / "faces" / "curve.jsonl").read_text().splitlines()
    assert len(curve) == 2


def test_the_prediction_of_the_readme_is_written(outcomes):
    points = read_points(outcomes["clone"] / "overlays" / "portrait.pts")
    assert points.shape == (68, 2)
    assert (outcomes["clone"] / "overlays" / "portrait.png").is_file()


def test_the_table_of_files_is_that_of_a_run(outcomes):
    section = RUNS.partition("## A run's folder")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w.]+\.(?:json|jsonl|csv|npz|py|sha256))`", section))
    assert named == {path.name for path in (outcomes["clone"] / "runs" / "faces").iterdir()}


def test_the_results_are_what_tables_prints(outcomes):
    section = README.partition("## Results")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert len(blocks) == 3
    printed = [re.split(r"\s{2,}", line) for line in outcomes["python -m crmn_legacy tables"].stdout.splitlines()]
    for number, block in enumerate(blocks, 1):
        title, dashes, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines())
        assert title in printed
        assert set("".join(dashes)) == {"-"}
        # What was measured depends on the runs at hand.
        known = [place for place, name in enumerate(title) if name not in ("our Common", "our iBug", "ours")]
        here = [line for line in printed if line[0].startswith(f"table{number}_") and len(line) > 1]
        assert len(rows) == len(here)
        table = {line[0]: [line[place] for place in known] for line in here}
        assert {row[0]: [row[place] for place in known] for row in rows} == table


def test_every_recipe_is_once_in_the_readme():
    assert sorted(re.findall(r"^\| (table\d\w+) +\|", README, re.MULTILINE)) == sorted(
        path.stem for path in ROOT.glob("recipes/*.py")
    )


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 150


@pytest.mark.parametrize(
    "path", [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")], ids=lambda path: path.name
)
def test_links_to_files_lead_somewhere(path):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
