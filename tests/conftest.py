"""What all tests share: the process is set up as a run's process is, before NumPy or JAX start."""

import os
import signal
from pathlib import Path

from crmn_legacy.backend import determinism

determinism.pin_host()
determinism.pin("portable")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from tests.training.runs import compiled, data, finished  # noqa: E402

__all__ = ["compiled", "data", "finished"]

# Runs leave a signal ignored that was when they began. A suite may begin so, in a script's background or under nohup.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(scope="module", autouse=True)
def found_precision():
    """A module's tests may set Aesara's floatX and JAX's wide types, as a run does; the next module's find them as
    they were."""
    import aesara
    import jax

    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_default_matmul_precision")}
    with aesara.config.change_flags(floatX=aesara.config.floatX):
        yield
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.fixture
def double():
    """The test computes in float64: Aesara's floatX, and JAX's wide types."""
    import aesara
    import jax

    with aesara.config.change_flags(floatX="float64"), jax.experimental.enable_x64():
        yield


@pytest.fixture
def single():
    """The test computes in float32, whatever another test of this process has left behind."""
    import aesara
    import jax

    with aesara.config.change_flags(floatX="float32"), jax.experimental.disable_x64():
        yield


@pytest.fixture(scope="session")
def root():
    """The repository's root."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_data():
    """The folder of real photographs that `CRMN_LEGACY_DATA` names; the test is skipped without one."""
    folder = os.environ.get("CRMN_LEGACY_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CRMN_LEGACY_DATA names no folder")
    return Path(folder)
