"""What is broken in Aesara 2.9.4, mended while it is imported.

A mend belongs to one module of Aesara and is applied right after that module has run, before anybody can see
it. A finder on ``sys.meta_path`` does this whoever imports Aesara, so no unmended Aesara exists in a process
that has imported this package. Each mend was written against the source text of Aesara 2.9.4 and refuses any
other version: elsewhere the fault may be gone, or have moved.
"""

import contextlib
import sys

from crmn_legacy.backend.aesara_rewrites import mend_power_rewrites
from crmn_legacy.backend.numpy_names import mend_numpy_names
from crmn_legacy.errors import UserError

AESARA_VERSION = "2.9.4"


def apply():
    """Make every import of Aesara, past and future, give a mended Aesara; idempotent.

    Modules of Aesara that are imported already are mended at once. What Aesara has by then decided for good
    (its compiler, its BLAS) stays as it is.

    Raises
    ------
    UserError
        If Aesara is imported already, and is not version 2.9.4.
    """
    if any(isinstance(finder, _MendingFinder) for finder in sys.meta_path):
        return
    for name, mends in MENDS.items():
        if name in sys.modules:
            for mend in mends:
                mend(sys.modules[name])
    sys.meta_path.insert(0, _MendingFinder())


def mend_when_imported(name, mend):
    """Have `mend` called with the module `name`: as soon as it has run, before the mends that it has, or now."""
    if mend not in MENDS.get(name, ()):
        MENDS[name] = (mend, *MENDS.get(name, ()))
        if name in sys.modules:
            mend(sys.modules[name])


def _require_version():
    """Refuse an Aesara that the mends were not written for."""
    # aesara/__init__.py imports aesara.version before any other module of Aesara, so it is always there.
    version = sys.modules["aesara.version"].version
    if version != AESARA_VERSION:
        raise UserError(
            f"got Aesara {version}, expected {AESARA_VERSION}, which the mends of {__name__} are for: "
            f"pip install aesara=={AESARA_VERSION}"
        )


def mend_compiler_choice(module):
    """Let Aesara start in silence, in pure Python, where C cannot be compiled.

    Aesara 2.9.4 prints a warning when it finds no ``g++``, and takes a ``g++`` without Python's headers for
    a working compiler. Neither concerns the default backend, which compiles through XLA. A ``cxx`` that the
    user chose (``AESARA_FLAGS``, ``.aesararc``) is left alone.
    """
    _require_version()
    from crmn_legacy.backend import compiler

    if compiler.default() is None:
        _set_default(module._config, "cxx", "")


def mend_blas_probing(module):
    """Choose the BLAS that compiled code is linked with, without probing.

    Aesara 2.9.4 asks ``numpy.distutils``, which setuptools >= 70 breaks and Python 3.12 no longer has; then
    it tries link lines until one works, so that the machine decides whose BLAS computes. Here it is the
    OpenBLAS inside SciPy's wheel, pinned with SciPy, or none (Aesara then calls NumPy) where SciPy has none
    or there is no compiler. A ``blas__ldflags`` that the user chose is left alone.
    """
    _require_version()
    import logging

    compiles = _get_option(module._config, "cxx") != ""
    _set_default(module._config, "blas__ldflags", _scipy_openblas() if compiles else "")
    # Having no BLAS to link with is a choice here, not a misconfiguration to warn of at each start.
    logging.getLogger("aesara.tensor.blas").addFilter(
        lambda record: not record.getMessage().startswith("Using NumPy C-API based implementation")
    )


def mend_compile_folder(module):
    """Keep compiled modules where the user may write.

    Aesara 2.9.4 makes its folder at each start, be anything compiled or not, in a home that may be unset, missing or
    read-only. A ``compiledir`` or ``base_compiledir`` that the user chose is left alone.
    """
    _require_version()
    import os

    from crmn_legacy.backend import aesara_settings, cache

    if _get_option(module._config, "compiledir") is None and _get_option(module._config, "base_compiledir") is None:
        place = str(aesara_settings.compile_folder())
        module._config._flags_dict["base_compiledir"] = place
        if cache.home() is None:
            os.environ["HOME"] = place  # Aesara asserts that there is one


def mend_convolution_without_compiler(module):
    """Let SciPy compute convolutions where C cannot be compiled.

    Aesara 2.9.4 then rewrites a convolution to ``ConvOp``, whose gradients cannot be built any more, and turns
    the function away if one is left. The ops that it rewrites have Python code of their own, forward and
    gradient, which is all that is needed: so both rewrites are left out. An ``optimizer_excluding`` that the
    user chose is left alone.
    """
    _require_version()
    if _get_option(module._config, "cxx") == "":
        _set_default(module._config, "optimizer_excluding", "conv_opts:AbstractConvCheck")


def _scipy_openblas():
    """Return the link flags of the OpenBLAS in SciPy's wheel, ``""`` if there is none that can be linked."""
    import glob
    import importlib.util
    import os

    spec = importlib.util.find_spec("scipy")
    if spec is None or not spec.origin:
        return ""
    folder = os.path.join(os.path.dirname(os.path.dirname(spec.origin)), "scipy.libs")
    # The 64-bit-integer builds (openblas64_) suffix their symbols; Aesara calls plain sgemm_, dgemm_.
    found = glob.glob(os.path.join(glob.escape(folder), "libopenblasp-*.so"))
    # Aesara splits the flags at white space, without quoting.
    if len(found) != 1 or folder.split() != [folder]:
        return ""
    library = os.path.basename(found[0])[len("lib") : -len(".so")]
    return f"-L{folder} -l{library}"


def _get_option(config, name):
    """Return what the user, or a mend, has set an option of Aesara to; None if nobody has."""
    try:
        return config.fetch_val_for_key(name)
    except KeyError:
        return None


def _set_default(config, name, value):
    """Set an option of Aesara before it is declared, unless the user has set it."""
    if _get_option(config, name) is None:
        config._flags_dict[name] = value


def mend_convolution_nodes(module):
    """Let the CPU convolution be built: ``CorrMM.make_node`` dies with a TypeError in Aesara 2.9.4.

    It calls ``tuple`` with the four lengths of the output instead of with one sequence of them. The two
    gradient ops beside it (``CorrMM_gradWeights``, ``CorrMM_gradInputs``) build lists and are sound.
    """
    _require_version()
    original = module.CorrMM.make_node

    def make_node(self, img, kern):
        """Build the node of a 2-d correlation; `img` is 4-d, `kern` 4-d (6-d when unshared)."""
        img = module.as_tensor_variable(img)
        kern = module.as_tensor_variable(kern)
        img, kern = self.as_common_dtype(img, kern)
        if img.type.ndim != 4:
            raise TypeError("img must be 4D tensor")
        if kern.type.ndim != (6 if self.unshared else 4):
            raise TypeError(f"kern must be {6 if self.unshared else 4}D tensor")
        shape = tuple(1 if length == 1 else None for length in (img.type.shape[0], kern.type.shape[0]))
        output = module.TensorType(img.type.dtype, shape=(*shape, None, None))()
        return module.Apply(self, [img, kern], [output])

    make_node.__wrapped__ = original
    module.CorrMM.make_node = make_node


def mend_static_shapes(module):
    """Let building a graph take time in proportion to its size, not to its square.

    Whenever a tensor of symbolic shape is made (``zeros``, ``alloc``), Aesara 2.9.4 clones and rewrites *everything*
    that the shape follows from, the network so far included, to learn which sides are constant; its docstring calls
    this a hold-over. Here a side is known if it follows from constants and static types by integer arithmetic,
    looked up where it stands.
    """
    _require_version()
    original = module.infer_static_shape

    def infer_static_shape(shape):
        """A validated sequence of symbolic sides, and a tuple of their values, None where not known."""
        sides = [module.as_tensor_variable(side, ndim=0) for side in shape]
        for side in sides:
            if side.type.dtype not in module.integer_dtypes:
                raise TypeError(f"Shapes must be scalar integers; got {side}")
        found = {}
        known = [_known_integer(side, found) for side in sides]
        constants = [
            side if value is None else module.as_tensor_variable(value, ndim=0)
            for side, value in zip(sides, known, strict=True)
        ]
        return constants, tuple(None if value is None else int(value) for value in known)

    infer_static_shape.__wrapped__ = original
    module.infer_static_shape = infer_static_shape


def _known_integer(variable, found):
    """Value of an integer variable that follows from constants and static shapes, else None.

    What was looked up stands in `found`: the paths to a variable may double with every step of a loop's arithmetic.
    """
    if variable not in found:
        found[variable] = _evaluated_integer(variable, found)
    return found[variable]


def _evaluated_integer(variable, found):
    from aesara.graph.basic import Constant
    from aesara.tensor.shape import Shape, Shape_i
    from aesara.tensor.subtensor import Subtensor

    if isinstance(variable, Constant):
        return variable.data
    node = variable.owner
    if node is None or getattr(variable.type, "dtype", "float").startswith(("float", "complex")):
        return None
    if isinstance(node.op, Shape_i):
        return node.inputs[0].type.shape[node.op.i]
    if isinstance(node.op, Shape):
        shape = node.inputs[0].type.shape
        return None if None in shape else _as_int64(shape)
    source = node.inputs[0].owner if node.inputs else None
    if isinstance(node.op, Subtensor) and source is not None and isinstance(source.op, Shape):
        index = node.op.idx_list[0] if len(node.inputs) == 1 else None
        return source.inputs[0].type.shape[index] if isinstance(index, int) else None
    arguments = [_known_integer(argument, found) for argument in node.inputs]
    if any(argument is None for argument in arguments) or len(node.outputs) != 1:
        return None
    storage = [[None]]
    try:
        node.op.prepare_node(node, None, None, "py")
        node.op.perform(node, [_as_int64(argument) for argument in arguments], storage)
    except (AttributeError, NotImplementedError, TypeError, ValueError):
        return None
    return storage[0][0]


def _as_int64(value):
    import numpy

    return numpy.asarray(value, dtype="int64")


def mend_c_code_reading(module):
    """Read an op's C code once.

    Aesara 2.9.4 reads and splits the same file for each `DimShuffle` that it makes. What it found is kept here.
    """
    _require_version()
    original = module.ExternalCOp.load_c_code
    found = {}

    def load_c_code(self, func_files):
        """Fill `func_codes` and `code_sections` of an op from its files of C code."""
        key = type(self), tuple(func_files)
        if key not in found:
            original(self, func_files)
            found[key] = tuple(self.func_codes), dict(self.code_sections)
            return
        codes, sections = found[key]
        self.func_codes.extend(codes)
        self.code_sections.update(sections)

    load_c_code.__wrapped__ = original
    module.ExternalCOp.load_c_code = load_c_code


def mend_random_streams(module):
    """Make the states of many random streams at once."""
    _require_version()
    from crmn_legacy.backend import mrg_streams

    mrg_streams.mend(module)


# Module of Aesara -> what is mended once it has run. In the order in which Aesara imports them.
MENDS = {
    "aesara.version": (mend_numpy_names,),
    "aesara.configparser": (
        mend_compile_folder,
        mend_compiler_choice,
        mend_blas_probing,
        mend_convolution_without_compiler,
    ),
    "aesara.configdefaults": (),
    "aesara.link.c.op": (mend_c_code_reading,),
    "aesara.tensor.basic": (mend_static_shapes,),
    "aesara.tensor.nnet.corr": (mend_convolution_nodes,),
    "aesara.sandbox.rng_mrg": (mend_random_streams,),
    "aesara.tensor.rewriting.math": (mend_power_rewrites,),
}


@contextlib.contextmanager
def _settings_told(name):
    """Tell settings that Aesara cannot take in one line."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if name not in ("aesara.configparser", "aesara.configdefaults") or isinstance(error, ImportError):
            raise
        raise UserError(
            f"got settings that Aesara cannot take ({error}), expected AESARA_FLAGS and ~/.aesararc without them: mend "
            "them, or set AESARA_FLAGS= and AESARARC=/dev/null"
        ) from None


class _MendingFinder:
    """Finds the modules in `MENDS` where they are, and has them mended as they are loaded."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in MENDS:
            return None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    spec.loader = _MendingLoader(spec.loader, MENDS[fullname])
                    return spec
        return None


class _MendingLoader:
    """Loads a module with its own loader, then mends it."""

    def __init__(self, loader, mends):
        self._loader = loader
        self._mends = mends

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        # From here on the module shows its own loader, for whoever looks for its source or its files.
        module.__loader__ = module.__spec__.loader = self._loader
        with _settings_told(module.__name__):
            self._loader.exec_module(module)
        for mend in self._mends:
            mend(module)
