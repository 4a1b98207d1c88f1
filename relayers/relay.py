"""Step 5 of 6: one tick of a relayer. Checkpoints with a quorum in, anchors on the public chain out.

observe → plan → record → act → record, again and again until the plan says `Wait`. Every action is one durable write
and at most one outside effect, and the comments at each say what a restart finds. A restart is this same tick.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from hybrid_bridge.errors import BridgeError, Broken, SignerLied, SpendCapped, Undecided
from hybrid_bridge.ports import Clock, PublicChain, Rotation, SendAnswer, TransactionSigner, Update
from hybrid_bridge.units import TreeSize, TxHash, UnixSeconds
from relayers.admission import ADMISSION
from relayers.calls import Calls
from relayers.collect import Collector
from relayers.fees import Offer, limits, refusal
from relayers.hearing import Call, Dissent, Heard
from relayers.journal import AttemptRow, EvidenceRow, HaltRow, Journal, JournalView, Scope, SendRow, SightingRow
from relayers.log import Log
from relayers.observe import Observer
from relayers.plan import next_action
from relayers.signing_policy import signed, transaction
from relayers.views import (
    ChainView,
    CloseSlot,
    Deed,
    Halt,
    MakeAttempt,
    OpenIntent,
    OpenRotation,
    OpenSlot,
    Policy,
    QuorumView,
    RecordHeader,
    Send,
    SettleIntent,
    Wait,
)

MAX_ACTIONS: Final = 64  # of one tick; the next one goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayer:
    """Everything a tick needs. No state of its own: that is the journal's."""

    scope: Scope
    log: Log
    policy: Policy
    journal: Journal
    observer: Observer
    collector: Collector
    signer: TransactionSigner
    encode_anchor: Callable[[Update], bytes]  # the contract's calldata
    encode_rotation: Callable[[Rotation], bytes]
    clock: Clock

    @property
    def calls(self) -> Calls:
        """How this relayer calls the contract."""
        return Calls(
            self.scope, self.log, self.policy.fees, self.observer.quorum, self.encode_anchor, self.encode_rotation
        )


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at the world shows. Without a quorum of endpoints `chain` is None and `blind` says why."""

    chain: ChainView | None
    quorum: QuorumView
    endpoints: tuple[PublicChain, ...]  # that serve our chain; none if they are fewer than must agree
    blind: str = ""
    notes: tuple[str, ...] = ()  # what the observation lacked, and endpoints that are left out, each with its reason
    calls: tuple[Call, ...] = ()  # each question to an endpoint, and how long it took
    dissents: tuple[Dissent, ...] = ()  # endpoints that contradicted the quorum, or a proof
    lags: Mapping[str, int] = field(default_factory=dict)  # by endpoint: public blocks behind the pinned one


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did, why it stopped, and what it saw and left behind: all that metrics and health are made of."""

    deeds: tuple[Deed, ...]  # in order
    reason: str
    sends: tuple[SendRow, ...] = ()
    sight: Sight | None = None  # None: the tick could not even look
    journal: JournalView | None = None  # at its end
    calls: tuple[Call, ...] = ()  # all questions to endpoints, those of the sight and of the deeds
    dissents: tuple[Dissent, ...] = ()  # all contradictions, likewise
    error: BridgeError | None = None  # what ended it, where the plan did not

    @property
    def done(self) -> tuple[str, ...]:
        """Names of the actions, in order."""
        return tuple(type(deed).__name__ for deed in self.deeds)

    @property
    def blind(self) -> str:
        """Why there was no observation."""
        return "" if self.sight is None else self.sight.blind

    @property
    def notes(self) -> tuple[str, ...]:
        """What the observation lacked."""
        return () if self.sight is None else self.sight.notes


def tick(relayer: Relayer) -> Tick:
    """One pass.

    Raises:
        LeaseLost: another process holds the gas key.
        Broken: our own state is wrong, or a quorum of endpoints serves another chain.
    """
    now = relayer.clock.now()
    relayer.journal.renew(now)
    view = relayer.journal.view(now)
    sight = look(view, relayer.observer, lambda chain: relayer.collector.collect(relayer.journal, view, chain, now))
    _keep(relayer.journal, sight.dissents, now)
    _see(relayer.journal, view, sight.chain, now)
    return _Pass(relayer, view, sight, now).run()


def look(view: JournalView, observer: Observer, collect: Callable[[ChainView | None], QuorumView]) -> Sight:
    """Ask the endpoints, then the members. Nothing is signed or sent.

    Raises:
        Broken: a quorum of endpoints serves another chain.
    """
    chain: ChainView | None = None
    serving: tuple[PublicChain, ...] = ()
    notes: tuple[str, ...] = ()
    blind = ""
    observer = observer.afresh()
    hearing = observer.hearing
    try:
        observer, notes = observer.serving()
        serving = observer.endpoints
        chain = observer.observe(view)
        notes += chain.notes
    except Undecided as error:
        blind = str(error)
    notes += tuple(
        f"{d.endpoint} contradicts: {d.method} {d.got[:80]}" for d in hearing.dissents if d.method != ADMISSION
    )
    trusted = tuple(endpoint for endpoint in serving if not hearing.sits(endpoint))
    found = (tuple(hearing.calls), tuple(hearing.dissents), dict(hearing.lags))
    return Sight(chain, collect(chain), trusted, blind, notes, *found)


class _Pass:
    """The actions of one tick, on one observation."""

    def __init__(self, relayer: Relayer, view: JournalView, sight: Sight, now: UnixSeconds) -> None:
        self._relayer, self._journal, self._now = relayer, relayer.journal, now
        self._view, self._chain, self._quorum, self._endpoints = view, sight.chain, sight.quorum, sight.endpoints
        self._sent: set[TxHash] = set()
        self._sight = sight
        self._deeds: list[Deed] = []
        self._sends: list[SendRow] = []
        self._hearing = relayer.observer.new_hearing()

    def run(self) -> Tick:
        """Ask the plan, do what it says, ask again."""
        for _ in range(MAX_ACTIONS):
            action = next_action(self._view, self._chain, self._quorum, self._sent, self._relayer.policy)
            if isinstance(action, Wait):
                return self._report(action.reason)
            try:
                self._do(action)
                self._deeds += _deeds_of(action)
            except SignerLied as error:
                halt = Halt("signer_lied", (("field", error.field),))
                self._do(halt)
                self._deeds.append(halt)
            except Broken:
                raise
            except BridgeError as error:
                return self._report(f"{type(action).__name__}: {error}", error)
            self._view = self._journal.view(self._now)
        return self._report("more_to_do")

    def _report(self, reason: str, error: BridgeError | None = None) -> Tick:
        calls = (*self._sight.calls, *self._hearing.calls)
        dissents = (*self._sight.dissents, *self._hearing.dissents)
        found = (self._sight, self._view, calls, dissents, error)
        return Tick(tuple(self._deeds), reason, tuple(self._sends), *found)

    def _do(self, action: Deed) -> None:
        # The first six are one commit each: done, or found again by the next tick.
        match action:
            case RecordHeader(header, anchors):
                self._journal.record_header(header, anchors)
            case CloseSlot(slot, finals, halt):
                self._journal.close_slot(slot, finals, None if halt is None else self._halted(halt))
            case SettleIntent(intent):
                self._journal.settle_intent(intent)
            case OpenIntent(checkpoint):
                self._journal.open_intent(checkpoint, self._now)
            case OpenRotation(update):
                self._journal.open_rotation(update.set_id, update.set_hash, update.digest, self._now)
            case OpenSlot(nonce):
                self._journal.open_slot(nonce)
            case MakeAttempt():
                self._make_attempt(action)
            case Send(attempt):
                self._send(attempt)
            case Halt():
                self._journal.halt(self._halted(action))

    # ── simulate, sign, record ───────────────────────────────────────────────────────────────────────────────────────

    def _make_attempt(self, action: MakeAttempt) -> None:
        chain, relayer = action.seen, self._relayer
        data, gas = relayer.calls.of(action, self._journal, self._endpoints, self._hearing)
        is_rotation = action.appointment is not None
        self._require_affordable(Offer(action.nonce, action.fee, gas, may_use_reserve=is_rotation), chain)
        # Dead before the signature: nothing happened. Dead after it: bytes that nobody saw are lost, a new attempt is
        # made; signing again is never "the same transaction".
        answer = signed(relayer.signer, transaction(relayer.scope, action.nonce, data, action.fee, gas), relayer.scope)
        row = AttemptRow(
            hash=answer.hash,
            nonce=action.nonce,
            intent_id=self._duty(action),
            from_size=action.from_size,
            to_size=TreeSize(0) if action.checkpoint is None else action.checkpoint.size,
            max_fee=action.fee.max_fee,
            tip=action.fee.tip,
            gas=gas,
            raw=answer.raw,
            pinned_number=chain.pinned.number,
            created_at=self._now,
            epoch=self._journal.epoch,
        )
        self._journal.add_attempt(row, limits(chain, relayer.policy.fees, may_use_reserve=is_rotation))
        # Durable: these bytes belong to this nonce. Dead here? The next tick sends *these*, never new ones.

    def _duty(self, action: MakeAttempt) -> int | None:
        """The intent that an attempt is to fulfil; a cancel fulfils none."""
        duty = None
        if action.appointment is not None:
            duty = self._view.rotation_to(action.appointment.set_id)
        elif action.checkpoint is not None:
            duty = self._view.intent_for(action.checkpoint.size)
        return None if duty is None else duty.id

    def _require_affordable(self, offer: Offer, chain: ChainView) -> None:
        """Now that the gas is known: nothing is signed that the journal would refuse."""
        rule = refusal(offer, chain, self._view, self._relayer.policy)
        if rule is not None:
            cost = offer.gas * offer.fee.max_fee
            raise SpendCapped(rule=rule, limit=self._relayer.policy.fees.max_cost_per_anchor, needed=cost)

    # ── act, record ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _send(self, attempt: AttemptRow) -> None:
        """To every endpoint of the settings; an answer decides nothing, and an error does not mean "not sent"."""
        self._sent.add(attempt.hash)
        endpoints = self._relayer.observer.endpoints
        heard = self._hearing.hear(endpoints, "broadcast", partial(_broadcast, attempt))
        answers = [(one.chain.name, _answer(one)) for one in heard]
        # May have happened. Dead here? Sent again by the next tick; the receipt will tell.
        sends = [
            SendRow(attempt.hash, name, answer.code, answer.message, answer.tx_hash, self._now)
            for name, answer in answers
        ]
        self._journal.log_sends(sends)
        self._sends += sends
        before = len(self._hearing.dissents)
        for name, answer in answers:
            if answer.tx_hash is not None and answer.tx_hash != attempt.hash:  # no lie: servers do so under load
                self._hearing.strayed(name, "broadcast", (attempt.hash.hex(), answer.tx_hash.hex()))
        _keep(self._journal, self._hearing.dissents[before:], self._now)

    def _halted(self, action: Halt) -> HaltRow:
        """Evidence first: both statements, with the signatures on ours."""
        evidence: dict[str, object] = dict(action.evidence)
        size = dict(action.evidence).get("size")
        if size is not None:
            evidence["attestations"] = [
                {"member": row.member.hex(), "digest": row.digest.hex(), "signature": row.signature.hex()}
                for row in self._journal.attestations(TreeSize(int(size)))
            ]
        return HaltRow(action.reason, json.dumps(evidence, sort_keys=True), self._now)


def _deeds_of(action: Deed) -> tuple[Deed, ...]:
    """An action, and the halt that it brought along."""
    return (action, action.halt) if isinstance(action, CloseSlot) and action.halt is not None else (action,)


def _broadcast(attempt: AttemptRow, endpoint: PublicChain) -> SendAnswer:
    try:
        return endpoint.broadcast(attempt.raw)
    except BridgeError as error:
        return SendAnswer(None, type(error).__name__, None)


def _answer(heard: Heard[SendAnswer]) -> SendAnswer:
    return heard.get() if heard.error is None else SendAnswer(None, type(heard.error).__name__, None)


def _see(journal: Journal, view: JournalView, chain: ChainView | None, now: UnixSeconds) -> None:
    """Where our attempts stand, each place once, before anything final is made of it (D7)."""
    stand = {} if chain is None else {**chain.standings, **chain.mined}
    rows = [
        SightingRow(tx, one.block.hash, one.block.number, int(one.is_success), now)
        for tx, one in stand.items()
        if (tx, one.block.hash) not in view.sighted
    ]
    if rows:
        journal.keep_sightings(rows)


def _keep(journal: Journal, dissents: Sequence[Dissent], now: UnixSeconds) -> None:
    """Contradictions as evidence, before anything is done that rests on the quorum's word."""
    rows = [EvidenceRow(d.endpoint, d.method, d.wanted, d.got, d.block_hash, now) for d in dissents]
    if rows:
        journal.keep_evidence(rows)
