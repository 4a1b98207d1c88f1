"""A command that goes on until it is told to end hears it, whichever of its threads is told."""

import subprocess
import sys

import pytest

SOURCE = """
import os, signal, threading
from hybrid_bridge.cli.ending import Ending

ending = Ending()
print(ending.wait(0.0))
threading.Timer(0.2, lambda: {tell}).start()
print(ending.wait({seconds}))
"""


@pytest.mark.parametrize("number", ["signal.SIGTERM", "signal.SIGINT"])
@pytest.mark.parametrize("tell", ["signal.pthread_kill(threading.get_ident(), {})", "os.kill(os.getpid(), {})"])
@pytest.mark.parametrize("seconds", [None, 3600])
def test_both_signals_end_it(number: str, tell: str, seconds: int | None) -> None:
    source = SOURCE.format(tell=tell.format(number), seconds=seconds)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "False\nTrue\n"), done.stderr
