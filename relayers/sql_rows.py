"""Rows of the journal's tables as frozen values, and back. Explicit, since table models do not validate."""

from typing import Any

from sqlalchemy import RowMapping

from hybrid_bridge.ports import AnchoredEvent, PublicBlock
from hybrid_bridge.units import Digest, PublicBlockHash, PublicBlockNumber, SetId, TreeSize, TxHash, UnixSeconds
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    AttestationRow,
    CheckpointRow,
    EvidenceRow,
    HeaderRow,
    IntentKind,
    IntentRow,
    IntentState,
    Outcome,
    SendRow,
    SightingRow,
    SlotRow,
    WishKind,
    WishRow,
)


def columns(row: object) -> dict[str, Any]:
    """The fields of a frozen row, named like the columns."""
    return {name: getattr(row, name) for name in type(row).__slots__}  # type: ignore[attr-defined]


def header(row: RowMapping) -> HeaderRow:
    """A row of `header`."""
    return HeaderRow(row["number"], row["hash"], row["parent"])


def checkpoint(row: RowMapping) -> CheckpointRow:
    """A row of `checkpoint`; its path is stored as one string of bytes."""
    packed = row["consistency"]
    path = tuple(Digest(packed[at : at + 32]) for at in range(0, len(packed), 32))
    return CheckpointRow(**{name: row[name] for name in CheckpointRow.__slots__} | {"consistency": path})


def attestation(row: RowMapping) -> AttestationRow:
    """A row of `attestation`."""
    return AttestationRow(row["size"], row["member"], row["digest"], row["signature"])


def intent(row: RowMapping) -> IntentRow:
    """A row of `intent`."""
    values = {name: row[name] for name in IntentRow.__slots__}
    said = {"state": IntentState(row["state"]), "kind": IntentKind(row["kind"]), "size": row["size"] or 0}
    return IntentRow(**values | said)


def slot(row: RowMapping) -> SlotRow:
    """A row of `slot`."""
    return SlotRow(row["nonce"], row["closed_hash"], bool(row["is_foreign"]))


def attempt(row: RowMapping) -> AttemptRow:
    """A row of `attempt`."""
    return AttemptRow(**{name: row[name] for name in AttemptRow.__slots__})


def attempt_final(row: RowMapping) -> AttemptFinalRow:
    """A row of `attempt_final`."""
    values = {name: row[name] for name in AttemptFinalRow.__slots__}
    return AttemptFinalRow(**values | {"outcome": Outcome(row["outcome"])})


def evidence(row: RowMapping) -> EvidenceRow:
    """A row of `rpc_evidence`."""
    said = (row["endpoint"], row["method"], row["wanted"], row["got"])
    return EvidenceRow(*said, row["block_hash"], row["seen_at"])


def send(row: RowMapping) -> SendRow:
    """A row of `send_log`."""
    return SendRow(**{name: row[name] for name in SendRow.__slots__})


def sighting(row: RowMapping) -> SightingRow:
    """A row of `sighting`."""
    return SightingRow(**{name: row[name] for name in SightingRow.__slots__})


def wish(row: RowMapping) -> WishRow:
    """A row of `wish`."""
    return WishRow(row["nonce"], WishKind(row["kind"]), row["against"], row["by"], row["wished_at"])


def event(row: RowMapping) -> AnchoredEvent:
    """A row of `anchored`."""
    block = PublicBlock(
        PublicBlockNumber(row["block_number"]),
        PublicBlockHash(row["block_hash"]),
        PublicBlockHash(row["block_parent"]),
        UnixSeconds(row["block_time"]),
    )
    return AnchoredEvent(
        log_id=row["log_id"],
        tree_size=TreeSize(row["size"]),
        root=Digest(row["root"]),
        timestamp=UnixSeconds(row["timestamp"]),
        set_id=SetId(row["set_id"]),
        signers=int.from_bytes(row["signers"], "big"),
        block=block,
        tx_hash=TxHash(row["tx_hash"]),
        log_index=row["log_index"],
    )


def event_columns(event: AnchoredEvent) -> dict[str, Any]:
    """The inverse of `event`."""
    return {
        "block_number": event.block.number,
        "block_hash": event.block.hash,
        "block_parent": event.block.parent,
        "block_time": event.block.time,
        "log_index": event.log_index,
        "log_id": event.log_id,
        "size": event.tree_size,
        "root": event.root,
        "timestamp": event.timestamp,
        "set_id": event.set_id,
        "signers": event.signers.to_bytes(8, "big"),
        "tx_hash": event.tx_hash,
    }
