"""What every row becomes on a card that need not be there: the tables of KERNELS.md.

    .venv-cuda/bin/python benchmarks/kernels.py                  compile what is not in results/kernels.json; the tables
    .venv-cuda/bin/python benchmarks/kernels.py ROW... --anew    these rows again
    python benchmarks/kernels.py --check                         are the tables those of what was measured?

Each row's training and evaluation step is compiled in a process of its own for the published batch, by
`crmn-legacy kernels`; the CRMN and its ResNets once more as they are written by hand in JAX. `--golden` makes the
digests of the PTX the golden ones. Nothing here runs on a card, so nothing but compiling is timed.
"""

import datetime
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries, machine
from benchmarks.hand_written_sizes import OF_ROWS
from crmn_legacy import paper
from crmn_legacy.errors import UserError, run
from crmn_legacy.parser import Parser

RESULTS = Path(__file__).with_name("results") / "kernels.json"
DOCUMENT = Path(__file__).with_name("KERNELS.md")
MARK = "<!-- made by benchmarks/kernels.py -->\n"

OURS, HAND = "package", "by hand"


def parse(argv):
    parser = Parser(__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="default: all that the paper prints")
    parser.add_argument("--card", default="h100")
    parser.add_argument("--anew", action="store_true", help="compile also what was compiled before")
    parser.add_argument("--golden", action="store_true", help="take the digests of the PTX for golden")
    parser.add_argument("--check", action="store_true", help="compile nothing; fail if the tables are not up to date")
    parser.add_argument("--compile-by-hand", metavar="ROW", help="print one row written by hand as JSON, and end")
    return parser.parse_args(argv)


def measure(rows, card, anew):
    """Compile what is not yet among the entries, and add each as soon as it is there."""
    for row in rows:
        for by in (OURS, HAND) if row in OF_ROWS else (OURS,):
            done = entries.read(RESULTS) if RESULTS.exists() else []
            settings = {"row": row, "card": card, "by": by}
            if any(entry["settings"] == settings for entry in done) and not anew:
                continue
            words = ["-m", "crmn_legacy", "kernels", row, "--card", card, "--json"]
            if by == HAND:
                words = [__file__, "--card", card, "--compile-by-hand", row]
            began = time.monotonic()
            found = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False)
            if found.returncode not in (0, 1) or not found.stdout:
                raise UserError(f"got status {found.returncode} from {words}, expected it to compile: see above")
            print(f"{row}, {by}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            entry = {
                "machine": machine.label(),
                "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
                "commit": entries.commit(),
                "command": f"python benchmarks/kernels.py {row} --card {card}",
                "settings": settings,
                "numbers": json.loads(found.stdout.splitlines()[-1]),
            }
            entries.write(RESULTS, [*(e for e in done if e["settings"] != settings), entry])


def compile_by_hand(row, name):
    """The hand-written step of a row for a card, as `crmn-legacy kernels --json` tells of the package's."""
    from crmn_legacy.backend import determinism
    from crmn_legacy.backend.cards import card
    from crmn_legacy.backend.cards.compilation import Cluster, compile_ahead, dumped
    from crmn_legacy.installation import load_recipe, recipe_script

    batch_size = load_recipe(recipe_script(row)).batch_size
    determinism.pin("portable", "cuda")
    with dumped() as dump:
        return {"train": compile_ahead(_lowered_by_hand(row, batch_size, Cluster(card(name))), dump).as_json()}


def _lowered_by_hand(row, batch_size, cluster):
    import jax
    import numpy as np

    from benchmarks import hand_written_jax
    from benchmarks.contenders import COMPONENTS
    from benchmarks.workloads import DECAYS, Workload, make_batch

    network = OF_ROWS[row]
    # Shapes alone: no device is there to hold an array.
    state = jax.eval_shape(hand_written_jax.start, hand_written_jax.initialise(network))
    batch = make_batch(Workload("crmn", network.n, network.fm, network.input_shape[1], batch_size))
    sharded, replicated = cluster.shardings()

    def shapes(tree, sharding):
        return jax.tree.map(lambda a: jax.ShapeDtypeStruct(np.shape(a), a.dtype, sharding=sharding), tree)

    rates = {name: np.float32(0) for name in COMPONENTS}
    step = hand_written_jax.make_step(network, weight_decay=DECAYS["crmn"])
    return step.lower(shapes(state, replicated), shapes(tuple(batch.values()), sharded), shapes(rates, replicated))


def document(found):
    """KERNELS.md's tables (a str)."""
    by_row = {(e["settings"]["card"], e["settings"]["row"], e["settings"]["by"]): e for e in found}
    text = ""
    for card in dict.fromkeys(e["settings"]["card"] for e in found):
        ours = {row: by_row[card, row, OURS] for row in paper.ROWS if (card, row, OURS) in by_row}
        hand = {row: by_row[card, row, HAND] for row in paper.ROWS if (card, row, HAND) in by_row}
        title = next(iter(ours.values()))["numbers"]["card"]
        text += f"\n## {title}, float32\n\n{_steps(ours, 'train')}\n### Evaluation\n\n{_steps(ours, 'evaluate')}"
        text += (
            f"\n### Beside JAX by hand (training)\n\n{_beside(ours, hand)}\n### Digests of the PTX\n\n{_digests(ours)}"
        )
    return text


def _steps(ours, step):
    head = (
        "row", "batch", "compiled, s", "own kernels", "launches", "cuDNN", "cuBLAS", "registers", "spill",
        "transposes / copies / reversals", "temporaries, GB", "full at", "bound, ms",
    )  # fmt: skip
    rows = []
    for row, entry in ours.items():
        n, s = entry["numbers"], entry["numbers"][step]
        rows.append((
            f"`{row}`", n["batch_size"], f"{s['seconds']:.0f}", s["own"], s["launches"], s["cudnn"], s["cublas"],
            s["registers"], s["spilled"], f"{s['transposes']} / {s['copies']} / {s['reversals']}",
            f"{s['temporaries'] / 1e9:.2f}", f"{s['full_at_batch']:,}", f"{1e3 * s['bound_seconds']:.2f}",
        ))  # fmt: skip
    return _table(head, rows)


def _beside(ours, hand):
    rows = []
    for row in (row for row in ours if row in hand):
        pair = [entry["numbers"]["train"] for entry in (ours[row], hand[row])]
        cells = [[s["own"], s["launches"], f"{s['temporaries'] / 1e9:.2f}", s["cudnn"], s["copies"]] for s in pair]
        rows.append((f"`{row}`", *(f"{a} / {b}" for a, b in zip(*cells, strict=True))))
    return _table(("row (package / by hand)", "own kernels", "launches", "temporaries, GB", "cuDNN", "copies"), rows)


def _digests(ours):
    return _table(
        ("row", "training", "evaluation"),
        [
            (f"`{row}`", *(f"`{e['numbers'][s]['ptx_digest'][:16]}`" for s in ("train", "evaluate")))
            for row, e in ours.items()
        ],
    )


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def main(argv=None):
    options = parse(argv)
    if options.compile_by_hand:
        print(json.dumps(compile_by_hand(options.compile_by_hand, options.card)))
        return 0
    if not options.check:
        measure(options.rows or list(paper.ROWS), options.card, options.anew)
    found = entries.read(RESULTS)
    before, mark, former = DOCUMENT.read_text(encoding="utf-8").partition(MARK)
    if options.check:
        if former != document(found):
            raise UserError(f"got {DOCUMENT.name}, whose tables are not those of {RESULTS.name}; run {__file__}")
        return 0
    DOCUMENT.write_text(before + mark + document(found), encoding="utf-8")
    if options.golden:
        from crmn_legacy.archive.golden import keep_golden_kernels

        for entry in found:
            if entry["settings"]["by"] == OURS:
                keep_golden_kernels(entry["numbers"])
    return 0


if __name__ == "__main__":
    run(main)
