"""Who kills, cuts and holds still, by a seed, and who starts again what has died: the supervisor that each member has."""

import random
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock

from tests.e2e.engine_network import EngineNetwork
from tests.e2e.network import NAMES

SPARED = "bank-b"  # never killed: its memory is watched from the first minute to the last
SIDES = (  # who is cut from whom
    (("bank-a",), ("core", "supplier", "bank-b", "regulator")),
    (("core",), ("supplier", "bank-a", "bank-b", "regulator")),
    (("core", "supplier"), ("bank-a", "bank-b", "regulator")),
    (("core", "bank-b", "regulator"), ("supplier", "bank-a")),
)
ONE_WAY = (("core", "supplier"), ("supplier", "bank-a"), ("bank-a", "core"))
BREAK = (2.0, 12.0)  # seconds of rest between two faults
CUT = (3.0, 30.0)  # seconds that links stay cut
STILL = (1.0, 30.0)  # seconds that processes are held still, as those of a machine that is moved or swaps
LONG_CUT = 180.0  # longer than engines redial at a steady pace


@dataclass
class Supervisor:
    """Starts both halves of a member again when either has ended, the node first; and whoever else was killed."""

    network: EngineNetwork
    others: dict[str, list[str]]  # command of each further process, by name
    lock: RLock = field(default_factory=RLock)
    restarts: int = 0

    def run(self, enough: Event) -> None:
        """Until told."""
        while not enough.wait(0.2):
            with self.lock:
                for name in NAMES:
                    self._tend(name)
                for name, command in self.others.items():
                    if self.network.running[name].poll() is not None:
                        self.restarts += 1
                        self.network.running[name] = self._started(name, command)

    def _tend(self, name: str) -> None:
        network = self.network
        halves = network.running[name], network.engines[name]
        if all(half.poll() is None for half in halves):
            return
        self.restarts += 1
        for half in halves:
            half.kill()
            half.wait()
        network.start(name)

    def _started(self, name: str, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self.network.root / f"{name}.out").open("ab") as output:
            return subprocess.Popen(command, stdout=output, stderr=output, cwd=Path.cwd())


@dataclass
class Faults:
    """Random by a seed; each is written down with its second before it happens."""

    supervisor: Supervisor
    seed: int
    long_cut_after: float  # seconds; one long partition, if the soak lasts that long
    said: list[str] = field(default_factory=list)
    kills: int = 0
    cuts: int = 0
    stops: int = 0
    _begin: float = 0.0

    def run(self, enough: Event) -> None:
        """Until told; leaves all links whole."""
        chance, was_long = random.Random(self.seed), False
        self._begin = time.monotonic()
        while not enough.wait(chance.uniform(*BREAK)):
            if not was_long and time.monotonic() - self._begin > self.long_cut_after:
                was_long = True
                self._cut(SIDES[2], LONG_CUT, enough)
            elif self.supervisor.network.lan is not None and chance.random() < 0.35:
                sides = chance.choice((*SIDES, None))
                self._cut(sides, chance.uniform(*CUT), enough)
            elif chance.random() < 0.25:
                self._hold(chance, enough)
            else:
                self._kill(chance)
        if self.supervisor.network.lan is not None:
            self.supervisor.network.lan.heal()

    def _tell(self, what: str) -> None:
        self.said.append(f"{time.monotonic() - self._begin:7.1f} {what}")

    def _hold(self, chance: random.Random, enough: Event) -> None:
        """Nothing is lost, and connections stay; only the time goes on without them."""
        network, name, seconds = self.supervisor.network, chance.choice((*NAMES, "relayer")), chance.uniform(*STILL)
        halves = chance.choice(((network.running,), (network.engines,), (network.running, network.engines)))
        with self.supervisor.lock:
            held = [half[name] for half in (halves if name in NAMES else (network.running,))]
            self._tell(f"hold {name} still, {len(held)} processes, for {seconds:.1f} s")
            self.stops += 1
            for process in held:
                process.send_signal(signal.SIGSTOP)
        try:
            enough.wait(seconds)
        finally:
            with self.supervisor.lock:
                for process in held:
                    process.send_signal(signal.SIGCONT)
        self._tell("goes on")

    def _kill(self, chance: random.Random) -> None:
        network = self.supervisor.network
        may = [name for name in NAMES if name != SPARED]
        victims = chance.sample(may, chance.choice((1, 1, 1, 2)))
        halves = [chance.choice((("node",), ("engine",), ("node", "engine"))) for _ in victims]
        relayer = chance.random() < 0.25
        with self.supervisor.lock:
            for name, which in zip(victims, halves, strict=True):
                self._tell(f"kill {name}: {' and '.join(which)}")
                for half in which:
                    {"node": network.running, "engine": network.engines}[half][name].kill()
                self.kills += 1
            if relayer:
                self._tell("kill relayer")
                network.running["relayer"].kill()
                self.kills += 1

    def _cut(self, sides: tuple[tuple[str, ...], ...] | None, seconds: float, enough: Event) -> None:
        lan = self.supervisor.network.lan
        if lan is None:
            return
        self._tell(f"cut {sides or ONE_WAY} for {seconds:.1f} s")
        self.cuts += 1
        if sides is None:
            for sender, receiver in ONE_WAY:
                lan.cut(sender, receiver)
        else:
            lan.partition(*sides)
        enough.wait(seconds)
        lan.heal()
        self._tell("healed")
