"""A trace: a line an update, cut back to a checkpoint, and no damage that goes unseen."""

import errno
import hashlib
import json
import math
import os

import numpy as np
import pytest

from crmn_legacy.archive import trace
from crmn_legacy.archive.layout import TRACE
from crmn_legacy.archive.trace import Trace, read_trace
from crmn_legacy.errors import UserError
from tests.folders import states


@pytest.fixture
def written(tmp_path):
    """A folder with a trace of four updates."""
    tracing = Trace(tmp_path)
    for update, state in enumerate(states()):
        tracing.add(state, update=update, epoch=min(update, 1), step=update, loss=0.5 * update if update else None)
    tracing.keep()
    tracing.close()
    return tmp_path


def test_a_line_has_what_its_definition_says(written):
    text = (written / TRACE).read_text().splitlines()[2]
    w = states()[2]["w"]
    digest = hashlib.sha256(f"w float32 {w.shape}\n".encode() + w.astype("<f4").tobytes()).hexdigest()
    line = json.loads(text)
    assert (line["epoch"], line["step"], line["update"], line["loss"]) == (1, 2, 2, 1.0)
    assert line["tensors"]["w"] == digest
    assert list(line["tensors"]) == ["w", "w.velocity"]


def test_lines_come_back(written):
    lines = list(read_trace(written))
    assert [line.update for line in lines] == [0, 1, 2, 3, 4]
    assert lines[0].loss is None and lines[3].loss == 1.5
    assert lines[4].tensors == trace.digests(states()[4])


@pytest.mark.parametrize("update", range(5))
@pytest.mark.parametrize("half_a_line", [b"", b'{"epoch": 1, "st'])
def test_cut_back_and_written_again_it_is_the_same_file(written, update, half_a_line):
    whole = (written / TRACE).read_bytes()
    with open(written / TRACE, "ab") as file:
        file.write(half_a_line)
    tracing = Trace(written)
    tracing.cut(update, states()[update])
    for number in range(update + 1, 5):
        tracing.add(states()[number], epoch=1, step=number, update=number, loss=0.5 * number)
    tracing.close()
    assert (written / TRACE).read_bytes() == whole


def test_it_is_not_taken_up_where_it_is_cut_off_or_of_another_state(written):
    whole = (written / TRACE).read_bytes()
    lines = whole.splitlines(keepends=True)
    for content, said in [
        (b"".join(lines[:3]), "ends before update 4"),
        (b"".join(lines[:4]) + lines[4][:50], "cut off or altered in line 5"),
        (b"", "is empty"),
        (b"".join([lines[0], lines[2]]), "cut off or altered in line 2"),
    ]:
        (written / TRACE).write_bytes(content)
        with pytest.raises(UserError, match=said):
            Trace(written).cut(4, states()[4])
        assert (written / TRACE).read_bytes() == content
    (written / TRACE).write_bytes(whole)
    with pytest.raises(UserError, match="of another state at update 3"):
        Trace(written).cut(3, states()[2])


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_still_json(tmp_path, loss):
    tracing = Trace(tmp_path)
    tracing.add(states()[0])
    tracing.add(states()[1], 1, 1, 1, loss)
    tracing.close()

    def refuse(constant):
        raise AssertionError(constant)

    for line in (tmp_path / TRACE).read_text().splitlines():
        json.loads(line, parse_constant=refuse)
    assert [line.loss for line in read_trace(tmp_path)] == [None, str(loss)]


def test_every_cut_and_what_is_no_line_is_refused_in_one_line(written):
    whole = (written / TRACE).read_bytes()
    ends = {place for place, byte in enumerate(whole, 1) if byte == ord("\n")}
    for length in range(0, len(whole), 7):
        if length in ends:
            continue
        (written / TRACE).write_bytes(whole[:length])
        with pytest.raises(UserError) as refused:
            list(read_trace(written))
        assert len(str(refused.value).splitlines()) == 1
    good = json.loads(whole.splitlines()[1])
    for bad in (
        {**good, "update": 2},
        {**good, "update": True},
        {**good, "step": -1},
        {**good, "step": 1.0},
        {**good, "loss": None},
        {**good, "loss": []},
        {**good, "tensors": []},
        {**good, "tensors": {"w": 3}},
        {**good, "tensors": {"w": "short"}},
        {**good, "more": 1},
        [],
        3,
        None,
    ):
        (written / TRACE).write_bytes(whole.splitlines(keepends=True)[0] + json.dumps(bad).encode() + b"\n")
        with pytest.raises(UserError, match="altered in line 2"):
            list(read_trace(written))
    for content in (b"\xff\n", b"[" * 100_000 + b"\n", b"\n"):
        (written / TRACE).write_bytes(content)
        with pytest.raises(UserError, match="altered in line 1"):
            list(read_trace(written))


def test_a_line_without_end_is_not_read_into_memory(written, monkeypatch):
    monkeypatch.setattr(trace, "_LONGEST_LINE", 1000)
    (written / TRACE).write_bytes(b"x" * 10_000)
    with pytest.raises(UserError, match="altered in line 1"):
        list(read_trace(written))


def test_no_trace_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        list(read_trace(tmp_path))
    with pytest.raises(UserError, match="cannot be written"):
        Trace(tmp_path / "nowhere")


def test_a_full_disk_is_told_in_one_line(written, monkeypatch):
    tracing = Trace(written)

    class Full:
        def write(self, content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    tracing._file = Full()
    with pytest.raises(UserError, match="No space left on device"):
        tracing.add(states()[0])


def test_short_writes_are_gone_on_with(written):
    class Slow:
        def __init__(self, file):
            self.file = file

        def write(self, content):
            return self.file.write(content[:3])

        def close(self):
            self.file.close()

    whole = (written / TRACE).read_bytes()
    tracing = Trace(written)
    tracing._file = Slow(tracing._file)
    tracing.add(states()[4], 1, 5, 5, 2.5)
    tracing.close()
    lines = (written / TRACE).read_bytes().splitlines(keepends=True)
    assert b"".join(lines[:-1]) == whole and json.loads(lines[-1])["update"] == 5


def test_equal_arrays_of_another_name_shape_or_dtype_have_another_digest():
    zeros = np.zeros(4, "f4")
    found = trace.digests({"a": zeros, "b": zeros, "c": zeros.reshape(2, 2), "d": zeros.view("i4")})
    assert len(set(found.values())) == 4
