"""An outsider's desk: a namespace in which one public chain's port is all that there is to reach.

The consortium, its relayers and every web site are beyond reach, and off. The public chain itself, come back from the
file that a demo left, runs in the same namespace, and nothing else does.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import engines
from tests.e2e.demo_run import ROOT, command, environment
from tests.e2e.namespaces import NotPermitted, desert, refused
from tests.web import node

LISTENING = "0A"  # of a socket, in /proc/net/tcp


@dataclass(frozen=True)
class Outsider:
    """What can be typed and opened there."""

    url: str
    inside: Callable[[Sequence[str]], list[str]]

    def types(self, *arguments: str | Path) -> tuple[int, str, str]:
        """`hybrid-bridge …`: exit code, output, errors."""
        done = self._run(*command(*arguments))
        return done.returncode, done.stdout, done.stderr

    def listeners(self) -> list[int]:
        """Every port on which somebody listens, as the system tells it there."""
        rows = self._run("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout.splitlines()
        cells = [row.split() for row in rows if ":" in row]
        return sorted(int(row[1].rpartition(":")[2], 16) for row in cells if row[3] == LISTENING)

    def routes(self) -> str:
        """Ways out."""
        return self._run("ip", "route").stdout + self._run("ip", "-6", "route", "show", "default").stdout

    def opens_page(self, *files: Path, **fill: str) -> dict[str, Any]:
        """What the verifier page, opened there from disk, shows of these files."""
        visit = {"files": [str(path) for path in files], "fill": fill}
        asked = json.dumps({"page": (node.WEB / "index.html").as_uri(), "visits": [visit]})
        [seen] = node.run("browse.mjs", node.chromium(), text=asked, inside=self.inside([]))
        return dict(seen)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = self.inside(words)
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT, env=environment()
        )


@contextmanager
def outsider(folder: Path, state: Path) -> Iterator[Outsider]:
    """A desk beside the public chain of this state file, until it is let go."""
    try:
        with desert() as inside:
            ready = folder / "ready.json"
            options = ("--state-file", state, "--period", "1", "--allow-origin", "null", "--ready-file", ready)
            child = engines.Child(inside(command("devnet", *options)), folder / "devnet.log")
            try:
                line = child.until(lambda: ready.exists() and json.loads(ready.read_text()), "devnet ready")
                yield Outsider(line["url"], inside)
            finally:
                child.stop()
    except NotPermitted as error:
        refused(error)
