"""What a monitoring server sees of a relayer: the only door to prometheus-client.

`TABLE` is the whole list; `hybrid-relayer metrics doc` prints it, alerts are tested against it, and a test finds every
row fed. All of it comes from finished ticks and from calls that have ended, so a scrape asks neither the journal nor an
endpoint. Counters count from the start of the process, as Prometheus expects. Nothing here names a URL, a key or a
document.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from hybrid_bridge.errors import Missing
from hybrid_bridge.ports import PublicChain
from hybrid_bridge.units import LogId, Nonce, UnixSeconds
from relayers.anchored import Verdict
from relayers.fees import CANCEL_GAS, age, ceiling, expected_gas
from relayers.health import UNEXPLAINED, State, health_of
from relayers.journal import AttemptRow, Brake, JournalView, Outcome, Scope, SendRow
from relayers.log import Log
from relayers.pins import Pins
from relayers.relay import Sight, Tick
from relayers.settings import EVERY_CHAIN
from relayers.views import ChainView, CloseSlot, Deed, MakeAttempt, Policy, RecordHeader, SettleIntent

PREFIX: Final = "hybrid_relayer_"
ALWAYS: Final = ("chain", "log")
K_OF_M: Final = "k_of_m"
TICK_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0, 120.0)  # the last is the watchdog's
CALL_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
WEI_BUCKETS: Final = tuple(
    float(10**e * m) for e in range(12, 18) for m in (1, 2, 5)
)  # a millionth of an ether to half
RATIO_BUCKETS: Final = (0.5, 0.9, 1.0, 1.05, 1.1, 1.15, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 40.0)
DEPTH_BUCKETS: Final = (1.0, 2.0, 3.0, 4.0, 7.0, 12.0, 32.0, 64.0)
BUCKETS: Final = {
    "tick_seconds": TICK_BUCKETS,
    "anchor_cost_wei": WEI_BUCKETS,
    "anchor_cost_ratio": RATIO_BUCKETS,
    "reorg_depth_blocks": DEPTH_BUCKETS,
}
METHODS: Final = ("admission", *sorted(n for n, m in vars(PublicChain).items() if n[0] != "_" and callable(m)))
MISSED: Final = ("slow", "stalled")
OUTCOMES: Final = (
    (Outcome.OK, ""),
    (Outcome.NOOP, ""),
    (Outcome.REVERTED, ""),
    (Outcome.REVERTED, "stale"),
    (Outcome.REVERTED, "paused"),
    (Outcome.LOST, ""),
)
SEND_CLASSES: Final = ("accepted", "refused", "unreachable", "other_hash")


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: its name without the prefix, and its labels beside `chain` and `log`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str


TABLE: Final = (
    Metric("build_info", "gauge", ("version", "schema"), "1; which program, which schema of the journal"),
    Metric("last_tick_timestamp_seconds", "gauge", ("result",), "when a tick last ended; looked: with an observation"),
    Metric("tick_seconds", "histogram", (), "how long a tick took"),
    Metric("process_state", "gauge", ("state",), "1 for the state it is in, 0 for the others"),
    Metric("brake", "gauge", ("level",), "1 for the brake that is set, 0 for the others"),
    Metric("ticks_missed_total", "counter", ("reason",), "ticks that did not begin in time: slow, stalled"),
    Metric("lease_held", "gauge", (), "1: the last tick prolonged our lease of the gas key"),
    Metric("lease_epoch", "gauge", (), "of the lease this process holds; it only rises"),
    Metric(
        "anchored_size", "gauge", ("level",), "the log's head in the contract: mined, finalized; k_of_m: of all chains"
    ),
    Metric("anchor_lag_size", "gauge", ("level",), "closed epochs that no anchor of this level covers"),
    Metric("anchor_lag_seconds", "gauge", ("level",), "since the oldest of them was closed; 0 if there is none"),
    Metric("oldest_unanchored_timestamp_seconds", "gauge", (), "when the oldest epoch above the head closes or closed"),
    Metric("grace_seconds", "gauge", (), "how long a closed epoch may wait before the log is publicly overdue"),
    Metric("overdue", "gauge", (), "1: the public contract calls this log overdue"),
    Metric("log_active", "gauge", (), "0: the contract takes no anchors (paused, frozen, retired, unknown)"),
    Metric("quorum_missing", "gauge", (), "attestations lacking for the newest due checkpoint, as far as members say"),
    Metric("intents", "gauge", ("state",), "duties taken on and not settled"),
    Metric("slots_open", "gauge", (), "nonces taken and not final"),
    Metric("first_in_line_age_blocks", "gauge", (), "public blocks that the lowest unmined nonce has waited"),
    Metric("attempts_total", "counter", ("kind",), "transactions signed: anchor, rotate, cancel"),
    Metric("bumps_total", "counter", (), "transactions that replaced one of ours at the same nonce"),
    Metric("attempts_final_total", "counter", ("outcome", "reason"), "what became of them, final"),
    Metric("send_results_total", "counter", ("endpoint", "class"), "answers of endpoints to what we sent"),
    Metric("effective_anchors_total", "counter", (), "our transactions that moved the head, final"),
    Metric("anchors_by_others_total", "counter", (), "final anchors of this log by somebody else"),
    Metric("anchor_cost_wei", "histogram", (), "what an anchor of ours cost, final"),
    Metric("anchor_cost_ratio", "histogram", (), "its price against the calm one: usual base fee and our tip"),
    Metric("foreign_nonces_total", "counter", ("signer",), "nonces of our key used by a transaction we do not know"),
    Metric("nonce_unexplained", "gauge", (), "1: nothing is signed, for the journal does not bear out our nonce"),
    Metric("base_fee_wei", "gauge", (), "of the pinned public block, for each gas"),
    Metric("fee_ceiling_wei", "gauge", (), "the most we offer now, for each gas"),
    Metric("fee_cap_active", "gauge", (), "1: an anchor waits because the ceiling is too low"),
    Metric("signer_balance_wei", "gauge", ("signer",), "of the gas key"),
    Metric("reserve_wei", "gauge", ("signer",), "of it kept for set updates"),
    Metric("budget_committed_wei", "gauge", ("signer",), "the most that today's transactions can cost (UTC day)"),
    Metric("budget_limit_wei", "gauge", ("signer",), "the most they may"),
    Metric("finality_lag_blocks", "gauge", (), "from the final public block read up to the pinned one"),
    Metric("reorgs_total", "counter", (), "times that pinned public blocks were replaced"),
    Metric("reorg_depth_blocks", "histogram", (), "how many of them"),
    Metric("sign_seconds", "histogram", ("backend",), "how long the gas key's place took to sign"),
    Metric("journal_up", "gauge", (), "1: the journal answers; 0: its database is away and is waited for"),
    Metric("journal_commit_seconds", "histogram", (), "how long a write of the journal took, down to the disk"),
    Metric("rpc_agreeing", "gauge", (), "endpoints that serve our chain; 0 if they are fewer than must agree"),
    Metric("rpc_quorum", "gauge", (), "how many of them must agree"),
    Metric("rpc_seconds", "histogram", ("endpoint", "method"), "how long an endpoint took, also to fail"),
    Metric("rpc_head_lag_blocks", "gauge", ("endpoint",), "public blocks that it is behind the pinned one"),
    Metric("rpc_disagreements_total", "counter", ("endpoint", "method"), "answers against the quorum's, or a proof"),
    Metric("rpc_up", "gauge", ("endpoint",), "1: it serves our chain now"),
    Metric(
        "member_silent_epochs", "gauge", ("member",), "due epochs that this member has not attested, as far as it says"
    ),
    Metric("certificate_expiry_seconds", "gauge", ("peer",), "until the certificate ends that we show to members"),
    Metric("pinned_age_seconds", "gauge", (), "our clock less the time of the pinned public block"),
    Metric("clock_skew_seconds", "gauge", (), "the least of these over the last 64 pins: below 0 our clock is behind"),
)


class Dissented(Protocol):
    """An endpoint's answer against what a quorum said. `method` is a name of the `PublicChain` port."""

    @property
    def endpoint(self) -> str: ...  # noqa: D102 its name in the settings
    @property
    def method(self) -> str: ...  # noqa: D102


class Called(Dissented, Protocol):
    """One question to one endpoint."""

    @property
    def seconds(self) -> float: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose numbers these are."""

    chain: str  # its name in the settings
    scope: Scope
    log: Log
    policy: Policy
    endpoints: tuple[str, ...]
    quorum: int
    members: tuple[str, ...]
    certificate_ends: UnixSeconds | None  # of the one we show to members; None: it cannot be read
    version: str
    schema: int
    backend: str  # where the gas key is: a place's scheme


class Instruments:
    """The instruments of one process, whose chains share them: each metric is told once, with a label for the chain."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        names = {kind: [m for m in TABLE if m.kind == kind] for kind in ("gauge", "counter", "histogram")}
        self.gauges = {m.name: Gauge(*_definition(m), registry=self._registry) for m in names["gauge"]}
        self.counters = {m.name: Counter(*_definition(m), registry=self._registry) for m in names["counter"]}
        self.histograms = {
            m.name: Histogram(*_definition(m), registry=self._registry, buckets=BUCKETS.get(m.name, CALL_BUCKETS))
            for m in names["histogram"]
        }

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def journal(self, chain: str, log_id: LogId, *, is_there: bool) -> None:
        """Whether the database of a chain's journal answers; told before the chain has any other number."""
        self.gauges["journal_up"].labels(chain, f"0x{log_id.hex()}").set(is_there)

    def anchored(self, verdict: Verdict, log: Log, now: UnixSeconds) -> None:
        """How far the log is anchored over all chains, by the operator's rule."""
        closed_at = log.clock.genesis_time + verdict.size * log.clock.cadence
        for name, value in (
            ("anchored_size", verdict.size),
            ("anchor_lag_size", max(0, log.size_due(now) - verdict.size)),
            ("anchor_lag_seconds", max(0, now - closed_at)),
        ):
            self.gauges[name].labels(EVERY_CHAIN, f"0x{log.log_id.hex()}", K_OF_M).set(value)


class Metrics:
    """One chain's numbers. Fed by one thread, read by any."""

    def __init__(self, subject: Subject, epoch: int, instruments: Instruments | None = None) -> None:
        self._subject, self.instruments = subject, instruments or Instruments()
        self._always = (subject.chain, f"0x{subject.scope.log_id.hex()}")
        self._signer = f"0x{subject.scope.signer.hex()}"
        self._gauges, self._counters = self.instruments.gauges, self.instruments.counters
        self._histograms = self.instruments.histograms
        self._claimed: dict[str, int] = {}
        self._pins = Pins()
        self._begin(epoch)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return self.instruments.text()

    def missed(self, count: int, reason: str) -> None:
        """Ticks did not begin in time."""
        self._count("ticks_missed_total", count, reason)

    def signed(self, seconds: float) -> None:
        """The gas key's place has answered, or failed to."""
        self._observe("sign_seconds", seconds, self._subject.backend)

    def committed(self, seconds: float) -> None:
        """The journal has written."""
        self._observe("journal_commit_seconds", seconds)

    def journal_answers(self, is_there: bool) -> None:  # noqa: FBT001 told by whoever watches it
        """A call of the journal has ended."""
        self._set("journal_up", is_there)

    def heard(self, calls: Iterable[Called], dissents: Iterable[Dissented], lags: Mapping[str, int]) -> None:
        """What the endpoints did in a tick; `lags` in public blocks by endpoint."""
        for call in calls:
            self._observe("rpc_seconds", call.seconds, call.endpoint, call.method)
        for dissent in dissents:
            self._count("rpc_disagreements_total", 1, dissent.endpoint, dissent.method)
        for endpoint, lag in lags.items():
            self._set("rpc_head_lag_blocks", lag, endpoint)

    def feed(self, tick: Tick, now: UnixSeconds, took: float) -> None:
        """A tick has ended."""
        self._observe("tick_seconds", took)
        chain = None if tick.sight is None else tick.sight.chain
        self._set("last_tick_timestamp_seconds", now, "blind" if chain is None else "looked")
        self._one_hot("process_state", State, health_of(tick, now).state)
        self._set("lease_held", tick.journal is not None)
        self._deeds(tick.deeds, () if tick.journal is None else tick.journal.attempts)
        if chain is not None:
            self._costs(tick.deeds, chain)
        self.heard(tick.calls, tick.dissents, {} if tick.sight is None else tick.sight.lags)
        for send in tick.sends:
            self._count("send_results_total", 1, send.endpoint, send_class(send))
        self._set("fee_cap_active", tick.reason == "fee_capped")
        self._set("nonce_unexplained", tick.reason in UNEXPLAINED)
        if self._subject.certificate_ends is not None:
            self._set("certificate_expiry_seconds", self._subject.certificate_ends - now, "own")
        if tick.sight is not None:
            self._endpoints(tick.sight)
        if tick.journal is not None:
            self._journal(tick.journal)
            if chain is not None:
                self._chain(chain, tick.journal, now)
        if tick.sight is not None and chain is not None:
            self._members(tick.sight, now)

    # ── parts of a tick ──────────────────────────────────────────────────────────────────────────────────────────────

    def _deeds(self, deeds: tuple[Deed, ...], still_open: tuple[AttemptRow, ...]) -> None:
        made = [deed for deed in deeds if isinstance(deed, MakeAttempt)]
        finals = [final for deed in deeds if isinstance(deed, CloseSlot) for final in deed.finals]
        # An anchor of ours is recorded before its slot is closed, in one tick or in two.
        ours = {final.hash for final in finals} | {attempt.hash for attempt in still_open}
        for attempt in made:
            self._count("attempts_total", 1, kind_of(attempt))
        self._count("bumps_total", bumps([attempt.nonce for attempt in made], [a.nonce for a in still_open]))
        for final in finals:
            self._count("attempts_final_total", 1, final.outcome.value, final.reason)
        for deed in deeds:
            if isinstance(deed, CloseSlot):
                self._count("foreign_nonces_total", deed.slot.is_foreign, self._signer)
            elif isinstance(deed, RecordHeader):
                effective = sum(anchor.tx_hash in ours for anchor in deed.anchors)
                self._count("effective_anchors_total", effective)
                self._count("anchors_by_others_total", len(deed.anchors) - effective)

    def _costs(self, deeds: tuple[Deed, ...], chain: ChainView) -> None:
        """Of anchors that moved the head, as far as the endpoints say what was paid."""
        calm = chain.usual_base_fee + self._subject.policy.fees.tip
        settled = (deed.intent for deed in deeds if isinstance(deed, SettleIntent))
        rotations = {intent.settled_tx for intent in settled if intent.set_id is not None}  # they move no head
        for final in (final for deed in deeds if isinstance(deed, CloseSlot) for final in deed.finals):
            gas, price = final.gas_used or 0, final.price
            is_anchor = gas > CANCEL_GAS and final.hash not in rotations  # a cancel moves nothing either
            if final.outcome is Outcome.OK and is_anchor and price is not None:
                self._observe("anchor_cost_wei", gas * price)
                self._observe("anchor_cost_ratio", price / max(1, calm))

    def _endpoints(self, sight: Sight) -> None:
        serving = {endpoint.name for endpoint in sight.endpoints}
        self._set("rpc_agreeing", len(serving))
        for name in self._subject.endpoints:
            self._set("rpc_up", name in serving, name)

    def _members(self, sight: Sight, now: UnixSeconds) -> None:
        """One that does not answer is taken at its last word."""
        due = self._subject.log.size_due(UnixSeconds(now - self._subject.policy.turns.delay))
        self._claimed |= sight.quorum.claims
        for name in self._subject.members:
            self._set("member_silent_epochs", max(0, due - self._claimed.get(name, 1)), name)
        attested = sum(self._claimed.get(name, 1) >= due for name in self._subject.members)
        with suppress(Missing):  # a set that our settings do not know yet: the collector says so
            self._set("quorum_missing", max(0, self._subject.log.responsible(due).quorum - attested))

    def _journal(self, journal: JournalView) -> None:
        self._one_hot("brake", Brake, journal.brake)
        self._set("intents", len(journal.open_intents) + len(journal.open_rotations), "OPEN")
        self._set("slots_open", len(journal.open_nonces))
        self._set("budget_committed_wei", sum(journal.today.values()), self._signer)

    def _chain(self, chain: ChainView, journal: JournalView, now: UnixSeconds) -> None:
        policy, clock = self._subject.policy, self._subject.log.clock
        due = self._subject.log.size_due(now)
        for level, size in (("mined", chain.head.tree_size), ("finalized", chain.final_head.tree_size)):
            closed_at = clock.genesis_time + size * clock.cadence
            self._set("anchored_size", size, level)
            self._set("anchor_lag_size", max(0, due - size), level)
            self._set("anchor_lag_seconds", max(0, now - closed_at), level)
        self._set("oldest_unanchored_timestamp_seconds", clock.genesis_time + chain.head.tree_size * clock.cadence)
        self._set("overdue", age(chain, clock) > clock.grace)
        self._set("log_active", chain.head.state == "active")
        self._set("first_in_line_age_blocks", first_in_line_age(chain, journal))
        self._set("base_fee_wei", chain.base_fee)
        self._set("fee_ceiling_wei", ceiling(chain, policy, expected_gas(journal, policy.fees)))
        self._set("signer_balance_wei", chain.balance, self._signer)
        self._set("finality_lag_blocks", chain.pinned.number - chain.final.number)
        self._set("pinned_age_seconds", now - chain.pinned.time)
        depth = self._pins.add(chain.pinned, now)
        self._count("reorgs_total", depth > 0)
        if depth:
            self._observe("reorg_depth_blocks", depth)
        self._set("clock_skew_seconds", self._pins.skew or 0)

    # ── instruments ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, epoch: int) -> None:
        """What stands from the start; counters begin at 0, so that their first step is seen as one."""
        subject, fees = self._subject, self._subject.policy.fees
        self._set("build_info", 1, subject.version, str(subject.schema))
        self._set("lease_epoch", epoch)
        self._set("journal_up", 1)  # it has just given its lease
        self._set("grace_seconds", subject.log.clock.grace)
        self._set("rpc_quorum", subject.quorum)
        self._set("reserve_wei", fees.reserve, self._signer)
        self._set("budget_limit_wei", fees.daily_budget, self._signer)
        self._one_hot("process_state", State, State.STARTING)
        for name in ("bumps_total", "effective_anchors_total", "anchors_by_others_total", "reorgs_total"):
            self._count(name, 0)
        for reason in MISSED:
            self._count("ticks_missed_total", 0, reason)
        for name in ("anchor_cost_wei", "anchor_cost_ratio", "reorg_depth_blocks", "journal_commit_seconds"):
            self._histograms[name].labels(*self._always)
        self._histograms["sign_seconds"].labels(*self._always, subject.backend)
        self._count("foreign_nonces_total", 0, self._signer)
        for kind in ("anchor", "rotate", "cancel"):
            self._count("attempts_total", 0, kind)
        for outcome, reason in OUTCOMES:
            self._count("attempts_final_total", 0, outcome.value, reason)
        for endpoint in subject.endpoints:
            for found in SEND_CLASSES:
                self._count("send_results_total", 0, endpoint, found)
            for method in METHODS:
                self._count("rpc_disagreements_total", 0, endpoint, method)

    def _set(self, name: str, value: float, *labels: str) -> None:
        self._gauges[name].labels(*self._always, *labels).set(value)

    def _observe(self, name: str, value: float, *labels: str) -> None:
        self._histograms[name].labels(*self._always, *labels).observe(value)

    def _count(self, name: str, by: int, *labels: str) -> None:
        self._counters[name].labels(*self._always, *labels).inc(by)

    def _one_hot(self, name: str, values: type[StrEnum], current: StrEnum) -> None:
        for value in values:
            self._set(name, value is current, value.value)


def _definition(metric: Metric) -> tuple[str, str, tuple[str, ...]]:
    return PREFIX + metric.name, metric.meaning, (*ALWAYS, *metric.labels)


def kind_of(attempt: MakeAttempt) -> str:
    """What a transaction is for."""
    if attempt.appointment is not None:
        return "rotate"
    return "cancel" if attempt.checkpoint is None else "anchor"


def bumps(made: Sequence[Nonce], still_open: Sequence[Nonce]) -> int:
    """How many of the attempts just made at these nonces replaced an earlier one."""
    return sum(min(made.count(nonce), still_open.count(nonce) - 1) for nonce in set(made))


def first_in_line_age(chain: ChainView, journal: JournalView) -> int:
    """Public blocks since the first attempt at the lowest unmined nonce; 0 if nothing is in line."""
    unmined = [nonce for nonce in journal.open_nonces if nonce >= chain.nonce]
    first = [a.pinned_number for a in journal.attempts if unmined and a.nonce == unmined[0]]
    return max(0, chain.pinned.number - min(first)) if first else 0


def send_class(send: SendRow) -> str:
    """What kind of answer a broadcast got. A message is an endpoint's words, or our error's name."""
    if send.returned_hash is not None:
        return "accepted" if send.returned_hash == send.hash else "other_hash"
    return "unreachable" if send.code is None else "refused"


def table_text() -> str:
    """The table for people, in Markdown."""
    rows = [
        f"| `{PREFIX}{m.name}` | {m.kind} | {' '.join(f'`{label}`' for label in (*ALWAYS, *m.labels))} | {m.meaning} |"
        for m in TABLE
    ]
    return "\n".join(["| name | kind | labels | meaning |", "|---|---|---|---|", *rows])
