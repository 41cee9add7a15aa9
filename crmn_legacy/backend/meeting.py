"""How the processes of one run find one another, and how each learns that another is gone.

The first process listens at the coordinator's address; the others come there and say what they are about to run. From
then on a line goes to and fro every few seconds. JAX's own coordination notices the end of a process too, and then
aborts all others in the middle of whatever they do, with a page of text; here they end with one line.
"""

import contextlib
import json
import os
import select
import socket
import sys
import threading
import time

from crmn_legacy.errors import UserError, printable

PATIENCE = 25
"""Seconds that a process looks for a coordinator that is not there."""

GATHERING = 300
"""Seconds until all processes have come."""

SILENCE = 30
"""Seconds after which a process that says nothing counts as gone."""

_BEAT = 2
# From when one process ends with an error until the others, which may be about to tell the same, are ended by it.
_GRACE = 5
_LONGEST_LINE = 1 << 16


class Peer:
    """Another process, at the end of a connection over which lines of JSON go.

    Attributes
    ----------
    heard : float
        When it last said anything, of the monotonic clock.
    left : None or (int, float)
        With which status it ended as it meant to, and when.
    """

    def __init__(self, connection):
        self.connection, self._rest = connection, b""
        self.heard, self.left = time.monotonic(), None

    def send(self, **message):
        """Say something."""
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self, seconds):
        """Wait for one line (a dict).

        Raises
        ------
        OSError
            It is gone, or silent for longer.
        ValueError
            What it said is none of this program's lines.
        """
        until = time.monotonic() + seconds
        while True:
            lines = self.read(until - time.monotonic())
            if lines:
                return lines[0]

    def read(self, seconds=0.0):
        """The lines that have come within some time (list of dict); raises as `receive` does."""
        self.connection.settimeout(max(seconds, 0.001))
        part = self.connection.recv(4096)
        if not part:
            raise ConnectionError("closed")
        self.heard = time.monotonic()
        *lines, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise ValueError("a line without an end")
        messages = [json.loads(line) for line in lines]
        if not all(isinstance(message, dict) for message in messages):
            raise ValueError("a line that is no object")
        return messages

    def close(self):
        """Hang up."""
        self.connection.close()


def listening(address):
    """A socket that listens at an address (host, port) of either family."""
    return socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)


def receive_all(place, address, subject):
    """As the first process: wait until all others have come to run the same.

    Parameters
    ----------
    place : crmn_legacy.backend.processes.Place
    address : (str, int)
        Host and port, where to listen.
    subject : dict of str to str
        What is run, by what it is called in an error line.

    Returns
    -------
    dict of int to Peer

    Raises
    ------
    UserError
        Nothing can listen there; one is missing; two have one number; one is about to run something else.
    """
    try:
        server = listening(address)
    except OSError as error:
        raise UserError(
            f"--coordinator got {address[0]}:{address[1]}, where process 0 cannot listen ({error.strerror or error}), "
            "expected a free port of process 0's own machine"
        ) from None
    peers, until = {}, time.monotonic() + GATHERING
    try:
        with server:
            while len(peers) < place.processes - 1:
                server.settimeout(max(until - time.monotonic(), 0.001))
                _admit(Peer(server.accept()[0]), peers, place, subject)
    except TimeoutError:
        missing = sorted({*range(1, place.processes)} - {*peers})
        fault = f"--processes got {place.processes}, of which {missing} did not come within {GATHERING} s; expected all"
    except UserError as error:
        fault = str(error)
    else:
        return peers
    for peer in peers.values():
        with contextlib.suppress(OSError):
            peer.send(fault=fault)
    raise UserError(fault)


def _admit(peer, peers, place, subject):
    try:
        told = peer.receive(_GRACE)
        number = int(told["process"])
    except (OSError, ValueError, KeyError, TypeError):
        peer.close()  # somebody else's
        return
    try:
        _require_same(number, told, peers, place, subject)
    except UserError as error:
        peer.send(fault=str(error))
        raise
    peers[number] = peer


def _require_same(number, told, peers, place, subject):
    if number in peers or number == 0:
        raise UserError(f"--process got {number} twice, expected each of 0 to {place.processes - 1} once")
    if told.get("processes") != place.processes:
        raise UserError(
            f"--processes got {told.get('processes')} in process {number} and {place.processes} in process 0, expected "
            "one number"
        )
    theirs = told.get("subject")
    for what, ours in subject.items():
        if not isinstance(theirs, dict) or theirs.get(what) != ours:
            raise UserError(f"process {number} got another {what} than process 0, expected the same in all processes")


def come(place, address, subject):
    """As any other process: say what is run, and wait until all have come.

    Parameters
    ----------
    place, address, subject
        As `receive_all` has them.

    Returns
    -------
    Peer
        The first process.
    dict
        What it answered.

    Raises
    ------
    UserError
        Nobody listens there; the first process refused this one or another, or ended.
    """
    peer = Peer(_called(address))
    peer.send(process=place.process, processes=place.processes, subject=subject)
    try:
        answer = peer.receive(GATHERING + PATIENCE)
    except (OSError, ValueError):
        raise UserError(
            f"--coordinator got {address[0]}:{address[1]}, where process 0 ended before all had come; expected it to "
            "stay: see what it said"
        ) from None
    if "fault" in answer:
        raise UserError(str(answer["fault"]))
    return peer, answer


def _called(address):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(address, timeout=max(until - time.monotonic(), 1))
        except OSError as error:
            if time.monotonic() > until:
                raise UserError(
                    f"--coordinator got {address[0]}:{address[1]}, where nobody listens after {PATIENCE} s "
                    f"({error.strerror or error}); expected process 0 there: start it, or mend the address"
                ) from None
        time.sleep(0.5)


class Watch(threading.Thread):
    """Ends this process, with one line, when another one is gone.

    Parameters
    ----------
    peers : dict of int to Peer
        All others for the first process; for any other one the first.
    tidy : callable
        Called before the end.
    """

    def __init__(self, peers, tidy):
        super().__init__(name="watch", daemon=True)
        self._peers, self._tidy, self._ended = peers, tidy, threading.Event()

    def leave(self, status):
        """Tell the others that this process ends as it means to."""
        self._ended.set()
        self._tell(left=status)

    def wait_until_all_left(self):
        """Wait until all others have said that they end as they mean to; one that is gone ends this process."""
        while any(peer.left is None for peer in self._peers.values()):
            self._ended.wait(0.02)

    def run(self):
        """Listen until this process ends."""
        beaten = 0.0
        while not self._ended.is_set():
            if time.monotonic() > beaten + _BEAT:
                beaten = time.monotonic()
                self._tell()
            present = {peer.connection: (number, peer) for number, peer in self._peers.items() if peer.left is None}
            for connection in select.select(list(present), [], [], _BEAT / 8)[0]:
                self._hear(*present[connection])
            self._judge()

    def _tell(self, **message):
        for peer in self._peers.values():
            with contextlib.suppress(OSError):  # reading will find that it is gone
                peer.send(**message)

    def _hear(self, number, peer):
        try:
            messages = peer.read()
        except (OSError, ValueError):
            self._end(number, "is gone")
            return
        for message in messages:
            if "lost" in message:
                self._end(message["lost"], message.get("how"))
            if "left" in message:
                peer.left = int(message["left"]), time.monotonic()

    def _judge(self):
        now = time.monotonic()
        for number, peer in self._peers.items():
            if peer.left is None and now - peer.heard > SILENCE:
                self._end(number, f"has not answered for {SILENCE} s")
            if peer.left is not None and peer.left[0] != 0 and now - peer.left[1] > _GRACE:
                self._end(number, f"ended with status {peer.left[0]}")

    def _end(self, number, how):
        if self._ended.is_set():
            return
        self._tell(lost=number, how=how)
        line = f"error: process {number} {how}, so this one stops; what was saved is whole: go on with --resume"
        with contextlib.suppress(OSError, ValueError):
            print(printable(line), file=sys.stderr, flush=True)
        self._tidy()
        # The main thread waits in a sum that will never be there.
        os._exit(1)
