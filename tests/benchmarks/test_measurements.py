"""The benchmarks measure, at their smallest: what they append is what the tables show."""

import subprocess
import sys

import pytest

from benchmarks import contents, entries, profiles, step_time, workloads
from benchmarks.tables import cells
from crmn_legacy.errors import UserError

BENCHMARKS = entries.ROOT / "benchmarks"
SMALL = "--n 1 --fm 1 --size 16 --batch-size 2 --turns 1 --threads 1"


def test_profiles_are_compared_with_fast_by_medians():
    found = profiles.summary({"fast": [2.0, 1.0, 9.0], "portable": [3.0, 2.0, 4.0], "strict": [2.0, 5.0, 1.0]})
    assert found["portable"] == {"median": 3.0, "minimum": 2.0, "of_fast": 1.5, "seconds": [3.0, 2.0, 4.0]}
    assert found["strict"]["of_fast"] == found["fast"]["of_fast"] == 1.0


def test_contenders_are_compared_in_pairs_of_those_that_took_part():
    records = {
        "ours": {"seconds": [3.0, 2.0, 4.0], "median": 3.0, "minimum": 2.0, "program_bytes": {"total": 30}},
        "jax": {"seconds": [4.0, 5.0, 3.0], "median": 4.0, "minimum": 3.0, "program_bytes": {"total": 20}},
    }
    ratio = {"medians": 0.75, "minima": 2 / 3, "median_of_turns": 0.75, "program_bytes": 1.5}
    assert step_time.ratios(records) == {"ours/jax": ratio}
    records["torch"] = {"seconds": [2.0, 2.0, 2.0], "median": 2.0, "minimum": 2.0, "program_bytes": None}
    assert step_time.ratios(records)["torch/jax"] == {"medians": 0.5, "minima": 2 / 3, "median_of_turns": 0.5}


@pytest.mark.parametrize("name", ["step_time", "start_time", "profiles", "remat", "scaling"])
def test_a_benchmark_refuses_what_it_could_not_append(name, tmp_path):
    done = run(name, tmp_path / "none" / "file.json")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "expected a file in a folder that exists" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--size 24", "got --size 24; expected a multiple of 16 for crmn-5-4"),
        ("--network wrn-28-10 --size 30", "expected a multiple of 4 for wrn-28-10"),
        ("--turns 0", "expected at least 1"),
        ("--batch-size -1", "expected at least 1"),
        ("--network densenet-100-24 --contenders ours jax", "densenet-100-24 is not written in JAX"),
    ],
)
def test_a_step_that_cannot_be_made_is_refused_before_anything_is_measured(words, told):
    with pytest.raises(UserError, match=told):
        step_time.main(["--anyway", *words.split()])


def test_sizes_are_the_networks_unless_they_are_given():
    chosen = step_time.chosen_workload(step_time.parse(["--network", "wrn-28-10", "--fm", "2", "--batch-size", "3"]))
    assert chosen == workloads.Workload("wide-resnet", n=4, fm=2, size=32, batch_size=3)


def test_only_networks_that_are_written_in_jax_have_it_as_a_contender(monkeypatch):
    monkeypatch.setattr(step_time.importlib.util, "find_spec", lambda name: name)
    for name, workload in workloads.WORKLOADS.items():
        names = step_time.chosen_contenders(step_time.parse(["--network", name]), workload)
        assert names == (["ours", "jax", "torch"] if workload.of_faces else ["ours", "torch"])


def test_without_pytorch_it_does_not_take_part(monkeypatch, capsys):
    monkeypatch.setattr(step_time.importlib.util, "find_spec", lambda name: None)
    assert step_time.chosen_contenders(step_time.parse([]), workloads.WORKLOADS["crmn-5-4"]) == ["ours", "jax"]
    assert "PyTorch is not installed" in capsys.readouterr().err


def test_contenders_take_turns_that_begin_with_another_each_time(monkeypatch):
    order = []
    prepared = {name: (lambda name=name: order.append(name), {}) for name in ("ours", "jax", "torch")}
    monkeypatch.setattr(step_time.machine.OtherWork, "share", lambda self: 0.25)
    assert step_time.take_turns(prepared, 3) == 0.25
    assert " ".join(order) == "ours jax torch jax torch ours torch ours jax"
    assert all(len(record["seconds"]) == 3 and record["median"] >= record["minimum"] for _, record in prepared.values())


@pytest.mark.parametrize("losses", [(1.0, 1.001), (1.0, float("nan"))])
def test_contenders_whose_first_losses_differ_are_not_the_same_network(monkeypatch, losses):
    made = {name: lambda *_, loss=loss, **__: (lambda: loss, None) for name, loss in zip("ab", losses, strict=True)}
    monkeypatch.setattr(step_time, "CONTENDERS", made)
    options = step_time.parse([])
    with pytest.raises(SystemExit, match="not the same network"):
        step_time.prepare(options, workloads.Workload("densenet", 1, 2, 8, 2), list(made))


def test_all_networks_are_measured_one_after_another_though_one_fails(monkeypatch):
    commands = []

    def child(command):
        commands.append(command)
        return subprocess.CompletedProcess(command, int("wrn-28-10" in command))

    monkeypatch.setattr(step_time.subprocess, "run", child)
    with pytest.raises(SystemExit, match="not measured: wrn-28-10"):
        step_time.main(["--turns", "3", "--network", "all", "--anyway"])
    words = [command[2:] for command in commands]
    assert words == [["--network", name, "--turns", "3", "--anyway"] for name in workloads.WORKLOADS]


def test_numbers_measured_beside_other_work_are_not_written(monkeypatch, tmp_path):
    path = tmp_path / "step_time.json"
    words = ["--json", str(path), *SMALL.split()]
    record = {"seconds": [1.0], "median": 1.0, "minimum": 1.0}
    monkeypatch.setattr(step_time.machine, "LOOK", 0)
    monkeypatch.setattr(step_time.machine, "use_cores", lambda count: None)
    monkeypatch.setattr(step_time.machine, "forget_peak", lambda: None)
    monkeypatch.setattr(step_time, "pin", lambda bits: None)
    monkeypatch.setattr(step_time, "prepare", lambda *_: {"ours": (None, record)})
    monkeypatch.setattr(step_time, "take_turns", lambda *_: 0.2)
    monkeypatch.setattr(step_time.machine, "require_quiet", lambda *_: 0.0)
    with pytest.raises(UserError, match="other work on 20%"):
        step_time.main(words)
    assert not path.exists()
    step_time.main([*words, "--anyway"])
    assert entries.read(path)[0]["numbers"]["others"] == 0.2


def of_step_time(network="crmn", ours=2.0, torch=1.0, jax=None, **settings):
    """An entry as `step_time` writes it, as far as its tables go."""
    medians = {"ours": ours, "torch": torch, "jax": jax}
    records = {name: {"median": median, "minimum": median} for name, median in medians.items() if median}
    sizes = {"network": network, "n": 5, "fm": 4, "size": 80, "batch_size": 8, "threads": 2, "bits": "fast"}
    numbers = {"contenders": records, "ratios": step_time.ratios({k: r | {"seconds": []} for k, r in records.items()})}
    return {"machine": "here", "settings": sizes | {"backend": "xla", **settings}, "numbers": numbers}


def test_the_summary_has_each_networks_latest_ratios_and_their_geometric_means(monkeypatch):
    monkeypatch.setattr(step_time.statistics, "median", lambda numbers: None)  # of turns, which are not there
    old, new = of_step_time(ours=9.0), of_step_time(ours=4.0, jax=2.0)
    dense = of_step_time("densenet", ours=1.0, n=32, fm=24, size=32)
    portable, predicts = of_step_time(bits="portable"), of_step_time("wide-resnet", n=4, fm=10, evaluation=True)
    rows = contents.step_ratios([old, dense, new, portable, predicts])
    found = [(row["workload"], row["step"], row["bits"], row.get("of_torch"), row.get("of_jax")) for row in rows]
    assert found == [
        ("CRMN 5,4, 1 x 80 x 80, batch 8", "training", "`fast`", 4.0, 2.0),
        ("DenseNet-100, k=24, 3 x 32 x 32, batch 8", "training", "`fast`", 1.0, None),
        ("geometric mean of 2", "training", "`fast`", pytest.approx(2.0), pytest.approx(2.0)),
        ("CRMN 5,4, 1 x 80 x 80, batch 8", "training", "`portable`", 2.0, None),
        ("Wide ResNet 28-10, 3 x 80 x 80, batch 8", "evaluation", "`fast`", 2.0, None),
    ]
    assert rows[0]["entry"] is new and "entry" not in rows[2]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words", "shown"),
    [
        ("step_time", f"{SMALL} --memory", "step-time step-memory step-ratios"),
        ("step_time", f"{SMALL} --bits portable --evaluation", "step-time step-ratios"),
        ("profiles", "--n 1 --fm 1 --size 16 --batch-size 2 --turns 2 --threads 1", "profiles"),
        ("start_time", "--only growth --n 1 --batch-size 1 --threads 1", "start-growth"),
        ("remat", "--n 2 --growth-rate 4 --batch-size 2 --turns 1", "remat"),
        ("scaling", "--n 1 --batch-size 4 --share 2 --devices 1 2 --cards 8 --turns 1", "scaling scaling-bounds"),
    ],
)
def test_what_a_benchmark_appends_fills_its_tables(name, words, shown, tmp_path):
    if name == "step_time":
        pytest.importorskip("torch")
    path = tmp_path / f"{name}.json"
    done = run(name, path, *words.split())
    assert done.returncode == 0, done.stderr
    (entry,) = entries.read(path)
    for table in map(contents.TABLES.get, shown.split()):
        rows = [cells(table.columns, row) for row in table.rows([entry] if table.summary else entry)]
        assert rows
        assert all(any(row[key] for row in rows) for key in table.columns), rows


def run(name, path, *words):
    command = [sys.executable, BENCHMARKS / f"{name}.py", *words, "--anyway", "--json", path]
    return subprocess.run(command, cwd=entries.ROOT, capture_output=True, text=True)
