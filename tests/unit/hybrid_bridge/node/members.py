"""A founded consortium in one process: folders on disk, no sockets, a clock that stands where it is put."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.block import Countersignature
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.node.closing import Closer
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.founding import FOUNDING, Foundation, Founder, Plan
from hybrid_bridge.node.opening import Opened, open_folder
from hybrid_bridge.node.running import read_founding
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.steps.batch import ClosingKeys
from hybrid_bridge.units import Seconds, UnixSeconds

START = UnixSeconds(1_800_000_000)
CADENCE = 10
NAMES = ("core", "supplier", "bank-a", "bank-b", "regulator")
VALIDATORS = NAMES[:4]
ROLES = {"core": ("validator", "sequencer"), "regulator": ("regulator",)}


class FixedClock:
    """Stands until it is moved."""

    def __init__(self, now: int = START) -> None:
        self.moment = now

    def now(self) -> UnixSeconds:
        return UnixSeconds(self.moment)


def counted(seed: str = "random") -> Iterator[bytes]:
    """Endless bytes, the same in each run."""
    count = 0
    while True:
        count += 1
        yield hashlib.sha512(f"{seed}/{count}".encode()).digest()


def randomness(seed: str = "random"):
    stream = counted(seed)
    return lambda size: next(stream)[:size]


def founder(name: str, **changes: object) -> Founder:
    values: dict[str, object] = {
        "name": name,
        "legal_name": f"{name} Ltd",
        "legal_id": f"LEI:{name.upper()}",
        "roles": ROLES.get(name, ("validator",)),
        "endpoint": "127.0.0.1:7000",
    }
    return Founder(**(values | changes))


def plan(**changes: object) -> Plan:
    values: dict[str, object] = {
        "origin": "test.example/receivables",
        "genesis_time": START,
        "cadence": Seconds(CADENCE),
        "grace": Seconds(30),
        "founders": tuple(map(founder, NAMES)),
        "relayers": ("north",),
    }
    return Plan(**(values | changes))


@dataclass
class Members:
    """Every member's folder, open in this process."""

    root: Path
    foundation: Foundation
    clock: FixedClock = field(default_factory=FixedClock)
    silent: bool = False  # nobody may sign before it has heard the others
    opened: dict[str, Opened] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def folder(self, name: str) -> Path:
        return self.root / "nodes" / name

    def open(self, name: str) -> Opened:
        if name not in self.opened:
            self.opened[name] = open_folder(read_settings(self.folder(name)), self.clock)
            self.stack.enter_context(closing(self.opened[name]))
            if not self.silent:
                self.opened[name].view.chain.speak(None)
        return self.opened[name]

    def reopen(self, name: str) -> Opened:
        """As after a crash: another process opens the same files."""
        self.opened.pop(name).close()
        return self.open(name)

    def founding(self) -> list[SignedTransaction]:
        return read_founding(self.folder("core") / FOUNDING)

    def order(self, time: int, transactions: list[SignedTransaction] | None = None) -> StoredBlock:
        """Core makes a block."""
        core = self.open("core").view
        self.clock.moment = max(self.clock.moment, time)
        core.chain.order(UnixSeconds(time), transactions or [], core.keys.identity)
        return core.ledger.blocks(core.progress.tip)[0]

    def accept(self, name: str, block: StoredBlock) -> None:
        view = self.open(name).view
        view.chain.accept(block, view.keys.identity if view.address is not None else None)

    def spread(self, block: StoredBlock) -> None:
        """All others execute it, and every word reaches everybody."""
        for name in NAMES[1:]:
            self.accept(name, block)
        words = [word for name in VALIDATORS for word in self.open(name).view.witness.of(self.key_id(name), 0)]
        for name in NAMES:
            view = self.open(name).view
            for word in words:
                view.witness.add(Countersignature.decode(word))
            Watch(view)

    def key_id(self, name: str):
        return self.open("core").view.directory.identities[name].key_id

    def close_epoch(self, name: str) -> None:
        """A validator closes its next epoch."""
        view = self.open(name).view
        closer = Closer(view.ledger, view.logbook, view.directory, view.progress)
        assert view.keys.secret is not None
        closer.close_next(ClosingKeys(secret=view.keys.secret, vrf_seed=view.keys.vrf))


def started(members: Members) -> Members:
    """The founding block stands, final, everywhere."""
    members.spread(members.order(START, members.founding()))
    return members


def with_addresses_of(directory: Directory, name: str, *validators: str) -> Directory:
    """The same directory, with cards on which `name` states the attestation keys of others for its own."""
    here = directory.member(name)
    theirs = [directory.member(other) for other in validators]
    stated = (replace(here, address=m.address, key_binding=m.key_binding, roles=("validator",)) for m in theirs)
    return replace(directory, known=(*directory.known, *stated))
