"""A recipe whose row the paper does not print: trained, proved, repeated, compared and listed like any other."""

import pytest

from crmn_legacy import archive
from tests.training.runs import TINY, bits_of, run_tiny


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """A recipe outside the checkout."""
    script = tmp_path_factory.mktemp("own") / "my_recipe.py"
    script.write_text(TINY.read_text().replace('row="table1_crmn"', 'row="my_row"'))
    return script


@pytest.fixture(scope="module")
def run(recipe, data):
    """A run of it on data, with a network and a rate of its own; the folder and its last line."""
    folder = recipe.parent / "runs" / "own"
    options = ["--data", data, "--out", folder, "--epochs", "2", "--network", "num_filters=3", "--set", "rate=0.01"]
    done = run_tiny(*options, script=recipe)
    assert "my_row: training on" in done.stdout and "published" not in done.stdout
    return folder, bits_of(done)


def test_its_record_tells_what_is_its_own(run):
    record = archive.read_record(run[0])
    assert record.row == "my_row" and record.plan.arguments == {"num_filters": 3}
    assert record.options.network == {"num_filters": 3} and record.options.set == {"rate": 0.01}
    assert archive.read_curve(run[0])[0].rates["resnet"] == 0.01


def test_it_is_proved_repeated_and_compared(command, run, tmp_path):
    assert command("verify", run[0]).out.startswith("whole: my_row, sha256:")
    again = command("rerun", run[0], "--out", tmp_path / "again")
    assert again.status == 0 and again.out.splitlines()[-1] == "identical"
    assert command("compare", run[0], tmp_path / "again").out.splitlines()[-1] == "identical"


def test_it_goes_on_to_the_same_bits(recipe, data, run, tmp_path):
    options = ["--network", "num_filters=3", "--set", "rate=0.01", "--epochs", "1"]
    bits_of(run_tiny("--data", data, "--out", tmp_path / "run", *options, script=recipe))
    assert bits_of(run_tiny("--resume", tmp_path / "run", "--epochs", "2", script=recipe)) == run[1]
    refused = run_tiny("--resume", tmp_path / "run", "--epochs", "3", "--set", "rate=0.02", script=recipe)
    assert refused.returncode == 2 and "--resume got --set {'rate': 0.02}, expected {'rate': 0.01}" in refused.stderr


def test_it_is_reported_and_listed_among_own_rows(command, recipe, data, run, tmp_path):
    command("report", run[0], "--out", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "tables. Its own: my_row." in page
    bits_of(run_tiny("--data", data, "--out", tmp_path / "runs" / "plain", script=recipe))
    said = command("tables", "--runs", tmp_path / "runs").out
    title, head, row = said.split("\n\n")[-2].splitlines()
    assert title.startswith("Own rows") and head.split()[0] == "row" and row.split()[0] == "my_row"


def test_its_weights_are_used_with_its_recipe_only(command, refused, run, data):
    assert "add --recipe FILE.py" in refused("evaluate", run[0], "--data", data)
    report = command("evaluate", run[0], "--data", data, "--recipe", run[0] / archive.RECIPE, "--json").json
    assert report["row"] == "my_row"
    expected = 100 * archive.read_record(run[0]).result.test["rendered"].mean
    assert report["results"]["rendered"] == {"percent": expected, "pictures": 4, "complete": True, "printed": None}
    assert "--recipe got" in refused("evaluate", run[0], "--data", data, "--recipe", TINY)


def test_train_runs_a_recipe_by_its_path(command, recipe, tmp_path):
    done = command("train", recipe, "--smoke", "--steps", "1", "--out", tmp_path / "run")
    assert done.status == 0 and done.out.splitlines()[-1].startswith("bits: sha256:")
    assert archive.verify(tmp_path / "run") == []


def test_the_script_that_runs_is_kept_wherever_its_network_is_defined(recipe, tmp_path):
    """`network` may be a function of another file: what is kept is the recipe."""
    (tmp_path / "networks.py").write_text(
        "from crmn_legacy import models\n"
        "def crmn(num_filters=2):\n"
        "    return models.crmn(models.face_input((1, 16, 16)), 1, num_filters, 4, 3, 136, models.sigmoid)\n"
    )
    before, _, after = recipe.read_text().partition("    network=lambda")
    after = after.partition("    smallest=")[2]
    script = tmp_path / "other_recipe.py"
    script.write_text(f"import networks\n{before}    network=networks.crmn,\n    smallest={after}")
    bits_of(run_tiny("--smoke", "--steps", "1", "--out", tmp_path / "run", script=script))
    assert (tmp_path / "run" / archive.RECIPE).read_bytes() == script.read_bytes()
