"""Signals that end a run: remembered until it can stop without a loss."""

import contextlib
import errno
import os
import signal
import sys

from crmn_legacy.archive.replay import stopping


class Interrupted(KeyboardInterrupt):
    """A signal stopped the run, whose checkpoint is whole. `number` is the signal's.

    As ctrl-C's own exception it is none that code which handles errors would take for one.
    """

    def __init__(self, number):
        super().__init__(number)
        self.number = number


class Signals:
    """Within it a signal that ends a run is remembered; a second ctrl-C stops at once.

    Only ctrl-C does, which is somebody who waits: a scheduler sends several signals one after the other, and
    SIGXCPU again every second.

    Parameters
    ----------
    agree : callable, optional
        Of several processes: `crmn_legacy.backend.processes.Group.agreed_stop`, by which all stop after one update.

    Attributes
    ----------
    caught : int or None
        The number of the first one, once the run is to stop by it.
    """

    def __init__(self, agree=None):
        self._agree, self._first, self._agreed = agree, None, None
        self._at_once, self._held = False, False

    @property
    def caught(self):
        return self._first if self._agree is None else self._agreed

    def stop_after(self, updates):
        """Whether the run is to stop, so many updates having been begun."""
        if self._agree is not None and self._agreed is None:
            self._agreed = self._agree(self._first, updates)
        return self.caught is not None

    def __enter__(self):
        self._before = {number: signal.signal(number, self._catch) for number in stopping()}
        return self

    def __exit__(self, *exception):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _catch(self, number, frame):
        again = self._first is not None and number == signal.SIGINT
        self._first = self._first or number
        # Of several processes one alone must not break off what all of them compute.
        if self._at_once and self._agree is None:
            raise Interrupted(self._first)
        if again and not self._held:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def at_once(self):
        """A signal breaks off what is done here, of which nothing needs to be saved."""
        if self.caught:
            raise Interrupted(self.caught)
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    @contextlib.contextmanager
    def held(self):
        """Nothing breaks off what is written here, a second ctrl-C neither."""
        self._held = True
        try:
            yield
        finally:
            self._held = False

    @contextlib.contextmanager
    def output(self):
        """Output that nobody takes any more stops the run as a signal does: what was computed is saved.

        A terminal that is gone does not. Its end is told by SIGHUP; who ignores that, or left the terminal's session,
        wants the run to go on.
        """
        try:
            yield
        except OSError as error:
            if error.errno == errno.EIO:
                with contextlib.suppress(OSError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            else:
                self._first = self._first or signal.SIGPIPE
