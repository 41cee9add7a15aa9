"""Under a manifest that holds: what the files of a run say must follow from one another."""

import io
import json

import numpy as np
import pytest

from crmn_legacy import archive
from crmn_legacy.archive import chain
from tests.folders import STEPS, rewrite, rewrite_json, states, write_run


@pytest.fixture
def finished(tmp_path):
    return write_run(tmp_path / "run")


def arrays_bytes(arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def alter_arrays(folder, name, change):
    arrays = dict(archive.read_arrays(folder / name))
    change(arrays)
    rewrite(folder, name, arrays_bytes(arrays))


def nudge(arrays):
    arrays["w"] = np.nextafter(arrays["w"], np.float32(9))


def other_progress(**changes):
    def change(arrays):
        progress = {**json.loads(str(arrays["progress"])), **changes}
        arrays["progress"] = np.array(json.dumps(progress))

    return change


@pytest.mark.parametrize("trace", [True, False])
def test_a_run_follows_from_itself(tmp_path, trace):
    assert chain.problems(write_run(tmp_path / "run", trace=trace)) == []


@pytest.mark.parametrize("name", archive.ARRAYS)
@pytest.mark.parametrize("trace", [True, False])
def test_numbers_of_no_array_can_be_altered_with_the_manifest(tmp_path, name, trace):
    folder = write_run(tmp_path / "run", trace=trace)
    alter_arrays(folder, name, nudge)
    problems = archive.verify(folder)
    assert problems and name in problems[0], problems


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda curve: curve[0]["losses"].__setitem__(0, 1.0), "not the epochs that checkpoint.npz has"),
        (lambda curve: curve[1].update(bits="sha256:" + "0" * 64), "bits sha256:"),
        (lambda curve: curve.pop(), "bits sha256:"),
        (lambda curve: curve.pop(0), "altered in line 1 (epoch 2)"),
        (lambda curve: curve[0].update(rates={}), "not the epochs"),
        (lambda curve: curve[0].update(weights="sha256:" + "0" * 64), "weights.npz: not the weights"),
    ],
)
def test_no_epoch_can_be_altered_with_the_manifest(finished, change, said):
    rewrite_json(finished, archive.CURVE, change)
    problems = archive.verify(finished)
    assert any(said in problem for problem in problems), problems


@pytest.mark.parametrize("name", ["bits", "initial_bits", "initial_weights"])
def test_no_digest_of_the_record_can_be_altered_with_the_manifest(finished, name):
    rewrite_json(finished, archive.RUN, lambda record: record.update({name: "sha256:" + "0" * 64}))
    assert archive.verify(finished)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda lines: lines[1].update(loss=7.0), "another loss at update 1"),
        (lambda lines: lines[3].update(epoch=1), "another epoch at update 3"),
        (lambda lines: lines[0]["tensors"].update(w="0" * 64), "another w at update 0 than weights_initial.npz"),
        (
            lambda lines: lines[STEPS]["tensors"].update(w="0" * 64),
            "w at update 2 than checkpoint.previous.npz",
        ),
        (lambda lines: lines[-1]["tensors"].pop("w.velocity"), "another w.velocity at update 4 than checkpoint.npz"),
        (lambda lines: lines.pop(), "3 updates, where curve.jsonl has 4"),
        (lambda lines: lines.append({**lines[-1], "update": 5}), "another loss at update 5"),
        (lambda lines: lines.pop(1), "cut off or altered in line 2"),
    ],
)
def test_a_trace_is_held_against_losses_and_every_stored_state(finished, change, said):
    rewrite_json(finished, archive.TRACE, change)
    problems = archive.verify(finished)
    assert any(said in problem for problem in problems), problems


def test_a_light_folder_still_answers_for_its_trace_and_its_last_link(finished, tmp_path):
    light = tmp_path / "light"
    archive.lighten(finished, light)
    rewrite_json(light, archive.TRACE, lambda lines: lines[2].update(loss=7.0))
    assert archive.verify(light) == ["trace.jsonl: another loss at update 2 than curve.jsonl has"]
    archive.lighten(finished, light)
    rewrite_json(light, archive.RUN, lambda record: record.update(bits="sha256:" + "0" * 64))
    assert "are not the last of curve.jsonl" in archive.verify(light)[0]


def test_a_checkpoint_from_within_an_epoch_is_held_against_the_trace(finished):
    """A run that was stopped within its last epoch leaves its first state of that epoch as the former checkpoint."""
    middle = {**states()[3], "progress": archive.read_arrays(finished / archive.FORMER_CHECKPOINT)["progress"]}
    rewrite(finished, archive.FORMER_CHECKPOINT, arrays_bytes(middle))
    alter_arrays(finished, archive.FORMER_CHECKPOINT, other_progress(step=1, updates=3, losses=[1.0]))
    assert archive.verify(finished) == []
    alter_arrays(finished, archive.FORMER_CHECKPOINT, nudge)
    assert archive.verify(finished) == ["trace.jsonl: another w at update 3 than checkpoint.previous.npz has"]


@pytest.mark.parametrize("progress", ["", "[]", "{}", "{", '{"curve": 3}', '{"curve": [], "step": 0}'])
def test_a_checkpoint_without_progress_is_a_problem_and_no_crash(finished, progress):
    alter_arrays(finished, archive.CHECKPOINT, lambda arrays: arrays.update(progress=np.array(progress)))
    assert len(archive.verify(finished)) == 1


def test_a_newest_checkpoint_that_is_behind_the_curve_is_found(finished):
    rewrite(finished, archive.CHECKPOINT, (finished / archive.FORMER_CHECKPOINT).read_bytes())
    assert any("more epochs than checkpoint.npz has" in problem for problem in archive.verify(finished))
