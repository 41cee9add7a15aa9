"""Which operations are taken out of a train step, how rows are grouped, and that an emulated processor agrees."""

import json
import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import pytest

from crmn_legacy.errors import UserError
from tools import kernels, run_kernels, unlike

# The convolution, both its gradients and the product that moved with the caches' sizes, small enough to emulate.
QUICK = (
    "conv_general_dilated(float32[2, 64, 80, 80], float32[64, 64, 3, 3])",
    "tanh(",
    "rsqrt(",
    "dot_general(float32[30, ",
)


def network(x, w):
    hidden = jnp.tanh(jax.lax.conv_general_dilated(x, w, (1, 1), "SAME"))
    return (hidden.reshape(2, -1) * 2.0).sum(1)[jnp.array([1, 0])]


def test_every_operation_that_rounds_is_found_once_whatever_calls_it():
    x, w = jnp.ones((2, 3, 8, 8)), jnp.ones((3, 3, 3, 3))
    twice = jax.jit(lambda x, w: network(x, w) + jax.jit(network)(x, w))
    found = kernels.distinct(jax.make_jaxpr(twice)(x, w).jaxpr)
    kinds = sorted(name.partition("(")[0] for name in found)
    assert kinds == ["add", "conv_general_dilated", "mul", "reduce_sum", "tanh"]


def test_of_operations_by_element_the_largest_stands_for_all():
    def program(x):
        return jnp.tanh(x), jnp.tanh(x[:2])

    names = list(kernels.distinct(jax.make_jaxpr(program)(jnp.ones(5)).jaxpr))
    assert names == ["tanh(float32[5]) {'accuracy': None}"] or names == ["tanh(float32[5]) {}"]


def test_operands_are_a_function_of_the_name_and_positive_where_they_must_be():
    shapes = [jax.ShapeDtypeStruct((3, 2), jnp.float32)]
    (one,), (same,), (other,) = (run_kernels.operands(name, shapes) for name in ("tanh a", "tanh a", "tanh b"))
    assert (one == same).all() and (one != other).any()
    assert (run_kernels.operands("sqrt a", shapes)[0] > 0).all() and one.dtype == "float32"


def test_rows_whose_smoke_runs_are_one_computation_are_run_once():
    groups = unlike.alike(["table1_crmn", "table1_resnet_n9_fm4", "table1_resnet_n5_fm4"])
    assert groups == [["table1_crmn"], ["table1_resnet_n9_fm4", "table1_resnet_n5_fm4"]]
    with pytest.raises(UserError, match="expected one of the paper's tables"):
        unlike.alike(["table1_rcn_of_nobody"])


def test_results_of_other_code_or_rows_are_not_taken_for_these(tmp_path, monkeypatch):
    for name in ("crmn_legacy", "recipes", "tools"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("1")
    (tmp_path / "requirements.lock").write_text("")
    monkeypatch.setattr(unlike, "ROOT", tmp_path)
    keys = [unlike.key_of(["a"]), unlike.key_of(["a"]), unlike.key_of(["a", "b"])]
    (tmp_path / "tools" / "a.py").write_text("2")
    keys.append(unlike.key_of(["a"]))
    assert keys[0] == keys[1] and len(set(keys)) == 3


def test_what_moved_or_is_missing_is_named():
    assert unlike.moved({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 4, "d": 5}) == ["b", "c", "d"]


def test_without_the_emulator_it_says_what_to_install(root, tmp_path):
    command = [sys.executable, root / "tools" / "unlike.py", "--out", tmp_path]
    done = subprocess.run(command, env={"PATH": str(tmp_path), "PYTHONPATH": str(root)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert "install Debian's package qemu-user" in done.stderr and len(done.stderr.splitlines()) == 1


emulated = pytest.mark.skipif(
    shutil.which(unlike.EMULATOR) is None, reason="wants qemu-x86_64 (Debian's package qemu-user)"
)


@pytest.mark.slow
@emulated
def test_large_arrays_of_an_emulated_process_lie_in_its_heap(tmp_path):
    """Before them is memory that can be read: the emulator reads there what a masked load leaves out."""
    program = tmp_path / "mapped.py"
    program.write_text(
        "import ctypes, numpy\n"
        "arrays = [numpy.ones(n) for n in (10**5, 10**6, 10**7)]\n"
        "sizes = [ctypes.c_size_t.from_address(array.ctypes.data - 8).value for array in arrays]\n"
        "print([bool(size & 2) for size in sizes])  # glibc's mark of a piece that is mapped apart\n"
    )
    assert unlike.Bench(tmp_path, "strict").python(unlike.BARE, program)[0] == ["[True, True, True]"]
    assert unlike.Bench(tmp_path, "strict").python(unlike.MODELS[0], program)[0] == ["[False, False, False]"]


@pytest.mark.slow
@emulated
@pytest.mark.parametrize("model", unlike.MODELS)
def test_kernels_of_the_published_network_give_the_same_bits_on_an_emulated_processor(root, tmp_path, model):
    subprocess.run(
        [sys.executable, "tools/kernels.py", "--out", tmp_path / "kernels", "table1_crmn"], cwd=root, check=True
    )
    listed = json.loads((tmp_path / "kernels" / "kernels.json").read_text())
    kept = [kernel for kernel in listed if kernel["name"].startswith(QUICK)]
    assert len(kept) >= 4
    (tmp_path / "kernels" / "kernels.json").write_text(json.dumps(kept))
    bench = unlike.Bench(tmp_path, "strict")
    assert bench.kernels(model)["digests"] == bench.kernels(unlike.BARE)["digests"]
