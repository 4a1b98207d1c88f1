"""The processes of the demo: started, watched, started again if they die, ended by whoever started them."""

import json
import os
import random
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

PATIENCE: Final = 180.0  # seconds for an answer, on a busy machine where processes are killed and start again
SHORT_PATIENCE: Final = 150.0  # seconds for a program that only answers one question, and starts slowly at first
GRACE: Final = 4.0  # seconds between TERM and KILL
FAULTS: Final = 8  # times one process may end by itself; more is a fault of ours, not bad luck
PORTS: Final = (15_000, 32_000)  # below those that systems give to outgoing calls: nobody takes a dead server's port
ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
PR_SET_PDEATHSIG: Final = 1


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago, all different."""
    free: dict[int, socket.socket] = {}
    try:
        while len(free) < count:
            port = random.randrange(*PORTS)  # noqa: S311 no secret
            try:
                free[port] = socket.create_server(("127.0.0.1", port))
            except OSError:
                continue
        return list(free)
    finally:
        for server in free.values():
            server.close()


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
    faults: int = 0  # of those restarts, how often it was neither killed nor waiting for another process
    wanted: bool = True  # False once we end it ourselves

    def tail(self, lines: int = 12) -> str:
        """The end of its log, for an error that must be understood at once."""
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-lines:])


@dataclass(slots=True)
class Stage:
    """All children of one demo. Leaving the `with` ends every one of them; so does the demo's own death on Linux."""

    logs: Path
    on_restart: Callable[[str, str], None]  # name, and how it ended
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
        # The end takes seconds at most; nothing may interrupt it.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING_SIGNALS}
        self.stop(*reversed(self.children))
        self._closing.set()
        if self._watch is not None:  # last: a child gets KILL when the thread that started it ends
            self._watch.join()
        for number, handler in before.items():
            signal.signal(number, handler)

    def start(self, name: str, command: Sequence[str]) -> Child:
        """Start one child; its output goes to `logs/NAME.log`."""
        log = self.logs / f"{name}.log"
        with self._lock:
            child = self.children[name] = Child(name, command, log, _spawn(command, log))
        return child

    def stop(self, *names: str) -> None:
        """TERM to all, then wait, then KILL."""
        with self._lock:
            chosen = [self.children[name] for name in names if name in self.children]
            for child in chosen:
                child.wanted = False
        for child in chosen:
            child.process.terminate()
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
            StoreBroken: a child ended by itself too often.
        """
        deadline, last = time.monotonic() + patience, ""
        while True:
            self._require_alive()
            try:
                answer = ask()
            except Undecided as error:
                answer, last = None, f" ({error})"
            if answer is not None:
                return answer
            if time.monotonic() > deadline:
                raise NotYet(what=f"{what}, after {patience:.0f} seconds{last}")
            time.sleep(0.1)

    def answer_of(self, what: str, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; once more if somebody killed it.

        Raises:
            NotYet: killed every time, or never ended.
        """

        def once() -> subprocess.CompletedProcess[str] | None:
            try:
                done = subprocess.run(  # noqa: S603 our own
                    command, capture_output=True, encoding="utf-8", check=False, timeout=SHORT_PATIENCE
                )
            except subprocess.TimeoutExpired:
                return None
            return done if done.returncode >= 0 else None

        return self.until(what, once)

    def _require_alive(self) -> None:
        with self._lock:
            broken = [child for child in self.children.values() if child.wanted and child.faults > FAULTS]
        for child in broken:
            raise StoreBroken(store=child.name, rule=f"stays up; the end of its log:\n{child.tail()}")

    def _restart_the_dead(self) -> None:
        while not self._closing.wait(0.1):
            with self._lock:
                dead = [c for c in self.children.values() if c.wanted and c.process.poll() is not None]
                dead = [child for child in dead if child.faults <= FAULTS]
                told = [(child.name, _ending(child.process.returncode)) for child in dead]
                for child in dead:
                    child.restarts += 1
                    child.faults += child.process.returncode not in (-signal.SIGKILL, Undecided.exit_code)
                    child.process = _spawn(child.command, child.log)
            for name, ending in told:
                self.on_restart(name, ending)


def _ending(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


# Asks the kernel to kill the child when the demo is gone (Linux only), then becomes the real program. A launcher of its
# own, since nothing safe can run between fork and exec in a process with threads.
_LAUNCHER: Final = (
    "import ctypes, os, sys\n"
    "if sys.platform == 'linux':\n"
    f"    ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, {int(signal.SIGKILL)})\n"
    "    if os.getppid() != int(sys.argv[1]): sys.exit('the demo is gone')\n"
    "os.execv(sys.argv[2], sys.argv[2:])"
)


def _spawn(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    launched = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
    with log.open("ab") as out:
        return subprocess.Popen(launched, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)  # noqa: S603 our own command lines


def read_json(path: Path) -> dict[str, object] | None:
    """A small JSON file that another process writes when it is ready; None until it is whole."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
