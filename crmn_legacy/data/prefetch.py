"""Work done in threads ahead of the loop that needs it."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor

from crmn_legacy.cores import usable_cores

DEPTH = 4
"""How many results wait at most, where nothing else is asked for."""


def prefetch(prepare, items, workers=None, depth=DEPTH):
    """Yield ``prepare(item)`` for each item in order, prepared ahead by background threads.

    What is yielded does not depend on `workers` or `depth` if `prepare` is a pure function.

    Parameters
    ----------
    prepare : callable
        Runs in a thread; what it raises is raised to the consumer in its turn.
    items : iterable
        Drawn from in the consumer's thread, `depth` items ahead.
    workers : int, optional
        Threads; 0 prepares each item when it is asked for, in the consumer's thread. None for one on each core that the
        process may use, and no more than results may wait.
    depth : int
        How many results wait at most.

    Yields
    ------
    object
        The results, in the order of `items`. No thread is left once the generator ends or is closed.
    """
    if workers is None:
        workers = min(usable_cores(), depth)
    if workers == 0:
        yield from map(prepare, items)
        return
    items = iter(items)
    waiting = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="prefetch")
    try:
        for item in items:
            waiting.append(pool.submit(prepare, item))
            if len(waiting) >= depth:
                break
        while waiting:
            result = waiting.popleft().result()
            for item in items:
                waiting.append(pool.submit(prepare, item))
                break
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
