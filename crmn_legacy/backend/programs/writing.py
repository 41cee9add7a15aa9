"""Steps as programs of StableHLO, which need neither this package nor Aesara, and what is to be known of them."""

import contextlib
from dataclasses import dataclass

import numpy as np

PLATFORMS = ("cpu", "cuda")
"""What a bundle has programs for; each is lowered as suits it."""


@dataclass(frozen=True)
class Artifact:
    """A program.

    Attributes
    ----------
    content : bytes
        A StableHLO portable artifact (MLIR bytecode).
    described : dict
        What `crmn_legacy.backend.programs.run_program.Program` needs to know of it.
    """

    content: bytes
    described: dict


def step_artifact(step, batch, platform):
    """A step of the XLA backend.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.XlaStep
        Made under ``settings(platform=platform)``, which must still hold.
    batch : dict of str to jax.ShapeDtypeStruct
    platform : str
        Of `PLATFORMS`.

    Returns
    -------
    Artifact
        Called with state, batch and rates, it gives a state (whole, if it donates) and outputs.
    """
    state, program, axes = held(step)
    parts = {"state": state, "batch": {name: batch[name] for name in step.batch_names}, "rates": step.kinds()[1]}
    return artifact_of(program, parts, platform, axes, step.donates)


def held(step):
    """A step as a function of plain arrays, which lie as it holds them.

    Parameters
    ----------
    step : crmn_legacy.backend.compile.XlaStep

    Returns
    -------
    dict of str to jax.ShapeDtypeStruct
        Kinds of its state, as they are held.
    callable
        (state, batch, rates) -> (new state, outputs).
    dict of str to tuple of int
        Of arrays that are held otherwise than written: how they are transposed to be held so.
    """
    import jax

    from crmn_legacy.backend.lowerings.order import Map
    from crmn_legacy.backend.lowerings.registry import channels_last

    state, _ = step.kinds()
    axes = {name: Map.axes for name, kind in state.items() if channels_last() and len(kind.shape) == Map.ndim}
    for name in axes:
        shape = tuple(state[name].shape[axis] for axis in Map.axes)
        state[name] = jax.ShapeDtypeStruct(shape, state[name].dtype)

    def program(state, batch, rates):
        state = {name: Map(value) if name in axes else value for name, value in state.items()}
        new, outputs = step.program(state, batch, rates)
        return {name: value.array if isinstance(value, Map) else value for name, value in new.items()}, outputs

    return state, program, axes


def artifact_of(program, parts, platform, axes=None, donates=False):
    """A function of dicts of arrays by name.

    Parameters
    ----------
    program : callable
        Of one dict for each of `parts`; returns a new state and outputs.
    parts : dict of str to dict
        ``state``, ``batch``, ``rates``: shapes and dtypes by name.
    platform : str
    axes : dict of str to sequence of int, optional
        Of arrays of the state that are held otherwise than written: how they are transposed to be held so.
    donates : bool
        Whether the state that is given may be overwritten.

    Returns
    -------
    Artifact
    """
    import jax
    from jax import export

    axes = axes or {}
    places = [(part, name) for part, arrays in parts.items() for name in arrays]
    made = []

    def flat(*values):
        given = {part: {} for part in parts}
        for (part, name), value in zip(places, values, strict=True):
            given[part][name] = value
        new, outputs = program(*given.values())
        made[:] = [("state", name) for name in sorted(new)] + [("outputs", name) for name in sorted(outputs)]
        return tuple({"state": new, "outputs": outputs}[part][name] for part, name in made)

    with without_paths():
        exported = export.export(jax.jit(flat), platforms=(platform,))(*(parts[part][name] for part, name in places))
    described = {
        "inputs": [_entry(*place, kind, axes) for place, kind in zip(places, exported.in_avals, strict=True)],
        "outputs": [_entry(*place, kind, axes) for place, kind in zip(made, exported.out_avals, strict=True)],
        "donates": donates,
        "exported": {
            "fun_name": exported.fun_name,
            "platforms": list(exported.platforms),
            "calling_convention_version": exported.calling_convention_version,
            "module_kept_var_idx": list(exported.module_kept_var_idx),
            "uses_global_constants": exported.uses_global_constants,
        },
    }
    return Artifact(bytes(exported.mlir_module_serialized), described)


def _entry(part, name, kind, axes):
    shape = [size if isinstance(size, int) else str(size) for size in kind.shape]
    held = list(axes[name]) if part == "state" and name in axes else None
    return {"part": part, "name": name, "shape": shape, "dtype": str(np.dtype(kind.dtype)), "axes": held}


@contextlib.contextmanager
def without_paths():
    """Lower without the names of source files: they tell about this machine, and move a program's bytes."""
    import jax

    changes = {"jax_traceback_in_locations_limit": 0, "jax_hlo_source_file_canonicalization_regex": ".*"}
    before = {name: getattr(jax.config, name) for name in changes}
    for name, value in changes.items():
        jax.config.update(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
