"""What a member that takes a snapshot remembers across its deaths: one small file, written whole or not at all.

There from the moment the owner orders it (`node sync`) until others' signatures have shown that the ledger which was
taken is theirs too. `taken` says which half is done: zero while the ledger is empty, then the snapshot's height.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from hybrid_bridge.adapters.sqlite.file import sync_path, write_whole
from hybrid_bridge.core.encoding import Json, canonical_json, parse_canonical_json
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.errors import Malformed, StoreBroken
from hybrid_bridge.units import MAX_U64, Digest, Height

FILE: Final = "sync.json"
MAX_REJECTED: Final = 256  # the newest; whoever has so many lies to tell loops us slower than its peers tell the truth
MAX_BYTES: Final = 1 << 16
NOTHING: Final = Height(0)
UNPROVEN: Final = "others' signatures over the ledger that was taken from a snapshot"


@dataclass(frozen=True, slots=True)
class Mark:
    """How far it is."""

    taken: Height = NOTHING
    rejected: tuple[Digest, ...] = ()  # hashes of snapshots that were false

    def without(self, snapshot: Digest) -> Self:
        """That snapshot is never taken again."""
        return replace(self, rejected=(*self.rejected, snapshot)[-MAX_REJECTED:])


def read_mark(folder: Path) -> Mark | None:
    """What is remembered; None where nothing is taken.

    Raises:
        StoreBroken: a file that this code never wrote.
    """
    try:
        data = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _parsed(parse_canonical_json(data, "sync", MAX_BYTES))
    except Malformed:
        raise StoreBroken(store=FILE, rule="as `node sync` made it") from None


def taken_height(folder: Path) -> Height:
    """Of a snapshot whose ledger is in place and not proven yet; zero where there is none."""
    mark = read_mark(folder)
    return NOTHING if mark is None else mark.taken


def write_mark(folder: Path, mark: Mark) -> None:
    """Durable when it returns; dead before, the old one stands."""
    found: dict[str, Json] = {"rejected": [one.hex() for one in mark.rejected], "taken": mark.taken}
    write_whole(folder / FILE, canonical_json(found))


def remove_mark(folder: Path) -> None:
    """The member is one like the others. Again is no change."""
    (folder / FILE).unlink(missing_ok=True)
    sync_path(folder)


def _parsed(value: Json) -> Mark:
    if not isinstance(value, Mapping) or value.keys() != {"rejected", "taken"}:
        raise StoreBroken(store=FILE, rule="two entries")
    taken, rejected = value["taken"], value["rejected"]
    if not isinstance(taken, int) or isinstance(taken, bool) or not 0 <= taken <= MAX_U64:
        raise StoreBroken(store=FILE, rule="taken is a height")
    if not isinstance(rejected, list) or len(rejected) > MAX_REJECTED:
        raise StoreBroken(store=FILE, rule=f"at most {MAX_REJECTED} rejected snapshots")
    return Mark(Height(taken), tuple(_digest(one) for one in rejected))


def _digest(value: Json) -> Digest:
    try:
        return as_digest(bytes.fromhex(value if isinstance(value, str) else ""), "rejected")
    except (ValueError, Malformed):
        raise StoreBroken(store=FILE, rule="rejected snapshots by 64 hex digits") from None
