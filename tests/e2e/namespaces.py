"""Hosts on one host: a network namespace for each name, cables into one switch, links that are cut and healed.

We stand beside the hosts, with a cable of our own into the switch that nobody cuts. What a cut link carries is lost in
silence, in one direction: the sender is told a hardware address that nobody has, so no packet filter is needed. Needs
root and iproute2. Everything made bears the tag of this run and is removed by name; nothing else is touched.
"""

import ctypes
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

PORT = "eth0"  # a host's end of its cable
NOBODY = "02:00:00:00:00:00"
CLONE_NEWNET = 0x40000000
FIRST = 1  # of the hosts' addresses; ours is the last
OURS = 254


class NotPermitted(Exception):
    """This machine does not let us."""

    def __init__(self, command: str, said: str) -> None:
        super().__init__(f"`{command}`: {said}")


def run(*words: str) -> str:
    """A command of iproute2; what it printed."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermitted(" ".join(words), done.stderr.strip())
    return done.stdout


class Lan:
    """The hosts, each with an address that it alone has."""

    def __init__(self, names: Sequence[str]) -> None:
        """Nothing is made yet."""
        self.names = tuple(names)
        self._tag = f"hb{secrets.token_hex(3)}"
        self._net = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(256)}"
        self._made: list[str] = []
        self._cut: set[tuple[str, str]] = set()

    # ── built, and taken down ────────────────────────────────────────────────────────────────────────────────────────

    def build(self) -> None:
        """Namespaces, switch and cables.

        Raises:
            NotPermitted: this machine does not let us.
        """
        if shutil.which("ip") is None:
            raise NotPermitted(command="ip", said="not there: apt-get install iproute2")
        switch = self._namespace("switch")
        run("ip", "-n", switch, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", switch, "link", "set", "br0", "up")
        for number, name in enumerate(self.names):
            inside = self._namespace(name)
            end = ("netns", inside, "address", self._hardware(number + FIRST), "type", "veth")
            run("ip", "link", "add", PORT, *end, "peer", "name", f"p{number}", "netns", switch)
            self._plug(switch, f"p{number}")
            run("ip", "-n", inside, "address", "add", f"{self.address(name)}/24", "dev", PORT)
            run("ip", "-n", inside, "link", "set", PORT, "up")
            run("ip", "-n", inside, "link", "set", "lo", "up")
        ours = f"{self._tag}o"  # goes with the switch's namespace, where its other end is
        run("ip", "link", "add", ours, "type", "veth", "peer", "name", "ours", "netns", switch)
        self._plug(switch, "ours")
        run("ip", "address", "add", f"{self._net}.{OURS}/24", "dev", ours)
        run("ip", "link", "set", ours, "up")

    def remove(self) -> None:
        """All that was made; the processes in it must have ended."""
        while self._made:
            run("ip", "netns", "delete", self._made.pop())

    def _namespace(self, name: str) -> str:
        made = f"{self._tag}-{name}"
        run("ip", "netns", "add", made)
        self._made.append(made)
        return made

    def _plug(self, switch: str, end: str) -> None:
        run("ip", "-n", switch, "link", "set", end, "master", "br0")
        run("ip", "-n", switch, "link", "set", end, "up")

    def _hardware(self, number: int) -> str:
        return f"02:68:62:00:00:{number:02x}"

    # ── used ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def address(self, name: str) -> str:
        """Of a host, as the others and we reach it."""
        return f"{self._net}.{self.names.index(name) + FIRST}"

    def command(self, name: str, words: Sequence[str]) -> list[str]:
        """The same command on a host. It is the same process: `ip` becomes it."""
        return ["ip", "netns", "exec", f"{self._tag}-{name}", *words]

    def on(self, name: str, ask: Callable[[], T]) -> T:
        """Call from a host: what listens on its loopback is reached from nowhere else."""

        def enter() -> None:
            with Path(f"/run/netns/{self._tag}-{name}").open() as there:
                if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")

        with ThreadPoolExecutor(1, initializer=enter) as thread:  # a namespace is a thread's, and ends with it
            return thread.submit(ask).result()

    # ── broken, and mended ───────────────────────────────────────────────────────────────────────────────────────────

    def cut(self, sender: str, receiver: str) -> None:
        """What `sender` sends to `receiver` is lost from now on; the other direction stays."""
        self._cut.add((sender, receiver))
        self._neighbour(sender, receiver, NOBODY)

    def partition(self, *groups: Sequence[str]) -> None:
        """No group reaches another."""
        for group in groups:
            for other in groups:
                if other is not group:
                    for sender in group:
                        for receiver in other:
                            self.cut(sender, receiver)

    def heal(self) -> None:
        """All links as built."""
        while self._cut:
            sender, receiver = self._cut.pop()
            self._neighbour(sender, receiver, self._hardware(self.names.index(receiver) + FIRST))

    def _neighbour(self, sender: str, receiver: str, hardware: str) -> None:
        entry = ("neighbour", "replace", self.address(receiver), "lladdr", hardware, "dev", PORT, "nud", "permanent")
        run("ip", "-n", f"{self._tag}-{sender}", *entry)


@contextmanager
def lan(names: Sequence[str]) -> Iterator[Lan]:
    """Hosts until they are let go.

    Raises:
        NotPermitted: this machine does not let us.
    """
    hosts = Lan(names)
    try:
        hosts.build()
        yield hosts
    finally:
        hosts.remove()


@contextmanager
def desert() -> Iterator[Callable[[Sequence[str]], list[str]]]:
    """A host without a cable: how to run a command there. What runs there reaches what else runs there, and no more.

    Raises:
        NotPermitted: this machine does not let us.
    """
    if shutil.which("ip") is None:
        raise NotPermitted(command="ip", said="not there: apt-get install iproute2")
    name = f"hb{secrets.token_hex(3)}-desert"
    run("ip", "netns", "add", name)
    try:
        run("ip", "-n", name, "link", "set", "lo", "up")
        yield lambda words: ["ip", "netns", "exec", name, *map(str, words)]
    finally:
        run("ip", "netns", "delete", name)


def refused(error: NotPermitted) -> None:
    """Skip the calling test with the command that was refused: no installation brings what a kernel does not let us."""
    pytest.skip(f"no network namespaces here: {error}")
