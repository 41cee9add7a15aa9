"""A study's runs, one after another, each in a process of its own; begun again, the queue goes on where it was."""

import signal
import subprocess
import sys

from crmn_legacy.errors import UserError

# A recipe's status is 128 and the signal by which it was stopped; it has then saved what it had.
_STOPPED = 128


def train(runs, data, folder):
    """Train what is not finished, in order.

    Parameters
    ----------
    runs : list of StudyRun
    data : path
        Of the data file.
    folder : Path
        Holds one folder a run.

    Returns
    -------
    int
        0; 128 and the signal if a run was stopped by one.

    Raises
    ------
    UserError
        A run failed, or a folder holds another run.
    """
    # All folders first: what is amiss with the last is told before hours have passed.
    states = {run.name: run.state(folder / run.name) for run in runs}
    waiting = [run for run in runs if states[run.name] != "finished"]
    print(f"{len(runs) - len(waiting)} of {len(runs)} runs finished", flush=True)
    for place, run in enumerate(waiting, 1):
        print(f"run {place} of {len(waiting)}: {run.name}, {_verb(states[run.name])}", flush=True)
        status = _run(_command(run, data, folder / run.name, begun=states[run.name] == "begun"))
        if status > _STOPPED:
            return status
        if status:
            raise UserError(
                f"got status {status} of the run '{run.name}'; expected 0: mend what it told above, and begin again; "
                "nothing that is finished is trained twice"
            )
    return 0


def _verb(state):
    return "goes on" if state == "begun" else "begins"


def _command(run, data, folder, begun):
    where = ["--resume" if begun else "--out", str(folder)]
    return [sys.executable, str(run.script()), *run.options(data).as_words(), *where]


def _run(command):
    """A process's status. A signal that is to stop the queue reaches it: it saves what it has, and ends by itself."""
    process = subprocess.Popen(command)
    former = {
        number: signal.signal(number, lambda number, _: process.send_signal(number))
        for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        status = _waited(process)
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
    return _STOPPED - status if status < 0 else status


def _waited(process):
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # A terminal sends it to both.
            continue
