"""The relayer's targets (RELAYER §8): races, cost in spikes, recovery, and a long history in the journal.

Counted, not timed, but for the view: the same seeds give the same figures on any machine.
"""

import gc
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from sqlalchemy import insert

from bench.harness import pretty
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.testing.crashing import Killed
from hybrid_bridge.testing.memory_chain import GWEI, MemoryChain, MemoryNetwork
from hybrid_bridge.testing.memory_contract import MemoryLog
from hybrid_bridge.testing.memory_members import MemoryConsortium
from hybrid_bridge.units import ChainId, Seconds, TreeSize, UnixSeconds, Wei
from relayers import sql_journal as sql
from relayers.log import Log, SetPeriod
from relayers.relay import tick
from relayers.sql_journal import SqlJournal, SqlJournalReader, create_journal
from relayers.views import LogClock
from tests.crash import relay_world
from tests.simulation.fast import remembered
from tests.simulation.memory_journal import MemoryJournal, MemoryStore
from tests.simulation.operator import FEES, TURNS, Interruption
from tests.simulation.world import World

HISTORY = (1_000, 10_000, 100_000)  # epochs


@dataclass
class Figure:
    """One counted target."""

    question: str
    target: str
    count: Callable[[], Iterator[tuple[str, str]]]
    found: list[tuple[str, str]] = field(default_factory=list)

    def measure(self, rounds: int = 1) -> None:
        self.found = list(self.count())

    def rows(self) -> list[str]:
        first, *others = self.found
        return [
            f"| {self.question} | {first[0]} | target {self.target} | {first[1]} |",
            *(f"| | {name} | | {value} |" for name, value in others),
        ]


# ── races ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def races() -> Iterator[tuple[str, str]]:
    """Five operators, spikes of ×40, in a tenth of the rounds one of them cut off (§4.4's scenario)."""
    for grace in (6, 2):
        moved = mined = 0
        with remembered():
            for seed in range(6):
                events, transactions = race(seed, grace)
                moved, mined = moved + events, mined + transactions
        yield f"five operators, `grace_blocks` {grace}", f"{moved / mined:.4f} ({moved} of {mined})"


def race(seed: int, grace: int, blocks: int = 480) -> tuple[int, int]:
    """Anchors that moved the head, and mined attempts of all. An epoch each public block, a round every eight."""
    world, draw = World(seed, age=2), Random(seed)
    for _ in range(5):
        world.operator(replace(TURNS, operators=5, grace_blocks=grace, anchor_every=8), FEES)
    world.network.mine()
    fees = spikes(draw, 1 / 120)
    for number in range(blocks):
        if number % 8 == 0:
            cut = draw.choice(world.operators) if draw.random() < 0.1 else None
            for operator in world.operators:
                for endpoint in operator.endpoints:
                    endpoint.become("dead" if operator is cut else "honest")
        world.consortium.close_epoch()
        world.network.base_fee = next(fees)
        draw.shuffle(world.operators)
        world.round()
    signers = [operator.scope.signer for operator in world.operators]
    return len(world.network.events()), sum(len(world.network.transactions_of(signer)) for signer in signers)


def spikes(draw: Random, chance: float = 1 / 400) -> Iterator[Wei]:
    """A base fee that wanders around one gwei, and at times is forty times as high for 20 to 100 public blocks."""
    wander, left = 0.0, 0
    while True:
        wander += 0.05 * draw.gauss(0, 1) - 0.01 * wander
        left = left - 1 if left else (draw.randint(20, 100) if draw.random() < chance else 0)
        yield Wei(max(1, int(GWEI * 2.0**wander * (40 if left else 1))))


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

HOUR = Seconds(3_600)
DEADLINE_BLOCKS = 600


class Hourly(relay_world.World):
    """A log with an epoch an hour, whose ceiling is the hard cap after 600 public blocks."""

    @property
    def log(self) -> Log:
        grace = Seconds(DEADLINE_BLOCKS * self.network.interval * 5 // 4)
        clock = LogClock(genesis_time=self.consortium.genesis_time, cadence=HOUR, grace=grace)
        return Log(self.consortium.log_id, clock, (SetPeriod(TreeSize(1), self.consortium.validators),))


def costs() -> Iterator[tuple[str, str]]:
    """What anchors cost under spikes, by what they would have cost at the calm price, one attempt each."""
    paid = calm = anchors = late = 0
    for seed in range(3):
        one = cost(seed)
        paid, calm, anchors, late = paid + one[0], calm + one[1], anchors + one[2], max(late, one[3])
    yield "an epoch an hour, base fee ×40 for 20 to 100 public blocks", f"{paid / calm:.3f}"
    yield "anchors, and the most public blocks one waited", f"{anchors}, {late}"


def cost(seed: int, hours: int = 40) -> tuple[int, int, int, int]:
    """Paid, calm price, anchors, the longest wait in public blocks."""
    draw = Random(seed)
    network = MemoryNetwork(ChainId(1337), relay_world.CONTRACT, relay_world.BORN)
    consortium = MemoryConsortium(4, UnixSeconds(relay_world.BORN - 10), HOUR)
    world = Hourly(network, consortium)
    network.put_log(
        consortium.log_id,
        MemoryLog.registered(consortium.log_id, consortium.validators, consortium.genesis_time, HOUR),
    )
    signer = world.signer("operator 0")
    network.fund(signer.address(), Wei(10**21))
    scope = relay_world.scope_for(world, "operator 0")
    chain = MemoryChain(network, final_depth=relay_world.DEPTH)
    relayer = relay_world.relayer_for(
        world,
        journal=MemoryJournal(MemoryStore(scope), "bench", world.now()),
        chain=chain,
        signer=signer,
        clock=world,
        fee_policy=relay_world.fees(max_fee=Wei(120 * GWEI), usual_gas=100_000),
    )
    fees, seen = spikes(draw), [GWEI]
    paid = calm = 0
    with remembered():
        for number in range(hours * 300):
            if number % 300 == 0:
                consortium.close_epoch()
            network.base_fee = next(fees)
            seen.append(network.base_fee)
            tick(relayer)
            before = network.newest.balances[signer.address()]
            newest = network.mine()
            used = before - newest.balances[signer.address()]
            if newest.transactions:
                price = min(newest.transactions[0].transaction.max_fee, newest.base_fee + GWEI)
                paid += used
                if newest.events:
                    calm += used // price * (int(median(seen[-1_000:])) + GWEI)
    waits = [
        (event.block.time - consortium.genesis_time - (event.tree_size - 1) * HOUR) // network.interval
        for event in network.events()
    ]
    return paid, calm, len(waits), max(waits)


# ── recovery ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def recovery() -> Iterator[tuple[str, str]]:
    """Killed before and after each effect of a first anchor: ticks of the next process until only sends are left."""
    worst = points = 0
    for number in range(40):
        for when in ("before", "after"):
            world = World()
            operator = world.operator(TURNS, FEES)
            world.network.mine()
            world.consortium.close_epoch()
            if operator.tick(Interruption(number, when, killed)) is not None:
                continue
            points += 1
            ticks, done = 0, {"nothing yet"}
            while done - {"Send"}:
                report = operator.tick()
                done = set(report.done) if report else done
                ticks += 1
            worst = max(worst, ticks - 1)  # the last one found only sends
    yield f"killed at {points} points", f"{worst} tick"


def killed() -> None:
    raise Killed


# ── a long history ───────────────────────────────────────────────────────────────────────────────────────────────────


def histories() -> Iterator[tuple[str, str]]:
    """What a tick reads of a journal on a disk that holds so many epochs, each anchored and settled."""
    for epochs in HISTORY:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal.db"
            now = filled(path, epochs)
            with closing(SqlJournalReader(path, SCOPE)) as journal:
                taken = []
                for _ in range(40):
                    begin = perf_counter()
                    journal.view(now)
                    taken.append(perf_counter() - begin)
                tracemalloc.start()
                view = journal.view(now)
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            rows = len(view.attempts) + len(view.open_intents) + len(view.anchors)
        yield (
            f"view of a journal with {epochs:,} epochs",
            f"{pretty(median(taken))}, {peak // 1024} KiB at most, {rows} rows",
        )


SCOPE = relay_world.scope_for(relay_world.World(), "operator 0")


def filled(path: Path, epochs: int) -> UnixSeconds:
    """A journal with so many settled epochs and one in flight; the time of its newest row."""
    create_journal(path, SCOPE, UnixSeconds(0))
    with SqlJournal(path, SCOPE, "bench", UnixSeconds(0)) as journal:
        uid, log_id = sql.chain_uid(SCOPE), SCOPE.log_id
        with journal._store.write() as connection:
            for name, rows in history(epochs, uid, log_id).items():
                for start in range(0, len(rows), 5_000):
                    connection.execute(insert(getattr(sql, name)), rows[start : start + 5_000])
    return UnixSeconds(epochs * HOUR)


def history(epochs: int, uid: str, log_id: bytes) -> dict[str, Sequence[dict[str, object]]]:
    """Rows by table. Each epoch has a checkpoint with three signatures, a duty, a nonce, an attempt and an anchor."""
    rows: dict[str, list[dict[str, object]]] = {
        name: []
        for name in (
            "HEADER",
            "CHECKPOINT",
            "ATTESTATION",
            "INTENT",
            "SLOT",
            "ATTEMPT",
            "ATTEMPT_FINAL",
            "ANCHORED",
            "SENDING",
        )
    }
    for number in range(1, epochs + 2):
        is_open = number == epochs + 1
        size, block, one, time = number + 1, number * 300, sha256(b"%d" % number), number * HOUR
        rows["CHECKPOINT"].append(
            {"log_id": log_id, "size": size, "root": one, "timestamp": time, "set_id": 1, "digest": one,
             "previous_size": number, "consistency": one * 8, "held_number": block, "received_at": time}
        )  # fmt: skip
        rows["ATTESTATION"] += [
            {"log_id": log_id, "size": size, "member": bytes([m]) * 20, "digest": one, "signature": bytes(65)}
            for m in (1, 2, 3)
        ]
        rows["INTENT"].append(
            {"id": number, "chain_uid": uid, "log_id": log_id, "kind": "anchor", "size": size, "root": one, "digest": one,
             "state": "OPEN" if is_open else "FINALIZED", "opened_at": time,
             "settled_hash": None if is_open else one, "settled_tx": None if is_open else one}
        )  # fmt: skip
        rows["SLOT"].append(
            {"chain_uid": uid, "signer": SCOPE.signer, "nonce": number, "state": "OPEN" if is_open else "CLOSED",
             "closed_hash": None if is_open else one, "is_foreign": 0, "epoch": 1}
        )  # fmt: skip
        rows["ATTEMPT"].append(
            {"hash": one, "chain_uid": uid, "signer": SCOPE.signer, "nonce": number, "intent_id": number, "from_size": number,
             "to_size": size, "max_fee": 3 * GWEI, "tip": GWEI, "gas": 90_000, "raw": bytes(900), "pinned_number": block,
             "created_at": time, "epoch": 1}
        )  # fmt: skip
        rows["SENDING"].append(
            {"hash": one, "endpoint": "own", "code": None, "message": "", "returned_hash": one, "sent_at": time}
        )
        if is_open:
            continue
        rows["HEADER"].append({"chain_uid": uid, "number": block, "hash": one, "parent": one})
        rows["ATTEMPT_FINAL"].append(
            {"hash": one, "outcome": "OK", "reason": "", "block_number": block, "block_hash": one}
        )
        rows["ANCHORED"].append(
            {"chain_uid": uid, "block_hash": one, "log_index": 0, "block_number": block, "block_parent": one,
             "block_time": time, "log_id": log_id, "size": size, "root": one, "timestamp": time, "set_id": 1,
             "signers": bytes(8), "tx_hash": one}
        )  # fmt: skip
    return rows


# ── a long life ──────────────────────────────────────────────────────────────────────────────────────────────────────

LIFE = (60, 180)  # epochs between which memory is compared


def lives() -> Iterator[tuple[str, str]]:
    """What the relayer's own lines hold in memory after so many epochs of one process, on a journal in a file."""
    with tempfile.TemporaryDirectory() as folder:
        operator = relay_world.Operator(relay_world.World(), Path(folder) / "journal.db")
        relayer = operator.relayer()
        tracemalloc.start()
        held = []
        for epoch in range(1, LIFE[-1] + 1):
            operator.world.consortium.close_epoch()
            tick(relayer)
            operator.world.network.mine()
            if epoch in LIFE:
                operator.world.network.received.clear()  # bytes read from the journal, kept by the world
                gc.collect()
                filters = [tracemalloc.Filter(True, "*/relayers/*"), tracemalloc.Filter(True, "*/sqlalchemy/*")]
                kept = tracemalloc.take_snapshot().filter_traces(filters).statistics("filename")
                held.append(sum(one.size for one in kept) // 1024)
        tracemalloc.stop()
        operator.close()
    yield f"held after {LIFE[0]} and after {LIFE[1]} epochs of one process", f"{held[0]} and {held[1]} KiB"


def comparisons() -> Sequence[Figure]:
    return (
        Figure("anchors that moved the head ÷ mined attempts", "≥ 0.98", races),
        Figure("cost of anchors in spikes ÷ at the calm price", "≤ 1.15", costs),
        Figure("ticks after a kill until only sends are left", "≤ 2", recovery),
        Figure("a tick's look into a long journal", "flat", histories),
        Figure("memory of a process that lives long", "flat", lives),
    )
