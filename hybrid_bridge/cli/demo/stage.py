"""The processes of the demo: started, watched, restarted if they die, ended by pid by whoever started them."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from hybrid_bridge.errors import NotYet, StoreBroken, Undecided

T = TypeVar("T")

PATIENCE: Final = 45.0  # seconds for a process to answer for the first time, on a busy machine with two cores
GRACE: Final = 8.0  # seconds between TERM and KILL
RESTARTS: Final = 8  # of one process; more is a fault, not bad luck
PR_SET_PDEATHSIG: Final = 1


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(server.getsockname()[1]) for server in held]
    for server in held:
        server.close()
    return ports


def hybrid_bridge(*arguments: str) -> list[str]:
    """Command line of `hybrid-bridge …` under this very interpreter."""
    return [sys.executable, "-m", "hybrid_bridge", *arguments]


def hybrid_relayer(*arguments: str) -> list[str]:
    """Command line of `hybrid-relayer …`; the library itself never imports the relayer."""
    return [sys.executable, "-m", "relayers", *arguments]


@dataclass(slots=True)
class Child:
    """One process with its log."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes]
    restarts: int = 0
    wanted: bool = True  # False once we end it ourselves

    def tail(self, lines: int = 12) -> str:
        """The end of its log, for an error that must be understood at once."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass(slots=True)
class Stage:
    """All children of one demo. Leaving the `with` ends every one of them."""

    logs: Path
    on_restart: Callable[[str, int], None]
    children: dict[str, Child] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _watch: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        self._watch = threading.Thread(target=self._restart_the_dead, name="demo-watch", daemon=True)
        self._watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        if self._watch is not None:
            self._watch.join()
        self.stop(*reversed(self.children))

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start one child; its output goes to `logs/NAME.log`."""
        log = self.logs / f"{name}.log"
        child = Child(name, command, log, _spawn(command, log))
        with self._lock:
            self.children[name] = child
        return child

    def stop(self, *names: str) -> None:
        """TERM to all, then wait, then KILL."""
        with self._lock:
            chosen = [self.children[name] for name in names if name in self.children]
            for child in chosen:
                child.wanted = False
        for child in chosen:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        for child in chosen:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def until(self, what: str, ask: Callable[[], T | None], patience: float = PATIENCE) -> T:
        """Ask until there is an answer. `Undecided` means ask again; everything else is the caller's.

        Raises:
            NotYet: no answer before the deadline.
            StoreBroken: a child died too often.
        """
        deadline = time.monotonic() + patience
        while True:
            self._require_alive()
            try:
                answer = ask()
            except Undecided:
                answer = None
            if answer is not None:
                return answer
            if time.monotonic() > deadline:
                raise NotYet(what=what)
            self._closing.wait(0.1)

    def _require_alive(self) -> None:
        with self._lock:
            for child in self.children.values():
                if child.wanted and child.restarts > RESTARTS:
                    raise StoreBroken(store=child.name, rule=f"stays up; the end of its log:\n{child.tail()}")

    def _restart_the_dead(self) -> None:
        while not self._closing.wait(0.2):
            with self._lock:
                dead = [c for c in self.children.values() if c.wanted and c.process.poll() is not None]
                dead = [child for child in dead if child.restarts <= RESTARTS]
                for child in dead:
                    child.restarts += 1
                    child.process = _spawn(child.command, child.log)
            for child in dead:
                self.on_restart(child.name, child.restarts)


# Asks the kernel to end the child when the demo is killed (Linux only), then becomes the real program. A launcher of
# its own, since nothing safe can run between fork and exec in a process with threads.
_LAUNCHER: Final = (
    "import ctypes, os, sys\n"
    f"ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGTERM)}) if sys.platform == 'linux' else None\n"
    "os.execv(sys.argv[1], sys.argv[1:])"
)


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    launched = [sys.executable, "-c", _LAUNCHER, *command]
    with log.open("ab") as out:
        return subprocess.Popen(launched, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)  # noqa: S603 our own command lines


def read_json(path: Path) -> dict[str, object] | None:
    """A small JSON file that another process writes when it is ready; None until it is whole."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
