"""What is compared: a step of the package, of JAX by hand and of PyTorch by hand.

Each is made of the workload, first weights by name (None: its own), the batch by name, and whether the step predicts in
place of training. Made are `advance() -> loss`, which returns when the step is done, and the bytes of its program (None
where nothing tells them).
"""

import contextlib
import os

from benchmarks.workloads import DECAYS, RATE

COMPONENTS = ("resnet", "lstm", "output")  # of the CRMN; the ResNet has no memory


def make_ours(workload, arrays, batch, evaluation=False, backend="xla"):
    """The package, by the parts of the row's recipe."""
    from benchmarks import ours

    layer = ours.build(workload, arrays)
    if evaluation:
        return _our_evaluation(ours.evaluation_step(layer, workload, backend), batch, backend)
    return _our_training(ours.training_step(layer, workload, backend), batch, ours.rates(workload), backend)


def _our_training(step, batch, rates, backend):
    import jax

    state = step.initial_state()
    step.release()
    program = step.lower(state, batch, rates).compile() if backend == "xla" else None

    def advance():
        nonlocal state
        state, outputs = step(state, batch, rates)
        return float(jax.block_until_ready((outputs["loss"], state))[0])

    return advance, program and program_bytes(program)


def _our_evaluation(step, batch, backend):
    from crmn_legacy.training.evaluation import mean_of_passes

    state = step.initial_state()
    step.release()
    program = step.lower(state, batch).compile() if backend == "xla" else None

    def advance():
        nonlocal state
        state, outputs = mean_of_passes(step, state, batch, 1)
        return float(outputs["losses"].mean())

    return advance, program and program_bytes(program)


def make_jax(workload, arrays, batch, evaluation=False):
    """The CRMN or its ResNet by hand in JAX."""
    import jax

    from benchmarks import hand_written_jax

    network = _by_hand(workload)
    arrays = arrays or hand_written_jax.initialise(network)
    batch = tuple(jax.device_put(array) for array in batch.values())
    if evaluation:
        arrays = jax.device_put(arrays)
        program = hand_written_jax.make_evaluation(network).lower(arrays, batch).compile()
        return lambda: float(jax.block_until_ready(program(arrays, batch))[1]), program_bytes(program)
    state, rates = hand_written_jax.start(arrays), dict.fromkeys(COMPONENTS, RATE)
    step = hand_written_jax.make_step(network, weight_decay=DECAYS[workload.network])
    program = step.lower(state, batch, rates).compile()

    def advance():
        nonlocal state
        state, loss = program(state, batch, rates)
        return float(jax.block_until_ready((loss, state))[0])

    return advance, program_bytes(program)


def make_torch(workload, arrays, batch, evaluation=False):
    """The network by hand in PyTorch, on all cores of this process."""
    import torch

    from benchmarks import hand_written_torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    net, objective, optimiser = _torch_parts(workload)
    if arrays:
        hand_written_torch.load(net, arrays, flip_filters=True)
    batch = [torch.from_numpy(array) for array in batch.values()]
    if not workload.of_faces:
        batch[1] = batch[1].long()  # PyTorch's labels
    with _any_instruction_set(), torch.inference_mode():
        net.eval()(batch[0][:1])
    if evaluation:
        step = hand_written_torch.make_evaluation(net, objective)
    else:
        step = hand_written_torch.make_step(net, objective, optimiser)
    return lambda: step(batch).item(), None


def _torch_parts(workload):
    """Network, objective and optimiser."""
    from benchmarks import hand_written_torch, hand_written_torch_cifar

    decay = DECAYS[workload.network]
    if workload.of_faces:
        net = hand_written_torch.Net(_by_hand(workload))
        optimiser = hand_written_torch.make_optimiser(net, dict.fromkeys(COMPONENTS, RATE), weight_decay=decay)
        return net, hand_written_torch.objective, optimiser
    if workload.network == "densenet":
        net = hand_written_torch_cifar.DenseNet(workload.n, workload.fm, workload.outputs)
    else:
        net = hand_written_torch_cifar.WideResNet(workload.n, 16 * workload.fm, workload.outputs)
    return net, hand_written_torch_cifar.objective, hand_written_torch_cifar.make_optimiser(net, RATE, decay)


@contextlib.contextmanager
def _any_instruction_set():
    """Hide from PyTorch, which reads it at its first convolution, how `--bits portable` holds back XLA's oneDNN."""
    name = "ONEDNN_MAX_CPU_ISA"
    value = os.environ.pop(name, None)
    try:
        yield
    finally:
        if value is not None:
            os.environ[name] = value


def _by_hand(workload):
    from benchmarks.hand_written_sizes import Network

    return Network(
        n=workload.n,
        fm=workload.fm,
        input_shape=workload.input_shape,
        units=100 if workload.network == "crmn" else 0,
        outputs=workload.outputs,
        contrast=True,
        flip_filters=True,
    )


def program_bytes(program):
    """Bytes of a compiled XLA program: arguments, outputs, those of both that share a buffer, and scratch."""
    analysis = program.memory_analysis()
    sizes = {
        "arguments": analysis.argument_size_in_bytes,
        "outputs": analysis.output_size_in_bytes,
        "shared": analysis.alias_size_in_bytes,
        "scratch": analysis.temp_size_in_bytes,
    }
    return sizes | {"total": sizes["arguments"] + sizes["outputs"] - sizes["shared"] + sizes["scratch"]}
