"""A folder as the page shows it: what it lacks is not recorded, what is wrong with it is said."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmn_legacy import archive
from crmn_legacy.archive import record
from crmn_legacy.archive.record import Score
from crmn_legacy.errors import UserError
from crmn_legacy.report import read_run, render
from tests.report import pages


def test_a_run_without_a_manifest_is_unfinished(tmp_path):
    run = read_run(pages.write(tmp_path / "run"))
    assert run.verdict == "unfinished" and run.manifest_digest is None and run.notes == []
    assert [epoch.epoch for epoch in run.epochs] == [1, 2, 3, 4, 5, 6]
    assert run.best.epoch == 6 and run.name == "run" and run.metric == "error"


def test_one_that_claims_to_be_finished_without_a_manifest_is_not_believed(tmp_path):
    assert read_run(pages.write(tmp_path / "run", pages.record(status="finished"))).verdict == "altered"


def test_a_manifest_that_does_not_hold_makes_it_altered(tmp_path):
    folder = pages.write(tmp_path / "run")
    (folder / archive.MANIFEST).write_text(f"{'0' * 64}  run.json\n")
    run = read_run(folder)
    assert run.verdict == "altered" and "run.json: altered" in run.problems


@pytest.mark.parametrize(
    ("lines", "epochs", "unreadable"),
    [
        (b"", 0, 0),
        (b"{\n[1]\nnull\n\xff\n", 0, 4),
        (b'{"epoch": 1}\n{"epoch": 1}\n{"epoch": 0}\n{"epoch": "2"}\n{"epoch": true}\n', 1, 4),
        (b'{"epoch": 3}\n\n{"epoch": 2}\n', 2, 0),
        (b"[" * 10**5 + b"\n", 0, 1),
        (b'{"epoch": 1' + b"0" * 5000 + b"}\n", 0, 1),
    ],
)
def test_lines_that_cannot_be_read_are_left_out_and_counted(tmp_path, lines, epochs, unreadable):
    run = read_run(pages.write(tmp_path / "run", lines=lines))
    assert len(run.epochs) == epochs
    assert [note.split()[0] for note in run.notes] == ([str(unreadable)] if unreadable else [])
    assert run.epochs == sorted(run.epochs, key=lambda epoch: epoch.epoch)


def test_a_curve_that_is_missing_is_noted(tmp_path):
    folder = pages.write(tmp_path / "run")
    (folder / archive.CURVE).unlink()
    assert "missing" in read_run(folder).notes[0]


def test_wrong_kinds_are_not_recorded(tmp_path):
    entry = pages.line(1, train="low", valid=float("nan"), error=[1], rates={"a": "b", "c": 0.1}, updates=1.5, bits=7)
    (epoch,) = read_run(pages.write(tmp_path / "run", lines=[entry])).epochs
    assert (epoch.train_loss, epoch.validation_loss, epoch.score, epoch.updates) == (None,) * 4
    assert epoch.rates == {"c": 0.1} and epoch.bits == "not recorded"


def test_another_metric_is_known_by_its_name(tmp_path):
    run = read_run(pages.write(tmp_path / "run", lines=[{"epoch": 1, "validation_accuracy": 0.75}]))
    assert run.metric == "accuracy" and run.epochs[0].score == 0.75


def test_test_results_of_the_wrong_kind_are_left_out(tmp_path):
    sets = {"helen": {"mean": 0.1, "pictures": 330, "complete": False}, "ibug": {"mean": None}, "lfpw": 3}
    run = read_run(pages.write(tmp_path / "run", pages.record(result={"test": sets})))
    assert run.test() == {"helen": Score(mean=0.1, pictures=330, complete=False)}
    assert read_run(pages.write(tmp_path / "two", pages.record(result=[]))).test() == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 10**5, b'{"seed": ' + b"1" * 5000 + b"}"])
def test_a_record_that_is_none_is_refused(tmp_path, content):
    with pytest.raises(UserError):
        read_run(pages.write(tmp_path / "run", content))


def test_files_too_large_for_a_run_are_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "_LARGEST_CURVE", 1000)
    with pytest.raises(UserError, match="more than 1000 bytes"):
        read_run(pages.write(tmp_path / "run"))
    with pytest.raises(UserError, match="more than 4194304 bytes"):
        read_run(pages.write(tmp_path / "two", b" " * (record._LARGEST_RECORD + 1)))


@pytest.mark.parametrize("name", [archive.RUN, archive.CURVE])
def test_what_would_be_waited_for_without_end_is_refused(tmp_path, name):
    folder = pages.write(tmp_path / "run")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(UserError, match="no ordinary file"):
        read_run(folder)


def test_no_run(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_run(tmp_path)


NAMES = st.sampled_from([*pages.record(), "result", "error", "bits", "left_out", "test", "hardware", "processor"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["<script>", "\x1b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=50)
@given(
    record=st.dictionaries(NAMES, JSON, max_size=8),
    lines=st.lists(
        st.dictionaries(st.sampled_from(list(pages.line(1))), JSON, max_size=8).map(lambda line: {"epoch": 1, **line}),
        max_size=3,
    ),
)
def test_any_record_and_any_curve_gives_a_page(tmp_path_factory, record, lines):
    folder = tmp_path_factory.mktemp("any")
    alone = read_run(pages.write(folder / "alone", json.dumps(record).encode(), lines))
    # Two that may be averaged.
    whole = {**pages.record(), **record}
    pair = [read_run(pages.write(folder / str(seed), {**whole, "seed": seed}, lines)) for seed in (1, 2)]
    for page in (render([alone]), render(pair)):
        parsed = pages.Parsed(page)
        assert "script" not in parsed.tags and not any(name.startswith("on") for name in parsed.attribute_names)
        assert all(letter.isprintable() or letter == "\n" for letter in page)
        page.encode()


def test_numbers_as_large_as_can_be_are_averaged(tmp_path):
    lines = {1: [pages.line(1, 1e100, -1e100, 1e100)], 2: [pages.line(1, -1e100, 1e100, 5e-324)]}
    runs = [read_run(pages.write(tmp_path / str(k), pages.record(seed=k), lines[k])) for k in (1, 2)]
    body = pages.Parsed(render(runs)).all("body")[0]["text"]
    assert "n = 2" in body and "nan" not in body and " inf" not in body
