"""A run's folder: nothing is lost in it, no damage to it goes unseen, and its arrays can be left out."""

import errno
import hashlib
import io
import os
from pathlib import Path

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive import folder as folders
from crmn_legacy.archive import verification
from crmn_legacy.archive.verification import file_digest
from crmn_legacy.errors import UserError
from tests.folders import RECORD, rewrite, rewrite_json, write_run

# --- a finished folder


@pytest.fixture
def finished(tmp_path):
    """A small folder as a run writes it, of two epochs, with a trace."""
    return write_run(tmp_path / "run")


def test_a_whole_folder_has_no_problems(finished):
    assert archive.verify(finished) == []
    assert archive.verify(str(finished)) == []


def test_the_manifest_is_one_that_sha256sum_reads(finished):
    lines = (finished / archive.MANIFEST).read_text().splitlines()
    assert sorted(line[66:] for line in lines) == sorted({p.name for p in finished.iterdir()} - {archive.MANIFEST})
    for line in lines:
        assert line[:64] == hashlib.sha256((finished / line[66:]).read_bytes()).hexdigest()
        assert line[64:66] == "  "


def test_every_flipped_bit_is_found_and_its_file_named(finished):
    for path in sorted(finished.iterdir()):
        whole = path.read_bytes()
        step = 1 if path.name == archive.MANIFEST else max(1, len(whole) // 60)
        for place in range(0, len(whole), step):
            for bit in range(8) if path.name == archive.MANIFEST else (place % 8,):
                spoilt = bytearray(whole)
                spoilt[place] ^= 1 << bit
                path.write_bytes(spoilt)
                problems = archive.verify(finished)
                assert problems, (path.name, place, bit)
                if path.name != archive.MANIFEST:
                    assert problems == [f"{path.name}: altered"]
        path.write_bytes(whole)
    assert archive.verify(finished) == []


def test_a_missing_an_added_and_an_exchanged_file_are_named(finished):
    (finished / archive.WEIGHTS).unlink()
    (finished / archive.RECIPE).unlink()
    (finished / archive.RECIPE).mkdir()
    (finished / archive.CURVE).unlink()
    (finished / archive.CURVE).symlink_to("nowhere")
    manifest = (finished / archive.MANIFEST).read_text().splitlines(keepends=True)
    (finished / archive.MANIFEST).write_text("".join(line for line in manifest if archive.TRACE not in line))
    assert set(archive.verify(finished)) == {
        "weights.npz: missing",
        "trace.jsonl: added",
        "recipe.py: altered",
        "curve.jsonl: altered",
    }


def add_foreign_files(folder):
    """What people and their programs leave in a run's folder; returns the names, sorted."""
    (folder / "resume.log").write_text("epoch 1/2\n")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (folder / ".curve.jsonl.swp").write_bytes(b"b0VIM 9.0")
    (folder / "notes").mkdir()
    (folder / "notes" / archive.RUN).write_text("{}")
    (folder / "latest").symlink_to("nowhere")
    (folder / "film.mp4.part").write_bytes(b"\0")
    (folder / "weights.npz.part").mkdir()
    os.mkfifo(folder / "pipe\n")
    (folder / os.fsdecode(b"caf\xe9")).touch()
    names = ["resume.log", ".DS_Store", ".curve.jsonl.swp", "notes", "latest", "film.mp4.part", "weights.npz.part"]
    return sorted([*names, "pipe\n", "caf\udce9"])


def test_what_is_not_the_runs_is_named_and_no_problem(finished):
    assert archive.foreign(finished) == []
    names = add_foreign_files(finished)
    assert archive.foreign(finished) == names
    assert archive.verify(finished) == []


def test_what_is_not_the_runs_is_left_alone_and_out_of_the_manifest(finished, tmp_path):
    names = add_foreign_files(finished)
    with archive.RunFolder(finished, new=False) as folder:
        folder.finish(archive.read_record(finished))
    assert archive.foreign(finished) == names
    listed = {line[66:] for line in (finished / archive.MANIFEST).read_text().splitlines()}
    assert listed == set(archive.WRITTEN)
    archive.lighten(finished, tmp_path / "light")
    assert archive.foreign(tmp_path / "light") == []


@pytest.mark.parametrize("change", ["kept", "altered", "gone", "a folder"])
def test_a_former_manifest_of_what_was_not_the_runs_holds_whatever_became_of_that(finished, change):
    log = finished / "resume.log"
    rewrite(finished, log.name, b"epoch 1/2\n")
    if change != "kept":
        log.unlink()
    if change == "altered":
        log.write_text("another\n")
    if change == "a folder":
        log.mkdir()
    assert archive.verify(finished) == []
    assert archive.foreign(finished) == ([] if change == "gone" else ["resume.log"])
    with open(finished / archive.CURVE, "a") as file:
        file.write("\n")
    assert archive.verify(finished) == ["curve.jsonl: altered"]


def test_a_file_that_cannot_be_read_is_named_with_the_reason(finished, monkeypatch):
    def fail(file, name):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(hashlib, "file_digest", fail)
    assert "weights.npz: cannot be read (Input/output error)" in archive.verify(finished)


def test_many_names_are_cut_and_none_can_steer_a_terminal():
    assert archive.shown_names(["a\n", "caf\udce9"]) == "a\\n, caf\\udce9"
    assert archive.shown_names([str(number) for number in range(7)]) == "0, 1, 2, 3, 4 and 2 more"


def test_a_file_taken_out_of_folder_and_manifest_is_missed_all_the_same(finished):
    for name in (archive.RUN, archive.CHECKPOINT):
        (finished / name).unlink()
    manifest = finished / archive.MANIFEST
    kept = [line for line in manifest.read_text().splitlines(keepends=True) if (finished / line[66:].strip()).exists()]
    manifest.write_text("".join(kept))
    assert set(archive.verify(finished)) == {"run.json: missing", "checkpoint.npz: missing"}


def test_an_unfinished_folder_says_so(finished):
    (finished / archive.MANIFEST).unlink()
    assert archive.verify(finished) == ["MANIFEST.sha256: missing; the run is not finished"]


def test_no_folder_is_the_users_mistake(tmp_path):
    for path in (tmp_path / "absent", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="which is no folder"):
            archive.verify(path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", "sub/file", "", "..", "a\0b"])
def test_names_in_the_manifest_never_become_paths(finished, monkeypatch, name):
    with open(finished / archive.MANIFEST, "a") as manifest:
        manifest.write(f"{'0' * 64}  {name}\n")
    opened, digest = [], file_digest
    monkeypatch.setattr(verification, "file_digest", lambda path: opened.append(path) or digest(path))
    problems = archive.verify(finished)
    assert problems
    assert {Path(path).resolve().parent for path in opened} <= {finished.resolve()}
    assert all("\0" not in problem and "\n" not in problem for problem in problems)


def test_bits_that_do_not_follow_from_the_checkpoint_are_found_under_a_manifest_that_holds(finished):
    buffer = io.BytesIO()
    arrays = archive.read_arrays(finished / archive.CHECKPOINT)
    np.savez(buffer, **{**arrays, "w": arrays["w"] + 1})
    rewrite(finished, archive.CHECKPOINT, buffer.getvalue())
    assert "do not follow from checkpoint.npz" in archive.verify(finished)[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (archive.CURVE, b""),
        (archive.CURVE, b"{}\n"),
        (archive.CURVE, b"[]\n"),
        (archive.CURVE, b'{"losses": ["x"], "bits": "y"}\n'),
        (archive.CURVE, b'{"losses": 3, "bits": "y"}\n'),
        (archive.CURVE, b"\xff\n"),
        (archive.RUN, b"[]"),
        (archive.RUN, b"{}"),
        (archive.RUN, b"{"),
        (archive.CHECKPOINT, b"no zip"),
    ],
)
def test_a_chain_that_cannot_be_followed_is_a_problem_and_no_crash(finished, name, content):
    rewrite(finished, name, content)
    assert len(archive.verify(finished)) == 1


# --- a folder in use


def test_a_folder_belongs_to_one_at_a_time(tmp_path):
    first = archive.RunFolder(tmp_path / "run", new=True)
    with pytest.raises(UserError, match="another process is running") as error:
        archive.RunFolder(tmp_path / "run", new=True)
    # Some file systems have other numbers in the system's table than they say.
    if f":{(tmp_path / 'run').stat().st_ino} " in Path("/proc/locks").read_text():
        assert f"is running (process {os.getpid()}); expected" in str(error.value)
    first.close()
    first.close()
    archive.RunFolder(tmp_path / "run", new=True).close()


def test_a_process_that_the_system_does_not_name_is_not_named(tmp_path, monkeypatch):
    first = archive.RunFolder(tmp_path / "run", new=True)

    def fail(path):
        raise OSError(errno.ENOENT, "no /proc")

    monkeypatch.setattr(Path, "read_text", fail)
    with pytest.raises(UserError, match="another process is running; expected"):
        archive.RunFolder(tmp_path / "run", new=True)
    first.close()


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_locks_and_without_syncing_has_runs_all_the_same(tmp_path, monkeypatch, number):
    def refuse(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(folders.fcntl, "flock", refuse)
    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(os, "link", refuse)
    with archive.RunFolder(tmp_path / "lone", new=True) as folder:
        assert folder.unlocked == os.strerror(number)
    assert archive.verify(write_run(tmp_path / "run")) == []


def test_a_lock_or_a_sync_that_fails_is_told(tmp_path, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(UserError, match=r"cannot be written \(Input/output error\)"):
        write_run(tmp_path / "run")
    monkeypatch.setattr(folders.fcntl, "flock", fail)
    with pytest.raises(UserError, match=r"cannot be locked \(Input/output error\)"):
        archive.RunFolder(tmp_path / "other", new=True)


def test_a_folder_in_which_nothing_was_saved_says_so(tmp_path):
    assert archive.verify(tmp_path) == ["MANIFEST.sha256: missing; no run has saved anything here"]
    with pytest.raises(UserError, match="has saved nothing; begin it anew"):
        archive.read_record(tmp_path)
    with pytest.raises(UserError, match=r"with run\.json$"):
        archive.read_record(tmp_path / "nowhere")


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(finished):
    before = {path.name for path in finished.iterdir()}
    for name in ("checkpoint.npz.0a1b2c3d.part", "checkpoint.previous.spare"):
        (finished / name).write_bytes(b"half")
    archive.RunFolder(finished, new=False).close()
    assert {path.name for path in finished.iterdir()} == before


def test_a_new_folder_must_be_empty_and_a_former_one_hold_a_run(finished, tmp_path):
    with pytest.raises(UserError, match=r"not empty \(it holds MANIFEST.sha256, .* and 5 more\)"):
        archive.RunFolder(finished, new=True)
    (tmp_path / "logged").mkdir()
    (tmp_path / "logged" / ".DS_Store").touch()
    with pytest.raises(UserError, match=r"it holds \.DS_Store\)"):
        archive.RunFolder(tmp_path / "logged", new=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no run\.json"):
        archive.RunFolder(tmp_path / "empty", new=False)


def test_writing_a_record_takes_the_manifest_away(finished):
    folder = archive.RunFolder(finished, new=False)
    folder.write_record(RECORD)
    folder.close()
    assert archive.verify(finished) == ["MANIFEST.sha256: missing; the run is not finished"]


def test_a_checkpoint_keeps_the_one_before(finished):
    folder = archive.RunFolder(finished, new=False)
    for number in range(3):
        folder.write_checkpoint({"w": np.array(number)})
        assert folder.read_checkpoint()[0]["w"] == number
    assert archive.read_arrays(finished / archive.FORMER_CHECKPOINT)["w"] == 1
    folder.close()


def test_a_damaged_checkpoint_never_takes_the_place_of_the_good_one(finished):
    (finished / archive.CHECKPOINT).write_bytes(b"PK")
    folder = archive.RunFolder(finished, new=False)
    good = (finished / archive.FORMER_CHECKPOINT).read_bytes()
    assert folder.read_checkpoint()[1] == archive.FORMER_CHECKPOINT
    folder.write_checkpoint({"w": np.array(7)})
    assert (finished / archive.FORMER_CHECKPOINT).read_bytes() == good
    assert folder.read_checkpoint()[0]["w"] == 7
    folder.write_checkpoint({"w": np.array(8)})
    assert archive.read_arrays(finished / archive.FORMER_CHECKPOINT)["w"] == 7
    folder.close()


# --- a light folder


@pytest.fixture
def light(finished, tmp_path):
    """The small run without its arrays."""
    archive.lighten(finished, tmp_path / "light")
    return tmp_path / "light"


def test_a_light_folder_is_whole_without_its_arrays_and_names_them_with_their_digests(finished, light):
    assert {path.name for path in light.iterdir()} == {
        archive.RUN,
        archive.RECIPE,
        archive.CURVE,
        archive.CURVE_CSV,
        archive.TRACE,
        archive.MANIFEST,
    }
    assert archive.verify(light) == []
    expected = {name: hashlib.sha256((finished / name).read_bytes()).hexdigest() for name in archive.ARRAYS}
    assert archive.left_out(light) == expected
    assert archive.left_out(finished) == {}
    record = archive.read_json(light / archive.RUN)
    assert record.pop("left_out") == expected
    assert record == archive.read_json(finished / archive.RUN)


def test_every_flipped_bit_of_a_light_folder_is_found(light):
    for path in sorted(light.iterdir()):
        whole = path.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            spoilt = bytearray(whole)
            spoilt[place] ^= 1 << place % 8
            path.write_bytes(spoilt)
            problems = archive.verify(light)
            assert problems, (path.name, place)
            if path.name != archive.MANIFEST:
                assert f"{path.name}: altered" in problems
        path.write_bytes(whole)
    assert archive.verify(light) == []


@pytest.mark.parametrize("name", [archive.RUN, archive.RECIPE, archive.CURVE, archive.TRACE])
def test_a_light_folder_misses_what_it_should_have(light, name):
    (light / name).unlink()
    assert f"{name}: missing" in archive.verify(light)


def test_an_array_that_lies_in_a_light_folder_all_the_same_is_an_addition(finished, light):
    (light / archive.WEIGHTS).write_bytes((finished / archive.WEIGHTS).read_bytes())
    assert archive.verify(light) == ["weights.npz: added"]


@pytest.mark.parametrize("name", [archive.WEIGHTS, archive.CHECKPOINT, archive.FORMER_CHECKPOINT])
def test_a_full_folder_without_an_array_is_no_light_one(finished, name):
    (finished / name).unlink()
    assert archive.verify(finished) == [f"{name}: missing"]


def test_no_record_excuses_a_recipe(light):
    rewrite_json(light, archive.RUN, lambda record: record["left_out"].update({archive.RECIPE: "0" * 64}))
    (light / archive.RECIPE).unlink()
    assert archive.verify(light) == ["recipe.py: missing"]


def test_a_record_that_the_manifest_does_not_vouch_for_excuses_nothing(finished):
    (finished / archive.WEIGHTS).unlink()
    record = {**archive.read_json(finished / archive.RUN), "left_out": {archive.WEIGHTS: "0" * 64}}
    archive.write_json(finished / archive.RUN, record)
    assert set(archive.verify(finished)) == {"run.json: altered", "weights.npz: missing"}


def test_a_light_folder_takes_the_place_of_a_former_one_and_of_nothing_else(finished, light, tmp_path):
    archive.lighten(finished, light)
    assert archive.verify(light) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    (light / "why.txt").write_text("mine")
    for place, said in (
        (tmp_path / "mine", "no light folder"),
        (finished, "no light folder"),
        (light, "holds why.txt beside a run"),
    ):
        with pytest.raises(UserError, match=said):
            archive.lighten(finished, place)
    assert (tmp_path / "mine" / "notes.txt").read_text() == (light / "why.txt").read_text() == "mine"
    assert archive.verify(finished) == []
    assert not list(tmp_path.glob(".*"))


def test_only_a_whole_run_with_its_arrays_is_made_light(finished, light, tmp_path):
    with pytest.raises(UserError, match="without its arrays already"):
        archive.lighten(light, tmp_path / "lighter")
    (finished / archive.RECIPE).write_text("other\n")
    with pytest.raises(UserError, match=r"recipe\.py: altered"):
        archive.lighten(finished, tmp_path / "other")
    assert not (tmp_path / "lighter").exists() and not (tmp_path / "other").exists()


def test_a_name_twice_in_the_manifest_is_found(finished):
    line = (finished / archive.MANIFEST).read_text().splitlines()[0]
    with open(finished / archive.MANIFEST, "a") as manifest:
        manifest.write(line + "\n")
    assert archive.verify(finished) == [f"MANIFEST.sha256: altered: {line[66:]} stands in it twice"]


def test_a_manifest_that_is_a_pipe_or_endless_is_told_and_not_waited_for(tmp_path):
    run = write_run(tmp_path / "run")
    manifest = run / archive.MANIFEST
    manifest.write_bytes(b"0" * (2 << 20))
    (problem,) = archive.verify(run)
    assert problem == f"{archive.MANIFEST}: cannot be read (it has more than 1048576 bytes)"
    manifest.unlink()
    os.mkfifo(manifest)
    (problem,) = archive.verify(run)
    assert problem == f"{archive.MANIFEST}: cannot be read (it is no regular file)"
