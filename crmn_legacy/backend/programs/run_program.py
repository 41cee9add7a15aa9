"""Train, evaluate and predict by the programs of this folder; JAX (0.7 or later) and NumPy are all that this needs.

    python run_program.py check                      three updates: are the losses those that program.json tells?
    python run_program.py train BATCHES.npz --updates 100 --out STATE.npz [--state STATE.npz] [--rate NAME=VALUE ...]
    python run_program.py evaluate BATCHES.npz [--state STATE.npz]
    python run_program.py predict PICTURES.npy [--box X0 Y0 X1 Y1] [--state STATE.npz]

BATCHES.npz: arrays by the names of `batch` in program.json, of a batch of pictures or more, taken in order, over and
over. PICTURES.npy, uint8: one gray picture (height, width) of a face whose tight box is --box, in pixels (else all of
it); of a classifier pictures (N, 3, height, width). Without --state: trained weights if there are any, else the first.
"""

import argparse
import hashlib
import io
import json
import sys
from pathlib import Path

import jax
import numpy as np
from jax import export


class Bundle:
    """The files of a folder, each held against the digest that program.json, which is in `described`, has of it."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.described = json.loads((self.folder / "program.json").read_text(encoding="utf-8"))

    def content(self, name):
        content, expected = (self.folder / name).read_bytes(), self.described["files"].get(name, "no such file")
        if (found := hashlib.sha256(content).hexdigest()) != expected:
            raise ValueError(f"got '{self.folder / name}' with sha256 {found[:12]}, expected {expected[:12]}: altered")
        return content

    def arrays(self, name):
        listed = name in self.described["files"]
        return dict(np.load(io.BytesIO(self.content(name)), allow_pickle=False)) if listed else {}

    def program(self, kind, platform=None):
        """A `Program` (``train``, ``evaluate``, ...) for a platform, by default the one that JAX computes on."""
        name = f"{kind}.{platform or jax.default_backend().replace('gpu', 'cuda')}"
        if name not in self.described["programs"]:
            raise ValueError(f"got no program {name!r}, expected one of {', '.join(self.described['programs'])}")
        return Program(self.content(f"{name}.stablehlo"), self.described["programs"][name])

    def initial_state(self, seed=None):
        """All arrays as they are before the first update, by name, from draws of the bundle's seed or of another."""
        stored, own = self.arrays("initial.npz"), self.described["seed"]
        drawn = {name: how for name, how in self.described["state"].items() if name not in stored}
        state = stored | {name: self._made(how, own if seed is None else seed) for name, how in drawn.items()}
        if seed in (None, own) and digest(state) != self.described["initial_sha256"]:
            raise ValueError("got first weights of another digest than program.json has: does NumPy draw otherwise?")
        return state

    def _made(self, how, seed):
        """An array before the first update: of one number, of a draw, or of the random streams that a draw seeds."""
        if "fill" in how:
            return np.full(how["shape"], how["fill"], how["dtype"])
        purpose, index = how["draw"]  # a counter: the numbers of a place depend on no others
        draws = np.random.Generator(np.random.Philox(key=seed | purpose << 64, counter=index << 128))
        drawn = np.asarray(getattr(draws, how["distribution"])(*how["arguments"], **how["keywords"]))
        if "streams" in how:
            drawn = self.program("streams")(batch={"seed": np.uint32(drawn)})["outputs"]["states"][: how["streams"]]
        return np.asarray(drawn).astype(how["dtype"])


def digest(state):
    """SHA-256 of the bytes of all arrays, in the order of their names."""
    return hashlib.sha256(b"".join(np.ascontiguousarray(state[name]).tobytes() for name in sorted(state))).hexdigest()


class Program:
    """One program: StableHLO as a portable artifact, which JAX promises to read for five years.

    Called with dicts of arrays it gives such dicts. `put` brings a state to its order, `get` back; give none twice.
    """

    def __init__(self, content, described):
        self.inputs, self.outputs = described["inputs"], described["outputs"]
        self._axes = {e["name"]: e["axes"] or range(len(e["shape"])) for e in self.inputs if e["part"] == "state"}
        scope, fields = export.SymbolicScope(), dict(described["exported"], nr_devices=1, _get_vjp=None)
        for way, entries in (("in", self.inputs), ("out", self.outputs)):
            shapes = [export.symbolic_shape(",".join(map(str, e["shape"])), scope=scope) for e in entries]
            kinds = [jax.core.ShapedArray(s, np.dtype(e["dtype"])) for s, e in zip(shapes, entries, strict=True)]
            fields |= {f"{way}_avals": tuple(kinds), f"{way}_tree": jax.tree.structure(tuple(kinds))}
            fields |= dict.fromkeys((f"{way}_shardings_hlo", f"_{way}_named_shardings"), (None,) * len(kinds))
        # `jax.export` reads its own bundles for half a year only, so one is made anew about the artifact.
        fields |= {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        fields |= {"in_tree": jax.tree.structure((fields["in_avals"], {})), "mlir_module_serialized": content}
        exported = export.Exported(**{f: fields.get(f, ()) for f in export.Exported.__dataclass_fields__})
        donated = [n for n, e in enumerate(self.inputs) if described["donates"] and e["part"] == "state"]
        self._call = jax.jit(exported.call, donate_argnums=donated)

    def __call__(self, **parts):
        given = ((parts[e["part"]][e["name"]], e) for e in self.inputs)
        values = self._call(*(np.asarray(v, e["dtype"]) if e["part"] == "rates" else v for v, e in given))
        named = list(zip(self.outputs, values, strict=True))
        return {part: {e["name"]: value for e, value in named if e["part"] == part} for part in ("state", "outputs")}

    def put(self, state):
        copies = {name: np.array(np.transpose(state[name], axes), order="C") for name, axes in self._axes.items()}
        return {name: jax.device_put(array, may_alias=False) for name, array in copies.items()}

    def get(self, state):
        back = ((name, np.argsort(axes)) for name, axes in self._axes.items())
        return {name: np.ascontiguousarray(np.transpose(state[name], axes)) for name, axes in back}


def _main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("what", choices=("check", "train", "evaluate", "predict"))
    flags.add_argument("file", nargs="?")
    numbers = {"type": int, "default": 3}, {"nargs": "+", "default": []}, {"type": float, "nargs": 4}
    for name, how in zip(("--updates", "--rate", "--box", "--state", "--out"), (*numbers, {}, {}), strict=True):
        flags.add_argument(name, **how)
    given, bundle = flags.parse_args(), Bundle(Path(__file__).parent)
    jax.config.update("jax_enable_x64", bundle.described["precision"] == "float64")
    told, checks, trains = bundle.described, given.what == "check", given.what in ("check", "train")
    state = bundle.initial_state() | ({} if trains else bundle.arrays("weights.npz"))
    state |= dict(np.load(given.state, allow_pickle=False)) if given.state else {}
    held = (program := bundle.program("train" if trains else given.what)).put(state)
    if given.what == "predict":
        batch = {"pictures": np.load(given.file, allow_pickle=False)} | bundle.arrays("statistics.npz")
        batch["box"] = np.float32(given.box or (0, 0, *batch["pictures"].shape[:-3:-1]))
        return print(program(state=held, batch=batch)["outputs"])
    arrays = bundle.arrays("check.npz") if checks else np.load(given.file, allow_pickle=False)
    arrays, size = {name: arrays[name] for name in told["batch"]}, told["batch"]["images"]["shape"][0]
    whole = min(map(len, arrays.values())) // size * size
    if not whole:
        raise ValueError(f"got fewer pictures than a batch of {size}, expected more")
    rates = told["check_rates" if checks else "rates"] | dict(word.split("=") for word in given.rate)
    for start in range(0, (given.updates if trains else whole // size) * size, size):
        batch = {name: array[start % whole : start % whole + size] for name, array in arrays.items()}
        found = program(state=held, batch=batch, rates=rates)
        held = held | found["state"]
        print(loss := np.mean(found["outputs"]["loss" if trains else "losses"]), flush=True)
        if checks:
            np.testing.assert_allclose(loss, told["check_losses"][start // size], rtol=1e-5)
    if given.out:
        np.savez(given.out, **state | program.get(held))


if __name__ == "__main__":
    try:
        _main()
    except (ValueError, OSError, KeyError, AssertionError) as error:
        sys.exit(f"error: {error}")
