"""A run again from its folder alone: its own recipe, with its options, in a process of its own.

A recipe is a program. Before one is run, its folder must be a finished run's whose manifest and chain hold; that it
does no harm is for the user to know, as with any program that somebody hands on.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from msgspec.structs import replace

from crmn_legacy import archive, samples
from crmn_legacy.errors import UserError
from crmn_legacy.installation import IMPORT_PATH, load_recipe


def ready(folder):
    """The record of a run that may be run again (a `RunRecord`).

    Raises
    ------
    UserError
        The folder holds no run, one that is not finished, or one that does not verify.
    """
    record = archive.read_record(folder)
    problems = archive.verify(folder)
    if record.status != "finished":
        raise UserError(
            f"got '{folder}', a run that is {record.status!a}, expected a finished one: go on with it by --resume"
        )
    if problems:
        raise UserError(f"got '{folder}', which does not verify ({problems[0]}), expected it as the run left it")
    return record


def data_of(folder, record, given=None):
    """Where the data of a run lie, once their digest is found to be what it was.

    Parameters
    ----------
    folder : path
        Of the run, as `ready` found it.
    record : RunRecord
    given : path, optional
        Where the data are now, if they were moved.

    Returns
    -------
    str or None
        None for the embedded sample.

    Raises
    ------
    UserError
        The recipe cannot be run by this version, or the data are others.
    """
    script = Path(folder) / archive.RECIPE
    recipe = load_recipe(script)
    if recipe.row != record.row:
        raise UserError(
            f"got '{script}', a recipe of {recipe.row!a}, expected one of {record.row!r}, as its run.json says"
        )
    path = record.options.data
    if path is None and given is not None:
        raise UserError(f"--data got '{given}' for a run on the embedded sample, expected none: leave --data out")
    path = path if given is None else os.path.abspath(given)
    try:
        found = recipe.task.read(samples.path(recipe.task.sample) if path is None else Path(path)).digest
    except UserError as error:
        mend = "" if path is None else "; --data FILE says where the data are now"
        raise UserError(f"{error}{mend}") from None
    if found != record.data_digest:
        raise UserError(
            f"got data with digest {found[:12]} in '{path or 'the embedded sample'}', expected "
            f"{record.data_digest[:12]}, the data of the run: give them by --data"
        )
    return path


def command(folder, record, out, data=None, **changes):
    """The words that run a run again.

    Parameters
    ----------
    folder, out : path
        Of the run, and where the new one goes.
    record : RunRecord
    data : str or None
        Of `data_of`.
    **changes
        Options that are to be others than the run's, such as ``steps``, ``epochs``, ``trace``; one that is None stays.

    Returns
    -------
    list of str
    """
    changes = {name: value for name, value in changes.items() if value is not None}
    programs = record.options.programs
    if programs is not None and not os.path.isdir(programs):
        programs = None  # building the graph gives the same bits
    # Nobody watches; and what writes for those who do may not be here.
    options = replace(record.options, data=data, programs=programs, tensorboard=False, **changes)
    # Without -P whatever lies in the folder could be imported in the place of a library.
    script = Path(folder).absolute() / archive.RECIPE
    return [sys.executable, "-P", str(script), "--out", str(out), *options.as_words()]


def as_typed(script):
    """The words by which a user starts a recipe in the current folder (list of str)."""
    # `make` runs its own Python, which a plain `python` in the user's shell may not be.
    python = "python" if shutil.which("python") == sys.executable else sys.executable
    # As this process: what lies beside a kept recipe is not imported.
    safely = ["-P"] if sys.flags.safe_path else []
    path = os.path.relpath(script)
    # A name that begins with a dash is no option.
    return [python, *safely, f"./{path}" if path.startswith("-") else path]


def pasteable(words):
    """A command in one line that a shell takes as these words, whatever bytes are in them."""
    return " ".join(shlex.quote(word) if word.isprintable() else _in_escapes(word) for word in words)


def _in_escapes(word):
    plain = {byte: chr(byte) for byte in range(ord(" "), ord("~") + 1) if chr(byte) not in "'\\"}
    return "$'" + "".join(plain.get(byte, f"\\x{byte:02x}") for byte in os.fsencode(word)) + "'"


# Those that end a process, of people (ctrl-C, kill, the end of a terminal) and of schedulers, which send a warning of
# their choice before the end of a job's time. SIGQUIT stays what ends a process that heeds nothing else.
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)

_STANDARD_ERROR = 2


def stopping():
    """Numbers of the signals that would end this process, and that nobody else has taken (a list).

    What was ignored when the process began stays so: SIGHUP under ``nohup``, SIGINT in a script's background.
    """
    # Elsewhere than in the main thread Python can take none.
    if threading.current_thread() is not threading.main_thread():
        return []
    return [number for number in _STOPPING if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)]


def call(words, quiet=False, aside=False):
    """Run a command to its end and pass on to it what would stop it.

    Parameters
    ----------
    words : list of str
        As `command` gives them.
    quiet : bool
        Whether its output is kept back.
    aside : bool
        Whether its standard output goes where this process's errors go, whose own output is something else.

    Returns
    -------
    int, str
        Exit status, 128 + the signal if one ended it; the last line it had to say, if it was kept back.
    """
    sys.stdout.flush()
    path = os.pathsep.join(filter(None, [str(IMPORT_PATH), os.environ.get("PYTHONPATH")]))
    # A session of its own: a ctrl-C reaches it once, from here, and it ends as any run does.
    child = subprocess.Popen(
        words,
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
        stdout=subprocess.PIPE if quiet else _STANDARD_ERROR if aside else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
    )
    before = {number: signal.signal(number, lambda got, frame: child.send_signal(got)) for number in stopping()}
    try:
        said = child.communicate()[0] or ""
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    status = child.returncode if child.returncode >= 0 else 128 - child.returncode
    return status, (said.strip().splitlines() or [""])[-1]
