"""The convolutional residual memory network: a ResNet whose blocks are the steps of one LSTM."""

from lasagne.layers import ConcatLayer, DenseLayer, FlattenLayer, GlobalPoolLayer, Pool2DLayer

from crmn_legacy.models.memories import MEMORIES
from crmn_legacy.models.resnet import residual_blocks


def crmn(input_layer, n, num_filters, pool_size, num_units, num_outputs, nonlinearity, memory="peepholes", **of_memory):
    """The paper's network (Section 3, Figure 1).

    Each residual block's output is mean-pooled, flattened, zero-padded to the longest and becomes the next step of
    one LSTM; its last hidden state and the global average pool go into one dense layer.

    Parameters
    ----------
    input_layer : Layer
        What the first convolution reads, (batch, channels, height, width).
    n : int
        Blocks in each of the three stages; 3n LSTM steps.
    num_filters : int
        Feature maps of the first stage, 16 fm.
    pool_size : int
        Side of the mean-pooled window: 4 for faces, 2 for CIFAR (Sections 3 and 4.2).
    num_units : int
        Units of the LSTM.
    num_outputs : int
        Units of the dense layer.
    nonlinearity : callable
        Of the dense layer: sigmoid for keypoints, softmax for classes.
    memory : str
        One of `crmn_legacy.models.memories.MEMORIES`; the paper's by default, the others to compare it with.
    **of_memory
        Further arguments of the memory, such as the initialisers of `PeepholeLSTMLayer`.

    Returns
    -------
    Layer
        (batch, num_outputs). The dense layer's rows are the hidden state first, then the global pool.

    Raises
    ------
    ValueError
        A stage's feature map is no multiple of `pool_size` on a side, or there is no such memory.
    """
    if memory not in MEMORIES:
        raise ValueError(f"memory is {memory!r}; expected one of {', '.join(MEMORIES)}")
    blocks = residual_blocks(input_layer, n, num_filters)
    steps = [FlattenLayer(_pooled(block, pool_size), name=_sibling(block, "flatten")) for block in blocks]
    hidden = MEMORIES[memory](steps, num_units, **of_memory)
    features = GlobalPoolLayer(blocks[-1], name="global_pool")
    if hidden is not None:
        features = ConcatLayer([hidden, features], name="memory_and_features")
    return DenseLayer(features, num_outputs, nonlinearity=nonlinearity, name="output")


def _pooled(block, pool_size):
    if any(side % pool_size for side in block.output_shape[2:]):
        raise ValueError(
            f"{block.name}: a map of {block.output_shape[2:]} pixels is no multiple of the pool size {pool_size}; "
            "take an input size that is a multiple of four times the pool size"
        )
    return Pool2DLayer(block, pool_size, mode="average_inc_pad", name=_sibling(block, "pool"))


def _sibling(layer, name):
    """`stage1.block1.<name>` for a layer called `stage1.block1.rectify2`."""
    return f"{layer.name.rsplit('.', 1)[0]}.{name}"
