"""Single faults, written out: pools that forget, heads that move, keys used elsewhere, chains that lie.

Numbers of cases are those of the table in RELAYER §7.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.public_transaction import PublicTransaction, decode_signed
from hybrid_bridge.errors import RootMismatch, StoreBroken, Unreachable
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.memory_chain import GWEI, MemoryChain
from hybrid_bridge.units import Wei
from relayers.desk import Desk, Orders
from relayers.journal import Brake, IntentState, JournalDump, Outcome
from relayers.relay import tick
from tests.crash.relay_world import DEPTH, ETHER, Operator, World, fees, lift_halt, settle


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Operator]]:
    """Operators of one world, closed at the end."""
    made: list[Operator] = []

    def one(name: str = "operator 0", **settings: Any) -> Operator:
        world = made[0].world if made else World()
        made.append(Operator(world, tmp_path / f"{name}.db", name=name, **settings))
        return made[-1]

    yield one
    for operator in made:
        operator.close()


@pytest.fixture
def operator(make: Callable[..., Operator]) -> Operator:
    operator = make()
    operator.world.network.mine()
    return operator


def epoch(operator: Operator) -> None:
    operator.world.consortium.close_epoch()


def sent(operator: Operator) -> Any:
    """An epoch, and a tick that sent its anchor."""
    epoch(operator)
    report = operator.tick()
    assert report is not None
    assert report.done[-1] == "Send"
    return operator.world.network.pending[-1]


def dump(operator: Operator) -> JournalDump:
    operator.relayer()
    assert operator.journal is not None
    return operator.journal.dump()


def anchored(operator: Operator) -> list[int]:
    return [event.tree_size for event in operator.world.network.events()]


def order(operator: Operator, brake: Brake) -> None:
    """A person sets the brake beside the running relayer."""
    with Orders(operator.path, operator.scope) as orders:
        orders.set_brake(brake, "test", operator.world.now())


def use_nonce(operator: Operator, nonce: int) -> None:
    """A wallet sends with the relayer's key."""
    network, signer = operator.world.network, operator.signer
    transaction = UnsignedTransaction(
        chain_id=network.chain_id,
        nonce=nonce,
        to=signer.address(),
        value=0,
        data=b"",
        gas=21_000,
        max_fee=50 * GWEI,
        tip=5 * GWEI,
    )
    assert network.offer(signer.sign(transaction)).tx_hash is not None


def test_evicted_bytes_are_sent_again_unchanged(operator: Operator) -> None:
    """Case 10."""
    first = sent(operator)
    operator.world.network.evict()
    operator.tick()
    assert operator.world.network.pending == (first,)
    settle([operator])
    assert anchored(operator) == [2]
    assert operator.fsck() == []


@pytest.mark.parametrize("forget", [True, False])
@pytest.mark.parametrize("depth", range(1, DEPTH))
def test_a_shallow_reorganisation_is_only_a_resend(operator: Operator, depth: int, forget: bool) -> None:
    """Cases 13, 14."""
    for _ in range(DEPTH):
        sent(operator)
        operator.world.network.mine()
    operator.world.network.reorganise(depth, forget=forget)
    settle([operator])
    assert anchored(operator)[-1] == operator.world.consortium.size
    assert anchored(operator) == sorted(set(anchored(operator)))
    assert operator.fsck() == []


def test_a_reorganisation_beyond_what_was_final_halts_and_overwrites_nothing(operator: Operator) -> None:
    """Case 16."""
    sent(operator)
    settle([operator])
    before = dump(operator)
    operator.world.network.reorganise(DEPTH + 3, forget=True)
    report = operator.tick()
    assert report is not None
    assert report.done == ("Halt",)
    assert operator.journal is not None
    assert operator.journal.view(operator.world.now()).halted == "finality_violation"
    assert dump(operator).headers == before.headers
    assert operator.tick().reason == "halted"  # type: ignore[union-attr]
    assert {finding.promise for finding in operator.fsck()} >= {"S3"}


def test_a_base_fee_spike_raises_to_the_ceiling_and_stops_there(make: Callable[..., Operator]) -> None:
    """Case 8."""
    operator = make(fee_policy=fees(max_fee=Wei(40 * GWEI), bump_blocks=2))
    operator.world.network.mine()
    sent(operator)
    operator.world.network.base_fee = Wei(30 * GWEI)
    for _ in range(40):
        operator.tick()
        operator.world.network.mine()
    fees_offered = [attempt.max_fee for attempt in dump(operator).attempts]
    assert all(8 * new >= 9 * old for old, new in itertools.pairwise(fees_offered))
    assert max(fees_offered) <= 40 * GWEI
    operator.world.network.base_fee = Wei(GWEI)
    settle([operator])
    assert anchored(operator) == [2]
    assert operator.fsck() == []


def test_a_nonce_used_by_another_wallet_halts_when_final_and_the_anchor_goes_on_after_a_look(
    operator: Operator,
) -> None:
    """Case 12."""
    ours = sent(operator)
    operator.world.network.evict()
    use_nonce(operator, ours.transaction.nonce)
    operator.world.network.mine(DEPTH + 1)
    report = operator.tick()
    assert report is not None
    assert report.done[-2:] == ("CloseSlot", "Halt")
    again = operator.tick()
    assert again is not None
    assert (again.done, again.reason) == ((), "halted")
    lift_halt(operator)
    settle([operator])
    slots = dump(operator).slots
    assert [(slot.nonce, slot.is_foreign) for slot in slots] == [(0, True), (1, False)]
    assert anchored(operator) == [2]


def test_a_hole_below_an_open_slot_is_filled_from_the_lowest(operator: Operator) -> None:
    """Case 11."""
    use_nonce(operator, 0)
    operator.world.network.mine()
    high = sent(operator)
    assert high.transaction.nonce == 1
    operator.world.network.reorganise(1, forget=True)
    operator.world.network.evict()
    settle([operator])
    slots = dump(operator).slots
    assert [slot.nonce for slot in slots] == [0, 1]
    assert anchored(operator) == [2]
    assert operator.fsck() == []


def test_another_operators_anchor_first_makes_ours_superseded_or_harmless(
    operator: Operator, make: Callable[..., Operator]
) -> None:
    """Case 15: the same checkpoint twice in one public block: the second is a no-op."""
    other = make("operator 1")
    epoch(operator)
    operator.tick()
    other.tick()
    operator.world.network.mine()
    assert anchored(operator) == [2]
    settle([operator, other])
    outcomes = [final.outcome for each in (operator, other) for final in dump(each).finals]
    assert sorted(outcomes) == [Outcome.NOOP, Outcome.OK]
    assert {intent.state for each in (operator, other) for intent in dump(each).intents} == {IntentState.FINALIZED}
    for each in (operator, other):
        assert each.fsck() == []


def test_a_lost_race_reverts_once_and_is_not_counted_as_our_fault(
    operator: Operator, make: Callable[..., Operator]
) -> None:
    """Case 28."""
    other = make("operator 1")
    epoch(operator)
    operator.tick()
    epoch(operator)
    other.tick()
    operator.world.network.mine()
    settle([other])
    finals = {final.outcome: final.reason for final in dump(other).finals}
    assert finals == {Outcome.REVERTED: "stale", Outcome.OK: ""}
    assert anchored(operator) == [2, 3]


def test_a_paused_contract_is_waited_for_and_a_frozen_one_only_watched(operator: Operator) -> None:
    """Case 28."""
    network, log_id = operator.world.network, operator.world.consortium.log_id
    log = network.newest.logs[log_id]
    network.put_log(log_id, replace(log, paused_until=network.newest.block.time + 30))
    epoch(operator)
    assert operator.tick().reason == "log_paused"  # type: ignore[union-attr]
    network.mine(3)
    assert operator.tick().done[-1] == "Send"  # type: ignore[union-attr]
    network.mine()
    network.put_log(log_id, replace(network.newest.logs[log_id], is_frozen=True))
    epoch(operator)
    assert operator.tick().reason == "log_frozen"  # type: ignore[union-attr]


def test_an_unreachable_chain_signs_nothing_and_keeps_old_bytes_alive(operator: Operator) -> None:
    """Case 19."""
    sent(operator)
    operator.endpoint.is_down = True
    report = operator.tick()
    assert report is not None
    assert (report.done, report.reason) == (("Send",), "no_rpc_quorum")
    assert "Unreachable" in report.blind
    operator.endpoint.is_down = False
    settle([operator])
    assert anchored(operator) == [2]


def test_a_balance_too_low_for_an_anchor_waits_and_resumes_after_a_top_up(operator: Operator) -> None:
    """Case 23."""
    address = operator.signer.address()
    operator.world.network.fund(address, Wei(3 * ETHER // 10))
    epoch(operator)
    assert operator.tick().reason == "low_balance"  # type: ignore[union-attr]
    operator.world.network.fund(address, Wei(ETHER))
    settle([operator])
    assert anchored(operator) == [2]


def test_the_brakes_hold_and_let_go(operator: Operator) -> None:
    """Case 30."""
    sent(operator)
    order(operator, Brake.HARD)
    received = len(operator.world.network.received)
    assert operator.tick().reason == "braked"  # type: ignore[union-attr]
    assert len(operator.world.network.received) == received
    order(operator, Brake.SOFT)
    epoch(operator)
    settle([operator])
    assert anchored(operator) == [2]
    order(operator, Brake.RUN)
    settle([operator])
    assert anchored(operator) == [2, 3]


def test_a_chain_with_another_history_halts_with_signed_evidence(operator: Operator) -> None:
    epoch(operator)
    network, log_id = operator.world.network, operator.world.consortium.log_id
    forged = replace(network.newest.logs[log_id], size=2, root=bytes(32))
    network.put_log(log_id, forged)
    network.mine(DEPTH + 1)
    report = operator.tick()
    assert report is not None
    assert report.done == ("RecordHeader", "Halt")
    assert operator.journal is not None
    evidence = json.loads(operator.journal.halt_evidence() or "")
    assert evidence["anchored"] == bytes(32).hex()
    assert len(evidence["attestations"]) == 3


class Forger:
    """A signer that pays itself."""

    def __init__(self, honest: Any) -> None:
        self._honest = honest

    def address(self) -> Any:
        return self._honest.address()

    def sign(self, transaction: UnsignedTransaction) -> Any:
        fields = {name: getattr(transaction, name) for name in PublicTransaction.__slots__}
        return self._honest.sign(UnsignedTransaction(**fields | {"to": b"\x66" * 20, "value": ETHER}))


def test_a_signer_that_returns_other_bytes_halts_before_anything_is_stored_or_sent(operator: Operator) -> None:
    """Case 32."""
    epoch(operator)
    operator.signer = Forger(operator.signer)  # type: ignore[assignment]
    report = operator.tick()
    assert report is not None
    assert operator.journal is not None
    assert operator.journal.view(operator.world.now()).halted == "signer_lied"
    assert report.done[-1] == "Halt"
    assert operator.world.network.received == []
    assert dump(operator).attempts == ()


def test_a_signer_that_is_late_only_ends_the_tick(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case 32."""
    epoch(operator)
    with monkeypatch.context() as patched:
        patched.setattr(operator.signer, "sign", raising(Unreachable(endpoint="signer", call="sign")))
        report = operator.tick()
    assert report is not None
    assert report.reason.startswith("MakeAttempt: Unreachable")
    assert operator.tick().done == ("MakeAttempt", "Send")  # type: ignore[union-attr]


def test_what_would_revert_is_not_signed(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch(operator)
    refused = RootMismatch(expected=bytes(32), calculated=bytes(32))
    monkeypatch.setattr(MemoryChain, "simulate", lambda *_: raising(refused)())
    report = operator.tick()
    assert report is not None
    assert report.reason.startswith("MakeAttempt: RootMismatch")
    assert dump(operator).attempts == ()


def raising(error: Exception) -> Any:
    def answer(*_: object) -> Any:
        raise error

    return answer


def test_gas_beyond_what_one_anchor_may_cost_is_not_signed(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    epoch(operator)
    monkeypatch.setattr(MemoryChain, "simulate", lambda *_: 10**8)
    operator.fee_policy = fees(max_gas=10**8)
    report = operator.tick()
    assert report is not None
    assert "SpendCapped" in report.reason
    assert dump(operator).attempts == ()


@pytest.mark.parametrize("gas", [0, 20_999])
def test_a_simulation_below_what_any_transaction_uses_is_none(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, gas: int
) -> None:
    """A transaction without gas would have no ceiling either: the process ended by a division."""
    epoch(operator)
    monkeypatch.setattr(MemoryChain, "simulate", lambda *_: gas)
    report = operator.tick()
    assert report is not None
    assert report.reason.startswith("MakeAttempt: AnswerMalformed")
    assert dump(operator).attempts == ()


def test_the_second_tick_on_the_same_world_changes_nothing_but_the_history_of_sends(operator: Operator) -> None:
    sent(operator)
    before = dump(operator)
    operator.tick()
    after = dump(operator)
    assert len(after.sends) == len(before.sends) + 1
    assert replace(after, sends=before.sends) == before


def test_every_byte_that_left_was_in_the_journal_first(operator: Operator) -> None:
    for _ in range(3):
        sent(operator)
        operator.world.network.mine()
    known = {attempt.raw for attempt in dump(operator).attempts}
    assert set(operator.world.network.received) == known
    assert all(decode_signed(raw).sender == operator.signer.address() for raw in known)


def test_a_tick_ends_after_its_last_permitted_action_and_the_next_goes_on(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch(operator)
    monkeypatch.setattr("relayers.relay.MAX_ACTIONS", 2)
    reports = [operator.tick() for _ in range(3)]
    assert [report.done for report in reports if report] == [
        ("RecordHeader", "OpenIntent"),
        ("OpenSlot", "MakeAttempt"),
        ("Send",),
    ]
    assert [report.reason for report in reports if report] == ["more_to_do", "more_to_do", "in_flight"]


def test_a_broken_journal_ends_the_process(operator: Operator) -> None:
    epoch(operator)
    operator.relayer()
    assert operator.journal is not None
    operator.journal.open_slot = raising(StoreBroken(store="journal", rule="a test"))  # type: ignore[method-assign]
    with pytest.raises(StoreBroken):
        operator.tick()


@pytest.mark.parametrize("lie", [21_000, 10**9])
def test_one_endpoints_word_about_gas_is_not_enough(operator: Operator, lie: int) -> None:
    """A liar listed first could starve each anchor of gas until three reverts halt the relayer, or price it out."""

    class Liar(MemoryChain):
        def simulate(self, *_: object) -> Any:
            return lie

    epoch(operator)
    network = operator.world.network
    endpoints = (Liar(network), operator.endpoint, MemoryChain(network))
    honest = operator.relayer()
    observer = replace(honest.observer, endpoints=endpoints, quorum=2)
    tick(replace(honest, observer=observer))
    (attempt,) = dump(operator).attempts
    assert 21_000 * 6 // 5 < attempt.gas < 1_000_000


def test_an_endpoint_that_serves_another_chain_mid_run_is_left_out_until_it_serves_ours(operator: Operator) -> None:
    """Case 22: nothing is signed on its word; when it serves our chain again, or came up late, it counts again."""

    class Changing(MemoryChain):
        served: int | None = None
        simulated = 0

        def chain_id(self) -> Any:
            return self.served or super().chain_id()

        def simulate(self, *arguments: Any) -> Any:
            self.simulated += 1
            return super().simulate(*arguments)

    network = operator.world.network
    third, late = Changing(network, "third", DEPTH), MemoryChain(network, "late", DEPTH)
    late.is_down = True
    honest = operator.relayer()
    endpoints = (third, operator.endpoint, MemoryChain(network, "fourth", DEPTH), late)
    relayer = replace(honest, observer=replace(honest.observer, endpoints=endpoints, quorum=2))
    asked = []
    for served, is_down in ((None, True), (1, True), (None, False)):
        third.served, late.is_down = served, is_down
        epoch(operator)
        report = tick(relayer)
        assert report.done[-1] == "Send", report
        asked.append((third.simulated, [note.split(":")[0] for note in report.notes]))
        network.mine()
    assert asked == [
        (1, ["late is left out"]),
        (1, ["third is left out", "late is left out"]),
        (2, []),
    ]


def test_a_quorum_of_endpoints_on_another_chain_ends_the_run_and_signs_nothing(operator: Operator) -> None:
    """Case 22."""
    epoch(operator)
    relayer = operator.relayer()
    operator.world.network.chain_id = 1
    with pytest.raises(StoreBroken):
        tick(relayer)
    assert operator.world.network.received == []


def test_a_doomed_attempt_at_the_ceiling_frees_its_nonce_once_the_price_has_fallen(tmp_path: Path) -> None:
    """Evicted in a spike, too dear to be raised: without its own stale revert no later anchor could ever be sent."""
    world = World()
    ours = Operator(world, tmp_path / "a.db", name="operator 0", fee_policy=fees(max_fee=Wei(20 * GWEI)))
    other = Operator(world, tmp_path / "b.db", name="operator 1")
    network = world.network
    network.base_fee = Wei(19 * GWEI // 2)
    network.mine(8)
    world.consortium.close_epoch()
    other.tick()
    world.consortium.close_epoch()
    ours.tick()
    (attempt,) = dump(ours).attempts
    network.mine(only=[pending.hash for pending in network.pending if pending.hash != attempt.hash])
    network.evict(attempt.hash)
    network.base_fee = Wei(GWEI)
    for _ in range(30):
        ours.tick()
        network.mine()
    assert network.events()[-1].tree_size == world.consortium.size
    assert ours.fsck() == []
    other.close()


def test_each_place_of_an_attempt_is_written_down_once_and_another_history_is_another_place(operator: Operator) -> None:
    """Case 13: what was seen before a reorganisation stays written; nothing rests on it."""
    network, ours = operator.world.network, sent(operator).hash

    def seen() -> list[tuple[int, int]]:
        with Desk(operator.path, operator.scope) as desk:
            return [(row.block_number, row.status) for row in desk.sightings([ours])]

    operator.tick()
    assert seen() == []
    first = network.mine().block.number
    operator.tick()
    operator.tick()
    assert seen() == [(first, 1)]
    network.reorganise(1, forget=False)
    second = network.mine().block.number
    assert second == first + 1
    for _ in range(DEPTH + 3):
        operator.tick()
        network.mine()
    assert seen() == [(first, 1), (second, 1)]
    assert operator.fsck() == []


def test_an_attempt_that_is_first_seen_when_it_is_final_is_written_down_before_its_slot_closes(
    operator: Operator,
) -> None:
    ours = sent(operator).hash
    final = operator.world.network.mine(DEPTH + 2)
    report = operator.tick()
    assert report is not None
    assert "CloseSlot" in report.done
    with Desk(operator.path, operator.scope) as desk:
        (row,) = desk.sightings([ours])
    assert (row.block_number, row.status) == (final.block.number - DEPTH - 1, 1)
