"""Batches: an order and an augmentation that are pure functions of the seed, the epoch and the picture."""

import numpy as np

from crmn_legacy.data.prefetch import DEPTH, prefetch
from crmn_legacy.data.randomness import Generators, Purpose, generator
from crmn_legacy.errors import UserError

# The augmentation of validation pictures is drawn once for all runs, so that their losses can be compared.
_VALIDATION_SEED = 0


class Batches:
    """The batches of one split of a file, whatever they hold; a subclass makes a batch of given rows.

    Parameters
    ----------
    data : crmn_legacy.data.files.faces.Faces or crmn_legacy.data.files.labelled_pictures.Pictures
    split : str
        ``train``, ``valid`` or ``test``.
    batch_size : int
        Pictures in a batch.
    augmentation : callable
        With the attributes ``size`` and ``last_epoch``.
    seed : int
        The run's seed.

    Attributes
    ----------
    rows : int64 array
        Where the split's pictures stand in `data`.
    steps_per_epoch : int
        Full batches in an epoch; the remainder of the shuffled pictures is dropped.
    part : slice
        Which pictures of each training batch are made: all, or those of one of several processes.

    Raises
    ------
    UserError
        If the split has no pictures.
    """

    def __init__(self, data, split, batch_size, augmentation, seed):
        if batch_size < 1:
            raise UserError(f"got batch size {batch_size}; expected at least 1")
        self.data = data
        self.split = split
        self.batch_size = batch_size
        self.augmentation = augmentation
        self.seed = seed
        self.part = slice(None)
        self.rows = np.flatnonzero(data.split == split)
        if len(self.rows) == 0:
            raise UserError(f"got data with no picture in its split '{split}'; expected some: prepare it anew")
        self.steps_per_epoch = len(self.rows) // batch_size

    def order(self, epoch):
        """The rows of `epoch`, shuffled; int64 array."""
        return generator(self.seed, Purpose.ORDER, epoch).permutation(self.rows)

    def epoch(self, epoch, start=0, workers=None, depth=DEPTH):
        """Iterate over the augmented batches of `epoch`; see :meth:`epochs`."""
        return self.epochs(epoch, epoch, start, workers, depth)

    def epochs(self, first, last, start=0, workers=None, depth=DEPTH):
        """Iterate over the augmented batches of the epochs from `first` to `last`, one epoch after the other.

        Parameters
        ----------
        first, last : int
            The first of all is 1. After the augmentation's `last_epoch` the pictures are plain.
        start : int
            The first step of `first` to yield: a run resumed within an epoch skips those done.
        workers, depth : int
            See :func:`crmn_legacy.data.prefetch.prefetch`. They change no batch.

        Returns
        -------
        generator of dict
            Close it, or run it to its end, to end its threads.

        Raises
        ------
        UserError
            If the split has fewer pictures than one batch.
        """
        if self.steps_per_epoch == 0:
            raise UserError(
                f"got {len(self.rows)} pictures in split '{self.split}'; expected at least a batch of "
                f"{self.batch_size}: give more data or a smaller batch size"
            )

        def places():
            for epoch in range(first, last + 1):
                order = self.order(epoch)
                for step in range(start if epoch == first else 0, self.steps_per_epoch):
                    yield epoch, order[step * self.batch_size : (step + 1) * self.batch_size][self.part]

        def prepare(place):
            epoch, rows = place
            plain = self.augmentation.last_epoch is not None and epoch > self.augmentation.last_epoch
            return self._batch(rows, self.seed, None if plain else Purpose.AUGMENTATION, epoch)

        return prefetch(prepare, places(), workers, depth)

    def evaluation(self, jitter=False, workers=None, depth=DEPTH):
        """Iterate over all pictures in the file's order.

        Parameters
        ----------
        jitter : bool
            Augment the pictures, alike in every epoch and every run, as Honari et al. (2016) did with the
            validation pictures.
        workers, depth : int
            See :func:`crmn_legacy.data.prefetch.prefetch`.

        Returns
        -------
        generator of (dict, int)
            A batch and how many of its pictures are real: the last batch is filled up with zeros.
        """
        purpose = Purpose.VALIDATION_AUGMENTATION if jitter else None

        def prepare(first):
            rows = self.rows[first : first + self.batch_size]
            batch = self._batch(rows, _VALIDATION_SEED, purpose, 0)
            return {name: self._filled(array) for name, array in batch.items()}, len(rows)

        return prefetch(prepare, range(0, len(self.rows), self.batch_size), workers, depth)

    def _filled(self, array):
        """The array of a batch that may lack pictures, filled up with zeros."""
        missing = self.batch_size - len(array)
        return np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)]) if missing else array


class FaceBatches(Batches):
    """The batches of one split of a faces file; see `Batches`.

    A batch is a dict of ``images``, uint8 (batch, 1, size, size); ``keypoints``, float32 (batch, 136), as
    x0, y0, x1, y1, ... in [0, 1] of the image; ``mask``, float32 (batch, 136), 0 where a keypoint counts not.

    Parameters
    ----------
    data : crmn_legacy.data.files.faces.Faces
    split : str
        ``train``, ``valid`` or ``test``.
    batch_size : int
        Pictures in a batch.
    augmentation : crmn_legacy.data.augmentation.FaceAugmentation
    seed : int
        The run's seed.

    Raises
    ------
    UserError
        If the split has no pictures.
    """

    def _batch(self, rows, seed, purpose, epoch):
        faces = self.data
        chosen = faces.images[rows], faces.keypoints[rows], faces.visible[rows]
        if purpose is None:
            images, keypoints, mask = self.augmentation.plain(*chosen)
        else:
            images, keypoints, mask = self.augmentation(*chosen, Generators(seed, purpose, epoch, rows))
        return {
            "images": images[:, None],
            "keypoints": keypoints.reshape(len(rows), -1),
            "mask": np.repeat(mask, 2, axis=1),
        }
