"""Convolutions of Aesara's rewrites against the abstract ones that they come of, and the old ones of signals."""

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.tensor.nnet import conv2d, conv3d
from aesara.tensor.nnet.corr import CorrMM, CorrMM_gradInputs, CorrMM_gradWeights
from aesara.tensor.nnet.corr3d import Corr3dMM, Corr3dMMGradInputs, Corr3dMMGradWeights

from crmn_legacy.backend.lowerings import lower

from .reference import assert_agrees, python_result, xla_result

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    "kinds",
    [
        (conv2d, CorrMM, CorrMM_gradWeights, CorrMM_gradInputs),
        (conv3d, Corr3dMM, Corr3dMMGradWeights, Corr3dMMGradInputs),
    ],
)
def test_correlations_and_their_gradients_are_those_of_the_abstract_ops(kinds):
    abstract, forward, by_weights, by_inputs = kinds
    dimensions = 2 if abstract is conv2d else 3
    x, w = (at.TensorType("float64", (None,) * (2 + dimensions))() for _ in range(2))
    options = {"border_mode": "half", "subsample": (2, 1, 2)[:dimensions], "filter_dilation": (1, 2, 1)[:dimensions]}
    y = abstract(x, w, filter_flip=False, **options)
    g = at.ones_like(y) * 2
    values = [RNG.normal(size=(2, 4, 7, 6, 5)[: 2 + dimensions]), RNG.normal(size=(6, 4, 3, 2, 3)[: 2 + dimensions])]
    wanted = python_result([x, w], [y, *aesara.grad((2 * y).sum(), [w, x])], values)
    outputs = [
        forward(**options)(x, w),
        by_weights(**options)(x, g, w.shape[2:]),
        by_inputs(**options)(w, g, x.shape[2:]),
    ]
    for found, right in zip(xla_result([x, w], outputs, values), wanted, strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("border", ["valid", "full"])
@pytest.mark.parametrize(("pictures", "filters"), [(2, 2), (3, 2), (2, 3), (3, 3)])
def test_convolved_signals_agree_with_python(pictures, filters, border):
    from aesara.tensor.signal.conv import conv2d as signal_conv2d

    x, w = (at.TensorType("float64", (None,) * dimensions)() for dimensions in (pictures, filters))
    values = [RNG.normal(size=(2, 7, 6)[-pictures:]), RNG.normal(size=(3, 3, 2)[-filters:])]
    for stride in ((1, 1), (2, 3)):
        assert_agrees([x, w], [signal_conv2d(x, w, border_mode=border, subsample=stride)], values)


def test_a_gradient_without_its_shape_is_refused():
    x, g = at.dtensor4(), at.dtensor4()
    with pytest.raises(NotImplementedError, match="without the shape"):
        lower([x, g], [CorrMM_gradWeights()(x, g)])
