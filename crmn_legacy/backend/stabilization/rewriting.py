"""The walk over a graph in which other expressions are put in the place of those that overflow or vanish."""

import logging
from typing import NamedTuple

from aesara import config
from aesara.compile.builders import OpFromGraph
from aesara.graph.basic import Apply
from aesara.graph.rewriting.basic import GraphRewriter, copy_stack_trace
from aesara.link.c.basic import CLinker
from aesara.scan.op import Scan

from crmn_legacy.backend.graph_building import graph_building

from .expressions import Expressions
from .rules import Rules

_REASON = "stabilization"
_log = logging.getLogger(__name__)


class Counts(NamedTuple):
    """What was done to a graph and those in its nodes: nodes that were looked at, merged with equal ones, replaced."""

    visited: int = 0
    merged: int = 0
    replaced: int = 0


class Stabilization(GraphRewriter):
    """`stabilized` as a rewriter of Aesara's: the `optimizer` of a `Mode`, or by itself.

    Examples
    --------
    >>> import aesara
    >>> from aesara.compile.mode import Mode
    >>> x = aesara.tensor.dscalar()
    >>> y = aesara.tensor.log(1 - aesara.tensor.sigmoid(x))
    >>> aesara.function([x], y, mode=Mode("py", Stabilization()))(800)
    array(-800.)
    """

    def apply(self, fgraph):
        """Rewrite a `FunctionGraph` in place."""
        stabilized(fgraph)

    def including(self, *tags):
        """Itself: a mode is asked for rewrites by their tags, of which there are none here to choose from."""
        return self

    excluding = requiring = including


def stabilized(fgraph, merging=True):
    """Replace what overflows or vanishes in a graph, where its value need not; nothing else is touched.

    Nodes are looked at once each, from the inputs to the outputs, so that the time is in proportion to their number.
    The graphs of loops (`Scan`) and of `OpFromGraph` are rewritten in copies of these ops.

    Parameters
    ----------
    fgraph : aesara.graph.fg.FunctionGraph
        Changed in place.
    merging : bool
        Whether nodes that compute the same become one, too.

    Returns
    -------
    Counts
        A graph in which nothing was merged or replaced is as it was, node for node.

    Examples
    --------
    >>> import aesara
    >>> from aesara.graph.fg import FunctionGraph
    >>> x = aesara.tensor.dscalar()
    >>> graph = FunctionGraph([x], [aesara.tensor.log(1 - aesara.tensor.sigmoid(x))], clone=False)
    >>> stabilized(graph)
    Counts(visited=3, merged=0, replaced=1)
    >>> aesara.pprint(graph.outputs[0])
    '(-softplus(<TensorType(float64, ())>))'
    """
    with graph_building(), config.change_flags(compute_test_value="off"):
        return _Walk(fgraph, merging).run()


class _Walk:
    def __init__(self, fgraph, merging):
        self._fgraph, self._merging = fgraph, merging
        self._expressions = Expressions()
        self._rules = Rules(self._expressions)
        self._inner = {}
        self._visited = self._merged = self._replaced = 0

    def run(self):
        for node in self._fgraph.toposort():
            if node in self._fgraph.apply_nodes:
                self._visited += 1
                if not node.op.destroy_map:
                    self._take(node)
        return Counts(self._visited, self._merged, self._replaced)

    def _take(self, node):
        known = self._expressions.meet(node, self._may_stand)
        if known is not node:
            self._merged += 1
            self._replace(node.outputs, known.outputs)
        elif isinstance(node.op, Scan | OpFromGraph):
            self._take_inner_graph(node)
        else:
            self._take_single(node)

    def _may_stand(self, known):
        return self._merging and known in self._fgraph.apply_nodes

    def _take_single(self, node):
        try:
            found = self._rules.replacement(node)
        except Exception as error:  # whatever a graph holds that no rule foresaw, it can be computed as it is
            _log.warning("%s is computed as it is written: %s: %s", node, type(error).__name__, error)
            return
        if found is None or found is node.outputs[0]:
            self._rules.learn(node)
        else:
            self._replaced += 1
            copy_stack_trace(node.outputs[0], found)
            self._replace(node.outputs[:1], [found])

    def _replace(self, old, new):
        for one, other in zip(old, new, strict=True):
            self._fgraph.replace(one, other, reason=_REASON)

    def _take_inner_graph(self, node):
        """Rewrite the graph that a node's op holds."""
        if node.op not in self._inner:
            self._inner[node.op] = _with_stable_graph(node.op)
        op, counts = self._inner[node.op]
        self._visited += counts.visited
        if counts.replaced:
            self._replaced += counts.replaced
            self._replace(node.outputs, Apply(op, list(node.inputs), [one.type() for one in node.outputs]).outputs)


def _with_stable_graph(op):
    """An op like one that holds a graph, with a stable graph, or itself if that was stable; and the `Counts`."""
    stable = op.clone()
    counts = stabilized(stable.fgraph)
    if not counts.replaced:
        return op, counts
    stable._fn = None  # compiled of the graph as it was
    if isinstance(op, Scan):
        stable._cmodule_key = CLinker().cmodule_key_variables(stable.inner_inputs, stable.inner_outputs, [])
        stable._hash_inner_graph = hash(stable._cmodule_key)
    return stable, counts
