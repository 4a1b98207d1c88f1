"""Faults written out, on the simulated world: what chance finds too seldom, and what mutants are held against.

Each function is a whole story and needs no fixture, so that `tests.mutants` may play it too. The oracle judges every
effect while they run; numbers of cases are those of the table in RELAYER §7.
"""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.signing import (
    HALF_ORDER,
    ORDER,
    address_of,
    normalise,
    public_key_of,
    require_signature,
    sign_digest,
)
from hybrid_bridge.errors import FieldMalformed, SignatureWrong
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.crashing import Killed
from hybrid_bridge.testing.memory_chain import MemoryBlock
from hybrid_bridge.testing.memory_members import key
from hybrid_bridge.units import EcdsaSignature, Gas, TreeSize, Wei
from relayers.journal import Brake, IntentState, Outcome, SlotRow
from relayers.relay import Tick
from tests.simulation import oracle
from tests.simulation.consortium import whole
from tests.simulation.endpoints import DEPTH, FAR, FAR_UP, LIES
from tests.simulation.memory_journal import lift_halt, order
from tests.simulation.network import Network
from tests.simulation.operator import FEES, GWEI, TURNS, Interruption, Operator
from tests.simulation.signer import Signer
from tests.simulation.world import World


def stage(**fees: int) -> tuple[World, Operator]:
    """A world with one operator, and a public block."""
    world = World()
    operator = world.operator(TURNS, replace(FEES, **fees))  # type: ignore[arg-type]
    world.network.mine()
    return world, operator


def looked(operator: Operator, *plan: Interruption) -> Tick:
    report = operator.tick(*plan)
    assert report is not None
    return report


def sent(world: World, operator: Operator) -> None:
    """An epoch, and a tick that sends its anchor."""
    world.consortium.close_epoch()
    report = looked(operator)
    assert report.done[-1] == "Send", report.reason


def anchored(world: World) -> list[int]:
    return [event.tree_size for event in world.network.events()]


def settled(
    world: World, within: int = DEPTH + 5, before: Callable[[Operator], object] = lambda operator: None
) -> None:
    """L1, L2: the newest checkpoint is final, nothing is open."""
    for _ in range(within):
        world.round(before)
    for operator in world.operators:
        assert operator.store.open_intents == set()
        assert len(operator.store.open_attempts) <= 1, "a slot that others wait for is open"
        oracle.ended(operator)
    assert anchored(world)[-1] == world.consortium.size, "the newest checkpoint is not anchored"


def die() -> None:
    raise Killed


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def about_to_bump() -> tuple[World, Operator]:
    world, operator = stage(bump_blocks=3)
    sent(world, operator)
    world.network.base_fee = Wei(6 * GWEI)
    world.network.mine(3)
    return world, operator


def test_a_crash_at_any_effect_of_a_bump_leaves_two_attempts_and_one_anchor() -> None:
    """Case 5: both hashes are tracked, and whichever is mined settles the duty."""
    _, operator = about_to_bump()
    assert "MakeAttempt" in looked(operator).done
    effects = len(operator.process.seen) if operator.process else 0
    assert effects >= 5
    for number in range(effects):
        for when in ("before", "after"):
            for mined in (0, -1):
                world, operator = about_to_bump()
                assert operator.tick(Interruption(number, when, die)) is None
                operator.tick()
                first_or_last = list(operator.store.attempts)[mined]
                world.network.base_fee = Wei(GWEI)
                if mined == 0:
                    world.network.evict()
                    world.network.offer(operator.store.attempts[first_or_last].raw)
                world.network.mine(1, only=[first_or_last])
                settled(world)
                outcomes = [final.outcome for final in operator.store.finals.values()]
                assert outcomes.count(Outcome.OK) == 1
                assert set(outcomes) <= {Outcome.OK, Outcome.LOST}
                assert anchored(world) == [2]


def test_a_second_process_at_any_effect_takes_the_key_and_the_first_writes_nothing_more() -> None:
    """Case 25, in memory: S6 at every point, and no nonce twice."""
    number, effects = 0, 1
    while number < effects:
        world, operator = stage()
        world.consortium.close_epoch()

        def other(operator: Operator = operator) -> None:
            operator.start()
            operator.tick()

        first = operator.start()
        operator.tick(Interruption(number, "after", other))
        effects = max(effects, len(first.seen))
        settled(world)
        assert anchored(world) == [2]
        assert list(operator.store.slots) == [0]
        number += 1
    assert operator.fenced or number > 5


def test_a_restarted_process_has_only_sends_left_after_two_ticks() -> None:
    """RELAYER §8: recovery, after a crash at each effect."""
    for number in range(14):
        world, operator = stage()
        world.consortium.close_epoch()
        operator.tick(Interruption(number, "after", die))
        looked(operator)
        assert set(looked(operator).done) <= {"Send"}


# ── nonces ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_hole_below_an_open_slot_is_filled_from_the_lowest() -> None:
    """Case 11: somebody else's transaction below ours vanishes, and pools would keep ours for ever."""
    world, operator = stage()
    world.use_nonce(operator)
    world.network.mine()
    sent(world, operator)
    assert list(operator.store.slots) == [1]
    world.network.reorganise(1, forget=True)
    world.network.evict()
    settled(world)
    assert list(operator.store.slots) == [1, 0]
    assert anchored(world) == [2]


def test_slots_behind_the_lowest_are_never_bumped() -> None:
    """Case 11: two slots unmined again, the fee above the ceiling, and many public blocks of waiting."""
    world, operator = stage(bump_blocks=2, max_fee=12 * GWEI)
    for _ in range(2):
        sent(world, operator)
        world.network.mine()
    world.network.reorganise(2, forget=True)
    world.network.base_fee = Wei(11 * GWEI)
    for _ in range(12):
        looked(operator)
        world.network.mine()
    behind = [a for a in operator.store.attempts.values() if a.nonce == 1]
    assert len(behind) == 1
    assert behind[0].raw in world.network.received[-6:]  # it is kept alive all the same
    world.network.base_fee = Wei(GWEI)
    settled(world)
    assert len([a for a in operator.store.attempts.values() if a.nonce == 1]) == 1


def halted_elsewhere(world: World, operator: Operator) -> str:
    """Rounds until it halts; the nonce of the evidence. Nothing is signed or sent any more."""
    for _ in range(DEPTH + 2):
        world.round()
    assert operator.store.control.halted == "key_elsewhere"
    before = len(world.network.received), len(operator.signer.asked)
    world.round()
    assert (len(world.network.received), len(operator.signer.asked)) == before
    found: dict[str, str] = json.loads(operator.store.control.evidence or "{}")
    assert found["hash"] in {header.hash.hex() for header in operator.store.headers.values()}
    return found["nonce"]


def test_a_nonce_used_by_a_wallet_halts_and_the_anchor_goes_on_when_a_person_has_looked() -> None:
    """Case 12."""
    world, operator = stage()
    sent(world, operator)
    world.network.evict()
    world.use_nonce(operator)
    world.network.mine()
    assert halted_elsewhere(world, operator) == "0"
    lift_halt(operator.store, operator.now())
    settled(world)
    assert [(slot.nonce, slot.is_foreign) for slot in operator.store.slots.values()] == [(0, True), (1, False)]
    assert (anchored(world), operator.store.control.halted) == ([2], None)


def test_nonces_that_a_wallet_used_behind_our_back_are_accounted_for_and_halt_once() -> None:
    """Case 12: nothing of ours was under way."""
    world, operator = stage()
    sent(world, operator)
    settled(world)
    for _ in range(3):
        world.use_nonce(operator)
        world.network.mine()
    world.network.mine(DEPTH)
    assert halted_elsewhere(world, operator) == "3"
    lift_halt(operator.store, operator.now())
    world.consortium.close_epoch()
    settled(world)
    slots = operator.store.slots.values()
    assert [(slot.nonce, slot.is_foreign) for slot in slots] == [
        (0, False),
        (1, True),
        (2, True),
        (3, True),
        (4, False),
    ]
    assert (anchored(world), operator.store.control.halted) == ([2, 3], None)


def test_a_halt_for_the_key_outlives_a_crash_at_the_commit_that_found_it() -> None:
    world, operator = stage()
    sent(world, operator)
    settled(world)
    for _ in range(2):
        world.use_nonce(operator)
    world.network.mine(DEPTH + 1)

    def die() -> None:
        raise Killed

    for number in range(6):  # before each write, and after it
        for when in ("before", "after"):
            operator.tick(Interruption(number, when, die))
    looked(operator)
    assert operator.store.control.halted == "key_elsewhere"


def test_what_a_key_did_before_its_first_slot_halts_nobody() -> None:
    world, operator = stage()
    world.use_nonce(operator)
    world.network.mine(DEPTH + 1)
    sent(world, operator)
    settled(world)
    assert list(operator.store.slots) == [1]
    assert anchored(world) == [2]


def test_above_a_nonce_that_is_not_ours_nothing_is_signed_and_once_final_it_halts() -> None:
    """Case 12: ours is mined and not final, a wallet used the next one."""
    world, operator = stage()
    sent(world, operator)
    world.network.mine()
    world.use_nonce(operator)
    world.network.mine()
    world.consortium.close_epoch()
    assert looked(operator).reason == "nonce_ahead"
    assert [attempt.nonce for attempt in operator.store.attempts.values()] == [0]
    assert halted_elsewhere(world, operator) == "1"
    lift_halt(operator.store, operator.now())
    settled(world)
    slots = operator.store.slots.values()
    assert [(slot.nonce, slot.is_foreign) for slot in slots] == [(0, False), (1, True), (2, False)]
    assert anchored(world) == [2, 3]


def test_a_nonce_that_is_not_ours_and_is_given_back_by_a_reorganisation_halts_nobody() -> None:
    """Case 12: what is not final is waited for, and nothing more."""
    world, operator = stage()
    sent(world, operator)
    settled(world)
    world.use_nonce(operator)
    world.network.mine()
    world.consortium.close_epoch()
    assert looked(operator).reason == "nonce_ahead"
    world.network.reorganise(1, forget=True)
    world.network.evict()
    settled(world)
    assert list(operator.store.slots) == [0, 1]
    assert (anchored(world), operator.store.control.halted) == ([2, 3], None)


@pytest.mark.parametrize("lie", FAR_UP)
def test_a_quorum_that_says_a_nonce_far_up_has_nothing_signed_on_it_and_leaves_no_hole(lie: str) -> None:
    """Case 18, of so many that the panel believes them: as one endpoint alone does where the operator has no other."""
    world, operator = stage()
    sent(world, operator)
    settled(world)
    for endpoint in operator.endpoints[:2]:
        endpoint.become(lie)
    world.consortium.close_epoch()
    asked = len(operator.signer.asked)
    for _ in range(DEPTH + 3):
        world.network.mine()
        operator.tick()
    assert list(operator.store.slots) == [0]
    assert len(operator.signer.asked) == asked
    assert operator.store.control.halted == ("key_elsewhere" if lie == "nonce far up" else None)
    world.heal()
    if operator.store.control.halted:
        lift_halt(operator.store, operator.now())
    settled(world)
    assert list(operator.store.slots) == [0, 1]
    assert anchored(world) == [2, 3]


def test_a_first_nonce_taken_far_up_costs_nothing_once_the_truth_is_told() -> None:
    """Case 18: the journal knew of no nonce yet, so nothing contradicted the lie; no cancel is paid to reach it."""
    world, operator = stage()
    for endpoint in operator.endpoints[:2]:
        endpoint.become("nonce far up")
    world.consortium.close_epoch()
    operator.tick()
    assert list(operator.store.slots) == [FAR]
    world.heal()
    for _ in range(DEPTH + 3):
        world.network.mine()
        assert looked(operator).reason == "nonce_gap"
    assert list(operator.store.slots) == [FAR]
    assert {attempt.nonce for attempt in operator.store.attempts.values()} == {FAR}
    assert anchored(world) == []


def test_nonces_that_a_quorum_called_used_for_good_are_told_and_waited_on_once_the_truth_is_told() -> None:
    """Case 18, a lie so small that it was written down: the rows stay, and what contradicts them is no lag."""
    world, operator = stage()
    sent(world, operator)
    settled(world)
    for nonce in (1, 2):  # as a quorum that was believed left them; the oracle lets nobody believe it here
        operator.store.slots[nonce] = SlotRow(nonce, world.network.newest.block.hash, is_foreign=True)
    world.consortium.close_epoch()
    for _ in range(DEPTH + 3):
        world.network.mine()
        assert looked(operator).reason == "nonce_behind"
    assert list(operator.store.slots) == [0, 1, 2]
    assert anchored(world) == [2]


def test_a_slot_outlives_its_duty() -> None:
    """Another operator fulfils the duty while our nonce is not used up: the next anchor uses that same nonce."""
    world, operator = stage()
    other = world.operator(TURNS, FEES)
    sent(world, operator)
    world.network.evict()
    other.turns = operator.turns
    looked(other)
    for _ in range(DEPTH + 2):
        world.network.mine()
        looked(operator)
    assert operator.store.open_intents == set()
    assert list(operator.store.open_attempts) == [0]
    world.consortium.close_epoch()
    settled(world)
    assert list(operator.store.slots) == [0]
    assert anchored(world) == [2, 3]


def test_a_pool_that_holds_another_transaction_of_our_nonce_is_outbid() -> None:
    """`replace_low` does not say that ours is in the pool."""
    world, operator = stage(bump_blocks=3)
    world.network.base_fee = Wei(6 * GWEI)
    world.network.mine()
    world.network.base_fee = Wei(GWEI)
    world.network.mine()
    offered = Signer(operator.name, world.random).sign(_transfer(operator, max_fee=4 * GWEI, tip=GWEI))
    hidden = world.network.offer(offered).tx_hash
    assert hidden is not None
    world.network.wallets.add(hidden)
    operator.wallet_used = True
    world.consortium.close_epoch()
    looked(operator)
    assert any("underpriced" in send.message for send in operator.store.sends)
    for _ in range(20):
        looked(operator)
        world.network.mine(1, only=[tx.hash for tx in world.network.pending if tx.hash != hidden])
    assert anchored(world) == [2]


def _transfer(operator: Operator, max_fee: int, tip: int) -> UnsignedTransaction:
    me = operator.scope.signer
    return UnsignedTransaction(chain_id=1337, nonce=0, to=me, value=0, data=b"", gas=21_000, max_fee=max_fee, tip=tip)


# ── heads that move ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_attempt_that_would_revert_is_not_sent_again_while_nothing_is_gained() -> None:
    """Its size is right and its beginning is not: the head moved. Too dear to be replaced, it lies."""
    world, operator = stage(max_fee=12 * GWEI)
    other = world.operator(TURNS, FEES)
    other.turns = operator.turns
    sent(world, other)
    sent(world, operator)
    (doomed,) = operator.store.attempts
    world.network.mine(1, only=[tx.hash for tx in world.network.pending if tx.hash != doomed])
    world.network.evict()
    world.network.base_fee = Wei(40 * GWEI)
    world.network.mine()
    before = len(world.network.received)
    for _ in range(4):
        looked(operator)
        world.network.mine()
    assert len(world.network.received) == before
    world.network.base_fee = Wei(GWEI)
    settled(world, within=2 * DEPTH + 10)


def test_a_reorganisation_that_puts_anothers_anchor_first_makes_ours_harmless_or_replaced() -> None:
    """Case 15: the same checkpoint is a no-op; a smaller one of theirs makes ours revert once, counted as a lost race."""
    for epochs in (0, 1):
        world, operator = stage()
        other = world.operator(TURNS, FEES)
        other.turns = operator.turns
        world.consortium.close_epoch()
        looked(other)
        world.network.evict()
        (theirs,) = other.store.attempts.values()
        for _ in range(epochs):
            world.consortium.close_epoch()
        looked(operator)
        world.network.mine()
        world.network.reorganise(1, forget=False)
        ours = world.network.pending
        world.network.evict()
        for raw in (theirs.raw, *(a.raw for a in operator.store.attempts.values())):
            world.network.offer(raw)
        assert len(world.network.pending) == len(ours) + 1
        world.network.mine()
        settled(world)
        assert anchored(world) == sorted(set(anchored(world)))
        reverted = [f.reason for f in operator.store.finals.values() if f.outcome is Outcome.REVERTED]
        assert reverted == ["stale"] * epochs


def test_a_reorganisation_in_the_middle_of_an_observation_makes_none() -> None:
    """One tick sees one state, even where another history stood for a moment and is gone again at the end."""
    for number in range(0, 100, 3):
        world, operator = stage()
        for _ in range(3):
            sent(world, operator)
            world.network.mine()
        process, network = operator.process, world.network
        assert process is not None
        reads, stood = 0, list(network.blocks)

        def on_read(network: Network = network, number: int = number, stood: list[MemoryBlock] = stood) -> None:
            nonlocal reads
            reads += 1
            if reads == number:
                network.reorganise(3, forget=True)
            if reads == number + 5:
                network.blocks[:] = stood

        process.glance(on_read)
        operator.tick()  # judged by the oracle: what was seen is the state after one public block
        process.glance(None)
        network.blocks[:] = stood
        settled(world)


# ── fees ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("times", [3, 40])
def test_raises_stop_at_the_ceiling_in_a_spike_and_end_with_it(times: int) -> None:
    """Case 8: a dear base fee for 100 public blocks; the oracle calculates the ceiling by its formula."""
    world = World(age=2)
    operator = world.operator(TURNS, replace(FEES, bump_blocks=2))
    world.network.mine(208)  # some samples of the usual base fee
    world.consortium.size = TreeSize(209)
    for _ in range(2):
        sent(world, operator)
        world.network.mine()
    sent(world, operator)
    world.network.base_fee = Wei(times * GWEI)
    for _ in range(100):
        world.network.mine(1, only=())
        looked(operator)
    assert max(attempt.max_fee for attempt in operator.store.attempts.values()) < 8 * GWEI
    world.network.base_fee = Wei(GWEI)
    settled(world)


def test_nobody_anchors_before_their_turn() -> None:
    """RELAYER §4.4."""
    world = World()
    operators = [world.operator(replace(TURNS, operators=3)) for _ in range(3)]
    world.network.mine()
    world.consortium.close_epoch()
    reasons = [looked(operator).reason for operator in operators]
    assert sorted(reasons) == ["in_flight", "not_our_turn", "not_our_turn"]


# ── endpoints ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("lie", [*LIES, *FAR_UP])
def test_one_endpoint_that_lies_changes_nothing(lie: str) -> None:
    """Case 18: head, nonce, receipts, events, finality, money, gas; wherever it stands in the list."""
    for place in (0, 2):
        world, operator = stage()
        operator.endpoints[place].become(lie)
        for _ in range(3):
            world.consortium.close_epoch()
            world.round()
            world.round()
        settled(world)
        assert anchored(world) == [2, 3, 4]
        assert operator.store.control.halted is None


def test_without_two_endpoints_that_agree_nothing_new_is_signed_and_old_bytes_live() -> None:
    """Case 19."""
    for states in (("block forged", "dead", "honest"), ("dead", "dead", "honest"), ("rich", "poor", "honest")):
        world, operator = stage()
        sent(world, operator)
        world.network.evict()
        world.consortium.close_epoch()
        world.network.mine()
        for endpoint, state in zip(operator.endpoints, states, strict=True):
            endpoint.become(state)
        attempts = dict(operator.store.attempts)
        report = looked(operator)
        assert (report.done, report.reason) == (("Send",), "no_rpc_quorum"), states
        assert operator.store.attempts == attempts
        assert len(world.network.pending) == 1
        world.heal()
        settled(world)


def test_endpoints_that_lag_cost_nothing_and_finality_never_goes_back() -> None:
    """Case 20: one is stuck, then two."""
    for stuck in (1, 2):
        world, operator = stage()
        for _ in range(3):
            sent(world, operator)
            world.network.mine(2)
        for endpoint in operator.endpoints[:stuck]:
            endpoint.become("stuck")
        for _ in range(2 * DEPTH):
            world.consortium.close_epoch()
            before = list(operator.store.headers)
            world.round()
            assert list(operator.store.headers)[: len(before)] == before
        assert operator.store.control.halted is None
        world.heal()
        settled(world)


@pytest.mark.parametrize("lie", ["events hidden", "receipt none"])
def test_an_endpoint_that_lags_is_no_second_voice_for_one_that_lies(lie: str) -> None:
    """Cases 18, 20: events and receipts are not asked by hash, and one that lags has seen nothing of them."""
    for lagging, lying in ((0, 1), (2, 0)):
        world, operator = stage()
        operator.endpoints[lagging].become("stuck")
        operator.endpoints[lying].become(lie)
        sent(world, operator)
        for _ in range(DEPTH + 5):
            world.round()
        assert anchored(world) == [2]
        assert operator.store.finals == {}  # not settled while two of three do not agree; judged by the oracle
        world.heal()
        settled(world)


# ── clocks and people ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_jumps_and_a_pause_miss_and_double_nothing() -> None:
    """Case 24: an hour ahead, an hour behind, ten minutes without a tick."""
    for skew in (3_600, -3_600, 86_400):
        world, operator = stage()
        for _ in range(3):
            sent(world, operator)
            operator.skew = skew - operator.skew
            world.network.mine()
        world.network.mine(50)
        world.consortium.close_epoch()
        settled(world)
        assert anchored(world) == [2, 3, 4, 5]


def test_a_brake_at_any_effect_holds_and_lets_go() -> None:
    """Case 30: hard, soft and drain, each set between any two effects of a tick; afterwards all is caught up."""
    for brake in (Brake.HARD, Brake.SOFT, Brake.DRAIN):
        for number in range(10):
            world, operator = stage()
            sent(world, operator)
            world.network.evict()
            world.network.base_fee = Wei(6 * GWEI)
            world.network.mine(12)
            world.consortium.close_epoch()

            def set_brake(operator: Operator = operator, brake: Brake = brake) -> None:
                order(operator.store, brake, operator.now())

            operator.tick(Interruption(number, "after", set_brake))
            set_brake()
            slots = len(operator.store.slots)
            received = len(world.network.received)
            for _ in range(DEPTH + 4):
                world.round()
            assert len(operator.store.slots) == slots
            assert brake is not Brake.HARD or len(world.network.received) == received
            world.heal()
            settled(world)


def test_anchors_that_a_pause_of_the_contract_caught_are_no_reason_to_halt() -> None:
    """Case 28: the brake is known; however often it comes, the attempts it lets revert are explained."""
    world, operator = stage()
    for _ in range(4):
        sent(world, operator)
        world.network.brake(2)
        world.network.mine(3)  # ours reverts, and the pause ends by itself
    for _ in range(DEPTH + 2):
        world.round()
    outcomes = [(final.outcome, final.reason) for final in operator.store.finals.values()]
    assert outcomes.count((Outcome.REVERTED, "paused")) == 4
    assert operator.store.control.halted is None
    settled(world)
    assert anchored(world)[-1] == world.consortium.size


def test_a_thief_with_the_gas_key_delays_and_forges_nothing() -> None:
    """Case 30: every nonce is taken before ours is mined; when the thief is gone, all is caught up."""
    world, operator = stage()
    for _ in range(4):
        world.consortium.close_epoch()
        operator.tick()
        world.network.evict()
        world.use_nonce(operator)
        world.network.mine()
    assert anchored(world) == []
    settled(world, before=Operator.read_evidence)
    assert anchored(world) == [5]
    assert sum(slot.is_foreign for slot in operator.store.slots.values()) >= 1


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_of_five_operators_that_race_one_anchors_and_none_is_stuck() -> None:
    """Case 27: one of them partitioned, and back."""
    world = World(3)
    operators = [world.operator(replace(TURNS, operators=5)) for _ in range(5)]
    world.network.mine()
    for number in range(30):
        if number % 3 == 0:
            world.consortium.close_epoch()
        for endpoint in operators[2].endpoints:
            endpoint.become("dead" if 6 <= number < 20 else "honest")
        world.round()
    settled(world, within=2 * DEPTH + 10)
    events = world.network.events()
    mined = [tx for operator in operators for tx in world.network.transactions_of(operator.scope.signer)]
    assert len(mined) - len(events) <= 5  # at most one in vain for each
    assert all(is_success for _, is_success in mined)


def test_after_a_spike_in_which_everybodys_turn_came_one_of_five_anchors() -> None:
    """Case 27: they all waited for the price to fall, and it falls for all in the same public block."""
    world = World(3, age=2)
    for _ in range(5):
        world.operator(replace(TURNS, operators=5))
    world.network.mine(120)
    world.network.base_fee = Wei(90 * GWEI)
    world.network.mine()
    world.consortium.close_epoch()
    for _ in range(3 * 5 * TURNS.grace_blocks):
        world.round()
    assert world.network.received == []
    world.network.base_fee = Wei(GWEI)
    for _ in range(2 * DEPTH):
        world.round()
    assert anchored(world) == [2]
    assert sum(len(world.network.transactions_of(operator.scope.signer)) for operator in world.operators) == 1


# ── reverts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_three_final_reverts_for_no_known_reason_halt() -> None:
    """Case 28: out of gas, since two of three endpoints lie about it; beyond what S2 promises, and not for ever."""
    world, operator = stage()
    for endpoint in operator.endpoints[:2]:
        endpoint.become("gas low")
    world.consortium.close_epoch()
    for _ in range(30):
        world.round()
    assert operator.store.control.halted == "reverts_repeated"
    outcomes = [final.outcome for final in operator.store.finals.values()]
    assert outcomes.count(Outcome.REVERTED) == 3
    assert anchored(world) == []


def test_a_revert_that_is_not_final_decides_nothing() -> None:
    """Case 28: it reverted at the head, a reorganisation lets it stand after all, and it is told as what it then is."""
    world, operator = stage()
    other = world.operator(TURNS, FEES)
    other.turns = operator.turns
    sent(world, operator)
    world.consortium.close_epoch()
    looked(other)
    (ours,) = operator.store.attempts
    world.network.mine(1, only=[tx.hash for tx in world.network.pending if tx.hash != ours])
    world.network.mine()
    assert dict(world.network.transactions_of(operator.scope.signer)) == {ours: False}
    for _ in range(2):
        looked(operator)
    assert operator.store.finals == {}
    world.network.reorganise(2, forget=True)
    world.network.offer(operator.store.attempts[ours].raw)
    world.network.mine()
    settled(world)
    assert operator.store.finals[ours].outcome is Outcome.OK
    assert {i.state for i in operator.store.intents.values()} <= {IntentState.FINALIZED, IntentState.SUPERSEDED}


# ── signers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", ["other transaction", "stranger", "garbage"])
def test_a_signer_that_returns_something_else_halts_before_a_byte_is_kept(state: str) -> None:
    """Case 32."""
    world, operator = stage()
    operator.signer.state = state
    world.consortium.close_epoch()
    assert looked(operator).done[-1] == "Halt"
    assert operator.store.control.halted == "signer_lied"
    assert (operator.store.attempts, world.network.received) == ({}, [])


def test_a_signer_that_answers_late_is_asked_again_by_the_next_tick() -> None:
    """Case 32: a new attempt, for a late answer is dropped."""
    world, operator = stage()
    operator.signer.state = "late"
    world.consortium.close_epoch()
    assert looked(operator).reason.startswith("MakeAttempt: Unreachable")
    operator.signer.state = "prompt"
    assert looked(operator).done == ("MakeAttempt", "Send")


def test_high_s_is_made_low_and_never_passes() -> None:
    """Case 32: half of what a box returns has its s in the upper half of the order."""
    digest = sha256(b"what was to be signed")
    low = sign_digest(key("a box"), digest)
    mine = address_of(public_key_of(key("a box")))
    high = low[:32] + (ORDER - int.from_bytes(low[32:64], "big")).to_bytes(32, "big")
    made = normalise(high, digest, mine)
    assert made == low
    assert int.from_bytes(made[32:64], "big") <= HALF_ORDER
    with pytest.raises(FieldMalformed):
        require_signature(EcdsaSignature(high + low[64:]))
    with pytest.raises(SignatureWrong):
        normalise(high, digest, address_of(public_key_of(key("another box"))))


def test_the_log_of_all_schedules_is_one() -> None:
    assert whole().size >= 500
    assert Gas(FEES.max_gas) <= oracle.MAX_GAS
