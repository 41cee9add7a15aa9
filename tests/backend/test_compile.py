"""One graph, one step, two backends: names, states, updates and what is refused."""

import aesara
import aesara.tensor as T
import jax
import numpy as np
import pytest
from aesara.compile.mode import Mode
from aesara.tensor.nnet.abstract_conv import conv2d

from crmn_legacy.backend.compile import CStep, XlaStep, compile_step
from crmn_legacy.backend.lowerings import settings
from crmn_legacy.backend.lowerings.order import Map


@pytest.fixture
def shared():
    return aesara.shared(np.arange(3.0, dtype="float32"), name="w")


@pytest.fixture(params=["xla", "c"])
def backend(request):
    """Both; Aesara's side by its Python code, which needs no compiler."""
    with aesara.config.change_flags(mode=Mode("py", None), cxx=""):
        yield request.param


def graph(shared):
    x, rate = T.fvector("x"), T.fscalar("rate")
    outputs = {"sum": (shared * x).sum(), "old": shared + 0}
    return {"x": x}, outputs, {shared: shared - rate * x}, {"rate": rate}


X, RATE = np.array([1, 2, 3], "float32"), {"rate": np.float32(0.5)}


def test_a_step_gives_new_state_and_outputs_of_the_old_one(shared, backend):
    step = compile_step(*graph(shared), backend=backend)
    state, outputs = step(step.initial_state(), {"x": X}, RATE)
    found = step.get_outputs(outputs)
    np.testing.assert_array_equal(found["old"], [0, 1, 2])
    assert found["sum"] == 8
    np.testing.assert_array_equal(step.get(state)["w"], [-0.5, 0, 0.5])
    state, outputs = step(state, {"x": X}, {"rate": np.float32(1)})
    np.testing.assert_array_equal(step.get(state)["w"], [-1.5, -2, -2.5])
    # The shared variable itself is where a step begins, and stays there for XLA.
    assert backend == "c" or shared.get_value().tolist() == [0, 1, 2]


def test_put_and_get_are_inverse_and_keep_no_reference(shared, backend):
    step = compile_step(*graph(shared), backend=backend)
    given = {"w": np.array([7, 8, 9], "float32")}
    state = step.put(given)
    given["w"][:] = 0
    np.testing.assert_array_equal(step.get(state)["w"], [7, 8, 9])
    before = {name: np.array(value) for name, value in step.get(state).items()}
    step(step.put(before), {"x": X}, RATE)
    np.testing.assert_array_equal(before["w"], [7, 8, 9])


def test_values_that_only_pass_through_stay_in_the_state(backend):
    kept, moved = (aesara.shared(np.float32(n), name=name) for n, name in ((2, "kept"), (3, "moved")))
    step = compile_step({}, {"product": kept * moved}, {moved: moved + kept}, backend=backend)
    state, outputs = step(step.initial_state(), {})
    assert step.get_outputs(outputs)["product"] == 6
    assert step.get(state) == {"kept": 2, "moved": 5}


def test_updates_read_the_old_state_all_at_once(backend):
    a, b = (aesara.shared(np.float32(n), name=name) for n, name in ((1, "a"), (2, "b")))
    step = compile_step({}, {}, {a: b, b: a}, backend=backend)
    state, _ = step(step.initial_state(), {})
    assert step.get(state) == {"a": 2, "b": 1}
    state, _ = step(state, {})
    assert step.get(state) == {"a": 1, "b": 2}


def test_default_updates_join_in_even_those_behind_other_updates(backend):
    counter = aesara.shared(np.float32(0), name="counter")
    behind = aesara.shared(np.float32(10), name="behind")
    behind.default_update = behind + 1
    counter.default_update = counter + behind
    step = compile_step({}, {"count": counter * 1}, backend=backend)
    state, _ = step(step.initial_state(), {})
    state, outputs = step(state, {})
    assert step.get_outputs(outputs)["count"] == 10
    assert step.get(state) == {"counter": 21, "behind": 12}


def test_clones_that_share_a_container_are_one_value(shared, backend):
    running = shared.clone()
    running.default_update = running * 2
    # The clone gets the update, the original is read: as Lasagne's batch normalisation has it.
    step = compile_step({}, {"read": shared + 0 * running}, backend=backend)
    state, _ = step(step.initial_state(), {})
    _, outputs = step(state, {})
    assert set(step.state_names) == {"w"}
    np.testing.assert_array_equal(step.get_outputs(outputs)["read"], [0, 2, 4])


@pytest.mark.parametrize("named", [True, False])
def test_name_clashes_are_refused_and_nameless_values_get_names(named):
    a, b = (aesara.shared(np.float32(n), name="w" if named else None) for n in (1, 2))
    if named:
        with pytest.raises(ValueError, match="two shared values are named 'w'; give each a name of its own"):
            compile_step({}, {"sum": a + b})
    else:
        assert len(set(compile_step({}, {"sum": a + b}).state_names)) == 2


def test_two_updates_of_one_value_are_refused(shared):
    clone = shared.clone()
    with pytest.raises(ValueError, match="two updates of the shared value 'w'"):
        compile_step({}, {}, {shared: shared + 1, clone: clone + 2})


def test_an_unknown_backend_is_refused(shared):
    with pytest.raises(ValueError, match="'numpy', expected one of xla, c"):
        compile_step(*graph(shared), backend="numpy")


def test_an_update_takes_its_variables_type(backend):
    total = aesara.shared(np.float32(0), name="total")
    step = compile_step({}, {}, {total: total + T.constant(1, dtype="int8")}, backend=backend)
    state, _ = step(step.initial_state(), {})
    assert step.get(state)["total"].dtype == np.float32


def test_xla_compiles_once_for_all_rates_and_once_a_shape(shared):
    x, rate = T.fmatrix("x"), T.fscalar("rate")
    step = compile_step({"x": x}, {"loss": (x * shared).sum()}, {shared: shared * rate}, {"rate": rate})
    state = step.initial_state()
    for number in range(5):
        state, _ = step(state, {"x": np.ones((2, 3), "float32")}, {"rate": np.float32(number)})
    assert step.step._cache_size() == 1
    step(state, {"x": np.ones((4, 3), "float32")}, RATE)
    assert step.step._cache_size() == 2


def test_xla_gives_the_states_buffers_up_unless_told_not_to(shared):
    for donate in (True, False):
        step = compile_step(*graph(shared), donate=donate)
        assert isinstance(step, XlaStep)
        state = step.initial_state()
        step(state, {"x": X}, RATE)
        assert state["w"].is_deleted() == donate


def test_xla_program_can_be_lowered_ahead(shared):
    step = compile_step(*graph(shared))
    text = step.lower(step.initial_state(), {"x": X}, RATE).as_text()
    assert "tf.aliasing_output" in text or "jax.buffer_donor" in text
    assert "custom_call" not in text


def test_xla_program_computes_nothing_twice_whichever_outputs_ask_for_it(shared):
    x = T.fvector("x")
    step = compile_step({"x": x}, {"one": T.exp(x * shared), "other": T.exp(x * shared)}, {shared: T.exp(x * shared)})
    text = step.lower(step.initial_state(), {"x": X}).as_text()
    assert text.count("stablehlo.exponential") == text.count("stablehlo.multiply") == 1


def test_a_variable_that_nobody_gives_is_told_by_its_name(shared):
    with pytest.raises(ValueError, match="the graph needs forgotten of type"):
        compile_step({}, {"sum": shared + T.fvector("forgotten")})


def test_a_step_without_updates_leaves_the_state_as_it_is(shared, backend):
    x = T.fvector("x")
    step = compile_step({"x": x}, {"y": (x * shared).sum()}, backend=backend)
    state = step.initial_state()
    found = [float(step(state, {"x": X})[1]["y"]) for _ in range(3)]
    assert len(set(found)) == 1


def test_what_a_call_lacks_is_told_by_its_name(shared, backend):
    x, rate = T.fvector("x"), T.fscalar("rate")
    step = compile_step({"x": x}, {"y": (rate * x * shared).sum()}, rates={"rate": rate}, backend=backend)
    given = {"state": step.initial_state(), "batch": {"x": X}, "rates": RATE}
    for part in given:
        with pytest.raises(ValueError, match=rf"got a {part} without '(w|x|rate)', expected \['(w|x|rate)'\]"):
            step(**given | {part: {}})


def test_values_are_written_back_to_their_variables(shared, backend):
    step = compile_step({}, {}, {shared: 2 * shared}, backend=backend)
    before = shared.get_value()
    state, _ = step(step.initial_state(), {})
    step.write_back(state)
    np.testing.assert_array_equal(shared.get_value(), 2 * before)


def test_c_step_is_aesaras_own_function(shared):
    with aesara.config.change_flags(mode=Mode("py", None), cxx=""):
        step = compile_step(*graph(shared), backend="c")
    assert isinstance(step, CStep)
    state, _ = step(step.initial_state(), {"x": X}, RATE)
    assert all(isinstance(value, np.ndarray) for value in state.values())


def test_c_flags_reach_the_compiler(shared):
    before = aesara.config.gcc__cxxflags
    try:
        with aesara.config.change_flags(mode=Mode("py", None), cxx=""):
            compile_step(*graph(shared), backend="c", c_flags="-ffp-contract=off")
        assert aesara.config.gcc__cxxflags == "-ffp-contract=off"
    finally:
        aesara.config.gcc__cxxflags = before


def test_devices_share_the_batch_and_hold_the_state_each(root):
    """In a process of its own: the number of devices is fixed when JAX starts."""
    import subprocess
    import sys

    code = """
from crmn_legacy.backend import determinism
determinism.pin_host(); determinism.pin("portable", devices=2)
import aesara, aesara.tensor as T, numpy as np
from crmn_legacy.backend.compile import compile_step
w, x = aesara.shared(np.arange(3, dtype="float32"), name="w"), T.fmatrix("x")
step = compile_step({"x": x}, {"sum": (x * w).sum()}, {w: w - x.mean(axis=0)}, devices=2)
batch = {"x": np.arange(12, dtype="float32").reshape(4, 3)}
placed = step.put_batch(batch)["x"]
assert [shard.data.shape for shard in placed.addressable_shards] == [(2, 3), (2, 3)]
state, outputs = step(step.initial_state(), batch)
assert len(state["w"].addressable_shards) == 2 and state["w"].is_fully_replicated
print(float(outputs["sum"]), step.get(state)["w"].tolist())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    assert done.returncode == 0, done.stderr
    x = np.arange(12.0).reshape(4, 3)
    expected = (x * np.arange(3)).sum(), (np.arange(3) - x.mean(axis=0)).tolist()
    assert done.stdout.split(maxsplit=1) == [str(expected[0]), f"{expected[1]}\n"]


def test_for_one_device_that_is_named_the_program_is_that_of_any(shared):
    batch, *_ = made = graph(shared)
    step = compile_step(*made)
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("batch",))
    spec = jax.sharding.PartitionSpec
    kinds = {name: jax.ShapeDtypeStruct(X.shape, X.dtype) for name in batch}
    named = [jax.sharding.NamedSharding(mesh, spec("batch")), jax.sharding.NamedSharding(mesh, spec())]
    # The device is an attribute of what comes in and goes out.
    lines = [step.lower_ahead(kinds, *where).as_text().splitlines() for where in ([], named)]
    inner = [[line for line in text if not any(word in line for word in ("func.func", "mesh"))] for text in lines]
    assert inner[0] == inner[1]


def test_batches_may_stay_on_the_device(shared):
    step = compile_step(*graph(shared))
    placed = step.put_batch({"x": X})
    assert isinstance(placed["x"], jax.Array)
    _, outputs = step(step.initial_state(), placed, RATE)
    assert step.get_outputs(outputs)["sum"] == 8


def test_a_donated_state_is_never_the_memory_of_the_arrays_it_was_made_from():
    import aesara

    shared = aesara.shared(np.ones((256, 256), "float32"), name="w")
    step = compile_step({}, {"total": shared.sum()}, {shared: shared + 1})
    given = {"w": np.ones((256, 256), "float32")}
    step(step.put(given), {})
    step(step.initial_state(), {})
    assert (given["w"] == 1).all() and (shared.get_value() == 1).all()


def test_releasing_keeps_the_shapes_and_the_states_that_were_taken():
    import aesara

    shared = aesara.shared(np.ones((3, 4), "float32"), name="w")
    step = compile_step({}, {"total": shared.sum()}, {shared: shared + 1})
    state = step.initial_state()
    step.release()
    state, outputs = step(state, {})
    assert float(outputs["total"]) == 12 and (step.get(state)["w"] == 2).all()
    assert step.get(step.initial_state())["w"].shape == (3, 4)


def test_filters_are_held_in_the_order_of_their_convolutions_and_given_back_as_written():
    values = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype("float32")
    picture = {"x": np.ones((1, 3, 5, 4), "float32")}
    w, x = aesara.shared(values, name="w"), T.ftensor4("x")
    cost = (conv2d(x, w) ** 2).sum()
    found = {}
    for channels_last in (False, True):
        with settings(channels_last=channels_last):
            step = compile_step({"x": x}, {"w": w, "cost": cost}, {w: w - aesara.grad(cost, w)})
            state = step.initial_state()
            assert isinstance(state["w"], Map) == channels_last
            np.testing.assert_array_equal(step.get(state)["w"], values)
            state, outputs = step(state, picture)
            assert isinstance(state["w"], Map) == channels_last
            found[channels_last] = {**step.get(state), "outputs": step.get_outputs(outputs)}
    assert found[True]["w"].flags.c_contiguous
    np.testing.assert_allclose(found[True]["w"], found[False]["w"], rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(found[True]["outputs"]["w"], values)
    np.testing.assert_allclose(found[True]["outputs"]["cost"], found[False]["outputs"]["cost"], rtol=1e-5)
