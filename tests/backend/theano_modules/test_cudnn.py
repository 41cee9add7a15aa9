import numpy as np
import pytest

# isort: split
import aesara.tensor as at
import theano
import theano.tensor as T
from theano.sandbox.cuda import dnn

from tests.backend.theano_modules.test_nnet import FILTERS, VALUES, correlated

X, W = at.constant(VALUES), at.constant(FILTERS)


def test_it_is_there_by_all_its_names():
    assert dnn.dnn_available() and theano.gpuarray.dnn.dnn_present(None) and dnn.dnn_available.msg == ""
    assert theano.sandbox.gpuarray.dnn.dnn_conv is theano.gpuarray.dnn.dnn_conv is dnn.dnn_conv
    assert dnn.version() > 5000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}), (("valid", (1, 1), "conv"), {}), (("valid", (1, 1), (1, 1), "conv"), {}),
        (("valid", (1, 1), "cross"), {}), ((), {"conv_mode": "cross", "algo": "none", "precision": "float32"}),
        (((1, 2), (2, 1), "cross"), {}), (("half",), {"direction_hint": "bprop inputs", "workmem": None}),
    ],
)  # fmt: skip
def test_dnn_conv_is_a_convolution_or_a_correlation(evaluate, arguments, named):
    mode, stride = dict(enumerate(arguments)).get(0, "valid"), dict(enumerate(arguments)).get(1, (1, 1))
    pad = {"valid": (0, 0), "half": (1, 1)}.get(mode, mode)
    padded = np.pad(VALUES, ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    cross = "cross" in (*arguments, *named.values())
    expected = correlated(padded, FILTERS if cross else FILTERS[:, :, ::-1, ::-1], stride)
    assert np.allclose(evaluate(dnn.dnn_conv(X, W, *arguments, **named)), expected)


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="conv_mode='flip'"):
        dnn.dnn_conv(X, W, conv_mode="flip")


@pytest.mark.parametrize("mode", ["conv", "cross"])
def test_the_operations_programs_call_for_a_convolutions_transpose(evaluate, mode):
    """As the generators of 2016 wrote it: a description, room for the result, and the gradient's operation."""
    how = {"border_mode": (1, 1), "subsample": (2, 2), "conv_mode": mode}
    x, w = T.dtensor4(), T.dtensor4()
    output = dnn.dnn_conv(x, w, **how)
    top = np.random.default_rng(1).standard_normal((2, 4, 4, 4))
    value, dx, dw = evaluate([output, *theano.grad((output * top).sum(), [x, w])], {x: VALUES, w: FILTERS})
    y = at.constant(top)
    room = cuda_room(2, 3, 7, 6)
    desc = dnn.GpuDnnConvDesc(**how)(room.shape, W.shape)
    assert np.allclose(evaluate(dnn.GpuDnnConvGradI()(W, y, room, desc)), dx)
    assert np.allclose(evaluate(dnn.GpuDnnConvGradW(algo="none")(X, y, cuda_room(4, 3, 3, 2), desc)), dw)
    assert np.allclose(evaluate(dnn.GpuDnnConv()(X, W, cuda_room(2, 4, 4, 4), desc)), value)
    assert np.allclose(evaluate(dnn.GpuDnnConv()(X, W, at.constant(value), desc, 2.0, 0.5)), 2.5 * value)
    assert np.allclose(evaluate(dnn.dnn_gradinput(W, y, (2, 3, 7, 6), **how)), dx)
    assert np.allclose(evaluate(dnn.dnn_gradweight(X, y, W.shape, (1, 1), (2, 2), mode)), dw)
    assert dnn.GpuDnnConv.get_out_shape((2, 3, 7, 6), (4, 3, 3, 2), (1, 1), (2, 2)) == (2, 4, 4, 4)


def cuda_room(*shape):
    from theano.sandbox.cuda.basic_ops import gpu_alloc_empty

    return gpu_alloc_empty(*shape)


def test_volumes(evaluate):
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((2, 3, 5, 4, 4)), rng.standard_normal((2, 3, 2, 2, 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2, 2), axis=(2, 3, 4))
    expected = np.einsum("bcxyzijk,fcijk->bfxyz", windows, w)
    assert np.allclose(evaluate(dnn.dnn_conv3d(at.constant(x), at.constant(w), conv_mode="cross")), expected)
    pooled = evaluate(dnn.dnn_pool(at.constant(x), (2, 2, 2), (2, 2, 2)))
    blocks = x[:, :, :4].reshape(2, 3, 2, 2, 2, 2, 2, 2)
    assert np.allclose(pooled, blocks.max(axis=(3, 5, 7)))
    room = T.zeros((2, 3, 5, 4, 4))
    back = dnn.GpuDnnConv3dGradI()(
        at.constant(w), at.constant(expected), room, dnn.GpuDnnConvDesc("valid", (1, 1, 1))()
    )
    assert evaluate(back).shape == x.shape


@pytest.mark.parametrize("mode", ["max", "average_inc_pad", "average_exc_pad", "average"])
def test_pooling_steps_by_one_unless_told(evaluate, mode):
    windows = np.lib.stride_tricks.sliding_window_view(VALUES, (2, 3), axis=(2, 3))
    expected = (np.max if mode == "max" else np.mean)(windows, axis=(4, 5))
    assert np.allclose(evaluate(dnn.dnn_pool(X, (2, 3), mode=mode)), expected)
    assert np.allclose(evaluate(dnn.dnn_pool(X, (2, 3), (2, 2), mode, (0, 0))), expected[:, :, ::2, ::2])
    assert np.allclose(evaluate(dnn.GpuDnnPool()(X, dnn.GpuDnnPoolDesc((2, 3), mode=mode)())), expected)
    assert np.allclose(evaluate(dnn.GpuDnnPool(mode)(X, (2, 3), (1, 1), (0, 0))), expected)


def test_pooling_takes_windows_that_are_computed(evaluate):
    rows = T.lscalar()
    pooled = evaluate(dnn.dnn_pool(X, (rows, 2), (rows, 2)), {rows: 3})
    assert np.allclose(pooled, evaluate(dnn.dnn_pool(X, (3, 2), (3, 2))))


@pytest.mark.parametrize(
    "arguments", [("accurate", "channel"), ("bc01", "accurate", "channel"), ("b01c", "fast", "channel")]
)
def test_softmax_over_channels_or_all_of_a_picture(evaluate, arguments):
    axis = 3 if "b01c" in arguments else 1
    expected = np.exp(VALUES) / np.exp(VALUES).sum(axis=axis, keepdims=True)
    assert np.allclose(evaluate(dnn.GpuDnnSoftmax(*arguments)(X)), expected)
    whole = np.exp(VALUES) / np.exp(VALUES).sum(axis=(1, 2, 3), keepdims=True)
    assert np.allclose(evaluate(dnn.GpuDnnSoftmax(algo="log", mode="instance")(X)), np.log(whole))


def test_batch_normalization(evaluate):
    gamma, beta = (at.constant(np.full((1, 3, 1, 1), value)) for value in (2.0, 1.0))
    out, mean, invstd = dnn.dnn_batch_normalization_train(X, gamma, beta, "spatial", 1e-4)
    expected_mean = VALUES.mean(axis=(0, 2, 3), keepdims=True)
    expected_std = np.sqrt(VALUES.var(axis=(0, 2, 3), keepdims=True) + 1e-4)
    assert np.allclose(evaluate(out), 2 * (VALUES - expected_mean) / expected_std + 1)
    assert np.allclose(evaluate(mean), expected_mean) and np.allclose(evaluate(invstd), 1 / expected_std)
    tested = dnn.dnn_batch_normalization_test(X, gamma, beta, mean, 1 / invstd**2 - 1e-4, "spatial", 1e-4)
    assert np.allclose(evaluate(tested), evaluate(out))
