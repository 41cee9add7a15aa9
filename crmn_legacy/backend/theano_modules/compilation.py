"""What answers for parts of ``theano.compile``: profiles, locks, and versions."""

import contextlib

from aesara.compile import monitormode
from aesara.compile.compilelock import lock_ctx
from aesara.compile.mode import Mode

from crmn_legacy.backend import variables

# The Theano whose names and conventions are answered, for programs that ask which they have.
VERSION = "1.0.5"
GIT_REVISION = ""

enable_sparse = True

_locks = []


class ProfileMode(Mode):
    """A mode whose functions Theano 0.7 timed; here one like any other: ``profile=True`` does so."""

    def __init__(self, linker=None, optimizer="default", **options):
        super().__init__(*(() if linker is None else (linker,)), optimizer=optimizer)

    def print_summary(self, **options):
        """Tell where times are to be had."""
        variables.tell("ProfileMode keeps no times here: THEANO_FLAGS=profile=True prints them when the program ends")

    print_diff_summary = print_summary


class MonitorMode(monitormode.MonitorMode):
    """A mode that calls functions before and after each node, as ``f(i, node, fn)``; ``theano.compile.MonitorMode``."""

    def __init__(self, pre_func=None, post_func=None, optimizer="default", linker=None):
        super().__init__(_without_graph(pre_func), _without_graph(post_func), optimizer, linker)


def _without_graph(function):
    """A function that is called with the graph first, too."""
    if function is None or getattr(getattr(function, "__code__", None), "co_argcount", 3) != 3:
        return function
    return lambda fgraph, i, node, fn: function(i, node, fn)


def detect_nan(i, node, fn):
    """Tell of a node that gives a NaN; for `MonitorMode`."""
    monitormode.detect_nan(None, i, node, fn)


def get_lock(lock_dir=None, **options):
    """Wait for the folder of compiled code, and hold it; ``theano.gof.compilelock.get_lock``."""
    lock = contextlib.ExitStack()
    lock.enter_context(lock_ctx(lock_dir))
    _locks.append(lock)


def release_lock():
    """Let it go again; ``theano.gof.compilelock.release_lock``."""
    if _locks:
        _locks.pop().close()
