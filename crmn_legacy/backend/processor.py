"""What Linux tells of the processor: its name, its instruction sets and its data caches."""

from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def fields():
    """What ``/proc/cpuinfo`` says of the first processor, name -> text (a dict; empty where there is no such file)."""
    try:
        text = CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    parts = [line.partition(":") for line in text.splitlines()]
    return {name.strip(): value.strip() for name, _, value in reversed(parts)}


def flags():
    """Instruction sets, by Linux's names (a set of str).

    Where ``/proc`` is hidden, as some containers have it, those that NumPy found by asking the processor itself.
    """
    return set(fields().get("flags", "").split()) or _flags_by_numpy()


def _flags_by_numpy():
    try:
        from numpy.core._multiarray_umath import __cpu_features__ as found
    except ImportError:
        return set()
    names = {"FMA3": "fma", "AVX512_SKX": "avx512f"}
    return {names.get(name, name.lower()) for name, there in found.items() if there}


def newest_avx():
    """The newest kind of vectors: ``avx512f``, ``avx2``, ``avx``, or None where there is none of them."""
    found = flags()
    return next((name for name in ("avx512f", "avx2", "avx") if name in found), None)


def model_name():
    """The name that the maker gave the processor, or None."""
    return fields().get("model name")


def family_model_stepping():
    """The processor's numbers of these names as ``25-17-1``, or None where one is not told."""
    found = fields()
    numbers = [found.get(name) for name in ("cpu family", "model", "stepping")]
    return "-".join(numbers) if all(numbers) else None


def data_caches():
    """The caches that hold data, name -> size as Linux writes it, such as ``{"l1d": "32K", "l2": "1024K"}``."""
    sizes = {}
    for index in sorted(CACHES.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            sizes[f"l{level}{'d' if kind == 'Data' else ''}"] = size
    return sizes


def cache_sizes():
    """The data caches in one word, ``l1d32K-l21024K-l332768K``: XLA's kernels divide their work by them."""
    return "-".join(name + size for name, size in data_caches().items()) or "unknown"
