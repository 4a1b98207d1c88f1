"""Answers to an operator, pure: why a size is not anchored yet, what an anchor would cost now, how far all is.

The sentences follow the plan: the same `forward` that a tick asks decides here too, so that what is told is what is
done.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Address, Nonce, TreeSize, UnixSeconds, Wei
from relayers.fees import age, ceiling, deadline, expected_gas, limits, market
from relayers.journal import AttemptRow, CheckpointRow, ControlRow, EvidenceRow, JournalView, LeaseRow
from relayers.log import Log
from relayers.plan import forward
from relayers.relay import Sight
from relayers.turns import opens_at, round_of
from relayers.views import ChainView, Policy, Send, Wait

NO_NONCE: Final = Nonce(-1)
END_OF_CALENDAR: Final = 253_402_300_799  # the last second that `datetime` knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Desktop:
    """All that lies before the one who answers."""

    now: UnixSeconds
    log: Log
    policy: Policy
    operators: tuple[Address, ...]
    patience: float  # seconds without a renewed lease after which nobody relays
    journal: JournalView
    control: ControlRow
    lease: LeaseRow
    newest: CheckpointRow | None  # held with its quorum
    contradictions: tuple[EvidenceRow, ...] = ()  # of the last day, the newest of each endpoint


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, in one word of the plan and in one sentence."""

    reason: str
    sentence: str


# ── why is this size not anchored yet ────────────────────────────────────────────────────────────────────────────────


def explain(size: TreeSize, desk: Desktop, sight: Sight, covering: AnchoredEvent | None) -> Explanation:
    """Why `size` is not anchored yet, or since when it is.

    Args:
        size: the one that is asked for.
        desk: journal, policy, time.
        sight: what the world shows now.
        covering: the smallest final anchor that covers it.
    """
    return (
        _settled(size, covering)
        or _in_general(size, desk, sight)
        or _standing(size, sight)
        or _early(size, desk, sight)
        or _planned(size, desk, sight)
    )


def _settled(size: TreeSize, covering: AnchoredEvent | None) -> Explanation | None:
    if size <= 1:
        return Explanation("birth", "Size 1 is the log's birth: its registration in the contract stands for it.")
    if covering is None:
        return None
    block = covering.block
    words = f"It is anchored for good: size {covering.tree_size} stands since public block {block.number}"
    return Explanation("final", f"{words} ({moment(block.time)}), transaction 0x{covering.tx_hash.hex()}.")


def _in_general(size: TreeSize, desk: Desktop, sight: Sight) -> Explanation | None:
    """What stops every size."""
    control, lease = desk.control, desk.lease
    if size > desk.log.size_due(desk.now):
        return Explanation("not_closed", f"Its epoch is not closed yet: that is at {moment(desk.log.boundary(size))}.")
    if control.halted is not None:
        words = f"The relayer is halted since {moment(control.set_at)} ({control.halted})"
        return Explanation("halted", f"{words}: read the evidence, run fsck, then resume.")
    if sight.chain is None:
        return Explanation("no_rpc_quorum", f"Too few endpoints agree on the public chain ({sight.blind}).")
    if desk.now > lease.until + desk.patience:
        held = f"the last one ({lease.holder}) was seen at {moment(lease.until)}" if lease.epoch else "none ever did"
        return Explanation("nobody_runs", f"No relayer runs on this journal: {held}.")
    return None


def _standing(size: TreeSize, sight: Sight) -> Explanation | None:
    chain = sight.chain
    if chain is None or chain.head.tree_size < size:
        return None
    words = f"It is mined and not final yet: the head is at size {chain.head.tree_size} at public block"
    return Explanation("mined", f"{words} {chain.pinned.number}, and final is public block {chain.final.number}.")


def _early(size: TreeSize, desk: Desktop, sight: Sight) -> Explanation | None:
    """Its anchor is a later size, or nobody signed that one yet."""
    every = desk.policy.turns.anchor_every
    carrier = TreeSize(-(-size // every) * every)
    due = desk.log.size_due(UnixSeconds(desk.now - desk.policy.turns.delay))
    if carrier > due:
        at = moment(UnixSeconds(desk.log.boundary(carrier) + desk.policy.turns.delay))
        words = f"size {carrier} is due at {at}"
        shared = "" if carrier == size else f", and one anchor serves {every} sizes"
        return Explanation("not_due", f"It is not due yet: {words}{shared}.")
    if all(checkpoint.size < size for checkpoint in sight.quorum.checkpoints):
        newest = max((c.size for c in sight.quorum.checkpoints), default=None)
        held = "none is held yet" if newest is None else f"the newest one held is of size {newest}"
        return Explanation("no_quorum", f"The members show no quorum of signatures on size {carrier}; {held}.")
    return None


def _planned(size: TreeSize, desk: Desktop, sight: Sight) -> Explanation:
    """What the plan says."""
    chain = sight.chain
    if chain is None:
        return Explanation("no_rpc_quorum", f"Too few endpoints agree on the public chain ({sight.blind}).")
    action = forward(desk.journal, chain, sight.quorum, (), desk.policy)
    if isinstance(action, Send):
        return Explanation("in_flight", _flight(action.attempt, chain))
    if isinstance(action, Wait):
        return Explanation(action.reason, _wait(action.reason, size, desk, sight, chain))
    return Explanation("next_tick", f"Nothing is in its way: the next tick goes on with it ({type(action).__name__}).")


def _flight(attempt: AttemptRow, chain: ChainView) -> str:
    carries = f"carries size {attempt.to_size}"
    if attempt.is_cancel or attempt.is_rotation:
        carries = "only uses up its nonce" if attempt.is_cancel else "carries the rotation that comes first"
    offered = f"offers {gwei(attempt.max_fee)} gwei for each gas since public block {attempt.pinned_number}"
    words = f"Transaction 0x{attempt.hash.hex()} (nonce {attempt.nonce}) {carries} and {offered}"
    return f"{words}; it is not mined, and the base fee is {gwei(chain.base_fee)} gwei."


def _wait(reason: str, size: TreeSize, desk: Desktop, sight: Sight, chain: ChainView) -> str:
    gas = expected_gas(desk.journal, desk.policy.fees)
    cap, base = gwei(ceiling(chain, desk.policy, gas)), gwei(chain.base_fee)
    brake = f"The brake is at {desk.control.brake} since {moment(desk.control.set_at)}, by {desk.control.by}"
    sentences = {
        "braked": f"{brake}: `resume` lets it go.",
        "drained": f"{brake}, and everything begun is finished: `resume` lets it go.",
        "fee_capped": f"The ceiling for each gas is {cap} gwei, the base fee {base} gwei: it rises with the age.",
        "low_balance": f"The gas key holds {ether(chain.balance)} ether, and {ether(desk.policy.fees.reserve)} of them "
        "are kept back: top it up.",
        "budget_spent": f"Today's budget of {ether(desk.policy.fees.daily_budget)} ether is committed: it is renewed "
        "at midnight UTC.",
        "rotation_due": "It is signed by a set of validators that the contract does not know yet, and the rotation "
        "to that set is not held with all its signatures: put the signed files into `set_updates`.",
        "finality_lags": "The endpoints know less than is final already: it waits until they have caught up.",
        **_unexplained(desk.journal, chain),
        "nothing_due": f"It lies in the round of the head (size {chain.head.tree_size}): the next round's anchor "
        "covers it.",
        "not_our_turn": _turn(size, desk, sight, chain),
    }
    known = f"The contract takes no anchors of this log: {chain.head.state}."
    return sentences.get(reason, known if reason.startswith("log_") else f"The plan waits: {reason}.")


def _unexplained(journal: JournalView, chain: ChainView) -> dict[str, str]:
    """Of nonces on which nothing is signed."""
    highest = NO_NONCE if journal.highest_nonce is None else journal.highest_nonce
    said = f"The endpoints say that nonce {chain.nonce} is the next"
    return {
        "nonce_ahead": f"{said}, and the journal knows of none above {highest}: another program or person has the gas "
        "key (then it halts once that is final), or they lie. Nothing is signed meanwhile.",
        "nonce_gap": f"{said}, and too many free ones lie below ours ({highest}): they lie now, or lied when it was "
        "taken. Nothing is signed meanwhile: compare endpoints, and see the runbook (NonceUnexplained).",
        "nonce_behind": f"{said}, and the journal has used it for good ({journal.highest_closed} is its highest such): "
        "they lie now, or did then. Nothing is signed meanwhile: compare endpoints, and see the runbook "
        "(NonceUnexplained).",
    }


def _turn(size: TreeSize, desk: Desktop, sight: Sight, chain: ChainView) -> str:
    turns, update = desk.policy.turns, sight.quorum.appointment
    if update is not None:
        window = f"operators begin one in turns of {turns.grace_blocks} public blocks, and now is another one's"
        return f"The rotation to set {update.set_id} comes first: {window}."
    oldest = sight.quorum.waiting or next((c for c in sight.quorum.checkpoints if c.size >= size), None)
    if oldest is None or not desk.operators:
        return "It is another operator's turn."
    windows = max(0, chain.pinned.number - oldest.held_number) // max(1, turns.grace_blocks)
    leader = desk.operators[(round_of(oldest.size, turns.anchor_every) + windows) % turns.operators]
    ours = opens_at(oldest.size, oldest.held_number, turns, chain.pinned.number)
    words = f"It is the turn of 0x{leader.hex()}; ours comes at public block {ours}"
    return f"{words}, and now is {chain.pinned.number}."


# ── what would an anchor cost ────────────────────────────────────────────────────────────────────────────────────────


def fees_now(journal: JournalView, chain: ChainView, policy: Policy) -> dict[str, Any]:
    """Base fee, ceiling, next fee, what is left of balance and budget."""
    gas = expected_gas(journal, policy.fees)
    fee, bounds, spent = market(chain, policy, gas), limits(chain, policy.fees), Wei(sum(journal.today.values()))
    return {
        "public_block": chain.pinned.number,
        "base_fee_gwei": gwei(chain.base_fee),
        "usual_base_fee_gwei": gwei(chain.usual_base_fee),
        "ceiling_gwei": gwei(ceiling(chain, policy, gas)),
        "hard_cap_gwei": gwei(policy.fees.max_fee),
        "next_fee_gwei": gwei(fee.max_fee),
        "next_tip_gwei": gwei(fee.tip),
        "expected_gas": gas,
        "next_anchor_ether_at_most": ether(Wei(gas * fee.max_fee)),
        "oldest_epoch_waits_seconds": age(chain, policy.clock),
        "ceiling_is_the_hard_cap_after_seconds": deadline(policy.clock),
        "balance_ether": ether(chain.balance),
        "reserve_ether": ether(policy.fees.reserve),
        "available_ether": ether(bounds.available),
        "budget_ether": ether(policy.fees.daily_budget),
        "budget_left_ether": ether(Wei(max(0, policy.fees.daily_budget - spent))),
    }


# ── how far is all ───────────────────────────────────────────────────────────────────────────────────────────────────


def status_of(desk: Desktop) -> dict[str, Any]:
    """One screen out of the journal alone: behind? cost? who?"""
    journal, clock, turns = desk.journal, desk.log.clock, desk.policy.turns
    due = desk.log.size_due(desk.now)
    final = TreeSize(journal.newest_anchor.tree_size) if journal.newest_anchor else None
    waited = max(0, desk.now - (clock.genesis_time + (final or 1) * clock.cadence))
    leader = desk.operators[round_of(due, turns.anchor_every) % turns.operators] if desk.operators else None
    is_running = desk.lease.epoch > 0 and desk.now <= desk.lease.until + desk.patience
    return {
        "halted": journal.halted,
        "brake": journal.brake.value,
        "brake_by": f"{desk.control.by}, {moment(desk.control.set_at)}",
        "closed_epochs": due,
        "newest_checkpoint": desk.newest.size if desk.newest else None,
        "anchored_final": final,
        "behind_sizes": max(0, due - (final or 1)),
        "behind_seconds": waited,
        "overdue_after_seconds": clock.grace,
        "final_public_block": journal.final_header.number if journal.final_header else None,
        "open_intents": [intent.size for intent in journal.open_intents],
        "open_rotations": [intent.set_id for intent in journal.open_rotations],
        "open_nonces": list(journal.open_nonces),
        "wishes": [f"{wish.kind} {nonce} by {wish.by}" for nonce, wish in sorted(journal.wishes.items())],
        "attempts": len(journal.attempts),
        "committed_today_wei": sum(journal.today.values()),
        "daily_budget_wei": desk.policy.fees.daily_budget,
        "in_flight_wei_at_most": journal.committed(except_nonce=NO_NONCE),
        "this_rounds_leader": f"0x{leader.hex()}" if leader else None,
        "we_lead": leader is not None and turns.my_index < turns.operators and desk.operators[turns.my_index] == leader,
        "contradicting_endpoints": [f"{c.endpoint}: {c.method}, {moment(c.seen_at)}" for c in desk.contradictions],
        "relayer": f"{desk.lease.holder}, epoch {desk.lease.epoch}" if is_running else None,
    }


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def moment(seconds: UnixSeconds) -> str:
    """For people, and in one time zone."""
    if seconds > END_OF_CALENDAR:
        return "a time after the year 9999"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def gwei(amount: Wei) -> str:
    """Exactly."""
    return _decimal(amount, 9)


def ether(amount: Wei) -> str:
    """Exactly."""
    return _decimal(amount, 18)


def _decimal(amount: int, places: int) -> str:
    whole, rest = divmod(amount, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".")
