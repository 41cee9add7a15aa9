import numpy as np
import pytest

# isort: split
import aesara
import theano
import theano.tensor as T
from theano import gof


class Doubled(theano.Op):
    """An operation as programs of the time wrote theirs."""

    def __init__(self, factor=2):
        self.factor = factor

    def __eq__(self, other):
        return type(self) is type(other) and self.factor == other.factor

    def __hash__(self):
        return hash(type(self)) ^ hash(self.factor)

    def make_node(self, x):
        x = T.as_tensor_variable(x)
        return gof.Apply(self, [x], [x.type()])

    def perform(self, node, inputs, output_storage):
        output_storage[0][0] = inputs[0] * self.factor

    def infer_shape(self, node, i0_shapes):
        self.asked = True
        return i0_shapes

    def grad(self, inputs, output_gradients):
        return [output_gradients[0] * self.factor]


def test_a_programs_operation_computes_has_a_gradient_and_infers_its_shape():
    x, doubled = T.dmatrix(), Doubled()
    mode = aesara.compile.mode.Mode("py", "fast_run")
    with aesara.config.change_flags(cxx="", on_shape_error="raise"):
        function = theano.function([x], [doubled(x), theano.grad(doubled(x).sum(), x)], mode=mode)
        shape = theano.function([x], doubled(x).shape, mode=mode)
    value, gradient = function(np.ones((2, 3)))
    assert value.tolist() == gradient.tolist() == [[2] * 3] * 2
    assert shape(np.ones((2, 3))).tolist() == [2, 3] and doubled.asked
    assert not any(isinstance(node.op, Doubled) for node in shape.maker.fgraph.toposort())


def test_every_operation_is_an_op_and_only_its_own_are_of_a_programs_class():
    added = T.exp(T.dvector()).owner.op
    assert isinstance(added, theano.Op) and isinstance(Doubled(), theano.gof.Op) and issubclass(Doubled, theano.Op)
    assert isinstance(Doubled(), aesara.graph.op.Op) and not isinstance(added, Doubled) and not isinstance(3, theano.Op)
    assert isinstance(Doubled(), Doubled) and not issubclass(int, theano.Op)


class InC(theano.Op):
    """Has C code and nothing else, in the methods of the time."""

    __props__ = ()

    def make_node(self, x):
        return gof.Apply(self, [x], [x.type()])

    def c_headers(self):
        return ["<math.h>"]

    def c_code(self, node, name, inputs, outputs, sub):
        (x,), (z,) = inputs, outputs
        return f"""
            Py_XDECREF({z});
            {z} = (PyArrayObject*)PyArray_NewCopy({x}, NPY_CORDER);
            ((npy_double*)PyArray_DATA({z}))[0] = floor(((npy_double*)PyArray_DATA({z}))[0] + 1.5);
        """

    def c_code_cache_version(self):
        return (1,)

    def do_constant_folding(self, node):
        return False


def test_an_operation_in_c_alone_is_made_and_computes_where_c_does():
    x = T.dvector()
    with aesara.config.change_flags(cxx=""), pytest.raises(gof.utils.MethodNotDefined):
        theano.function([x], InC()(x), mode=aesara.compile.mode.Mode("py", None))([1.0])
    if not aesara.config.cxx:
        pytest.skip("no C++ compiler")
    mode = aesara.compile.mode.Mode("c|py", "fast_compile")
    assert theano.function([x], [InC()(x), InC()(T.constant([3.0]))], mode=mode)([1.0])[0].tolist() == [2]


def rewritten(query, output, *inputs):
    graph = aesara.graph.fg.FunctionGraph(list(inputs), [output], clone=False)
    query.rewrite(graph)
    return graph.outputs[0]


def test_a_rewrite_of_nodes_is_made_by_a_decorator_and_registered():
    @T.opt.register_canonicalize("a_test_of_names")
    @gof.local_optimizer([Doubled])
    def local_doubled(node):
        """Adds instead."""
        if node.op.factor != 2:
            return False
        return [node.inputs[0] + node.inputs[0]]

    x = T.dvector()
    assert local_doubled.__name__ == "local_doubled"
    query = theano.compile.optdb.query(gof.Query(include=["canonicalize"]))
    names = {type(node.op).__name__ for node in gof.graph.ops([x], [rewritten(query, Doubled()(x), x)])}
    assert "Doubled" not in names
    x = T.dvector()
    assert rewritten(query, Doubled(3)(x), x).owner.op == Doubled(3)


def test_rewrites_of_a_class_a_pattern_and_a_removal():
    class Cleared(gof.LocalOptimizer):
        def tracks(self):
            return [Doubled]

        def transform(self, node):
            return [node.inputs[0]]

    x = T.dvector()
    for rewrite in (Cleared(), gof.OpRemove(Doubled()), gof.opt.FromFunctionLocalOptimizer(lambda node: node.inputs)):
        assert rewritten(gof.TopoOptimizer(rewrite), Doubled()(x), x) is x
    swapped = gof.OpSub(Doubled(), Doubled(5))
    assert rewritten(gof.TopoOptimizer(swapped), Doubled()(x), x).owner.op == Doubled(5)
    pattern = gof.PatternSub((Doubled(), (Doubled(), "x")), (Doubled(4), "x"))
    assert rewritten(gof.TopoOptimizer(pattern, "in_to_out"), Doubled()(Doubled()(x)), x).owner.op == Doubled(4)


def test_parts_of_a_graph():
    x, y = T.dvector("x"), T.dvector("y")
    z = x * 2 + y
    graph = gof.graph
    assert graph.inputs([z])[0] in (x, y) and x in graph.ancestors([z])
    assert {node.op for node in graph.ops([x, y], [z])} >= {z.owner.op}
    assert {x, y, z} <= set(graph.variables([x, y], [z]))
    assert y in graph.orphans([x], [z]) and graph.variables_and_orphans([x], [z])[1] == graph.orphans([x], [z])
    assert graph.is_same_graph(x * 2, x * 2, None, False)
    order = graph.general_toposort(
        [z], lambda value: value.owner.inputs if getattr(value, "owner", None) else [], False
    )
    assert order[-1] is z
    for arguments in ((True,), (False,), (False, True), (True, {})):
        copies = graph.clone_get_equiv([x, y], [z], *arguments)
        assert copies[z] is not z
        assert (copies[x] is x) == (arguments[0] is False)


def test_variables_are_mapped():
    x, y = T.dvector("x"), T.dvector("y")
    from theano.scan_module.scan_utils import map_variables

    (found,) = map_variables(lambda variable: y if variable is x else variable, [T.exp(x) + x])
    assert gof.graph.inputs([found]) == [y]
    repeated, _ = theano.scan(lambda a: a + 1, sequences=x)
    with pytest.raises(NotImplementedError):
        map_variables(lambda variable: variable, [repeated])


def test_test_values_are_asked_for():
    from theano.gof.op import debug_assert, debug_error_message, get_debug_values

    x = T.dvector()
    assert list(get_debug_values(x)) == []
    with theano.config.change_flags(compute_test_value="raise"):
        x.tag.test_value = np.ones(2)
        assert [value.tolist() for value in get_debug_values(x)] == [[1, 1]]
        assert [len(both) for both in get_debug_values(x, x)] == [2]
        debug_assert(True)
        with pytest.raises(ValueError, match="wrong"):
            debug_assert(False, "wrong")
    with theano.config.change_flags(compute_test_value="warn"), pytest.warns(UserWarning, match="wrong"):
        debug_error_message("wrong")


def test_small_things(tmp_path):
    utils = gof.utils
    (tmp_path / "file").write_text("x")
    assert utils.hash_from_file(str(tmp_path / "file")) == utils.hash_from_file(str(tmp_path / "file"))
    assert utils.hash_from_dict({"a": 1, "b": 2}) == utils.hash_from_dict({"b": 2, "a": 1}) != utils.hash_from_dict({})
    assert utils.hashtype(1) == utils.hashtype(2) != utils.hashtype("")
    assert utils.to_return_values([1]) == 1 and utils.to_return_values([1, 2]) == [1, 2]
    assert utils.unique([1, 2]) and not utils.unique([1, 1])
    assert utils.hist("aab") == {"a": 2, "b": 1} and utils.remove(str.isdigit, "a1") == ["a"]
    x, y = T.scalar("a"), T.scalar("a")
    assert len(set(utils.give_variables_names([x, y, T.scalar()]))) == 3
    from theano.gradient import format_as

    assert (format_as(True, False, 1), format_as(False, True, [1, 2]), format_as(False, False, [1])) == ([1], (1, 2), 1)
