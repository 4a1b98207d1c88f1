"""What the metrics say after real ticks: the numbers of the journal and the chain, and no row that nothing feeds."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.ports import SendAnswer
from hybrid_bridge.testing.memory_chain import GWEI
from hybrid_bridge.units import Nonce, UnixSeconds
from relayers.desk import Orders
from relayers.fees import ceiling, expected_gas
from relayers.journal import Brake, SendRow
from relayers.metrics import PREFIX, TABLE, Instruments, Metrics, Subject, bumps, send_class, table_text
from relayers.relay import Tick
from tests.crash.relay_world import BORN, DEPTH, Operator, World, fees, lift_halt
from tests.crash.test_relayer_faults import use_nonce
from tests.unit.relayers.builders import event

SAMPLE = re.compile(rf"^{PREFIX}(\w+)\{{(.*)\}} (\S+)$")


@dataclass(frozen=True)
class Heard:
    """One question to one endpoint, as a tick tells it."""

    endpoint: str
    method: str
    seconds: float


HEARD = Heard("own", "head", 0.25)


class Watched:
    """An operator whose ticks feed metrics, as the daemon's do."""

    def __init__(self, operator: Operator, name: str = "memory", instruments: Instruments | None = None) -> None:
        self.operator, self.name = operator, name
        relayer = operator.relayer()
        subject = Subject(
            chain=name,
            scope=relayer.scope,
            log=relayer.log,
            policy=relayer.policy,
            endpoints=tuple(endpoint.name for endpoint in relayer.observer.endpoints),
            quorum=1,
            members=tuple(member.name for member in relayer.collector.members),
            certificate_ends=UnixSeconds(BORN + 86_400),
            version="1.2.3",
            schema=1,
            backend="keystore",
        )
        assert operator.journal is not None
        self.metrics = Metrics(subject, operator.journal.epoch, instruments)
        self.policy = relayer.policy

    def tick(self) -> Tick:
        done = self.operator.tick()
        assert done is not None
        self.metrics.feed(done, self.operator.world.now(), 0.2)
        return done

    def run(self, blocks: int) -> None:
        for _ in range(blocks):
            self.tick()
            self.operator.world.network.mine()

    def value(self, name: str, *labels: str) -> float | None:
        """The sample with these label values, whatever the labels are called."""
        for line in self.metrics.text().decode().splitlines():
            match = SAMPLE.match(line)
            if match and match[1] == name and set(labels) <= set(re.findall(r'"([^"]*)"', match[2])):
                return float(match[3])
        return None


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    made: list[Operator] = []

    def operator(world: World, name: str = "operator 0", **others: Any) -> Operator:
        made.append(Operator(world, tmp_path / f"{name}.db", name, **others))
        return made[-1]

    yield operator
    for each in made:
        each.close()


@pytest.fixture
def watched(operator: Callable[..., Operator]) -> Watched:
    world = World()
    world.consortium.close_epoch()
    return Watched(operator(world))


def test_before_the_first_tick_counters_stand_at_zero_and_nothing_is_said_of_the_chain(watched: Watched) -> None:
    assert watched.value("attempts_total", "anchor") == 0
    assert watched.value("foreign_nonces_total") == 0
    assert watched.value("signer_balance_wei") is None
    assert watched.value("process_state", "STARTING") == 1
    assert watched.value("build_info", "1.2.3") == 1


def test_an_anchor_is_followed_from_the_signature_to_finality(watched: Watched) -> None:
    watched.tick()
    assert watched.value("attempts_total", "anchor") == 1
    assert watched.value("send_results_total", "accepted") == 1
    assert (watched.value("slots_open"), watched.value("intents")) == (1, 1)
    assert watched.value("effective_anchors_total") == 0
    watched.operator.world.network.mine()
    watched.run(DEPTH + 3)
    size = watched.operator.world.consortium.size
    assert watched.value("anchored_size", "mined") == watched.value("anchored_size", "finalized") == size
    assert watched.value("attempts_final_total", "OK") == 1
    assert (watched.value("effective_anchors_total"), watched.value("anchors_by_others_total")) == (1, 0)
    assert (watched.value("slots_open"), watched.value("intents")) == (0, 0)
    assert watched.value("process_state", "READY") == 1
    assert watched.value("process_state", "STARTING") == 0
    assert watched.value("finality_lag_blocks") == DEPTH


def test_a_rotation_is_counted_as_one(watched: Watched) -> None:
    watched.operator.world.appoint(in_sizes=4)
    watched.tick()
    assert (watched.value("attempts_total", "rotate"), watched.value("attempts_total", "anchor")) == (1, 0)
    assert watched.value("intents", "OPEN") == 1


def test_anothers_anchor_is_counted_as_anothers(operator: Callable[..., Operator]) -> None:
    world = World()
    watched = Watched(operator(world, "operator 1", index=1, operators=2))
    other = operator(world, "operator 0", index=0, operators=2)
    for _ in range(2):  # one turn each
        world.consortium.close_epoch()
        for _ in range(DEPTH + 3):
            other.tick()
            watched.run(1)
    assert [event.tree_size for event in world.network.events()] == [2, 3]
    assert (watched.value("anchors_by_others_total"), watched.value("effective_anchors_total")) == (1, 1)


def test_money_is_what_plan_and_journal_say(watched: Watched) -> None:
    done = watched.tick()
    assert done.sight is not None
    chain, journal = done.sight.chain, done.journal
    assert chain is not None
    assert journal is not None
    assert watched.value("base_fee_wei") == chain.base_fee
    assert watched.value("fee_ceiling_wei") == ceiling(chain, watched.policy, expected_gas(journal, fees()))
    assert watched.value("signer_balance_wei") == chain.balance
    assert watched.value("reserve_wei") == fees().reserve
    assert watched.value("budget_limit_wei") == fees().daily_budget
    assert watched.value("budget_committed_wei") == sum(journal.today.values()) > 0


def test_a_spike_shows_as_a_capped_fee_and_degrades(operator: Callable[..., Operator]) -> None:
    world = World()
    world.consortium.close_epoch()
    world.network.base_fee = 50 * GWEI
    world.network.mine()
    watched = Watched(operator(world, fee_policy=fees(max_fee=2 * GWEI)))
    assert watched.tick().reason == "fee_capped"
    assert watched.value("fee_cap_active") == 1
    assert watched.value("process_state", "DEGRADED") == 1


def test_a_brake_shows_and_a_blind_tick_leaves_old_numbers_but_says_so(watched: Watched) -> None:
    watched.tick()
    with Orders(watched.operator.path, watched.operator.scope) as orders:
        orders.set_brake(Brake.SOFT, "test", watched.operator.world.now())
    watched.tick()
    assert (watched.value("brake", "soft"), watched.value("brake", "run")) == (1, 0)
    looked = watched.value("last_tick_timestamp_seconds", "looked")
    watched.metrics.feed(Tick((), "the lock"), watched.operator.world.now() + 60, 0.1)
    assert watched.value("last_tick_timestamp_seconds", "looked") == looked
    assert watched.value("last_tick_timestamp_seconds", "blind") == watched.operator.world.now() + 60
    assert watched.value("process_state", "DEGRADED") == 1


def test_every_row_of_the_table_is_fed_and_nothing_else_is_shown(watched: Watched) -> None:
    watched.run(2)
    watched.metrics.heard([HEARD], [HEARD], {HEARD.endpoint: 2})
    watched.metrics.signed(0.002)
    watched.metrics.committed(0.002)
    families = set(re.findall(rf"^# TYPE {PREFIX}(\w+) ", watched.metrics.text().decode(), re.MULTILINE))
    shown = {family for family in families if not family.endswith("_created")}
    assert shown == {metric.name for metric in TABLE}
    fed = {SAMPLE.match(line) for line in watched.metrics.text().decode().splitlines()}
    names = {re.sub(r"_(bucket|sum|count)$", "", match[1]) for match in fed if match}
    assert {metric.name for metric in TABLE} <= names


def test_the_table_names_each_row_once_with_its_labels() -> None:
    text = table_text().splitlines()
    assert len(text) == 2 + len(TABLE) == 2 + len({metric.name for metric in TABLE})
    assert any("`hybrid_relayer_rpc_up` | gauge | `chain` `log` `endpoint` |" in line for line in text)


@pytest.mark.parametrize(
    ("made", "still_open", "count"),
    [
        ((), (3,), 0),
        ((3,), (3,), 0),
        ((3,), (3, 3), 1),
        ((3, 4), (3, 3, 4), 1),
        ((3, 3), (3, 3), 1),
        ((3, 3), (3,) * 5, 2),
    ],
)
def test_a_bump_is_an_attempt_that_was_not_the_first(made: Any, still_open: Any, count: int) -> None:
    assert bumps(made, still_open) == count


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (SendAnswer(None, "", b"h" * 32), "accepted"),
        (SendAnswer(None, "", b"x" * 32), "other_hash"),
        (SendAnswer(-32000, "nonce too low", None), "refused"),
        (SendAnswer(None, "Unreachable", None), "unreachable"),
    ],
)
def test_answers_to_broadcasts_are_told_apart(answer: SendAnswer, found: str) -> None:
    assert send_class(SendRow(b"h" * 32, "own", answer.code, answer.message, answer.tx_hash, 0)) == found


def test_a_nonce_used_by_another_wallet_is_counted(watched: Watched) -> None:
    watched.tick()
    operator = watched.operator
    operator.world.network.evict()
    use_nonce(operator, Nonce(0))
    use_nonce(operator, Nonce(1))
    operator.world.network.mine()
    watched.run(1)
    assert watched.value("nonce_unexplained") == 1  # nonce 1 is none of ours, and not final yet
    watched.run(DEPTH)
    assert (watched.value("foreign_nonces_total"), watched.value("nonce_unexplained")) == (2, 0)
    lift_halt(operator)
    watched.run(DEPTH + 4)
    assert watched.value("foreign_nonces_total") == 2
    assert watched.value("attempts_final_total", "LOST") == 1
    assert watched.value("effective_anchors_total") == 1


def test_raises_are_counted_and_the_line_is_measured(operator: Callable[..., Operator]) -> None:
    world = World()
    world.consortium.close_epoch()
    watched = Watched(operator(world, fee_policy=fees(bump_blocks=3)))
    watched.tick()
    world.network.base_fee = 30 * GWEI  # nothing of ours is mined any more
    for _ in range(2):
        world.network.mine()
        watched.tick()
    assert watched.value("first_in_line_age_blocks") == 2
    world.network.mine(4)
    watched.tick()
    assert watched.value("bumps_total") == (watched.value("attempts_total", "anchor") or 0) - 1 >= 1
    assert watched.value("first_in_line_age_blocks") == 0  # the raised one is mined


def test_a_lost_race_is_told_from_a_revert_of_our_own(operator: Callable[..., Operator]) -> None:
    world = World()
    world.consortium.close_epoch()
    first, watched = operator(world), Watched(operator(world, "operator 1"))
    first.tick()
    world.consortium.close_epoch()
    watched.tick()
    world.network.mine()
    watched.run(DEPTH + 5)
    assert watched.value("attempts_final_total", "REVERTED", "stale") == 1
    assert watched.value("attempts_final_total", "REVERTED", "") == 0
    assert watched.value("anchors_by_others_total") == 1


def test_a_halt_and_a_log_that_takes_no_anchors_show(watched: Watched) -> None:
    network, log_id = watched.operator.world.network, watched.operator.world.consortium.log_id
    watched.tick()
    assert (watched.value("log_active"), watched.value("process_state", "HALTED")) == (1, 0)
    network.put_log(log_id, replace(network.newest.logs[log_id], is_frozen=True))
    network.mine()
    watched.tick()
    assert watched.value("log_active") == 0
    log = replace(network.newest.logs[log_id], size=2, root=bytes(32))
    network.put_log(log_id, log)
    same = {"log_id": log_id, "set_id": log.set_id, "block": network.newest.block}
    another_history = event(log.size, root=log.root, timestamp=log.boundary(log.size), **same)
    network.blocks[-1] = replace(network.newest, events=(another_history,))
    network.mine(DEPTH + 1)
    watched.tick()
    assert watched.value("process_state", "HALTED") == 1


def test_an_old_log_without_anchors_is_overdue(operator: Callable[..., Operator]) -> None:
    world = World()
    world.network.mine(400)  # cadence and public blocks are 12 s both, the grace is an hour
    watched = Watched(operator(world))
    watched.tick()
    assert watched.value("overdue") == 1
    assert (watched.value("anchor_lag_seconds", "mined") or 0) > 3600
    assert (watched.value("anchor_lag_size", "mined") or 0) > 300


def test_a_member_that_stops_attesting_falls_behind_and_one_that_answers_does_not(watched: Watched) -> None:
    world = watched.operator.world
    names = [member.name for member in world.consortium.members]
    while world.consortium.size < world.log.size_due(world.now()):
        world.consortium.close_epoch()
    watched.tick()
    assert [watched.value("member_silent_epochs", name) for name in names] == [0, 0, 0, 0]
    world.consortium.members[1].is_silent = True
    for _ in range(3):
        world.network.mine()
        world.consortium.close_epoch()
    watched.tick()
    assert [watched.value("member_silent_epochs", name) for name in names] == [0, 3, 0, 0]
    assert watched.value("anchored_size", "mined") is not None


def test_the_certificate_runs_out_with_the_clock(watched: Watched) -> None:
    watched.tick()
    first = watched.value("certificate_expiry_seconds", "own")
    assert first == BORN + 86_400 - watched.operator.world.now()
    watched.operator.world.network.mine()
    watched.tick()
    assert watched.value("certificate_expiry_seconds", "own") == first - 12


def test_what_endpoints_did_is_told_by_endpoint_and_method(watched: Watched) -> None:
    assert watched.value("rpc_disagreements_total", "head") == 0
    watched.metrics.heard([HEARD, replace(HEARD, method="nonce")], [HEARD], {"own": 3})
    assert watched.value("rpc_seconds_count", "own", "head") == 1
    assert watched.value("rpc_seconds_sum", "own", "nonce") == 0.25
    assert watched.value("rpc_disagreements_total", "own", "head") == 1
    assert watched.value("rpc_head_lag_blocks", "own") == 3


def test_a_tick_that_tells_what_endpoints_did_feeds_it(watched: Watched) -> None:
    @dataclass(frozen=True)
    class Telling(Tick):
        calls: tuple[Heard, ...] = (HEARD,)
        dissents: tuple[Heard, ...] = (HEARD, HEARD)

    watched.metrics.feed(Telling((), "ran"), watched.operator.world.now(), 0.1)
    assert watched.value("rpc_seconds_count", "own", "head") == 1
    assert watched.value("rpc_disagreements_total", "own", "head") == 2


def test_what_an_anchor_cost_is_told_once_it_is_final_and_beside_the_calm_price(watched: Watched) -> None:
    balance = watched.operator.world.network.newest.balances[watched.operator.scope.signer]
    watched.run(DEPTH + 3)
    paid = balance - watched.operator.world.network.newest.balances[watched.operator.scope.signer]
    assert watched.value("anchor_cost_wei_count") == 1
    assert watched.value("anchor_cost_wei_sum") == paid > 0
    assert watched.value("anchor_cost_ratio_sum") == pytest.approx(1.0)
    assert watched.operator.journal is not None
    (final,) = watched.operator.journal.dump().finals
    assert (final.gas_used or 0) * (final.price or 0) == paid


def test_a_cancel_is_no_anchor_and_costs_nothing_here(watched: Watched) -> None:
    watched.tick()
    watched.operator.world.network.evict()
    use_nonce(watched.operator, Nonce(0))
    watched.operator.world.network.mine()
    watched.run(DEPTH + 2)
    lift_halt(watched.operator)
    watched.run(DEPTH + 4)
    assert watched.value("anchor_cost_wei_count") == watched.value("effective_anchors_total") == 1


def test_a_rotation_is_no_anchor_either(watched: Watched) -> None:
    watched.operator.world.appoint(in_sizes=4)
    watched.run(2 * DEPTH + 4)
    assert watched.value("attempts_final_total", "OK", "") == 2
    assert watched.value("anchor_cost_wei_count") == watched.value("effective_anchors_total") == 1


def test_a_reorganisation_is_counted_with_its_depth(watched: Watched) -> None:
    watched.run(3)
    assert watched.value("reorgs_total") == 0
    watched.operator.world.network.reorganise(2, forget=False)
    watched.tick()
    assert watched.value("reorgs_total") == 1
    assert (watched.value("reorg_depth_blocks_sum") or 0) >= 1


def test_missed_ticks_and_the_lease_show(watched: Watched) -> None:
    assert watched.value("ticks_missed_total", "slow") == watched.value("ticks_missed_total", "stalled") == 0
    watched.metrics.missed(3, "slow")
    assert watched.value("ticks_missed_total", "slow") == 3
    watched.tick()
    assert watched.value("lease_held") == 1
    watched.metrics.feed(Tick((), "the lock"), watched.operator.world.now(), 0.1)
    assert watched.value("lease_held") == 0


def test_a_quorum_that_lacks_attestations_says_how_many(watched: Watched) -> None:
    world = watched.operator.world
    while world.consortium.size < world.log.size_due(world.now()):
        world.consortium.close_epoch()
    watched.tick()
    assert watched.value("quorum_missing") == 0
    for member in world.consortium.members[:2]:
        member.is_silent = True
    world.network.mine()
    world.consortium.close_epoch()
    watched.tick()
    assert watched.value("quorum_missing") == 1  # two of four attest, three are a quorum


def test_our_clock_is_compared_with_the_newest_pins(watched: Watched) -> None:
    watched.tick()
    assert watched.value("clock_skew_seconds") == watched.value("pinned_age_seconds")
