"""What a copy's own records say of epochs, once each is the leaf under an anchored root: when it closed, and brakes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.cli.keeping import Copied
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Reader
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import WIDTH, tile_path
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import EpochNumber, LeafIndex, UnixSeconds

MAX_ENTRY: Final = (1 << 16) - 1  # bytes; its length is a u16
MAX_BUNDLE: Final = WIDTH * (2 + MAX_ENTRY)


@dataclass(frozen=True, slots=True)
class Told:
    """Of the epochs whose records were shown and proven."""

    closed: Mapping[EpochNumber, UnixSeconds]  # by the ledger's clock
    braked: frozenset[EpochNumber]  # with the brake on

    @property
    def brakes(self) -> list[tuple[EpochNumber, EpochNumber]]:
        """First and last epoch of each stretch with the brake on. An epoch that nobody showed parts two of them."""
        found: list[tuple[EpochNumber, EpochNumber]] = []
        for epoch in sorted(self.braked):
            if found and found[-1][1] == epoch - 1:
                found[-1] = found[-1][0], epoch
            else:
                found.append((epoch, epoch))
        return found


def told_by(copies: Mapping[Path, Copied]) -> Told:
    """Of these copies, each up to the size that an anchor proves: what lies beyond it, whoever made the copy made up.

    A copy of hashes alone tells nothing, and so do files.

    Raises:
        FieldMismatch: a record that is not the leaf at its place, or of another epoch.
        Malformed: no record, or no bundle of them.
    """
    records = [record for path, copied in copies.items() for record in _records(path, copied)]
    return Told(
        {record.epoch: record.closed_at for record in records},
        frozenset(record.epoch for record in records if record.flags & BRAKE_ON),
    )


def _records(path: Path, copied: Copied) -> Iterator[EpochRecord]:
    if copied.tree is None:
        return
    size = copied.tree.size
    for start in range(0, copied.proven, WIDTH):
        bundle = path / tile_path("entries", start // WIDTH, min(WIDTH, size - start))
        for index, data in enumerate(_leaves(bundle), start):
            if not 1 <= index < copied.proven:  # leaf 0 is the genesis record
                continue
            leaf = copied.tree.leaf(LeafIndex(index))
            if leaf_hash(data) != leaf:
                raise FieldMismatch(field=f"leaf {index}", expected=leaf.hex(), got=leaf_hash(data).hex())
            record = EpochRecord.decode(data)
            if record.epoch != index:  # SPEC §7.2
                raise FieldMismatch(field=f"epoch of leaf {index}", expected=str(index), got=str(record.epoch))
            yield record


def _leaves(path: Path) -> Iterator[bytes]:
    """The leaf data of one bundle, each after its length as u16 (C2SP tlog-tiles); none where there is no file."""
    if not path.is_file():
        return
    data = read_bounded(path, MAX_BUNDLE)
    reader = Reader(data)
    while reader.position < len(data):
        yield reader.opaque(2, "entry", MAX_ENTRY)
