"""After a restore: how far the log has come, and what a validator's key has said since, as the others know it.

A store that is not the newest must not be signed with. So its floor is raised to the highest checkpoint that a quorum
has signed, and what others hold of our own key above that comes as rows: a validator that died between its signature
and the quorum goes on where it was, instead of halting over its own word (`hearing`).
Whoever answers is believed nothing: quorum, signatures and paths are verified here. A false answer is as good as none,
and as many must be true as before the first signature after a start (ADR 13), for one member alone may lag.
Source: RELAYER §5.4.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.adapters.sqlite.file import sync_folder
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.guard import Highest, History, Statement
from hybrid_bridge.core.proof import as_digest, verify_consistency
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.errors import (
    BridgeError,
    Broken,
    Equivocation,
    HeadConflict,
    KeyUnusable,
    Missing,
    Refuted,
    SignatureWrong,
    StoreBroken,
)
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, KeyId, TreeSize

MADE: Final = ".new"  # suffix of a store that is not in use yet


class LogPeer(Protocol):
    """A member's log, as `GrpcMember` asks it."""

    def newest_quorum_size(self) -> TreeSize:
        """Zero for none."""

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        """The note with its quorum."""

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        """From one size to another."""


class Peer(Protocol):
    """Another member, as `GrpcPeer` asks it."""

    @property
    def name(self) -> str:
        """The member's name."""

    @property
    def log(self) -> LogPeer:
        """Its log."""

    def signatures(self, address: Address, signer: KeyId) -> pb.SignaturesResponse:
        """The newest that it has seen signed by these keys."""


@dataclass(frozen=True, slots=True)
class Told:
    """What others know: the history that a guard may merge, who said so, and why the others do not count."""

    history: History
    answered: tuple[str, ...]
    silent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Network:
    """The other members, asked about one validator's key by somebody who trusts the directory alone."""

    directory: Directory
    name: str
    peers: Sequence[Peer]
    key: Address | None = None  # which of our attestation keys; by default the one of our card

    def told(self, ours: Highest, public: Highest | None = None) -> Told:
        """What the others know above `ours`.

        Args:
            ours: the guard's highest; the floor that is told extends it.
            public: the head that the public chain holds, if it was asked; the floor that is told extends that too.

        Raises:
            HeadConflict: the public chain holds another root than our guard, for one size.
            Missing: fewer than q − 1 other validators answered truly, or none knows what the public chain holds.
            Refuted: too few did, and one shows a history that contradicts ours, the public chain or itself.
            Equivocation: two quorums have signed two roots of one size, or our key has.
        """
        if public is not None and public.size == ours.size and public.root != ours.root:
            raise HeadConflict(size=ours.size, head=public.root, root=ours.root)
        floors: dict[str, Highest | None] = {}
        rows: list[Statement] = []
        errors: dict[str, BridgeError] = {}
        for peer in self.peers:
            try:
                own = [*self._own(peer)]
                floors[peer.name] = self._newest(peer, [ours] if public is None else [ours, public])
                rows += own
            except Broken:
                raise
            except BridgeError as error:
                errors[peer.name] = error
        self._require_enough(floors.keys(), errors)
        floor = _highest([found for found in floors.values() if found is not None], ours)
        if public is not None and floor.size < public.size:
            raise Missing(what=f"somebody who knows size {public.size}, which the public chain holds")
        silent = {name: str(error) for name, error in errors.items()}
        return Told(History(floor, self._ascending(rows)), tuple(floors), silent)

    @property
    def address(self) -> Address:
        """Of the attestation key.

        Raises:
            KeyUnusable: this member attests nothing.
        """
        address = self.key or self.directory.member(self.name).address
        if address is None:
            raise KeyUnusable(key="attestation", rule="a validator's")
        return Address(address)

    def _newest(self, peer: Peer, known: Sequence[Highest]) -> Highest | None:
        """The newest checkpoint for which this member can show a quorum; it extends all that is known."""
        if peer.log.newest_quorum_size() == 0:
            return None
        note = parse_note(peer.log.checkpoint(TreeSize(0)).note, origin=self.directory.origin)
        self.directory.require_quorum(note)
        for older in known:
            if older.size <= note.size:  # one that lags behind the public chain is no liar, and raises less
                path = peer.log.consistency_path(older.size, note.size)
                verify_consistency(older.size, note.size, path, older.root, note.root)
        return Highest(note.size, note.root)

    def _own(self, peer: Peer) -> Iterable[Statement]:
        """What this member has seen signed by our key."""
        answer = peer.signatures(self.address, self.directory.identities[self.name].key_id)
        for seen in answer.newest:
            size, root = TreeSize(seen.size), as_digest(seen.root, "root")
            digest = self.directory.checkpoint(size, root).digest()
            if recover_address(digest, require_signature(seen.signature)) != self.address:
                raise SignatureWrong(signer=f"0x{self.address.hex()}")
            yield Statement(size, root, digest)

    def _ascending(self, rows: Iterable[Statement]) -> tuple[Statement, ...]:
        """Each size once."""
        found: dict[TreeSize, Statement] = {}
        for row in rows:
            if (first := found.setdefault(row.size, row)) != row:
                signer = f"0x{self.address.hex()}"
                raise Equivocation(signer=signer, number=row.size, first=first.root, second=row.root)
        return tuple(found[size] for size in sorted(found))

    def _require_enough(self, answered: Iterable[str], errors: Mapping[str, BridgeError]) -> None:
        validators = self.directory.roll.terms[-1].validators  # as far as our ledger goes
        needed = validators.quorum - 1
        got = len(self.directory.names_of(validators).intersection(answered))
        if got >= needed:
            return
        refuted = [error for error in errors.values() if isinstance(error, Refuted)]
        error = refuted[0] if refuted else Missing(what=f"true answers of {needed} other validators, {got} gave one")
        for name, why in errors.items():
            error.add_note(f"{name}: {why}")
        raise error


def _highest(floors: Sequence[Highest], ours: Highest) -> Highest:
    roots: dict[TreeSize, Digest] = {}
    for floor in floors:
        if (first := roots.setdefault(floor.size, floor.root)) != floor.root:
            raise Equivocation(signer="a quorum", number=floor.size, first=first, second=floor.root)
    return max([ours, *floors], key=lambda floor: floor.size)


def make_guard(path: Path, directory: Directory, address: Address, known: History) -> History:
    """A guard where there is none, with all that is known: made beside its place and moved there, whole or not at all.

    Raises:
        StoreBroken: there is one.
        Equivocation: what is known contradicts itself, or the log.
    """
    if path.exists():
        raise StoreBroken(store="guard", rule="made once, never over another")
    made = path.with_suffix(MADE)
    log = made.with_name(f"{made.name}-wal")
    for left in (made, log, made.with_name(f"{made.name}-shm")):
        left.unlink(missing_ok=True)  # of a process that died here: nobody has signed with it
    guard = SqlGuard(made)
    try:
        guard.create(directory.log_id, address)
        added = guard.absorb(address, known)
    finally:
        guard.close()
    if log.exists():  # SQLite writes its log into the file as the last connection closes
        raise StoreBroken(store="guard", rule="a file without a log beside it")
    made.rename(path)
    # Durable: the guard stands, and knows. Dead before? There is none, and no node starts.
    sync_folder(path.parent)
    return added
