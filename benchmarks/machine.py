"""What a measurement depends on: processor, memory, versions, and whether other work runs beside it.

python benchmarks/machine.py                         this machine's row for benchmarks/results/machines.json
"""

import json
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from crmn_legacy.backend import processor
from crmn_legacy.errors import UserError

PACKAGES = ("aesara", "Lasagne", "jax", "jaxlib", "numpy", "torch")
VENDORS = {"AuthenticAMD": "AMD", "GenuineIntel": "Intel"}

# Load average of the last minute. Above it, other work would be measured too.
QUIET = 0.5
PAUSE = 5  # seconds between two looks at it


def label():
    """The machine's short name in tables: maker, family and model of its processor, cores this process may use."""
    told = processor.fields()
    vendor = told.get("vendor_id") or platform.machine()
    kind = "/".join(told.get(key) or "?" for key in ("cpu family", "model"))
    return f"{VENDORS.get(vendor, vendor)} {kind}, {len(os.sched_getaffinity(0))} cores"


def row():
    """What `results/machines.json` says of a machine; None for what the system does not tell."""
    caches = processor.data_caches()
    return {
        "processor": processor.model_name() or platform.processor(),
        "avx512": "avx512f" in processor.flags(),
        "l2_kib": _kib(caches.get("l2")),
        "l3_kib": _kib(caches.get("l3")),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(_memory_bytes() / 1e9),
    }


def describe():
    """Processor, cores, load of the last minute, memory and versions, ready for JSON."""
    return {
        "processor": processor.model_name() or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "memory_bytes": _memory_bytes(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def require_quiet(anyway=False, wait=0):
    """Refuse to measure beside other work.

    Parameters
    ----------
    anyway : bool
        Measure all the same.
    wait : float
        Minutes in which the other work may end.

    Raises
    ------
    UserError
        The load average of the last minute stays above `QUIET`.
    """
    end = time.monotonic() + 60 * wait
    while not anyway and (load := os.getloadavg()[0]) > QUIET:
        if time.monotonic() >= end:
            raise UserError(
                f"got a load average of {load:.2f} over the last minute; expected at most {QUIET}, so that nothing "
                "else is measured: end the other work, give it time with --wait MINUTES, or measure with --anyway"
            )
        time.sleep(PAUSE)


def use_cores(count):
    """Keep this process and its children on `count` of the cores it may use."""
    cores = sorted(os.sched_getaffinity(0))
    if not 0 < count <= len(cores):
        raise UserError(f"got --threads {count}; expected 1 to {len(cores)}, the cores this process may use")
    os.sched_setaffinity(0, cores[:count])


def forget_peak():
    """Let the peak that `peak_bytes` tells begin anew from what is resident now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes():
    """Largest resident memory of this process since it began, or since `forget_peak`."""
    status = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line for line in status if line.startswith("VmHWM:")).split()[1])


def _memory_bytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _kib(size):
    return None if size is None else int(size.removesuffix("K"))


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    print(json.dumps({label(): row()}, indent=1))
