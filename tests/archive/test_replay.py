"""A command that is run to its end: what would stop it reaches it, and what is ignored does not."""

import os
import signal
import subprocess
import sys

import pytest

from crmn_legacy.archive import replay
from tests.training.runs import environment


@pytest.mark.parametrize(
    "word",
    ["plain", "a  b", "$HOME `id`", "it's", "%s%n", "-o", "caf\u00e9", "a\nb\tc", "\x1b[2J'\\\\\\'", b"caf\xe9 \xff0"],
)
def test_a_command_can_be_pasted_whatever_its_words_hold(word):
    line = replay.pasteable(["printf", "%s", os.fsdecode(word)])
    assert line.isprintable()
    said = subprocess.run(["bash", "-c", line.replace("printf", "printf --", 1)], capture_output=True).stdout
    assert said == os.fsencode(word)


# Prints how the child of the child ended; the child says when it stands ready.
CALL = """
import signal, sys
from crmn_legacy.archive import replay
{before}
child = '''
import signal, sys, time
print("ready", flush=True)
time.sleep({seconds})
'''
print(replay.call([sys.executable, "-c", child])[0])
"""


def called(number, before="", seconds=60):
    """Send `number` to a process in `call` once its child is ready; what it found."""
    words = [sys.executable, "-c", CALL.format(before=before, seconds=seconds)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment())
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    said, _ = child.communicate(timeout=60)
    assert child.returncode == 0
    return int(said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_what_would_stop_a_process_is_passed_on(number):
    assert called(number) == 128 + number


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_what_is_ignored_stops_neither(name):
    before = f"signal.signal(signal.{name}, signal.SIG_IGN)"
    assert called(getattr(signal, name), before, seconds=1) == 0
