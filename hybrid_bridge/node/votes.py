"""Who voted in the consensus engine when, out of our ledger and our engine: for evidence that an outsider checks.

Our governance records say in which blocks the engine was told of other votes; the engine's headers say what it made of
them, and are believed when they verify. Read once, and from where it was left afterwards.
"""

import threading
from dataclasses import replace
from functools import cached_property
from typing import Final, TypeAlias

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.cometbft import ABSENT, COMMITTED, SignedHeader, Timestamp, ValidatorSet, Vote
from hybrid_bridge.core.cometbft_evidence import MAX_BINDINGS, MAX_HANDOVERS, CometbftEvidence
from hybrid_bridge.core.cometbft_history import Handover
from hybrid_bridge.core.cometbft_seats import Binding
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import SetUpdate, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import TooLong
from hybrid_bridge.node.archives import Headers
from hybrid_bridge.units import Digest, Height, LeafIndex

NEVER: Final = Timestamp(-62_135_596_800, 0)  # the time of an absent vote
Change: TypeAlias = tuple[LeafIndex, Height, ConsensusKey | SetUpdate]  # leaf and block of a record that moves votes


class Votes:
    """The history of the engine's set."""

    def __init__(self, ledger: SqlLedger, genesis: Genesis, rpc: Headers) -> None:
        self._ledger, self._genesis, self._rpc = ledger, genesis, rpc
        self._turn = threading.Lock()
        self._tree = Tree()  # of all governance records
        self._tree.append(Digest(genesis.log_id))
        self._changes: list[Change] = []
        self._headers: dict[Height, Handover | None] = {}  # by the block that told, if the set is another one then

    @cached_property
    def first(self) -> ValidatorSet:
        """The set at genesis, which never changes."""
        return self._rpc.validators(self._genesis.first_block)

    def handovers(self, until: Height) -> tuple[Handover, ...]:
        """Every change of the engine's set in charge at a height up to `until`, no more votes than it takes.

        Raises:
            TooLong: more than an outsider takes.
            Unreachable, AnswerMalformed: our engine.
        """
        with self._turn:
            self._read()
            heights = sorted({height for height in map(self._told, self._changes) if height is not None})
            found = [self._handover(height) for height in heights if height + 2 <= until]
        handovers = tuple(handover for handover in found if handover is not None)
        if len(handovers) > MAX_HANDOVERS:
            raise TooLong(field="handovers", limit=MAX_HANDOVERS, got=len(handovers))
        return handovers

    def bindings(self, evidence: CometbftEvidence, epoch: EpochRecord) -> tuple[Binding, ...] | None:
        """Records of the epoch's governance tree that say whose each vote is; None if there is none.

        Raises:
            TooLong: more than an outsider takes.
        """
        sets = [evidence.first, *(handover.following for handover in evidence.handovers)]
        keys = {validator.key for validators in sets for validator in validators.validators}
        with self._turn:
            self._read()
            found = [
                Binding(index, record, tuple(self._tree.inclusion_path(index, epoch.governance_size)))
                for index, _, record in self._changes
                if isinstance(record, ConsensusKey) and record.key in keys and index < epoch.governance_size
            ]
        if len(found) > MAX_BINDINGS:
            raise TooLong(field="bindings", limit=MAX_BINDINGS, got=len(found))
        return tuple(found) or None

    # ── inside, one at a time ────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        """Governance records that came since."""
        for index, height, data in self._ledger.governance(self._tree.size - 1):
            record = decode_governance(data)
            self._tree.append(leaf_hash(data))
            if isinstance(record, ConsensusKey | SetUpdate):
                self._changes.append((LeafIndex(index), height, record))

    def _told(self, change: Change) -> Height | None:
        """The block that told the engine, if it is there: the first of the epoch in which the record takes effect."""
        _, height, record = change
        header = self._ledger.header(height)
        if isinstance(record, SetUpdate):
            return self._ledger.first_height_after(record.effective_from_size - 2)
        return None if header is None else self._ledger.first_height_after(header.epoch)

    def _handover(self, told: Height) -> Handover | None:
        """The header behind the block that told, if it names another next set."""
        if told not in self._headers:
            signed = self._rpc.signed_header(Height(told + 1))
            other = signed.header.next_validators_hash != signed.header.validators_hash
            following = self._rpc.validators(Height(told + 2)) if other else None
            self._headers[told] = None if following is None else Handover(_trimmed(signed), following)
        return self._headers[told]


def _trimmed(signed: SignedHeader) -> SignedHeader:
    """With no more votes than it takes: each is a signature that an outsider checks (SPEC §15). All weigh the same."""
    votes, room = [], len(signed.commit.votes) * 2 // 3 + 1
    for vote in signed.commit.votes:
        counts = vote.flag == COMMITTED and room > 0
        room -= counts
        votes.append(vote if counts else Vote(ABSENT, NEVER, b""))
    return replace(signed, commit=replace(signed.commit, votes=tuple(votes)))
