"""How graphs are built in a time that suits their size."""

import gc
from contextlib import contextmanager


@contextmanager
def graph_building():
    """Build Aesara graphs without noting for each node where it was made, and `uncollected`; also a decorator.

    The notes take a fifth of the time of a very deep graph.
    """
    import aesara

    with uncollected(), aesara.config.change_flags(traceback__limit=0):
        yield


@contextmanager
def uncollected():
    """Let Python collect no garbage; also a decorator.

    A graph, Aesara's or JAX's, is cycles all over and hardly any of it is garbage, but each collection goes through all
    of it: a fifth of the time until the first step of a very deep network.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
