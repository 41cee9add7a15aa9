import numpy as np
import pytest

# isort: split
import aesara.tensor as at
import theano
import theano.tensor as T
from theano.sandbox import cuda

from tests.backend.theano_modules.test_nnet import FILTERS, VALUES, correlated


def test_there_is_no_card_and_taking_one_is_told_once(capsys):
    assert not (cuda.cuda_available or cuda.cuda_enabled or theano.gpuarray.pygpu_activated)
    for module in (cuda, theano.gpuarray, cuda):
        module.use("gpu7")
    cuda.use("cpu")
    cuda.unuse()
    assert capsys.readouterr().err == "note: use('gpu7') set aside: this computes without Theano's GPU code\n"
    assert (cuda.active_device_name(), cuda.active_device_number()) == ("cpu", -1)


def test_arrays_stay_on_the_host():
    array = cuda.CudaNdarray(np.ones(2))
    assert array.dtype == "float32" and cuda.cuda_ndarray.cuda_ndarray.CudaNdarray.zeros((2, 3)).shape == (2, 3)
    assert cuda.shared_constructor(array, name="a").name == "a"
    assert isinstance(theano.shared(array), cuda.var.CudaNdarraySharedVariable)
    assert cuda.ftensor4("x").dtype == cuda.matrix().dtype == "float32"


def test_types_are_those_of_tensors():
    assert cuda.CudaNdarrayType((True, False)) == T.TensorType("float32", (True, False))
    assert cuda.CudaNdarrayType(broadcastable=(False,))("x").name == "x"
    assert theano.gpuarray.type.GpuArrayType("int32", (False,), context_name=None) == T.ivector


def test_what_moves_a_tensor_gives_it_back():
    from theano.gpuarray import basic_ops as new
    from theano.sandbox.cuda import basic_ops as old

    x = T.fmatrix()
    for move in (
        old.gpu_contiguous, old.gpu_from_host, old.host_from_gpu, old.as_cuda_ndarray_variable, old.HostFromGpu(),
        old.GpuFromHost(), new.gpu_contiguous, new.GpuFromHost(None), new.HostFromGpu(), new.GpuContiguous(),
    ):  # fmt: skip
        assert move(x) is x
    assert new.as_gpuarray_variable(x, None) is x and new.infer_context_name(x) is None


def test_room_is_made_by_either_convention(evaluate):
    from theano.gpuarray.basic_ops import GpuAllocEmpty, gpu_alloc_empty

    for room in (gpu_alloc_empty(2, 3), gpu_alloc_empty(None, dtype="float64")(2, 3), GpuAllocEmpty("float64")(2, 3)):
        assert evaluate(room).shape == (2, 3) and room.dtype == "float64"


@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("named", [{}, {"border_mode": (1, 2)}, {"pad": (1, 2)}])
def test_correlation_by_its_maker_and_its_gradients(evaluate, named, dilation):
    from theano.sandbox.cuda import blas

    pad = (1, 2) if named else (0, 0)
    padded = np.pad(VALUES, ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    spread = np.zeros((*FILTERS.shape[:2], (FILTERS.shape[2] - 1) * dilation[0] + 1, FILTERS.shape[3]))
    spread[:, :, :: dilation[0]] = FILTERS
    expected = correlated(padded, spread, (2, 1))
    named = {**named, "subsample": (2, 1), "filter_dilation": dilation}
    x, w = T.dtensor4(), T.dtensor4()
    output = blas.GpuCorrMM(**named)(x, w)
    top = np.random.default_rng(1).standard_normal(expected.shape)
    value, dx, dw = evaluate([output, *theano.grad((output * top).sum(), [x, w])], {x: VALUES, w: FILTERS})
    assert np.allclose(value, expected)
    dy = at.constant(top)
    assert np.allclose(evaluate(blas.GpuCorrMM_gradInputs(**named)(at.constant(FILTERS), dy, (7, 6))), dx)
    assert np.allclose(evaluate(blas.GpuCorrMM_gradWeights(**named)(at.constant(VALUES), dy, (3, 2))), dw)
    smallest = evaluate(blas.GpuCorrMM_gradInputs(**named)(at.constant(FILTERS), dy))
    assert np.allclose(smallest, dx[:, :, : smallest.shape[2]])


def test_what_stood_third_is_taken_by_its_name_alone():
    with pytest.raises(TypeError):
        cuda.blas.GpuCorrMM("valid", (1, 1), (1, 1))


def test_convolutions_by_fourier_transforms(evaluate):
    found = evaluate(cuda.fftconv.conv2d_fft(at.constant(VALUES), at.constant(FILTERS), border_mode="valid"))
    assert np.allclose(found, correlated(VALUES, FILTERS[:, :, ::-1, ::-1]))
