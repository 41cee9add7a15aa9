"""The package's train step as the benchmarks measure it: a recipe's, of the sizes that are asked for."""

import aesara
from lasagne.layers import get_all_params

from crmn_legacy import models
from crmn_legacy.data import FaceAugmentation
from crmn_legacy.training import Keypoints, NesterovMomentum
from crmn_legacy.training.steps import train_step


def make_step(network, components, arrays=None, backend="xla"):
    """A step over batches of `images`, `keypoints` and `mask`, in float32.

    Parameters
    ----------
    network : hand_written_jax.Network
        The sizes; faces come raw.
    components : tuple of str
        Parts with a learning rate each.
    arrays : dict of str to array, optional
        Weights to begin with, by name.
    backend : {'xla', 'c'}
        Who compiles.

    Returns
    -------
    crmn_legacy.backend.compile.Step
    """
    aesara.config.floatX = "float32"
    sizes = network.n, 16 * network.fm, network.pool, network.units, network.outputs
    layer = models.crmn(models.face_input(network.input_shape), *sizes, models.sigmoid)
    if arrays:
        for parameter in get_all_params(layer):
            if parameter.name in arrays:
                parameter.set_value(arrays[parameter.name])
    return train_step(layer, Keypoints(FaceAugmentation()), NesterovMomentum(), components, backend=backend)
