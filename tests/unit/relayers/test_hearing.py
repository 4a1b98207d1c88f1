"""What is told of endpoints: who lied, for how long nobody asks them, who is slow, who lags."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest

from hybrid_bridge.errors import FieldMismatch, NotYet, Undecided, Unreachable
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.testing.memory_chain import MemoryChain
from relayers.hearing import (
    BENCHED_FOR,
    LONGEST_BENCH,
    MAX_DISSENTS,
    MAX_WORDS,
    Bench,
    Hearing,
    contradicts,
    shown,
)
from relayers.journal import HeaderRow
from relayers.observe import Observer
from relayers.relay import Sight, look
from relayers.views import ChainView
from tests.crash.relay_world import DEPTH, World
from tests.unit.relayers.builders import attempt, event, journal, quorum
from tests.unit.relayers.test_observe import NOTHING, Liar, observer, raising


@dataclass
class HandClock:
    """Seconds that only a test moves."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class AnyOf:
    """An answer of two members."""

    one: int
    other: int | None


@pytest.fixture
def world() -> World:
    world = World()
    world.network.mine(10)
    return world


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


class Named(Liar):
    """A liar with a name of its own, whose calls may take time."""

    def __init__(self, world: World, called: str = "liar", **lies: Any) -> None:
        super().__init__(world, **lies)
        self._name = called


def three(world: World, third: MemoryChain, clock: HandClock | None = None) -> Observer:
    """The liar is asked last: nobody needs its word."""
    found = observer(world, third, honest=2, quorum=2)
    first, *others = found.endpoints
    return replace(found, endpoints=(*others, first), monotonic=clock or HandClock())


def looked(chains: Observer, known: Any = NOTHING) -> Sight:
    return look(known, chains, lambda _: quorum())


def forged_head(world: World, size: int = 99) -> Any:
    head = MemoryChain(world.network).head(world.consortium.log_id, world.network.newest.block)
    return lambda *_: replace(head, tree_size=size)


# ── the bench ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bench_is_ten_minutes_and_doubles_up_to_a_day() -> None:
    bench, now, lengths = Bench(), 0.0, []
    for _ in range(10):
        bench.put("x", now)
        lengths.append(bench.left("x", now))
        now += lengths[-1]
        assert bench.left("x", now) == 0
    assert lengths[:4] == [600.0, 1200.0, 2400.0, 4800.0]
    assert lengths[-1] == LONGEST_BENCH


def test_one_that_sits_already_stays_no_longer_for_what_it_said_before() -> None:
    bench = Bench()
    bench.put("x", 0.0)
    bench.put("x", 10.0)
    assert bench.left("x", 10.0) == BENCHED_FOR - 10
    assert bench.left("y", 10.0) == 0


def test_a_day_of_truth_makes_the_next_bench_short_again() -> None:
    bench = Bench()
    bench.put("x", 0.0)
    bench.put("x", BENCHED_FOR)
    later = 3 * BENCHED_FOR + LONGEST_BENCH + 1
    bench.put("x", later)
    assert bench.left("x", later) == BENCHED_FOR


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["head", "nonce", "balance", "base_fee"])
def test_a_read_that_contradicts_the_quorum_is_evidence_and_its_endpoint_is_benched(world: World, method: str) -> None:
    lie = forged_head(world) if method == "head" else lambda *_: 7_777
    clock = HandClock()
    chains = three(world, Named(world, **{method: lie}), clock)
    sight = looked(chains)
    assert sight.chain is not None
    (dissent,) = sight.dissents
    assert (dissent.endpoint, dissent.method) == ("liar", method)
    assert dissent.block_hash in {sight.chain.pinned.hash, sight.chain.final.hash}
    assert "7777" in dissent.got or "tree_size 99" in dissent.got
    assert dissent.wanted != dissent.got
    assert [endpoint.name for endpoint in sight.endpoints] == ["honest 0", "honest 1"]
    assert any(note.startswith(f"liar contradicts: {method}") for note in sight.notes)
    clock.seconds = 300
    again = looked(chains)
    assert (again.dissents, [call for call in again.calls if call.endpoint == "liar"]) == ((), [])
    assert again.notes == ("liar is left out for 600 s: it contradicted the quorum",)
    clock.seconds = 600
    assert len(looked(chains).dissents) == 1


def test_a_benched_endpoint_that_tells_the_truth_again_counts_again(world: World) -> None:
    clock, third = HandClock(), Named(world, nonce=lambda *_: 9)
    chains = three(world, third, clock)
    assert len(looked(chains).endpoints) == 2
    third.lies = {}
    clock.seconds = 601
    sight = looked(chains)
    assert (len(sight.endpoints), sight.notes) == (3, ())


def test_benching_below_a_quorum_makes_the_tick_blind_and_not_wrong(world: World) -> None:
    third, clock = Named(world, nonce=lambda *_: 9), HandClock()
    chains = three(world, third, clock)
    looked(chains)
    down = chains.endpoints[0]
    assert isinstance(down, MemoryChain)
    down.is_down = True
    sight = looked(chains)
    assert (sight.chain, sight.endpoints) == (None, ())
    assert sight.blind


def test_another_hash_at_a_final_number_is_a_lie_and_one_near_the_tip_another_branch(world: World) -> None:
    def block(lowest: int, number: int) -> PublicBlock:
        found = world.network.blocks[number].block
        return replace(found, hash=bytes(32)) if number >= lowest else found

    for lowest, expected in ((10 - DEPTH, ["block"]), (10 - DEPTH + 1, [])):
        liar = Named(world, block=partial(block, lowest))
        assert [d.method for d in looked(three(world, liar)).dissents] == expected


def test_what_is_forged_about_the_last_final_public_block_is_evidence(world: World) -> None:
    known = journal(final_header=HeaderRow(3, world.network.blocks[3].block.hash, bytes(32)))

    def block(number: int) -> PublicBlock:
        found = world.network.blocks[number].block
        return replace(found, hash=bytes(32)) if number == 3 else found

    sight = looked(three(world, Named(world, block=block)), known)
    assert [d.method for d in sight.dissents] == ["block"]
    assert bytes(32).hex() in sight.dissents[0].got


def test_a_forged_receipt_and_a_forged_event_are_evidence_and_missing_ones_are_not(world: World) -> None:
    old = world.network.blocks[2].block
    waiting = journal(final_header=None, open_nonces=(0,), attempts=(attempt(0),))
    honest = {"nonce": lambda *_: 1, "receipt_status": lambda _: (old, True)}
    for lies, expected in (
        ({"receipt_status": lambda _: (old, False)}, ["receipt_status"]),
        ({"receipt_status": lambda _: None}, []),
        ({"anchored": lambda *_: [event(50)]}, ["anchored"]),
    ):
        chains = [Named(world, "one", **honest), Named(world, "two", **honest), Named(world, **honest | lies)]
        found = observer(world, *chains, honest=0, quorum=2)
        sight = looked(found, waiting)
        assert [(d.endpoint, d.method) for d in sight.dissents] == [("liar", method) for method in expected]


@pytest.mark.parametrize(
    "error", [NotYet(what="a public block"), Unreachable(endpoint="liar", call="x")], ids=["lag", "silence"]
)
def test_lag_and_silence_are_no_lies(world: World, error: Exception) -> None:
    lies = dict.fromkeys(("head", "nonce", "balance", "base_fee", "finalized", "anchored"), raising(error))
    sight = looked(three(world, Named(world, **lies)))
    assert (sight.dissents, len(sight.endpoints)) == ((), 3)


def test_an_endpoint_that_lags_is_no_second_voice_for_one_that_hides(world: World) -> None:
    """Of three, one says "nothing" since it has not seen it, one since it lies: that is no quorum for "nothing"."""
    final = world.network.blocks[10 - DEPTH].block

    def block(number: int) -> PublicBlock:
        if number == final.number and number in asked:  # it has lost it again
            raise NotYet(what="a public block")
        asked.append(number)
        return world.network.blocks[number].block

    asked: list[int] = []
    lagging = Named(world, "lagging", block=block, anchored=lambda *_: [])
    hiding, honest = Named(world, "hiding", anchored=lambda *_: []), Named(world, anchored=lambda *_: [event(2)])
    assert looked(observer(world, lagging, hiding, honest, honest=0, quorum=2)).chain is None


def test_a_false_proof_is_a_lie_even_where_nobody_agrees(world: World) -> None:
    refuted = raising(FieldMismatch(field="trie.node", expected="aa", got="bb"))
    liars = [Named(world, f"liar {i}", nonce=refuted) for i in (1, 2)]
    sight = looked(observer(world, *liars, honest=1, quorum=2))
    assert sight.chain is None
    assert [(d.endpoint, d.wanted) for d in sight.dissents] == [("liar 1", "a proof"), ("liar 2", "a proof")]
    assert [endpoint.name for endpoint in sight.endpoints] == ["honest 0"]


def test_an_endpoint_that_changes_its_chain_mid_run_is_evidence_once(world: World) -> None:
    third = Named(world)
    chains = three(world, third)
    assert looked(chains).dissents == ()
    third.lies = {"chain_id": lambda: 1}
    assert [d.method for d in looked(chains).dissents] == ["admission"]
    assert looked(chains).dissents == ()


def test_evidence_is_bounded_in_number_and_length() -> None:
    hearing = Hearing(HandClock())
    for _ in range(MAX_DISSENTS + 5):
        hearing.lied("x", "head", ("w" * 10_000, "g" * 10_000), None)
    assert len(hearing.dissents) == MAX_DISSENTS
    assert {len(d.got) for d in hearing.dissents} == {MAX_WORDS}


def test_what_an_endpoint_repeats_in_every_tick_is_evidence_once() -> None:
    bench = Bench()
    kept = []
    for got in ("a", "a", "b", "a"):
        hearing = Hearing(HandClock(), bench)
        hearing.strayed("x", "broadcast", ("ours", got))
        kept += hearing.dissents
    assert [dissent.got for dissent in kept] == ["a", "b", "a"]
    assert bench.left("x", 0.0) == 0


@pytest.mark.parametrize(
    ("got", "agreed", "is_lie"),
    [
        (1, 2, True),
        (2, 2, False),
        (None, 2, False),
        (2, None, False),
        ((), (1,), False),
        ((1,), (1, 2), False),
        ((1, 3), (1, 2), True),
        ((1,), (), True),
        (AnyOf(1, None), AnyOf(1, 5), False),
        (AnyOf(1, 6), AnyOf(1, 5), True),
        (AnyOf(2, None), AnyOf(1, 5), True),
    ],
)
def test_a_lie_says_otherwise_and_does_not_merely_say_less(got: object, agreed: object, *, is_lie: bool) -> None:
    assert contradicts(got, agreed) is is_lie


def test_answers_are_shown_in_hex_field_by_field() -> None:
    assert shown(PublicBlock(1, b"\x01", b"\x02", 3)) == "number 1, hash 0x01, parent 0x02, time 3"
    assert shown((1, (b"\xff",))) == "(1, (0xff))"


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Slow(Named):
    """Answers truly, each time after six seconds."""

    clock: HandClock

    def __getattribute__(self, name: str) -> Any:
        if name in {"latest", "finalized", "block", "head", "nonce", "balance", "base_fee", "anchored", "chain_id"}:
            self.clock.seconds += 6
        return super().__getattribute__(name)


def test_one_slow_endpoint_holds_a_tick_up_a_few_times_and_not_with_each_question(
    world: World, clock: HandClock
) -> None:
    slow = Slow(world, "slow")
    slow.clock = clock
    chains = replace(observer(world, slow, honest=2, quorum=2), monotonic=clock)
    sight = looked(chains)
    assert isinstance(sight.chain, ChainView)
    asked = [call.method for call in sight.calls if call.endpoint == "slow"]
    assert asked == ["chain_id", "block", "code_hash"]
    assert {call.seconds for call in sight.calls if call.endpoint == "slow"} == {6.0, 0.0}


def test_a_slow_endpoint_is_asked_where_nobody_else_is_left(world: World, clock: HandClock) -> None:
    slow = Slow(world, "slow")
    slow.clock = clock
    sight = looked(replace(observer(world, slow, honest=1, quorum=2), monotonic=clock))
    assert sight.chain is not None


def test_every_question_is_timed_by_endpoint_and_method(world: World) -> None:
    sight = looked(observer(world, honest=2, quorum=2))
    methods = {call.method for call in sight.calls}
    assert methods >= {"chain_id", "code_hash", "latest", "finalized", "block", "head", "nonce", "balance", "anchored"}
    assert {call.endpoint for call in sight.calls} == {"honest 0", "honest 1"}
    assert all(call.seconds >= 0 for call in sight.calls)


def test_how_far_each_endpoint_lags_behind_the_pin_is_told(world: World) -> None:
    ahead = PublicBlock(10**6, bytes(32), bytes(32), 0)
    behind = Named(world, "behind", latest=lambda: world.network.blocks[4].block)
    sight = looked(observer(world, Named(world, "ahead", latest=lambda: ahead), behind, honest=2, quorum=2))
    assert sight.lags == {"ahead": 0, "behind": 6, "honest 0": 0, "honest 1": 0}


def test_nothing_heard_in_one_tick_is_told_again_in_the_next(world: World) -> None:
    chains = observer(world, honest=2, quorum=2)
    assert len(looked(chains).calls) == len(looked(chains).calls) + 2  # the code, once for each


def test_no_endpoint_at_all_is_no_observation(world: World) -> None:
    chains = replace(observer(world, honest=1), endpoints=())
    with pytest.raises(Undecided):
        chains.observe(NOTHING)
