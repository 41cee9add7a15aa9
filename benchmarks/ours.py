"""The package's own steps as the benchmarks measure them: a row's, of the sizes that are asked for.

Task, optimiser, components, decay and constraints are those of the row's recipe; the network is what the recipe calls.
"""

import aesara
import aesara.tensor as T
import numpy as np
from lasagne.layers import get_all_params, get_output

from benchmarks.workloads import RATE
from crmn_legacy import models
from crmn_legacy.backend.compile import compile_step
from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.training import steps

ROWS = {
    "crmn": "table1_crmn",
    "resnet": "table1_resnet_n9_fm4",
    "wide-resnet": "table3_wide_resnet",
    "densenet": "table3_densenet",
}
STATISTICS = (".mean", ".inv_std", ".var")  # of batch norm
ALPHA = 0.1  # how far a step moves these towards those of its batch


def recipe(workload):
    """The recipe whose parts the workload has."""
    return load_recipe(recipe_script(ROWS[workload.network]))


def rates(workload):
    """A learning rate for each component (a dict)."""
    return dict.fromkeys(recipe(workload).schedule.components, RATE)


def build(workload, arrays=None):
    """The network in float32, with first weights of its own or, by name, with these (a Layer)."""
    aesara.config.floatX = "float32"
    layer = steps.build(lambda: _network(workload), seed=0)
    for parameter in get_all_params(layer):
        if arrays and parameter.name in arrays:
            parameter.set_value(arrays[parameter.name])
    return layer


def _network(workload):
    n, filters, outputs = workload.n, 16 * workload.fm, workload.outputs
    if workload.of_faces:
        pictures = models.face_input(workload.input_shape)
        if workload.network == "resnet":
            return models.resnet(pictures, n, filters, outputs, models.sigmoid)
        return models.crmn(pictures, n, filters, 4, 100, outputs, models.sigmoid)
    pictures = models.picture_input(workload.input_shape)
    if workload.network == "densenet":
        return models.densenet(pictures, n, workload.fm, outputs, models.softmax)
    return models.wide_resnet(pictures, n, filters, outputs, models.softmax)


def first_weights(workload, batch=None):
    """Arrays of a new network by name, without the LSTM's first states, which nobody else has.

    Given a batch, batch norm's running statistics are those of the batch: with the first ones, 0 and 1, the predictions
    of a hundred layers overflow.
    """
    layer = build(workload)
    if batch is not None:
        _settle_statistics(layer, recipe(workload).task, batch)
    return {p.name: p.get_value() for p in get_all_params(layer) if not p.name.endswith("_init")}


def _settle_statistics(layer, task, batch):
    statistics = [parameter for parameter in get_all_params(layer) if parameter.name.endswith(STATISTICS)]
    for parameter in statistics:
        parameter.set_value(np.zeros_like(parameter.get_value()))
    images = task.inputs()["images"]
    predicted = get_output(layer, T.cast(images, aesara.config.floatX), deterministic=False)
    step = compile_step({"images": images}, {"predicted": predicted})
    state, _ = step(step.initial_state(), batch)
    state = step.get(state)
    for parameter in statistics:
        # From 0 they went ALPHA of the way.
        parameter.set_value(state[parameter.name] / np.float32(ALPHA))


def training_step(layer, workload, backend="xla"):
    """The train step of the row's recipe for this network.

    Parameters
    ----------
    layer : Layer
        As `build` gives it.
    workload : workloads.Workload
    backend : {'xla', 'c'}
        Who compiles.

    Returns
    -------
    crmn_legacy.backend.compile.Step
        Over batches as `workloads.make_batch` makes them; it takes `rates`.
    """
    row = recipe(workload)
    settings = row.optimizer, row.schedule.components, row.weight_decay, row.constraints
    return steps.train_step(layer, row.task, *settings, backend=backend)


def evaluation_step(layer, workload, backend="xla"):
    """The step that predicts; the arguments are those of `training_step`."""
    return steps.evaluation_step(layer, recipe(workload).task, backend=backend)
