"""The tables of RESULTS.md, made from `benchmarks/results/*.json`.

    python benchmarks/tables.py                          write them
    python benchmarks/tables.py --check                  fail if one is not what would be written

In RESULTS.md a table stands between `<!-- made by benchmarks/tables.py: NAME -->` and `<!-- end -->`, each on a line
of its own; `contents.TABLES` has the names, and `machines` is one more. All else there is written by hand.
"""

import contextlib
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import entries, machine
from benchmarks.contents import TABLES
from crmn_legacy.errors import UserError, run, shown
from crmn_legacy.parser import Parser

DOCUMENT = Path(__file__).with_name("RESULTS.md")
RESULTS = Path(__file__).with_name("results")

OPENING, END = "<!-- made by benchmarks/tables.py: {} -->\n", "<!-- end -->\n"
BLOCK = re.compile("^" + OPENING.format(r"(?P<name>\S+)") + "(?P<body>.*?)^" + END, re.MULTILINE | re.DOTALL)
COMMENT = re.compile("^<!-- ", re.MULTILINE)

# Load average above which an entry says so, where nobody looked for other work itself.
LOADED = 0.5

MACHINE_COLUMNS = {
    "machine": ("machine", ""),
    "processor": ("processor", ""),
    "avx512": ("AVX-512", ""),
    "l2_kib": ("second-level cache, KiB", "d"),
    "l3_kib": ("third-level cache, KiB", "d"),
    "cores": ("cores", "d"),
    "memory_gb": ("memory, GB", "d"),
}
SOURCE_COLUMNS = {"machine": ("machine", ""), "measured": ("measured", "")}


def parse(argv):
    parser = Parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a table is not up to date")
    return parser.parse_args(argv)


def updated(document, folder):
    """The document with its tables made anew, and the names of those that changed.

    Parameters
    ----------
    document : str
        Markdown with a block for every table.
    folder : pathlib.Path
        Has the entries, and `machines.json`.

    Raises
    ------
    UserError
        A block is missing, unknown or unclosed, or a file is not what `entries` says.
    """
    machines = read_machines(folder / "machines.json")
    with faults_told(folder / "machines.json", "rows"):
        bodies = {"machines": machine_table(machines)}
    bodies |= {name: table_body(table, folder / table.file, machines) for name, table in TABLES.items()}
    found = [block["name"] for block in BLOCK.finditer(document)]
    if sorted(found) != sorted(bodies) or len(COMMENT.findall(document)) != 2 * len(found):
        unlike = sorted(set(found) ^ set(bodies)) or "one twice, or unclosed"
        raise UserError(f"got blocks that differ from the tables ({unlike}); expected one for each: mend the markers")
    changed = [block["name"] for block in BLOCK.finditer(document) if block["body"] != bodies[block["name"]]]
    return BLOCK.sub(lambda block: OPENING.format(block["name"]) + bodies[block["name"]] + END, document), changed


def read_machines(path):
    """Rows of the table of machines, by label."""
    machines = entries.read_json(path)
    if not isinstance(machines, dict) or not all(isinstance(row, dict) for row in machines.values()):
        raise UserError(f"got {path} that is no object of objects; expected one row per machine")
    return machines


def machine_table(machines):
    """Markdown of the table of machines."""
    words = {True: "yes", False: "no"}
    rows = [{"machine": label, **row, "avx512": words.get(row.get("avx512"))} for label, row in machines.items()]
    return markdown(MACHINE_COLUMNS, [cells(MACHINE_COLUMNS, row) for row in rows])


def table_body(table, path, machines):
    """Markdown of one block: one table for all entries, or a caption and a table for each."""
    columns = SOURCE_COLUMNS | table.columns if table.together else table.columns
    read = entries.read(path)
    unknown = {entry["machine"] for entry in read} - machines.keys()
    if unknown:
        raise UserError(
            f"got {path} with the machine {shown(min(unknown))}; expected one of machines.json: "
            "add the row that python benchmarks/machine.py prints there"
        )
    if table.summary:
        with faults_told(path, "entries"):
            rows = table.rows(read)
            return markdown(columns, [cells(columns, source(row.get("entry")) | row) for row in rows])
    found = [(entry, entry_cells(table, columns, entry, path)) for entry in read]
    if table.together:
        return markdown(columns, [row for _, rows in found for row in rows])
    return "\n".join(f"{caption(entry)}\n\n{markdown(columns, rows)}" for entry, rows in found if rows)


def entry_cells(table, columns, entry, path):
    """The cells of an entry's rows (list of dict of str)."""
    with faults_told(path, f"entry of {shown(entry['date'])}"):
        return [cells(columns, source(entry) | row) for row in table.rows(entry)]


def source(entry):
    """Where numbers come from, by column; nothing where no one entry has them."""
    return {"machine": entry["machine"], "measured": measured(entry)} if entry else {}


@contextlib.contextmanager
def faults_told(path, part):
    """Turn what goes wrong with a file's values, which nobody checked, into a UserError."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"got {path} with a value of the wrong shape ({shown(repr(error))}); expected the {part} as the benchmarks "
            "write it: mend or remove it"
        ) from error


def cells(columns, row):
    """The text of a row by column; empty where the row has nothing."""
    return {key: _cell(row.get(key), form) for key, (_, form) in columns.items()}


def markdown(columns, rows):
    """A table of the columns in which at least one row has something; numbers stand to the right."""
    columns = {key: column for key, column in columns.items() if any(row[key] for row in rows)}
    lines = [[title for title, _ in columns.values()], ["---:" if form else "---" for _, form in columns.values()]]
    lines += [[row[key] or "-" for key in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def caption(entry):
    """One line on where an entry comes from."""
    command = entry["command"]
    return f"{entry['machine']}, {measured(entry)}" + (f": `{_one_line(command)}`" if command else "")


def measured(entry):
    """When and of which commit; and what to know before one compares."""
    words = [entry["date"], entry["commit"] or "commit unknown"]
    environment = entry.get("environment", {})
    others, load = entry["numbers"].get("others", environment.get("others")), environment.get("load", 0)
    if others is None and load > LOADED:
        words.append(f"load average {load:.1f}")
    if others is not None and others > machine.QUIET:
        words.append(f"other work {others:.0%}")
    if entry.get("carried"):
        words.append("transcribed")
    return _one_line(", ".join(words))


def _cell(value, form):
    if value is None:
        return ""
    return format(value, form) if form else _one_line(str(value)).replace("|", "\\|")


def _one_line(text):
    return " ".join(text.split())


def main(argv=None):
    options = parse(argv)
    before = DOCUMENT.read_text(encoding="utf-8")
    after, changed = updated(before, RESULTS)
    if options.check and changed:
        raise UserError(
            f"got {DOCUMENT.name} whose tables {', '.join(changed)} differ from the results; "
            "expected those of benchmarks/results: run python benchmarks/tables.py"
        )
    if not options.check:
        DOCUMENT.write_text(after, encoding="utf-8")
    print(f"{len(changed)} tables changed")


if __name__ == "__main__":
    run(main)
