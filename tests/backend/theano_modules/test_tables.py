"""Names that public programs of 2014 to 2018 use, each found from ``import theano`` or by its own import."""

import importlib

import pytest

from crmn_legacy.backend import theano_names
from crmn_legacy.backend.theano_modules import tables

# Gathered from some sixty public repositories: tutorials, libraries on Theano, and code of papers.
USED = """
theano.Apply theano.Constant theano.In theano.Lop theano.Mode theano.Op theano.OpFromGraph theano.OrderedUpdates
theano.Out theano.Param theano.ProfileMode theano.Rop theano.Type theano.Variable theano._asarray theano.clone
theano.compat.exc_message theano.compat.get_unbound_function theano.compat.izip theano.compat.python2x.OrderedDict
theano.compat.six.Iterator theano.compat.six.PY3 theano.compat.six.b theano.compat.six.iteritems
theano.compat.six.moves.cPickle theano.compat.six.moves.reduce theano.compat.six.moves.xrange
theano.compat.six.reraise theano.compat.six.string_types theano.compile.DebugMode theano.compile.FunctionMaker
theano.compile.MonitorMode theano.compile.ProfileStats theano.compile.SharedVariable theano.compile.Supervisor
theano.compile.builders.OpFromGraph theano.compile.debugmode.DebugMode theano.compile.function
theano.compile.function_module.UnusedInputError theano.compile.get_default_mode theano.compile.io.In
theano.compile.mode.get_default_mode theano.compile.mode.get_mode theano.compile.nanguardmode.NanGuardMode
theano.compile.ops.as_op theano.compile.ops.shape_i theano.compile.optdb theano.compile.pfunc.rebuild_collect_shared
theano.compile.profiling.ProfileStats theano.compile.rebuild_collect_shared theano.compile.shared
theano.compile.sharedvalue.SharedVariable theano.compile.sharedvalue.shared theano.config.floatX
theano.configparser.AddConfigVar theano.configparser.EnumStr theano.configparser.change_flags theano.d3viz.d3viz
theano.foldl theano.foldr theano.function theano.gof.Apply theano.gof.CLinker theano.gof.Constant
theano.gof.FunctionGraph theano.gof.Generic theano.gof.Op theano.gof.OpRemove theano.gof.OpSub
theano.gof.OpWiseCLinker theano.gof.Optimizer theano.gof.PatternSub theano.gof.TopoOptimizer theano.gof.Type
theano.gof.Variable theano.gof.cmodule.get_lib_extension theano.gof.compilelock.get_lock
theano.gof.compilelock.release_lock theano.gof.fg.MissingInputError theano.gof.generic theano.gof.graph.Variable
theano.gof.graph.ancestors theano.gof.graph.clone_get_equiv theano.gof.graph.inputs theano.gof.graph.io_toposort
theano.gof.graph.is_same_graph theano.gof.graph.ops theano.gof.graph.orphans theano.gof.graph.variables
theano.gof.local_optimizer theano.gof.null_type.NullType theano.gof.op.PureOp theano.gof.op.debug_assert
theano.gof.op.debug_error_message theano.gof.op.get_debug_values theano.gof.op.get_test_value
theano.gof.opt.LocalOptimizer theano.gof.opt.SeqOptimizer theano.gof.optdb.Query theano.gof.toolbox.Feature
theano.gof.toolbox.ReplaceValidate theano.gof.type.CDataType theano.gof.utils.MethodNotDefined
theano.gof.utils.flatten theano.gof.utils.hash_from_code theano.gof.utils.scratchpad theano.gof.vm.VM_Linker
theano.gpuarray.basic_ops.as_gpuarray_variable theano.gpuarray.basic_ops.gpu_contiguous
theano.gpuarray.dnn.dnn_present theano.gpuarray.pygpu_activated theano.gpuarray.type.GpuArrayType theano.gpuarray.use
theano.grad theano.gradient.DisconnectedType theano.gradient.consider_constant theano.gradient.disconnected_grad
theano.gradient.format_as theano.gradient.grad_clip theano.gradient.grad_not_implemented
theano.gradient.grad_undefined theano.gradient.hessian theano.gradient.jacobian theano.gradient.numeric_grad
theano.gradient.verify_grad theano.gradient.zero_grad theano.ifelse.ifelse theano.map theano.misc.pkl_utils.dump
theano.misc.pkl_utils.load theano.pp theano.printing.Print theano.printing.debugprint theano.printing.pprint
theano.printing.pydotprint theano.raise_op.Assert theano.reduce theano.sandbox.blocksparse.SparseBlockGemv
theano.sandbox.cuda.CudaNdarray theano.sandbox.cuda.CudaNdarrayType theano.sandbox.cuda.GpuOp
theano.sandbox.cuda.active_device_name theano.sandbox.cuda.basic_ops.HostFromGpu
theano.sandbox.cuda.basic_ops.as_cuda_ndarray_variable theano.sandbox.cuda.basic_ops.gpu_alloc_empty
theano.sandbox.cuda.basic_ops.gpu_contiguous theano.sandbox.cuda.basic_ops.gpu_from_host
theano.sandbox.cuda.basic_ops.host_from_gpu theano.sandbox.cuda.blas.GpuCorrMM
theano.sandbox.cuda.blas.GpuCorrMM_gradInputs theano.sandbox.cuda.blocksparse.sparse_block_dot_SS
theano.sandbox.cuda.cuda_ndarray.cuda_ndarray.CudaNdarray theano.sandbox.cuda.dnn.GpuDnnConv
theano.sandbox.cuda.dnn.GpuDnnConvDesc theano.sandbox.cuda.dnn.GpuDnnConvGradI theano.sandbox.cuda.dnn.GpuDnnPool
theano.sandbox.cuda.dnn.GpuDnnSoftmax theano.sandbox.cuda.dnn.dnn_available
theano.sandbox.cuda.dnn.dnn_batch_normalization_train theano.sandbox.cuda.dnn.dnn_conv
theano.sandbox.cuda.dnn.dnn_conv3d theano.sandbox.cuda.dnn.dnn_gradweight theano.sandbox.cuda.dnn.dnn_pool
theano.sandbox.cuda.fftconv.conv2d_fft theano.sandbox.cuda.ftensor4 theano.sandbox.cuda.gpu_from_host
theano.sandbox.cuda.host_from_gpu theano.sandbox.cuda.rng_curand.CURAND_RandomStreams
theano.sandbox.cuda.shared_constructor theano.sandbox.cuda.type.CudaNdarrayType theano.sandbox.cuda.unuse
theano.sandbox.cuda.use theano.sandbox.cuda.var.CudaNdarraySharedVariable
theano.sandbox.cuda.var.float32_shared_constructor theano.sandbox.gpuarray.dnn.dnn_conv
theano.sandbox.linalg.ops.alloc_diag theano.sandbox.linalg.ops.matrix_inverse theano.sandbox.linalg.psd
theano.sandbox.neighbours.images2neibs theano.sandbox.neighbours.neibs2images theano.sandbox.rng_mrg.MRG_RandomStreams
theano.sandbox.scan.scan theano.sandbox.softsign.softsign theano.scalar.Scalar theano.scalar.basic.UnaryScalarOp
theano.scalar.int64 theano.scan theano.scan_module.scan_op.Scan theano.scan_module.scan_utils.equal_computations
theano.scan_module.scan_utils.map_variables theano.scan_module.scan_utils.until theano.scan_module.until theano.shared
theano.sparse.SparseType theano.sparse.basic.dot theano.sparse.csr_matrix theano.sparse.enable_sparse
theano.sparse.sandbox.sp2.sampling_dot theano.sparse_grad theano.tensor.DimShuffle theano.tensor.Elemwise
theano.tensor.Rebroadcast theano.tensor.Subtensor theano.tensor.Tensor theano.tensor.TensorConstant
theano.tensor.TensorType theano.tensor.TensorVariable theano.tensor._shared theano.tensor.addbroadcast
theano.tensor.all theano.tensor.alloc theano.tensor.any theano.tensor.argmax theano.tensor.as_tensor_variable
theano.tensor.basic.NotScalarConstantError theano.tensor.basic._allclose theano.tensor.basic.get_scalar_constant_value
theano.tensor.basic.hashtype theano.tensor.batched_dot theano.tensor.batched_tensordot theano.tensor.blas.batched_dot
theano.tensor.cast theano.tensor.choose theano.tensor.clip theano.tensor.constant theano.tensor.cumprod
theano.tensor.diag theano.tensor.elemwise.DimShuffle theano.tensor.elemwise.Elemwise theano.tensor.elemwise.Sum
theano.tensor.extra_ops.cumsum theano.tensor.extra_ops.repeat theano.tensor.extra_ops.to_one_hot theano.tensor.eye
theano.tensor.fft.rfft theano.tensor.flatten theano.tensor.grad theano.tensor.hessian theano.tensor.horizontal_stack
theano.tensor.inplace.exp_inplace theano.tensor.int_div theano.tensor.inv theano.tensor.inverse_permutation
theano.tensor.is_flat theano.tensor.jacobian theano.tensor.largest theano.tensor.max_and_argmax
theano.tensor.nlinalg.matrix_inverse theano.tensor.nlinalg.trace theano.tensor.nnet.Conv3D.conv3D
theano.tensor.nnet.abstract_conv.bilinear_upsampling theano.tensor.nnet.abstract_conv.conv2d
theano.tensor.nnet.abstract_conv.conv2d_grad_wrt_inputs theano.tensor.nnet.batch_normalization
theano.tensor.nnet.blocksparse.sparse_block_dot theano.tensor.nnet.bn.batch_normalization_train
theano.tensor.nnet.categorical_crossentropy theano.tensor.nnet.confusion_matrix theano.tensor.nnet.conv.ConvOp
theano.tensor.nnet.conv3d theano.tensor.nnet.conv3d2d.conv3d theano.tensor.nnet.crossentropy_softmax_1hot
theano.tensor.nnet.elu theano.tensor.nnet.h_softmax theano.tensor.nnet.hard_sigmoid theano.tensor.nnet.logsoftmax
theano.tensor.nnet.neighbours.images2neibs theano.tensor.nnet.nnet.softmax_op theano.tensor.nnet.relu
theano.tensor.nnet.selu theano.tensor.nnet.sigm.sigmoid theano.tensor.nnet.softmax_grad theano.tensor.nnet.softsign
theano.tensor.nnet.ultra_fast_sigmoid theano.tensor.opt.get_scalar_constant_value
theano.tensor.opt.register_canonicalize theano.tensor.opt.register_specialize theano.tensor.patternbroadcast
theano.tensor.prod theano.tensor.roll theano.tensor.shape_padleft theano.tensor.shared_randomstreams.RandomStreams
theano.tensor.sharedvar.TensorSharedVariable theano.tensor.signal.conv.conv2d
theano.tensor.signal.downsample.DownsampleFactorMax theano.tensor.signal.pool.pool_2d theano.tensor.slinalg.Solve
theano.tensor.slinalg.cholesky theano.tensor.sort.argsort theano.tensor.stacklists
theano.tensor.subtensor.AdvancedSubtensor1 theano.tensor.swapaxes theano.tensor.tile theano.tensor.type.TensorType
theano.tensor.unbroadcast theano.tensor.utils.hash_from_ndarray theano.tensor.var.TensorVariable
theano.tensor.var._tensor_py_operators theano.tensor.xlogx.xlogx theano.tests.disturb_mem.disturb_mem
theano.tests.unittest_tools.verify_grad theano.typed_list.TypedListType theano.updates.OrderedUpdates
theano.version.short_version theano.version.version
"""


def reached(dotted):
    """What a dotted name names, by attributes from ``import theano`` on, or of a module of its own."""
    found = importlib.import_module("theano")
    if dotted.startswith(("theano.tensor.sort.", "theano.tensor.var.")):
        # Functions of theano.tensor, to whoever does not import them as modules.
        found = importlib.import_module(dotted.rpartition(".")[0])
        return getattr(found, dotted.rpartition(".")[2])
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("dotted", USED.split())
def test_a_name_that_programs_use_is_found(dotted):
    assert reached(dotted) is not None


@pytest.mark.parametrize("module", sorted(tables.TABLES))
def test_each_module_of_the_tables_is_imported_by_its_name(module):
    assert isinstance(importlib.import_module(module), theano_names.TheanoModule)


@pytest.mark.parametrize(
    "dotted", ["theano.sandbox.cuda.mem_info", "theano.gpuarray.basic_ops.GpuKernelBase", "theano.tensor.nonesuch"]
)
def test_what_nothing_can_answer_is_an_attribute_error_that_says_so(dotted):
    with pytest.raises(AttributeError, match=f"no attribute '{dotted.rpartition('.')[2]}' on Aesara"):
        reached(dotted)


def test_what_needs_a_card_is_not_there():
    for name in ("theano.sandbox.cuda.nvcc_compiler", "theano.misc.pycuda_init", "theano.gpuarray.opt"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)
