"""`hybrid-bridge demo` as a child process: run it, kill around in it, see what is left of it."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 420.0  # seconds; a demo takes one minute on a quiet machine
GONE = 60.0  # seconds in which nothing of a demo may be left


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "hybrid_bridge", *map(str, arguments)]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@dataclass
class Demo:
    """One demo in a folder of its own, in a session of its own as under a terminal."""

    folder: Path
    options: tuple[str, ...] = ()
    kills: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with self._output("stdout").open("wb") as out, self._output("stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                command("demo", "--out", self.out, *self.options),
                stdout=out,
                stderr=errors,
                cwd=self.folder,
                env=environment(),
                start_new_session=True,
            )

    @property
    def out(self) -> Path:
        return self.folder / "demo-out"

    def _output(self, name: str) -> Path:
        return self.folder / f"{name}.txt"

    @property
    def stdout(self) -> str:
        return self._output("stdout").read_text()

    @property
    def stderr(self) -> str:
        return self._output("stderr").read_text()

    def wait(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"no end after {PATIENCE:.0f} s\n{self.stdout[-3000:]}\n{self.stderr[-3000:]}")

    def report(self) -> dict[str, Any]:
        """What `--json` printed, once all is well."""
        assert self.wait() == 0, self.stdout[-3000:] + self.stderr[-3000:]
        return json.loads(self.stdout)

    def children(self) -> list[int]:
        """Processes that the demo started and that live."""
        return sorted(
            pid for pid, (parent, state) in processes().items() if parent == self.process.pid and state != "Z"
        )

    def remains(self) -> list[str]:
        """Command lines of living processes that have to do with this folder."""
        found = []
        for pid in processes():
            try:
                line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.folder) in line:
                found.append(line)
        return found

    def require_gone(self) -> None:
        deadline = time.monotonic() + GONE
        while self.remains() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.remains() == []

    def kill_at_random(self, seed: int, every: float, times: int) -> None:
        """Kill -9 any child so many times, `every` seconds on average, unless the demo ends before."""
        dice = random.Random(seed)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and len(self.kills) < times:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(dice.expovariate(1 / every))
            if self.process.poll() is not None:
                return
            if children := self.children():
                self._kill(dice.choice(children))

    def _kill(self, pid: int) -> None:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            os.kill(pid, signal.SIGKILL)
        except OSError:
            return  # it ended by itself just now
        self.kills.append(line)

    def end(self) -> None:
        """Nothing is left behind by a test that fails; the children die with the demo."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def processes() -> dict[int, tuple[int, str]]:
    """Parent and state of each process."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(entry.name)] = (int(words[1]), words[0])
    return found
