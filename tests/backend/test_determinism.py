"""The switches that fix bits: what is set, what is refused, and that JAX takes it."""

import os
import subprocess
import sys
import types

import jax
import pytest

from crmn_legacy.backend import determinism
from crmn_legacy.errors import UserError


@pytest.fixture
def environment(monkeypatch):
    """An environment of the test's own, in which JAX has not started."""
    variables = {}
    monkeypatch.setattr(determinism, "os", types.SimpleNamespace(environ=variables))
    monkeypatch.setattr(determinism, "_jax_has_started", lambda: False)
    platforms = jax.config.jax_platforms
    yield variables
    jax.config.update("jax_platforms", platforms)


def child(code, **changes):
    variables = {
        name: value for name, value in os.environ.items() if name not in ("XLA_FLAGS", "NPROC", "JAX_PLATFORMS")
    }
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env={**variables, **changes}
    )


@pytest.mark.parametrize("bits", ["strict", "portable"])
def test_instruction_set_partition_blocks_and_host_libraries_are_fixed(environment, bits):
    switches = determinism.pin(bits)
    assert environment == switches.environment
    assert environment["XLA_FLAGS"].split() == ["--xla_cpu_max_isa=AVX2", "--xla_cpu_use_xnnpack=false"]
    assert environment["ONEDNN_MAX_CPU_ISA"] == "AVX2" and "AVX512F" in environment["NPY_DISABLE_CPU_FEATURES"]
    assert switches.caches == determinism.matmul_blocking.words()
    assert environment["NPROC"] == str(switches.partition) == "8"
    assert environment["JAX_PLATFORMS"] == "cpu"
    assert environment["OMP_NUM_THREADS"] == environment["OPENBLAS_NUM_THREADS"] == "1"
    assert environment["OPENBLAS_CORETYPE"] == "Haswell"
    assert "-ffp-contract=off" in switches.c_flags


def test_fast_leaves_the_partition_to_the_machine(environment):
    environment |= {"NPROC": "8", "ONEDNN_MAX_CPU_ISA": "AVX2"}
    switches = determinism.pin("fast")
    assert not {"NPROC", "ONEDNN_MAX_CPU_ISA"} & environment.keys()
    assert switches.partition is switches.c_flags is switches.caches is None
    assert "max_isa" not in environment["XLA_FLAGS"]


def test_devices_of_a_cpu_are_made_from_its_threads(environment):
    determinism.pin("portable", "cpu", 3)
    assert "--xla_force_host_platform_device_count=3" in environment["XLA_FLAGS"].split()
    determinism.pin("portable", "cuda", 3)
    assert "device_count" not in environment["XLA_FLAGS"]


def test_a_jax_that_was_imported_before_is_told_where_to_compute(environment):
    determinism.pin("portable", "cuda")
    assert jax.config.jax_platforms == environment["JAX_PLATFORMS"] == "cuda"


def test_a_gpu_gets_deterministic_kernels_under_portable_alone(environment):
    determinism.pin("portable", "cuda")
    assert "--xla_gpu_deterministic_ops=true" in environment["XLA_FLAGS"].split()
    assert environment["JAX_PLATFORMS"] == "cuda"
    determinism.pin("fast", "cuda")
    assert "xla_gpu" not in environment["XLA_FLAGS"]


def test_strict_is_refused_where_kernels_ask_the_processor_for_its_caches(environment, monkeypatch):
    monkeypatch.setattr(determinism.matmul_blocking, "pin", lambda: False)
    with pytest.raises(UserError, match=r"requirements\.lock names; install it, or run with --bits portable"):
        determinism.pin("strict")
    switches = determinism.pin("portable")
    assert switches.caches is None
    assert determinism.processor.cache_sizes() in determinism.platform_key(switches, "c", "cpu", 1, "float32")


def test_no_device_leaves_the_platform_to_jax(environment):
    switches = determinism.pin("portable", device=None)
    assert "JAX_PLATFORMS" not in environment and "JAX_PLATFORMS" not in switches.environment


@pytest.mark.parametrize("bits", ["most", "", None, 3])
def test_an_unknown_profile_is_refused_and_sets_nothing(environment, bits):
    with pytest.raises(UserError, match="expected one of strict, portable, fast"):
        determinism.pin(bits)
    assert environment == {}


@pytest.mark.parametrize("flags", [set(), {"sse2"}, {"avx2"}, {"fma"}, {"avx", "fma"}])
def test_portable_is_refused_without_avx2_and_fma(environment, monkeypatch, flags):
    monkeypatch.setattr(determinism.processor, "flags", lambda: flags)
    with pytest.raises(UserError, match="run with --bits fast"):
        determinism.pin("portable")
    assert environment == {}
    determinism.pin("fast")


@pytest.mark.parametrize("bits", determinism.PROFILES)
def test_jax_takes_every_switch(bits):
    """XLA aborts the process on a flag that it does not know."""
    code = f"""
from crmn_legacy.backend import determinism
assert determinism.pin_host()
switches = determinism.pin({bits!r}, devices=2)
import jax
assert len(jax.devices()) == 2
print(jax.numpy.ones(3).sum(), determinism.platform_key(switches, "xla", "cpu", 2, "float32"))
"""
    done = child(code)
    assert done.returncode == 0, done.stderr
    value, key = done.stdout.split()
    assert value == "3.0"
    words = key.split("/")
    assert words[:4] == ["xla", "cpux2", "float32", bits]
    assert f"jaxlib{__import__('jaxlib').__version__}" in words
    assert ("partition8" in words) == (bits != "fast")


def test_a_run_after_jax_has_started_otherwise_is_refused_with_status_2():
    code = """
import jax
jax.numpy.ones(1).block_until_ready()
from crmn_legacy.backend import determinism
from crmn_legacy.errors import run
run(lambda: determinism.pin("portable"))
"""
    done = child(code)
    assert done.returncode == 2
    assert done.stderr.startswith("error: JAX has started already under other switches")
    assert len(done.stderr.splitlines()) == 1


def test_a_second_call_with_the_same_switches_is_no_matter():
    code = """
from crmn_legacy.backend import determinism
first = determinism.pin("portable")
import jax
jax.devices()
assert determinism.pin("portable") == first
assert determinism.pin("portable", device=None).partition == 8
print("same")
"""
    done = child(code)
    assert done.stdout == "same\n", done.stderr


def test_host_libraries_are_fixed_only_before_numpy():
    for first, expected in (("", "True"), ("import numpy\n", "False")):
        code = f"{first}from crmn_legacy.backend import determinism\nprint(determinism.pin_host())"
        assert child(code).stdout == f"{expected}\n"


SUMS = """
import hashlib
from crmn_legacy.backend import determinism
determinism.pin_host(); determinism.pin("portable")
import jax, numpy as np
random = np.random.default_rng(0)
x, w = random.normal(size=(8, 16, 40, 40)).astype("float32"), random.normal(size=(16, 16, 3, 3)).astype("float32")
def loss(w): return (jax.lax.conv_general_dilated(x, w, (1, 1), "SAME") ** 2).sum()
value, gradient = jax.jit(jax.value_and_grad(loss))(w)
print(hashlib.sha256(np.asarray(gradient).tobytes() + np.asarray(value).tobytes()).hexdigest())
"""


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_the_number_of_cores_moves_no_bit():
    one_core = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\n"
    everywhere, alone = child(SUMS), child(one_core + SUMS, OMP_NUM_THREADS="8", NPROC="3")
    assert everywhere.returncode == alone.returncode == 0, everywhere.stderr + alone.stderr
    assert everywhere.stdout == alone.stdout


def key(**changes):
    words = {"backend": "xla", "device": "cpu", "devices": 1, "precision": "float32", **changes}
    switches = determinism.Switches(words.pop("bits", "portable"), {}, 8, None)
    return determinism.platform_key(switches, **words)


def test_the_key_tells_apart_what_moves_bits(monkeypatch):
    keys = [key(), key(backend="c"), key(devices=2), key(precision="float64"), key(bits="fast")]
    monkeypatch.setattr(determinism.processor, "cache_sizes", lambda: "l1d1K")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert all(" " not in found for found in keys)


def test_the_key_of_fast_names_the_processor_and_its_cores():
    words = key(bits="fast").split("/")
    assert f"cores{len(os.sched_getaffinity(0))}" in words
    assert not any(word.startswith("partition") for word in words)
