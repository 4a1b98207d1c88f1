"""Part of check 10 of `verify`: labels and transactions tell one story of the registry, however many epochs are shown.

The registry only grows, an index is inserted once and by one transaction (SPEC §9.3). Proofs at single roots cannot
show this; where a bundle shows two sides of it, they are compared.
"""

from collections import defaultdict
from typing import Final

from hybrid_bridge.core.payload import RegistryOp
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEntry
from hybrid_bridge.units import EpochNumber

_ABSENT: Final = "absent"


def ops_of(entry: DecodedEntry) -> tuple[RegistryOp, ...]:
    """What the shown transaction behind an entry inserts; nothing if it is not shown."""
    payload = None if entry.transaction is None else entry.transaction.body.payload
    return payload.ops if isinstance(payload, RecordPayload) else ()


def require_one_story(d: Decoded) -> None:
    """Compare every index shown, and every pair beside one, with itself at other epochs and with its transaction.

    Raises:
        FieldMismatch: an index vanished or changed, was inserted twice, or stands otherwise than a transaction says.
    """
    standing: defaultdict[bytes, dict[EpochNumber, str]] = defaultdict(dict)
    types: dict[bytes, int] = {}
    for epoch in d.epochs:
        for shown, part in epoch.labels:
            standing[part.index][epoch.record.epoch] = _ABSENT
            if part.terminal is not None:  # the pair in which the path ends stands there, whosoever it is
                standing[part.terminal.index][epoch.record.epoch] = part.terminal.commitment.hex()
            if shown is not None:
                types[part.index] = shown.label.type
    for index, by_epoch in standing.items():
        _require_growth(index, by_epoch)
    inserted: set[bytes] = set()
    for epoch, entry in d.entries:
        for op in ops_of(entry):
            if op.index in inserted:
                raise FieldMismatch(field="transaction.ops", expected="each index once", got=op.index.hex())
            inserted.add(op.index)
            _require_op(op, epoch.record.epoch, standing[op.index], types.get(op.index, op.label_type))


def _require_growth(index: bytes, by_epoch: dict[EpochNumber, str]) -> None:
    """`by_epoch` ascends, as the epochs do."""
    before = _ABSENT
    for held in by_epoch.values():
        if before not in (_ABSENT, held):
            raise FieldMismatch(field=f"registry index {index.hex()}", expected=before, got=held)
        before = held


def _require_op(op: RegistryOp, epoch: EpochNumber, by_epoch: dict[EpochNumber, str], label_type: int) -> None:
    if op.label_type != label_type:
        raise FieldMismatch(field="transaction.ops.label_type", expected=str(label_type), got=str(op.label_type))
    for at, held in by_epoch.items():
        expected = op.commitment.hex() if at >= epoch else _ABSENT
        if held != expected:
            raise FieldMismatch(field=f"registry index {op.index.hex()}", expected=expected, got=held)
