"""What answers for ``theano.gof``: graphs, rewrites of a node without its graph, and test values."""

import hashlib
from collections import Counter

from aesara import config
from aesara.graph import basic, utils
from aesara.graph.op import Op as _Op
from aesara.graph.op import get_test_values
from aesara.graph.rewriting import basic as rewriting
from aesara.graph.rewriting.basic import FromFunctionNodeRewriter, NodeRewriter
from aesara.graph.rewriting.utils import is_same_graph as _is_same_graph
from aesara.link.c.op import COp

object2 = object


class _OpKind(type(COp)):
    """Says of every operation, those of Aesara too, that it is an `Op`."""

    def __instancecheck__(cls, value):
        return cls.__subclasscheck__(type(value))

    def __subclasscheck__(cls, kind):
        # Not by issubclass, which would ask the subclasses of Aesara's, this one among them.
        return _Op in kind.__mro__ if cls is Op else cls in kind.__mro__


class Op(COp, metaclass=_OpKind):
    """A program's own operation, with Python code, C code, or both; ``theano.Op``."""

    def perform(self, node, inputs, output_storage, params=None):
        """Compute; for a class to define."""
        raise utils.MethodNotDefined("perform", type(self), type(self).__name__)

    def c_code(self, node, name, inputs, outputs, sub):
        """C code that computes; for a class to define."""
        raise utils.MethodNotDefined("c_code", type(self), type(self).__name__)


scratchpad = utils.Scratchpad


def local_optimizer(tracks, inplace=False, requirements=()):
    """Make a rewrite of a function that takes a node; ``theano.gof.local_optimizer``.

    Parameters
    ----------
    tracks : list
        Operations, or their classes, whose nodes it is called with; None for all.
    inplace : bool
        It makes nodes that overwrite their inputs.
    requirements : sequence
        Features that it needs of a graph.
    """

    def decorated(function):
        def rewrite(fgraph, node):
            return function(node)

        rewrite.__name__, rewrite.__doc__ = function.__name__, function.__doc__
        return rewriting.node_rewriter(tracks, inplace, requirements)(rewrite)

    return decorated


class LocalOptimizer(NodeRewriter):
    """A rewrite of nodes, whose method ``transform(node)`` a program defines; ``theano.gof.LocalOptimizer``."""

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        transform = vars(cls).get("transform")
        if transform is not None and transform.__code__.co_argcount == 2:
            cls.transform = lambda self, fgraph, node: transform(self, node)

    def transform(self, fgraph, node):
        """Nothing, until a class says otherwise."""
        return False


def FromFunctionLocalOptimizer(fn, tracks=None, requirements=()):
    """A rewrite of a function of a node; ``theano.gof.opt.FromFunctionLocalOptimizer``."""
    return FromFunctionNodeRewriter(lambda fgraph, node: fn(node), tracks, requirements)


def inputs(variable_list, blockers=None):
    """The variables that a graph begins with, a list; ``theano.gof.graph.inputs``."""
    return list(basic.graph_inputs(variable_list, blockers))


def ancestors(variable_list, blockers=None):
    """All variables that others are computed from, these included, a list; ``theano.gof.graph.ancestors``."""
    return list(basic.ancestors(variable_list, blockers))


def ops(i, o):
    """The nodes between variables `i` and `o`; ``theano.gof.graph.ops``."""
    return set(basic.applys_between(i, o))


def variables(i, o):
    """The variables between `i` and `o`, these two included; ``theano.gof.graph.variables``."""
    return list(basic.vars_between(i, o))


def orphans(i, o):
    """The variables that `o` needs and `i` does not give; ``theano.gof.graph.orphans``."""
    return list(basic.orphans_between(i, o))


def variables_and_orphans(i, o):
    """`variables` and `orphans`."""
    return variables(i, o), orphans(i, o)


def clone_get_equiv(inputs, outputs, copy_inputs_and_orphans=None, memo=None, copy_inputs=True, copy_orphans=True):
    """Copy a graph: a dict from each of its parts to the copy; ``theano.gof.graph.clone_get_equiv``."""
    if isinstance(memo, bool):
        # Since 0.8 one for the inputs, and one for the orphans.
        copy_inputs, copy_orphans, memo = copy_inputs_and_orphans, memo, None
    elif copy_inputs_and_orphans is not None:
        copy_inputs = copy_orphans = copy_inputs_and_orphans
    return basic.clone_get_equiv(inputs, outputs, copy_inputs=copy_inputs, copy_orphans=copy_orphans, memo=memo)


def is_same_graph(var1, var2, givens=None, debug=False):
    """Whether two variables are computed alike; ``theano.gof.graph.is_same_graph``."""
    return _is_same_graph(var1, var2, givens)


def general_toposort(r_out, deps, debug_print=False, compute_deps_cache=None, deps_cache=None, clients=None):
    """Nodes in the order in which `deps` has them; ``theano.gof.graph.general_toposort``."""
    return basic.general_toposort(r_out, deps, compute_deps_cache, deps_cache, clients)


# Test values.


def get_debug_values(*arguments):
    """The test values of variables, several as a tuple, in a list of one or none; ``gof.op.get_debug_values``."""
    return get_test_values(*arguments)


def debug_error_message(msg):
    """Tell of a wrong test value: an error, or a warning, as ``compute_test_value`` says; see `debug_assert`."""
    import warnings

    text = f"compute_test_value: {msg}"
    if config.compute_test_value in ("raise", "ignore"):
        raise ValueError(text)
    if config.compute_test_value != "off":
        warnings.warn(text, stacklevel=2)


def debug_assert(condition, msg=None):
    """Demand of test values that `condition` holds; ``theano.gof.op.debug_assert``."""
    if not condition:
        debug_error_message("" if msg is None else msg)


# Small things of ``theano.gof.utils``.


class undef:  # noqa: N801 - Theano's name
    """A value that is none."""


def hashtype(self):
    """A hash of an object's class."""
    kind = type(self)
    return hash(kind.__name__) ^ hash(kind.__module__)


def to_return_values(values):
    """The one value of a list of one, else the list."""
    return values[0] if len(values) == 1 else values


def unique(x):
    """Whether no two of a list are equal."""
    return len(set(x)) == len(x)


def hist(coll):
    """How often each of a collection is there, a dict."""
    return dict(Counter(coll))


def remove(predicate, coll):
    """Those of a collection for which `predicate` does not hold, a list."""
    return [value for value in coll if not predicate(value)]


def give_variables_names(variables):
    """Give each variable a name of its own, and return the names."""
    names = [variable.name for variable in variables]
    for number, variable in enumerate(variables):
        if variable.name is None or names.count(variable.name) > 1:
            variable.name = f"{variable.name or ''}_{number}"
    return [variable.name for variable in variables]


def hash_from_file(file_path):
    """A digest of a file's content."""
    with open(file_path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def hash_from_dict(d):
    """A digest of a dict of simple things."""
    return hashlib.sha256(repr(sorted(d.items())).encode()).hexdigest()


def map_variables(replacer, graphs, additional_inputs=()):
    """Copies of `graphs` in which `replacer` has said what stands for each variable; ``scan_utils.map_variables``.

    Parameters
    ----------
    replacer : callable
        Takes a variable of the copy and returns what is to stand for it, itself as a rule.
    graphs : list of Variable
    additional_inputs : sequence of Variable
        Has no effect: inputs are shared.

    Raises
    ------
    NotImplementedError
        Where a graph holds graphs of its own, those of a scan.
    """
    replaced = {}
    for node in basic.io_toposort([], graphs):
        if hasattr(node.op, "fgraph"):
            raise NotImplementedError("map_variables does not go into the graphs that an operation holds")
        inputs = [_mapped(variable, replacer, replaced) for variable in node.inputs]
        copy = node.clone_with_new_inputs(inputs, strict=False)
        replaced.update((old, replacer(new)) for old, new in zip(node.outputs, copy.outputs, strict=True))
    return [_mapped(variable, replacer, replaced) for variable in graphs]


def _mapped(variable, replacer, replaced):
    if variable not in replaced:
        replaced[variable] = replacer(variable)
    return replaced[variable]


def format_as(use_list, use_tuple, outputs):
    """Outputs as a list, a tuple, or the one of them; ``theano.gradient.format_as``."""
    assert not (use_list and use_tuple), "Both flags cannot be simultaneously True"
    if use_list or use_tuple:
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        return list(outputs) if use_list else tuple(outputs)
    if isinstance(outputs, list | tuple):
        assert len(outputs) == 1, "Wrong arguments. Expected a one element list"
        return outputs[0]
    return outputs
