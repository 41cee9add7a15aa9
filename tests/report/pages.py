"""Folders that look like runs, and pages taken apart."""

import json
import math
from html.parser import HTMLParser

from crmn_legacy import archive
from crmn_legacy.report.page import environment

VOID = {"meta", "br", "hr", "img", "link", "input"}


def record(**changes):
    """A run's record as far as a page reads it."""
    return {
        "row": "table1_crmn",
        "status": "running",
        "plan": {"kind": "smoke", "arguments": {"n": 1, "fm": 1}, "batch_size": 16, "epochs": 6, "steps": None},
        "options": {"seed": 1, "backend": "xla", "data": "/data/faces.h5", "smoke": True, "steps": None},
        "seed": 1,
        "parameters": 2_700_580,
        "flops": 169_039_808,
        "data_digest": "ab" * 32,
        "data_path": "/data/faces.h5",
        "platform_key": "xla/cpu/float32/portable",
        "packages": {"jax": "0.7.1", "numpy": "1.26.4"},
        "python": "3.11.7",
        "git_commit": "c0ffee",
        "source": {"state": "dirty", "digest": "d" * 64, "recipe": "e" * 64},
        "started": "2026-11-23T20:06:12Z",
        "seconds": 1496.46,
        "initial_bits": "sha256:" + "0" * 64,
        **changes,
    }


def line(number, train=1.0, valid=1.0, error=0.2, rates=None, **changes):
    """A line of a curve."""
    return {
        "epoch": number,
        "updates": 16 * number,
        "rates": {"resnet": 0.08, "lstm": 0.08} if rates is None else rates,
        "train_loss": train,
        "validation_loss": valid,
        "validation_error": error,
        "seconds": 2.5,
        "bits": f"sha256:{number:064x}",
        **changes,
    }


def curve(epochs=6, shift=0.0):
    """Losses that fall; the rate of one component falls after half of the epochs."""
    return [
        line(
            number,
            train=2 * math.exp(-number / 3) + shift,
            valid=2 * math.exp(-number / 4) + shift,
            error=0.5 * math.exp(-number / 9) + shift,
            rates={"resnet": 0.08 if number <= epochs // 2 else 0.008, "lstm": 0.08},
        )
        for number in range(1, epochs + 1)
    ]


def write(folder, run=None, lines=None):
    """A folder without a manifest; `run` and `lines` may be bytes to be written as they are."""
    folder.mkdir(parents=True)
    run = record() if run is None else run
    lines = curve() if lines is None else lines
    text = run if isinstance(run, bytes) else json.dumps(run).encode()
    (folder / archive.RUN).write_bytes(text)
    text = lines if isinstance(lines, bytes) else "".join(json.dumps(entry) + "\n" for entry in lines).encode()
    (folder / archive.CURVE).write_bytes(text)
    return folder


def rendered(source, **values):
    """What a template of our own, given by its source, makes of values, within an element `main`."""
    return Parsed(f"<main>{environment().from_string(source).render(values)}</main>")


class Parsed(HTMLParser):
    """A page: its elements with their attributes and texts, in order; that every element is closed is checked."""

    def __init__(self, page):
        super().__init__()
        self.elements, self._open, self.declarations = [], [], []
        self.feed(page)
        self.close()
        assert not self._open, self._open

    def handle_decl(self, declaration):
        self.declarations.append(declaration)

    def handle_starttag(self, tag, attributes):
        entry = {"tag": tag, "attributes": dict(attributes), "text": "", "within": [e["tag"] for e in self._open]}
        assert len(entry["attributes"]) == len(attributes)
        self.elements.append(entry)
        if tag not in VOID:
            self._open.append(entry)

    def handle_endtag(self, tag):
        assert self._open.pop()["tag"] == tag

    def handle_data(self, data):
        for entry in self._open:
            entry["text"] += data

    @property
    def tags(self):
        return {entry["tag"] for entry in self.elements}

    @property
    def attribute_names(self):
        return {name for entry in self.elements for name in entry["attributes"]}

    def all(self, tag, kind=None):
        """Elements of a tag, and of a class if one is given."""
        found = [entry for entry in self.elements if entry["tag"] == tag]
        return [e for e in found if kind is None or kind in (e["attributes"].get("class") or "").split()]

    @property
    def rows(self):
        """Rows of all tables, a list of texts each."""
        rows = []
        for entry in self.elements:
            if entry["tag"] == "tr":
                rows.append([])
            elif entry["tag"] in ("td", "th"):
                rows[-1].append(entry)
        return [[" ".join(cell["text"].split()) for cell in row] for row in rows]
