"""Where a new member's engine begins to believe: the last block of an epoch, under a checkpoint that a quorum signed.

The engine's light client wants a height and a hash from somewhere else. An epoch record has both, and any member may
bring it: everything is verified here, from the genesis record on. Which sets followed the first one is shown by a
bundle of the checkpoint: each SetUpdate under a note of the set before it (SPEC §12 step 7, ADR 45).
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final, Protocol

from hybrid_bridge.adapters.cometbft.state_sync import CONFIG, LEAST_SERVERS, with_state_sync
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.core.checkpoint import Note, parse_note
from hybrid_bridge.core.epoch import EpochRecord, verify_epoch
from hybrid_bridge.core.proof import verify_inclusion
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.errors import (
    BridgeError,
    Broken,
    FieldMismatch,
    Missing,
    SettingsMalformed,
    StoreBroken,
)
from hybrid_bridge.node.directory import Directory, read_directory
from hybrid_bridge.node.making import newest_height
from hybrid_bridge.node.opening import client_tls
from hybrid_bridge.node.settings import ENGINE_HOME, NodeSettings, require_endpoint
from hybrid_bridge.node.syncing import NOTHING, Mark, read_mark, write_mark
from hybrid_bridge.node.walking import LogPeer, knowing_sets, require_one_history
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Digest, EpochNumber, Height, LeafIndex, Seconds, TreeSize, UnixSeconds

LOOKED: Final = 100  # epochs back; where so many in a row have no block, nothing is decided
TRUSTED_FOR: Final = Seconds(7 * 86_400)  # the engine's light client believes nothing older


class Peer(Protocol):
    """Another member, as `GrpcPeer` asks it."""

    @property
    def name(self) -> str:
        """The member's name."""

    @property
    def log(self) -> LogPeer:
        """Its log."""

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        """A bundle of one checkpoint."""

    def epochs(self, first: EpochNumber, last: EpochNumber) -> Iterator[pb.EpochMessage]:
        """Closed epochs."""


@dataclass(frozen=True, slots=True)
class TrustedBlock:
    """A block of the engine that a quorum of ours has signed."""

    height: Height
    hash: Digest  # what the engine calls it
    size: TreeSize  # of the checkpoint
    told_by: str


def trusted_block(directory: Directory, peers: Sequence[Peer], now: UnixSeconds) -> TrustedBlock:
    """The newest that any of these can show.

    Raises:
        Missing: none can show one, or it is older than the engine's light client believes; why, in the notes.
        Equivocation: two members show two successors of one set: its quorum has signed both, and nobody is believed.
    """
    found: list[TrustedBlock] = []
    rolls: list[Roll] = []
    error = Missing(what="a checkpoint with a quorum, no older than a week, from any other member")
    for peer in peers:
        try:
            newest = peer.log.newest_quorum_size()
            known = knowing_sets(directory, peer, newest, now)
            rolls.append(known.roll)
            found.append(_shown(known, peer, newest, now))
        except Broken:
            raise
        except BridgeError as why:
            error.add_note(f"{peer.name}: {why}")
    require_one_history(rolls)
    if not found:
        raise error
    return max(found, key=lambda one: one.height)


def _shown(directory: Directory, peer: Peer, newest: TreeSize, now: UnixSeconds) -> TrustedBlock:
    for number in range(newest, max(newest - LOOKED, 1), -1):
        record = _record(directory, peer, TreeSize(number))
        if record.closed_at < now - TRUSTED_FOR:
            break
        if record.end_block > record.first_block:
            return TrustedBlock(Height(record.end_block - 1), record.last_block_hash, TreeSize(number), peer.name)
    raise Missing(what="an epoch with a block")


def _record(directory: Directory, peer: Peer, size: TreeSize) -> EpochRecord:
    """The last record under the checkpoint of this size: (1) quorum (2) place (3) log and clock."""
    note = _note(directory, peer, size)
    directory.require_quorum(note)
    epoch = EpochNumber(size - 1)
    message = next(iter(peer.epochs(epoch, epoch)), None)
    if message is None:
        raise Missing(what=f"epoch {epoch}")
    record = EpochRecord.decode(message.record)
    path = _last_leaf_path(directory, peer, size)
    verify_inclusion(record.leaf, LeafIndex(epoch), size, path, note.root)
    verify_epoch(directory.genesis, LeafIndex(epoch), record)
    return record


def _note(directory: Directory, peer: Peer, size: TreeSize) -> Note:
    note = parse_note(peer.log.checkpoint(size).note, origin=directory.origin)
    if note.size != size:
        raise FieldMismatch(field="size", expected=str(size), got=str(note.size))
    return note


def _last_leaf_path(directory: Directory, peer: Peer, size: TreeSize) -> list[Digest]:
    """The inclusion path of the last leaf, out of the consistency path to it, which has the same nodes and the leaf.

    Believed by nobody: it leads to the root or not. Source: RFC 6962 §2.1.2.
    """
    before = TreeSize(size - 1)
    if before & (before - 1) == 0:  # a tree of 2^k leaves: its root is the only node beside the leaf
        return [Digest(directory.log_id) if before == 1 else _note(directory, peer, before).root]
    path = list(peer.log.consistency_path(before, size))
    return path[:1] + path[2:]


def order_sync(settings: NodeSettings, servers: Sequence[str], now: UnixSeconds) -> TrustedBlock:
    """Have this member take a snapshot at its next start.

    Args:
        settings: of the member.
        servers: host:port of other engines' RPC.
        now: the time.

    Raises:
        SettingsMalformed: no engine, or no two addresses.
        StoreBroken: the ledger has a block.
        StoreInUse: another program has it.
        Missing: as `trusted_block`.
    """
    directory, home = read_directory(settings.folder), settings.path(ENGINE_HOME)
    for server in servers:
        require_endpoint(server, "--rpc")
    if directory.engine is None or len(set(servers)) < LEAST_SERVERS:
        raise SettingsMalformed(key="--rpc", rule="two other engines at least, of a consortium that engines order")
    if settings.database:
        raise SettingsMalformed(key="database", rule="left out until the snapshot is taken: `node move` comes after it")
    if newest_height(settings, directory) is not None:
        raise StoreBroken(store="ledger", rule="empty before a snapshot is taken")
    tls, others = client_tls(settings), [m for m in directory.members if m.name != settings.name]
    with ExitStack() as stack:
        peers = [stack.enter_context(GrpcPeer.at(m.name, m.endpoint, tls)) for m in others]
        trusted = trusted_block(directory, peers, now)
    config = home / CONFIG
    text = with_state_sync(config.read_text("utf-8"), servers, trusted.height, trusted.hash, TRUSTED_FOR)
    config.write_text(text, "utf-8")
    write_mark(settings.folder, replace(read_mark(settings.folder) or Mark(), taken=NOTHING))
    # Durable: the next start takes a snapshot. Dead before? No mark: the engine takes none and says so; order it again.
    return trusted
