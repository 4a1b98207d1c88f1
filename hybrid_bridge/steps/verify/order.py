"""Part of check 6 of `verify`: what one batch may not hold twice or in disorder, as far as its leaves are shown.

Without it a dishonest quorum could show one entry present and absent: absence rests on the order alone (SPEC §6).
"""

from itertools import pairwise

from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedEpoch
from hybrid_bridge.units import Digest, EpochNumber


def require_order(d: Decoded) -> None:
    """Leaves ascend within each epoch, entries and the neighbours of absent ones alike; no entry is in two epochs.

    Raises:
        FieldMismatch: they do not; `epoch/batch-unsorted`, `epoch/batch-duplicate-leaf`.
    """
    stands: dict[Digest, EpochNumber] = {}
    for epoch in d.epochs:
        _require_ascending(epoch)
        for entry in epoch.part.entries:
            at = stands.setdefault(leaf_hash(entry.entry), epoch.record.epoch)
            if at != epoch.record.epoch:
                raise FieldMismatch(
                    field="entry", expected=f"in epoch {at} alone", got=f"again in {epoch.record.epoch}"
                )


def _require_ascending(epoch: DecodedEpoch) -> None:
    leaves: dict[int, bytes] = {entry.index: leaf_hash(entry.entry) for entry in epoch.part.entries}
    for absence in epoch.part.absences:
        leaves |= {side.index: side.leaf for side in (absence.left, absence.right) if side is not None}
    for (index, leaf), (other, following) in pairwise(sorted(leaves.items())):
        if leaf >= following:
            got = f"{leaf.hex()} at {index}, {following.hex()} at {other}"
            raise FieldMismatch(field="batch.leaves", expected="strictly ascending", got=got)
