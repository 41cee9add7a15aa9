"""Oracle of the crop of a padded picture, pixel by pixel, after He et al. (2016) and, for reflection, Torch."""

import numpy as np


def crop(picture, padding, mode, row, column, mirrored):
    """The piece of `picture` (channels, side, side) whose corner lies at (row, column) of the padded picture."""
    side = picture.shape[1]
    result = np.zeros_like(picture)

    def inside(place):
        if mode == "reflect":
            # The edge pixel is the mirror and is not repeated.
            place = abs(place)
            return 2 * (side - 1) - place if place >= side else place
        return place if 0 <= place < side else None

    for down in range(side):
        for right in range(side):
            y, x = inside(row + down - padding), inside(column + right - padding)
            if y is not None and x is not None:
                result[:, down, side - 1 - right if mirrored else right] = picture[:, y, x]
    return result
