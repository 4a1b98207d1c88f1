"""What to do next. Pure: the same journal, chain and quorum always give the same action.

`next_action` is read downwards. It is asked again after every action, with the journal as it then stands and the same
observation, until it says `Wait`. A nonce is not an intent: another operator may fulfil the intent while our nonce
still has to be used up, so slots and intents live apart.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.units import Gas, Nonce, TxHash
from relayers.facts import next_fact
from relayers.fees import (
    CANCEL_GAS,
    Offer,
    age,
    deadline,
    expected_gas,
    is_too_cheap,
    market,
    raised,
    refusal,
    rotation_gas,
)
from relayers.journal import AttemptRow, Brake, CheckpointRow, JournalView
from relayers.turns import is_new_round, is_our_turn, is_our_window
from relayers.views import (
    Action,
    Appointment,
    ChainView,
    Fee,
    MakeAttempt,
    OpenIntent,
    OpenRotation,
    OpenSlot,
    Policy,
    QuorumView,
    Send,
    TurnPolicy,
    Wait,
)

MAX_HOLES: Final = 16  # free nonces that are filled to reach ours: so many a reorganisation may give back


def next_action(
    journal: JournalView, chain: ChainView | None, quorum: QuorumView, sent: Collection[TxHash], policy: Policy
) -> Action:
    """The next action of this tick.

    Args:
        journal: as it stands now.
        chain: the tick's observation; None if the endpoints did not agree on one.
        quorum: what the consortium signed.
        sent: attempts already offered in this tick.
        policy: the operator's decisions.
    """
    if journal.halted is not None:
        return Wait("halted")
    if chain is None or (journal.final_header is not None and chain.pinned.number < journal.final_header.number):
        # Nothing new is signed, old bytes stay alive.
        return _resend(journal, sent) or Wait("drained" if _is_drained(journal) else "no_rpc_quorum")
    return next_fact(journal, chain, quorum) or forward(journal, chain, quorum, sent, policy)


def forward(
    journal: JournalView, chain: ChainView, quorum: QuorumView, sent: Collection[TxHash], policy: Policy
) -> Action:
    """The next action once all that is final is written down."""
    if (standstill := _standstill(journal, chain)) is not None:
        return _resend(journal, sent) or standstill
    need = target(journal, chain, quorum, policy)
    if isinstance(need, Wait):
        return _serve(_Scene(journal, chain, quorum, sent, policy, None), need)
    if isinstance(need, Appointment):
        if journal.rotation_to(need.set_id) is None:
            return OpenRotation(need)
    elif journal.intent_for(need.size) is None:
        return OpenIntent(need)
    return _serve(_Scene(journal, chain, quorum, sent, policy, need), Wait("braked"))


def _is_drained(journal: JournalView) -> bool:
    """Whether nothing that left this process can still be mined: the key may be rotated, the program replaced."""
    return journal.brake is Brake.DRAIN and not journal.open_nonces


def _standstill(journal: JournalView, chain: ChainView) -> Wait | None:
    """Why nothing is signed at all: people say so, or the journal, which knows each nonce that the key ever used.

    `nonce_ahead`: it is above the next one of ours. Another program has the key, and the final state will halt us; or
    endpoints lie, and every nonce between would be paid for once they say the truth. `nonce_gap`: more free nonces lie
    below ours than anything but a lie explains, now or when our first one was taken; each would cost a cancel.
    """
    if journal.brake is Brake.HARD:
        return Wait("braked")
    if _is_drained(journal):
        return Wait("drained")
    highest, closed, nonce = journal.highest_nonce, journal.highest_closed, chain.nonce
    if highest is not None and nonce > highest + 1:
        return Wait("nonce_ahead")
    unmined = [n for n in journal.open_nonces if n >= nonce]
    if unmined and unmined[-1] - nonce + 1 - len(unmined) > MAX_HOLES and (closed is None or nonce > closed):
        return Wait("nonce_gap")
    return None


def target(
    journal: JournalView, chain: ChainView, quorum: QuorumView, policy: Policy
) -> CheckpointRow | Appointment | Wait:
    """A set update that is due, else the newest checkpoint to anchor that we took on or may; else why there is neither.

    No checkpoint of a new set goes before its update: `_obstacle` looks for it at the pinned public block.
    """
    reason = "nothing_due"
    if quorum.appointment is not None:
        delay = _delay(quorum.appointment, journal, chain, policy)
        if delay is None:
            return quorum.appointment
        reason = delay
    if chain.head.state != "active":
        return Wait(f"log_{chain.head.state}")  # an anchor would revert
    for checkpoint in reversed(quorum.checkpoints):
        if checkpoint.size <= chain.head.tree_size or checkpoint.size not in quorum.paths:
            continue
        obstacle = _obstacle(checkpoint, journal, chain, quorum, policy)
        if obstacle is None:
            return checkpoint
        reason = obstacle
    return Wait(reason)


def _delay(update: Appointment, journal: JournalView, chain: ChainView, policy: Policy) -> str | None:
    """Why this set update is not to be posted now; None if it is."""
    if journal.rotation_to(update.set_id) is not None:
        return None
    if journal.brake is not Brake.RUN:
        return "braked"
    if not is_our_window(chain.pinned.number, policy.turns):
        return "not_our_turn"
    gas = rotation_gas(journal, policy.fees)
    return refusal(Offer(chain.nonce, market(chain, policy, gas), gas, may_use_reserve=True), chain, journal, policy)


def _obstacle(
    checkpoint: CheckpointRow, journal: JournalView, chain: ChainView, quorum: QuorumView, policy: Policy
) -> str | None:
    if not _is_of_a_known_set(checkpoint, chain):
        return "rotation_due"
    if journal.intent_for(checkpoint.size) is not None:
        return None
    if journal.brake is not Brake.RUN:
        return "braked"
    oldest = _longest_waiting(journal, chain, quorum, policy.turns)
    if oldest is None and not all(_is_of_a_known_set(c, chain) for c in quorum.checkpoints):
        oldest = checkpoint  # a later set signs already: this one's last checkpoint hands over, on the grid or not
    if oldest is None or checkpoint.size < oldest.size:
        return "nothing_due"
    is_late = age(chain, policy.clock) >= deadline(policy.clock)  # then nobody is polite
    if not is_late and not is_our_turn(oldest.size, oldest.held_number, chain.pinned.number, policy.turns):
        return "not_our_turn"
    gas = expected_gas(journal, policy.fees)
    return refusal(Offer(chain.nonce, market(chain, policy, gas), gas), chain, journal, policy)


def _is_of_a_known_set(checkpoint: CheckpointRow, chain: ChainView) -> bool:
    """Whether the contract would look for this checkpoint's validators (CONTRACT §3.2, check 7)."""
    head = chain.head
    handover = head.next_from_size != 0 and checkpoint.size >= head.next_from_size
    return checkpoint.set_id == head.set_id + handover


def _longest_waiting(
    journal: JournalView, chain: ChainView, quorum: QuorumView, turns: TurnPolicy
) -> CheckpointRow | None:
    """The oldest checkpoint of a round that neither the head covers nor a duty of ours that can be served.

    Turns count from it: counted from the newest, each new checkpoint would begin the wait again, and whoever comes
    after the first would never have a turn while epochs are shorter than the wait.
    """
    ours = (c.size for c in quorum.checkpoints if journal.intent_for(c.size) is not None and c.size in quorum.paths)
    covered = max((chain.head.tree_size, *ours))
    held = quorum.checkpoints if quorum.waiting is None else (quorum.waiting, *quorum.checkpoints)
    known = (c for c in held if _is_of_a_known_set(c, chain))
    return min((c for c in known if is_new_round(c.size, covered, turns)), key=lambda c: c.size, default=None)


# ── slots ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Scene:
    journal: JournalView
    chain: ChainView
    quorum: QuorumView
    sent: Collection[TxHash]
    policy: Policy
    need: CheckpointRow | Appointment | None

    def carried_by(self, nonce: Nonce) -> CheckpointRow | Appointment | None:
        """What an attempt of this nonce is for; nothing where a person wants it used up for nothing."""
        return None if nonce in self.journal.cancelled else self.need

    def gas_of(self, nonce: Nonce) -> Gas:
        """What it will use, as far as known."""
        carried = self.carried_by(nonce)
        if carried is None:
            return CANCEL_GAS
        expected = rotation_gas if isinstance(carried, Appointment) else expected_gas
        return expected(self.journal, self.policy.fees)

    def offer(self, nonce: Nonce, fee: Fee) -> Offer:
        is_rotation = isinstance(self.carried_by(nonce), Appointment)
        return Offer(nonce, fee, self.gas_of(nonce), may_use_reserve=is_rotation)

    def serves(self, rotation: AttemptRow) -> bool:
        """Whether this transaction carries the set update that is due: the contract would take it, once."""
        due = self.journal.rotation_to(self.need.set_id) if isinstance(self.need, Appointment) else None
        return due is not None and due.id == rotation.intent_id

    def refusal(self, offer: Offer) -> str | None:
        return refusal(offer, self.chain, self.journal, self.policy)


def _serve(scene: _Scene, idle: Wait) -> Action:
    """Get what is unmined mined, the lowest nonce first; `idle` says why nothing new is begun."""
    open_nonces, nonce = scene.journal.open_nonces, scene.chain.nonce
    unmined = [n for n in open_nonces if n >= nonce]
    if not unmined:
        is_begun = scene.need is not None and scene.journal.brake is Brake.RUN
        return _opened(scene, nonce) if is_begun else idle
    holes = (Nonce(n) for n in range(nonce, unmined[-1]) if n not in open_nonces)
    for hole in holes:
        return _opened(scene, hole)  # S4: never leave a hole below
    first, behind = unmined[0], unmined[1:]
    is_wanted = first in scene.journal.wishes or scene.journal.brake is Brake.DRAIN
    if scene.need is None and not behind and not is_wanted:
        return idle  # nobody waits for it: let it lie, it costs nothing
    offer = _first_offer(scene, first)
    obstacle = None if offer is None else scene.refusal(offer)
    if offer is not None and obstacle is None:
        return _attempt(scene, offer)
    return _send_first(scene, first, behind) or _serve_behind(scene, behind) or Wait(obstacle or "in_flight")


def _opened(scene: _Scene, nonce: Nonce) -> OpenSlot | Wait:
    """A slot; none where the endpoints take a nonce to be free that is used for good: they lie, now or then."""
    closed = scene.journal.highest_closed
    return Wait("nonce_behind") if closed is not None and nonce <= closed else OpenSlot(nonce)


def _first_offer(scene: _Scene, nonce: Nonce) -> Offer | None:
    """What should be signed for the lowest nonce, if anything."""
    best, gas = scene.journal.dearest(nonce), scene.gas_of(nonce)
    if best is None:
        return scene.offer(nonce, market(scene.chain, scene.policy, gas))
    head = scene.chain.head.tree_size
    is_useless = best.is_cancel or (not best.is_rotation and best.to_size <= head)  # it would only use up the nonce
    if (
        nonce in scene.journal.wishes  # a person's; money and ceiling hold all the same
        or _is_doomed(best, scene)
        or (scene.carried_by(nonce) is not None and is_useless)
        or is_too_cheap(best, scene.chain, scene.policy.fees)
    ):
        return scene.offer(nonce, raised(best, scene.chain, scene.policy, gas))
    return None


def _is_doomed(attempt: AttemptRow, scene: _Scene) -> bool:
    """Whether it would revert: the head moved (CONTRACT §3.2, check 4), or the set update is not due any more."""
    if attempt.is_rotation:
        return not scene.serves(attempt)
    head = scene.chain.head.tree_size
    return not attempt.is_cancel and attempt.to_size > head and attempt.from_size != head


def _send_first(scene: _Scene, nonce: Nonce, behind: list[Nonce]) -> Action | None:
    """Offer its dearest bytes again; doomed ones only where others wait behind, or nothing else frees the nonce."""
    best = scene.journal.dearest(nonce)
    if best is None or best.hash in scene.sent:
        return None
    if _is_doomed(best, scene) and not behind and not _is_stuck(scene, nonce):
        return None
    return Send(best)


def _is_stuck(scene: _Scene, nonce: Nonce) -> bool:
    """Only the raise that pools demand is beyond the ceiling: at the market's price a new attempt would be affordable.

    Then waiting frees nothing, for the raise counts from the old fee; one stale revert does.
    """
    return scene.refusal(scene.offer(nonce, market(scene.chain, scene.policy, scene.gas_of(nonce)))) is None


def _serve_behind(scene: _Scene, behind: list[Nonce]) -> Action | None:
    """The others keep their bytes and their fee: only the lowest can be mined next."""
    for nonce in behind:
        best = scene.journal.dearest(nonce)
        if best is None:
            fee = market(scene.chain, scene.policy, CANCEL_GAS)
            if scene.refusal(Offer(nonce, fee, CANCEL_GAS)) is None:
                return _cancel(scene, nonce, fee)
        elif best.hash not in scene.sent:
            return Send(best)
    return None


def _attempt(scene: _Scene, offer: Offer) -> MakeAttempt:
    need = scene.carried_by(offer.nonce)
    if need is None:
        return _cancel(scene, offer.nonce, offer.fee)
    if isinstance(need, Appointment):
        return replace(_cancel(scene, offer.nonce, offer.fee), appointment=need)
    return MakeAttempt(
        seen=scene.chain,
        nonce=offer.nonce,
        checkpoint=need,
        fee=offer.fee,
        from_size=scene.chain.head.tree_size,
        path=scene.quorum.paths[need.size],
    )


def _cancel(scene: _Scene, nonce: Nonce, fee: Fee) -> MakeAttempt:
    head = scene.chain.head.tree_size
    return MakeAttempt(seen=scene.chain, nonce=nonce, checkpoint=None, fee=fee, from_size=head, path=())


def _resend(journal: JournalView, sent: Collection[TxHash]) -> Action | None:
    if journal.brake is Brake.HARD:
        return None
    for nonce in journal.open_nonces:
        best = journal.dearest(nonce)
        if best is not None and best.hash not in sent:
            return Send(best)
    return None
