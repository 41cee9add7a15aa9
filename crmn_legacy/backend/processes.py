"""Several processes, on one machine or on many, that share each batch of one run.

Each makes its own pictures of a batch, and computes on its own devices; sums over the batch go through all of them
(`crmn_legacy.backend.lowerings.devices`). All hold the same state, and take the same decisions from the same numbers.
"""

import contextlib
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass

from crmn_legacy.backend import meeting
from crmn_legacy.errors import UserError

AUTO = "auto"
"""In place of an address: what the cluster that started the processes says."""

# JAX's coordination service, in a process of its own: the others abort when it ends, so it outlives them all.
_SERVICE = """
import sys, time
from jaxlib import _jax
service = _jax.get_distributed_runtime_service(sys.argv[1], int(sys.argv[2]), heartbeat_timeout=int(sys.argv[3]))
print("ready", flush=True)
sys.stdin.read()
time.sleep(15)
"""
# Who is gone is found out by `meeting.Watch`, long before.
_HEARTBEAT = 3600

_STOP = "crmn_legacy/stop"


@dataclass(frozen=True)
class Place:
    """Which of how many processes this is.

    Attributes
    ----------
    processes, process : int
        Their number, and which of them this one is, from 0.
    coordinator : str or None
        ``HOST:PORT``, where the first one listens; None of a single process.
    """

    processes: int = 1
    process: int = 0
    coordinator: str | None = None

    @property
    def is_first(self):
        """Whether this is the process that writes the run's folder, and whose output is read."""
        return self.process == 0

    def part(self, batch_size):
        """Which pictures of a batch are this process's (a slice)."""
        share = batch_size // self.processes
        return slice(self.process * share, (self.process + 1) * share)

    def own(self, batch):
        """This process's part of a batch (a dict of arrays)."""
        if self.processes == 1:
            return batch
        return {name: value[self.part(len(value))] for name, value in batch.items()}


def place_of(coordinator, processes, process):
    """Which of how many processes this is, as it was told, or as SLURM, Open MPI and the like tell it.

    Parameters
    ----------
    coordinator : str or None
        ``HOST:PORT``, or ``auto``.
    processes, process : int or None
        None: what the cluster says that started this process.

    Returns
    -------
    Place

    Raises
    ------
    UserError
        Something is missing, or they do not go together.
    """
    if coordinator is None:
        if (processes, process) == (None, None):
            return Place()
        raise UserError("--processes and --process got no --coordinator, expected HOST:PORT, where process 0 listens")
    if coordinator == AUTO or None in (processes, process):
        coordinator, processes, process = _told_by_cluster(coordinator, processes, process)
    if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}", coordinator):
        raise UserError(f"--coordinator got {coordinator!a}, expected HOST:PORT, where process 0 listens, or {AUTO}")
    if not 0 <= process < processes:
        raise UserError(f"--process got {process} of --processes {processes}, expected a number from 0 to one less")
    return Place(processes, process, coordinator)


def _told_by_cluster(coordinator, processes, process):
    from jax._src.clusters import ClusterEnv

    kinds = [kind for kind in ClusterEnv._cluster_types if not kind.opt_in_only_method and kind.is_env_present()]
    if not kinds:
        raise UserError(
            f"--coordinator got {coordinator!a} without --processes and --process, outside SLURM and Open MPI; "
            "expected all three"
        )
    try:
        if coordinator == AUTO:
            coordinator = kinds[0].get_coordinator_address(meeting.PATIENCE)
        processes = kinds[0].get_process_count() if processes is None else processes
        process = kinds[0].get_process_id() if process is None else process
    except (KeyError, ValueError, RuntimeError) as error:
        raise UserError(
            f"--coordinator got {coordinator!a} under {kinds[0].__name__}, which does not tell all ({error!a}); "
            "expected --coordinator HOST:PORT, --processes and --process"
        ) from None
    return coordinator, processes, process


def require_shares(place, devices, batch_size):
    """Refuse processes that cannot share the devices and the batch out evenly."""
    if batch_size % place.processes:
        raise UserError(
            f"--processes got {place.processes}, expected a divisor of the batch size {batch_size}: each takes as many "
            "pictures"
        )
    if devices % place.processes:
        raise UserError(
            f"--devices got {devices} for {place.processes} processes, expected a multiple: each has as many devices"
        )


class Group:
    """The processes of a run, met; a context in which they stay in touch.

    Parameters
    ----------
    place : Place
    subject : callable
        Tells what is run, by what it is called in an error line (dict of str to str). Asked of several processes only.
    tidy : callable, optional
        Called before this process is ended because another is gone.

    Raises
    ------
    UserError
        As `meeting.receive_all` and `meeting.come` raise it.
    """

    def __init__(self, place, subject, tidy=lambda: None):
        self.place, self._client, self._service, self._watch = place, None, None, None
        self._is_alone = False
        if place.processes == 1:
            return
        host, _, port = place.coordinator.rpartition(":")
        address, subject = (host.strip("[]"), int(port)), subject()
        if place.is_first:
            peers = meeting.receive_all(place, address, subject)
            service = self._serve(address[0])
            for peer in peers.values():
                peer.send(service=service)
        else:
            first, answer = meeting.come(place, address, subject)
            peers, service = {0: first}, str(answer["service"])
        self._watch = meeting.Watch(peers, tidy)
        self._watch.start()
        self._connect(service)

    def _serve(self, host):
        """Start JAX's coordination service; its address."""
        with meeting.listening((host, 0)) as free:
            port = free.getsockname()[1]
        service = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        words = [sys.executable, "-P", "-c", _SERVICE, service, str(self.place.processes), str(_HEARTBEAT)]
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self._service = subprocess.Popen(words, **streams, start_new_session=True)
        if not self._service.stdout.readline():
            raise RuntimeError("JAX's coordination service did not start")
        return service

    def _connect(self, service):
        """Do what `jax.distributed.initialize` does, to a service that is there."""
        # What its threads would say of a process that is gone.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import jax
        from jax._src import distributed
        from jax._src.lib import _jax

        jax.config.update("jax_cpu_collectives_implementation", "gloo")
        self._client = _jax.get_distributed_runtime_client(
            service,
            self.place.process,
            init_timeout=meeting.GATHERING,
            heartbeat_timeout=_HEARTBEAT,
            shutdown_on_destruction=False,
            use_compression=True,
        )
        self._client.connect()
        state = distributed.global_state
        state.client, state.process_id, state.num_processes = self._client, self.place.process, self.place.processes
        state.coordinator_address = service

    def agreed_stop(self, number, updates):
        """The signal by which all processes stop after so many updates (int), or None while they go on.

        Parameters
        ----------
        number : int or None
            Of a signal that this process caught.
        updates : int
            That this process has begun; the loss of the one before is known to it.
        """
        if self._client is None:
            return number
        if number is not None:
            # No process is more than one update ahead, and none begins that one's successor before this is set. The
            # first to set it is heard.
            with contextlib.suppress(RuntimeError):
                self._client.key_value_set(_STOP, f"{updates + 2} {number}")
        try:
            at, number = map(int, self._client.key_value_try_get(_STOP).split())
        except RuntimeError as error:
            if "NOT_FOUND" not in str(error):
                raise
            return None
        return number if updates >= at else None

    def abandon(self):
        """This process stops while the others go on, who must not be waited for."""
        self._is_alone = True

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self._watch is None:
            return
        together = kind is None and not self._is_alone
        if together:
            # Waits for all.
            self._client.shutdown()
        elif kind is not None and ("Jax" in kind.__name__ or "Xla" in kind.__name__):
            # Most likely of a process that is gone; the watch knows which, and ends this one.
            time.sleep(meeting.SILENCE + 2)
        if together and self.place.is_first:
            # The others abort if the service ends before they have left it.
            self._watch.wait_until_all_left()
        self._watch.leave(0 if together else 1)
        # Otherwise it goes on until the others have seen that this process is gone.
        if together and self._service is not None:
            self._service.kill()
            self._service.wait()
