import importlib.machinery
import inspect
import os
import shutil
import subprocess
import sys
import types

from crmn_legacy.backend import aesara_patches, numpy_names
from crmn_legacy.errors import UserError

# isort: split
# Imported after the package above, so mended.
import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.link.c import op as link_op
from aesara.link.c.op import ExternalCOp
from aesara.tensor.nnet import corr

COMPILER = pytest.mark.skipif(not aesara.config.cxx, reason="no C++ compiler with Python's headers")
ALL_MENDS = [(module, mend) for module, found in aesara_patches.MENDS.items() for mend in found]


REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def python(code, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        env={**os.environ, "AESARA_FLAGS": "", "PYTHONPATH": REPOSITORY, **environment},
    )


TELL_WHETHER_MENDED = "import aesara.tensor.nnet.corr as corr; print(hasattr(corr.CorrMM.make_node, '__wrapped__'))"


def test_whoever_imports_aesara_gets_a_mended_one():
    assert python("import crmn_legacy; " + TELL_WHETHER_MENDED).stdout == "True\n"


def test_an_aesara_imported_before_the_package_is_mended_too():
    code = "import aesara.tensor.nnet, crmn_legacy; " + TELL_WHETHER_MENDED
    assert python(code, AESARA_FLAGS="blas__ldflags=").stdout == "True\n"


def test_a_mended_module_shows_its_own_loader_and_source():
    assert isinstance(corr.__loader__, importlib.machinery.SourceFileLoader)
    assert corr.__spec__.loader is corr.__loader__
    assert "class CorrMM(" in inspect.getsource(corr)


def test_applying_again_mends_nothing_twice():
    make_node = corr.CorrMM.make_node
    aesara_patches.apply()
    assert corr.CorrMM.make_node is make_node


@pytest.mark.parametrize(("module", "mend"), ALL_MENDS, ids=lambda value: getattr(value, "__name__", value))
def test_each_mend_refuses_another_version_of_aesara(monkeypatch, module, mend):
    mended = importlib.import_module(module)
    monkeypatch.setattr(sys.modules["aesara.version"], "version", "2.9.5")
    with pytest.raises(UserError, match=r"got Aesara 2\.9\.5, expected 2\.9\.4"):
        mend(mended)


def test_another_version_of_aesara_cannot_be_imported(tmp_path):
    package = tmp_path / "aesara"
    package.mkdir()
    (package / "__init__.py").write_text("from aesara.version import version\n")
    (package / "version.py").write_text("version = '2.8.0'\n")
    code = "import crmn_legacy\nfrom crmn_legacy import errors\n@errors.run\ndef main():\n    import theano"
    ran = python(code, PYTHONPATH=os.pathsep.join([str(tmp_path), REPOSITORY]))
    assert ran.returncode == 2
    assert ran.stderr.startswith("error: got Aesara 2.8.0, expected 2.9.4") and ran.stderr.count("\n") == 1


def test_nothing_is_probed():
    ran = python("import crmn_legacy, sys, lasagne; print(any('distutils.system_info' in n for n in sys.modules))")
    assert (ran.stdout, ran.stderr) == ("False\n", "")


def test_without_a_compiler_aesara_starts_in_silence(tmp_path):
    code = (
        "import crmn_legacy, aesara, aesara.tensor as at; x = at.matrix()\n"
        "f = aesara.function([x], at.dot(x, x)); print(aesara.config.cxx, aesara.config.linker, f([[2]]))"
    )
    ran = python(code, PATH=str(tmp_path))
    assert (ran.stdout, ran.stderr) == (" vm [[4.]]\n", "")


def test_a_compiler_without_pythons_headers_counts_as_none(monkeypatch, tmp_path):
    class Config:
        def __init__(self):
            self._flags_dict = {}

        def fetch_val_for_key(self, name):
            return self._flags_dict[name]

    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    module = types.SimpleNamespace(_config=Config())
    aesara_patches.mend_compiler_choice(module)
    aesara_patches.mend_blas_probing(module)
    aesara_patches.mend_convolution_without_compiler(module)
    excluded = "conv_opts:AbstractConvCheck"
    assert module._config._flags_dict == {"cxx": "", "blas__ldflags": "", "optimizer_excluding": excluded}
    module._config = Config()
    (tmp_path / "Python.h").write_text("")
    aesara_patches.mend_compiler_choice(module)
    aesara_patches.mend_convolution_without_compiler(module)
    assert module._config._flags_dict == {}


def test_the_users_choices_are_left_alone():
    code = "import crmn_legacy, aesara; print(repr(aesara.config.cxx), aesara.config.blas__ldflags)"
    assert python(code, AESARA_FLAGS="cxx=,blas__ldflags=-lm").stdout == "'' -lm\n"
    ran = python(code, AESARA_FLAGS="blas__ldflags=")
    assert ran.stdout.endswith(" \n") and ran.stderr == ""


def test_the_blas_is_the_one_inside_scipys_wheel():
    flags = aesara_patches._scipy_openblas()
    if not flags:
        pytest.skip("this SciPy brings no OpenBLAS of its own")
    folder, library = flags.split()
    path = os.path.join(folder.removeprefix("-L"), f"lib{library.removeprefix('-l')}.so")
    assert os.path.isfile(path)
    # LP64, with the plain names that Aesara's C code calls.
    import ctypes

    assert ctypes.CDLL(path).sgemm_


@pytest.mark.parametrize("files", [[], ["libopenblasp-a.so", "libopenblasp-b.so"], ["libopenblas64_p-a.so"]])
def test_where_scipy_brings_not_exactly_one_blas_none_is_linked(monkeypatch, tmp_path, files):
    folder = tmp_path / "scipy.libs"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("")
    spec = types.SimpleNamespace(origin=str(tmp_path / "scipy" / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    assert aesara_patches._scipy_openblas() == ""


def test_a_path_with_a_space_is_not_given_to_the_linker(monkeypatch, tmp_path):
    folder = tmp_path / "a b" / "scipy.libs"
    folder.mkdir(parents=True)
    (folder / "libopenblasp-a.so").write_text("")
    spec = types.SimpleNamespace(origin=str(tmp_path / "a b" / "scipy" / "__init__.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    assert aesara_patches._scipy_openblas() == ""


def test_the_correlation_node_knows_its_static_shape():
    image = at.TensorType("float64", shape=(1, 3, None, None))()
    kernel = at.TensorType("float64", shape=(4, 3, 3, 3))()
    node = corr.CorrMM(border_mode="half").make_node(image, kernel)
    assert node.outputs[0].type == at.TensorType("float64", shape=(1, None, None, None))
    node = corr.CorrMM().make_node(at.ftensor4(), at.TensorType("float32", shape=(1, 3, 3, 3))())
    assert node.outputs[0].type == at.TensorType("float32", shape=(None, 1, None, None))
    with pytest.raises(TypeError, match="img must be 4D"):
        corr.CorrMM().make_node(at.tensor3(), kernel)
    with pytest.raises(TypeError, match="kern must be 4D"):
        corr.CorrMM().make_node(image, at.matrix())
    with pytest.raises(TypeError, match="kern must be 6D"):
        corr.CorrMM(unshared=True).make_node(image, kernel)


def test_a_side_is_found_once_however_many_paths_lead_to_it():
    """Twice as many with each step: without a memory of what was found this would never end."""
    import aesara.tensor as T

    known, unknown = T.constant(3), T.iscalar()
    for _ in range(200):
        known, unknown = T.maximum(known, known), T.maximum(unknown, unknown)
    assert T.zeros((known, unknown)).type.shape == (3, None)


def test_an_ops_c_code_is_read_once_and_is_what_aesara_itself_reads(monkeypatch):
    def made():
        return at.elemwise.DimShuffle((False, True), (1, "x", 0))

    first, again = made(), made()
    monkeypatch.setattr(ExternalCOp, "load_c_code", ExternalCOp.load_c_code.__wrapped__)
    unmended = made()
    monkeypatch.undo()
    assert unmended.code_sections
    for op in (first, again):
        assert (op.func_codes, op.code_sections) == (unmended.func_codes, unmended.code_sections)
    # Each op has its own: what happens to one is not the others'.
    again.code_sections.clear()
    assert made().code_sections == unmended.code_sections

    def read(file):
        raise AssertionError(f"{file} is read again")

    monkeypatch.setattr(link_op, "open", read, raising=False)
    made()


CONVOLUTION = """
import crmn_legacy, aesara, aesara.tensor as at, aesara.tensor.nnet, numpy as np
saved = np.load('in.npz')
x, w = at.tensor4('x'), at.tensor4('w')
output = aesara.tensor.nnet.conv2d(x, w, border_mode=1, subsample=(2, 2))
gradients = aesara.grad((output * saved['weights']).sum(), [x, w])
function = aesara.function([x, w], [output, *gradients])
print(*sorted({type(node.op).__name__ for node in function.maker.fgraph.apply_nodes}))
np.savez('out.npz', *function(saved['image'], saved['kernel']))
"""


@pytest.mark.parametrize("compiler", [pytest.param(True, marks=COMPILER), False], ids=["compiled", "python"])
def test_a_convolution_and_both_its_gradients_are_right(tmp_path, compiler):
    rng = np.random.default_rng(0)
    image, kernel = rng.standard_normal((2, 3, 7, 6)), rng.standard_normal((4, 3, 3, 3))
    weights = rng.standard_normal((2, 4, 4, 3))
    np.savez(tmp_path / "in.npz", image=image, kernel=kernel, weights=weights)
    ran = python(
        CONVOLUTION,
        cwd=tmp_path,
        PYTHONWARNINGS="ignore::DeprecationWarning",
        **({} if compiler else {"PATH": str(tmp_path)}),
    )
    assert ran.stderr == ""
    expected_ops = {"CorrMM", "CorrMM_gradWeights", "CorrMM_gradInputs"} if compiler else {"AbstractConv2d"}
    assert expected_ops <= set(ran.stdout.split())

    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    flipped = kernel[:, :, ::-1, ::-1]
    expected, image_gradient, kernel_gradient = np.zeros_like(weights), np.zeros_like(padded), np.zeros_like(kernel)
    for row in range(4):
        for column in range(3):
            patch = np.s_[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            expected[:, :, row, column] = np.einsum("bcij,fcij->bf", padded[patch], flipped)
            image_gradient[patch] += np.einsum("bf,fcij->bcij", weights[:, :, row, column], flipped)
            kernel_gradient += np.einsum("bf,bcij->fcij", weights[:, :, row, column], padded[patch])
    with np.load(tmp_path / "out.npz") as values:
        assert np.allclose(values["arr_0"], expected)
        assert np.allclose(values["arr_1"], image_gradient[:, :, 1:-1, 1:-1])
        assert np.allclose(values["arr_2"], kernel_gradient[:, :, ::-1, ::-1])


def test_on_numpy_1_nothing_is_restored():
    assert int(np.__version__.partition(".")[0]) == 1
    assert numpy_names._removed_numpy_names(np) == {}


def test_on_numpy_2_each_removed_name_does_what_it_did_on_numpy_1(monkeypatch):
    types_and_functions = ["obj2sctype", "sctype2char", "cast", "float_", "complex_", "unicode_", "product"]
    names = {*types_and_functions, "MAXDIMS", "AxisError", "ComplexWarning", "Inf", "NaN"}
    numpy2 = types.ModuleType("numpy")
    vars(numpy2).update({name: value for name, value in vars(np).items() if name not in names})
    numpy2.__version__ = "2.1.0"
    monkeypatch.setitem(sys.modules, "numpy", numpy2)
    numpy_names.mend_numpy_names(None)
    assert all(hasattr(numpy2, name) for name in names)
    for thing in ("float32", np.int8, bool, np.dtype("complex64"), "U"):
        assert numpy2.obj2sctype(thing) is np.obj2sctype(thing)
        assert numpy2.sctype2char(thing) == np.sctype2char(thing)
    assert numpy2.obj2sctype("no such type") is None
    assert numpy2.cast["float32"](1.5) == np.cast["float32"](1.5)
    assert numpy2.cast["int8"]([1.5]).dtype == np.cast["int8"]([1.5]).dtype
    for name in ("AxisError", "ComplexWarning", "float_", "complex_", "unicode_"):
        assert getattr(numpy2, name) is getattr(np, name)
    assert numpy2.MAXDIMS == np.MAXDIMS
    assert numpy2.product([2, 3]) == 6
    assert numpy2.Inf == np.inf and np.isnan(numpy2.NaN)
