"""What a copy's own records say of epochs, once each is the leaf under an anchored root: when it closed, and brakes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.cli.contract.histories import TileHistory, read_history
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Reader
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import WIDTH, tile_path
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import EpochNumber, LeafIndex, TreeSize, UnixSeconds

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


def told_by(paths: Sequence[Path], anchored: TreeSize) -> Told:
    """Of these copies, up to the size that is anchored.

    THE CALLER HAS CHECKED that the copies' roots are the anchored ones (`signed_under`). A copy of hashes alone tells
    nothing, and so do files.

    Raises:
        FieldMismatch: a record that is not the leaf at its place.
        Malformed: no record, or no bundle of them.
    """
    records = [record for path in paths if path.is_dir() for record in _records(path, anchored)]
    return Told(
        {record.epoch: record.closed_at for record in records},
        frozenset(record.epoch for record in records if record.flags & BRAKE_ON),
    )


def _records(path: Path, anchored: TreeSize) -> Iterator[EpochRecord]:
    history = read_history(path)
    if not isinstance(history, TileHistory):
        return
    size = history.tree.size
    for start in range(0, size, WIDTH):
        bundle = path / tile_path("entries", start // WIDTH, min(WIDTH, size - start))
        for index, data in enumerate(_leaves(bundle), start):
            if not 1 <= index < min(size, anchored):  # leaf 0 is the genesis record
                continue
            leaf = history.tree.leaf(LeafIndex(index))
            if leaf_hash(data) != leaf:
                raise FieldMismatch(field=f"leaf {index}", expected=leaf.hex(), got=leaf_hash(data).hex())
            yield EpochRecord.decode(data)


def _leaves(path: Path) -> Iterator[bytes]:
    """The leaf data of one bundle, each after its length as u16 (C2SP tlog-tiles); none where there is no file."""
    if not path.is_file():
        return
    data = read_bounded(path, MAX_BUNDLE)
    reader = Reader(data)
    while reader.position < len(data):
        yield reader.opaque(2, "entry", MAX_ENTRY)
