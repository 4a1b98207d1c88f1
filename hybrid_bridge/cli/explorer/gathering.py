"""What the explorer is made of, read: the contract at several endpoints, and the files that tell an outsider more."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from hybrid_bridge.cli.contract.histories import TileHistory, read_history
from hybrid_bridge.cli.explorer.facts import Facts
from hybrid_bridge.cli.keepers import Sight, decode_sets, report_of
from hybrid_bridge.cli.keeping import at_hand, openings_of, signed_under
from hybrid_bridge.cli.openings import Claimed, Openings
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.core.encoding import Reader, sha256
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tiles import WIDTH, tile_path
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.core.validators import parse_name
from hybrid_bridge.errors import FieldMismatch, Malformed
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Address, LeafIndex, LogId, PublicBlockNumber, TreeSize, UnixSeconds

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.history import History

MAX_ENTRY: Final = (1 << 16) - 1  # bytes; its length is a u16
MAX_BUNDLE: Final = WIDTH * (2 + MAX_ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to build from."""

    urls: Sequence[str]
    contract: Address | None
    log_id: LogId
    name_files: Sequence[Path]
    trust: Trust
    copies: Sequence[str]
    newest: int
    since: PublicBlockNumber


def gathered(wanted: Wanted) -> Facts:
    """Read and judged.

    Raises:
        Malformed, Refuted: a file that is none, or contradicts the contract.
        Undecided: endpoints do not agree, or do not have it.
        Rejected: the contract does not know the log.
    """
    from hybrid_bridge.adapters.evm.agreement import agreement_of  # noqa: PLC0415 web3 is dear; help must not pay
    from hybrid_bridge.adapters.evm.history import history_at  # noqa: PLC0415
    from hybrid_bridge.adapters.evm.keepers import kept_at  # noqa: PLC0415

    openings = openings_of(wanted.name_files, wanted.log_id)
    thresholds = {chain.chain_id: chain.threshold for chain in wanted.trust.public_chains}
    asked = agreement_of(wanted.urls, wanted.contract, thresholds)
    kept = kept_at(asked, wanted.log_id, newest=wanted.newest + 1, since=wanted.since)
    is_all = len(kept.anchors) <= wanted.newest
    kept = replace(kept, anchors=kept.anchors[-wanted.newest :])
    history = history_at(asked, kept, wanted.log_id, wanted.since)
    genesis = _genesis(kept.genesis, kept.origin, wanted.log_id)
    sets = decode_sets(genesis, kept.sets)
    _take_published(openings, history)
    with TemporaryDirectory() as fetched:
        folders = [Path(fetched) / str(number) for number in range(len(wanted.copies))]
        paths = [at_hand(copy, folder, entries=True) for copy, folder in zip(wanted.copies, folders, strict=True)]
        notes = tuple(signed for path in paths for signed in signed_under(path, genesis, sets, kept))
        closed = {size: at for path in paths for size, at in closed_in(path, kept.anchors).items()}
    sight = Sight(openings=openings, roots=wanted.trust.member_roots, notes=notes, now=kept.at.time)
    report = report_of(kept, genesis, sets, sight)
    return Facts(kept, history, genesis, sets, report, closed, is_all)


def _genesis(record: bytes, origin: str, log_id: LogId) -> Genesis:
    genesis = Genesis.decode(record)
    if genesis.log_id != log_id:
        raise FieldMismatch(field="log_id", expected=log_id.hex(), got=genesis.log_id.hex())
    if origin_hash(origin) != genesis.origin_hash:
        raise FieldMismatch(field="origin", expected=genesis.origin_hash.hex(), got=origin[:200])
    return genesis


def _take_published(openings: Openings, history: "History") -> None:
    """Names that somebody showed to the contract, which hashed them; one that is no name of ours opens nothing."""
    for one in history.of("ValidatorNamed"):
        _, address, text = one.values
        with suppress(Malformed, UnicodeDecodeError):
            legal_id, name = parse_name(text.decode("utf-8"))
            openings.claims.append(Claimed(bytes.fromhex(address[2:]), legal_id, name, sha256(text)))


# ── epochs of a copy ─────────────────────────────────────────────────────────────────────────────────────────────────


def closed_in(path: Path, anchors: Sequence[AnchoredEvent]) -> Mapping[TreeSize, UnixSeconds]:
    """When the last epoch of each anchored size was closed, of a copy of tiles that holds the epoch records.

    THE CALLER HAS CHECKED that the copy's roots are the anchored ones (`signed_under`). Copies of hashes alone tell
    nothing, and so do files.

    Raises:
        FieldMismatch: a record that is not the leaf at its place.
        Malformed: no record, or no tile of them.
    """
    history = read_history(path) if path.is_dir() else None
    return dict(_closed(path, history, anchors)) if isinstance(history, TileHistory) else {}


def _closed(
    path: Path, history: TileHistory, anchors: Sequence[AnchoredEvent]
) -> Iterator[tuple[TreeSize, UnixSeconds]]:
    bundles: dict[int, list[bytes]] = {}
    tree = history.tree
    for size in (event.tree_size for event in anchors if 2 <= event.tree_size <= tree.size):
        number, place = divmod(size - 1, WIDTH)
        if number not in bundles:
            bundles[number] = _bundle(path / tile_path("entries", number, min(WIDTH, tree.size - number * WIDTH)))
        if place >= len(bundles[number]):
            continue
        record = bundles[number][place]
        leaf = tree.leaf(LeafIndex(size - 1))
        if leaf_hash(record) != leaf:
            raise FieldMismatch(field=f"leaf {size - 1}", expected=leaf.hex(), got=leaf_hash(record).hex())
        yield size, EpochRecord.decode(record).closed_at


def _bundle(path: Path) -> list[bytes]:
    """The leaf data of one bundle, each after its length as u16 (C2SP tlog-tiles); none where there is no file."""
    if not path.is_file():
        return []
    data = read_bounded(path, MAX_BUNDLE)
    reader, found = Reader(data), list[bytes]()
    while reader.position < len(data):
        found.append(reader.opaque(2, "entry", MAX_ENTRY))
    return found
