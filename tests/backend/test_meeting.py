"""Processes that find one another, each a thread here; and a watch that ends whoever is left alone."""

import json
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from crmn_legacy.backend import meeting
from crmn_legacy.backend.processes import Place
from crmn_legacy.errors import UserError

SUBJECT = {"recipe": "a", "data": "b"}


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()


def meet(others, processes, visit=None):
    """What the first process made of it, and each other one: peers and answers, or the UserError."""
    address, found = free_address(), {}

    def as_first():
        try:
            found[0] = meeting.receive_all(Place(processes, 0, "unused"), address, SUBJECT)
            for peer in found[0].values():
                peer.send(service="there:1")
        except UserError as error:
            found[0] = error

    def as_other(key, place, subject):
        try:
            found[key] = meeting.come(place, address, subject)
        except UserError as error:
            found[key] = error

    threads = [threading.Thread(target=as_first)]
    for index, (number, told, subject) in enumerate(others, start=1):
        threads.append(threading.Thread(target=as_other, args=(index, Place(told, number, "unused"), subject)))
    for thread in threads:
        thread.start()
        if visit is not None:
            visit(address)
            visit = None
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return found


def test_all_meet_and_are_told_where_to_go():
    found = meet([(2, 3, SUBJECT), (1, 3, SUBJECT)], 3)
    assert sorted(found[0]) == [1, 2]
    assert found[1][1] == found[2][1] == {"service": "there:1"}


@pytest.mark.parametrize(
    ("others", "processes", "said"),
    [
        ([(1, 3, SUBJECT), (1, 3, SUBJECT)], 3, "--process got 1 twice, expected each of 0 to 2 once"),
        ([(0, 2, SUBJECT)], 2, "--process got 0 twice"),
        ([(1, 4, SUBJECT)], 2, "--processes got 4 in process 1 and 2 in process 0"),
        ([(1, 2, {**SUBJECT, "data": "c"})], 2, "process 1 got another data than process 0"),
        ([(1, 2, {})], 2, "process 1 got another recipe than process 0"),
    ],
)
def test_all_are_told_what_does_not_fit(others, processes, said):
    found = meet(others, processes)
    # Of two with one number the later one is refused, whichever that is, and the other is told as well.
    assert all(isinstance(error, UserError) and said in str(error) for error in found.values()), found


def test_who_does_not_come_is_named(monkeypatch):
    admit = meeting._admit

    def late(*arguments):
        admit(*arguments)
        # The time is over as soon as the one that comes has come, however slow this machine is.
        monkeypatch.setattr(meeting, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 1000))

    monkeypatch.setattr(meeting, "GATHERING", 500)
    monkeypatch.setattr(meeting, "_admit", late)
    found = meet([(2, 3, SUBJECT)], 3)
    assert "--processes got 3, of which [1] did not come within 500 s" in str(found[0])
    assert str(found[1]) == str(found[0])


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b'{"process": null}\n', b"\xff\n"])
def test_a_stranger_is_sent_away(noise):
    def visit(address):
        for _ in range(100):
            try:
                stranger = socket.create_connection(address)
                break
            except OSError:
                time.sleep(0.05)
        with stranger:
            stranger.sendall(noise)

    found = meet([(1, 2, SUBJECT)], 2, visit)
    assert sorted(found[0]) == [1]


def test_a_coordinator_that_is_not_there_is_told_in_time(monkeypatch):
    assert meeting.PATIENCE < 30
    monkeypatch.setattr(meeting, "PATIENCE", 0.2)
    with pytest.raises(UserError, match=r"where nobody listens after 0.2 s .*: start it, or mend the address"):
        meeting.come(Place(2, 1, "unused"), free_address(), SUBJECT)


def test_a_port_that_is_taken_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(UserError, match="process 0 cannot listen"):
        meeting.receive_all(Place(2, 0, "unused"), server.getsockname(), SUBJECT)


def test_a_coordinator_that_ends_before_all_have_come_is_told():
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close()).start()
        with pytest.raises(UserError, match="process 0 ended before all had come"):
            meeting.come(Place(2, 1, "unused"), server.getsockname(), SUBJECT)


# --- the watch


class EndedError(Exception):
    pass


@pytest.fixture
def watched(monkeypatch, capsys):
    """Watch processes 1 and 2 in a thread; returns their ends, and what waits for the line that it ends with."""

    def end(status):
        ended.append(status)
        raise EndedError

    ended, tidied = [], []
    monkeypatch.setattr(meeting.os, "_exit", end)
    monkeypatch.setattr(meeting, "_BEAT", 0.2)
    monkeypatch.setattr(meeting, "SILENCE", 1)
    monkeypatch.setattr(meeting, "_GRACE", 0.5)
    monkeypatch.setattr(threading, "excepthook", lambda told: None)
    pairs = {number: socket.socketpair() for number in (1, 2)}
    peers = {number: meeting.Peer(ours) for number, (ours, _) in pairs.items()}
    watch = meeting.Watch(peers, lambda: tidied.append(True))
    watch.start()

    def line():
        watch.join(10)
        assert not watch.is_alive()
        return capsys.readouterr().err, ended, tidied

    yield watch, {number: meeting.Peer(theirs) for number, (_, theirs) in pairs.items()}, line
    watch.leave(0)
    for one in pairs.values():
        for end in one:
            end.close()


def beat(peer, seconds):
    """Say something all the while, and collect what is heard."""
    heard, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        peer.send()
        try:
            heard += peer.read(0.1)
        except TimeoutError:
            pass
        except OSError:
            break
    return heard


def test_one_that_is_gone_ends_this_process_and_the_others_hear_of_it(watched):
    _, others, line = watched
    others[1].close()
    said, ended, tidied = line()
    assert said == "error: process 1 is gone, so this one stops; what was saved is whole: go on with --resume\n"
    assert ended == [1] and tidied == [True]
    assert {"lost": 1, "how": "is gone"} in beat(others[2], 0.5)


def test_one_that_is_silent_counts_as_gone(watched):
    _, others, line = watched
    threading.Thread(target=beat, args=(others[2], 3)).start()
    said, ended, _ = line()
    assert "process 1 has not answered for 1 s" in said and ended == [1]


def test_what_another_lost_is_told_on(watched):
    _, others, line = watched
    others[1].send(lost=7, how="is gone")
    assert "error: process 7 is gone" in line()[0]


def test_what_is_no_line_ends_it(watched):
    _, others, line = watched
    others[2].connection.sendall(b"\xff\n")
    assert "error: process 2 is gone" in line()[0]


def test_one_that_ends_as_it_means_to_is_not_missed(watched):
    watch, others, _ = watched
    others[1].send(left=0)
    others[1].close()
    heard = beat(others[2], 1.5)
    assert watch.is_alive() and {} in heard
    assert not any("lost" in message for message in heard)


def test_one_that_ends_with_an_error_ends_the_others_a_little_later(watched):
    watch, others, line = watched
    others[1].send(left=2)
    others[1].close()
    beat(others[2], 0.3)
    assert watch.is_alive()
    threading.Thread(target=beat, args=(others[2], 2)).start()
    assert "error: process 1 ended with status 2" in line()[0]


def test_a_process_that_ends_says_so(watched):
    watch, others, _ = watched
    watch.leave(0)
    watch.join(10)
    assert {"left": 0} in beat(others[1], 0.5)


def test_the_first_process_waits_until_all_others_have_left(watched):
    watch, others, _ = watched
    waiting = threading.Thread(target=watch.wait_until_all_left)
    waiting.start()
    others[1].send(left=0)
    waiting.join(0.3)
    assert waiting.is_alive()
    others[2].send(left=0)
    waiting.join(5)
    assert not waiting.is_alive()


def test_a_line_comes_whole_in_whatever_pieces():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        text = json.dumps({"process": 1}).encode() + b"\n"
        for byte in text:
            theirs.sendall(bytes([byte]))
        assert meeting.Peer(ours).receive(1) == {"process": 1}
        theirs.sendall(b"x" * 70_000)
        peer = meeting.Peer(ours)
        with pytest.raises(ValueError, match="without an end"):
            peer.receive(5)
