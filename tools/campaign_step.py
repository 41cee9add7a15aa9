"""Milliseconds of a training step on the machine at hand, of one contender; and what that machine is.

    python campaign_step.py machine --device cuda
    python campaign_step.py measure BUNDLE --precision float32 --contender ours --device cuda

Both print one JSON object. The package's step is that of a bundle; JAX's and PyTorch's are those that the benchmarks
have by hand. All read one batch that lies on the device, and take turns with nobody: each has its process.
"""

import argparse
import dataclasses
import json
import platform
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

RATE = 1e-3
TURNS, STEPS = 7, 10
COMPONENTS = ("resnet", "lstm", "output")


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("machine", "measure"))
    parser.add_argument("bundle", nargs="?", type=Path)
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--contender", default="ours")
    parser.add_argument("--device", default="cuda")
    return parser.parse_args(argv)


def machine(options):
    """Card, driver's view of it, and versions."""
    from crmn_legacy.backend import determinism

    switches = determinism.pin("portable", options.device, 1)
    import jax

    return {
        "devices": [device.device_kind for device in jax.devices()],
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("jax", "jaxlib", "numpy", "torch", "msgspec")},
        "environment": switches.environment,
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def measure(options):
    """Seconds a step: the median of `TURNS` turns of `STEPS` steps, and the spread; memory; first losses."""
    if options.contender.startswith("ours"):
        from crmn_legacy.backend import determinism

        # Before the bundle's reader imports NumPy. The others compute as their users have it.
        determinism.pin_host()
    from crmn_legacy.backend.programs.reading import open_bundle

    described = open_bundle(options.bundle).described
    makers = {
        "ours": lambda: _ours(options, "portable"),
        "ours-fast": lambda: _ours(options, "fast"),
        "jax": lambda: _jax(options, described),
        "torch": lambda: _torch(options, described, compiled=False),
        "torch-compiled": lambda: _torch(options, described, compiled=True),
    }
    began = time.perf_counter()
    advance, memory = makers[options.contender]()
    losses = [advance(1) for _ in range(3)]
    prepared = time.perf_counter() - began
    steps = 1 if options.device == "cpu" else STEPS
    seconds = []
    for _ in range(2 if options.device == "cpu" else TURNS):
        start = time.perf_counter()
        advance(steps)
        seconds.append((time.perf_counter() - start) / steps)
    median = statistics.median(seconds)
    # A step's operations over a forward pass's: every product has two gradients.
    operations = 3 * described["flops"] * described["plan"]["batch_size"]
    return {
        "milliseconds": 1e3 * median,
        "spread": [1e3 * min(seconds), 1e3 * max(seconds)],
        "operations_a_second": operations / median,
        "batch_size": described["plan"]["batch_size"],
        "peak_bytes": memory(),
        "losses": losses,
        "prepared_seconds": prepared,
    }


def _ours(options, bits):
    """The bundle's program, under the switches that fix bits or without them."""
    from crmn_legacy.backend import determinism, precision

    determinism.pin(bits, options.device, 1)
    import jax

    from crmn_legacy.backend.programs.reading import open_bundle

    precision.use(options.precision, "program", options.device)
    bundle = open_bundle(options.bundle)
    program = bundle.program("train", options.device)
    state = program.put(bundle.initial_state())
    batch = {name: jax.device_put(array) for name, array in bundle.arrays("check.npz").items()}
    rates = dict.fromkeys(bundle.described["rates"], RATE)

    def advance(steps):
        nonlocal state
        for _ in range(steps):
            found = program(state=state, batch=batch, rates=rates)
            state = found["state"]
        return float(jax.block_until_ready(found["outputs"]["loss"]))

    return advance, _jax_memory


def _jax_memory():
    import jax

    return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")


def _network(described):
    """Sizes for what is written by hand."""
    from benchmarks.hand_written_sizes import OF_ROWS

    sizes = {name: value for name, value in described["plan"]["arguments"].items() if name in ("n", "fm")}
    return dataclasses.replace(OF_ROWS[described["row"]], **sizes)


def _batch(options):
    from crmn_legacy.backend.programs.reading import open_bundle

    arrays = open_bundle(options.bundle).arrays("check.npz")
    return tuple(arrays[name] for name in ("images", "keypoints", "mask"))


def _jax(options, described):
    """JAX by hand, with what kernels XLA chooses."""
    import jax
    import numpy as np

    from benchmarks import hand_written_jax

    if options.precision == "bfloat16":
        raise SystemExit("error: JAX by hand has float32 and tf32")
    jax.config.update("jax_default_matmul_precision", {"tf32": "tensorfloat32"}.get(options.precision, "highest"))
    network = _network(described)
    state = hand_written_jax.start(hand_written_jax.initialise(network))
    batch = tuple(jax.device_put(array) for array in _batch(options))
    rates = dict.fromkeys(COMPONENTS, np.float32(RATE))
    step = hand_written_jax.make_step(network, weight_decay=1e-10)

    def advance(steps):
        nonlocal state
        for _ in range(steps):
            state, loss = step(state, batch, rates)
        return float(jax.block_until_ready(loss))

    return advance, _jax_memory


def _torch(options, described, compiled):
    """PyTorch by hand as its users have it: channels last, cuDNN autotuned, bfloat16 by autocast."""
    import torch

    from benchmarks import hand_written_torch

    device = options.device
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.precision != "float32"
    net = hand_written_torch.Net(_network(described)).to(device, memory_format=torch.channels_last)
    optimiser = hand_written_torch.make_optimiser(net, dict.fromkeys(COMPONENTS, RATE), weight_decay=1e-10)
    batch = [torch.from_numpy(array).to(device) for array in _batch(options)]
    mixed = torch.autocast(device, torch.bfloat16, enabled=options.precision == "bfloat16")
    forward = torch.compile(net) if compiled else net

    def advance(steps):
        images, targets, mask = batch
        for _ in range(steps):
            optimiser.zero_grad(set_to_none=True)
            with mixed:
                predicted = forward(images.float())
            loss = (mask * (predicted.float() - targets) ** 2).sum() / len(images)
            loss.backward()
            optimiser.step()
        return loss.item()

    return advance, lambda: torch.cuda.max_memory_allocated() if device == "cuda" else None


if __name__ == "__main__":
    given = parse(sys.argv[1:])
    try:
        print(json.dumps({"machine": machine, "measure": measure}[given.what](given)))
    except Exception as error:
        # Its last line is all that the campaign keeps of what failed.
        sys.exit(f"error: {type(error).__name__}: {error}".replace("\n", " "))
