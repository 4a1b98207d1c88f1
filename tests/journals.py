"""A journal for tests, and what may stand in it: shared by those of the rows, the stores, the migrations."""

from typing import Any

from relayers.desk import Orders
from relayers.journal import (
    AttemptFinalRow,
    AttestationRow,
    EvidenceRow,
    HeaderRow,
    Outcome,
    Scope,
    SendRow,
    SightingRow,
    SlotRow,
    SpendLimits,
    WishKind,
)
from relayers.journal_place import JournalPlace
from relayers.sql_journal import SqlJournal
from tests.unit.relayers.builders import ETHER, LOG_ID, T0, attempt, checkpoint, event, number_hash

SCOPE = Scope(chain_id=1337, genesis_hash=bytes(32), contract=b"\x11" * 20, log_id=LOG_ID, signer=b"\x22" * 20)
PLENTY = SpendLimits(ETHER, ETHER, ETHER)


def signed(size: int) -> list[AttestationRow]:
    return [AttestationRow(size, bytes([i]) * 20, checkpoint(size).digest, bytes(65)) for i in (1, 2)]


def begun(journal: SqlJournal, nonce: int = 5) -> Any:
    """One checkpoint, its intent, a slot; returns the stored intent."""
    journal.admit(checkpoint(2), signed(2))
    journal.open_intent(checkpoint(2), T0)
    journal.open_slot(nonce)
    return journal.view(T0).open_intents[0]


def ours(nonce: int = 5, **changes: Any) -> Any:
    return attempt(nonce, **{"intent_id": 1, "raw": b"raw bytes"} | changes)


def fill(place: JournalPlace) -> None:
    """A row in every table."""
    with SqlJournal(place, SCOPE, "test", T0) as journal:
        begun(journal)
        journal.add_attempt(ours(), PLENTY)
        journal.log_sends([SendRow(ours().hash, "own", None, "", None, T0)])
        journal.keep_evidence([EvidenceRow("b", "eth_call", "0x01", "0x02", number_hash(95), T0)])
        journal.keep_sightings([SightingRow(ours().hash, number_hash(95), 95, 1, T0)])
        with Orders(place, SCOPE) as orders:
            orders.wish(5, WishKind.BUMP, ours().hash, "a person", T0)
        journal.record_header(HeaderRow(96, number_hash(96), number_hash(95)), [event(2)])
        final = AttemptFinalRow(ours().hash, Outcome.OK, "", 95, number_hash(95))
        journal.close_slot(SlotRow(5, number_hash(96), is_foreign=False), [final])
