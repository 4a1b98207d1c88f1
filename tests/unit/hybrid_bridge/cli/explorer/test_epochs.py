"""Stretches of epochs with the brake on."""

import hashlib
from pathlib import Path

import pytest

from hybrid_bridge.cli.explorer.epochs import Told, told_by
from hybrid_bridge.cli.keeping import Copied
from hybrid_bridge.core.epoch import BRAKE_ON, EpochRecord
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import entry_bundles
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import TreeSize


@pytest.mark.parametrize(
    ("braked", "found"),
    [
        ([], []),
        ([3], [(3, 3)]),
        ([5, 3, 4], [(3, 5)]),
        ([1, 2, 4, 9, 10], [(1, 2), (4, 4), (9, 10)]),
    ],
)
def test_epochs_that_follow_one_another_are_one_stretch(braked: list[int], found: list[tuple[int, int]]) -> None:
    assert Told({}, frozenset(braked)).brakes == found  # type: ignore[arg-type]


def copied(folder: Path, proven: int, *epochs: int) -> dict[Path, Copied]:
    """A copy whose leaves from 1 on are records of these epochs, all with the brake on."""
    of, tree = hashlib.sha256(b"log").digest(), Tree()
    records = [b"genesis", *(record(epoch, of) for epoch in epochs)]
    tree.extend([leaf_hash(one) for one in records])
    for path, data in entry_bundles(records):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return {folder: Copied(signed=(), left_out=(), tree=tree, proven=TreeSize(proven))}


def record(epoch: int, of: bytes) -> bytes:
    hashes = ("last_block_hash", "batch_root", "registry_root", "governance_root", "stats_commitment", "blind")
    numbers = {"first_block": epoch, "end_block": epoch + 1, "batch_size": 8, "governance_size": 1, "set_id": 1}
    whole = {**dict.fromkeys(hashes, of), **numbers, "log_id": of, "set_hash": of, "closed_at": 1000 + epoch}
    return EpochRecord(epoch=epoch, flags=BRAKE_ON, **whole).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(("proven", "told"), [(0, []), (1, []), (2, [1]), (4, [1, 2, 3]), (5, [1, 2, 3, 4])])
def test_a_record_beyond_the_largest_anchored_size_tells_nothing(tmp_path: Path, proven: int, told: list[int]) -> None:
    found = told_by(copied(tmp_path, proven, 1, 2, 3, 4))
    assert (sorted(found.closed), sorted(found.braked)) == (told, told)


def test_a_record_of_another_epoch_than_its_place_is_refuted(tmp_path: Path) -> None:
    with pytest.raises(FieldMismatch) as caught:
        told_by(copied(tmp_path, 4, 1, 3, 2))
    assert (caught.value.field, caught.value.got) == ("epoch of leaf 2", "3")
