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

# Share of the cores' time that others may use. Above it, their work would be measured too. The load average is no
# witness: work that has ended stays in it for minutes, and work that has just begun is not in it yet.
QUIET = 0.03
LOOK = 2  # seconds for which it is watched
STAT = Path("/proc/stat")  # where the system counts what each core did


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


class OtherWork:
    """What others do on the cores that this process may use, from now on; the machine's other guests are others too."""

    def __init__(self):
        self._began = _spent()

    def share(self):
        """Share of the cores' time that others have used so far; exact to a hundredth of a second of each core."""
        whole, busy, own = (now - then for now, then in zip(_spent(), self._began, strict=True))
        return max(0.0, busy - own) / whole if whole else 0.0


def require_quiet(anyway=False, wait=0):
    """Refuse to measure beside other work, which is watched for `LOOK` seconds.

    Parameters
    ----------
    anyway : bool
        Measure all the same, without looking.
    wait : float
        Minutes in which the other work may end.

    Returns
    -------
    float or None
        Share of the cores' time that others used; None if nobody looked.

    Raises
    ------
    UserError
        Others go on using more than `QUIET` of it.
    """
    if anyway:
        return None
    end = time.monotonic() + 60 * wait
    while True:
        others = OtherWork()
        time.sleep(LOOK)
        share = others.share()
        if share <= QUIET:
            return share
        if time.monotonic() >= end:
            raise UserError(
                f"got other work on {share:.0%} of the processor time; expected at most {QUIET:.0%}, so that nothing "
                "else is measured: end the other work, give it time with --wait MINUTES, or measure with --anyway"
            )


def require_few_others(share, anyway=False):
    """Refuse what was measured while others used too large a share of the cores' time."""
    if share > QUIET and not anyway:
        raise UserError(
            f"got other work on {share:.0%} of the processor time while it was measured; expected at most {QUIET:.0%}: "
            "end the other work and measure again, or keep such numbers with --anyway"
        )


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


def _spent():
    """Seconds of the cores that this process may use: all of them, those of any work, those of this process."""
    cores = {f"cpu{core}" for core in os.sched_getaffinity(0)}
    lines = (line.split() for line in STAT.read_text().splitlines() if line.startswith("cpu"))
    # User, nice, system, idle, waiting for a disk, interrupts of two kinds, stolen by the machine's other guests.
    ticks = [[int(word) for word in words[:8]] for name, *words in lines if name in cores]
    whole, idle = sum(map(sum, ticks)), sum(core[3] + core[4] for core in ticks)
    second = os.sysconf("SC_CLK_TCK")
    return whole / second, (whole - idle) / second, time.process_time()


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
