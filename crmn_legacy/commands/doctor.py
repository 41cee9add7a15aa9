"""`doctor`: what this machine can do, and how to mend what it cannot."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata

from crmn_legacy import samples
from crmn_legacy.backend import cache, compiler, processor, variables
from crmn_legacy.errors import UserError
from crmn_legacy.installation import CHECKOUT


def doctor(arguments):
    """Print a line a check; 0 if the default path works, else 1."""
    checks = [
        _python(),
        _packages(),
        _processor(),
        _sample(),
        _xla(),
        _devices(),
        _compiler(),
        _cache(),
        _home(),
        _temporary(),
        _environment(),
        _disk(),
    ]
    if arguments.json:
        print(json.dumps(checks))
    else:
        for check in checks:
            mend = f"; mend: {check['mend']}" if check["mend"] else ""
            print(f"{check['status']:<7} {check['check']}: {check['found']}{mend}")
    return int(any(check["status"] == "bad" for check in checks))


def _check(name, good, found, mend, needed=True):
    status = "ok" if good else "bad" if needed else "missing"
    return {"check": name, "status": status, "found": found, "mend": "" if good else mend}


def _python():
    return _check(
        "Python", sys.version_info[:2] == (3, 11), platform.python_version(), "use Python 3.11: `make environment`"
    )


def _packages():
    unlike = []
    for name, _, version in (pin.partition("==") for pin in _pins()):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "none"
        if found != version:
            unlike.append(f"{name} {found} (pinned {version})")
    return _check("packages", not unlike, ", ".join(unlike) or "as pinned", "`make environment`")


def _pins():
    """What the package asks for, ``name==version``: as the checkout says, else as the installed package does."""
    if CHECKOUT is not None:
        lines = [line.split("#")[0].strip() for line in (CHECKOUT / "requirements.txt").read_text().splitlines()]
        return [line for line in lines if line]
    try:
        return [pin for pin in metadata.requires("crmn_legacy") or () if "extra ==" not in pin]
    except metadata.PackageNotFoundError:
        return []


def _processor():
    good = {"avx2", "fma"} <= processor.flags()
    newest = processor.newest_avx() or "none of AVX"
    found = f"{platform.machine()}, {newest}, {len(os.sched_getaffinity(0))} cores, caches {processor.cache_sizes()}"
    return _check("processor", good, found, "`--bits portable` needs AVX2 and FMA; take --bits fast")


def _sample():
    try:
        path = samples.path("rendered_faces.h5")
    except UserError as error:
        return _check("embedded sample", False, str(error), "`git checkout crmn_legacy/samples`")
    return _check("embedded sample", True, f"{path.stat().st_size:,} bytes, digest holds", "")


def _xla():
    """A wrong flag aborts the process, hence a child."""
    code = (
        "from crmn_legacy.backend import determinism as d; s = d.pin('portable');"
        "import jax; jax.numpy.ones(2).block_until_ready();"
        "print(jax.__version__, d.platform_key(s, 'xla', 'cpu', 1, 'float32'), s.caches is not None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1]
        return _check("XLA", False, last[:160], "`make environment` installs the pinned jaxlib")
    version, key, fixed = done.stdout.split()
    strict = "can" if fixed == "True" else "cannot, with this jaxlib,"
    return _check("XLA", True, f"JAX {version}, platform key {key}; --bits strict {strict} be kept", "")


def _devices():
    code = "import jax; print(*(d.device_kind.replace(' ', '_') for d in jax.devices('cuda')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    found = done.stdout.strip() if done.returncode == 0 else "none"
    mend = "a CUDA GPU and JAX's build for it are needed for --device cuda only"
    return _check("CUDA devices", done.returncode == 0, found, mend, needed=False)


def _compiler():
    import aesara

    reason = compiler.fault()
    found = reason or f"{aesara.config.cxx}; BLAS: {aesara.config.blas__ldflags or 'Aesara has its own loops'}"
    mend = "g++ and Python's headers are needed for --backend c only"
    return _check("C compiler", reason is None, found, mend, needed=False)


def _cache():
    place = cache.folder()
    if place is None:
        return _check("compilation cache", True, "off", "")
    near = next(parent for parent in (place, *place.parents) if parent.exists())
    mend = f"each process compiles for itself; set {cache.VARIABLE} to a writable folder"
    return _check("compilation cache", os.access(near, os.W_OK), str(place), mend, needed=False)


def _home():
    place = cache.home()
    good = place is not None and os.access(place, os.W_OK)
    mend = "Aesara's compiled code is kept there, else each process compiles anew: set HOME to a writable folder"
    return _check("home", good, "none" if place is None else str(place), mend, needed=False)


def _temporary():
    try:
        found, good = tempfile.gettempdir(), True
    except OSError as error:
        found, good = error.strerror, False
    return _check("temporary files", good, found, "set TMPDIR to a writable folder")


def _environment():
    """What a run would leave aside; `crmn_legacy.commands` has done so by now."""
    tunables, aside = os.environ.get("GLIBC_TUNABLES", ""), variables.removed()
    good = "glibc.cpu." not in tunables
    found = (
        f"GLIBC_TUNABLES={tunables}" if not good else ", ".join(aside) + " set aside" if aside else "as runs want it"
    )
    return _check("environment", good, found, "unset GLIBC_TUNABLES, or take --bits fast")


def _disk():
    free = shutil.disk_usage(".").free
    return _check(
        "disk", free > 2 * 10**9, f"{free / 1e9:.1f} GB free here", "a full run's folder takes 0.5 GB; free 2 GB"
    )
