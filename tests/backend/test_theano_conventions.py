"""Pickles of Theano's variables, made here by stand-ins of their names, and ways of calling that Aesara lacks."""

import io
import pickle
import subprocess
import sys
from types import ModuleType

import numpy as np
import pytest

# isort: split
import aesara
import theano
import theano.tensor as T

NAMES = {
    "theano.tensor.type": ["TensorType"],
    "theano.tensor.sharedvar": ["TensorSharedVariable"],
    "theano.tensor.var": ["TensorVariable", "TensorConstant"],
    "theano.gof.link": ["Container"],
    "theano.gof.utils": ["scratchpad"],
    "theano.sandbox.cuda.type": ["CudaNdarrayType", "CudaNdarray_unpickler"],
    "theano.sandbox.cuda.var": ["CudaNdarraySharedVariable"],
    "theano.gpuarray.type": ["GpuArrayType", "GpuArraySharedVariable", "GpuArray_unpickler"],
    "theano.tensor.basic": ["TensorType"],
}


@pytest.fixture
def pickled(monkeypatch):
    """Pickle what `build` makes of stand-ins, as a Theano of the time would have; protocol 0 and 2."""

    def pickled(build, protocol):
        kinds = {}
        with monkeypatch.context() as patch:
            for module, names in NAMES.items():
                stand_in = ModuleType(module)
                patch.setitem(sys.modules, module, stand_in)
                for name in names:
                    if name.endswith("_unpickler"):

                        def thing(*arguments):
                            raise AssertionError

                        thing.__module__, thing.__qualname__ = module, name
                    else:
                        thing = type(name, (), {"__module__": module})
                    setattr(stand_in, name, thing)
                    kinds[f"{module}.{name}"] = thing
            file = io.BytesIO()
            pickle.Pickler(file, protocol, fix_imports=True).dump(build(kinds))
        return file.getvalue()

    return pickled


def made(kind, **state):
    thing = kind.__new__(kind)
    vars(thing).update(state)
    return thing


def tensor_type(kinds, place="theano.tensor.type", dtype="float32", broadcastable=(False, True)):
    return made(
        kinds[f"{place}.TensorType"], dtype=dtype, broadcastable=broadcastable, name=None, sparse_grad=False,
        numpy_dtype=np.dtype(dtype),
    )  # fmt: skip


def shared(kinds, kind, of_type, value):
    container = made(
        kinds["theano.gof.link.Container"], type=of_type, storage=[value], readonly=False, strict=True,
        allow_downcast=None, name="W",
    )  # fmt: skip
    return made(
        kinds[kind], type=of_type, owner=None, index=None, name="W", auto_name="auto_7", container=container,
        tag=made(kinds["theano.gof.utils.scratchpad"], trace=[]),
    )  # fmt: skip


VALUE = np.arange(3, dtype="float32").reshape(3, 1)


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("place", ["theano.tensor.type", "theano.tensor.basic"])
def test_a_type_is_read(pickled, protocol, place):
    found = pickle.loads(pickled(lambda kinds: tensor_type(kinds, place), protocol))
    assert type(found) is T.TensorType and found == T.TensorType("float32", (False, True))


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_shared_variable_is_read_and_computes(pickled, protocol):
    data = pickled(
        lambda kinds: {"W": shared(kinds, "theano.tensor.sharedvar.TensorSharedVariable", tensor_type(kinds), VALUE)},
        protocol,
    )
    found = pickle.loads(data)["W"]
    assert (found.name, found.owner, found.get_value().tolist()) == ("W", None, VALUE.tolist())
    with aesara.config.change_flags(cxx=""):
        function = theano.function(
            [], found.sum(), updates={found: found + 1}, mode=aesara.compile.mode.Mode("py", None)
        )
    assert (function(), function()) == (3, 6)
    found.set_value(VALUE * 0)
    assert function() == 0


@pytest.mark.parametrize("protocol", [0, 2])
def test_a_variable_and_a_graph_of_it_go_together(pickled, protocol):
    def build(kinds):
        return made(
            kinds["theano.tensor.var.TensorVariable"], type=tensor_type(kinds), owner=None, index=None, name="x",
            auto_name="auto_1", tag=made(kinds["theano.gof.utils.scratchpad"]),
        )  # fmt: skip

    x = pickle.loads(pickled(build, protocol))
    assert x.name == "x" and (x * 2).eval({x: VALUE}).tolist() == (2 * VALUE).tolist()


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("place", ["theano.sandbox.cuda", "theano.gpuarray"])
def test_what_lay_on_a_card_lies_on_the_host(monkeypatch, pickled, protocol, place):
    new = place.endswith("gpuarray")

    class OnCard:
        def __reduce__(self):
            name = f"{place}.type.{'GpuArray' if new else 'CudaNdarray'}_unpickler"
            return self.kinds[name], (VALUE, "dev0") if new else (VALUE,)

    def build(kinds):
        OnCard.kinds = kinds
        name = "type.GpuArrayType" if new else "type.CudaNdarrayType"
        state = {"dtype": "float32", "context_name": "dev0"} if new else {}
        of_type = made(kinds[f"{place}.{name}"], broadcastable=(False, True), name=None, **state)
        kind = "type.GpuArraySharedVariable" if new else "var.CudaNdarraySharedVariable"
        return shared(kinds, f"{place}.{kind}", of_type, OnCard())

    found = pickle.loads(pickled(build, protocol))
    assert type(found.type) is T.TensorType and found.type == T.TensorType("float32", (False, True))
    assert found.get_value().tolist() == VALUE.tolist()
    assert (found * 2).eval().tolist() == (2 * VALUE).tolist()


def test_aesaras_own_pickles_are_read_as_before():
    x = T.TensorType("float64", (1, None))("x")
    w = theano.shared(VALUE, "W")
    y, v = pickle.loads(pickle.dumps((x * 2, w)))
    assert y.type == (x * 2).type and v.get_value().tolist() == VALUE.tolist()
    assert y.owner.inputs[0].name == "x" and v.name == "W"


def test_a_variable_is_made_of_a_type_alone():
    assert theano.Variable(T.fvector).owner is None
    assert theano.gof.Variable(T.fvector, None, None, "x").name == "x"
    assert T.TensorVariable(T.fvector).type == T.fvector


def test_methods_of_tensors_and_shared_variables(evaluate):
    values = np.arange(6.0).reshape(2, 3)
    for name in ("std", "var"):
        method, expected = getattr(T.constant(values), name), getattr(values, name)
        assert np.allclose(evaluate(method(1, True)), expected(1, keepdims=True))
        assert np.allclose(evaluate(method(axis=0, ddof=1)), expected(0, ddof=1))
    w = theano.shared(values)
    w.zero()
    assert w.get_value().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_shared_variables_default_update_may_know_more_of_its_shape():
    average = theano.shared(np.zeros(2))
    average.default_update = average * 0.5 + T.constant(np.ones(2))
    with aesara.config.change_flags(cxx=""):
        function = theano.function([], average.sum(), mode=aesara.compile.mode.Mode("py", None))
    assert (function(), function()) == (0, 2)


def test_without_the_package_pickle_finds_none_of_these_names():
    code = "import pickle; pickle.loads(b'ctheano.tensor.type\\nTensorType\\n.')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "No module named 'theano'" in done.stderr
