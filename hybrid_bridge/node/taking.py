"""A new member takes a snapshot from its peers' engines: this answers its own engine until the ledger stands.

The engine offers what peers have; its light client says which application hash the height must have. A chunk that is
not the one the snapshot names is asked for again and its sender believed no more; a snapshot whose blocks are not what
follows from them is remembered and never taken again. When the engine decides the block after the snapshot, its own
stores hold all it needs: the ledger is put in place, the engine ends, and both go on as any other member does.
Source: CometBFT v0.38, spec/abci/abci++_methods.md, statesync.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.cometbft.abci import AbciServer
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.snapshot import FORMAT, Chunk, Snapshot, chunk_hash
from hybrid_bridge.errors import BridgeError, Broken, FieldMalformed, FieldMismatch, NotYet, SettingsMalformed
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.engine import NOT_NOW, Doorkeeper, info_of
from hybrid_bridge.node.making import Making, newest_height
from hybrid_bridge.node.proposals import ProposalStore
from hybrid_bridge.node.settings import ENGINE_HOME, ENGINE_SOCKET, NodeSettings
from hybrid_bridge.node.syncing import Mark, read_mark, write_mark
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.units import Digest

_Chunk: Final = pb.ResponseApplySnapshotChunk
_Offer: Final = pb.ResponseOfferSnapshot

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Taking:
    """A snapshot that is being taken, and how many of its chunks are here."""

    snapshot: Snapshot
    app_hash: Digest  # of its height, as the engine's light client found it
    taken: int = 0

    @property
    def is_whole(self) -> bool:
        """Every chunk is here."""
        return self.taken == len(self.snapshot.chunks)


class Taker:
    """Answers the engine while there is no ledger. One question at a time."""

    def __init__(self, settings: NodeSettings, directory: Directory, making: Making) -> None:
        self._folder, self._log_id, self._making = settings.folder, directory.log_id, making
        self._doorkeeper = Doorkeeper(directory)
        self._mark = read_mark(settings.folder) or Mark()
        self._taking: _Taking | None = None
        self.is_placed = False

    # ── snapshots ────────────────────────────────────────────────────────────────────────────────────────────────────

    def offer_snapshot(self, request: pb.RequestOfferSnapshot) -> pb.ResponseOfferSnapshot:
        """Take it, if it is one; whatever was taken before is thrown away."""
        offer = request.snapshot
        if offer.format != FORMAT:
            return _Offer(result=_Offer.REJECT_FORMAT)
        try:
            snapshot = Snapshot.offered(self._log_id, offer.height, offer.chunks, offer.hash, offer.metadata)
            app_hash = as_digest(request.app_hash, "app_hash")
        except BridgeError as error:
            _log.warning("snapshot of block %d refused: %s", offer.height, error)
            return _Offer(result=_Offer.REJECT_SENDER)
        if snapshot.hash in self._mark.rejected:
            return _Offer(result=_Offer.REJECT_SENDER)
        self._making.begin()
        self._taking = _Taking(snapshot, app_hash)
        _log.info("taking the snapshot of block %d: %d chunks", snapshot.height, len(snapshot.chunks))
        return _Offer(result=_Offer.ACCEPT)

    def apply_snapshot_chunk(self, request: pb.RequestApplySnapshotChunk) -> pb.ResponseApplySnapshotChunk:
        """Execute its blocks, if it is the next chunk of the snapshot."""
        taking = self._taking
        if taking is None or request.index != taking.taken or taking.is_whole:  # the engine asks in order
            return _Chunk(result=_Chunk.ABORT)
        if chunk_hash(request.chunk) != taking.snapshot.chunks[taking.taken]:
            _log.warning("chunk %d by %s is not the snapshot's", request.index, request.sender[:64])
            again = [request.index]
            return _Chunk(result=_Chunk.RETRY, refetch_chunks=again, reject_senders=[request.sender])
        try:
            self._taking = self._applied(taking, request.chunk)
        except Broken:
            raise
        except BridgeError as error:
            _log.error("snapshot of block %d is false: %s", taking.snapshot.height, error)
            self._reject(taking.snapshot)
            return _Chunk(result=_Chunk.REJECT_SNAPSHOT, reject_senders=[request.sender])
        return _Chunk(result=_Chunk.ACCEPT)

    def _applied(self, taking: _Taking, data: bytes) -> _Taking:
        """(1) decode (2) every chunk but the last is full (3) execute (4) after the last: height, application hash."""
        chunk, snapshot = Chunk.decode(data), taking.snapshot
        taken = _Taking(snapshot, taking.app_hash, taking.taken + 1)
        if not (taken.is_whole or chunk.is_full):
            raise FieldMalformed(field="chunk", rule="full, unless it is the last")
        decided = self._making.take(chunk)
        if taken.is_whole and decided is not None:
            if decided.height != snapshot.height:
                raise FieldMismatch(field="height", expected=str(snapshot.height), got=str(decided.height))
            if decided.app_hash != taking.app_hash:
                raise FieldMismatch(field="app_hash", expected=taking.app_hash.hex(), got=decided.app_hash.hex())
        return taken

    def _reject(self, snapshot: Snapshot) -> None:
        self._taking = None
        self._mark = self._mark.without(snapshot.hash)
        write_mark(self._folder, self._mark)  # Durable: nobody loops us with it. Dead before? Taken and found again.
        self._making.discard()

    def info(self, _: pb.RequestInfo) -> pb.ResponseInfo:
        """The snapshot's height once it is whole; until then nothing."""
        is_whole = self._taking is not None and self._taking.is_whole
        return info_of(self._making.newest if is_whole else None)

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """The engine goes on from the snapshot: put the ledger in place, and end this conversation.

        Raises:
            NotYet: always; the engine asks the node again, over the ledger in place.
        """
        newest = self._making.newest
        if self._taking is None or not self._taking.is_whole or newest is None or request.height != newest.height + 1:
            raise NotYet(what="a snapshot, before any block")
        self._making.place()
        write_mark(self._folder, Mark(newest.height))
        # Durable: it stands, unproven. Dead before? `awaits_snapshot` finds a ledger that is not empty and says so.
        self.is_placed = True
        raise NotYet(what="the node, over the ledger in place")

    # ── what only a member with a ledger can answer ──────────────────────────────────────────────────────────────────

    def init_chain(self, _: pb.RequestInitChain) -> pb.ResponseInitChain:
        """The engine would begin with the first block.

        Raises:
            SettingsMalformed: it was not told to take a snapshot.
        """
        raise SettingsMalformed(key="statesync", rule="enabled in the engine's config.toml: order `node sync` again")

    def commit(self, _: pb.RequestCommit) -> pb.ResponseCommit:
        """Nothing is decided here.

        Raises:
            NotYet: always.
        """
        raise NotYet(what="a snapshot, before any block")

    def process_proposal(self, _: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """We cannot judge, so our vote is for none; the block after a snapshot was decided without us."""
        return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.REJECT)

    def prepare_proposal(self, _: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        """Nothing is proposed."""
        return pb.ResponsePrepareProposal()

    def check_tx(self, _: pb.RequestCheckTx) -> pb.ResponseCheckTx:
        """Nothing waits here."""
        return pb.ResponseCheckTx(code=NOT_NOW)

    def query(self, request: pb.RequestQuery) -> pb.ResponseQuery:
        """Whom the engine lets in: the founders' first engines, and those on the cards that lie here (`letting_in`)."""
        return self._doorkeeper.answer(request)

    def list_snapshots(self, _: pb.RequestListSnapshots) -> pb.ResponseListSnapshots:
        """None."""
        return pb.ResponseListSnapshots()

    def load_snapshot_chunk(self, _: pb.RequestLoadSnapshotChunk) -> pb.ResponseLoadSnapshotChunk:
        """None."""
        return pb.ResponseLoadSnapshotChunk()


def letting_in(directory: Directory, folder: Path) -> Directory:
    """The directory with everybody whose card lies in the folder's proposals, as those that are expected.

    Which of them the ledger names is not known before it is here. Nobody gets in whose certificate our authorities have
    not issued; what a peer sends is believed by its hashes, and the ledger judges again once it is in place.
    """
    roots, members = (folder / "ca.pem").read_bytes(), []
    for card in (card for proposal in ProposalStore(folder).all() for card in proposal.cards):
        try:
            card.identity(roots, directory.genesis)
        except BridgeError as error:
            _log.info("a card of %s counts for nothing: %s", card.member.name, type(error).__name__)
        else:
            members.append(card.member)
    return replace(directory, expected=tuple(members))


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


def awaits_snapshot(settings: NodeSettings, directory: Directory) -> bool:
    """Whether a snapshot is to be taken before this member does anything else.

    Where a process died with the ledger in place and nothing that said so, now it is said.
    """
    mark = read_mark(settings.folder)
    if mark is None or mark.taken:
        return False
    stands = newest_height(settings, directory)
    if stands is None:
        return True
    write_mark(settings.folder, Mark(stands))
    return False


def take_snapshot(settings: NodeSettings, stops: list[Callable[[], object]]) -> bool:
    """Answer the engine until the ledger is in place; at once if no snapshot is awaited. False: it was stopped before.

    Args:
        settings: of the member.
        stops: what somebody calls who ends the process; the way to end this is added.

    Raises:
        BridgeError: the engine's question could not be answered; both are started again.
    """
    directory = read_directory(settings.folder)
    if not awaits_snapshot(settings, directory):
        return True
    over, failed = threading.Event(), list[Exception]()
    stops.append(over.set)
    making = Making(settings, directory)
    taker = Taker(settings, letting_in(directory, settings.folder), making)

    def ended(error: Exception) -> None:
        if not taker.is_placed:
            failed.append(error)
        over.set()

    server = AbciServer(settings.path(ENGINE_HOME) / ENGINE_SOCKET, taker, ended)
    server.start()
    _log.info("%s has no ledger yet and takes a snapshot", settings.name)
    while not over.wait(1.0):
        pass  # a signal that the system gave to another thread is handled when this one wakes by itself
    server.stop()
    making.close()
    if failed:
        raise failed[0]
    return taker.is_placed
