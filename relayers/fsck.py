"""Do journal and public chain agree, and does the journal agree with itself? One list of invariants.

The same list judges crash tests, property tests and an operator's journal. Nothing is repaired here, and nothing is
believed: bytes are decoded, signatures and paths verified again. S1 … S8 are the promises of RELAYER §1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from hybrid_bridge.core.attestation import verify_quorum
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.errors import BridgeError, NotYet
from hybrid_bridge.ports import PublicChain
from hybrid_bridge.units import Address, Digest, Nonce, PublicBlockHash, PublicBlockNumber, TreeSize, Wei
from relayers.journal import (
    AttemptRow,
    CheckpointRow,
    IntentKind,
    IntentRow,
    IntentState,
    JournalDump,
    Outcome,
    SlotRow,
)
from relayers.log import Log
from relayers.views import FeePolicy


@dataclass(frozen=True, slots=True)
class Seen:
    """Our account at one public block. Asked first and at once: an ordinary node forgets the state of old ones."""

    nonce: Nonce
    balance: Wei


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold: which, of what, how."""

    promise: str
    subject: str
    detail: str


def fsck(
    dump: JournalDump,
    log: Log,
    chain: PublicChain | None = None,
    fees: FeePolicy | None = None,
    seen: Seen | None = None,
) -> list[Finding]:
    """All that is wrong; an empty list is the good answer.

    Args:
        dump: the whole journal.
        log: whose checkpoints these must be.
        chain: an endpoint to compare with; None: the journal alone.
        fees: the operator's limits; None: not judged.
        seen: what `look` saw before the dump was taken; None: it is looked at now. While a relayer runs, a later public
            block may hold what the dump cannot know yet.

    Raises:
        Undecided: the endpoint does not answer.
    """
    return [
        *_attempts(dump),
        *_slots(dump),
        *_intents(dump),
        *_checkpoints(dump, log),
        *(Finding("audit", "the chain of events", words) for words in dump.audit),
        *([] if fees is None else _spending(dump, fees)),
        *([] if chain is None else _against(dump, chain, seen or look(chain, dump.scope.signer))),
    ]


def look(chain: PublicChain, signer: Address) -> Seen:
    """Our account at the newest public block of this endpoint."""
    at = chain.latest()
    return Seen(chain.nonce(signer, at), chain.balance(signer, at))


def across(dumps: Mapping[str, JournalDump]) -> list[Finding]:
    """One log, one history: no two journals of its public chains hold, or show as final, two roots at one size."""
    seen: dict[TreeSize, tuple[str, Digest]] = {}
    found: list[Finding] = []
    for name, dump in dumps.items():
        roots = [(row.size, row.root) for row in dump.checkpoints] + [(a.tree_size, a.root) for a in dump.anchors]
        for size, root in roots:
            other, first = seen.setdefault(size, (name, root))
            if first != root and other != name:
                found.append(Finding("conflict", f"size {size}", f"one root on {other}, another on {name}"))
    return list(dict.fromkeys(found))


# ── the journal alone ────────────────────────────────────────────────────────────────────────────────────────────────


def _attempts(dump: JournalDump) -> Iterator[Finding]:
    """S1: the bytes are the ones we may send. S8: they say what we may say."""
    known = {slot.nonce for slot in dump.slots}
    for attempt in dump.attempts:
        subject = f"attempt {attempt.hash.hex()}"
        try:
            signed = decode_signed(attempt.raw)
        except BridgeError as error:
            yield Finding("S1", subject, f"bytes: {error}")
            continue
        if signed.hash != attempt.hash:
            yield Finding("S1", subject, "the bytes have another hash")
        transaction = signed.transaction
        stored = (attempt.nonce, attempt.max_fee, attempt.tip, attempt.gas)
        if (transaction.nonce, transaction.max_fee, transaction.tip, transaction.gas) != stored:
            yield Finding("S1", subject, "the columns are not what the bytes say")
        to = dump.scope.signer if attempt.is_cancel else dump.scope.contract
        allowed = (dump.scope.chain_id, to, 0, dump.scope.signer, attempt.is_cancel)
        said = (transaction.chain_id, transaction.to, transaction.value, signed.sender, not transaction.data)
        if said != allowed:
            yield Finding("S8", subject, "chain, recipient, value, sender or data")
        if attempt.nonce not in known:
            yield Finding("S4", subject, "no slot")


def _slots(dump: JournalDump) -> Iterator[Finding]:
    """S4, and what is final about each closed nonce."""
    nonces = [slot.nonce for slot in dump.slots]
    for missing in sorted(set(range(nonces[0], nonces[-1])) - set(nonces) if nonces else ()):
        yield Finding("S4", f"nonce {missing}", "a gap between slots")
    outcomes = {final.hash: final.outcome for final in dump.finals}
    anchoring = {anchor.tx_hash for anchor in dump.anchors}
    for slot in dump.slots:
        attempts = [a for a in dump.attempts if a.nonce == slot.nonce]
        yield from _slot(slot, [outcomes.get(a.hash) for a in attempts])
    for attempt in dump.attempts:
        is_anchor = attempt.hash in anchoring
        moves_head = not (attempt.is_cancel or attempt.is_rotation)
        if moves_head and attempt.hash in outcomes and (outcomes[attempt.hash] is Outcome.OK) != is_anchor:
            yield Finding("S2", f"attempt {attempt.hash.hex()}", "outcome OK without its anchor, or the reverse")


def _slot(slot: SlotRow, outcomes: list[Outcome | None]) -> Iterator[Finding]:
    subject = f"nonce {slot.nonce}"
    if slot.closed_hash is None:
        if any(outcome is not None for outcome in outcomes):
            yield Finding("S4", subject, "open, yet an attempt is final")
        return
    if None in outcomes:
        yield Finding("S4", subject, "closed, yet an attempt is not final")
    mined = [outcome for outcome in outcomes if outcome not in {None, Outcome.LOST}]
    if len(mined) > 1:
        yield Finding("S1", subject, "two attempts of one nonce stand")
    if slot.is_foreign != (not mined):
        yield Finding("S1", subject, "foreign, yet ours, or the reverse")


def _intents(dump: JournalDump) -> Iterator[Finding]:
    """S2: settled only by a final public block that we hold."""
    numbers = {header.hash: header.number for header in dump.headers}
    for intent in dump.intents:
        if intent.state is IntentState.OPEN:
            continue
        number = numbers.get(intent.settled_hash or PublicBlockHash(b""))
        if number is None:
            yield Finding("S2", _name(intent), "settled by a header that is not held")
        elif intent.kind is IntentKind.ROTATE:
            if intent.state is IntentState.FINALIZED and not _is_ours(intent, dump):
                yield Finding("S2", _name(intent), "FINALIZED without a transaction of ours that stands")
        elif not _is_covered(intent, dump, number):
            yield Finding("S2", _name(intent), f"{intent.state} without an anchor that says so")


def _name(intent: IntentRow) -> str:
    return f"intent {intent.size}" if intent.kind is IntentKind.ANCHOR else f"rotation to set {intent.set_id}"


def _is_ours(intent: IntentRow, dump: JournalDump) -> bool:
    """A rotation leaves no event of an anchor; that it stands shows our own final transaction."""
    carried = {attempt.hash for attempt in dump.attempts if attempt.intent_id == intent.id}
    return any(f.hash == intent.settled_tx and f.outcome is Outcome.OK for f in dump.finals if f.hash in carried)


def _is_covered(intent: IntentRow, dump: JournalDump, number: PublicBlockNumber) -> bool:
    for anchor in dump.anchors:
        if anchor.block.number > number:
            continue
        if intent.state is IntentState.SUPERSEDED and anchor.tree_size > intent.size:
            return True
        if (anchor.tree_size, anchor.root, anchor.tx_hash) == (intent.size, intent.root, intent.settled_tx):
            return intent.state is IntentState.FINALIZED
    return False


def _checkpoints(dump: JournalDump, log: Log) -> Iterator[Finding]:
    """Every checkpoint has its quorum and extends the one its path names."""
    roots = {row.size: row.root for row in dump.checkpoints} | {TreeSize(1): Digest(log.log_id)}
    for row in dump.checkpoints:
        try:
            _verify_checkpoint(row, dump, log, roots)
        except BridgeError as error:
            yield Finding("quorum", f"checkpoint {row.size}", str(error))
    for anchor in dump.anchors:
        if roots.get(anchor.tree_size, anchor.root) != anchor.root:
            yield Finding("conflict", f"size {anchor.tree_size}", "anchored with another root than ours")


def _verify_checkpoint(row: CheckpointRow, dump: JournalDump, log: Log, roots: dict[TreeSize, Digest]) -> None:
    signatures = [a.signature for a in dump.attestations if a.size == row.size]  # ascending by member
    verify_quorum(log.checkpoint(row.size, row.root), log.responsible(row.size), signatures)
    verify_consistency(row.previous_size, row.size, row.consistency, roots[row.previous_size], row.root)


def _spending(dump: JournalDump, fees: FeePolicy) -> Iterator[Finding]:
    """S7, as far as rows can show it."""
    days: dict[int, dict[Nonce, Wei]] = {}
    for attempt in dump.attempts:
        if attempt.cost > fees.max_cost_per_anchor or attempt.max_fee > fees.max_fee:
            yield Finding("S7", f"attempt {attempt.hash.hex()}", "dearer than allowed")
        day = days.setdefault(attempt.created_at // 86_400, {})
        day[attempt.nonce] = Wei(max(day.get(attempt.nonce, 0), attempt.cost))
    for number, day in days.items():
        if sum(day.values()) > fees.daily_budget:
            yield Finding("S7", f"day {number}", "more than the daily budget")


# ── journal and public chain ─────────────────────────────────────────────────────────────────────────────────────────


def _against(dump: JournalDump, chain: PublicChain, seen: Seen) -> Iterator[Finding]:
    """S1, S3, S4 as the endpoint sees them."""
    for header in dump.headers:
        if _hash_at(header.number, chain) != header.hash:
            yield Finding("S3", f"public block {header.number}", "a final header does not stand")
    for anchor in dump.anchors:
        if _hash_at(anchor.block.number, chain) != anchor.block.hash:
            yield Finding("S3", f"anchor of size {anchor.tree_size}", "its public block does not stand")
    yield from _nonces(dump, chain, seen.nonce)
    yield from _balance(dump, seen)


def _hash_at(number: PublicBlockNumber, chain: PublicChain) -> PublicBlockHash | None:
    try:
        return chain.block(number).hash
    except NotYet:
        return None


def _nonces(dump: JournalDump, chain: PublicChain, used: Nonce) -> Iterator[Finding]:
    slots = {slot.nonce: slot for slot in dump.slots}
    still_open = [slot.nonce for slot in dump.slots if slot.closed_hash is None and slot.nonce >= used]
    for nonce in range(used, max(still_open, default=used)):
        if nonce not in still_open:
            yield Finding("S4", f"nonce {nonce}", "a hole below an open slot")
    for nonce, closed in slots.items():
        if closed.closed_hash is not None and nonce >= used:
            yield Finding("S4", f"nonce {nonce}", "CLOSED, and not used on the chain: endpoints lied, now or then")
    for nonce in range(min(slots, default=used), used):
        slot = slots.get(Nonce(nonce))
        if slot is None:
            yield Finding("S1", f"nonce {nonce}", "used by a transaction this journal does not know")
        elif not slot.is_foreign and not _stands(_attempts_of(dump, slot), chain):
            yield Finding("S1", f"nonce {nonce}", "used, but by none of the bytes in the journal")


def _attempts_of(dump: JournalDump, slot: SlotRow) -> Iterable[AttemptRow]:
    return (attempt for attempt in dump.attempts if attempt.nonce == slot.nonce)


def _stands(attempts: Iterable[AttemptRow], chain: PublicChain) -> bool:
    return sum(chain.receipt_status(attempt.hash) is not None for attempt in attempts) == 1


def _balance(dump: JournalDump, seen: Seen) -> Iterator[Finding]:
    """S7: what the open slots may still cost is there."""
    waiting = {slot.nonce for slot in dump.slots if slot.closed_hash is None and slot.nonce >= seen.nonce}
    owed = sum(max((a.cost for a in dump.attempts if a.nonce == nonce), default=0) for nonce in waiting)
    if owed > seen.balance:
        yield Finding("S7", "balance", "the open slots may cost more than there is")
