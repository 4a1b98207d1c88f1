"""Files that tell an outsider more of a log's keepers than its contract does: names, certificates, copies of the log.

Nothing in them is believed for being there: names must hash, copies must have the roots that were anchored.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hybrid_bridge.cli.keepers import SignedSize
from hybrid_bridge.cli.openings import Openings
from hybrid_bridge.cli.verify import bundle_and_package
from hybrid_bridge.core.attestation import checkpoint_of
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import Note, parse_note, quorum_name, quorum_signatures
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.core.tiles import CHECKPOINT, WIDTH, tile_path
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Missing, RootMismatch, TooLong
from hybrid_bridge.units import LogId, SetId, TreeSize

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.keepers import Kept

OK: Final = 200
FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
NAMES: Final = (
    "A bundle, or the consortium's members.json: names and certificates, each checked against its hash; repeatable."
)
COPY: Final = (
    "A copy of the log: a folder or URL of tiles, a bundle or a note; its roots must be the anchored ones; repeatable."
)
LATER: Final = "not judged yet: signed by a set that is not final"
UNSIGNED: Final = "signed by nobody of the set"
LINE: Final = 8 + 8 + 65  # bytes of a member's line: the boundary, the set, the signature (SPEC §8.3)
MAX_FETCHED: Final = 1 << 20  # leaves: twenty years of epochs of ten minutes


def openings_of(paths: Sequence[Path], log_id: LogId) -> Openings:
    """Names and certificates out of files.

    Raises:
        Malformed, FieldMismatch: a file that is none, or of another log.
    """
    from hybrid_bridge.node.directory import FORMAT, parse_members  # noqa: PLC0415 PKI is dear; help must not pay

    openings = Openings()
    for path in paths:
        data, _ = bundle_and_package(path)
        if f'"format":"{FORMAT}"'.encode() in data[:1024]:
            openings.take_directory(parse_members(data))
        else:
            openings.take_bundle(decode_bundle(data), log_id)
    return openings


def at_hand(copy: str, folder: Path, *, entries: bool = False) -> Path:
    """A path as it is; of a URL the checkpoint and the leaves' hash tiles, fetched; `entries`: the leaves, if served.

    Raises:
        Missing: nothing is there.
        TooLong: more leaves than a log has.
        Unreachable, Malformed: see `Service`.
    """
    if not copy.startswith(("http://", "https://")):
        if not Path(copy).exists():
            raise Missing(what=f"a file, a folder or a URL at {copy[:200]}")
        return Path(copy)
    from hybrid_bridge.adapters.web.exchange import Service  # noqa: PLC0415 HTTP only when asked for

    service = Service("the copy of the log", copy)

    def fetched(name: str) -> bytes:
        answer = service.get(f"/{name}")
        if answer.status != OK:
            raise Missing(what=f"{name} at the copy of the log (HTTP {answer.status})")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(answer.body)
        return answer.body

    size = parse_note(fetched(CHECKPOINT)).size
    if size > MAX_FETCHED:
        raise TooLong(field="size of the copy", limit=MAX_FETCHED, got=size)
    for start in range(0, size, WIDTH):
        place = start // WIDTH, min(WIDTH, size - start)
        fetched(tile_path(0, *place))
        if entries:
            with suppress(Missing):  # most copies for outsiders are hashes alone
                fetched(tile_path("entries", *place))
    return folder


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A checkpoint of a copy of which nothing is said: its size is the copy's own word."""

    size: TreeSize
    source: str  # the file
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What one copy of the log shows, once it is of the log that was anchored."""

    left_out: tuple[LeftOut, ...]
    signed: tuple[SignedSize, ...]  # whose signatures stand under its checkpoints
    tree: Tree | None  # of a folder of tiles
    proven: TreeSize  # the largest anchored size whose root is the tree's, or 0: no leaf beyond it is proven


def signed_under(path: Path, genesis: Genesis, sets: Sequence[ValidatorSet], kept: "Kept") -> Copied:
    """A copy, compared with every anchor that was read.

    Raises:
        RootMismatch: it has another root than was anchored.
        Malformed, Refuted, Missing: it is no copy, or not whole; a checkpoint's line is wrong.
    """
    from hybrid_bridge.cli.histories import read_notes, read_tree  # noqa: PLC0415 the rest is dear

    tree = read_tree(path) if path.is_dir() else None
    notes = read_notes(path if tree is None else path / CHECKPOINT)
    proven = TreeSize(0)
    for event in (event for event in kept.anchors if tree is not None and event.tree_size <= tree.size):
        _require_root(event.root, tree.root(event.tree_size))  # type: ignore[union-attr]  # asked above
        proven = max(proven, event.tree_size)
    for note in notes:
        for event in (event for event in kept.anchors if event.tree_size == note.size):
            _require_root(event.root, note.root)
    later = [note for note in notes if _states_later_set(note, SetId(len(sets)))]
    judged = [_signed(note, genesis, sets, kept, path.name) for note in notes if note not in later]
    left_out = [LeftOut(note.size, path.name, LATER) for note in later]
    left_out += [LeftOut(one.size, path.name, UNSIGNED) for one in judged if not one.signers]
    signed = tuple(one for one in judged if one.signers)
    return Copied(signed=signed, left_out=tuple(left_out), tree=tree, proven=proven)


def _states_later_set(note: Note, newest: SetId) -> bool:
    """Whether a member's line is of a set whose event is not final yet. Set and members are unknown then."""
    prefix = f"{note.origin}/v/"
    lines = [line.signature for line in note.lines if line.name.startswith(prefix) and len(line.signature) == LINE]
    return any(int.from_bytes(signature[8:16], "big") > newest for signature in lines)


def _require_root(anchored: bytes, shown: bytes) -> None:
    if anchored != shown:
        raise RootMismatch(expected=anchored, calculated=shown)  # type: ignore[arg-type]  # both of 32 bytes


def _signed(note: Note, genesis: Genesis, sets: Sequence[ValidatorSet], kept: "Kept", source: str) -> SignedSize:
    """Every quorum line that verifies; the set is the one responsible by size."""
    responsible = [s for s, event in zip(sets, kept.sets, strict=True) if event.from_size <= note.size]
    if not responsible:
        raise Missing(what=f"a validator set responsible for size {note.size}")
    validators = responsible[-1]
    checkpoint = checkpoint_of(genesis, validators, note.size, note.root)
    signatures = quorum_signatures(note, validators, genesis.log_id, checkpoint.timestamp)
    ours = {note.origin, *(quorum_name(note.origin, address) for address in validators.addresses)}
    signers = {recover_address(checkpoint.digest(), signature) for signature in signatures}
    return SignedSize(
        size=note.size,
        at=checkpoint.timestamp,
        set_id=validators.set_id,
        source=source,
        signers=tuple(address for address in validators.addresses if address in signers),
        is_whole=len(signers) >= validators.quorum,
        cosigned=tuple(dict.fromkeys(line.name for line in note.lines if line.name not in ours)),
    )
