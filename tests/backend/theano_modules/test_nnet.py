import numpy as np
import pytest

# isort: split
import aesara.tensor as at
import theano
import theano.tensor as T

RNG = np.random.default_rng(0)
VALUES = RNG.standard_normal((2, 3, 7, 6))
FILTERS = RNG.standard_normal((4, 3, 3, 2))


def correlated(images, filters, stride=(1, 1)):
    """Correlation of (batch, channels, rows, columns) with (filters, channels, rows, columns)."""
    windows = np.lib.stride_tricks.sliding_window_view(images, filters.shape[2:], axis=(2, 3))
    return np.einsum("bchwij,fcij->bfhw", windows, filters)[:, :, :: stride[0], :: stride[1]]


@pytest.mark.parametrize("positional", [True, False])
def test_conv2d_takes_theano_08s_arguments(evaluate, positional):
    x, w = at.constant(VALUES), at.constant(FILTERS)
    if positional:
        output = T.nnet.conv2d(x, w, (2, 3, 7, 6), (4, 3, 3, 2), "valid", (2, 1), False)
    else:
        output = T.nnet.conv2d(
            x, w, input_shape=(2, 3, 7, 6), subsample=(2, 1), filter_flip=False, filter_dilation=(1, 1)
        )
    assert np.allclose(evaluate(output), correlated(VALUES, FILTERS, (2, 1)))


def test_softmaxes(evaluate):
    x = VALUES[0, 0]
    expected = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    for function in (T.nnet.softmax, T.nnet.softmax_op, T.nnet.softmax_graph, T.nnet.Softmax(), T.nnet.nnet.softmax):
        assert np.allclose(evaluate(function(at.constant(x))), expected)
    for function in (T.nnet.logsoftmax, T.nnet.nnet.logsoftmax_op, T.nnet.LogSoftmax()):
        assert np.allclose(evaluate(function(at.constant(x))), np.log(expected))
    assert evaluate(T.nnet.logsoftmax(at.constant(x[0]))).shape == (1, 6)
    gradient = evaluate(T.nnet.softmax_grad(at.constant(x), at.constant(expected)))
    assert np.allclose(gradient, expected * (x - (x * expected).sum(axis=1, keepdims=True)))


def test_functions_that_have_kept_their_conventions(evaluate):
    x = at.constant(VALUES[0, 0])
    assert np.allclose(
        evaluate(T.nnet.elu(x, 0.5)), np.where(VALUES[0, 0] > 0, VALUES[0, 0], 0.5 * np.expm1(VALUES[0, 0]))
    )
    assert np.allclose(
        evaluate(T.nnet.relu(x, alpha=0.1)), np.where(VALUES[0, 0] > 0, VALUES[0, 0], 0.1 * VALUES[0, 0])
    )
    assert np.allclose(evaluate(T.nnet.hard_sigmoid(x)), np.clip(0.2 * VALUES[0, 0] + 0.5, 0, 1))
    assert np.abs(evaluate(T.nnet.ultra_fast_sigmoid(x)) - 1 / (1 + np.exp(-VALUES[0, 0]))).max() < 0.1
    actual, predicted = at.constant([0, 1, 1]), at.constant([0, 0, 1])
    assert evaluate(T.nnet.confusion_matrix(actual, predicted)[0]).tolist() == [[1, 0], [1, 1]]
    pictures = at.constant(VALUES[:, :, :6])
    neighbours = evaluate(T.nnet.neighbours.images2neibs(pictures, (2, 3)))
    assert neighbours.shape == (2 * 3 * 3 * 2, 6) and np.array_equal(neighbours[0], VALUES[0, 0, :2, :3].ravel())
    loss, probabilities = T.nnet.crossentropy_softmax_1hot(x, at.constant(np.zeros(7, int)))
    assert np.allclose(evaluate(loss), -np.log(evaluate(probabilities)[:, 0]))


def test_a_hierarchical_softmax_sums_to_one(evaluate):
    x = at.constant(RNG.standard_normal((2, 5)))
    weights = [RNG.standard_normal(shape) for shape in ((5, 2), (2,), (2, 5, 3), (2, 3))]
    output = evaluate(T.nnet.h_softmax(x, 2, 6, 2, 3, *map(at.constant, weights)))
    assert output.shape == (2, 6) and np.allclose(output.sum(axis=1), 1)


@pytest.mark.parametrize("arguments", [(2,), (2, None, 2, 3), (2, 2, 3)])
def test_bilinear_upsampling_takes_the_batch_third_or_fourth(evaluate, arguments):
    from theano.tensor.nnet.abstract_conv import bilinear_upsampling

    given = {"batch_size": 2, "num_input_channels": 3} if arguments == (2,) else {}
    output = evaluate(bilinear_upsampling(at.constant(VALUES), *arguments, **given))
    assert output.shape == (2, 3, 14, 12)


def volumes(x):
    return x.transpose(0, 4, 1, 2, 3)


def test_conv3d_of_videos_and_its_two_gradients(evaluate):
    video, filters, bias = RNG.standard_normal((2, 5, 6, 7, 3)), RNG.standard_normal((4, 2, 3, 2, 3)), np.arange(4.0)
    windows = np.lib.stride_tricks.sliding_window_view(volumes(video), (2, 3, 2), axis=(2, 3, 4))[:, :, ::1, ::1, ::2]
    expected = np.einsum("bcxyzijk,fcijk->bxyzf", windows, volumes(filters)) + bias
    V, W = at.constant(video), at.constant(filters)
    output = T.nnet.Conv3D.conv3D(V, W, at.constant(bias), (1, 1, 2))
    assert np.allclose(evaluate(output), expected)
    top = RNG.standard_normal(expected.shape)
    v, w = T.TensorType("float64", (False,) * 5)(), T.TensorType("float64", (False,) * 5)()
    cost = (T.nnet.conv3D(v, w, at.constant(bias), d=(1, 1, 2)) * top).sum()
    dv, dw = evaluate(theano.grad(cost, [v, w]), {v: video, w: filters})
    found = T.nnet.ConvTransp3D.convTransp3D(W, at.constant(np.zeros(3)), (1, 1, 2), at.constant(top), (5, 6, 7))
    assert np.allclose(evaluate(found), dv)
    assert np.allclose(evaluate(T.nnet.ConvGrad3D.convGrad3D(V, (1, 1, 2), filters.shape, at.constant(top))), dw)
    smallest = evaluate(T.nnet.convTransp3D(W, at.constant(np.zeros(3)), (1, 1, 2), at.constant(top)))
    assert np.allclose(smallest, dv[:, :, :, :6])


@pytest.mark.parametrize("ignore_border", [True, False])
@pytest.mark.parametrize("stride", [None, (1, 2), (3, 3)])
def test_pooling_as_an_operation_knows_its_shape(evaluate, ignore_border, stride):
    from theano.tensor.signal.downsample import DownsampleFactorMax, max_pool_2d

    pool = DownsampleFactorMax((2, 3), ignore_border, st=stride)
    output = evaluate(pool(at.constant(VALUES)))
    assert np.array_equal(output, evaluate(max_pool_2d(at.constant(VALUES), (2, 3), ignore_border, stride)))
    assert DownsampleFactorMax.out_shape(VALUES.shape, (2, 3), ignore_border, stride) == list(output.shape)
    rows = T.lscalar()
    symbolic = DownsampleFactorMax.out_shape((2, 3, rows, 6), (2, 3), ignore_border, stride)
    assert evaluate(symbolic[2], {rows: 7}) == output.shape[2]


def test_pool_2d_takes_the_names_of_before(evaluate):
    from theano.tensor.signal.pool import pool_2d

    old = pool_2d(at.constant(VALUES), ds=(2, 2), ignore_border=True, st=(1, 1), padding=(1, 1), mode="average_inc_pad")
    new = pool_2d(at.constant(VALUES), (2, 2), True, (1, 1), (1, 1), "average_inc_pad")
    assert np.array_equal(evaluate(old), evaluate(new))
