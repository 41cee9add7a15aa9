"""What each table of RESULTS.md shows: the rows that an entry has for it, and its columns."""

import dataclasses
import statistics
from collections.abc import Callable

CONTENDERS = {
    "ours": "ours (Lasagne on Aesara through XLA)",
    "jax": "the same network by hand in JAX",
    "torch": "the same network by hand in PyTorch",
}
CACHES = {"cold": "empty", "warm": "filled by the run before"}


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows of all entries of one file.

    Parameters
    ----------
    file : str
        In `results/`.
    rows : callable
        Entry -> list of dict; none where the entry is another table's.
    columns : dict of str to tuple
        Key in a row -> title, and the format of its numbers (empty for text).
    together : bool
        Whether the entries share one table, in which each row names its machine.
    summary : bool
        Whether `rows` is given the list of all entries, and says which entry a row is of under `entry`.
    """

    file: str
    rows: Callable
    columns: dict
    together: bool = False
    summary: bool = False


def workload(settings):
    """What a step was made of, in words."""
    n, fm, batch = (settings[name] for name in ("n", "fm", "batch_size"))
    words, channels = {
        "crmn": (f"CRMN {n},{fm}", 1),
        "resnet": (f"ResNet {n},{fm}", 1),
        "wide-resnet": (f"Wide ResNet {6 * n + 4}-{fm}", 3),
        "densenet": (f"DenseNet-{3 * n + 4}, k={fm}", 3),
    }[settings.get("network", "crmn")]
    return f"{words}, {channels} x {settings['size']} x {settings['size']}, batch {batch}"


def step(settings):
    """Which step was measured, in words."""
    return "evaluation" if settings.get("evaluation") else "training"


def step_time(entry):
    """Seconds of each contender in one row, and the ratios of ours."""
    settings = entry["settings"]
    seconds = {
        f"{name}_{measure}": record.get(measure)
        for name, record in entry["numbers"]["contenders"].items()
        for measure in ("median", "minimum")
    }
    if not any(seconds.values()):
        return []
    row = {"workload": workload(settings), "step": step(settings), "bits": f"`{settings['bits']}`"}
    return [row | seconds | of_others(entry["numbers"])]


def of_others(numbers):
    """Ours over PyTorch and over JAX, by medians: the entry's ratios, or where it lacks them those of its medians."""
    found = {}
    for name in ("torch", "jax"):
        ours, other = (numbers["contenders"].get(one, {}).get("median") for one in ("ours", name))
        computed = ours / other if ours and other else None
        found[f"of_{name}"] = numbers["ratios"].get(f"ours/{name}", {}).get("medians", computed)
    return found


def step_ratios(entries):
    """The latest ratios of each network, and the geometric mean of those measured under like conditions."""
    groups = {}
    for entry in entries:
        settings, ratios = entry["settings"], of_others(entry["numbers"])
        if any(ratios.values()):
            like = entry["machine"], step(settings), *(settings[name] for name in ("bits", "threads", "backend"))
            groups.setdefault(like, {})[workload(settings)] = entry, ratios
    rows = []
    for (machine, what, bits, *_), latest in groups.items():
        shared = {"machine": machine, "step": what, "bits": f"`{bits}`"}
        rows += [shared | {"workload": name, "entry": entry} | ratios for name, (entry, ratios) in latest.items()]
        if len(latest) > 1:
            rows.append(shared | {"workload": f"geometric mean of {len(latest)}"} | _means(latest.values()))
    return rows


def _means(latest):
    found = {name: [ratios[name] for _, ratios in latest if ratios[name]] for name in ("of_torch", "of_jax")}
    return {name: statistics.geometric_mean(numbers) for name, numbers in found.items() if numbers}


def step_memory(entry):
    """Memory of each contender whose resident memory was read."""
    rows = []
    for name, record in entry["numbers"]["contenders"].items():
        of_jax, of_torch = (entry["numbers"]["ratios"].get(f"{name}/{other}", {}) for other in ("jax", "torch"))
        resident, program = record.get("resident_bytes"), record.get("program_bytes")
        if resident:
            rows.append(
                {
                    "contender": CONTENDERS[name],
                    # The former document has one peak, and does not say whether it is that of the steps.
                    "resident": resident.get("steps", resident.get("peak")) / 1e9,
                    "resident_of_torch": of_torch.get("resident_bytes"),
                    "resident_of_jax": of_jax.get("resident_bytes"),
                    "program": program and program["total"] / 1e6,
                    "program_of_jax": of_jax.get("program_bytes"),
                }
            )
    return rows


def start_time(entry):
    """Seconds to a recipe's first step, with either cache."""
    return [
        {"cache": CACHES[cache], **seconds} for cache, seconds in entry["numbers"].get("recipe_seconds", {}).items()
    ]


def start_growth(entry):
    """Seconds of the stages of each depth."""
    rows = []
    for depth in entry["numbers"].get("growth", []):
        n, seconds = depth["n"], depth["seconds"]
        without_import = sum(seconds[stage] for stage in ("graph", "lower", "xla"))
        rows.append({"n": n, **seconds, "for_each_n": without_import / n})
    return rows


def profiles(entry):
    """Seconds of each profile, beside the network."""
    network = "CRMN n={n} fm={fm}, {size} x {size}, batch {batch_size}".format(**entry["settings"])
    return [{"network": network, "profile": f"`{name}`", **record} for name, record in entry["numbers"].items()]


def remat(entry):
    """Both steps of each depth in one row."""
    return [
        {"n": depth["n"], **{f"{name}_{key}": depth[name][key] for name in ("kept", "remat") for key in depth[name]}}
        for depth in entry["numbers"]["depths"]
    ]


def scaling(entry):
    """Both kinds of scaling, a row each number of devices."""
    kinds = {"strong": "fixed in all", "weak": "fixed for each device"}
    return [row | {"kind": words} for kind, words in kinds.items() for row in entry["numbers"][kind]]


def scaling_bounds(entry):
    """A row each number of cards, in megabytes and milliseconds."""
    settings, scaled = entry["settings"], {"received": 1e-6, "computing": 1e3, "waiting": 1e3}
    rows = entry["numbers"]["bounds"]
    return [row | {"card": settings["card"]} | {name: by * row[name] for name, by in scaled.items()} for row in rows]


def trials(entry):
    """Trials, with their epochs in words."""
    return [
        row | {"epochs": f"{row['epochs']}{', stopped' if row.get('stopped') else ''}"}
        for row in entry["numbers"].get("trials", [])
    ]


def cifar10(entry):
    """Runs, with updates and minutes in words where the best came before the end."""
    rows = []
    for row in entry["numbers"]["rows"]:
        of_all = {name: f"{row[name]} (of {row[f'{name}_in_all']})" for name in row if f"{name}_in_all" in row}
        rows.append(row | of_all)
    return rows


def listed(name):
    """The rows that an entry has under `name`, as they are."""
    return lambda entry: entry["numbers"].get(name, [])


TABLES = {
    "step-ratios": Table(
        "step_time.json",
        step_ratios,
        {
            "workload": ("network", ""),
            "step": ("step", ""),
            "bits": ("`--bits`", ""),
            "of_torch": ("ours of PyTorch by hand", ".2f"),
            "of_jax": ("ours of JAX by hand", ".2f"),
        },
        together=True,
        summary=True,
    ),
    "step-time": Table(
        "step_time.json",
        step_time,
        {
            "workload": ("network", ""),
            "step": ("step", ""),
            "bits": ("`--bits`", ""),
            "ours_median": ("ours, median, s", ".3g"),
            "ours_minimum": ("least, s", ".3g"),
            "jax_median": ("JAX by hand, median, s", ".3g"),
            "jax_minimum": ("least, s", ".3g"),
            "torch_median": ("PyTorch by hand, median, s", ".3g"),
            "torch_minimum": ("least, s", ".3g"),
            "of_torch": ("ours of PyTorch", ".2f"),
            "of_jax": ("ours of JAX", ".2f"),
        },
        together=True,
    ),
    "step-memory": Table(
        "step_time.json",
        step_memory,
        {
            "contender": ("contender", ""),
            "resident": ("peak resident, GB", ".2f"),
            "resident_of_torch": ("of PyTorch by hand", ".2f"),
            "resident_of_jax": ("of JAX by hand", ".2f"),
            "program": ("XLA's program alone, MB", ".0f"),
            "program_of_jax": ("of JAX by hand", ".2f"),
        },
    ),
    "start-time": Table(
        "start_time.json",
        start_time,
        {
            "cache": ("compilation cache", ""),
            "first_step": ("first step, s", ".1f"),
            "whole": ("whole run with validation, s", ".1f"),
            "first_step_peak_gb": ("peak resident until then, GB", ".2f"),
        },
    ),
    "start-growth": Table(
        "start_time.json",
        start_growth,
        {
            "n": ("n", "d"),
            "import": ("import, s", ".1f"),
            "graph": ("graph, s", ".1f"),
            "lower": ("lower, s", ".1f"),
            "xla": ("XLA, s", ".1f"),
            "for_each_n": ("sum without import, divided by n", ".1f"),
        },
    ),
    "start-1001-layers": Table(
        "first_step_1001_layers.json",
        listed("rows"),
        {
            "cache": ("compilation cache", ""),
            "code": ("code", ""),
            "network": ("network built, s", ".1f"),
            "graph": ("graph, s", ".1f"),
            "lowered": ("lowered, s", ".1f"),
            "compiled": ("compiled, s", ".1f"),
            "first_step": ("first step done, s", ".1f"),
            "peak_gb": ("peak resident, GB", ".2f"),
        },
    ),
    "profiles": Table(
        "profiles.json",
        profiles,
        {
            "network": ("network", ""),
            "profile": ("profile", ""),
            "median": ("median, s", "#.3g"),
            "minimum": ("least, s", "#.3g"),
            "of_fast": ("of `fast`", ".2f"),
        },
        together=True,
    ),
    "remat": Table(
        "remat.json",
        remat,
        {
            "n": ("n", "d"),
            "kept_megabytes": ("kept, MB", ".1f"),
            "remat_megabytes": ("`--remat`, MB", ".1f"),
            "kept_seconds": ("kept, s per step", ".3f"),
            "remat_seconds": ("`--remat`, s per step", ".3f"),
        },
    ),
    "scaling": Table(
        "scaling.json",
        scaling,
        {
            "kind": ("pictures", ""),
            "devices": ("devices", "d"),
            "pictures": ("pictures a step", "d"),
            "seconds": ("median, s", ".3g"),
            "of_first": ("pictures a second, of one device's", ".2f"),
        },
    ),
    "scaling-bounds": Table(
        "scaling.json",
        scaling_bounds,
        {
            "card": ("card", ""),
            "cards": ("cards", "d"),
            "exchanges": ("exchanges a step", "d"),
            "received": ("a card receives, MB a step", ".1f"),
            "computing": ("computing, at least, ms", ".2f"),
            "waiting": ("link, at least, ms", ".2f"),
            "efficiency": ("bound on efficiency", ".3f"),
        },
    ),
    "smoke-ranges": Table(
        "smoke_runs.json",
        listed("ranges"),
        {
            "shortest": ("shortest, s", ".1f"),
            "longest": ("longest, s", ".1f"),
            "hundred_tests": ("row with 100 tests, s", ".1f"),
            "gb": ("at most, GB", ".2f"),
            "describe_shortest": ("shortest `--describe`, s", "g"),
            "describe_longest": ("longest `--describe`, s", "g"),
        },
        together=True,
    ),
    "smoke-rows": Table(
        "smoke_runs.json",
        listed("rows"),
        {
            "row": ("row", ""),
            "first": ("first, s", ".1f"),
            "second": ("second, s", ".1f"),
            "gb": ("peak resident of the first, GB", ".2f"),
        },
    ),
    "rehearsals": Table(
        "rehearsals.json",
        listed("rows"),
        {
            "row": ("row", ""),
            "batch": ("pictures per batch", "d"),
            "updates": ("updates", "d"),
            "seconds": ("start to end, s", ".1f"),
            "gb": ("peak resident, GB", ".2f"),
        },
    ),
    "faces": Table(
        "faces.json",
        listed("errors"),
        {"what": ("predictions", ""), "error": ("Helen test, 250 pictures, error, %", ".2f")},
    ),
    "faces-trials": Table(
        "faces.json",
        trials,
        {
            "rate": ("rate", "g"),
            "batch": ("batch", "d"),
            "shifts": ("shifts", ""),
            "lstm": ("LSTM initialisation", ""),
            "epochs": ("epochs", ""),
            "validation_loss": ("best validation loss", ".3f"),
            "test": ("Helen test, %", ".2f"),
        },
    ),
    "cifar10": Table(
        "cifar10.json",
        cifar10,
        {
            "row": ("row", ""),
            "network": ("network", ""),
            "epochs": ("whole epochs", "d"),
            "updates": ("updates", ""),
            "batch": ("pictures per batch", "d"),
            "minutes": ("minutes", ""),
            "validation": ("validation after the best, %", ".1f"),
            "test": ("test, %", ".2f"),
        },
    ),
}
