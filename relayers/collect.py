"""Fetch what the consortium signed: sizes, attestations, consistency paths. Verify every byte; admit what has a quorum.

Members may lie, lag or be silent. A relayer never proposes what to sign: of the sizes that a quorum's worth of members
claims it takes the newest at which a round begins, and asks for the signatures.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hybrid_bridge.core.attestation import verify_quorum
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.ports import ConsortiumMember, Head
from hybrid_bridge.units import Address, Digest, EcdsaSignature, Seconds, SetId, TreeSize, UnixSeconds
from relayers.journal import AttestationRow, CheckpointRow, Checkpoints, JournalView
from relayers.log import Log
from relayers.turns import first_of_round, next_round_at
from relayers.views import Appointment, ChainView, QuorumView


@dataclass(frozen=True, slots=True)
class Collector:
    """Where checkpoints come from. `delay` is how long after its boundary a checkpoint is due."""

    log: Log
    members: tuple[ConsortiumMember, ...]
    delay: Seconds
    anchor_every: int = 1  # sizes of one round of turns
    appoint: Callable[[ChainView], Appointment | None] = lambda _: None  # the set update that is due now

    def collect(self, journal: Checkpoints, view: JournalView, chain: ChainView | None, now: UnixSeconds) -> QuorumView:
        """Admit what is new and wanted, then say what is held.

        Without an observation nothing is fetched: nothing could be signed either.
        """
        if chain is None:
            return QuorumView(log_id=self.log.log_id, checkpoints=(), paths={})
        heads = {chain.head.tree_size, chain.final_head.tree_size}
        claims = dict(self._claims())
        wanted = first_of_round(self._newest(chain, sorted(claims.values())), self.anchor_every)
        heads |= self._reach(chain.head, wanted)
        for size in sorted({wanted, *heads}):
            if size > 1 and journal.checkpoint(size) is None:
                self._admit(journal, size, chain, now)
        held = _held(journal, view, heads)
        return QuorumView(
            log_id=self.log.log_id,
            checkpoints=held,
            paths=dict(self._paths(held, chain)),
            waiting=self._waiting(journal, view, chain),
            claims=claims,
            appointment=self.appoint(chain),
        )

    def _reach(self, head: Head, wanted: TreeSize) -> set[TreeSize]:
        """Where a later set signs `wanted`: the last size of the newest set that the contract knows.

        It takes one rotation after the other, each handed over by an anchor, so whoever slept crosses them one by one.
        """
        last = self.log.last_size(SetId(head.set_id + (head.next_from_size != 0)))
        return set() if last is None or not head.tree_size < last < wanted else {last}

    def _waiting(self, journal: Checkpoints, view: JournalView, chain: ChainView) -> CheckpointRow | None:
        """The oldest one held of a round after those of the pinned head and of our open intents."""
        covered = max((chain.head.tree_size, *(intent.size for intent in view.open_intents)))
        return journal.neighbours(TreeSize(next_round_at(covered, self.anchor_every) - 1))[1]

    def _claims(self) -> Iterator[tuple[str, TreeSize]]:
        """The newest size that each member says it has attested. Silent members are metrics, not errors."""
        for member in self.members:
            try:
                yield member.name, member.newest_size()
            except BridgeError:
                continue

    def _newest(self, chain: ChainView, claims: list[TreeSize]) -> TreeSize:
        """The largest size that is due and that a quorum's worth of members claims to have attested."""
        due = self.log.size_due(UnixSeconds(chain.pinned.time - self.delay))
        if due < 2:
            return TreeSize(0)
        needed = self.log.responsible(due).quorum
        return min(due, claims[-needed]) if len(claims) >= needed else TreeSize(0)

    # ── admission ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _admit(self, journal: Checkpoints, size: TreeSize, chain: ChainView, now: UnixSeconds) -> None:
        """Store the checkpoint of this size, if a quorum signed one that fits between its neighbours."""
        found = self._quorum_for(size)
        if found is None:
            return
        root, signatures = found
        lower, upper = journal.neighbours(size)
        previous = (lower.size, lower.root) if lower else (TreeSize(1), Digest(self.log.log_id))
        path = self._path(previous, (size, root))
        if path is None or (upper is not None and self._path((size, root), (upper.size, upper.root)) is None):
            return
        checkpoint = self.log.checkpoint(size, root)
        digest = checkpoint.digest()
        row = CheckpointRow(
            size=size,
            root=root,
            timestamp=checkpoint.timestamp,
            set_id=checkpoint.set_id,
            digest=digest,
            previous_size=previous[0],
            consistency=path,
            held_number=chain.pinned.number,
            received_at=now,
        )
        journal.admit(row, [AttestationRow(size, member, digest, signatures[member]) for member in sorted(signatures)])

    def _quorum_for(self, size: TreeSize) -> tuple[Digest, dict[Address, EcdsaSignature]] | None:
        """The root that a quorum signed for this size, with the signatures; the first one found."""
        try:
            validators = self.log.responsible(size)
        except BridgeError:
            return None
        votes: dict[Digest, dict[Address, EcdsaSignature]] = {}
        for member in self.members:
            try:
                root, signature = member.attestation(size)
                signer = recover_address(self.log.checkpoint(size, root).digest(), signature)
                validators.index_of(signer)
            except BridgeError:
                continue  # silent, malformed, or a stranger's signature
            ours = votes.setdefault(root, {})
            ours[signer] = signature
            if len(ours) >= validators.quorum:
                verify_quorum(self.log.checkpoint(size, root), validators, [ours[a] for a in sorted(ours)])
                return root, ours
        return None

    # ── paths ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _paths(self, held: Sequence[CheckpointRow], chain: ChainView) -> Iterator[tuple[TreeSize, tuple[Digest, ...]]]:
        """For each held checkpoint above the pinned head, the verified path from it."""
        head = chain.head.tree_size, chain.head.root
        for row in held:
            if 1 <= chain.head.tree_size < row.size:
                path = self._path(head, (row.size, row.root), row.consistency)
                if path is not None:
                    yield row.size, path

    def _path(
        self, old: tuple[TreeSize, Digest], new: tuple[TreeSize, Digest], guess: tuple[Digest, ...] = ()
    ) -> tuple[Digest, ...] | None:
        """A path that proves that `new` extends `old`: the guess if it does, else the first member's that does."""
        if _extends(old, new, guess):
            return guess
        for member in self.members:
            try:
                path = tuple(member.consistency_path(old[0], new[0]))
            except BridgeError:
                continue
            if _extends(old, new, path):
                return path
        return None


def _extends(old: tuple[TreeSize, Digest], new: tuple[TreeSize, Digest], path: tuple[Digest, ...]) -> bool:
    try:
        verify_consistency(old[0], new[0], path, old[1], new[1])
    except BridgeError:
        return False
    return True


def _held(journal: Checkpoints, view: JournalView, heads: set[TreeSize]) -> tuple[CheckpointRow, ...]:
    """The newest checkpoint, those of open intents, those at the chain's heads and before a later set's; ascending."""
    newest = journal.newest_checkpoint()
    sizes = heads | {intent.size for intent in view.open_intents} | ({newest.size} if newest else set())
    rows = (journal.checkpoint(size) for size in sorted(sizes))
    return tuple(row for row in rows if row is not None)
