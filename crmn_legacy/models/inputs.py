"""What stands before the first convolution."""

from lasagne.layers import InputLayer

from crmn_legacy.layers import LocalContrastNormalizationLayer


def face_input(input_shape):
    """Gray faces of 0 to 255, each brought to local contrast.

    Parameters
    ----------
    input_shape : tuple of int
        (1, height, width).

    Returns
    -------
    Layer
        (batch, 1, height, width), numbers about 0.5.

    References
    ----------
    Honari et al., 2016, whose preprocessing the paper keeps (Section 4.1).
    """
    return LocalContrastNormalizationLayer(InputLayer((None, *input_shape), name="input"), name="local_contrast")


def picture_input(input_shape):
    """Pictures as the host has prepared them: brought to their data set's statistics, moved and mirrored.

    Parameters
    ----------
    input_shape : tuple of int
        (3, height, width).

    Returns
    -------
    Layer
        (batch, 3, height, width).
    """
    return InputLayer((None, *input_shape), name="input")
