"""The settings, and the helpers of the registry."""

import importlib
import inspect
import pkgutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from aesara.graph.op import Op
from aesara.scalar.basic import ScalarOp

from crmn_legacy.backend.lowerings import Settings, lowering, settings
from crmn_legacy.backend.lowerings.elementwise import scalar_function
from crmn_legacy.backend.lowerings.registry import active_settings, concrete, known_integers


def test_settings_hold_inside_their_block_only():
    assert active_settings() == Settings()
    with settings(matmul_dtype="bfloat16") as inner:
        assert active_settings() is inner
        with settings(matmul_dtype=None):
            assert active_settings().matmul_dtype is None
        assert active_settings().matmul_dtype == "bfloat16"
    assert active_settings() == Settings()


def test_settings_are_restored_after_an_error():
    with pytest.raises(RuntimeError), settings(matmul_dtype="bfloat16"):
        raise RuntimeError
    assert active_settings() == Settings()


def test_an_unknown_dtype_is_refused():
    with pytest.raises(ValueError, match="float8"), settings(matmul_dtype="float8"):
        pass


def test_concrete_tells_numpy_from_jax():
    assert concrete(np.zeros(2), 3, None, slice(1, 2))
    assert not concrete(np.zeros(2), jnp.zeros(2))


def test_known_integers_refuse_what_is_data():
    assert known_integers(np.array([1, 2]), "a shape") == (1, 2)
    with pytest.raises(NotImplementedError, match="a shape depends on the data"):
        known_integers(jnp.array([1, 2]), "a shape")


# Ops of Aesara's that have no lowering: bases of others, or what the host computes.
BASES = {
    "BaseAbstractConv", "BaseBLAS", "BaseCorr3dMM", "BaseCorrMM", "CumprodOp", "CumsumOp", "GemmRelated", "PoolGrad",
    "SolveBase",
}  # fmt: skip
ON_THE_HOST = {
    # Without a lowering as they compute what XLA has no kernel for.
    "BilinearSolveDiscreteLyapunov", "ConnectionistTemporalClassification", "SolveContinuousLyapunov",
    # The world outside the program.
    "FromFunctionOp", "LoadFromDisk", "MPIRecv", "MPIRecvWait", "MPISend", "MPISendWait", "UpdatePlaceholder",
}  # fmt: skip


def ops_of(*names):
    """The op classes that Aesara's modules of these names, and below them, define."""
    found = set()
    for name in names:
        module = importlib.import_module(name)
        within = pkgutil.walk_packages(getattr(module, "__path__", []), name + ".")
        for each in [module, *(importlib.import_module(one.name) for one in within)]:
            found.update(
                kind for kind in vars(each).values() if inspect.isclass(kind) and kind.__module__ == each.__name__
            )
    return {kind for kind in found if issubclass(kind, Op)}


def test_every_op_of_aesaras_tensors_is_lowered_or_known_not_to_be():
    ops = ops_of("aesara.tensor", "aesara.compile.ops", "aesara.compile.builders", "aesara.gradient", "aesara.ifelse")
    ops |= ops_of("aesara.printing", "aesara.raise_op", "aesara.scan.op")
    tensors = {kind for kind in ops if not issubclass(kind, ScalarOp) and ".random." not in kind.__module__}
    without = {kind.__name__ for kind in tensors if lowering.dispatch(kind) is lowering.dispatch(object)}
    assert len(tensors) > 130
    assert without == BASES | ON_THE_HOST


def test_every_scalar_op_of_aesara_is_lowered():
    ops = {kind for kind in ops_of("aesara.scalar.basic", "aesara.scalar.math") if issubclass(kind, ScalarOp)}
    bases = {"ScalarOp", "UnaryScalarOp", "BinaryScalarOp", "LogicalComparison", "FixedLogicalComparison"}
    bases |= {"BinaryBitOp", "UnaryBitOp"}
    unnamed = {
        kind.__name__
        for kind in ops
        if scalar_function.dispatch(kind) is scalar_function.dispatch(object)
        and not hasattr(jax.numpy, (getattr(kind, "nfunc_spec", None) or ("none",))[0])
        and "scipy" not in str(getattr(kind, "nfunc_spec", None))
    }
    assert len(ops) > 80
    assert unnamed == bases
