"""What a tick would do now, and what it would then wait for. Nothing is signed, sent, locked or written.

The plan is asked as a tick asks it; after each answer the journal is foreseen, not changed. A call of the contract is
simulated at the endpoints, so that one which would revert is told here and not by its bill.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.errors import BridgeError
from hybrid_bridge.units import Gas, Nonce, TxHash, UnixSeconds, Wei
from relayers.answers import ether, gwei
from relayers.calls import Attested, Calls
from relayers.fees import CANCEL_GAS, Offer, expected_gas, refusal, rotation_gas
from relayers.foresight import foreseen
from relayers.hearing import Hearing
from relayers.journal import JournalView
from relayers.plan import next_action
from relayers.relay import MAX_ACTIONS, Sight
from relayers.views import (
    CloseSlot,
    Deed,
    Halt,
    MakeAttempt,
    OpenIntent,
    OpenRotation,
    OpenSlot,
    Policy,
    RecordHeader,
    Send,
    SettleIntent,
    Wait,
)

NO_GAS: Final = Gas(0)
WAITS: Final = {
    "fee_capped": "the raise is beyond the ceiling, which rises with the age of what is due (`fees`)",
    "low_balance": "what is above the reserve does not pay for it (`fees`)",
    "budget_spent": "today's budget is committed (`fees`)",
    "braked": "the brake is set; `resume` lets it go",
    "halted": "the relayer is halted (`status`)",
    "no_rpc_quorum": "too few endpoints agree (`endpoints check`)",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One action, in its own word and in a sentence."""

    action: str
    sentence: str
    nonce: Nonce | None = None  # for which something is signed


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The actions in order, why it would stop, and the error that would stop it, if one would."""

    steps: tuple[Step, ...]
    reason: str
    error: BridgeError | None = None


def rehearse(
    view: JournalView, sight: Sight, policy: Policy, gas_of: Callable[[MakeAttempt], Gas], now: UnixSeconds
) -> Rehearsal:
    """All actions of a tick on this view and this sight.

    Args:
        view: the journal as it stands.
        sight: what the world shows.
        policy: the operator's decisions.
        gas_of: the gas limit an attempt would have; raises what would keep the tick from signing it.
        now: the moment of the tick.
    """
    steps: list[Step] = []
    sent: set[TxHash] = set()
    for _ in range(MAX_ACTIONS):
        action = next_action(view, sight.chain, sight.quorum, sent, policy)
        if isinstance(action, Wait):
            return Rehearsal(tuple(steps), action.reason)
        gas = NO_GAS
        if isinstance(action, MakeAttempt):
            try:
                gas = gas_of(action)
            except BridgeError as error:
                return Rehearsal(tuple(steps), f"MakeAttempt: {error}", error)
            offer = Offer(action.nonce, action.fee, gas, may_use_reserve=action.appointment is not None)
            obstacle = refusal(offer, action.seen, view, policy)
            if obstacle is not None:
                return Rehearsal(tuple(steps), obstacle)
        signed = action.nonce if isinstance(action, MakeAttempt) else None
        steps.append(Step(type(action).__name__, sentence(action, gas), signed))
        if isinstance(action, Send):
            sent.add(action.attempt.hash)
        view = foreseen(view, action, gas, now)
    return Rehearsal(tuple(steps), "more_to_do")


def outlook(nonce: Nonce, view: JournalView, sight: Sight, found: Rehearsal) -> str:
    """What becomes of a wish for this nonce, in one sentence."""
    for step in found.steps:
        if step.nonce == nonce:
            return f"the next tick will {step.sentence}"
    lower = [n for n in view.open_nonces if n < nonce and (sight.chain is None or n >= sight.chain.nonce)]
    if lower and sight.chain is not None:
        return f"it waits until nonce {lower[0]} is mined: only the lowest can be raised"
    return f"it waits: {WAITS.get(found.reason, found.reason)}"


def simulated(calls: Calls, journal: Attested, sight: Sight) -> Callable[[MakeAttempt], Gas]:
    """The gas that the endpoints say a call would use."""
    untimed = Hearing(lambda: 0.0)  # nobody asks how long a rehearsal took
    return lambda action: calls.of(action, journal, sight.endpoints, untimed)[1]


def guessed(view: JournalView, policy: Policy) -> Callable[[MakeAttempt], Gas]:
    """The gas of an anchor as far as the journal knows."""
    usual = expected_gas(view, policy.fees)
    rotating = rotation_gas(view, policy.fees)

    def gas(action: MakeAttempt) -> Gas:
        if action.appointment is not None:
            return rotating
        return CANCEL_GAS if action.checkpoint is None else usual

    return gas


def sentence(deed: Deed, gas: Gas) -> str:  # noqa: PLR0911 one for each action
    """What would be done, for people."""
    match deed:
        case RecordHeader(header, anchors):
            words = f"write down that public block {header.number} is final"
            return words + (f", and {len(anchors)} anchors up to it" if anchors else "")
        case CloseSlot(slot, _, halt):
            whose = "by a transaction that the journal does not know" if slot.is_foreign else "by one of ours"
            words = f"close nonce {slot.nonce}: it was used for good, {whose}"
            return words if halt is None else f"{words}; HALT: {halt.reason}"
        case SettleIntent(intent):
            what = f"size {intent.size}" if intent.set_id is None else f"the rotation to set {intent.set_id}"
            return f"settle the duty of {what}: {intent.state.value}"
        case OpenIntent(checkpoint):
            return f"take on the duty to anchor size {checkpoint.size}"
        case OpenRotation(appointment):
            return f"take on the duty to post the rotation to set {appointment.set_id}"
        case OpenSlot(nonce):
            return f"take nonce {nonce}"
        case MakeAttempt():
            what = _what(deed)
            most = ether(Wei(gas * deed.fee.max_fee))
            return f"sign {what} with nonce {deed.nonce}: {gwei(deed.fee.max_fee)} gwei, at most {most} ether"
        case Send(attempt):
            return f"send nonce {attempt.nonce} to every endpoint, {gwei(attempt.max_fee)} gwei"
        case Halt(reason, evidence):
            return f"HALT: {reason} ({', '.join(f'{name} {value}' for name, value in evidence)})"


def _what(deed: MakeAttempt) -> str:
    if deed.appointment is not None:
        return f"the rotation to set {deed.appointment.set_id}"
    return "a cancel" if deed.checkpoint is None else f"an anchor of size {deed.checkpoint.size}"
