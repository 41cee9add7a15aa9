"""Run the programs that `tools/kernels.py` wrote, each alone, and write a digest of what each gives.

    python tools/run_kernels.py DIR --out FILE [--bits strict|portable]

It imports JAX and little else, since under an emulated processor every import counts.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

from crmn_legacy.backend import determinism
from crmn_legacy.errors import run
from crmn_legacy.parser import Parser

# Defined for positive numbers alone.
_POSITIVE = ("div", "log", "pow", "rsqrt", "sqrt")


def operands(name, shapes):
    """Arrays of these shapes: a pure function of the program's name."""
    import numpy as np

    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    generator = np.random.Generator(np.random.Philox(key=key))
    # In single precision whatever the shapes' own, so that both draw the same numbers.
    drawn = [generator.standard_normal(shape.shape, np.float32).astype(shape.dtype) for shape in shapes]
    return [np.abs(array) + 0.125 for array in drawn] if name.startswith(_POSITIVE) else drawn


def digest(outputs):
    """SHA-256 over the bytes of a program's outputs."""
    import numpy as np

    sha = hashlib.sha256()
    for output in outputs:
        sha.update(np.ascontiguousarray(output).tobytes())
    return sha.hexdigest()


def main():
    flags = Parser(__doc__)
    flags.add_argument("folder", metavar="DIR", type=Path)
    flags.add_argument("--out", metavar="FILE", type=Path, required=True)
    flags.add_argument("--bits", choices=("strict", "portable"), default="strict")
    given = flags.parse_args()
    determinism.pin_host()
    determinism.pin(given.bits)

    import jax
    from jax import export

    found = {}
    for number, kernel in enumerate(json.loads((given.folder / "kernels.json").read_text())):
        began = time.monotonic()
        program = export.deserialize((given.folder / kernel["file"]).read_bytes())
        outputs = jax.tree.leaves(jax.jit(program.call)(*operands(kernel["name"], program.in_avals)))
        found[kernel["name"]] = digest(outputs)
        print(f"{number} {time.monotonic() - began:.1f} s {kernel['name'][:90]}", file=sys.stderr, flush=True)
    given.out.write_text(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    run(main)
