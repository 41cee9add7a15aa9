"""Do unlike processors give the same bits? Run the rows' kernels and smoke runs on emulated ones and compare.

    python tools/unlike.py [--models MODEL...] [--bits strict|portable] [--rows ROW...] [--out DIR] [--only PART]

Each model is emulated by `qemu-x86_64` (Debian's package qemu-user). What is compared with the bare machine:

- each operation of each row's full network at its own shapes, two pictures a batch, alone (`tools/kernels.py`);
- each row's smoke run for two steps, compiled under the emulator as well. Rows whose smoke runs are one and the same
  computation are run once.

Exit status 0 if nothing moves, 1 if something does: then it is named. What is in DIR already, of
the same code and rows, is not computed again.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser

ROOT = Path(__file__).parents[1]
EMULATOR = "qemu-x86_64"
BARE = "this machine"
# Intel's of 2013, and the first and third of a line of AMD's: unlike makes, caches and approximate instructions.
MODELS = ("Haswell", "EPYC", "EPYC-Milan")
# The emulator reads, in vectors that a mask loads in part, also what the mask leaves out, and ends where no memory is
# mapped there (7.2; processors do not). XLA loads so before the start of an array. Taken from one heap, an array has
# memory of the process before it; by itself the C library maps large ones apart.
ONE_HEAP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_ARENA_MAX": "1"}


class Bench:
    """Where results lie, and how one is computed.

    Parameters
    ----------
    folder : Path
        Of the results.
    bits : str
        The profile.
    """

    def __init__(self, folder, bits):
        self.folder, self.bits = folder, bits

    def python(self, model, *arguments):
        """Run Python on a model of a processor; returns what it printed last, and its seconds."""
        prefix, memory = ([], {}) if model == BARE else ([EMULATOR, "-cpu", model], ONE_HEAP)
        # Programs compiled on the bare machine would hide how the emulated one compiles.
        variables = {**os.environ, **memory, "PYTHONPATH": str(ROOT), "CRMN_LEGACY_CACHE": "off"}
        command = [*prefix, sys.executable, *map(str, arguments)]
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        if done.returncode:
            last = next(iter(done.stderr.strip().splitlines()[-1:]), "nothing")
            raise RuntimeError(
                f"on {model}: {' '.join(command)} ended with status {done.returncode} and said: {last[:300]}"
            )
        return done.stdout.strip().splitlines()[-1:], time.monotonic() - began

    def kept(self, name, compute):
        """What `compute` gives (a dict), from its file if it is there."""
        path = self.folder / f"{name}.json".replace(" ", "_")
        if path.exists():
            return json.loads(path.read_text())
        result = compute()
        path.write_text(json.dumps(result, indent=1))
        return result

    def kernels(self, model):
        """Digests of all kernels on a model, by name, and the seconds they took."""

        def compute():
            out = self.folder / f"digests-{model}.json".replace(" ", "_")
            programs = self.folder / "kernels"
            _, seconds = self.python(model, "tools/run_kernels.py", programs, "--out", out, "--bits", self.bits)
            return {"seconds": seconds, "digests": json.loads(out.read_text())}

        return self.kept(f"kernels-{self.bits}-{model}", compute)

    def smoke(self, row, model):
        """Digest of a row's smoke run of two steps on a model, and its seconds."""

        def compute():
            out = self.folder / f"run-{row}-{model}".replace(" ", "_")
            shutil.rmtree(out, ignore_errors=True)
            arguments = ("--smoke", "--steps", "2", "--bits", self.bits, "--out", out)
            last, seconds = self.python(model, f"recipes/{row}.py", *arguments)
            shutil.rmtree(out)
            return {"seconds": seconds, "digests": {"bits": last[0]}}

        return self.kept(f"smoke-{self.bits}-{row}-{model}", compute)


def alike(rows):
    """Rows by what their smoke runs compute: those of one list differ in name alone."""
    from crmn_legacy.backend import determinism

    determinism.pin_host()
    determinism.pin()
    from lasagne.layers import get_all_layers, get_output_shape

    from crmn_legacy.inference.trained_network import recipe_of
    from crmn_legacy.training.steps import build

    groups = {}
    for row in rows:
        recipe = recipe_of(row)
        if recipe is None:
            raise UserError(f"--rows got {row!r}, expected a row that has a recipe: `tables` lists them")
        layers = get_all_layers(build(lambda recipe=recipe: recipe.network(**recipe.smallest), seed=1))
        described = [
            [
                (type(layer).__name__, layer.name, get_output_shape(layer), sorted(p.name for p in layer.params))
                for layer in layers
            ],
            recipe.optimizer.describe(),
            recipe.schedule.describe(),
            recipe.task.describe(),
            recipe.weight_decay,
            recipe.constraints,
            [recipe.smoke.batch_size, recipe.smoke.epochs],
        ]
        groups.setdefault(hashlib.sha256(repr(described).encode()).hexdigest(), []).append(row)
    return list(groups.values())


def key_of(rows):
    """What results depend on: the code, the lock and the rows, as twelve hexadecimal digits."""
    sources = [path for folder in ("crmn_legacy", "recipes", "tools") for path in (ROOT / folder).rglob("*.py")]
    sha = hashlib.sha256(" ".join(rows).encode())
    for path in sorted([*sources, ROOT / "requirements.lock"]):
        sha.update(f"\n{path.relative_to(ROOT)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return sha.hexdigest()[:12]


def moved(expected, found):
    """Names whose digests differ, or are there once only."""
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def main():
    flags = Parser(__doc__)
    flags.add_argument("--models", nargs="+", default=MODELS, metavar="MODEL", help=f"default: {' '.join(MODELS)}")
    flags.add_argument("--bits", choices=("strict", "portable"), default="strict", help="default: strict")
    flags.add_argument("--rows", nargs="+", metavar="ROW", help="default: every row that has a recipe")
    flags.add_argument("--out", type=Path, default=ROOT / "runs" / "unlike", metavar="DIR", help="default: runs/unlike")
    flags.add_argument("--only", choices=("kernels", "smokes"), help="the operations alone, or the smoke runs alone")
    flags.add_argument("--jobs", type=int, default=2, metavar="N", help="processes at a time (default: 2)")
    given = flags.parse_args()
    if shutil.which(EMULATOR) is None:
        raise UserError(f"got no {EMULATOR}, expected the emulator: install Debian's package qemu-user")
    rows = given.rows or sorted(path.stem for path in (ROOT / "recipes").glob("table*.py"))
    folder = given.out.absolute() / key_of(rows)
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(folder, given.bits)
    if given.only != "smokes" and not (folder / "kernels" / "kernels.json").exists():
        bench.python(BARE, "tools/kernels.py", "--out", folder / "kernels", *rows)
    groups = [] if given.only == "kernels" else alike(rows)
    models = [BARE, *given.models]
    with ThreadPoolExecutor(given.jobs) as pool:
        kernels = {model: pool.submit(bench.kernels, model) for model in models if given.only != "smokes"}
        smokes = {(group[0], model): pool.submit(bench.smoke, group[0], model) for group in groups for model in models}
        return report(given, rows, groups, kernels, smokes)


def report(given, rows, groups, kernels, smokes):
    """Print what was compared and what moved; returns the exit status."""
    status = 0
    print(f"under --bits {given.bits}, against {BARE}")
    expected = kernels[BARE].result()["digests"] if kernels else {}
    if kernels:
        print(f"{len(expected)} kernels of {len(rows)} rows")
    for model in given.models if kernels else ():
        result = kernels[model].result()
        names = moved(expected, result["digests"])
        status |= bool(names)
        print(
            f"  {model}: {len(expected) - len(names)} equal, {len(names)} moved; {result['seconds'] / 60:.1f} minutes"
        )
        for name in names:
            print(f"    moved: {name}")
    for group in groups:
        expected = smokes[group[0], BARE].result()["digests"]
        print(f"smoke run of {', '.join(group)}, two steps: {expected['bits']}")
        for model in given.models:
            result = smokes[group[0], model].result()
            same = result["digests"] == expected
            status |= not same
            said = "equal" if same else f"moved: {result['digests']['bits']}"
            print(f"  {model}: {said}; {result['seconds'] / 60:.1f} minutes")
    print("nothing moved" if status == 0 else "moved")
    return status


if __name__ == "__main__":
    run(main)
