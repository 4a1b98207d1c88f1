from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.block import Block, Countersignature, tx_root
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.errors import (
    BlockInvalid,
    BridgeError,
    Broken,
    Equivocation,
    FieldMismatch,
    NotYet,
    Refuted,
    SignatureWrong,
    StoreAway,
)
from hybrid_bridge.node.chain import MAX_AHEAD
from hybrid_bridge.units import EpochNumber, Height, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, Members, started


def resealed(members: Members, block: StoredBlock, **changes: object) -> StoredBlock:
    """The sequencer itself signs a changed block."""
    decoded = Block.decode(block.data)
    items = changes.pop("items", decoded.items)
    header = replace(decoded.header, **changes)
    sealed = Countersignature.over(header, members.open("core").view.keys.identity)
    return StoredBlock(Block(header, items).encode(), sealed.encode())


def test_every_member_executes_and_validators_countersign(members: Members) -> None:
    started(members)
    for name in ("supplier", "bank-a", "bank-b", "regulator"):
        view = members.open(name).view
        assert (view.progress.tip, view.progress.final) == (1, 1)
        own = view.witness.of(members.key_id(name), Height(0))
        assert len(own) == (0 if name == "regulator" else 1)


def test_three_of_four_make_a_block_final_two_do_not(members: Members) -> None:
    block = members.order(START, members.founding())
    members.accept("supplier", block)
    reached = members.open("supplier").view.witness.agreed(map(members.key_id, NAMES), Height(0))
    assert len(reached) == 2  # the sequencer's own and ours


def test_a_block_survives_a_crash_after_its_commit(members: Members) -> None:
    started(members)
    tip = members.open("bank-a").view.chain.tip
    assert members.reopen("bank-a").view.chain.tip == tip
    assert members.reopen("core").view.chain.next_height == 2


def test_the_same_block_again_is_no_change(members: Members) -> None:
    block = members.order(START, members.founding())
    members.accept("bank-a", block)
    members.accept("bank-a", block)
    assert members.open("bank-a").view.progress.tip == 1


def test_a_block_beyond_the_next_waits(members: Members) -> None:
    started(members)
    members.order(START + CADENCE)
    later = members.order(START + 2 * CADENCE)
    with pytest.raises(NotYet):
        members.accept("bank-a", later)


def test_a_block_from_the_future_waits(members: Members) -> None:
    started(members)
    block = members.order(START + CADENCE)
    members.clock.moment = START + CADENCE - MAX_AHEAD - 1
    with pytest.raises(NotYet):
        members.accept("bank-a", block)
    members.clock.moment = START + CADENCE
    members.accept("bank-a", block)


def test_what_the_sequencer_did_not_sign_is_the_messengers_fault(members: Members) -> None:
    block = members.order(START, members.founding())
    header = Block.decode(block.data).header
    stranger = Countersignature.over(header, members.open("bank-a").view.keys.identity)
    flipped = block.sealed[:-1] + bytes([block.sealed[-1] ^ 1])
    for sealed, error in ((stranger.encode(), FieldMismatch), (flipped, BridgeError)):
        with pytest.raises(error):
            members.accept("bank-b", StoredBlock(block.data, sealed))
    other = resealed(members, block, time=UnixSeconds(START + 1))
    with pytest.raises(FieldMismatch):
        members.accept("bank-b", StoredBlock(block.data, other.sealed))
    assert members.open("bank-b").view.brake.reason == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"previous_hash": ZERO},
        {"state": ZERO},
        {"epoch": EpochNumber(2)},
        {"time": UnixSeconds(START - 1)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_our_rules_refuse_is_never_countersigned(members: Members, changes: dict[str, object]) -> None:
    bad = resealed(members, members.order(START, members.founding()), **changes)
    with pytest.raises(BlockInvalid) as refused:
        members.accept("bank-a", bad)
    view = members.open("bank-a").view
    assert refused.value.height == 1
    assert view.progress.tip == 0
    assert view.witness.of(members.key_id("bank-a"), Height(0)) == []
    assert [evidence.kind for evidence in view.witness.kept()] == ["invalid"]
    assert "breaks our rules" in members.reopen("bank-a").view.brake.reason


@pytest.mark.parametrize("changes", [{"tx_root": ZERO}, {"tx_count": 4}, {"items": ()}], ids=str)
def test_transactions_that_were_not_sealed_are_the_messengers_fault(
    members: Members, changes: dict[str, object]
) -> None:
    bad = resealed(members, members.order(START, members.founding()), **changes)
    with pytest.raises(Refuted):
        members.accept("bank-a", bad)
    view = members.open("bank-a").view
    assert (view.progress.tip, view.brake.reason) == (0, "")


def test_a_code_that_execution_does_not_give_is_refused(members: Members) -> None:
    block = members.order(START, members.founding())
    (_, signed), *rest = Block.decode(block.data).items
    items = ((3, signed), *rest)
    with pytest.raises(BlockInvalid) as refused:
        members.accept("bank-a", resealed(members, block, items=items, tx_root=tx_root(items)))
    assert refused.value.reason == "FieldMismatch"


def test_a_transaction_changed_by_the_sequencer_is_refused(members: Members) -> None:
    block = members.order(START, members.founding())
    (code, signed), *rest = Block.decode(block.data).items
    items = ((code, signed[:-1] + bytes([signed[-1] ^ 1])), *rest)
    with pytest.raises(BlockInvalid):
        members.accept("bank-a", resealed(members, block, items=items, tx_root=tx_root(items)))


def test_two_blocks_at_one_height_are_evidence_and_stop_our_signatures(members: Members) -> None:
    block = members.order(START, members.founding())
    members.accept("bank-a", block)
    with pytest.raises(Equivocation) as caught:
        members.accept("bank-a", resealed(members, block, time=UnixSeconds(START + 1)))
    view = members.open("bank-a").view
    (evidence,) = view.witness.kept()
    first, second = Countersignature.decode(evidence.first), Countersignature.decode(evidence.second)
    for word in (first, second):
        word.verify(view.directory.identities["core"])
    assert (caught.value.signer, first.height, second.height) == ("core", 1, 1)
    assert first.block_hash != second.block_hash


def test_a_halted_member_follows_but_signs_no_more(members: Members) -> None:
    started(members)
    members.open("bank-a").view.brake.pull("a person must look")
    view = members.reopen("bank-a").view
    members.accept("bank-a", members.order(START + CADENCE))
    assert view.progress.tip == 2
    assert len(view.witness.of(members.key_id("bank-a"), Height(0))) == 1


def test_a_halted_sequencer_orders_nothing(members: Members) -> None:
    started(members)
    members.open("core").view.brake.pull("a person must look")
    with pytest.raises(Broken):
        members.order(START + CADENCE)


def test_a_block_with_a_transaction_that_never_stands_is_not_made(members: Members) -> None:
    with pytest.raises(BridgeError):
        members.order(START, [*members.founding(), members.founding()[0]])
    assert members.open("core").view.progress.tip == 0
    started(members)


@given(place=st.integers(0, 4000), bit=st.integers(0, 7))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_one_flipped_bit_on_the_way_is_refused_and_blames_nobody(members: Members, place: int, bit: int) -> None:
    if members.open("core").view.progress.tip == 0:
        members.order(START, members.founding())
    block = members.open("core").view.ledger.blocks(Height(1))[0]
    data = bytearray(block.data)
    data[place % len(data)] ^= 1 << bit
    with pytest.raises(BridgeError):
        members.accept("bank-b", StoredBlock(bytes(data), block.sealed))
    assert members.open("bank-b").view.brake.reason == ""


def test_noise_is_no_block(members: Members) -> None:
    for noise in (b"", b"\x01" * 157, bytes(400)):
        with pytest.raises(BridgeError):
            members.accept("bank-a", StoredBlock(noise, noise))
    with pytest.raises((SignatureWrong, BridgeError)):
        members.accept("bank-a", StoredBlock(b"", bytes(171)))


def test_who_is_a_member_is_looked_at_until_it_succeeded(members: Members) -> None:
    block = members.order(START, members.founding())
    view, troubles, looked = members.open("bank-a").view, [StoreAway(store="ledger", why="no connection")], []

    def governed() -> None:
        if troubles:
            raise troubles.pop()
        looked.append(view.progress.tip)

    view.chain.follow(governed)
    with pytest.raises(StoreAway):
        members.accept("bank-a", block)
    assert (view.progress.tip, looked) == (1, [])  # the block is durable, whatever came after
    later = members.order(START + 1)
    members.accept("bank-a", later)
    assert (view.progress.tip, looked) == (2, [1])  # before the next is judged, and once
