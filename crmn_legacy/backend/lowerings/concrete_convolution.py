"""Convolutions that Aesara's rewrites put in the place of abstract ones, and the one from before there were those."""

from aesara.tensor.nnet import abstract_conv as abstract
from aesara.tensor.nnet.conv import ConvOp
from aesara.tensor.nnet.corr import CorrMM, CorrMM_gradInputs, CorrMM_gradWeights
from aesara.tensor.nnet.corr3d import Corr3dMM, Corr3dMMGradInputs, Corr3dMMGradWeights

from .order import of_maps
from .registry import lowering


def _as(make, op, **changes):
    options = {"border_mode": op.border_mode, "subsample": op.subsample, "filter_flip": False}
    options |= {"filter_dilation": op.filter_dilation, "num_groups": op.num_groups}
    if getattr(op, "unshared", False):
        options["unshared"] = True
    return make(**(options | changes))


def _convolution(make):
    """The lowering of a correlation by that of the abstract op that `make` makes."""
    return lambda op, node: lowering(_as(make, op), node)


def _gradient(make):
    """The same of a gradient, whose last shape comes as single numbers."""

    def lowered(op, node):
        gradient = lowering(_as(make, op), node)
        if len(node.inputs) == 2:
            raise NotImplementedError(f"no XLA lowering for {op} without the shape of what it computes")
        return of_maps(lambda first, second, *shape: gradient(first, second, list(shape)))

    return lowered


for _op, _lowered in {
    CorrMM: _convolution(abstract.AbstractConv2d),
    CorrMM_gradWeights: _gradient(abstract.AbstractConv2d_gradWeights),
    CorrMM_gradInputs: _gradient(abstract.AbstractConv2d_gradInputs),
    Corr3dMM: _convolution(abstract.AbstractConv3d),
    Corr3dMMGradWeights: _gradient(abstract.AbstractConv3d_gradWeights),
    Corr3dMMGradInputs: _gradient(abstract.AbstractConv3d_gradInputs),
}.items():
    lowering.register(_op, _lowered)


@lowering.register(ConvOp)
def _signal_convolution(op, node):
    if op.imshp_logical != op.imshp or op.kshp_logical != op.kshp:
        raise NotImplementedError(f"no XLA lowering for {op}, which spreads out its operands")
    return lowering(abstract.AbstractConv2d(border_mode=op.out_mode, subsample=(op.dx, op.dy)), node)
