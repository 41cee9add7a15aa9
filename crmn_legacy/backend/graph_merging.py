"""A graph in which nothing is computed twice, nor overflows where its value does not."""

from aesara.graph.basic import Apply, clone_get_equiv
from aesara.graph.fg import FunctionGraph
from aesara.graph.op import Op
from aesara.graph.rewriting.basic import MergeOptimizer
from aesara.link.c.type import generic

from crmn_legacy.backend.stabilization import stabilized


def merged(inputs, outputs):
    """A copy of a graph where nothing is computed twice, nor overflows where its value does not.

    Of Aesara's own rewrites only merging pays: XLA simplifies and fuses by itself.

    Parameters
    ----------
    inputs, outputs : list of Variable

    Returns
    -------
    tuple of (list of Variable, list of Variable)
        Its inputs and its outputs.
    """
    memo = clone_get_equiv(inputs, outputs, copy_inputs=True, copy_orphans=True)
    # A FunctionGraph walks all of its variables again for each output that it is given, and searches the list of inputs
    # for each that a node reads: minutes for a thousand layers. So it is given one node that reads the outputs, and
    # need not check; `lower` tells of inputs that are missing.
    gathered = _Gather().make_node(*(memo[variable] for variable in outputs))
    graph = FunctionGraph([memo[variable] for variable in inputs], [], clone=False)
    graph.import_node(gathered, check=False)
    graph.add_output(gathered.outputs[0])
    MergeOptimizer().rewrite(graph)
    stabilized(graph, merging=False)
    return graph.inputs, gathered.inputs


class _Gather(Op):
    """All outputs of a graph as the inputs of one node, which is never computed."""

    __props__ = ()

    def make_node(self, *outputs):
        return Apply(self, outputs, [generic()])

    def perform(self, node, inputs, output_storage):
        raise AssertionError("a node that only holds its inputs together is not computed")
