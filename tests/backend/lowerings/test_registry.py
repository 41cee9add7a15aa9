"""The settings, and the helpers of the registry."""

import jax.numpy as jnp
import numpy as np
import pytest

from crmn_legacy.backend.lowerings import Settings, settings
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
