"""Anchor evidence from an endpoint that tells the truth, and from one that does not."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.evidence import anchor_evidence, receipt_from_json
from hybrid_bridge.cli.bundle import Goal
from hybrid_bridge.core.anchor import MAX_DESCENDANTS, decode_header, verify_evm_anchor
from hybrid_bridge.core.trust import Trust, TrustedBlock, TrustedChain
from hybrid_bridge.errors import AnswerMalformed, FieldMismatch, Missing, NotYet, TooLong
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Gas, Nonce, PublicBlockHash, PublicBlockNumber, TreeSize, TxHash, Wei
from tests.evm.chains import GAS_KEY, World

pytestmark = pytest.mark.evm


@pytest.fixture(scope="module")
def anchored() -> Iterator[World]:
    world = World().deployed()
    world.anchor(1, 7)
    for _ in range(4):
        world.mine()
    yield world
    world.close()


@pytest.fixture
def world(anchored: World) -> Iterator[World]:
    yield anchored
    anchored.rpc.lie, anchored.rpc.missing = (lambda _, result: result), set()


def test_evidence_verifies_against_the_checkpoint(world: World) -> None:
    event = world.event()
    facts = verify_evm_anchor(anchor_evidence(world.chain, event), world.log.checkpoint(TreeSize(7)))
    assert (facts.block_hash, facts.last_hash, facts.signers) == (event.block.hash, event.block.hash, 0b0111)


def test_descendants_lead_to_the_public_block_that_is_trusted(world: World) -> None:
    event = world.event()
    anchor = anchor_evidence(world.chain, event, PublicBlockNumber(event.block.number + 3))
    assert len(anchor.descendants) == 3
    trusted = world.chain.block(PublicBlockNumber(event.block.number + 3))
    assert verify_evm_anchor(anchor, world.log.checkpoint(TreeSize(7))).last_hash == trusted.hash


def test_an_upgrade_goes_to_the_public_block_of_a_hash_or_to_the_first_that_is_trusted(world: World) -> None:
    start = world.event().block.number
    second, third = (world.chain.block(PublicBlockNumber(start + n)) for n in (2, 3))
    assert Goal(hash=third.hash).block(world.chain, start) == (third.number, third.hash)
    before = TrustedBlock(number=start - 1, hash=bytes(32))
    beyond = TrustedBlock(number=start + MAX_DESCENDANTS + 1, hash=bytes(32))
    reachable = tuple(TrustedBlock(number=block.number, hash=block.hash) for block in (third, second))
    chain = TrustedChain(chain_id=world.chain.chain_id(), contracts=(), block_hashes=(before, *reachable, beyond))
    goal = Goal(trust=Trust(public_chains=(replace(chain, chain_id=1), chain)))
    assert goal.block(world.chain, start) == (second.number, second.hash)
    far = replace(chain, block_hashes=(before, beyond))
    assert Goal(trust=Trust(public_chains=(far,))).block(world.chain, start) is None
    with pytest.raises(NotYet):
        Goal(hash=PublicBlockHash(bytes(32))).block(world.chain, start)


def test_receipts_one_by_one_give_the_same_evidence(world: World) -> None:
    whole = anchor_evidence(world.chain, world.event())
    world.rpc.missing = {"eth_getBlockReceipts"}
    assert anchor_evidence(world.chain, world.event()) == whole


def test_a_header_with_items_of_a_later_fork_is_taken_raw_or_named_as_missing(world: World) -> None:
    whole = anchor_evidence(world.chain, world.event())

    def without_the_last_item(method: str, result: Any) -> Any:
        """As this version would see a header that has one item more than it knows."""
        if method == "eth_getBlockByHash":
            result.pop("requestsHash")
        return result

    world.rpc.lie = without_the_last_item
    assert anchor_evidence(world.chain, world.event()) == whole
    world.rpc.missing = {"debug_getRawHeader"}
    with pytest.raises(Missing):
        anchor_evidence(world.chain, world.event())


def test_a_raw_header_of_another_public_block_is_refuted(world: World) -> None:
    other = world.rpc.ask("debug_getRawHeader", "0x1")

    def lie(method: str, result: Any) -> Any:
        if method == "eth_getBlockByHash":
            result["gasUsed"] = "0x1"
        return other if method == "debug_getRawHeader" else result

    world.rpc.lie = lie
    with pytest.raises(FieldMismatch) as caught:
        anchor_evidence(world.chain, world.event())
    assert caught.value.field == "header"


@pytest.mark.parametrize("member", ["status", "cumulativeGasUsed", "logsBloom"])
def test_a_changed_receipt_is_refuted_by_the_receipts_root(world: World, member: str) -> None:
    changed = {"status": "0x0", "cumulativeGasUsed": "0x1", "logsBloom": "0x" + "11" * 256}

    def lie(method: str, result: Any) -> Any:
        if method == "eth_getBlockReceipts":
            result[0][member] = changed[member]
        return result

    world.rpc.lie = lie
    with pytest.raises(FieldMismatch) as caught:
        anchor_evidence(world.chain, world.event())
    assert caught.value.field == "header.receiptsRoot"


def test_an_index_beyond_the_receipts_is_malformed(world: World) -> None:
    def lie(method: str, result: Any) -> Any:
        if method == "eth_getTransactionReceipt" and result:
            result["transactionIndex"] = "0x9"
        return result

    world.rpc.lie = lie
    with pytest.raises(AnswerMalformed):
        anchor_evidence(world.chain, world.event())


def test_an_event_with_changed_fields_is_refuted(world: World) -> None:
    event = world.event()
    with pytest.raises(FieldMismatch):
        anchor_evidence(world.chain, replace(event, tree_size=TreeSize(8)))


@pytest.mark.parametrize("place", ["transaction", "block", "index"])
def test_an_event_that_stands_elsewhere_is_not_yet_there(world: World, place: str) -> None:
    event = world.event()
    moved = {
        "transaction": replace(event, tx_hash=TxHash(b"\xee" * 32)),
        "block": replace(event, block=replace(event.block, hash=PublicBlockHash(b"\xee" * 32))),
        "index": replace(event, log_index=event.log_index + 1),
    }
    with pytest.raises(NotYet):
        anchor_evidence(world.chain, moved[place])


def test_a_trusted_public_block_before_ahead_or_too_far_is_refused(world: World) -> None:
    event = world.event()
    for number, error in ((-1, NotYet), (200, NotYet), (MAX_DESCENDANTS + 1, TooLong)):
        with pytest.raises(error):
            anchor_evidence(world.chain, event, PublicBlockNumber(event.block.number + number))


def test_a_public_block_that_is_gone_is_not_yet_there(world: World) -> None:
    event, asked = world.event(), []

    def lie(method: str, result: Any) -> Any:
        asked.append(method)
        return None if method == "eth_getBlockByHash" else result

    world.rpc.lie = lie
    with pytest.raises(NotYet):
        anchor_evidence(world.chain, event)
    assert asked == ["eth_getTransactionReceipt", "eth_getBlockByHash"]


def test_several_transactions_in_one_public_block_each_have_their_proof() -> None:
    world = World().deployed()
    chain, size = world.chain, 1
    at = chain.latest()
    nonce = chain.nonce(GAS_KEY.address(), at)
    for offset in range(20):
        transaction = UnsignedTransaction(
            chain_id=chain.chain_id(),
            nonce=Nonce(nonce + offset),
            to=chain.contract,
            value=Wei(0),
            data=anchor_calldata(world.log.update(size, size + 1)),
            gas=Gas(300_000),
            max_fee=Wei(4 * 10**9),
            tip=Wei(10**9),
        )
        size += 1
        chain.broadcast(GAS_KEY.sign(transaction))
    world.mine()
    events = chain.anchored(world.log.log_id, PublicBlockNumber(0), chain.latest().number)
    assert len({event.block.hash for event in events}) == 1
    for event in events:
        anchor = anchor_evidence(chain, event)
        assert anchor.tx_index == event.log_index
        verify_evm_anchor(anchor, world.log.checkpoint(event.tree_size))
    assert decode_header(anchor_evidence(chain, events[0]).header).number == events[0].block.number
    world.close()


@pytest.mark.parametrize(
    "changed", [{"type": "0x80"}, {"type": "2"}, {"status": None}, {"logs": None}, {"logs": [5]}, {"logsBloom": "0x"}]
)
def test_a_receipt_of_another_shape_is_malformed(world: World, changed: dict[str, Any]) -> None:
    receipt = {"type": "0x2", "status": "0x1", "cumulativeGasUsed": "0x1", "logsBloom": "0x" + "00" * 256, "logs": []}
    assert receipt_from_json(world.rpc, receipt)[:1] == b"\x02"
    assert receipt_from_json(world.rpc, {**receipt, "type": "0x0"})[0] >= 0xC0
    with pytest.raises(AnswerMalformed):
        receipt_from_json(world.rpc, {**receipt, **changed})
