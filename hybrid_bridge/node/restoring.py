"""After a restore: how far the log has come, and what a validator's key has said since, as the others know it.

A store that is not the newest must not be signed with. So its floor is raised to the highest checkpoint that a quorum
has signed, and what others hold of our own key above that comes as rows: a validator that died between its signature
and the quorum goes on where it was, instead of halting over its own word (`hearing`).
Whoever answers is believed nothing: quorum, signatures and paths are verified here. A false answer is as good as none,
and as many must be true as before the first signature after a start (ADR 13), for one member alone may lag.
If the validators changed since, our own ledger does not know by whose signatures to judge, nor who lags because he has
left: the sets are walked as a newcomer walks them, and those of the newest one are asked and counted (ADR 45, 58).
Source: RELAYER §5.4.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from hybrid_bridge.adapters.sqlite.file import sync_path
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.guard import Highest, History, Statement
from hybrid_bridge.core.proof import as_digest, verify_consistency
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.core.validators import ValidatorSet
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
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.directory import Directory, Member, member_entry
from hybrid_bridge.node.proposals import parse_proposal
from hybrid_bridge.node.walking import LogPeer, knowing_sets, require_one_history
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, KeyId, TreeSize, UnixSeconds

MADE: Final = ".new"  # suffix of a store that is not in use yet


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

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        """A bundle of one checkpoint."""

    def proposal(self, leaf: Digest) -> bytes:
        """The proposal with this governance record."""


@dataclass(frozen=True, slots=True)
class Told:
    """What others know: the history that a guard may merge, who said so, and why the others do not count."""

    history: History
    answered: tuple[str, ...]
    silent: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one member answered truly, and which sets it took to see that."""

    floor: Highest | None
    rows: tuple[Statement, ...]
    roll: Roll


@dataclass(frozen=True, slots=True)
class Network:
    """The other members, asked about one validator's key by somebody who trusts the directory alone."""

    directory: Directory
    name: str
    peers: Sequence[Peer]
    now: UnixSeconds
    key: Address | None = None  # which of our attestation keys; by default the one of our card
    meet: Callable[[Card], Peer] | None = None  # a validator that our ledger does not know yet; raises BridgeError

    def told(self, ours: Highest, public: Highest | None = None) -> Told:
        """What the others know above `ours`.

        Args:
            ours: the guard's highest; the floor that is told extends it.
            public: the head that the public chain holds, if it was asked; the floor that is told extends that too.

        Raises:
            HeadConflict: the public chain holds another root than our guard, for one size.
            Missing: fewer than q − 1 other validators answered truly, or none knows what the public chain holds.
            Refuted: too few did, and one shows a history that contradicts ours, the public chain or itself.
            Equivocation: two quorums have signed two roots of one size, or two successors of one set, or our key has
                signed two roots.
        """
        if public is not None and public.size == ours.size and public.root != ours.root:
            raise HeadConflict(size=ours.size, head=public.root, root=ours.root)
        known = [ours] if public is None else [ours, public]
        answers: dict[str, _Answer] = {}
        errors: dict[str, BridgeError] = {}
        came: list[Member] = []
        asked = list(self.peers)
        for peer in asked:  # which grows by those who came since
            try:
                answers[peer.name] = self._answer(peer, known)
                asked += self._met(peer, answers[peer.name].roll, came)
            except Broken:
                raise
            except BridgeError as error:
                errors[peer.name] = error
        shown = [answer.roll for answer in answers.values() if answer.roll is not self.directory.roll]
        past = tuple(term for term in self.directory.roll.terms if term.first_size <= ours.size)  # by which we signed
        require_one_history([*shown, replace(self.directory.roll, terms=past)])
        newest = max([*shown, self.directory.roll], key=lambda roll: roll.terms[-1].validators.set_id).terms[-1]
        self._require_enough(newest.validators, came, answers.keys(), errors)
        floor = _highest([one.floor for one in answers.values() if one.floor is not None], ours)
        if public is not None and floor.size < public.size:
            raise Missing(what=f"somebody who knows size {public.size}, which the public chain holds")
        silent = {name: str(error) for name, error in errors.items()}
        rows = self._ascending(row for answer in answers.values() for row in answer.rows)
        return Told(History(floor, rows), tuple(answers), silent)

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

    def _answer(self, peer: Peer, known: Sequence[Highest]) -> _Answer:
        """By the sets that our ledger knows, else by those that this member shows to have followed."""
        try:
            return self._verified(peer, self.directory, known)
        except Refuted as refuted:
            wider = self._wider(peer)
            if wider is None:
                raise
            try:
                return self._verified(peer, wider, known)
            except Refuted as again:
                raise again from refuted

    def _wider(self, peer: Peer) -> Directory | None:
        """The directory with sets that are new to us; None if this member shows none."""
        try:
            wider = knowing_sets(self.directory, peer, peer.log.newest_quorum_size(), self.now)
        except Broken:
            raise
        except BridgeError:
            return None
        ours = {term.leaf for term in self.directory.roll.terms}
        return wider if any(term.leaf not in ours for term in wider.roll.terms) else None

    def _verified(self, peer: Peer, directory: Directory, known: Sequence[Highest]) -> _Answer:
        rows = tuple(self._own(peer, directory))
        return _Answer(self._newest(peer, directory, known), rows, directory.roll)

    def _met(self, peer: Peer, roll: Roll, came: list[Member]) -> Iterator[Peer]:
        """The validators of the newest set whom our ledger does not know, by the cards that this member hands us.

        The set has each one's name, certificate and key, so a card is its own or none (`member_entry`).
        """
        entries = set(roll.terms[-1].validators.entries)
        for leaf in (term.leaf for term in roll.terms if term.leaf is not None):
            lacking = entries - {member_entry(one) for one in self._known(came)}
            for card in self._handed(peer, leaf) if lacking else ():
                if card.member.address is None or member_entry(card.member) not in lacking:
                    continue
                is_new = card.member.name not in {one.name for one in self._known(came)}
                came.append(card.member)
                if is_new and self.meet is not None:
                    yield self.meet(card)

    @staticmethod
    def _handed(peer: Peer, leaf: Digest) -> Sequence[Card]:
        """The cards behind a record, if this member has them: another one may."""
        try:
            return parse_proposal(peer.proposal(leaf)).cards
        except Broken:
            raise
        except BridgeError:
            return ()

    def _known(self, came: Sequence[Member]) -> list[Member]:
        return [one for one in (*self.directory.known, *came) if one.address is not None]

    def _newest(self, peer: Peer, directory: Directory, known: Sequence[Highest]) -> Highest | None:
        """The newest checkpoint for which this member can show a quorum; it extends all that is known."""
        if peer.log.newest_quorum_size() == 0:
            return None
        note = parse_note(peer.log.checkpoint(TreeSize(0)).note, origin=directory.origin)
        directory.require_quorum(note)
        for older in known:
            if older.size <= note.size:  # one that lags behind the public chain is no liar, and raises less
                path = peer.log.consistency_path(older.size, note.size)
                verify_consistency(older.size, note.size, path, older.root, note.root)
        return Highest(note.size, note.root)

    def _own(self, peer: Peer, directory: Directory) -> Iterator[Statement]:
        """What this member has seen signed by our key."""
        answer = peer.signatures(self.address, directory.identities[self.name].key_id)
        for seen in answer.newest:
            size, root = TreeSize(seen.size), as_digest(seen.root, "root")
            digest = directory.checkpoint(size, root).digest()
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

    def _require_enough(
        self,
        validators: ValidatorSet,
        came: Sequence[Member],
        answered: Collection[str],
        errors: Mapping[str, BridgeError],
    ) -> None:
        """Of the newest set that anybody showed: who has left it may know nothing since."""
        needed = validators.quorum - 1
        names = {one.name for one in self._known(came) if member_entry(one) in validators.entries}
        got = len(names.intersection(answered))
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
    sync_path(path.parent)
    return added
