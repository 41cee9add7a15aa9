"""How many cores this process may use."""

import contextlib
import os
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")


def usable_cores():
    """How many cores this process may use: those it is bound to, and no more than its container's quota pays for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([cores, *_quotas()]))


def _quotas():
    """Cores that each control group above this process grants, where one says so (Linux, version 2 and 1)."""
    try:
        group = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        group = "/"
    groups = [_CGROUPS / group.lstrip("/"), *(_CGROUPS / group.lstrip("/")).parents]
    for folder in [folder for folder in groups if folder.is_relative_to(_CGROUPS)] + [_CGROUPS / "cpu"]:
        with contextlib.suppress(OSError, ValueError):
            if (folder / "cpu.max").exists():
                quota, period = (folder / "cpu.max").read_text().split()
            else:
                quota, period = ((folder / f"cpu.cfs_{what}_us").read_text() for what in ("quota", "period"))
            if int(quota) > 0 < int(period):
                yield -(-int(quota) // int(period))
