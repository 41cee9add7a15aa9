"""No environment variable that a library of numbers reads gets past unnoticed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from crmn_legacy.backend import determinism, variables

CALLS = r"environ(?:\.get\(|\[)|getenv\(|(?:bool|int|float)_env\("
READ = re.compile(rf"""(?:{CALLS})\s*['"]((?:JAX|XLA|PJRT)\w+)""")
# Set by every run.
OURS = {"JAX_PLATFORMS", "XLA_FLAGS"}


def child(code, **changes):
    foreign = {name for name in os.environ if name.startswith(variables.FAMILIES)}
    kept = {name: value for name, value in os.environ.items() if name not in foreign}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env={**kept, **changes}
    )


def names_of_jax():
    """Every variable that JAX's Python reads, its options' among them."""
    options = {name.upper() for name in jax.config._value_holders if name.startswith("jax")}
    sources = (Path(jax.__file__).parent / "_src").rglob("*.py")
    return options | {name for path in sources for name in READ.findall(path.read_text())}


SETTINGS = """
from crmn_legacy.backend import determinism
determinism.pin_host()
determinism.pin("strict")
import jax, numpy
print({name: value for name, value in sorted(jax.config.values.items())})
print(float(jax.jit(lambda x: jax.numpy.exp(x).sum())(numpy.arange(5.0))))
"""


def test_no_variable_of_jax_changes_a_setting_of_jax():
    given = dict.fromkeys(names_of_jax() - OURS, "1")
    assert {"JAX_DISABLE_JIT", "JAX_DISABLE_MOST_OPTIMIZATIONS", "JAX_ENABLE_X64", "JAX_SERIALIZATION_VERSION"} <= {
        *given
    }
    clean, spoilt = child(SETTINGS), child(SETTINGS, **given)
    assert clean.returncode == spoilt.returncode == 0, clean.stderr + spoilt.stderr
    assert clean.stderr == "" and spoilt.stdout == clean.stdout
    (line,) = spoilt.stderr.splitlines()
    assert all(f"{name}=1" in line for name in given if not name.startswith(variables.KEPT))


@pytest.mark.parametrize("bits", determinism.PROFILES)
@pytest.mark.parametrize(
    "given",
    [
        {"JAX_LOG_COMPILES": "nonsense"},
        {"XLA_FLAGS": "--xla_no_such_flag=1"},
        {"NPY_ENABLE_CPU_FEATURES": "AVX512F"},
        {"NPY_PROMOTION_STATE": "nonsense"},
        {"OPENBLAS_BLOCK_FACTOR": "3", "OMP_DYNAMIC": "true", "NVIDIA_TF32_OVERRIDE": "1"},
    ],
    ids=lambda given: min(given),
)
def test_what_would_end_in_an_error_or_in_other_bits_is_set_aside_in_one_line(bits, given):
    done = child(SETTINGS.replace("strict", bits), **given)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    named = ", ".join(f"{name}={value}" for name, value in sorted(given.items()))
    assert line == f"note: {named} set aside: a run is told how to compute by its options alone"


def test_where_to_compute_memory_and_logging_are_the_users_and_ours_are_not_told():
    kept = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "CUDA_VISIBLE_DEVICES": "0", "TF_CPP_MIN_LOG_LEVEL": "1"}
    code = f"{SETTINGS}import os; print([os.environ[name] for name in {list(kept)}])"
    started = child(code, **kept, **determinism.pin("portable").environment)
    assert started.stderr == "" and started.stdout.splitlines()[-1] == str(list(kept.values()))


REFUSED = """
from crmn_legacy.errors import run
from crmn_legacy.backend import determinism
{before}
run(lambda: determinism.pin({bits!r}) and 0)
"""


@pytest.mark.parametrize(
    ("before", "given", "named"),
    [
        ("", {"GLIBC_TUNABLES": "glibc.malloc.check=1:glibc.cpu.hwcaps=-AVX2"}, "GLIBC_TUNABLES"),
        ("import jax; determinism.pin_host()", {"JAX_DISABLE_JIT": "1"}, "JAX_DISABLE_JIT"),
        ("import numpy; determinism.pin_host()", {"NPY_DISABLE_CPU_FEATURES": "", "MKL_CBWR": "AVX"}, "MKL_CBWR"),
        ("import jax; jax.config.update('jax_disable_most_optimizations', True)", {}, "jax_disable_most_optimizations"),
        ("import jax; jax.config.update('jax_numpy_dtype_promotion', 'strict')", {}, "jax_numpy_dtype_promotion"),
    ],
)
def test_what_was_read_before_is_refused_by_name(before, given, named):
    done = child(REFUSED.format(before=before, bits="strict"), **given)
    assert done.returncode == 2, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: --bits strict got ") and named in line
    assert child(REFUSED.format(before=before, bits="fast"), **given).returncode == 0


def test_what_was_set_aside_is_in_the_record():
    code = "from crmn_legacy.archive.provenance import provenance\nfrom crmn_legacy.backend import determinism\n"
    code += "determinism.pin_host(); print(provenance()['variables'])"
    done = child(code, OMP_PLACES="cores", GLIBC_TUNABLES="glibc.malloc.check=1")
    assert "'OMP_PLACES': 'cores (set aside)'" in done.stdout
    assert "'GLIBC_TUNABLES': 'glibc.malloc.check=1'" in done.stdout


def test_a_note_that_nobody_can_read_is_no_failure():
    code = "from crmn_legacy.backend import determinism; determinism.pin_host(); print('on')"
    command = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_PLACES": "cores"})
    assert (done.returncode, done.stdout) == (0, "on\n")
