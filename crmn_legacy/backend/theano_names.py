"""Theano's names, answered by Aesara: what lets an unmodified Lasagne 0.1 import.

Aesara is Theano's descendant, so most names have only moved. `MODULES` says where each module of Theano looks
for its names; what it does not list is looked for at the same place under ``aesara``. Theano 0.7, which
Lasagne 0.1 was written for, is the reference for calling conventions; the few functions whose conventions
have changed since are adapted here.
"""

import contextlib
import importlib
import operator
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

from crmn_legacy.backend.theano_modules.tables import TABLES
from crmn_legacy.errors import UserError


def install():
    """Make ``import theano`` and its submodules answer with Aesara, when they are imported; idempotent.

    What imports of Theano or Lasagne that failed have left behind is cleared away.

    Raises
    ------
    UserError
        If a real Theano is imported already, or Aesara under its name.
    """
    if any(isinstance(finder, _TheanoFinder) for finder in sys.meta_path):
        return
    theano = sys.modules.get("theano")
    if theano is not None and theano is sys.modules.get("aesara"):
        # Its submodules may have been loaded a second time as Theano's, which Aesara does not survive.
        raise UserError(
            "got Aesara put in the place of Theano (sys.modules['theano']), expected crmn_legacy to do that: leave "
            "that line out, and start anew"
        )
    if theano is not None and not isinstance(theano, TheanoModule):
        raise _real_theano(getattr(theano, "__file__", None))
    clear_what_failed(sys.modules)
    sys.meta_path.insert(0, _TheanoFinder())


def clear_what_failed(modules):
    """Take out of `modules`, Python's, what a failed import of Theano or Lasagne has left there."""
    for package in ("theano", "lasagne"):
        # Python drops a package whose import failed, and keeps those of its submodules that came in.
        for left in [name for name in modules if name.startswith(f"{package}.") and package not in modules]:
            del modules[left]


def _real_theano(place):
    return UserError(
        f"got a real Theano at {place}, expected none, since its names are to be answered by Aesara: "
        "pip uninstall theano, or remove that folder from PYTHONPATH"
    )


class TheanoModule(ModuleType):
    """A module of Theano whose names are found in Aesara when they are first used.

    Parameters
    ----------
    name : str
        Its name, ``theano`` or a submodule's.
    sources : sequence of str
        Modules that are searched for a name, in this order.
    names : dict of str to object
        Names that come from elsewhere: ``"module:attribute"``, or the thing itself.
    """

    def __init__(self, name, sources, names):
        super().__init__(name, f"Theano's ``{name}``, answered by {', '.join(sources) or 'this package'}.")
        self._sources = sources
        self._names = names

    def __getattr__(self, name):
        submodule = f"{self.__name__}.{name}"
        if name in self._names:
            value = self._names[name]
            if isinstance(value, str):
                module, _, attribute = value.partition(":")
                value = importlib.import_module(module)
                value = operator.attrgetter(attribute)(value) if attribute else value
        elif submodule in MODULES:
            return importlib.import_module(submodule)
        elif name == "__all__":
            value = [public for public in dir(self) if not public.startswith("_")]
        elif name.startswith("__"):
            # Aesara's own __file__ and the like are not this module's.
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        else:
            value = self._search_here_and_below(name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name, value):
        # The import system leaves every imported submodule in its parent, even over a function: theano.tensor
        # has both a function and a module called sort. In Theano the function stays.
        if not (isinstance(value, TheanoModule) and self._has_function(name)):
            super().__setattr__(name, value)

    def _has_function(self, name):
        try:
            return name in self._names or not isinstance(self._search(name), ModuleType)
        except AttributeError:
            return False

    def _search_here_and_below(self, name):
        found = None
        with contextlib.suppress(AttributeError):
            found = self._search(name)
        # A module of Aesara's is answered for by Theano's, and Theano imported more of itself than Aesara does.
        if found is None or isinstance(found, ModuleType):
            submodule = f"{self.__name__}.{name}"
            if _same_place_in_aesara(submodule):
                return importlib.import_module(submodule)
        return self._search(name) if found is None else found

    def _search(self, name):
        for source in self._sources:
            try:
                return getattr(importlib.import_module(source), name)
            except (AttributeError, RuntimeError):
                continue
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on Aesara")

    def __dir__(self):
        found = set(self._names)
        found.update(module.rpartition(".")[2] for module in MODULES if _parent(module) == self.__name__)
        for source in self._sources:
            found.update(vars(importlib.import_module(source)))
        return sorted(found)


def _parent(name):
    return name.rpartition(".")[0]


class _TheanoFinder:
    """Finds ``theano`` and its submodules; also is the loader of what it finds."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname != "theano" and not fullname.startswith("theano."):
            return None
        if fullname == "theano":
            self._refuse_real_theano()
        if fullname not in MODULES and not _same_place_in_aesara(fullname):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def _refuse_real_theano(self):
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec("theano", None)
            # A folder without __init__.py is found too, as a namespace, and has no origin: no Theano.
            if spec is not None and spec.origin is not None:
                raise _real_theano(spec.origin)

    def create_module(self, spec):
        sources, names = MODULES.get(spec.name, ((_aesara_name(spec.name),), {}))
        return TheanoModule(spec.name, sources, names)

    def exec_module(self, module):
        # What is wrong with Aesara should show where Theano is imported, not at the first use of a name.
        for source in module._sources:
            importlib.import_module(source)


def _aesara_name(fullname):
    return "aesara" + fullname[len("theano") :]


def _same_place_in_aesara(fullname):
    """Tell whether Aesara has a module at the place of Theano's `fullname`."""
    if not fullname.startswith("theano."):
        return False
    parent = sys.modules.get(_parent(fullname))
    if isinstance(parent, TheanoModule) and fullname.rpartition(".")[2] in parent._names:
        return False
    try:
        importlib.import_module(_aesara_name(fullname))
    except ModuleNotFoundError:
        return False
    return True


# The adapted functions. Each takes Theano 0.7's arguments in Theano 0.7's order.


def stack(*tensors, **options):
    """Join tensors along a new axis, ``stack(a, b)`` or ``stack([a, b], axis)``; ``theano.tensor.stack``."""
    from aesara import tensor

    if tensors and not options and not isinstance(tensors[0], list | tuple):
        return tensor.stack(tensors, axis=0)
    return tensor.stack(*tensors, **options)


def addbroadcast(x, *axes):
    """Declare that `x` has length 1 along `axes`; ``theano.tensor.addbroadcast``."""
    from aesara.tensor.shape import specify_broadcastable

    return specify_broadcastable(x, *axes)


def patternbroadcast(x, broadcastable):
    """Declare along which axes `x` has length 1 and may be broadcast; ``theano.tensor.patternbroadcast``.

    Parameters
    ----------
    broadcastable : sequence of bool
        One per axis of `x`.
    """
    from aesara.tensor.shape import unbroadcast

    wanted = [axis for axis, flag in enumerate(broadcastable) if flag]
    unwanted = [axis for axis, flag in enumerate(broadcastable) if not flag]
    return unbroadcast(addbroadcast(x, *wanted), *unwanted)


def clone(output, replace=None, strict=True, share_inputs=True):
    """Copy the graph of `output` with variables replaced; ``theano.clone``.

    Parameters
    ----------
    output : Variable or list of Variable
    replace : dict or list of pairs, optional
        What is to be replaced, by what.
    strict : bool
        Demand that a replacement has the type of what it replaces.
    share_inputs : bool
        Use the same inputs rather than copies.
    """
    from aesara.graph.basic import clone_replace

    return clone_replace(output, replace, rebuild_strict=strict, copy_inputs_over=share_inputs)


def Param(variable, default=None, name=None, mutable=None, strict=False, allow_downcast=None, borrow=None):
    """Declare an input of a function, with a default; ``theano.Param``.

    Parameters
    ----------
    variable : Variable
    default : object, optional
        The value when the caller gives none.
    name : str, optional
        For passing it by keyword.
    mutable, borrow : bool, optional
        The function may overwrite, or keep, what it is given.
    strict, allow_downcast : bool, optional
        How values of another type are taken.
    """
    from aesara.compile.io import In

    # Aesara derives borrow from mutable where it is left out.
    options = {} if borrow is None else {"borrow": borrow}
    return In(
        variable,
        name=name,
        value=default,
        mutable=bool(mutable),
        strict=strict,
        allow_downcast=allow_downcast,
        **options,
    )


_CONFIG = "crmn_legacy.backend.theano_config:config"
_OURS = "crmn_legacy.backend.theano_modules"
_GRAPH = ("aesara.graph.basic", "aesara.graph.rewriting.utils")
_TENSOR = tuple(
    f"aesara.tensor{part}" for part in ("", ".basic", ".elemwise", ".math", ".shape", ".subtensor", ".type", ".var")
)
_NNET = ("aesara.tensor.nnet", "aesara.tensor.nnet.basic", "aesara.tensor.nnet.sigm")
_NNET_NAMES = {
    "conv2d": f"{_OURS}.nnet:conv2d",
    "sigmoid": "aesara.tensor.math:sigmoid",
    "softmax": f"{_OURS}.nnet:softmax",
    "softplus": "aesara.tensor.math:softplus",
    "abstract_conv2d": "aesara.tensor.nnet.abstract_conv:conv2d",
}
_TENSOR_NAMES = {
    "Lop": "aesara.gradient:Lop",
    "Rop": "aesara.gradient:Rop",
    "addbroadcast": addbroadcast,
    "config": _CONFIG,
    "numeric_grad": "aesara.gradient:numeric_grad",
    "patternbroadcast": patternbroadcast,
    # Aesara keeps this name for now, with a warning.
    "sqr": "aesara.tensor.math:square",
    "stack": stack,
    "unbroadcast": "aesara.tensor.shape:unbroadcast",
    "verify_grad": "aesara.gradient:verify_grad",
}

# Theano's module -> (Aesara's modules that are searched, names that come from elsewhere).
MODULES = {
    "theano": (
        ("aesara", "aesara.compile", "aesara.compile.builders", "aesara.compile.ops", "aesara.graph"),
        {
            "_asarray": "aesara.misc.safe_asarray:_asarray",
            "Param": Param,
            "clone": clone,
            "config": _CONFIG,
            "dot": "aesara.tensor:dot",
            "scan": "aesara.scan.basic:scan",
        },
    ),
    "theano.compat": ((), {"OrderedDict": "collections:OrderedDict", "izip": zip}),
    "theano.compat.python2x": ((), {"OrderedDict": "collections:OrderedDict"}),
    "theano.compile": (("aesara.compile", "aesara.compile.builders", "aesara.compile.ops"), {"Param": Param}),
    "theano.configdefaults": (("aesara.configdefaults",), {"config": _CONFIG}),
    "theano.configparser": (
        ("crmn_legacy.backend.theano_config", "aesara.configparser"),
        {"change_flags": f"{_CONFIG}.change_flags"},
    ),
    "theano.gof": (("aesara.graph", "aesara.graph.basic", "aesara.graph.op", "aesara.graph.features"), {}),
    "theano.gof.graph": (_GRAPH, {}),
    "theano.gof.op": (("aesara.graph.op",), {}),
    "theano.gof.type": (("aesara.graph.type",), {}),
    "theano.sandbox": (("aesara.sandbox",), {}),
    "theano.sandbox.rng_mrg": (("crmn_legacy.backend.theano_rng_mrg", "aesara.sandbox.rng_mrg"), {}),
    "theano.scan_module": (("aesara.scan", "aesara.scan.basic", "aesara.scan.views"), {"clone": clone}),
    "theano.scan_module.scan_utils": (("aesara.scan.utils", *_GRAPH), {"clone": clone}),
    "theano.tensor": (_TENSOR, _TENSOR_NAMES),
    "theano.tensor.basic": (_TENSOR, _TENSOR_NAMES),
    "theano.tensor.nnet": (_NNET, _NNET_NAMES),
    "theano.tensor.nnet.conv": (("aesara.tensor.nnet.conv",), {"conv2d": f"{_OURS}.nnet:conv2d"}),
    "theano.tensor.nnet.nnet": (_NNET, _NNET_NAMES),
    "theano.tensor.nnet.sigm": (_NNET, _NNET_NAMES),
    "theano.tensor.raw_random": (("crmn_legacy.backend.theano_raw_random",), {}),
    "theano.tensor.shared_randomstreams": (("crmn_legacy.backend.theano_random_streams",), {}),
    "theano.tensor.signal": (("aesara.tensor.signal",), {}),
    "theano.tensor.signal.downsample": (("aesara.tensor.signal.pool",), {"max_pool_2d": f"{_OURS}.nnet:max_pool_2d"}),
}
for _name, (_sources, _names) in TABLES.items():
    _has = MODULES.get(_name, ((), {}))
    MODULES[_name] = ((*_has[0], *_sources), {**_names, **_has[1]})
