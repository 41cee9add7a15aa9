"""All contenders of a workload make the same steps."""

import functools

import numpy as np
import pytest

from benchmarks import contenders, ours
from benchmarks.workloads import Workload, make_batch

SMALL = [
    Workload("crmn", 1, 1, 16, 2),
    Workload("resnet", 1, 1, 16, 2),
    Workload("wide-resnet", 1, 1, 16, 2),
    Workload("densenet", 2, 4, 16, 2),
]
pytestmark = pytest.mark.usefixtures("single")
by_network = pytest.mark.parametrize("workload", SMALL, ids=lambda workload: workload.network)


@functools.cache
def losses(make, workload, evaluation):
    batch = make_batch(workload)
    arrays = ours.first_weights(workload, batch if evaluation else None)
    advance, program = make(workload, arrays, batch, evaluation)
    return [advance() for _ in range(3)], program


@by_network
@pytest.mark.parametrize("evaluation", [False, True], ids=["training", "evaluation"])
def test_losses_are_those_of_pytorch_by_hand(workload, evaluation):
    pytest.importorskip("torch")
    mine, _ = losses(contenders.make_ours, workload, evaluation)
    theirs, _ = losses(contenders.make_torch, workload, evaluation)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4)
    assert (mine[0] == mine[2]) is evaluation


@pytest.mark.parametrize("workload", SMALL[:2], ids=lambda workload: workload.network)
@pytest.mark.parametrize("evaluation", [False, True], ids=["training", "evaluation"])
def test_losses_are_those_of_jax_by_hand(workload, evaluation):
    mine, our_program = losses(contenders.make_ours, workload, evaluation)
    theirs, program = losses(contenders.make_jax, workload, evaluation)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4)
    assert our_program["total"] > 0 and program["total"] > 0


@by_network
def test_evaluation_by_the_batchs_own_statistics_gives_the_loss_of_training(workload):
    (training, *_), _ = losses(contenders.make_ours, workload, False)
    (evaluation, *_), _ = losses(contenders.make_ours, workload, True)
    # Torch's variances are unbiased: here over at least 2 x 4 x 4 numbers.
    assert evaluation == pytest.approx(training, rel=1e-4 if workload.of_faces else 0.02)


def test_pytorch_may_use_what_portable_bits_keep_from_xla(monkeypatch):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    with contenders._any_instruction_set():
        assert "ONEDNN_MAX_CPU_ISA" not in contenders.os.environ
    assert contenders.os.environ["ONEDNN_MAX_CPU_ISA"] == "AVX2"
