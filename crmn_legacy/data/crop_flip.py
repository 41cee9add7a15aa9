"""The augmentation of nearly every CIFAR result: a crop of the padded picture, mirrored half the time."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

_MODES = {"zero": "constant", "reflect": "reflect"}


@dataclass(frozen=True)
class CropFlip:
    """Pad the picture on all sides, cut a piece of its former size at a random place, mirror it half the time.

    Parameters
    ----------
    padding : int
        Pixels on each side.
    mode : str
        ``zero`` pads with zeros, which after preprocessing stand for its centre; ``reflect`` mirrors the picture at
        its edge, whose pixels are not repeated.
    flip : bool
        Whether to mirror.
    last_epoch : int or None
        The last epoch, the first being 1, that augments; None for all.

    Attributes
    ----------
    size : int
        Side of the network's input in pixels.

    References
    ----------
    Lee et al., "Deeply-supervised nets", 2015; He et al., "Deep residual learning for image recognition", 2016,
    Section 4.2; Zagoruyko and Komodakis, "Wide residual networks", 2016 (reflection).
    """

    padding: int = 4
    mode: str = "zero"
    flip: bool = True
    last_epoch: int | None = None

    size: ClassVar[int] = 32

    def __post_init__(self):
        if self.mode not in _MODES:
            raise ValueError(f"mode is {self.mode!r}; expected {' or '.join(map(repr, _MODES))}")
        if not 0 <= self.padding < self.size:
            raise ValueError(f"padding is {self.padding}; expected 0 to {self.size - 1}")

    def __call__(self, pictures, generators):
        """Augment pictures.

        Parameters
        ----------
        pictures : float32 array (pictures, 3, 32, 32)
        generators : crmn_legacy.data.randomness.Generators
            One for each picture.

        Returns
        -------
        float32 array (pictures, 3, 32, 32)
        """
        rows, columns = generators.integers(0, 2 * self.padding, size=2, endpoint=True).T
        margins = (0, 0), (0, 0), (self.padding, self.padding), (self.padding, self.padding)
        padded = np.pad(pictures, margins, mode=_MODES[self.mode])
        pieces = sliding_window_view(padded, (self.size, self.size), axis=(2, 3))
        pieces = pieces[np.arange(len(pictures)), :, rows, columns]
        if self.flip:
            mirrored = generators.random() < 0.5
            pieces[mirrored] = pieces[mirrored, :, :, ::-1]
        return pieces

    def plain(self, pictures):
        """The pictures as they are, as test pictures are seen."""
        return pictures


@dataclass(frozen=True)
class NoAugmentation:
    """Leave the pictures as they are.

    Attributes
    ----------
    size : int
        Side of the network's input in pixels.
    last_epoch : None
        There is nothing to end.
    """

    size: ClassVar[int] = 32
    last_epoch: ClassVar[None] = None

    def __call__(self, pictures, generators):
        """The pictures as they are; `generators` are not drawn from."""
        return pictures

    def plain(self, pictures):
        """The pictures as they are."""
        return pictures
