"""Sizes of the CRMN and of the ResNet that are written by hand in JAX and in PyTorch."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Network:
    """A CRMN over a ResNet of 6n+2 layers; with `units=0` that ResNet alone.

    Parameters
    ----------
    n, fm : int
        Blocks per stage, and the factor on the 16, 32 and 64 filters of the three stages.
    input_shape : tuple of int
        Channels, height and width; the sides are multiples of `4 * pool`.
    pool : int
        Side of the windows whose means the memory reads.
    units, outputs : int
        Units of the LSTM, and sigmoids of the head.
    contrast : bool
        Whether pictures come raw, 0 to 255, to be normalised in local contrast first.
    flip_filters : bool
        Whether the kernels are those of a true convolution, as Lasagne 0.1 has it, or of a correlation.
    """

    n: int = 5
    fm: int = 4
    input_shape: tuple[int, int, int] = (1, 80, 80)
    pool: int = 4
    units: int = 100
    outputs: int = 136
    contrast: bool = False
    flip_filters: bool = False

    @property
    def filters(self):
        return tuple(16 * self.fm * 2**stage for stage in range(3))

    @property
    def memory_features(self):
        _, height, width = self.input_shape
        return self.filters[0] * (height // self.pool) * (width // self.pool)

    def blocks(self):
        """Name, channels in, channels out and stride of each block."""
        channels = self.filters[0]
        for stage, filters in enumerate(self.filters, start=1):
            for block in range(1, self.n + 1):
                yield f"stage{stage}.block{block}", channels, filters, 1 if filters == channels else 2
                channels = filters


def _of_faces(n, fm, units):
    return Network(n=n, fm=fm, units=units, contrast=True, flip_filters=True)


OF_ROWS = {
    "table1_crmn": _of_faces(5, 4, units=100),
    "table1_resnet_n5_fm4": _of_faces(5, 4, units=0),
    "table1_resnet_n9_fm4": _of_faces(9, 4, units=0),
    "table1_resnet_n18_fm4": _of_faces(18, 4, units=0),
    "table1_resnet_n9_fm8": _of_faces(9, 8, units=0),
}
"""The networks of Table 1's rows, on raw pictures, with kernels that truly convolve."""
