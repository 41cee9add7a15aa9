"""`report`: one page of one run or many; what it may replace, what it refuses, what it says."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from crmn_legacy import archive
from crmn_legacy.report import MARK
from tests.report.pages import Parsed
from tests.training.runs import contents


@pytest.fixture
def copied(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "copied")
    return tmp_path / "copied"


def test_a_run_that_holds_is_called_whole_and_stays_as_it_was(command, finished, tmp_path):
    before = contents(finished[0])
    done = command("report", finished[0], "--out", tmp_path / "page.html")
    assert done.status == 0 and done.err == ""
    assert done.out == f"whole: {finished[0]}\nwritten: {tmp_path / 'page.html'}\n"
    parsed = Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert [" ".join(e["text"].split()) for e in parsed.all("div", "whole")] == [
        "Whole. Every file has the digest that the manifest gives it, and the chain of bits holds."
    ]
    assert finished[1].removeprefix("bits: ") in parsed.all("body")[0]["text"]
    assert contents(finished[0]) == before


def test_without_out_it_goes_into_the_working_directory_and_replaces_a_former_report(
    command, finished, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert command("report", finished[0]).out.endswith("written: report.html\n")
    first = (tmp_path / "report.html").read_bytes()
    assert command("report", finished[0]).out.endswith("written: report.html (in place of a former report)\n")
    assert (tmp_path / "report.html").read_bytes() == first and first.startswith(MARK.encode())


def test_the_same_run_elsewhere_gives_the_same_page(command, finished, tmp_path):
    pages = []
    for place in ("a", "b"):
        shutil.copytree(finished[0], tmp_path / place / "run")
        command("report", tmp_path / place / "run", "--out", tmp_path / f"{place}.html")
        pages.append((tmp_path / f"{place}.html").read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize("name", [archive.CURVE, archive.WEIGHTS, archive.RUN])
def test_one_flipped_bit_is_flagged(command, copied, finished, tmp_path, name):
    content = bytearray((copied / name).read_bytes())
    place = content.rindex(b"7")
    content[place] ^= 1
    (copied / name).write_bytes(content)
    done = command("report", finished[0], copied, "--out", tmp_path / "page.html")
    assert done.status == 0
    assert done.out.splitlines()[:2] == [f"whole: {finished[0]}", f"altered: {copied} ({name}: altered)"]
    parsed = Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert len(parsed.all("div", "altered")) == 2 and [e["text"] for e in parsed.all("span", "altered")] == ["altered"]


def test_predictions_give_the_curve_of_errors(command, finished, data, tmp_path):
    file = tmp_path / "predictions.npz"
    command("evaluate", finished[0], "--data", data, "--predictions", file)
    assert command("report", finished[0], "--predictions", file, "--out", tmp_path / "page.html").status == 0
    parsed = Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    text = " ".join(parsed.all("body")[0]["text"].split())
    assert "Cumulative distribution of the error" in text
    assert "It agrees with the test result that the run recorded." in text


def test_a_folder_without_a_run_does_not_keep_the_others(command, finished, tmp_path):
    (tmp_path / "killed").mkdir()
    done = command("report", tmp_path / "killed", finished[0], "--out", tmp_path / "page.html")
    assert done.status == 0 and done.out.splitlines()[0] == f"whole: {finished[0]}"
    assert done.err.startswith(f"left out: {tmp_path / 'killed'}: got '") and len(done.err.splitlines()) == 1
    parsed = Parsed((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert not any("runs compared" in entry["text"] for entry in parsed.all("h1"))


def test_what_is_no_report_is_not_replaced(refused, finished, tmp_path):
    (tmp_path / "mine.html").write_text("<!doctype html>\nmine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("nowhere")
    before = contents(tmp_path)
    for name in ("mine.html", "folder", "link"):
        assert "which exists and is no report" in refused("report", finished[0], "--out", tmp_path / name)
    assert contents(tmp_path) == before


def test_a_runs_folder_is_no_place_for_it(refused, finished, copied):
    before = contents(copied)
    assert "in a run's folder" in refused("report", copied, "--out", copied / "page.html")
    assert "in a run's folder" in refused("report", finished[0], "--out", copied / "page.html")
    assert contents(copied) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: DIR"),
        (["{run}", "{run}/"], "got one folder twice"),
        (["{tmp}/empty"], "run.json', which does not exist"),
        (["{tmp}/empty", "{run}/.."], "{tmp}/empty/run.json', which does not exist"),
        (["{run}", "--out", "{tmp}/no/page.html"], "cannot be written"),
        (["{run}", "--predictions", "{tmp}/none.npz"], "which is no file"),
        (["{run}", "--predictions", "{run}/weights.npz"], "without keypoints"),
        (["{run}", "--predictions", "a.npz", "--predictions", "b.npz"], "got 2 files, expected one for each of"),
    ],
)
def test_command_lines_that_will_not_do(refused, finished, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = contents(tmp_path)
    assert said.format(tmp=tmp_path) in refused(
        "report", *(word.format(run=finished[0], tmp=tmp_path) for word in arguments)
    )
    assert contents(tmp_path) == before


def test_a_full_disk_is_told_in_one_line_and_leaves_the_former_report(finished, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(MARK + "former")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "from crmn_legacy.cli import main, run; run(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", finished[0], "--out", page], capture_output=True, text=True
    )
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "cannot be written" in done.stderr
    assert page.read_text() == MARK + "former" and os.listdir(tmp_path) == ["page.html"]


def test_what_a_record_says_reaches_no_terminal(command, copied, tmp_path):
    record = json.loads((copied / archive.RUN).read_text())
    (copied / archive.RUN).write_text(json.dumps({**record, "row": "\x1b[31m", "status": "\x07"}))
    (copied / "\x1b[31m").write_text("added")
    done = command("report", copied, "--out", tmp_path / "page.html")
    assert done.status == 0 and all(letter.isprintable() or letter == "\n" for letter in done.out + done.err)


def test_starts_without_what_computes(finished, tmp_path):
    code = (
        "import sys; from crmn_legacy.cli import main\nassert main() == 0\n"
        "print(sorted({'aesara', 'jax', 'lasagne', 'scipy', 'h5py'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "report", finished[0], "--out", tmp_path / "page.html"],
        capture_output=True,
        text=True,
    )
    loaded = done.stdout.splitlines()[-1]
    assert "aesara" not in loaded and "jax" not in loaded and "lasagne" not in loaded, done.stderr
