"""The CRMN of Table 1, its plain ResNet and their train step, written by hand in JAX.

The benchmarks hold the package against it and the tests compare the two, so nothing here comes from the
package: one reads this file beside Sec. 3 of the paper. Arrays live in a flat dict under the names that a
run's `weights.npz` has.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.hand_written_sizes import Network as Network

GATES = ("ingate", "forgetgate", "cell", "outgate")
PEEPHOLES = ("ingate", "forgetgate", "outgate")
COMPONENTS = ("resnet", "lstm", "output")
ALPHA, EPSILON = 0.1, 1e-4  # of batch normalisation


def initialise(network, seed=0, dtype="float32"):
    """Arrays of a new network: He normal convolutions, Lasagne's defaults for LSTM and dense layer."""
    generator = np.random.default_rng(seed)
    arrays = {}

    def convolution(name, batch_norm, channels, filters, size):
        deviation = np.sqrt(2 / (channels * size**2))
        arrays[f"{name}.W"] = generator.normal(0, deviation, (filters, channels, size, size))
        arrays[f"{name}.b"] = np.zeros(filters)
        for statistic, value in {"gamma": 1, "beta": 0, "mean": 0, "inv_std": 1}.items():
            arrays[f"{batch_norm}.{statistic}"] = np.full(filters, float(value))

    convolution("stem.conv", "stem.bn", network.input_shape[0], network.filters[0], 3)
    for name, channels, filters, stride in network.blocks():
        convolution(f"{name}.conv1", f"{name}.bn1", channels, filters, 3)
        convolution(f"{name}.conv2", f"{name}.bn2", filters, filters, 3)
        if stride > 1:
            convolution(f"{name}.shortcut.conv", f"{name}.shortcut.bn", channels, filters, 1)
    if network.units:
        for gate in GATES:
            arrays[f"lstm.W_in_to_{gate}"] = generator.normal(0, 0.1, (network.memory_features, network.units))
            arrays[f"lstm.W_hid_to_{gate}"] = generator.normal(0, 0.1, (network.units, network.units))
            arrays[f"lstm.b_{gate}"] = np.zeros(network.units)
        for gate in PEEPHOLES:
            arrays[f"lstm.W_cell_to_{gate}"] = generator.normal(0, 0.1, network.units)
    features = network.units + network.filters[-1]
    limit = np.sqrt(6 / (features + network.outputs))
    arrays["output.W"] = generator.uniform(-limit, limit, (features, network.outputs))
    arrays["output.b"] = np.zeros(network.outputs)
    return {name: array.astype(dtype) for name, array in arrays.items()}


def is_statistic(name):
    """Whether the array is one of batch normalisation's running statistics, hence not learned."""
    return name.endswith((".mean", ".inv_std"))


def component(name):
    """The part of the network whose learning rate the array follows."""
    return name.split(".")[0] if name.startswith(("lstm.", "output.")) else "resnet"


def local_contrast(images):
    """Local contrast normalisation of values 0 to 255, a picture and channel at a time (Honari et al.)."""
    taps = np.exp(-((np.arange(9) - 4) ** 2) / (2 * 1.591**2))
    window = np.outer(taps, taps) / np.outer(taps, taps).sum()
    channels = images.shape[1]
    kernel = jnp.asarray(np.broadcast_to(window, (channels, 1, 9, 9)), images.dtype)

    def local_mean(x):
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", feature_group_count=channels)

    centred = images - local_mean(images)
    deviation = jnp.sqrt(local_mean(centred**2))
    floor = jnp.maximum(deviation.mean(axis=(2, 3), keepdims=True), 1e-4)
    return (centred / jnp.maximum(deviation, floor) + 2.5) / 5


def convolve(x, W, b, stride, flip_filters):
    """Convolution that keeps the size but for its stride."""
    if flip_filters:
        W = W[:, :, ::-1, ::-1]
    padding = [(side // 2, side // 2) for side in W.shape[2:]]
    return lax.conv_general_dilated(x, W, (stride, stride), padding) + b[:, None, None]


def mean_pool(x, size):
    """Means of windows that do not overlap."""
    batch, channels, height, width = x.shape
    return x.reshape(batch, channels, height // size, size, width // size, size).mean(axis=(3, 5))


def lstm(arrays, inputs):
    """Last hidden state, (batch, units), of an LSTM with peepholes over (batch, depth, features)."""

    def joined(prefix):
        return jnp.concatenate([arrays[f"lstm.{prefix}{gate}"] for gate in GATES], axis=-1)

    projected = inputs @ joined("W_in_to_") + joined("b_")
    W_hid = joined("W_hid_to_")
    hidden = cell = jnp.zeros((inputs.shape[0], W_hid.shape[0]), inputs.dtype)
    for depth in range(inputs.shape[1]):
        ingate, forgetgate, candidate, outgate = jnp.split(projected[:, depth] + hidden @ W_hid, 4, axis=-1)
        ingate = jax.nn.sigmoid(ingate + arrays["lstm.W_cell_to_ingate"] * cell)
        forgetgate = jax.nn.sigmoid(forgetgate + arrays["lstm.W_cell_to_forgetgate"] * cell)
        cell = forgetgate * cell + ingate * jnp.tanh(candidate)
        outgate = jax.nn.sigmoid(outgate + arrays["lstm.W_cell_to_outgate"] * cell)
        hidden = outgate * jnp.tanh(cell)
    return hidden


def forward(network, arrays, images, train=False):
    """Predictions, (batch, outputs), and the running statistics after this batch (none unless `train`)."""
    statistics = {}

    def convolution(name, batch_norm, x, stride=1):
        x = convolve(x, arrays[f"{name}.W"], arrays[f"{name}.b"], stride, network.flip_filters)
        mean, inv_std = arrays[f"{batch_norm}.mean"], arrays[f"{batch_norm}.inv_std"]
        if train:
            stored = mean, inv_std
            mean, inv_std = x.mean(axis=(0, 2, 3)), 1 / jnp.sqrt(x.var(axis=(0, 2, 3)) + EPSILON)
            statistics[f"{batch_norm}.mean"] = (1 - ALPHA) * stored[0] + ALPHA * mean
            statistics[f"{batch_norm}.inv_std"] = (1 - ALPHA) * stored[1] + ALPHA * inv_std
        scale, shift = arrays[f"{batch_norm}.gamma"] * inv_std, arrays[f"{batch_norm}.beta"]
        return (x - mean[:, None, None]) * scale[:, None, None] + shift[:, None, None]

    x = images.astype(arrays["output.W"].dtype)
    if network.contrast:
        x = local_contrast(x)
    x = jax.nn.relu(convolution("stem.conv", "stem.bn", x))
    memory = []
    for name, _, _, stride in network.blocks():
        residual = jax.nn.relu(convolution(f"{name}.conv1", f"{name}.bn1", x, stride))
        residual = convolution(f"{name}.conv2", f"{name}.bn2", residual)
        shortcut = x if stride == 1 else convolution(f"{name}.shortcut.conv", f"{name}.shortcut.bn", x, stride)
        x = jax.nn.relu(shortcut + residual)
        if network.units:
            pooled = mean_pool(x, network.pool).reshape(len(x), -1)
            memory.append(jnp.pad(pooled, ((0, 0), (0, network.memory_features - pooled.shape[1]))))
    features = x.mean(axis=(2, 3))
    if network.units:
        features = jnp.concatenate([lstm(arrays, jnp.stack(memory, axis=1)), features], axis=1)
    return jax.nn.sigmoid(features @ arrays["output.W"] + arrays["output.b"]), statistics


def squared_error(predictions, batch):
    """Squared error of what the mask leaves, summed over the outputs and averaged over the batch."""
    _, targets, mask = batch
    return (mask * (predictions - targets) ** 2).sum() / len(targets)


def objective(network, parameters, statistics, batch, weight_decay=0.0):
    """Squared error summed over the outputs, averaged over the batch, plus the decay; the new statistics.

    The batch is (images, targets, mask), the last two of (batch, outputs). The decay is half the sum of squares
    of the weights `W`.
    """
    predictions, statistics = forward(network, parameters | statistics, batch[0], train=True)
    loss = squared_error(predictions, batch)
    if weight_decay:
        weights = (array for name, array in parameters.items() if ".W" in name)
        loss += 0.5 * weight_decay * sum((array**2).sum() for array in weights)
    return loss, statistics


def start(arrays):
    """State of training: parameters, their velocities and the running statistics."""
    arrays = {name: jnp.array(array) for name, array in arrays.items()}
    parameters = {name: array for name, array in arrays.items() if not is_statistic(name)}
    return {
        "parameters": parameters,
        "velocities": jax.tree.map(jnp.zeros_like, parameters),
        "statistics": {name: array for name, array in arrays.items() if is_statistic(name)},
    }


def make_step(network, momentum=0.9, weight_decay=0.0):
    """Jitted `step(state, batch, rates) -> (state, loss)`, by Nesterov momentum; the old state is given up.

    `rates` is a dict with a learning rate for each of `COMPONENTS`.
    """

    def step(state, batch, rates):
        parameters, velocities = dict(state["parameters"]), {}
        differentiate = jax.value_and_grad(objective, argnums=1, has_aux=True)
        (loss, statistics), gradients = differentiate(network, parameters, state["statistics"], batch, weight_decay)
        for name, gradient in gradients.items():
            change = rates[component(name)] * gradient
            velocities[name] = momentum * state["velocities"][name] - change
            parameters[name] += momentum * velocities[name] - change
        return {"parameters": parameters, "velocities": velocities, "statistics": statistics}, loss

    return jax.jit(step, donate_argnums=0)


def make_evaluation(network):
    """Jitted `evaluate(arrays, batch) -> (predictions, loss)`, by the running statistics."""

    def evaluate(arrays, batch):
        predictions, _ = forward(network, arrays, batch[0])
        return predictions, squared_error(predictions, batch)

    return jax.jit(evaluate)
