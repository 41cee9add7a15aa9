"""What a measurement depends on, to stand beside it: processor, memory, versions."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path

PACKAGES = ("aesara", "Lasagne", "jax", "jaxlib", "numpy", "torch")


def describe():
    """Processor, cores, load of the last minute, memory and versions, ready for JSON."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def use_cores(count):
    """Keep this process and its children on `count` of the cores it may use."""
    cores = sorted(os.sched_getaffinity(0))
    if not 0 < count <= len(cores):
        sys.exit(f"--threads {count}: expected 1 to {len(cores)}, the cores this process may use")
    os.sched_setaffinity(0, cores[:count])


def forget_peak():
    """Let the peak that `peak_bytes` tells begin anew from what is resident now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def peak_bytes():
    """Largest resident memory of this process since it began, or since `forget_peak`."""
    return 1024 * int(_field("/proc/self/status", "VmHWM").split()[0])


def _field(path, key):
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _version(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
