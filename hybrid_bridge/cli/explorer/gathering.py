"""What the explorer is made of, read: the contract at several endpoints, and the files that tell an outsider more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from hybrid_bridge.adapters.evm.agreement import agreement_of
from hybrid_bridge.adapters.evm.history import NAMED, history_at
from hybrid_bridge.adapters.evm.keepers import Kept, kept_at
from hybrid_bridge.cli.explorer.epochs import told_by
from hybrid_bridge.cli.explorer.facts import Facts
from hybrid_bridge.cli.explorer.wholeness import require_whole
from hybrid_bridge.cli.keepers import Sight, decode_sets, report_of
from hybrid_bridge.cli.keeping import at_hand, openings_of, signed_under
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, FieldMismatch, Missing
from hybrid_bridge.units import Address, Digest, LogId, PublicBlockNumber, TreeSize

OF_A_COPY: Final = "of a log copy"


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


def gathered(wanted: Wanted, before: Facts | None = None) -> Facts:
    """Read and judged. What an earlier look, `before`, knows of final transactions is not asked again.

    Raises:
        Malformed, Refuted: a file that is none, or contradicts the contract.
        Undecided: endpoints do not agree, or do not have it.
        Rejected: the contract does not know the log.
    """
    openings = openings_of(wanted.name_files, wanted.log_id)
    asked = agreement_of(wanted.urls, wanted.contract, wanted.trust.thresholds)
    known = (None, None) if before is None else (before.kept.calldata, before.history)
    kept = kept_at(asked, wanted.log_id, newest=wanted.newest + 1, since=wanted.since, known=known[0])
    _require_newest(kept, wanted.log_id)
    is_all = len(kept.anchors) <= wanted.newest
    kept = replace(kept, anchors=kept.anchors[-wanted.newest :])
    history = history_at(asked, kept, wanted.log_id, wanted.since, known[1])
    nonce = asked.all_say("the brake", lambda chain: chain.brake(wanted.log_id, asked.at)).nonce
    successor = asked.all_say("the log's successor", lambda chain: chain.successor(wanted.log_id, asked.at))
    require_whole(kept, history, nonce, successor)
    genesis = _genesis(kept.genesis, kept.origin, wanted.log_id)
    sets = decode_sets(genesis, kept.sets)
    openings.take_published((bytes.fromhex(one.values[1][2:]), one.values[2]) for one in history.of(NAMED))
    with TemporaryDirectory() as fetched, _of_copies():
        folders = [Path(fetched) / f"copy {number}" for number, _ in enumerate(wanted.copies, start=1)]
        paths = [at_hand(copy, folder, entries=True) for copy, folder in zip(wanted.copies, folders, strict=True)]
        copies = {path: signed_under(path, genesis, sets, kept) for path in paths}
        told = told_by(copies)
    notes = tuple(signed for copied in copies.values() for signed in copied.signed)
    sight = Sight(openings=openings, roots=wanted.trust.member_roots, notes=notes, now=kept.at.time)
    report = report_of(kept, genesis, sets, sight)
    left_out = tuple(one for copied in copies.values() for one in copied.left_out)
    return Facts(kept, history, genesis, sets, report, told, left_out, bool(wanted.name_files), is_all)


@contextmanager
def _of_copies() -> Iterator[None]:
    """An error in here is a copy's, and says so: whoever builds anew goes on, for the copy may be mended."""
    try:
        yield
    except BridgeError as error:
        error.add_note(OF_A_COPY)
        raise


def _require_newest(kept: Kept, log_id: LogId) -> None:
    """The newest anchor made the head: a node that no longer keeps events must not look like a log without anchors.

    Raises:
        Missing: it did not.
    """
    made = [(TreeSize(1), Digest(log_id)), *((event.tree_size, event.root) for event in kept.anchors)][-1]
    if (kept.head.tree_size, kept.head.root) != made:
        raise Missing(what=f"the event that anchored size {kept.head.tree_size}, of endpoints that keep all events")


def _genesis(record: bytes, origin: str, log_id: LogId) -> Genesis:
    genesis = Genesis.decode(record)
    if genesis.log_id != log_id:
        raise FieldMismatch(field="log_id", expected=log_id.hex(), got=genesis.log_id.hex())
    if origin_hash(origin) != genesis.origin_hash:
        raise FieldMismatch(field="origin", expected=genesis.origin_hash.hex(), got=origin[:200])
    return genesis
