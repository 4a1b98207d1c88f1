"""Anchors as an outsider meets them. Headers, receipts and tries are made by other packages than ours."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import rlp as oracle
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from hybrid_bridge.core.anchor import (
    ANCHORED,
    MAX_DESCENDANTS,
    MAX_RECEIPT,
    EvmAnchor,
    decode_header,
    decode_receipt,
    verify_evm_anchor,
)
from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    IndexBeyondSize,
    Malformed,
    NotCanonical,
    TooLong,
)
from hybrid_bridge.units import Digest, LogId, SetId, TreeSize, UnixSeconds

CONTRACT = b"\xc0" * 20
BLOOM = bytes(256)
TIME = 1_800_000_600
CHECKPOINT = Checkpoint(
    log_id=LogId(b"\x11" * 32),
    tree_size=TreeSize(2),
    root=Digest(b"\x22" * 32),
    timestamp=UnixSeconds(TIME),
    set_id=SetId(1),
    set_hash=Digest(b"\x33" * 32),
)


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def event(signers: int = 0b1011) -> list[Any]:
    topics = [ANCHORED, CHECKPOINT.log_id, word(CHECKPOINT.tree_size)]
    data = CHECKPOINT.root + word(CHECKPOINT.timestamp) + word(CHECKPOINT.set_id) + word(signers)
    return [CONTRACT, topics, data]


def header(number: int, parent: bytes = bytes(32), root: bytes = bytes(32), time: int = TIME + 7) -> bytes:
    shape: list[Any] = [parent, *([bytes(32)] * 4), root, BLOOM, 0, number, 30_000_000, 21_000, time, b"devnet"]
    return bytes(oracle.encode([*shape, bytes(32), bytes(8), 7, bytes(32)]))


@dataclass
class Story:
    """A public block with our transaction among others, and the anchor an honest relayer makes of it."""

    logs: list[Any] = field(default_factory=lambda: [[b"\x99" * 20, [], b"other"], event()])
    status: int = 1
    kind: bytes = b"\x02"
    tx_index: int = 3
    others: int = 9
    time: int = TIME + 7

    def receipt(self) -> bytes:
        return self.kind + bytes(oracle.encode([self.status, 100_000, BLOOM, self.logs]))

    def anchor(self) -> EvmAnchor:
        trie = HexaryTrie({})
        for index in range(self.others):
            trie[oracle.encode(index)] = b"\x02" + oracle.encode([1, index, BLOOM, []])
        key = oracle.encode(self.tx_index)
        trie[key] = self.receipt()
        first = header(70, root=trie.root_hash, time=self.time)
        second = header(71, keccak(first))
        return EvmAnchor(
            tree_size=2,
            chain_id=31337,
            contract=CONTRACT,
            header=first,
            tx_index=self.tx_index,
            receipt=self.receipt(),
            proof=tuple(bytes(oracle.encode(node)) for node in trie.get_proof(key)),
            log_index=len(self.logs) - 1,
            descendants=(second, header(72, keccak(second))),
        )


def refuted(anchor: EvmAnchor, checkpoint: Checkpoint = CHECKPOINT) -> str:
    with pytest.raises(FieldMismatch) as caught:
        verify_evm_anchor(anchor, checkpoint)
    return caught.value.field


@pytest.mark.parametrize(
    "story", [Story(), Story(kind=b""), Story(tx_index=0, others=0, logs=[event()]), Story(others=200)]
)
def test_an_honest_anchor_gives_its_facts(story: Story) -> None:
    anchor = story.anchor()
    facts = verify_evm_anchor(anchor, CHECKPOINT)
    assert facts.block_hash == keccak(anchor.header)
    assert facts.last_hash == keccak(anchor.descendants[-1])
    assert (facts.block_number, facts.last_number, facts.block_time, facts.signers) == (70, 72, TIME + 7, 0b1011)


def test_without_descendants_the_block_itself_is_what_must_be_trusted() -> None:
    facts = verify_evm_anchor(replace(Story().anchor(), descendants=()), CHECKPOINT)
    assert facts.last_hash == facts.block_hash


def test_topic_0_is_that_of_the_specification() -> None:
    assert ANCHORED.hex() == "872116b15c227d4ffc8e3f0c9552d14bb06bc9a2362786aa99e24f5fc094a90b"


# ── anchor/ of SPEC §15 ──────────────────────────────────────────────────────────────────────────────────────────────


def test_evm_contract_from_bundle_only() -> None:
    """Another contract emitted the event. With its address in the bundle the facts are that contract's alone."""
    story = Story(logs=[[b"\xbb" * 20, *event()[1:]]])
    assert refuted(story.anchor()) == "log.address"
    assert verify_evm_anchor(replace(story.anchor(), contract=b"\xbb" * 20), CHECKPOINT).block_number == 70


def test_evm_status_0() -> None:
    assert refuted(Story(status=0).anchor()) == "receipt.status"


def test_evm_other_topic() -> None:
    address, topics, data = event()
    assert refuted(Story(logs=[[address, [keccak(b"Other()"), *topics[1:]], data]]).anchor()) == "log.topic"


def test_evm_log_index_other() -> None:
    anchor = Story().anchor()
    assert refuted(replace(anchor, log_index=0)) == "log.address"
    with pytest.raises(IndexBeyondSize):
        verify_evm_anchor(replace(anchor, log_index=2), CHECKPOINT)


def test_evm_receipt_proof_wrong_key() -> None:
    anchor = Story().anchor()
    assert refuted(replace(anchor, tx_index=4)) == "trie.node"
    assert refuted(replace(anchor, receipt=Story(status=1, logs=[event(7), event()]).receipt())) == "anchor.receipt"


def test_evm_descendant_unlinked() -> None:
    anchor = Story().anchor()
    assert refuted(replace(anchor, descendants=anchor.descendants[1:])) == "header.parentHash"
    jumped = header(73, keccak(anchor.header))
    assert refuted(replace(anchor, descendants=(jumped,))) == "header.number"


# ── the rest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"log_id": LogId(b"\x12" * 32)}, "log.logId"),
        ({"root": Digest(b"\x23" * 32)}, "log.rootHash"),
        ({"timestamp": UnixSeconds(TIME - 600)}, "log.timestamp"),
        ({"set_id": SetId(2)}, "log.validatorSetId"),
        ({"tree_size": TreeSize(3)}, "anchor.tree_size"),
    ],
)
def test_the_event_of_another_checkpoint_is_refuted(changed: dict[str, Any], where: str) -> None:
    assert refuted(Story().anchor(), replace(CHECKPOINT, **changed)) == where


def test_the_same_event_under_another_size_is_refuted() -> None:
    anchor = replace(Story().anchor(), tree_size=3)
    assert refuted(anchor, replace(CHECKPOINT, tree_size=TreeSize(3))) == "log.treeSize"


@pytest.mark.parametrize("log", [[CONTRACT, event()[1][:2], event()[2]], [CONTRACT, event()[1], event()[2] + b"\x00"]])
def test_an_event_of_another_shape_is_refuted(log: list[Any]) -> None:
    assert refuted(Story(logs=[log]).anchor()) == "log"


def test_an_anchor_older_than_its_epoch_is_refuted() -> None:
    assert refuted(Story(time=TIME - 1).anchor()) == "header.timestamp"


def test_bounds() -> None:
    anchor = Story().anchor()
    with pytest.raises(TooLong):
        verify_evm_anchor(replace(anchor, descendants=anchor.descendants * MAX_DESCENDANTS), CHECKPOINT)
    for changed in ({"contract": bytes(21)}, {"tx_index": -1}, {"log_index": -1}):
        with pytest.raises(FieldMalformed):
            verify_evm_anchor(replace(anchor, **changed), CHECKPOINT)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", FieldMalformed),
        (b"\x00" + oracle.encode([1, 1, BLOOM, []]), FieldMalformed),
        (b"\x05" + oracle.encode([1, 1, BLOOM, []]), FieldMalformed),
        (b"\x02" + oracle.encode([2, 1, BLOOM, []]), FieldMalformed),
        (b"\x02" + oracle.encode([bytes(32), 1, BLOOM, []]), FieldMalformed),  # a state root: before Byzantium
        (b"\x02" + oracle.encode([1, 1, BLOOM]), FieldMalformed),
        (b"\x02" + oracle.encode([1, 1, bytes(255), []]), FieldMalformed),
        (b"\x02" + oracle.encode([1, 1, BLOOM, [[CONTRACT, [], []]]]), FieldMalformed),
        (b"\x02" + oracle.encode([1, 1, BLOOM, [[CONTRACT, [b"short"], b""]]]), FieldMalformed),
        (b"\x02" + oracle.encode([1, 1, BLOOM, [[CONTRACT, [bytes(32)] * 5, b""]]]), FieldMalformed),
        (b"\x02" + oracle.encode([1, 1, BLOOM, [[CONTRACT[:19], [], b""]]]), FieldMalformed),
        (b"\x02\xc2\x81\x01", NotCanonical),
        (b"\x02" + bytes(MAX_RECEIPT + 1), TooLong),
    ],
)
def test_receipts_that_break_their_format_are_malformed(data: bytes, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        decode_receipt(data)


@pytest.mark.parametrize(("at", "item"), [(0, b""), (5, bytes(31)), (8, b"\x00\x01"), (11, [b"1"])])
def test_headers_that_break_their_format_are_malformed(at: int, item: object) -> None:
    items = oracle.decode(header(1))
    items[at] = item
    with pytest.raises(Malformed):
        decode_header(oracle.encode(items))


def test_short_headers_are_malformed_and_longer_ones_accepted() -> None:
    items = oracle.decode(header(9))
    with pytest.raises(Malformed):
        decode_header(oracle.encode(items[:14]))
    assert decode_header(oracle.encode([*items, *[bytes(32)] * 6])).number == 9


HONEST = Story().anchor()


@given(st.sampled_from(["header", "receipt", "proof", "descendants"]), st.integers(0, 1 << 20), st.integers(0, 7))
def test_one_flipped_bit_anywhere_is_refused(member: str, position: int, bit: int) -> None:
    """Only the last descendant may differ: its hash is the one the caller must trust, and it differs then."""
    value = getattr(HONEST, member)
    parts = list(value) if isinstance(value, tuple) else [value]
    at = position % len(parts)
    data = bytearray(parts[at])
    data[position % len(data)] ^= 1 << bit
    parts[at] = bytes(data)
    changed = replace(HONEST, **{member: tuple(parts) if isinstance(value, tuple) else parts[0]})
    try:
        facts = verify_evm_anchor(changed, CHECKPOINT)
    except BridgeError:
        return
    assert facts.last_hash != verify_evm_anchor(HONEST, CHECKPOINT).last_hash
