"""The promises of RELAYER §1, each in a few lines, judged by what the world saw: bytes, public blocks, rows.

It shares nothing with `fsck` and asks the plan nothing. What a promise says of "before", it is asked at that very moment.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import rlp

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import HALF_ORDER
from hybrid_bridge.ports import AnchoredEvent, UnsignedTransaction
from hybrid_bridge.testing.memory_contract import ROTATE, SELECTOR
from hybrid_bridge.units import PublicBlockHash, RawTransaction, TxHash
from relayers.journal import AttemptRow, Brake, IntentState, Outcome
from relayers.relay import Tick
from relayers.views import ChainView, MakeAttempt, OpenIntent, Send
from tests.simulation.consortium import CADENCE, GENESIS, GRACE, root, whole
from tests.simulation.endpoints import DEPTH, FAR, FAR_UP
from tests.simulation.fast import decode_once

if TYPE_CHECKING:
    from tests.simulation.operator import Operator, Process

MAX_GAS = 1 << 24
UNEXPLAINED = {"nonce_ahead", "nonce_gap", "nonce_behind"}
UNFINISHED = {"halted", "braked", "drained", "more_to_do", "finality_lags", "no_rpc_quorum", *UNEXPLAINED}


class Violation(AssertionError):
    """A promise that did not hold."""

    def __init__(self, *, promise: str, detail: object) -> None:
        super().__init__(f"{promise}: {detail}")
        self.promise = promise


def require(holds: bool, promise: str, detail: object) -> None:
    if not holds:
        raise Violation(promise=promise, detail=detail)


# ── what leaves the process ──────────────────────────────────────────────────────────────────────────────────────────


def left(operator: "Operator", raw: RawTransaction) -> None:
    """S1: before any endpoint has a byte of it, the journal has all of it. S8: and it says what we may say."""
    held = operator.store.attempts.get(TxHash(keccak256(raw)))
    require(held is not None and held.raw == raw, "S1", "bytes left that the journal does not hold")
    require(operator.store.control.brake is not Brake.HARD or operator.is_interrupted, "brake", "sent under the brake")
    signed = decode_once(raw)
    transaction = signed.transaction
    require(signed.sender == operator.scope.signer, "S8", "another sender")
    require(_s_of(raw) <= HALF_ORDER, "S8", "high s")
    _require_scope(operator, transaction)


@lru_cache(1 << 10)
def _s_of(raw: RawTransaction) -> int:
    """The same bytes go to three endpoints, and again."""
    return int.from_bytes(rlp.decode(raw[1:])[-1], "big")


def asked(operator: "Operator", transaction: UnsignedTransaction) -> None:
    """S8: what the key is asked to sign."""
    _require_scope(operator, transaction)


def _require_scope(operator: "Operator", transaction: Any) -> None:
    scope = operator.scope
    is_cancel = (transaction.to, transaction.data) == (scope.signer, b"")
    is_call = transaction.to == scope.contract and transaction.data[:4] in {SELECTOR, ROTATE}
    require(is_cancel or is_call, "S8", "recipient or data")
    require((transaction.chain_id, transaction.value) == (scope.chain_id, 0), "S8", "chain or value")
    require(transaction.gas <= min(MAX_GAS, operator.fees.max_gas), "S8", "gas")


# ── what is written ──────────────────────────────────────────────────────────────────────────────────────────────────


def wrote(process: "Process", name: str, arguments: tuple[Any, ...]) -> None:
    """S6, then what that row promises."""
    operator = process.operator
    require(process is operator.process, "S6", f"{name} by a process without the lease")
    judge = {
        "record_header": _header,
        "add_attempt": _attempt,
        "close_slot": _closed,
        "settle_intent": _settled,
        "keep_sightings": _sighted,
    }.get(name)
    if judge is not None:
        judge(operator, *arguments)


def _final(operator: "Operator", block: PublicBlockHash | None) -> int:
    """The number of a public block that is final in truth."""
    blocks = operator.world.network.blocks
    for entry in reversed(blocks[: max(1, len(blocks) - DEPTH)]):
        if entry.block.hash == block:
            return entry.block.number
    raise Violation(promise="S2", detail="what is not final is taken for final")


def _header(operator: "Operator", header: Any, anchors: Any) -> None:
    """S3, and that no anchor of anybody is missed or invented."""
    number = _final(operator, header.hash)
    before = [n for n in operator.store.headers if n != header.number]
    require(number == header.number and header.number > max(before, default=-1), "S3", "headers do not ascend")
    truth = _events(operator, max(before, default=-1), number)
    require(list(anchors) == truth, "S3", "anchors that are not the chain's")


def _events(operator: "Operator", after: int, last: int) -> list[AnchoredEvent]:
    return [event for entry in operator.world.network.blocks[after + 1 : last + 1] for event in entry.events]


def _attempt(operator: "Operator", attempt: AttemptRow, _limits: object) -> None:
    """S7, against the balance as it is."""
    store, fees = operator.store, operator.fees
    require(attempt.max_fee <= fees.max_fee and attempt.cost <= fees.max_cost_per_anchor, "S7", "too dear")
    network, signer = operator.world.network, operator.scope.signer
    nonce, balance = network.nonce_of(signer), network.newest.balances[signer]
    owed = sum(max((a.cost for a in rows), default=0) for n, rows in store.open_attempts.items() if n >= nonce)
    known = not operator.wallet_used
    kept = 0 if attempt.is_rotation else 3 * fees.max_cost_per_anchor  # the reserve is there for set updates
    require(not known or owed <= balance - kept, "S7", "more than there is, or the reserve is touched")
    day: dict[int, int] = {}
    for other in store.attempts.values():
        if other.created_at // 86_400 == attempt.created_at // 86_400:
            day[other.nonce] = max(day.get(other.nonce, 0), other.cost)
    require(sum(day.values()) <= fees.daily_budget, "S7", "the day's budget")


def _closed(operator: "Operator", slot: Any, finals: Any, halted: Any = None) -> None:
    """S4: only a used nonce leaves, and S1: each of its attempts becomes what the public chain made of it."""
    number = _final(operator, slot.closed_hash)
    blocks = operator.world.network.blocks[: number + 1]
    require(blocks[-1].nonces.get(operator.scope.signer, 0) > slot.nonce, "S4", "closed before its nonce was used")
    attempts = {a.hash for a in operator.store.attempts.values() if a.nonce == slot.nonce}
    require({final.hash for final in finals} == attempts, "S4", "closed without the outcome of each attempt")
    standing = {tx: entry for entry in blocks for tx in entry.statuses if tx in attempts}
    require(slot.is_foreign == (not standing), "S4", "foreign, yet ours, or the reverse")
    others = [n for n in operator.store.open_attempts if n < blocks[-1].nonces.get(operator.scope.signer, 0)]
    require((halted is not None) == (slot.is_foreign and not others), "key", "the last foreign nonce halts, none else")
    for final in finals:
        entry, attempt = standing.get(final.hash), operator.store.attempts[final.hash]
        if entry is None:
            truth = Outcome.LOST
        elif not entry.statuses[final.hash]:
            truth = Outcome.REVERTED
        else:
            moved = attempt.is_cancel or attempt.is_rotation or any(e.tx_hash == final.hash for e in entry.events)
            truth = Outcome.OK if moved else Outcome.NOOP
        require(final.outcome is truth, "S2", f"{final.outcome} of an attempt that is {truth}")
        require(entry is None or final.block_hash == entry.block.hash, "S2", "another public block than the attempt's")


def _sighted(operator: "Operator", rows: Any) -> None:
    """Attempts are seen only where they stood once, and as what they were there, each place once."""
    for row in rows:
        entry = operator.world.network.ever.get(row.block_hash)
        status = None if entry is None else entry.statuses.get(row.hash)
        require(status is not None and int(status) == row.status, "S2", "seen where it never stood")
        require(entry is None or entry.block.number == row.block_number, "S2", "seen at another number")
        kept = operator.store.sightings[row.hash, row.block_hash]
        require(kept is row, "S9", "the same place written down again")


def _settled(operator: "Operator", intent: Any) -> None:
    """S2: by a final public block, whose head is ours or extends ours."""
    number = _final(operator, intent.settled_hash)
    head = operator.world.network.blocks[number].logs[whole().log_id]
    if intent.set_id is not None:
        _rotated(operator, intent, number)
        return
    require(head.size >= intent.size and intent.root == root(intent.size), "S2", "settled, and not covered")
    ours = [e for e in _events(operator, -1, number) if (e.tree_size, e.root) == (intent.size, intent.root)]
    require((intent.state is IntentState.FINALIZED) == bool(ours), "S2", f"{intent.state}, yet anchors are {ours}")
    require(not ours or intent.settled_tx == ours[0].tx_hash, "S2", "settled by another anchor")


def _rotated(operator: "Operator", intent: Any, number: int) -> None:
    """S2 of a set update: the contract knows the set, and FINALIZED says that it does by a transaction of ours."""
    blocks = operator.world.network.blocks[: number + 1]
    head = blocks[-1].logs[whole().log_id]
    require(head.set_id + (head.next_from_size != 0) >= intent.set_id, "S2", "settled, and the set is not known")
    tries = {a.hash for a in operator.store.attempts.values() if a.intent_id == intent.id}
    ours = [tx for entry in blocks for tx, is_good in entry.statuses.items() if is_good and tx in tries]
    require((intent.state is IntentState.FINALIZED) == bool(ours), "S2", f"{intent.state}, yet ours are {len(ours)}")
    require(len(ours) <= 1, "S2", "one set update was taken twice")


# ── what a tick left behind ──────────────────────────────────────────────────────────────────────────────────────────


def ticked(operator: "Operator", report: Tick) -> None:
    """S4 after a whole look, and L3 for each raise."""
    chain = None if report.sight is None else report.sight.chain
    if chain is None:
        require(all(isinstance(deed, Send) for deed in report.deeds), "blind", "more than old bytes without a quorum")
        return
    _looked(operator, chain)
    nonces = operator.store.open_attempts
    if report.reason not in UNFINISHED and ":" not in report.reason:
        holes = [n for n in range(chain.nonce, max(nonces, default=0)) if n not in nonces]
        require(not holes, "S4", f"holes {holes} below an open slot")
    for deed in report.deeds:
        if isinstance(deed, MakeAttempt):
            _attempted(operator, deed)
            _raise(operator, deed)
        require(
            not isinstance(deed, OpenIntent) or deed.checkpoint.size > chain.head.tree_size, "plan", "a covered duty"
        )


def _looked(operator: "Operator", chain: ChainView) -> None:
    """S2: the observation is the state after one public block that really was, whatever one endpoint says."""
    truth = operator.world.network.ever.get(chain.pinned.hash)
    require(truth is not None and truth.block == chain.pinned, "S2", "a public block that never was")
    if truth is not None:
        signer, head = operator.scope.signer, truth.logs[whole().log_id]
        colluding = sum(endpoint.state in FAR_UP for endpoint in operator.endpoints) > len(operator.endpoints) // 2
        if colluding and chain.nonce == truth.nonces.get(signer, 0) + FAR:
            return  # A1 does not hold: what they say is seen, and must cost nothing
        for name, seen, real in (
            ("nonce", chain.nonce, truth.nonces.get(signer, 0)),
            ("balance", chain.balance, truth.balances[signer]),
            ("base fee", chain.base_fee, truth.base_fee),
            ("head", chain.head, head.head(truth.block.time)),
        ):
            require(seen == real, "S2", f"the {name} seen is not that of the pinned public block")


def _attempted(operator: "Operator", deed: MakeAttempt) -> None:
    """RELAYER §4.1: the ceiling, by its formula. And nothing that the contract would refuse (CONTRACT §3.2, §3.4)."""
    fees, seen = operator.fees, deed.seen
    if deed.checkpoint is not None:
        handover = seen.head.next_from_size != 0 and deed.checkpoint.size >= seen.head.next_from_size
        require(deed.checkpoint.set_id == seen.head.set_id + handover, "plan", "an anchor before its set update")
        require(seen.head.state == "active", "plan", "an anchor while the log is paused")
    if deed.appointment is not None:
        require(deed.appointment.set_id == seen.head.set_id + 1, "plan", "a set update out of order")
        require(seen.head.next_from_size == 0, "plan", "a set update while one is pending")
    gas = min(a.gas for a in operator.store.open_attempts.get(deed.nonce, ()) if a.max_fee == deed.fee.max_fee)
    hard = min(fees.max_fee, fees.max_cost_per_anchor // min(gas, 21_000))
    soft = min(2 * seen.usual_base_fee + fees.tip, hard)
    waited = seen.pinned.time - (GENESIS + seen.head.tree_size * CADENCE)
    share = min(1.0, max(0, waited) / (GRACE * 0.8))
    require(
        deed.fee.max_fee <= (soft + (hard - soft) * share**4) * 1.000_01, "ceiling", f"{deed.fee} of {soft}, {hard}"
    )
    require(deed.fee.max_fee >= seen.base_fee, "ceiling", "a fee that misses the base fee")


def _raise(operator: "Operator", deed: MakeAttempt) -> None:
    """L3: the lowest slot only; for a reason; by an eighth on both fields."""
    ours = [a for a in operator.store.open_attempts.get(deed.nonce, ()) if a.max_fee < deed.fee.max_fee]
    if not ours:
        return
    seen, before = deed.seen, ours[-1]
    lower = [n for n in operator.store.open_attempts if seen.nonce <= n < deed.nonce]
    require(not lower, "L3", f"nonce {deed.nonce} raised while {lower} wait before it")
    waited, head = seen.pinned.number - before.pinned_number, seen.head.tree_size
    is_due = waited >= operator.fees.bump_blocks or (waited >= 2 and before.max_fee * 4 < seen.base_fee * 5)
    is_vain = before.is_cancel or before.to_size <= head or before.from_size != head
    require(is_due or is_vain, "L3", "a raise that nothing called for")
    enough = deed.fee.max_fee * 8 >= before.max_fee * 9 and deed.fee.tip * 8 >= before.tip * 9
    require(enough, "L3", "a raise that no pool takes")


# ── at the end ───────────────────────────────────────────────────────────────────────────────────────────────────────


def ended(operator: "Operator") -> None:
    """What stands on the public chain is what the journal says, for all that is final."""
    store, network = operator.store, operator.world.network
    require(all(network.blocks[n].block.hash == h.hash for n, h in store.headers.items()), "S3", "a header is gone")
    used = max((network.blocks[n].nonces.get(operator.scope.signer, 0) for n in store.headers), default=0)
    require(min(store.open_attempts, default=used) >= used, "L2", "a nonce is used for good, and its slot is open")
    first = min(store.slots, default=used)
    require(set(range(first, used)) <= store.slots.keys(), "key", "a nonce was used, and no slot accounts for it")
    for tx, _ in network.transactions_of(operator.scope.signer):
        require(tx in store.attempts or tx in network.wallets, "S1", "a transaction of ours that nobody knows")
    sizes = [event.tree_size for event in network.events()]
    require(sizes == sorted(set(sizes)), "S2", f"anchored twice: {sizes}")
    require(all(event.root == root(event.tree_size) for event in network.events()), "S2", "another root")
