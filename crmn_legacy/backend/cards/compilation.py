"""XLA's programs for a card that is not there, compiled from its description; and what XLA left of them on disk."""

import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from crmn_legacy.backend.cards.audit import Kernels, audit
from crmn_legacy.errors import UserError

# Without it the plug-in asks the driver for its version before it registers, and there is none.
_NO_DRIVER = {"JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}
_PLUGIN = "jax_plugins.xla_cuda12"
_MEND = "`make cuda-environment` installs what requirements-cuda12.lock names; then run .venv-cuda/bin/python"


@dataclass(frozen=True)
class Cluster:
    """Cards of one kind.

    Attributes
    ----------
    card : crmn_legacy.backend.cards.Card
    devices : int
        How many in all.
    hosts : int
        On how many machines; each has as many.

    Raises
    ------
    UserError
        The machines cannot share the cards out evenly.
    """

    card: object
    devices: int = 1
    hosts: int = 1

    def __post_init__(self):
        if self.devices < 1 or self.hosts < 1 or self.devices % self.hosts:
            raise UserError(
                f"--devices got {self.devices} and --hosts {self.hosts}; expected at least 1 of both, and as many "
                "cards on each machine"
            )

    def shardings(self):
        """How a batch and how a state lie on the cards (two `jax.sharding.NamedSharding`)."""
        from jax.experimental import topologies

        from crmn_legacy.backend.lowerings.devices import shared_by

        # The plug-in prints that it asked no driver; what is printed here may be read by a program.
        with contextlib.redirect_stdout(sys.stderr):
            topology = topologies.get_topology_desc(
                platform="cuda",
                target_config=self.card.target_config(),
                topology=f"{self.hosts}x1x{self.devices // self.hosts}",
            )
        return shared_by(topology.devices)


def require_wheels():
    """What compiles for NVIDIA's cards (the path of `ptxas`).

    Raises
    ------
    UserError
        It is not installed.
    """
    with contextlib.suppress(ImportError):
        if importlib.util.find_spec(_PLUGIN) is not None:
            for folder in importlib.util.find_spec("nvidia").submodule_search_locations:
                found = Path(folder) / "cuda_nvcc" / "bin" / "ptxas"
                if found.is_file():
                    return found
    raise UserError(f"got a JAX without its CUDA plug-in and NVIDIA's compiler, expected both: {_MEND}")


@contextlib.contextmanager
def dumped():
    """A folder into which XLA writes what it compiles in this process; enter it before JAX starts."""
    with tempfile.TemporaryDirectory(prefix="crmn-kernels-") as folder:
        os.environ |= _NO_DRIVER
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={folder}"
        yield Path(folder)


def compile_ahead(lowered, dump, out=None):
    """Compile a program and look at what became of it.

    Parameters
    ----------
    lowered : jax.stages.Lowered
        For the cards of a `Cluster`.
    dump : Path
        Of `dumped`; emptied.
    out : Path, optional
        Where its PTX, assembled code and optimised HLO are kept.

    Returns
    -------
    Kernels
    """
    began = time.perf_counter()
    compiled = lowered.compile()
    seconds = time.perf_counter() - began
    memory = compiled.memory_analysis()
    (hlo,) = dump.glob("*gpu_after_optimizations.txt")
    (ptx,) = dump.glob("*.ptx")
    (thunks,) = dump.glob("*thunk_sequence.txt")
    kernels = audit(hlo.read_text(), ptx, thunks.read_text(), memory, seconds, require_wheels())
    if out is not None:
        out.mkdir(parents=True)
        for source, name in ((hlo, "optimised.hlo.txt"), (ptx, "kernels.ptx"), (thunks, "thunks.txt")):
            shutil.copyfile(source, out / name)
        (out / "kernels.cubin").write_bytes(kernels.cubin)
    for path in dump.iterdir():
        path.unlink()
    return kernels


__all__ = ["Cluster", "Kernels", "compile_ahead", "dumped", "require_wheels"]
