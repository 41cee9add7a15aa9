"""The workloads are the rows' networks and settings, at the rows' sizes and at others."""

import pytest
from lasagne.layers import count_params, get_all_layers, get_all_params

from benchmarks import ours, workloads
from benchmarks.workloads import WORKLOADS, Workload
from crmn_legacy.training.penalties import as_decay
from crmn_legacy.training.steps import build

SMALL = {
    "crmn": (Workload("crmn", 1, 1, 80, 2), {"n": 1, "fm": 1}),
    "resnet": (Workload("resnet", 1, 1, 80, 2), {"n": 1, "fm": 1}),
    "wide-resnet": (Workload("wide-resnet", 1, 2, 32, 2), {"n": 1, "num_filters": 32}),
    "densenet": (Workload("densenet", 2, 4, 32, 2), {"n": 2, "growth_rate": 4}),
}


@pytest.mark.parametrize("network", workloads.FAMILIES)
def test_a_workload_is_its_rows_network(network):
    workload, arguments = SMALL[network]
    found = build(lambda: ours.recipe(workload).network(**arguments), seed=0)
    made = ours.build(workload)
    assert [layer.name for layer in get_all_layers(made)] == [layer.name for layer in get_all_layers(found)]
    shapes = [{p.name: p.get_value().shape for p in get_all_params(layer)} for layer in (made, found)]
    assert shapes[0] == shapes[1]
    assert made.nonlinearity is found.nonlinearity
    assert made.output_shape == (None, workload.outputs)


@pytest.mark.parametrize(
    ("name", "defaults"),
    [
        ("crmn-5-4", {"n": 5, "fm": 4}),
        ("resnet-9-4", {"n": 9, "fm": 4}),
        ("wrn-28-10", {"n": 4, "num_filters": 160}),
        ("densenet-100-24", {"n": 32, "growth_rate": 24}),
    ],
)
def test_named_workloads_have_the_rows_sizes(name, defaults):
    workload = WORKLOADS[name]
    assert ours.recipe(workload).network_defaults().items() >= defaults.items()
    assert defaults == {"n": workload.n, next(reversed(defaults)): defaults[next(reversed(defaults))]}
    factor = 16 if "num_filters" in defaults else 1
    assert workload.fm * factor == defaults[next(reversed(defaults))]


@pytest.mark.parametrize("network", workloads.FAMILIES)
def test_contenders_by_hand_have_the_rows_decay(network):
    decay = as_decay(ours.recipe(SMALL[network][0]).weight_decay)
    assert workloads.DECAYS[network] == decay.coefficient
    # PyTorch by hand decays all parameters of pictures' networks, and weights alone of faces'.
    assert (decay.of == "all") is not SMALL[network][0].of_faces


@pytest.mark.parametrize("network", workloads.FAMILIES)
def test_a_batch_has_the_names_and_types_of_the_tasks_inputs(network):
    workload, _ = SMALL[network]
    batch, inputs = workloads.make_batch(workload), ours.recipe(workload).task.inputs()
    assert list(batch) == list(inputs)
    assert {name: array.ndim for name, array in batch.items()} == {name: v.ndim for name, v in inputs.items()}
    assert {len(array) for array in batch.values()} == {workload.batch_size}


def test_first_weights_are_those_of_a_new_network_and_of_no_seed_of_the_process():
    workload = Workload("densenet", 1, 2, 8, 2)
    weights, again = ours.first_weights(workload), ours.first_weights(workload)
    assert sum(array.size for array in weights.values()) == count_params(ours.build(workload))
    assert all((weights[name] == again[name]).all() for name in weights)
    moved = {name: array + 1 for name, array in weights.items()}
    assert all((p.get_value() == moved[p.name]).all() for p in get_all_params(ours.build(workload, moved)))
