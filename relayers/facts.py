"""What a final public block proves. Pure; the oldest fact first, one at a time.

Only facts are stored as such: "mined" is a view, recomputed in each tick, and never decides.
"""

from dataclasses import replace
from typing import Final

from hybrid_bridge.ports import Head
from hybrid_bridge.units import Nonce, TxHash
from relayers.journal import (
    AttemptFinalRow,
    AttemptRow,
    HeaderRow,
    IntentRow,
    IntentState,
    JournalView,
    Outcome,
    SlotRow,
)
from relayers.views import (
    Action,
    ChainView,
    CloseSlot,
    Halt,
    OpenSlot,
    QuorumView,
    RecordHeader,
    SettleIntent,
    Standing,
    Wait,
)

MAX_CODE: Final = 64  # bytes kept as evidence; a delegation has 23
BRAKED: Final = ("paused", "frozen")  # the contract's: an anchor that was on its way reverts
MAX_UNKNOWN: Final = 31  # nonces of others that get a slot and its end, within the 64 actions of one tick
MAX_REVERTS: Final = 3  # unexplained final reverts in a row; a published submitter reverted 2,641 times


def next_fact(journal: JournalView, chain: ChainView, quorum: QuorumView) -> Action | None:
    """The next thing to write down, or a reason to halt; None when all that is final is recorded."""
    return (
        _violation(journal, chain)
        or _delegated(chain)
        or _header(journal, chain)
        or _unknown_nonce(journal, chain)
        or _closed_slot(journal, chain)
        or _repeated_reverts(journal)
        or _conflict(chain, quorum)
        or _settled_rotation(journal, chain)
        or _settled_intent(journal, chain, quorum)
    )


def _violation(journal: JournalView, chain: ChainView) -> Action | None:
    """S3: what was final stands for ever. Waits while the endpoints’ idea of "final" lags behind what we stored."""
    last = journal.final_header
    if last is None:
        return None
    stands = chain.final.hash if last.number == chain.final.number else chain.known_final_hash
    if stands != last.hash:
        found = stands.hex() if stands else "nothing"
        return Halt("finality_violation", (("number", str(last.number)), ("was", last.hash.hex()), ("is", found)))
    return Wait("finality_lags") if chain.final.number < last.number else None


def _delegated(chain: ChainView) -> Action | None:
    """A delegated account may have one transaction waiting, and others can move its nonce: S4 no longer holds."""
    if not chain.signer_code:
        return None
    seen = (("code", chain.signer_code[:MAX_CODE].hex()), ("public_block", str(chain.pinned.number)))
    return Halt("delegated_signer", (*seen, ("public_block_hash", chain.pinned.hash.hex())))


def _header(journal: JournalView, chain: ChainView) -> Action | None:
    last, final = journal.final_header, chain.final
    if last is None or final.number > last.number:
        return RecordHeader(HeaderRow(final.number, final.hash, final.parent), chain.new_anchors)
    return None


def _unknown_nonce(journal: JournalView, chain: ChainView) -> Action | None:
    """A nonce that was used for good and never taken by us gets its slot, which is then closed as foreign.

    Before the first slot nothing is unknown: a key may have had another life. More of them than a tick writes down halt
    before one is written: endpoints that lie may name any number, and each would have a row for ever.
    """
    highest = journal.highest_nonce
    if highest is None or highest + 1 >= chain.final_nonce:
        return None
    first, count = Nonce(highest + 1), chain.final_nonce - highest - 1
    return OpenSlot(first) if count <= MAX_UNKNOWN else _elsewhere(first, chain, count)


def _closed_slot(journal: JournalView, chain: ChainView) -> Action | None:
    """Ours first; the last foreign one halts, in its own commit, so that one halt tells of all and none is missed."""
    used = [_closing(nonce, journal, chain) for nonce in journal.open_nonces if nonce < chain.final_nonce]
    for close in used:
        if not close.slot.is_foreign:
            return close
    if len(used) == 1:
        return replace(used[0], halt=_elsewhere(used[0].slot.nonce, chain))
    return used[0] if used else None


def _closing(nonce: Nonce, journal: JournalView, chain: ChainView) -> CloseSlot:
    finals = tuple(_final(a, journal, chain) for a in journal.attempts if a.nonce == nonce)
    is_foreign = all(f.outcome is Outcome.LOST for f in finals)
    return CloseSlot(SlotRow(nonce, chain.final.hash, is_foreign), finals)


def _elsewhere(nonce: Nonce, chain: ChainView, count: int = 1) -> Halt:
    """Somebody else has our gas key: what it spends we cannot promise, and two who use its nonces pay for both."""
    who = "a transaction that the journal does not know" if count == 1 else f"{count} of them that the journal lacks"
    seen = (("nonce", str(nonce)), ("used_by", who))
    return Halt("key_elsewhere", (*seen, ("public_block", str(chain.final.number)), ("hash", chain.final.hash.hex())))


def _final(attempt: AttemptRow, journal: JournalView, chain: ChainView) -> AttemptFinalRow:
    standing = chain.standings.get(attempt.hash)
    if standing is None:
        return AttemptFinalRow(attempt.hash, Outcome.LOST, "", chain.final.number, chain.final.hash)
    outcome, reason = _outcome(attempt, standing, journal, chain)
    block, paid = standing.block, (standing.gas_used, standing.price)
    return AttemptFinalRow(attempt.hash, outcome, reason, block.number, block.hash, *paid)


def _outcome(attempt: AttemptRow, standing: Standing, journal: JournalView, chain: ChainView) -> tuple[Outcome, str]:
    if attempt.is_rotation:  # succeeds once, for whoever is first; settled intents were fulfilled by somebody
        due = next((intent for intent in journal.open_rotations if intent.id == attempt.intent_id), None)
        # The pinned state is there where the final one is forgotten.
        is_open = due is not None and not _stands(due, chain.final_head) and not _stands(due, chain.head)
        return (Outcome.OK, "") if standing.is_success else (Outcome.REVERTED, "" if is_open else "stale")
    if not standing.is_success and standing.log_state in BRAKED:
        return Outcome.REVERTED, "paused"
    if not standing.is_success:
        # A revert moves no head: if it stands elsewhere in the same public block, the race was lost before us.
        span = journal.head_spans[attempt.from_size]
        return Outcome.REVERTED, "" if span.covers(standing.block.number) else "stale"
    if attempt.is_cancel or attempt.hash in _anchoring(journal, chain):
        return Outcome.OK, ""
    return Outcome.NOOP, ""


def _anchoring(journal: JournalView, chain: ChainView) -> set[TxHash]:
    return {e.tx_hash for e in (*journal.anchors.values(), *chain.new_anchors)}


def _repeated_reverts(journal: JournalView) -> Action | None:
    if journal.unexplained_reverts < MAX_REVERTS:
        return None
    return Halt("reverts_repeated", (("reverts", str(journal.unexplained_reverts)),))


def _conflict(chain: ChainView, quorum: QuorumView) -> Action | None:
    """S2: a quorum signed two histories, or we hold the wrong one. Either way nobody goes on by itself."""
    final = chain.final_head
    ours = quorum.root_at(final.tree_size)
    if ours is None or ours == final.root:
        return None
    return Halt("conflict", (("size", str(final.tree_size)), ("ours", ours.hex()), ("anchored", final.root.hex())))


def _settled_rotation(journal: JournalView, chain: ChainView) -> Action | None:
    """By our own final transaction, or by another's: then the final head shows the set, pending or in force."""
    for intent in journal.open_rotations:
        ours = journal.rotated.get(intent.id)
        if ours is not None or _stands(intent, chain.final_head):
            state = IntentState.SUPERSEDED if ours is None else IntentState.FINALIZED
            return SettleIntent(replace(intent, state=state, settled_hash=chain.final.hash, settled_tx=ours))
    return None


def _stands(rotation: IntentRow, head: Head) -> bool:
    """Whether the contract knows this set."""
    return rotation.set_id is not None and head.set_id + (head.next_from_size != 0) >= rotation.set_id


def _settled_intent(journal: JournalView, chain: ChainView, quorum: QuorumView) -> Action | None:
    final = chain.final_head
    if quorum.root_at(final.tree_size) is None:
        return None  # another was faster; `collect` will fetch it
    covered = (intent for intent in journal.open_intents if intent.size <= final.tree_size)
    intent = next(covered, None)
    return None if intent is None else SettleIntent(_settled(intent, journal, chain))


def _settled(intent: IntentRow, journal: JournalView, chain: ChainView) -> IntentRow:
    event = journal.anchors.get(intent.size)
    is_ours = event is not None and event.root == intent.root
    return IntentRow(
        id=intent.id,
        size=intent.size,
        root=intent.root,
        digest=intent.digest,
        state=IntentState.FINALIZED if is_ours else IntentState.SUPERSEDED,
        opened_at=intent.opened_at,
        settled_hash=chain.final.hash,
        settled_tx=event.tx_hash if event is not None and is_ours else None,
    )
