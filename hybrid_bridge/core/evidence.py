"""What verification returns: separate verdicts, never one green tick (design §2; SPEC §12).

Each verdict names its result, what it rests on and, where nothing could be said, what would be needed.
"""

from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.encoding import Json, b64u
from hybrid_bridge.units import EpochNumber, LogId, TreeSize, UnixSeconds

VERIFIED: Final = "verified"
UNDECIDED: Final = "undecided"
NOT_SHOWN: Final = "not shown"

NOT_PROVEN: Final = (
    "that what was entered was true before it was entered",
    "dealings outside the ledger",
    "who stands behind a key beyond its certificate",
    "that a member's own database equals the ledger",
    "legal effect",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One answer. `result` is `verified`, `undecided`, `not shown`, or the value SPEC §12 lists for this verdict."""

    name: str
    result: str
    detail: str
    rests_on: str
    missing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One numbered step of SPEC §12 that was passed, and how many things it looked at."""

    number: int
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedField:
    """A field that the holder disclosed."""

    name: str
    value: str | int | bool | None
    is_claim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFact:
    """A record that stood in an epoch, with what was opened of it; `undisclosed` counts its other leaves."""

    epoch: EpochNumber
    by: UnixSeconds  # closedAt of the epoch
    record_type: int
    schema: str
    fields: tuple[OpenedField, ...]
    undisclosed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFact:
    """What the registry says at one epoch about one label (SPEC §9.4)."""

    epoch: EpochNumber
    label: str
    statement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The whole answer. `complete` is true when everything the trust file requires was verified."""

    log_id: LogId
    origin: str
    tree_size: TreeSize
    verdicts: tuple[Verdict, ...]
    checks: tuple[Check, ...]
    records: tuple[RecordFact, ...]
    registry: tuple[RegistryFact, ...]
    signers: tuple[str, ...]
    warnings: tuple[str, ...]
    missing: tuple[str, ...]
    not_proven: tuple[str, ...] = field(default=NOT_PROVEN)

    @property
    def complete(self) -> bool:
        """Nothing that was required is missing."""
        return not self.missing

    def verdict(self, name: str) -> Verdict:
        """The verdict of that name; every evidence has all of them."""
        return next(v for v in self.verdicts if v.name == name)

    def to_json(self) -> dict[str, Json]:
        """For machines: the same content, names as here."""
        return {
            "format": "hybrid-bridge/evidence/v1",
            "complete": self.complete,
            "log_id": b64u(self.log_id),
            "origin": self.origin,
            "tree_size": self.tree_size,
            "verdicts": [
                {"name": v.name, "result": v.result, "detail": v.detail, "rests_on": v.rests_on, "missing": v.missing}
                for v in self.verdicts
            ],
            "checks": [{"number": c.number, "name": c.name, "count": c.count} for c in self.checks],
            "records": [_record_json(r) for r in self.records],
            "registry": [{"epoch": r.epoch, "label": r.label, "statement": r.statement} for r in self.registry],
            "signers": list(self.signers),
            "warnings": list(self.warnings),
            "missing": list(self.missing),
            "not_proven": list(self.not_proven),
        }


def _record_json(fact: RecordFact) -> Json:
    return {
        "epoch": fact.epoch,
        "by": fact.by,
        "record_type": f"0x{fact.record_type:04x}",
        "schema": fact.schema,
        "fields": [{"name": f.name, "value": f.value, "claim": f.is_claim} for f in fact.fields],
        "undisclosed": fact.undisclosed,
    }
