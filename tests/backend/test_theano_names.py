import importlib
import os
import subprocess
import sys

from crmn_legacy.backend import theano_names
from crmn_legacy.errors import UserError

# isort: split
# The names below can be imported once the package above is.
import aesara
import aesara.tensor as at
import numpy as np
import pytest
import theano
import theano.tensor as T

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": REPOSITORY, **environment},
    )


def evaluate(output, inputs=None):
    inputs = inputs or {}
    # Told of no compiler, Aesara picks ops that Python can compute.
    with aesara.config.change_flags(cxx=""):
        mode = aesara.compile.mode.Mode(linker="py", optimizer="fast_compile")
        return aesara.function(list(inputs), output, mode=mode)(*inputs.values())


def test_lasagne_imports_and_says_nothing():
    code = "import crmn_legacy, lasagne, theano; print(lasagne.__version__, lasagne.layers.LSTMLayer.__name__)"
    ran = python(code)
    assert (ran.stdout, ran.stderr) == ("0.1 LSTMLayer\n", "")


@pytest.mark.parametrize("name", sorted(theano_names.MODULES))
def test_each_module_of_the_table_imports_and_each_of_its_names_resolves(name):
    module = importlib.import_module(name)
    assert isinstance(module, theano_names.TheanoModule)
    for listed in theano_names.MODULES[name][1]:
        assert getattr(module, listed) is not None
    assert set(theano_names.MODULES[name][1]) <= set(dir(module))


# What Lasagne 0.1, its suite and its examples use of Theano.
LASAGNE_USES = [
    "theano.config.floatX",
    "theano.config.device",
    "theano.function",
    "theano.grad",
    "theano.shared",
    "theano.scan",
    "theano.clone",
    "theano._asarray",
    "theano.Param",
    "theano.Op",
    "theano.Apply",
    "theano.Variable",
    "theano.compile.SharedVariable",
    "theano.gradient.grad_clip",
    "theano.gof.Variable",
    "theano.gof.graph.inputs",
    "theano.gof.graph.is_same_graph",
    "theano.scan_module.scan_utils.equal_computations",
    "theano.sandbox.rng_mrg.MRG_RandomStreams",
    "theano.tensor.extra_ops.cumsum",
    "theano.tensor.TensorVariable",
    "theano.tensor.TensorType",
    "theano.tensor.addbroadcast",
    "theano.tensor.patternbroadcast",
    "theano.tensor.alloc",
    "theano.tensor.set_subtensor",
    "theano.tensor.shape_padright",
    "theano.tensor.sqr",
    "theano.tensor.stack",
    "theano.tensor.tensordot",
    "theano.tensor.ivector",
    "theano.tensor.imatrix",
    "theano.tensor.matrices",
    "theano.tensor.grad",
    "theano.tensor.nnet.binary_crossentropy",
    "theano.tensor.nnet.categorical_crossentropy",
    "theano.tensor.nnet.conv.conv2d",
    "theano.tensor.nnet.conv2d",
    "theano.tensor.nnet.relu",
    "theano.tensor.nnet.sigmoid",
    "theano.tensor.nnet.softmax",
    "theano.tensor.nnet.softplus",
    "theano.tensor.signal.downsample.max_pool_2d",
    "theano.tensor.shared_randomstreams.RandomStreams",
]


@pytest.mark.parametrize("dotted", LASAGNE_USES)
def test_a_dotted_name_is_reached_from_import_theano_alone(dotted):
    found = theano
    for part in dotted.split(".")[1:]:
        found = getattr(found, part)
    assert found is not None


def test_types_are_those_of_aesara():
    assert T.TensorVariable is importlib.import_module("aesara.tensor.var").TensorVariable
    assert theano.shared is aesara.shared
    assert theano.scan is importlib.import_module("aesara.scan.basic").scan
    assert isinstance(T.matrix(), theano.gof.Variable)


def test_a_module_outside_the_table_is_that_of_aesara_at_the_same_place():
    for name in ("tensor.sort", "tensor.signal.pool"):
        module = importlib.import_module(f"theano.{name}")
        aesaras = importlib.import_module(f"aesara.{name}")
        assert isinstance(module, theano_names.TheanoModule)
        assert {public for public in vars(aesaras) if not public.startswith("_")} <= set(dir(module))


def test_a_function_stays_where_a_module_of_its_name_is_imported():
    module = importlib.import_module("theano.tensor.sort")
    assert T.sort is module.sort is at.sort
    assert T.nnet is importlib.import_module("theano.tensor.nnet")


def test_a_name_that_is_a_function_is_no_module():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("theano.scan")
    assert callable(theano.scan)


def test_cuda_says_that_it_is_absent_and_is_imported_all_the_same():
    from theano.sandbox import cuda

    assert cuda.cuda_enabled is False
    assert cuda.cuda_available is False
    assert importlib.import_module("theano.sandbox.cuda.dnn") is cuda.dnn


def test_an_unknown_name_is_an_attribute_error_that_names_the_module():
    with pytest.raises(AttributeError, match=r"'theano\.tensor' has no attribute 'nonesuch'"):
        _ = T.nonesuch


def test_a_star_import_gives_the_public_names():
    names = {}
    exec("from theano.tensor import *", names)
    assert {"dot", "matrix", "sqr", "stack", "nnet"} <= set(names)


def test_a_real_theano_is_refused_in_one_line(tmp_path):
    (tmp_path / "theano").mkdir()
    (tmp_path / "theano" / "__init__.py").write_text("")
    code = "import crmn_legacy\nfrom crmn_legacy import errors\n@errors.run\ndef main():\n    import lasagne"
    ran = python(code, PYTHONPATH=os.pathsep.join([str(tmp_path), REPOSITORY]))
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: got a real Theano at ") and ran.stderr.count("\n") == 1
    assert str(tmp_path) in ran.stderr


def test_a_real_theano_that_is_imported_already_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.setitem(sys.modules, "theano", type(sys)("theano"))
    with pytest.raises(UserError, match="real Theano"):
        theano_names.install()


def test_lasagne_is_imported_after_it_has_failed():
    """As in a notebook: the cell that failed, the one that is then put in, and the first one again."""
    failed = "try:\n    {}\nexcept ImportError as error:\n    print(str(error).split('.')[0])\n"
    cells = ["import lasagne", "from lasagne.layers import DenseLayer", "import theano.tensor as T"]
    code = "".join(failed.format(cell) for cell in cells) + "import crmn_legacy\n" + "\n".join(cells)
    ran = python(f"{code}\nprint(DenseLayer is lasagne.layers.DenseLayer, T.matrix().ndim)")
    told = ["Could not import Theano", "Could not import Theano", "No module named 'theano'", "True 2"]
    assert (ran.stdout.splitlines(), ran.stderr) == (told, "")


def test_what_a_failed_import_has_left_behind_is_cleared_away(monkeypatch):
    modules = dict.fromkeys(["lasagne.init", "theano.tensor", "theanosaurus.teeth", "lasagne_x"], type(sys)("half"))
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.setattr(sys, "modules", modules)
    theano_names.install()
    assert set(modules) == {"theanosaurus.teeth", "lasagne_x"}


def test_lasagne_that_came_in_whole_is_left(monkeypatch):
    modules = dict.fromkeys(["lasagne", "lasagne.init"], type(sys)("whole"))
    monkeypatch.setattr(sys, "meta_path", [])
    monkeypatch.setattr(sys, "modules", modules)
    theano_names.install()
    assert set(modules) == {"lasagne", "lasagne.init"}


def test_aesara_in_the_place_of_theano_is_told_as_that():
    code = "import sys, aesara; sys.modules['theano'] = aesara\nfrom crmn_legacy.errors import run"
    ran = python(code, AESARA_FLAGS="cxx=")
    assert "got Aesara put in the place of Theano (sys.modules['theano']), expected crmn_legacy" in ran.stderr
    assert "real Theano" not in ran.stderr


def test_a_folder_called_theano_without_code_is_no_theano(tmp_path):
    (tmp_path / "theano").mkdir()
    ran = python("import crmn_legacy, theano; theano.tensor", PYTHONPATH=os.pathsep.join([str(tmp_path), REPOSITORY]))
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("border_mode", ["valid", "full"])
def test_conv2d_convolves_with_flipped_filters(border_mode):
    rng = np.random.default_rng(0)
    image, filters = rng.standard_normal((2, 3, 6, 5)), rng.standard_normal((4, 3, 3, 2))
    pad = (2, 1) if border_mode == "full" else (0, 0)
    padded = np.pad(image, ((0, 0), (0, 0), (pad[0], pad[0]), (pad[1], pad[1])))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 2), axis=(2, 3))
    expected = np.einsum("bchwij,fcij->bfhw", windows, filters[:, :, ::-1, ::-1])
    for name in (T.nnet.conv2d, T.nnet.conv.conv2d):
        output = name(
            at.constant(image), at.constant(filters), image_shape=(2, 3, 6, 5), filter_shape=(4, 3, 3, 2),
            border_mode=border_mode, unroll_batch=2,
        )  # fmt: skip
        assert np.allclose(evaluate(output), expected)


def test_conv2d_refuses_an_option_that_would_change_the_result():
    with pytest.raises((TypeError, ValueError)):
        T.nnet.conv.conv2d(T.tensor4(), T.tensor4(), imshp_logical=(3, 9, 9))


@pytest.mark.parametrize("mode", ["max", "sum", "average_exc_pad"])
@pytest.mark.parametrize(
    ("ignore_border", "expected_rows"), [(None, 3), (False, 3), (True, 2)], ids=["default", "kept", "ignored"]
)
def test_max_pool_2d_takes_theanos_arguments(mode, ignore_border, expected_rows):
    from theano.tensor.signal.downsample import max_pool_2d

    image = np.random.default_rng(0).standard_normal((1, 1, 5, 5))
    options = {} if ignore_border is None else {"ignore_border": ignore_border}
    output = evaluate(max_pool_2d(at.constant(image), (2, 2), mode=mode, **options))
    reduce = {"max": np.max, "sum": np.sum, "average_exc_pad": np.mean}[mode]
    starts = range(0, 2 * expected_rows, 2)
    expected = [[reduce(image[0, 0, r : r + 2, c : c + 2]) for c in starts] for r in starts]
    assert np.allclose(output[0, 0], expected)


def test_max_pool_2d_strides_and_pads():
    from theano.tensor.signal.downsample import max_pool_2d

    image = np.arange(25.0).reshape(1, 1, 5, 5)
    output = evaluate(max_pool_2d(at.constant(image), (3, 3), ignore_border=True, st=(2, 2), padding=(1, 1)))
    assert np.array_equal(output[0, 0], [[6, 8, 9], [16, 18, 19], [21, 23, 24]])


def test_stack_takes_theanos_and_later_arguments():
    parts = np.arange(6.0).reshape(2, 3)
    old = evaluate(T.stack(at.constant(parts[0]), at.constant(parts[1])))
    new = evaluate(T.stack([at.constant(parts[0]), at.constant(parts[1])], axis=1))
    assert np.array_equal(old, parts)
    assert np.array_equal(new, parts.T)


def test_softmax_takes_a_vector_for_a_row():
    values = np.array([0.0, np.log(3.0)])
    assert np.allclose(evaluate(T.nnet.softmax(at.constant(values))), [[0.25, 0.75]])
    assert np.allclose(evaluate(T.nnet.softmax(at.constant(values[None]))), [[0.25, 0.75]])


def test_patternbroadcast_sets_and_clears_the_broadcastable_axes():
    x = T.TensorType("float64", shape=(1, None, None))()
    y = T.patternbroadcast(x, (False, True, False))
    assert y.broadcastable == (False, True, False)
    value = np.arange(4.0).reshape(1, 1, 4)
    assert np.array_equal(evaluate(y, {x: value}), value)
    assert T.addbroadcast(T.matrix(), 1).broadcastable == (False, True)


@pytest.mark.parametrize("as_list", [False, True])
def test_clone_replaces_a_variable(as_list):
    x, y = T.vectors("x", "y")
    output = x * 2 + 1
    cloned = theano.clone([output] if as_list else output, replace={x: y})
    cloned = cloned[0] if as_list else cloned
    assert evaluate(cloned, {y: np.array([3.0])}) == 7
    assert y in theano.gof.graph.inputs([cloned]) and x not in theano.gof.graph.inputs([cloned])


def test_param_gives_an_input_its_default():
    x, rate = T.dvector("x"), T.dscalar("rate")
    with aesara.config.change_flags(cxx=""):
        mode = aesara.compile.mode.Mode(linker="py", optimizer="fast_compile")
        function = theano.function([x, theano.Param(rate, default=0.5)], x * rate, mode=mode)
    assert function([2.0]) == 1
    assert function([2.0], 3.0) == 6
    assert function([2.0], rate=4.0) == 8


def test_random_streams_take_the_size_first():
    for streams in (theano.sandbox.rng_mrg.MRG_RandomStreams, T.shared_randomstreams.RandomStreams):
        stream = streams(seed=7)
        uniform = evaluate(stream.uniform((300,), low=2.0, high=4.0))
        normal = evaluate(stream.normal((300,), avg=5.0, std=0.5))
        assert uniform.min() >= 2 and uniform.max() <= 4 and abs(uniform.mean() - 3) < 0.2
        assert abs(normal.mean() - 5) < 0.2 and abs(normal.std() - 0.5) < 0.1
