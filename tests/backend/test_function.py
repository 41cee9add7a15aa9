"""theano.function through XLA: what callers see is what Aesara's own functions show them."""

import copy
import pickle

import aesara
import aesara.tensor as at
import numpy as np
import pytest
from aesara.compile.io import In, Out
from aesara.compile.mode import Mode

from crmn_legacy.backend import device_values, function

FLOAT = aesara.config.floatX


@pytest.fixture(autouse=True, scope="module")
def through_xla():
    """Functions compiled by XLA while this module's tests run."""
    function.install(default=False)
    with function.xla_compiles():
        yield


@pytest.fixture
def x():
    return at.vector("x")


def thunk_of(compiled):
    return compiled.vm


def programs_of(compiled):
    """How many programs XLA compiled for a function."""
    return sum(
        len(candidates)
        for stage in thunk_of(compiled)._staged()._stages
        for candidates in getattr(stage, "_compiled", {}).values()
    )


def test_a_function_is_computed_by_xla(x):
    compiled = aesara.function([x], x * 2)
    assert compiled(np.ones(3, FLOAT)).tolist() == [2, 2, 2]
    assert isinstance(thunk_of(compiled), function.XlaThunk)


@pytest.mark.parametrize("mode", [None, "FAST_RUN", "FAST_COMPILE", Mode(linker="py", optimizer=None)])
def test_any_mode_that_only_says_how_to_compile_is_xlas(x, mode):
    compiled = aesara.function([x], x + 1, mode=mode)
    assert compiled(np.zeros(2, FLOAT)).tolist() == [1, 1]
    assert isinstance(thunk_of(compiled), function.XlaThunk)


def test_a_mode_that_looks_into_each_value_stays_aesaras(x):
    shared = aesara.shared(np.zeros(2, FLOAT))
    step = aesara.function([x], updates=[(shared, shared + x)])
    watched = aesara.function([x], x + shared, mode="DebugMode")
    step(np.ones(2, FLOAT))
    assert watched(np.ones(2, FLOAT)).tolist() == [2, 2]


def test_inputs_have_names_and_defaults(x):
    y = at.scalar("y")
    compiled = aesara.function([x, In(y, value=3, name="times")], x * y)
    assert compiled(np.ones(2, FLOAT)).tolist() == [3, 3]
    assert compiled(np.ones(2, FLOAT), times=2).tolist() == [2, 2]
    assert compiled(x=np.ones(2, FLOAT)).tolist() == [3, 3]


def test_givens_replace_and_updates_follow_the_call(x):
    data, count = aesara.shared(np.arange(6, dtype=FLOAT)), aesara.shared(0)
    compiled = aesara.function([], x.sum(), givens={x: data[2:4]}, updates=[(count, count + 1)])
    assert compiled() == 5
    assert compiled() == 5
    assert count.get_value() == 2


def test_default_updates_are_made_unless_refused():
    count = aesara.shared(0)
    count.default_update = count + 1
    aesara.function([], count)()
    aesara.function([], count, no_default_updates=True)()
    assert count.get_value() == 1


def test_several_outputs_come_as_a_list_or_a_dict(x):
    values = np.arange(3, dtype=FLOAT)
    first, second = aesara.function([x], [x, x.sum()])(values)
    assert first.tolist() == [0, 1, 2] and second == 3
    assert aesara.function([x], {"a": x.sum()})(values) == {"a": 3}
    assert aesara.function([x], on_unused_input="ignore")(values) == []


def test_an_output_may_be_written_and_is_the_callers_own(x):
    shared = aesara.shared(np.zeros(3, FLOAT))
    given = np.ones(3, FLOAT)
    handed_on, doubled, held = aesara.function([x], [x, x * 2, Out(shared, borrow=True)])(given)
    for array in (handed_on, doubled, held):
        array += 5
    assert given.tolist() == [1, 1, 1]
    assert shared.get_value().tolist() == [0, 0, 0]


def test_an_input_that_is_not_used_is_refused_unless_told_otherwise(x):
    with pytest.raises(Exception, match="not part of the computational graph"):
        aesara.function([x, at.scalar()], x)
    compiled = aesara.function([x, at.scalar()], x + 1, on_unused_input="ignore")
    assert compiled(np.zeros(1, FLOAT), 0).tolist() == [1]


def test_a_wider_number_is_refused_unless_downcasts_are_allowed():
    x = at.fvector()
    with pytest.raises(TypeError):
        aesara.function([x], x)(np.ones(2))
    assert aesara.function([x], x + 1, allow_input_downcast=True)(np.ones(2)).dtype == "float32"


def test_dtypes_are_aesaras():
    i, x = at.lvector(), at.dvector()
    outputs = [i + 1, x * 2, at.cast(x, "int8"), x > 0, i.sum()]
    found = aesara.function([i, x], outputs)(np.arange(2), np.ones(2))
    assert [value.dtype for value in found] == [output.dtype for output in outputs]


def test_trusted_inputs_are_taken_as_they_are(x):
    compiled = aesara.function([x], x + 1)
    compiled.trust_input = True
    assert compiled(np.zeros(2, FLOAT)).tolist() == [1, 1]


def test_a_copy_has_shared_values_of_its_own_or_none_updated():
    count, other = aesara.shared(0, name="count"), aesara.shared(10, name="other")
    step = aesara.function([], count, updates=[(count, count + 1)])
    step()
    swapped = step.copy(swap={count: other})
    swapped()
    assert (count.get_value(), other.get_value()) == (1, 11)
    still = step.copy(delete_updates=True)
    assert still() == 1
    assert count.get_value() == 1


def test_a_function_survives_a_pickle(x):
    w = aesara.shared(np.full(2, 3, FLOAT))
    compiled = aesara.function([x], (w * x).sum(), updates=[(w, w + 1)])
    compiled(np.ones(2, FLOAT))
    again = pickle.loads(pickle.dumps(compiled))
    assert again(np.ones(2, FLOAT)) == 8


def test_profiling_is_accepted(x):
    compiled = aesara.function([x], x + 1, profile=True)
    compiled(np.zeros(2, FLOAT))
    assert compiled.profile.fct_callcount == 1
    compiled.profile.fct_callcount = 0  # nothing to print at exit


# Shared values.


def test_an_updated_value_stays_on_the_device_until_it_is_looked_at(x):
    w = aesara.shared(np.zeros(2, FLOAT))
    step = aesara.function([x], updates=[(w, w + x)])
    step(np.ones(2, FLOAT))
    assert device_values.is_on_device(w.container.storage[0])
    assert w.get_value().tolist() == [1, 1]
    step(np.ones(2, FLOAT))
    assert w.get_value().tolist() == [2, 2]


def test_a_value_that_was_got_is_a_copy_unless_borrowed(x):
    w = aesara.shared(np.zeros(2, FLOAT))
    step = aesara.function([x], w.sum(), updates=[(w, w + x)])
    step(np.ones(2, FLOAT))
    w.get_value()[:] = 7
    assert step(np.zeros(2, FLOAT)) == 2
    w.get_value(borrow=True)[:] = 7
    assert step(np.zeros(2, FLOAT)) == 14


def test_a_borrowed_value_keeps_its_numbers_when_the_variable_is_updated(x):
    w = aesara.shared(np.zeros(2, FLOAT))
    step = aesara.function([x], updates=[(w, w + x)])
    step(np.ones(2, FLOAT))
    borrowed = w.get_value(borrow=True)
    for _ in range(3):
        step(np.ones(2, FLOAT))
    assert borrowed.tolist() == [1, 1]
    assert w.get_value().tolist() == [4, 4]


def test_a_value_that_is_set_is_read_by_the_next_call():
    w = aesara.shared(np.zeros(2, FLOAT))
    total = aesara.function([], w.sum(), updates=[(w, w + 1)])
    total()
    w.set_value(np.full(5, 2, FLOAT))
    assert total() == 10
    assert w.get_value().tolist() == [3] * 5


def test_values_may_be_exchanged():
    a, b = aesara.shared(np.zeros(3, FLOAT)), aesara.shared(np.ones(3, FLOAT))
    swap = aesara.function([], [a, b], updates=[(a, b), (b, a)])
    for _ in range(3):
        swap()
    assert (a.get_value().tolist(), b.get_value().tolist()) == ([1, 1, 1], [0, 0, 0])


def test_one_value_handed_to_two_variables_is_two_values(x):
    a, b, c = (aesara.shared(np.zeros(4, FLOAT)) for _ in range(3))
    step = aesara.function([x], updates=[(a, x), (b, x), (c, a)])
    add = aesara.function([], updates=[(a, a + 1)])
    step(np.ones(4, FLOAT))
    step(np.ones(4, FLOAT))
    for _ in range(3):
        add()
    assert [v.get_value()[0] for v in (a, b, c)] == [4, 1, 1]


def test_arrays_that_the_caller_writes_again_are_not_read_late(x):
    w = aesara.shared(np.zeros(100_000, FLOAT))
    step = aesara.function([x], updates=[(w, w + x)])
    batch = np.ones(100_000, FLOAT)
    for number in range(5):
        batch[:] = number
        step(batch)
    assert np.all(w.get_value() == 10)


def test_a_value_of_the_callers_own_array_is_not_overwritten():
    mine = np.zeros(1000, FLOAT)
    w = aesara.shared(mine, borrow=True)
    aesara.function([], updates=[(w, w + 1)])()
    assert np.all(mine == 0)
    assert np.all(w.get_value() == 1)


def test_shared_variables_are_pickled_and_copied_with_what_was_computed(x):
    w = aesara.shared(np.zeros(2, FLOAT))
    step = aesara.function([x], updates=[(w, w + x)])
    for again in (lambda v: pickle.loads(pickle.dumps(v)), copy.deepcopy):
        step(np.ones(2, FLOAT))
        found = again(w).get_value()
        assert type(found) is np.ndarray
        assert found.tolist() == w.get_value().tolist()


def test_a_clone_of_a_shared_variable_sees_its_value():
    w = aesara.shared(np.zeros(2, FLOAT))
    twin = w.clone()
    compiled = aesara.function([], w + twin, updates=[(w, w + 1)])
    compiled()
    assert compiled().tolist() == [2, 2]


# Shapes that follow from integers.


def test_one_program_serves_all_minibatches():
    data, i, size = aesara.shared(np.arange(100, dtype=FLOAT).reshape(50, 2)), at.lscalar(), 4
    compiled = aesara.function([i], data[i * size : (i + 1) * size].sum())
    expected = data.get_value()
    for index in range(12):
        assert compiled(index) == expected[4 * index : 4 * index + 4].sum()
    assert programs_of(compiled) == 1
    assert compiled(12) == expected[48:].sum()  # the last one is shorter
    assert programs_of(compiled) == 2


def test_a_size_that_is_given_makes_a_program_for_each():
    n = at.iscalar()
    compiled = aesara.function([n], at.zeros((n, 2)) + 1)
    assert [compiled(k).shape for k in (2, 3, 2)] == [(2, 2), (3, 2), (2, 2)]
    assert programs_of(compiled) == 2


@pytest.mark.parametrize("bounds", [(2, 5), (-4, 7), (5, 2), (0, 100), (-100, 3), (6, 10)])
@pytest.mark.parametrize("step", [None, 2, -1])
def test_slices_are_pythons(bounds, step):
    start, stop = at.lscalars("start", "stop")
    x = np.arange(10, dtype=FLOAT)
    compiled = aesara.function([start, stop], at.constant(x)[start:stop:step])
    assert compiled(*bounds).tolist() == x[slice(*bounds, step)].tolist()


def test_a_part_is_set_where_an_integer_says():
    i, w = at.lscalar(), aesara.shared(np.zeros(10, FLOAT))
    compiled = aesara.function([i], updates=[(w, at.set_subtensor(w[2 * i : 2 * i + 2], i))])
    for index in range(1, 5):
        compiled(index)
    assert w.get_value().tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert programs_of(compiled) == 1


def test_ranges_move_with_an_integer():
    i = at.lscalar()
    compiled = aesara.function([i], at.constant(np.arange(20) * 2)[at.arange(i * 3, i * 3 + 3)])
    assert [compiled(k).tolist() for k in (0, 2)] == [[0, 2, 4], [12, 14, 16]]
    assert programs_of(compiled) == 1


def test_a_shape_may_be_a_vector_of_integers():
    shape = at.lvector()
    compiled = aesara.function([shape], at.arange(12).reshape(shape, ndim=2))
    assert [compiled(np.array(s)).shape for s in ((3, 4), (2, 6))] == [(3, 4), (2, 6)]


def test_a_scan_of_as_many_steps_as_are_given():
    n = at.iscalar()
    powers, _ = aesara.scan(lambda p: p * 2, outputs_info=at.constant(1.0), n_steps=n)
    compiled = aesara.function([n], powers)
    assert [compiled(k).tolist() for k in (2, 4)] == [[2, 4], [2, 4, 8, 16]]


def test_a_size_kept_in_a_shared_variable_is_read_at_each_call():
    n, w = aesara.shared(2), aesara.shared(np.arange(10, dtype=FLOAT))
    compiled = aesara.function([], w[:n].sum(), updates=[(n, n + 1)])
    assert [compiled() for _ in range(3)] == [1, 3, 6]


# What XLA cannot compute.


def test_a_mask_selects_on_the_host(x, capsys):
    compiled = aesara.function([x], (x[x > 0] * 2).sum())
    assert compiled(np.array([1, -1, 3], FLOAT)) == 8
    assert compiled(np.array([1, -1, -3, 1], FLOAT)) == 4
    told = capsys.readouterr().err.splitlines()
    assert all(line.startswith("note: ") for line in told)


def test_an_op_of_the_programs_own_is_computed_by_its_perform(x, capsys):
    from aesara.compile.ops import as_op

    @as_op(itypes=[at.dvector], otypes=[at.dvector])
    def backward(values):
        return values[::-1].copy()

    x = at.dvector()
    w = aesara.shared(np.ones(3))
    compiled = aesara.function([x], backward(x * w).sum() + x[0], updates=[(w, backward(w + x))])
    assert compiled(np.arange(3.0)) == 3
    assert w.get_value().tolist() == [3, 2, 1]
    assert "backward" in capsys.readouterr().err


def test_a_fault_of_the_values_is_told_as_aesara_tells_it_and_says_nothing_of_other_calls():
    a, b = at.matrices("a", "b")
    compiled = aesara.function([a, b], at.dot(a, b))
    with pytest.raises(ValueError, match="Apply node that caused the error"):
        compiled(np.ones((2, 3), FLOAT), np.ones((2, 3), FLOAT))
    assert compiled(np.ones((2, 3), FLOAT), np.ones((3, 2), FLOAT)).tolist() == [[3, 3], [3, 3]]
    assert not thunk_of(compiled)._on_host


def test_nothing_is_lost_where_a_step_fails():
    w, a = aesara.shared(np.zeros(3, FLOAT)), at.matrix()
    step = aesara.function([a], updates=[(w, w + at.dot(a, w))])
    step(np.ones((3, 3), FLOAT))
    with pytest.raises(ValueError):
        step(np.ones((2, 2), FLOAT))
    assert w.get_value().tolist() == [0, 0, 0]


def test_what_aesara_compiles_itself_is_left_to_it(x):
    with function.aesara_compiles():
        compiled = aesara.function([x], x + 1, mode=Mode(linker="py", optimizer=None))
    assert not isinstance(compiled.vm, function.XlaThunk)


def test_an_index_out_of_range_is_told_as_aesara_tells_it():
    i = at.lscalar()
    compiled = aesara.function([i], aesara.shared(np.arange(6.0).reshape(2, 3))[i])
    assert compiled(-1).tolist() == [3, 4, 5]
    for beyond in (2, -3):
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(beyond)
    assert compiled(0).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["assertion", "root"])
def test_what_aesara_raises_about_values_is_raised_and_updates_nothing(kind, capsys):
    from aesara.raise_op import Assert
    from aesara.tensor.slinalg import cholesky

    x, w = at.dmatrix(), aesara.shared(np.zeros(()))
    checked = Assert("all positive")(x, at.all(x > 0)) if kind == "assertion" else cholesky(x)
    error, message = (AssertionError, "all positive") if kind == "assertion" else (np.linalg.LinAlgError, "definite")
    compiled = aesara.function([x], at.exp(checked).sum(), updates=[(w, w + 1)])
    good = np.array([[2.0, 1], [1, 2]])
    for times in (1, 2):
        compiled(good)
        with pytest.raises(error, match=message):
            compiled(-good)
        assert w.get_value() == times
    assert capsys.readouterr().err.startswith("note: ")


def test_values_are_printed_before_the_call_returns(x, capfd):
    from aesara.printing import Print

    compiled = aesara.function([x], Print("the sum")(x.sum()) * 2)
    for value in (1, 2):
        assert compiled(np.full(3, value, FLOAT)) == 6 * value
        assert capfd.readouterr().out == f"the sum __str__ = {3.0 * value}\n"


def test_a_draw_whose_length_depends_on_data_is_made_on_the_host_and_goes_on(capsys):
    from crmn_legacy.backend.theano_random_streams import RandomStreams

    n = at.lvector()
    streams = RandomStreams(3)
    compiled = aesara.function([n], streams.permutation(n=n.sum()))
    seed = int(np.random.RandomState(3).randint(2**30))
    expected = np.random.RandomState(seed)
    for _ in range(2):
        drawn = compiled(np.array([2, 3] * 20))
        assert np.ravel(drawn).tolist() == expected.permutation(100).tolist()


def test_sparse_matrices_are_computed_with_on_the_host(capsys):
    import scipy.sparse
    from aesara import sparse

    a, m = sparse.csr_matrix("a"), at.dmatrix("m")
    w = aesara.shared(np.ones((4, 2)))
    compiled = aesara.function([a, m], at.dot(sparse.dot(a, m), w).sum(), updates=[(w, w * 2)])
    given = scipy.sparse.csr_matrix(np.diag([1.0, 2.0, 3.0]))
    assert [compiled(given, np.ones((3, 4))) for _ in range(2)] == [48, 96]
    assert "note: SparseDot" in capsys.readouterr().err


def test_a_slice_for_what_the_host_indexes_is_made_there():
    x, y = at.dmatrix("x"), at.dvector("y")
    first = at.cast(y.sum(), "int64")
    compiled = aesara.function([x, y], x[first:, at.cast(y, "int64")] * 2)
    values = np.arange(12.0).reshape(3, 4)
    assert compiled(values, np.array([0.0, 1.0])).tolist() == (values[1:, [0, 1]] * 2).tolist()


def test_the_gradient_of_a_loop_that_the_host_computes_is_that_of_xla():
    from aesara.scan.op import Scan

    v, w = at.dvector(), aesara.shared(0.5)
    h, _ = aesara.scan(lambda x, h: at.tanh(x + h * w), sequences=v, outputs_info=at.zeros((), "float64"))
    given = np.linspace(-1, 1, 7)
    found = []
    for on_host in (False, True):
        compiled = aesara.function([v], [h[-1], at.grad(h[-1], w)])
        loops = [node for node in thunk_of(compiled).graph.toposort() if isinstance(node.op, Scan)]
        assert loops
        if on_host:
            thunk_of(compiled)._on_host.update(dict.fromkeys(loops, NotImplementedError("as a trial")))
        found.append([compiled(given) for _ in range(2)])
    np.testing.assert_allclose(*found, rtol=1e-12)
