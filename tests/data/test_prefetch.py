"""Prefetching changes when work is done, never its results, and leaves no thread behind."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor as Executor

import pytest

from crmn_legacy.data import prefetch as module
from crmn_legacy.data.prefetch import prefetch


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("depth", [1, 4, 100])
def test_results_come_in_order(workers, depth):
    def slow_at_first(item):
        time.sleep(0.002 * (20 - item) / 20)
        return item * item

    assert list(prefetch(slow_at_first, range(20), workers, depth)) == [item * item for item in range(20)]
    assert not threads()


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_nothing_to_do_gives_nothing(workers):
    assert list(prefetch(str, [], workers)) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_error_reaches_the_consumer_in_its_turn(workers):
    def fail_at_three(item):
        if item == 3:
            raise RuntimeError("three")
        return item

    source = prefetch(fail_at_three, range(10), workers, 4)
    assert [next(source) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match="three"):
        next(source)
    assert not threads()
    assert list(source) == []


def test_consumer_that_stops_early_leaves_no_thread():
    started = []

    def note(item):
        started.append(item)
        return item

    source = prefetch(note, range(1000), workers=2, depth=4)
    assert next(source) == 0
    source.close()
    assert not threads()
    assert len(started) <= 6


def test_results_wait_only_so_far_ahead():
    started = []

    def note(item):
        started.append(item)
        return item

    source = prefetch(note, range(1000), workers=2, depth=5)
    for consumed in range(1, 20):
        next(source)
        time.sleep(0.001)
        assert len(started) <= consumed + 5
    source.close()


def test_work_is_done_while_the_consumer_is_busy():
    ready = threading.Event()

    def note(item):
        if item == 1:
            ready.set()
        return item

    source = prefetch(note, range(3), workers=1, depth=2)
    assert next(source) == 0
    assert ready.wait(timeout=5)
    source.close()


@pytest.mark.parametrize(("cores", "depth", "workers"), [(1, 4, 1), (3, 4, 3), (16, 4, 4), (2, 1, 1)])
def test_as_many_threads_work_as_there_are_cores_and_results_may_wait(monkeypatch, cores, depth, workers):
    monkeypatch.setattr(module, "usable_cores", lambda: cores)
    asked = []
    monkeypatch.setattr(
        module, "ThreadPoolExecutor", lambda count, **rest: asked.append(count) or Executor(count, **rest)
    )
    assert list(prefetch(str, range(3), depth=depth)) == ["0", "1", "2"]
    assert asked == [workers]
