"""The recipes' losses are stable as they are written: nothing in their graphs is replaced, so no bits move by it."""

from functools import partial

import pytest

from crmn_legacy import paper
from crmn_legacy.backend import graph_merging, stabilization
from crmn_legacy.inference.trained_network import recipe_of
from crmn_legacy.training import steps

QUICK = ("table1_crmn", "table2_densenet", "table2_preact_resnet_1001", "table3_maxout")


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=() if row in QUICK else pytest.mark.slow) for row in sorted(paper.ROWS)]
)
def test_nothing_is_replaced(row, monkeypatch):
    found = []

    def counted(*arguments, **keywords):
        found.append(stabilization.stabilized(*arguments, **keywords))
        return found[-1]

    monkeypatch.setattr(graph_merging, "stabilized", counted)
    recipe = recipe_of(row)
    network = steps.build(partial(recipe.network, **recipe.smallest), seed=1)
    steps.train_step(*steps.parts_of(recipe, network))
    steps.evaluation_step(network, recipe.task)
    assert [counts._replace(visited=0) for counts in found] == [stabilization.Counts()] * 2
    assert all(counts.visited > 50 for counts in found)
