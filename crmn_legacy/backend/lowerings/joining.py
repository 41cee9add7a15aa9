"""Maps joined along their channels, each time with one more, as dense networks do."""

import jax.numpy as jnp

from .order import Map


def joined(maps):
    """The channels of maps, one map's after another's.

    A layer of a dense network joins all that the layer before it joined, and one map more. So of the joins that begin
    with a map, the longest so far is kept with it. A longer one takes that and adds the rest. A shorter one, which
    gradients ask for when all have been made, is its beginning; a join of maps that came behind a barrier comes behind
    it as a whole.

    Parameters
    ----------
    maps : sequence of Map
        Of one dtype, and of one shape but for the channels.

    Returns
    -------
    Map
    """
    barrier = maps[0].barrier
    if barrier and all(each.barrier is barrier for each in maps):
        return barrier(joined([each.before for each in maps]))
    first = maps[0]
    parts, longest = first.longest or ([first], first)
    if _begins(parts, maps):
        channels = sum(each.shape[1] for each in maps)
        return longest if channels == longest.shape[1] else Map(longest.stored[..., :channels])
    if not _begins(maps, parts):
        return _joined(maps)
    first.longest = maps, _joined([longest, *maps[len(parts) :]])
    return first.longest[1]


def _begins(maps, others):
    return len(others) <= len(maps) and all(one is other for one, other in zip(maps, others, strict=False))


def _joined(maps):
    return Map(jnp.concatenate([each.array for each in maps], -1))
