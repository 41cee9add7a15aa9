"""From feature maps of unlike sizes to one sequence over the depth of a network."""

import aesara.tensor as T
from lasagne.layers import Layer, MergeLayer


class ZeroPadLayer(Layer):
    """Zeros behind each row, up to a common length (the paper's Section 3: "the features are zero-padded").

    Parameters
    ----------
    incoming : Layer or tuple
        Shape (batch, features), features known.
    length : int
        Features of the output, at least those of the input.
    **kwargs
        Of `lasagne.layers.Layer`.

    Raises
    ------
    ValueError
        The input has other than two dimensions, or more features than `length`.

    Examples
    --------
    >>> ZeroPadLayer((None, 12800), length=25600).output_shape
    (None, 25600)
    """

    def __init__(self, incoming, length, **kwargs):
        super().__init__(incoming, **kwargs)
        if len(self.input_shape) != 2 or self.input_shape[1] is None or self.input_shape[1] > length:
            raise ValueError(
                f"ZeroPadLayer {self.name!r} expects input of shape (batch, features) with at most {length} "
                f"features, got {self.input_shape}"
            )
        self.length = length

    def get_output_shape_for(self, input_shape):
        return input_shape[0], self.length

    def get_output_for(self, input, **kwargs):
        missing = self.length - self.input_shape[1]
        if missing == 0:
            return input
        return T.concatenate([input, T.zeros((input.shape[0], missing), dtype=input.dtype)], axis=1)


class DepthStackLayer(MergeLayer):
    """Feature vectors of successive blocks as one sequence: the LSTM's steps are the network's depth.

    Parameters
    ----------
    incomings : list of Layer or tuple
        Each of shape (batch, features), all alike, in the order of depth.
    **kwargs
        Of `lasagne.layers.MergeLayer`.

    Raises
    ------
    ValueError
        Shapes differ, or are not two-dimensional.

    Examples
    --------
    >>> DepthStackLayer([(None, 25600)] * 15).output_shape
    (None, 15, 25600)
    """

    def __init__(self, incomings, **kwargs):
        super().__init__(incomings, **kwargs)
        if len({tuple(shape) for shape in self.input_shapes}) != 1 or len(self.input_shapes[0]) != 2:
            raise ValueError(
                f"DepthStackLayer {self.name!r} expects inputs of one shape (batch, features), got {self.input_shapes}"
            )

    def get_output_shape_for(self, input_shapes):
        batch_size, features = input_shapes[0]
        return batch_size, len(input_shapes), features

    def get_output_for(self, inputs, **kwargs):
        return T.stack(inputs, axis=1)
