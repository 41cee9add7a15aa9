"""Sums over a batch that several devices share, added up in the order of the devices.

XLA's partitioner makes such a sum an all-reduce, and in which order that adds depends on how many processes the devices
are spread over. Here each device sums its own pictures; what they found is exchanged as it is, and added up device by
device. So N devices give the same bits in one process and in N.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from .registry import active_settings

_AXIS = "batch"

# From how many elements on, of all devices together, each adds up a share of a sum and then tells the others. Of fewer
# all add up all, which is one exchange in place of two, of so little that waiting for it is what it costs.
_SHARED = 1 << 18


def shared_by(devices):
    """How a batch lies on devices that share it, and how a state that each of them holds (two `NamedSharding`).

    Parameters
    ----------
    devices : sequence of jax.Device
        In the order in which their sums are added.
    """
    mesh = Mesh(np.array(devices), (_AXIS,))
    return NamedSharding(mesh, PartitionSpec(_AXIS)), NamedSharding(mesh, PartitionSpec())


def over_devices(function, arrays, axes):
    """`function` of arrays, a sum over their batch, where several devices share it.

    Parameters
    ----------
    function : callable
        Of the arrays, or of a part of each along its axis; returns an array, or a list of them. The sum over all parts
        of what it returns must be what it returns of the whole.
    arrays : sequence of jax.Array
    axes : sequence of int
        Of each array the axis that is cut into parts.

    Returns
    -------
    jax.Array or list of jax.Array
        What `function` of the whole is, to rounding; its bits depend on the number of devices alone.
    """
    mesh = active_settings().mesh
    if mesh is None or any(array.shape[axis] % mesh.size for array, axis in zip(arrays, axes, strict=True)):
        return function(*arrays)

    def of_part(*parts):
        return jax.tree.map(lambda part: _added_up(part, mesh.size), function(*parts))

    specs = tuple(PartitionSpec(*[None] * axis, _AXIS) for axis in axes)
    return jax.shard_map(of_part, mesh=mesh, in_specs=specs, out_specs=PartitionSpec(), check_vma=False)(*arrays)


def _added_up(part, devices):
    """The sum over all devices of what each has, in their order."""
    if part.size * devices < _SHARED:
        return jnp.sum(lax.all_gather(part, _AXIS), 0)
    padded = jnp.pad(part.reshape(-1), (0, -part.size % devices)).reshape(devices, -1)
    share = jnp.sum(lax.all_to_all(padded, _AXIS, 0, 0), 0)
    whole = lax.all_gather(share, _AXIS, tiled=True)
    return whole[: math.prod(part.shape)].reshape(part.shape)
