"""What is left out while a graph is built, and that it is back afterwards."""

import gc

import aesara.tensor as T
import pytest

from crmn_legacy.backend.graph_building import graph_building, uncollected


@pytest.fixture(params=[True, False], ids=["collecting", "not collecting"])
def collecting(request):
    before = gc.isenabled()
    (gc.enable if request.param else gc.disable)()
    yield request.param
    (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("context", [graph_building, uncollected])
def test_collects_nothing_inside_and_afterwards_as_before(collecting, context):
    with context():
        assert not gc.isenabled()
        with context():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == collecting
    with pytest.raises(KeyError), context():
        raise KeyError
    assert gc.isenabled() == collecting


def test_nodes_built_inside_do_not_keep_where_they_were_made():
    def traced():
        return bool(T.exp(T.scalar()).tag.trace)

    assert traced()
    assert not graph_building()(traced)()
    assert traced()
