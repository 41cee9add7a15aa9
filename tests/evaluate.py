"""Numbers out of Aesara graphs, through the package's own lowering."""

import numpy as np


def evaluate(outputs, given):
    """Values of `outputs` (a list of variables); `given` maps free variables to arrays, shared ones hold their own."""
    import jax
    from aesara.compile.sharedvalue import SharedVariable
    from aesara.graph.basic import graph_inputs

    from crmn_legacy.backend.lowerings import lower

    shared = [v for v in dict.fromkeys(graph_inputs(outputs)) if isinstance(v, SharedVariable)]
    function = jax.jit(lower([*given, *shared], outputs))
    return [np.asarray(v) for v in function(*given.values(), *(v.get_value() for v in shared))]


def random_parameters(layer, seed):
    """Give every parameter below `layer` values that are nowhere zero or one; return them by name."""
    import lasagne

    random = np.random.default_rng(seed)
    values = {}
    for parameter in lasagne.layers.get_all_params(layer):
        shape = parameter.get_value(borrow=True).shape
        values[parameter.name] = random.normal(0.0, 0.5, shape) + 0.1
        if parameter.name.endswith(".var"):
            values[parameter.name] = abs(values[parameter.name])
        parameter.set_value(values[parameter.name].astype(parameter.dtype))
    return values
