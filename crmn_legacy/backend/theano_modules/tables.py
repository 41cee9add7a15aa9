"""Where each module of Theano looks for its names: what :mod:`~crmn_legacy.backend.theano_names` adds to its own table.

Theano's module -> (modules that are searched, in this order; names that come from elsewhere, ``"module:attribute"``,
``"module"``, or the thing itself).
"""

import itertools

from crmn_legacy.backend.theano_modules.six import MOVES

_OURS = "crmn_legacy.backend.theano_modules"


def _ours(module, *names, **others):
    """Names of one of our modules, and what Theano calls otherwise: its name -> ours."""
    found = {name: f"{_OURS}.{module}:{name}" for name in names}
    return {**found, **{name: f"{_OURS}.{module}:{own}" for name, own in others.items()}}


_REWRITING = tuple(
    f"aesara.tensor.rewriting.{part}" for part in ("basic", "math", "elemwise", "shape", "subtensor", "special")
)
_REWRITERS = ("aesara.graph.rewriting.basic", "aesara.graph.rewriting.utils", "aesara.graph.rewriting.db")

_REWRITER_NAMES = {
    "DB": "aesara.graph.rewriting.db:RewriteDatabase",
    "CheckStackTraceOptimization": "aesara.graph.rewriting.basic:CheckStackTraceRewriter",
    "EquilibriumOptimizer": "aesara.graph.rewriting.basic:EquilibriumGraphRewriter",
    "FromFunctionOptimizer": "aesara.graph.rewriting.basic:FromFunctionGraphRewriter",
    "LocalOptGroup": "aesara.graph.rewriting.basic:SequentialNodeRewriter",
    "NavigatorOptimizer": "aesara.graph.rewriting.basic:NodeProcessingGraphRewriter",
    "OpKeyOptimizer": "aesara.graph.rewriting.basic:OpKeyGraphRewriter",
    "OpRemove": "aesara.graph.rewriting.basic:RemovalNodeRewriter",
    "OpSub": "aesara.graph.rewriting.basic:SubstitutionNodeRewriter",
    "Optimizer": "aesara.graph.rewriting.basic:GraphRewriter",
    "PatternSub": "aesara.graph.rewriting.basic:PatternNodeRewriter",
    "Query": "aesara.graph.rewriting.db:RewriteDatabaseQuery",
    "SeqOptimizer": "aesara.graph.rewriting.basic:SequentialGraphRewriter",
    "TopoOptimizer": "aesara.graph.rewriting.basic:WalkingGraphRewriter",
    "inplace_optimizer": "aesara.graph.rewriting.basic:inplace_graph_rewriter",
    "optimizer": "aesara.graph.rewriting.basic:graph_rewriter",
    "pre_greedy_local_optimizer": "aesara.graph.rewriting.basic:pre_greedy_node_rewriter",
    **_ours("graph", "FromFunctionLocalOptimizer", "LocalOptimizer", "local_optimizer"),
}
_OP_NAMES = {
    "CLinkerObject": "aesara.link.c.interface:CLinkerObject",
    "CLinkerOp": "aesara.link.c.interface:CLinkerOp",
    "PureOp": "aesara.graph.op:Op",
    **_ours("graph", "Op", "debug_assert", "debug_error_message", "get_debug_values"),
}
_UTILS = ("aesara.graph.utils", "aesara.utils", "aesara.graph.basic")
_UTILS_NAMES = _ours(
    "graph", "give_variables_names", "hash_from_dict", "hash_from_file", "hashtype", "hist", "object2", "remove",
    "scratchpad", "to_return_values", "undef", "unique",
)  # fmt: skip
_TYPES = ("aesara.graph.type", "aesara.link.c.type", "aesara.link.c.interface")
_TYPE_NAMES = {"PureType": "aesara.graph.type:Type", "SingletonType": "aesara.link.c.type:CType"}
_LINKERS = ("aesara.link.basic", "aesara.link.utils", "aesara.link.c.basic", "aesara.link.vm")
_FEATURES = ("aesara.graph.features",)
_COMPILE_TYPES = ("aesara.compile.function.types", "aesara.compile.function.pfunc", "aesara.compile.mode")
_GRAPH_NAMES = _ours(
    "graph", "ancestors", "clone_get_equiv", "general_toposort", "inputs", "is_same_graph", "ops", "orphans",
    "variables", "variables_and_orphans",
)  # fmt: skip

_GOF = {
    "theano.gof": (
        (*_REWRITERS, *_FEATURES, *_LINKERS, *_TYPES, *_UTILS, "aesara.graph.fg", "aesara.graph.destroyhandler",
         "aesara.link.c.op"),
        {**_REWRITER_NAMES, **_OP_NAMES, **_UTILS_NAMES, "Value": "aesara.graph.basic:Constant"},
    ),
    "theano.gof.cc": (("aesara.link.c.basic", "aesara.link.c.interface", "aesara.utils"), {}),
    "theano.gof.cmodule": (("aesara.link.c.cmodule", "aesara.link.c.exceptions"), {}),
    "theano.gof.compiledir": (("aesara.compile.compiledir", "aesara.configdefaults"), {}),
    "theano.gof.compilelock": (("aesara.compile.compilelock",), _ours("compilation", "get_lock", "release_lock")),
    "theano.gof.cutils": (("aesara.link.c.cutils",), {}),
    "theano.gof.destroyhandler": (("aesara.graph.destroyhandler",), {}),
    "theano.gof.fg": (("aesara.graph.fg", "aesara.graph.utils", "aesara.graph.null_type"), {}),
    "theano.gof.graph": (("aesara.graph.basic", "aesara.graph.op"), _GRAPH_NAMES),
    "theano.gof.link": (_LINKERS, {}),
    "theano.gof.null_type": (("aesara.graph.null_type",), {}),
    "theano.gof.op": (("aesara.graph.op", "aesara.link.c.op", "aesara.graph.utils"), _OP_NAMES),
    "theano.gof.opt": ((*_REWRITERS, "aesara.graph.utils"), _REWRITER_NAMES),
    "theano.gof.optdb": (("aesara.graph.rewriting.db",), _REWRITER_NAMES),
    "theano.gof.params_type": (("aesara.link.c.params_type",), {}),
    "theano.gof.sched": (("aesara.graph.sched",), {}),
    "theano.gof.toolbox": (_FEATURES, {}),
    "theano.gof.type": (_TYPES, _TYPE_NAMES),
    "theano.gof.utils": (_UTILS, _UTILS_NAMES),
    "theano.gof.vm": (("aesara.link.vm",), {"VM_Linker": "aesara.link.vm:VMLinker"}),
}  # fmt: skip

_PROFILE_MODE = _ours("compilation", "ProfileMode")
_MONITOR_MODE = _ours("compilation", "MonitorMode", "detect_nan")
_OPS = ("aesara.compile.ops", "aesara.tensor.shape")
_COMPILE = {
    "theano": (
        ("aesara.link.basic", "aesara.link.c.basic", "aesara.link.c.op", "aesara.link.c.type", "aesara.graph.utils"),
        {
            "__version__": f"{_OURS}.compilation:VERSION",
            "gof": "theano.gof",
            "opt": "theano.gof.opt",
            "scan_checkpoints": "aesara.scan.checkpoints:scan_checkpoints",
            "sparse_grad": "aesara.sparse:sparse_grad",
            "toolbox": "theano.gof.toolbox",
            **_PROFILE_MODE,
            **_ours("graph", "Op"),
        },
    ),
    "theano.compile": (
        (*_OPS, "aesara.compile.debugmode", "aesara.compile.function", *_COMPILE_TYPES),
        {**_PROFILE_MODE, **_ours("compilation", "MonitorMode"), **_ours("tensor", "Rebroadcast")},
    ),
    "theano.compile.function_module": (_COMPILE_TYPES, {}),
    "theano.compile.monitormode": (("aesara.compile.monitormode",), _MONITOR_MODE),
    "theano.compile.ops": (_OPS, _ours("tensor", "Rebroadcast")),
    "theano.compile.pfunc": (_COMPILE_TYPES, {"Param": "crmn_legacy.backend.theano_names:Param"}),
    "theano.compile.profilemode": (("aesara.compile.profiling",), _PROFILE_MODE),
    "theano.gradient": (("aesara.gradient",), _ours("graph", "format_as")),
    "theano.raise_op": (("aesara.raise_op",), {}),
    "theano.version": (
        ("aesara.version",),
        _ours("compilation", version="VERSION", short_version="VERSION", full_version="VERSION")
        | _ours("compilation", git_revision="GIT_REVISION"),
    ),
    "theano.scan_module": (("aesara.scan.op", "aesara.scan.utils"), {}),
    "theano.scan_module.scan": (("aesara.scan.basic", "aesara.scan.utils"), {}),
    "theano.scan_module.scan_checkpoints": (("aesara.scan.checkpoints",), {}),
    "theano.scan_module.scan_op": (("aesara.scan.op",), {}),
    "theano.scan_module.scan_opt": (("aesara.scan.rewriting",), {}),
    "theano.scan_module.scan_utils": (
        ("aesara.scan.utils", "aesara.scan.basic", "aesara.compile.builders"),
        _ours("graph", "map_variables"),
    ),
    "theano.scan_module.scan_views": (("aesara.scan.views",), {}),
}

_SPARSE = {
    "SparseType": "aesara.sparse.type:SparseTensorType",
    **_ours("compilation", "enable_sparse"),
}
_SCALARS = {
    "IntDiv": "aesara.scalar.basic:FloorDivide",
    "Maximum": "aesara.scalar.basic:ScalarMaximum",
    "Minimum": "aesara.scalar.basic:ScalarMinimum",
    "TrueDiv": "aesara.scalar.basic:TrueDivide",
    "abs_": "aesara.scalar.basic:abs",
    "maximum": "aesara.scalar.basic:scalar_maximum",
    "minimum": "aesara.scalar.basic:scalar_minimum",
    **_ours("tensor", "div_proxy"),
}
_TENSOR_NAMES = {
    "AsTensorError": TypeError,
    "Tensor": "aesara.tensor.type:TensorType",
    "_shared": "aesara.tensor.sharedvar:tensor_constructor",
    "int_div": "aesara.tensor.math:floor_divide",
    "opt": "theano.tensor.opt",
    **_ours("graph", "hashtype"),
    **_ours(
        "tensor", "Diagonal", "DiffOp", "Flatten", "Rebroadcast", "Tile", "as_cuda_or_tensor_variable", "batched_dot",
        "choose", "div_proxy", "dot", "flatten", "is_flat", "load", "reshape", "std", "var",
    ),
}  # fmt: skip
_CONV3D = _ours("nnet", "conv3D", "convGrad3D", "convTransp3D")
_NNET_NAMES = {
    "ConvOp": "aesara.tensor.nnet.conv:ConvOp",
    "opt": "theano.tensor.nnet.opt",
    **_CONV3D,
    **_ours("nnet", "LogSoftmax", "Softmax", "logsoftmax", "logsoftmax_op", "softmax_grad", "softmax_graph"),
    **_ours("nnet", "softmax_op"),
}
_SIGMOIDS = {
    "ScalarSigmoid": "aesara.scalar.math:Sigmoid",
    "ScalarSoftplus": "aesara.scalar.math:Softplus",
    "scalar_sigmoid": "aesara.scalar.math:sigmoid",
    "scalar_softplus": "aesara.scalar.math:softplus",
    "sigmoid_inplace": "aesara.tensor.inplace:sigmoid_inplace",
}
_TENSOR = {
    "theano.scalar": (("aesara.scalar", "aesara.scalar.basic", "aesara.scalar.math"), _SCALARS),
    "theano.scalar.basic": (("aesara.scalar.basic",), _SCALARS),
    "theano.scalar.basic_scipy": (("aesara.scalar.math",), {}),
    "theano.sparse": (("aesara.sparse", "aesara.sparse.basic", "aesara.sparse.type"), _SPARSE),
    "theano.sparse.basic": (("aesara.sparse.basic", "aesara.sparse.type"), _SPARSE),
    "theano.sparse.sandbox.sp2": (("aesara.sparse.sandbox.sp2", "aesara.sparse.basic"), {}),
    "theano.sparse.type": (("aesara.sparse.type",), _SPARSE),
    "theano.tensor": (("aesara.tensor.sharedvar", "aesara.tensor.utils", "aesara.tensor.extra_ops"), _TENSOR_NAMES),
    "theano.tensor.basic": (("aesara.tensor.sharedvar", "aesara.tensor.utils"), _TENSOR_NAMES),
    "theano.tensor.elemwise": (("aesara.tensor.elemwise", "aesara.tensor.math", "aesara.tensor.var"), {}),
    "theano.tensor.extra_ops": (("aesara.tensor.extra_ops",), _ours("tensor", "DiffOp", "RepeatOp")),
    "theano.tensor.inplace": (
        ("aesara.tensor.inplace",),
        {
            "abs__inplace": "aesara.tensor.inplace:abs_inplace",
            "inv_inplace": "aesara.tensor.inplace:reciprocal_inplace",
            "int_div_inplace": "aesara.tensor.inplace:floor_divide_inplace",
            "true_div_inplace": "aesara.tensor.inplace:true_divide_inplace",
        },
    ),
    "theano.tensor.io": (("aesara.tensor.io",), _ours("tensor", "load")),
    "theano.tensor.nlinalg": (
        ("aesara.tensor.nlinalg", "aesara.tensor.basic"), _ours("tensor", "alloc_diag"),
    ),
    "theano.tensor.nnet": (
        ("aesara.tensor.special", "aesara.tensor.nnet.abstract_conv", "aesara.tensor.nnet.batchnorm"),
        {**_NNET_NAMES, **_SIGMOIDS, **_ours("nnet", "bilinear_upsampling")},
    ),
    "theano.tensor.nnet.Conv3D": ((), _CONV3D),
    "theano.tensor.nnet.ConvGrad3D": ((), _CONV3D),
    "theano.tensor.nnet.ConvTransp3D": ((), _CONV3D),
    "theano.tensor.nnet.abstract_conv": (
        ("aesara.tensor.nnet.abstract_conv",),
        {
            "BaseAbstractConv2d": "aesara.tensor.nnet.abstract_conv:BaseAbstractConv",
            **_ours("nnet", "bilinear_upsampling"),
        },
    ),
    "theano.tensor.nnet.bn": (("aesara.tensor.nnet.batchnorm",), {}),
    "theano.tensor.nnet.nnet": (("aesara.tensor.special",), {**_NNET_NAMES, **_SIGMOIDS}),
    "theano.tensor.nnet.opt": (("aesara.tensor.nnet.rewriting",), {}),
    "theano.tensor.nnet.sigm": (("aesara.tensor.rewriting.math",), _SIGMOIDS),
    "theano.tensor.opt": ((*_REWRITING, *_REWRITERS, "aesara.raise_op", "aesara.tensor.basic"), _REWRITER_NAMES),
    "theano.tensor.opt_uncanonicalize": (("aesara.tensor.rewriting.uncanonicalize",), {}),
    "theano.tensor.signal.downsample": (
        (),
        {"max_pool2D": f"{_OURS}.nnet:max_pool_2d", **_ours("nnet", "DownsampleFactorMax")},
    ),
    "theano.tensor.slinalg": (("aesara.tensor.slinalg",), _ours("tensor", "Solve")),
    "theano.tensor.utils": (("aesara.tensor.utils",), _ours("graph", "hash_from_dict", "hash_from_file")),
    "theano.tensor.var": (("aesara.tensor.var",), {"AsTensorError": TypeError}),
    "theano.tensor.xlogx": (("aesara.tensor.xlogx",), {}),
}  # fmt: skip

_LINALG = (("aesara.tensor.nlinalg", "aesara.tensor.slinalg", "aesara.tensor.basic"), {})
_LINALG = (_LINALG[0], _ours("tensor", "Solve", "alloc_diag", "is_positive", "is_psd", "is_symmetric", "psd"))
_SANDBOX = {
    "theano.sandbox.blocksparse": (("aesara.tensor.nnet.blocksparse",), {}),
    "theano.sandbox.conv": ((), _ours("nnet", "conv2d")),
    "theano.sandbox.linalg": _LINALG,
    "theano.sandbox.linalg.kron": _LINALG,
    "theano.sandbox.linalg.ops": _LINALG,
    "theano.sandbox.neighbourhoods": (("aesara.tensor.nnet.neighbours",), {}),
    "theano.sandbox.neighbours": (("aesara.tensor.nnet.neighbours",), {}),
    "theano.sandbox.scan": (("aesara.scan.basic",), {}),
    "theano.sandbox.softsign": (("aesara.tensor.nnet.basic",), {}),
    "theano.sandbox.solve": (("aesara.tensor.slinalg",), _ours("tensor", "Solve")),
}

_DNN = ((f"{_OURS}.cudnn",), {})
_CUDA = ((f"{_OURS}.cuda",), {})
_FLOATS = {
    name: f"aesara.tensor.type:f{name}"
    for name in ("scalar", "vector", "matrix", "row", "col", "tensor3", "tensor4")
}  # fmt: skip
_CUDA_TYPES = {**_FLOATS, **{f"f{name}": found for name, found in _FLOATS.items()}}
_STREAMS = {"CURAND_RandomStreams": "theano.sandbox.rng_mrg:MRG_RandomStreams"}
_CARDS = {
    "theano.sandbox.cuda": (_CUDA[0], _CUDA_TYPES),
    "theano.sandbox.cuda.basic_ops": (_CUDA[0], _CUDA_TYPES),
    "theano.sandbox.cuda.blas": _CUDA,
    "theano.sandbox.cuda.blocksparse": _CUDA,
    "theano.sandbox.cuda.cuda_ndarray": _CUDA,
    "theano.sandbox.cuda.cuda_ndarray.cuda_ndarray": _CUDA,
    "theano.sandbox.cuda.dnn": _DNN,
    "theano.sandbox.cuda.fftconv": _CUDA,
    "theano.sandbox.cuda.rng_curand": ((), _STREAMS),
    "theano.sandbox.cuda.type": _CUDA,
    "theano.sandbox.cuda.var": _CUDA,
    **{
        f"theano.{place}{part}": (_DNN if part == ".dnn" else _CUDA)
        for place, part in itertools.product(
            ("gpuarray", "sandbox.gpuarray"), ("", ".basic_ops", ".blas", ".dnn", ".fft", ".type", ".var")
        )
    },
}

_SIX = f"{_OURS}.six"
_COMPAT = {
    "theano.compat": (("aesara.utils", _SIX), {}),
    "theano.compat.python2x": (("aesara.utils", _SIX, "collections", "functools"), {}),
    "theano.compat.six": ((_SIX,), {}),
    "theano.compat.six.moves": ((), MOVES),
    "theano.tests": ((f"{_OURS}.tests",), {}),
    "theano.tests.disturb_mem": ((f"{_OURS}.tests",), {}),
    "theano.tests.unittest_tools": ((f"{_OURS}.tests",), {}),
}

TABLES = {**_GOF, **_COMPILE, **_TENSOR, **_SANDBOX, **_CARDS, **_COMPAT}
