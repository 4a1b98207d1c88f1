"""Everything the services look at, in one place."""

from dataclasses import dataclass

from hybrid_bridge.adapters.sqlite.epochs import SqlEpochs
from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.records import SqlRecords
from hybrid_bridge.adapters.sqlite.witness import SqlWitness
from hybrid_bridge.node.chain import Chain
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.keys import Keys
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.ports import Clock
from hybrid_bridge.units import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One member's stores, keys and derived views."""

    name: str
    directory: Directory
    keys: Keys
    ledger: SqlLedger
    epochs: SqlEpochs
    witness: SqlWitness
    records: SqlRecords
    logbook: LogBook
    chain: Chain
    progress: Progress
    brake: Brake
    clock: Clock

    @property
    def address(self) -> Address | None:
        """Of our attestation key."""
        return None if self.keys.attestation is None else self.keys.attestation.address()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Of our attestation key, and of the one that follows it, if we hold one already."""
        return tuple(key.address() for key in (self.keys.attestation, self.keys.attestation_next) if key is not None)
