"""What a recipe's train step becomes on a GPU holds nothing that XLA refuses where results must repeat.

`--xla_gpu_deterministic_ops` makes a compilation fail on select-and-scatter, and turns other scatters slow; a custom
call is code that no flag of XLA's reaches.
"""

import re

import jax
import pytest
from jax import export

from crmn_legacy import samples
from crmn_legacy.backend.lowerings import settings
from crmn_legacy.inference.trained_network import recipe_of
from crmn_legacy.training import steps

ROWS = ("table1_crmn", "table3_fractional_max_pooling_1_test", "table3_swapout")
MORE = (
    "table1_rcn",
    "table1_resnet_n5_fm4",
    "table2_crmn_32_64",
    "table2_highway",
    "table2_wide_resnet_dropout",
    "table3_all_convolutional",
    "table3_densenet",
    "table3_maxout",
    "table3_preact_resnet_1001",
    "table3_resnet_110",
    "table3_stochastic_depth",
)
REFUSED = ("select_and_scatter", "scatter", "custom_call", "rng")


@pytest.fixture
def on_a_gpu():
    """Graphs are lowered as they are for a card."""
    with settings(platform="cuda"):
        yield


@pytest.mark.parametrize("row", [*ROWS, *(pytest.param(row, marks=pytest.mark.slow) for row in MORE)])
def test_train_step_exports_for_cuda_without_an_operation_that_deterministic_mode_refuses(on_a_gpu, row):
    recipe = recipe_of(row)
    network = steps.build(lambda: recipe.network(**recipe.smallest), seed=1)
    rates = dict.fromkeys(recipe.schedule.components, 0.1)
    train = steps.train_step(*steps.parts_of(recipe, network))
    batch = next(recipe.task.batches(recipe.task.read(samples.path(recipe.task.sample)), "train", 4, 1).epoch(1))
    exported = export.export(train.step, platforms=["cuda"])(train.initial_state(), train.put_batch(batch), rates)
    operations = set(re.findall(r"stablehlo\.(\w+)", exported.mlir_module()))
    assert {"convolution", "reduce"} <= operations
    assert not operations & set(REFUSED)


def test_the_gradient_of_max_pooling_that_jax_writes_itself_would_be_found():
    def pooled(x):
        return jax.lax.reduce_window(x, -jax.numpy.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID").sum()

    shape = jax.ShapeDtypeStruct((2, 3, 8, 8), "float32")
    text = export.export(jax.jit(jax.grad(pooled)), platforms=["cuda"])(shape).mlir_module()
    assert "stablehlo.select_and_scatter" in text
