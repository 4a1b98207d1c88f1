"""Who floods waits behind its own transactions: shares of the pool, of a block and of an epoch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.ladder import highest
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import BeaconPayload, RecordPayload, SignaturePart, SignedTransaction
from hybrid_bridge.errors import FieldMismatch, NotYet, RuleRejected, Throttled
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.ordering import Orderer
from hybrid_bridge.node.sharing import Cost, EpochShares, Pool, _stands, in_turns, shares_of
from hybrid_bridge.node.submitting import AtSequencer
from hybrid_bridge.rpc.faults import unpack
from hybrid_bridge.units import EpochNumber, Height, KeyId
from hybrid_bridge.units import Sequence as SequenceNumber
from tests.unit.hybrid_bridge.node.members import Members, started
from tests.unit.hybrid_bridge.node.test_engine import Keeping
from tests.unit.hybrid_bridge.node.trade import an_object, registration, sent

A, B, C = (KeyId(bytes([n]) * 32) for n in range(3))


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


def of_supplier(members: Members, count: int) -> Iterator[SignedTransaction]:
    """Registrations with numbers in order; none of them stands yet."""
    kept: list[bytes] = []
    own = Desk(members.open("supplier").view, Keeping(kept))
    for _ in range(count):
        with pytest.raises(NotYet):
            own.send(own.draft(registration(members, an_object())), [])
        signed = SignedTransaction.decode(kept[-1])
        own._next = SequenceNumber(signed.body.sequence + 1)
        yield signed


def by(key: PrivateKey, like: SignedTransaction, **changes: object) -> SignedTransaction:
    """Signed by somebody else: a beacon, since a record names its submitter."""
    body = replace(like.body, submitter=key.public.key_id, authorisers=(), payload=BeaconPayload(1, 1, b"\x01" * 32))
    body = replace(body, **changes)
    return SignedTransaction(body, (SignaturePart.over(body.message, key),))


# ── a pool and a block ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_block_takes_one_of_each_in_turn_and_of_each_in_order() -> None:
    pool: Pool[str] = Pool()
    for thing in ("a1", "a2", "a3", "a4", "b1", "c1", "c2"):
        pool.put({"a": A, "b": B, "c": C}[thing[0]], thing, 1, 10)
    assert pool.take(5, 100) == ["a1", "b1", "c1", "a2", "c2"]
    assert len(pool) == 2
    assert pool.take(5, 100) == ["a3", "a4"]
    assert (pool.take(5, 100), len(pool)) == ([], 0)


def test_who_was_served_last_stands_behind_the_others_in_the_next_block() -> None:
    pool: Pool[str] = Pool()
    for number in range(3):
        for key, name in ((A, "a"), (B, "b"), (C, "c")):
            pool.put(key, f"{name}{number}", 1, 10)
    assert pool.take(2, 100) == ["a0", "b0"]
    assert pool.take(2, 100) == ["c0", "a1"]


def test_one_that_does_not_fit_keeps_nobody_else_out_and_its_own_in_order() -> None:
    pool: Pool[str] = Pool()
    pool.put(A, "a large one", 90, 10)
    pool.put(A, "a small one", 1, 10)
    pool.put(B, "b", 20, 10)
    pool.put(C, "c", 20, 10)
    assert pool.take(10, 50) == ["b", "c"]
    assert pool.take(10, 100) == ["a large one", "a small one"]


def test_one_submitter_fills_its_part_of_the_pool_and_no_more() -> None:
    pool: Pool[int] = Pool()
    for number in range(3):
        pool.put(A, number, 1, 3)
    with pytest.raises(Throttled):
        pool.put(A, 3, 1, 3)
    pool.put(B, 0, 1, 3)
    assert pool.drain() == [0, 1, 2, 0]
    assert len(pool) == 0


def test_an_engine_s_pool_is_put_in_turns_too() -> None:
    assert in_turns([(A, 1), (A, 2), (A, 3), (B, 4), (C, 5), (B, 6)]) == [1, 4, 5, 2, 6, 3]


# ── an epoch ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def shares(members: Members, **ladders: int) -> EpochShares:
    genesis: Genesis = members.open("core").view.directory.genesis
    return EpochShares(replace(genesis, **ladders), lambda: 5)


ONE = Cost(1, 1)  # a registration has two labels more, and here there are none


def fill(found: EpochShares, signed: SignedTransaction, cost: Cost = ONE) -> int:
    """How often this transaction's submitter is let in."""
    count, asked = 0, [(signed.body.submitter, cost)]
    while True:
        try:
            found.require(asked)
        except Throttled:
            return count
        found.use(asked)
        count += 1


def test_a_transaction_weighs_what_it_costs_everybody(trading: Members) -> None:
    """A freeze of fifty objects takes fifty registry pairs, however short it is."""
    (like,) = of_supplier(trading, 1)
    other = replace(like, body=replace(like.body, submitter=A))
    found = shares(trading, batch_ladder=1 << 20, registry_ladder=1 << 10)
    assert fill(found, like, Cost(1, 51)) == (512 + 2 + 102) // 51
    assert fill(found, other, Cost(1, 51)) == 2
    assert fill(found, other, Cost(1, 1)) == 4  # what both have left in common
    found.require([(A, Cost(0, 0))])  # an accepted decision takes nothing
    empty = shares(trading, batch_ladder=1 << 20, registry_ladder=1 << 10)
    assert fill(empty, like, Cost(1, 1_000)) == 0  # more than a part and all that is common


def test_whoever_floods_the_others_keep_their_parts_of_the_epoch(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    keys = [PrivateKey.from_seed(bytes([n]) * 32).public.key_id for n in range(1, 5)]
    found = shares(trading, batch_ladder=1 << 10, registry_ladder=1 << 20)
    assert fill(found, like) == 512 + 2 + 102  # half, what division leaves, its own
    for key in keys:
        assert fill(found, replace(like, body=replace(like.body, submitter=key))) == 102


def test_the_registry_s_room_is_shared_too(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    other = replace(like, body=replace(like.body, submitter=A))
    found = shares(trading, batch_ladder=1 << 20, registry_ladder=1 << 10)
    assert fill(found, like) == 512 + 2 + 102
    assert fill(found, other) == 102


def test_who_comes_has_a_part_from_the_next_epoch_on(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    genesis, count = trading.open("core").view.directory.genesis, [5]
    found = EpochShares(replace(genesis, batch_ladder=1 << 10, registry_ladder=1 << 20), lambda: count[0])
    found.begin(EpochNumber(1))
    count[0] = 8
    assert fill(found, like) == 512 + 2 + 102
    found.begin(EpochNumber(2))
    assert fill(found.copy(), like) == 512 + 64
    assert fill(found, like) == 512 + 64


def test_another_epoch_is_empty_and_the_same_one_is_not(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    found = shares(trading, batch_ladder=1 << 10)
    found.begin(EpochNumber(7))
    fill(found, like)
    found.begin(EpochNumber(7))
    assert fill(found, like) == 0
    found.begin(EpochNumber(8))
    assert fill(found, like) > 0


def test_an_epoch_with_room_for_fewer_than_its_members_is_first_come_first_served(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    assert fill(shares(trading, registry_ladder=1 << 2), like) == 4


def test_a_restart_forgets_nobody_s_part(trading: Members) -> None:
    sent(trading, "supplier", registration(trading, an_object()))
    (like,) = of_supplier(trading, 1)
    view = trading.open("core").view
    room, own = highest(view.directory.genesis.registry_ladder), highest(view.directory.genesis.registry_ladder) // 10
    assert fill(shares_of(view), like) == room - 5 * own + own - 1


def test_what_stands_weighs_after_a_restart_what_it_weighed_before(trading: Members) -> None:
    (like,) = of_supplier(trading, 1)
    assert isinstance(like.body.payload, RecordPayload)
    events, ops = {leaf_hash(like.body.payload.entry): 50}, len(like.body.payload.ops)
    beacon = by(trading.open("core").view.keys.identity, like)
    found = [_stands(code, one.encode(), events)[1] for code, one in ((0, like), (3, like), (0, beacon), (3, beacon))]
    assert found == [Cost(1, 50 + ops), Cost(1, 0), Cost(0, 0), Cost(1, 0)]
    sent(trading, "supplier", registration(trading, an_object()))
    assert list(trading.open("core").view.ledger.life_counts(Height(1)).values()) == [1]


# ── the sequencer's door ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_one_submitter_leaves_room_and_its_turn_to_another(trading: Members) -> None:
    view = trading.open("core").view
    orderer = Orderer(view, lambda: float(trading.clock.moment))
    flood = list(of_supplier(trading, 4))
    for signed in flood[:2]:
        orderer.submit(signed, 10)
    for signed in flood[2:]:
        with pytest.raises(Throttled) as refused:
            orderer.submit(signed, 10)
        assert refused.value.limit == "pool"
    other = by(view.keys.identity, flood[0], sequence=SequenceNumber(10_000))
    waiting = orderer.submit(other, 10)
    assert [signed.signed for signed in orderer._taken()] == [flood[0], other, flood[1]]
    assert not waiting.done()


def test_no_number_of_invented_submitters_fills_the_pool(trading: Members) -> None:
    orderer = Orderer(trading.open("core").view, lambda: float(trading.clock.moment))
    (like,) = of_supplier(trading, 1)
    for seed in range(1, 30):
        stranger = by(PrivateKey.from_seed(bytes([seed]) * 32), like)
        with pytest.raises(RuleRejected) as refused:
            orderer.submit(stranger, 10)
        assert refused.value.rule == "admission"
    assert len(orderer._pool) == 0
    orderer.submit(like, 10)


def test_one_whose_part_of_the_epoch_is_used_hears_when_to_come_again(trading: Members) -> None:
    view = trading.open("core").view
    orderer = Orderer(view, lambda: float(trading.clock.moment))
    (first,) = of_supplier(trading, 1)
    fill(orderer._shares, first)
    refused = orderer.submit(first, 100)
    orderer._shares.begin(EpochNumber(1))
    fill(orderer._shares, first)
    orderer.make_block()
    error = refused.exception(0)
    assert isinstance(error, Throttled)
    assert (error.limit, error.retry_after) == ("epoch", 1_000 * view.directory.genesis.cadence)


def test_what_is_another_consortium_s_is_refused_before_anybody_asks_the_state(trading: Members) -> None:
    view = trading.open("core").view
    orderer = Orderer(view, lambda: float(trading.clock.moment))
    (like,) = of_supplier(trading, 1)
    foreign = by(view.keys.identity, like, log_id=bytes(32))
    door = AtSequencer(orderer, view.directory.log_id, 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view.ledger, "state", None)  # whoever asks fails
        (result,) = door.submit([foreign.encode()])
        (garbage,) = door.submit([b"garbage"])
        (large,) = door.submit([like.encode() + bytes(1 << 20)])
    assert isinstance(unpack(result.fault.name, result.fault.fields), FieldMismatch)
    assert (garbage.fault.name, large.fault.name) == ("FieldMalformed", "TooLong")
    assert len(orderer._pool) == 0
