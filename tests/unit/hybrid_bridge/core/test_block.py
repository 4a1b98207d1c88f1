"""A block of the embedded ledger: what it chains to, what it holds, and a member's word for it."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.block import (
    CODES,
    MAX_BLOCK,
    Block,
    BlockHeader,
    Countersignature,
    chain_step,
    countersign_message,
    state_hash,
    tx_root,
)
from hybrid_bridge.core.encoding import ZERO, context, sha256
from hybrid_bridge.core.keys import ED25519, P256, PrivateKey
from hybrid_bridge.core.proof import leaf_hash, node_hash
from hybrid_bridge.core.transaction import MAX_SIGNED
from hybrid_bridge.errors import (
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    RootMismatch,
    SignatureWrong,
    TooLong,
    TrailingBytes,
    Truncated,
)

LOG = sha256(b"log")
MEMBER = PrivateKey.from_seed(bytes(32))
HSM_MEMBER = PrivateKey(ec.derive_private_key(9, ec.SECP256R1()))
ITEMS = ((0, b"first"), (3, b"second"))
HEADER = BlockHeader(
    log_id=LOG,
    height=7,
    previous_hash=sha256(b"previous"),
    time=1_800_000_120,
    epoch=1,
    tx_count=2,
    tx_root=tx_root(ITEMS),
    state=sha256(b"state"),
)
BLOCK = Block(HEADER, ITEMS)

digests = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**53 - 1)
headers = st.builds(
    BlockHeader,
    log_id=digests,
    height=u64,
    previous_hash=digests,
    time=u64,
    epoch=u64,
    tx_count=st.integers(0, 2**32 - 1),
    tx_root=digests,
    state=digests,
)
blocks = st.builds(
    Block, headers, st.lists(st.tuples(st.sampled_from(CODES), st.binary(max_size=20)), max_size=5).map(tuple)
)


# ── shape ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(headers)
def test_every_header_comes_back_from_its_157_bytes(header: BlockHeader) -> None:
    data = header.encode()
    assert len(data) == 157
    assert BlockHeader.decode(data) == header
    assert header.block_hash == sha256(context("block") + data)


@given(blocks)
def test_every_block_comes_back_from_its_bytes(block: Block) -> None:
    assert Block.decode(block.encode()) == block


@given(st.binary(max_size=250))
def test_arbitrary_bytes_leave_no_foreign_error(data: bytes) -> None:
    for decode, parts in (
        (BlockHeader.decode, (data, b"\x01" + data[:156].ljust(156, b"\x00"))),
        (Block.decode, (data, HEADER.encode() + data, HEADER.encode() + b"\x00\x00\x00\x01\x00" + data)),
        (Countersignature.decode, (data, b"\x01" + data[:170].ljust(170, b"\x00"))),
    ):
        for part in parts:
            try:
                assert decode(part).encode() == part
            except Malformed:
                continue


@given(st.data())
def test_a_changed_byte_of_a_block_is_refused_or_changes_its_hash_or_its_root(data: st.DataObject) -> None:
    encoded = bytearray(BLOCK.encode())
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        block = Block.decode(bytes(encoded))
        block.verify_tx_root()
    except (Malformed, RootMismatch, FieldMismatch):
        return
    assert block.header.block_hash != HEADER.block_hash


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"\x02" + HEADER.encode()[1:], FieldMalformed, id="version-2"),
        pytest.param(HEADER.encode()[:-1], Truncated, id="156-bytes"),
        pytest.param(HEADER.encode() + b"\x00", TrailingBytes, id="158-bytes"),
    ],
)
def test_no_header_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        BlockHeader.decode(data)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(BLOCK.encode() + b"\x00", TrailingBytes, id="trailing-byte"),
        pytest.param(BLOCK.encode()[:-1], Truncated, id="last-byte-missing"),
        pytest.param(HEADER.encode() + b"\xff\xff\xff\xff", Truncated, id="count-without-transactions"),
        pytest.param(HEADER.encode() + b"\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00", FieldMalformed, id="code-6"),
        pytest.param(
            HEADER.encode() + b"\x00\x00\x00\x01\x00\x00" + (MAX_SIGNED + 1).to_bytes(4, "big"),
            TooLong,
            id="transaction-too-long",
        ),
        pytest.param(bytes(MAX_BLOCK + 1), TooLong, id="too-long"),
    ],
)
def test_no_block_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        Block.decode(data)


def test_a_block_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(FieldMalformed):
        Block(HEADER, ((6, b""),))
    with pytest.raises(TooLong):
        Block(HEADER, ((0, bytes(MAX_SIGNED + 1)),))
    with pytest.raises(TooLong):
        Block(HEADER, ((0, bytes(MAX_SIGNED)),) * (MAX_BLOCK // MAX_SIGNED + 1)).encode()
    with pytest.raises(Malformed):
        replace(HEADER, time=2**53).encode()


# ── the chain ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_block_continues_the_log_itself() -> None:
    first = replace(HEADER, height=5, previous_hash=LOG)
    first.verify_first(LOG, 5)
    for other, log, height in ((HEADER, LOG, 7), (first, LOG, 6), (first, ZERO, 5)):
        with pytest.raises(FieldMismatch):
            other.verify_first(log, height)


def test_a_block_follows_the_one_it_names() -> None:
    following = replace(HEADER, height=8, previous_hash=HEADER.block_hash)
    following.verify_follows(HEADER)
    replace(following, time=HEADER.time + 1, epoch=2).verify_follows(HEADER)


@pytest.mark.parametrize(
    ("field", "value"),
    [("log_id", ZERO), ("height", 9), ("height", 7), ("previous_hash", LOG), ("time", 1_800_000_119)],
)
def test_a_block_that_does_not_follow_names_the_field(field: str, value: object) -> None:
    following = replace(HEADER, **{"height": 8, "previous_hash": HEADER.block_hash, field: value})
    with pytest.raises(FieldMismatch) as caught:
        following.verify_follows(HEADER)
    assert caught.value.field == field


# ── its transactions ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_root_is_over_codes_and_signed_bytes_in_order() -> None:
    assert tx_root(()) == sha256(b"")
    assert tx_root(((0, b"a"),)) == leaf_hash(b"\x00\x00a")
    assert tx_root(ITEMS) == node_hash(leaf_hash(b"\x00\x00first"), leaf_hash(b"\x00\x03second"))
    BLOCK.verify_tx_root()
    Block(replace(HEADER, tx_count=0, tx_root=sha256(b"")), ()).verify_tx_root()


@pytest.mark.parametrize(
    "items", [((0, b"first"), (0, b"second")), (ITEMS[1], ITEMS[0]), ((0, b"first"), (3, b"other"))]
)
def test_another_code_order_or_transaction_has_another_root(items: tuple[tuple[int, bytes], ...]) -> None:
    with pytest.raises(RootMismatch):
        Block(HEADER, items).verify_tx_root()


def test_the_count_is_checked() -> None:
    with pytest.raises(FieldMismatch, match="tx_count"):
        Block(HEADER, ITEMS[:1]).verify_tx_root()


def test_the_chain_value_takes_code_and_id() -> None:
    step = chain_step(ZERO, 3, LOG)
    assert step == sha256(context("chain") + ZERO + b"\x00\x03" + LOG)
    assert len({step, chain_step(ZERO, 0, LOG), chain_step(LOG, 3, LOG), chain_step(ZERO, 3, ZERO)}) == 4


def test_the_state_takes_height_chain_and_governance() -> None:
    state = state_hash(1, ZERO, 2, LOG)
    assert state == sha256(context("state") + (1).to_bytes(8, "big") + ZERO + (2).to_bytes(8, "big") + LOG)
    others = {state_hash(2, ZERO, 2, LOG), state_hash(1, LOG, 2, LOG), state_hash(1, ZERO, 3, LOG)}
    assert state not in others
    with pytest.raises(Malformed):
        state_hash(1, b"", 2, LOG)


# ── a member's word ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("key", "scheme"), [(MEMBER, ED25519), (HSM_MEMBER, P256)])
def test_a_countersignature_comes_back_from_its_171_bytes_and_holds(key: PrivateKey, scheme: int) -> None:
    countersignature = Countersignature.over(HEADER, key)
    assert (countersignature.block_hash, countersignature.scheme) == (HEADER.block_hash, scheme)
    data = countersignature.encode()
    assert len(data) == 171
    assert Countersignature.decode(data) == countersignature
    countersignature.verify(key.public)
    assert countersignature.message == context("countersign") + data[:105]
    assert countersignature.message == countersign_message(LOG, 7, HEADER.block_hash, key.public.key_id)


def test_a_countersignature_holds_for_one_block_and_one_member() -> None:
    good = Countersignature.over(HEADER, MEMBER)
    with pytest.raises(FieldMismatch):
        good.verify(HSM_MEMBER.public)
    for changed in (replace(good, height=8), replace(good, block_hash=ZERO), replace(good, log_id=ZERO)):
        with pytest.raises(SignatureWrong):
            changed.verify(MEMBER.public)


@pytest.mark.parametrize("at", [0, 105])
def test_a_countersignature_of_another_version_or_scheme_is_refused(at: int) -> None:
    data = bytearray(Countersignature.over(HEADER, MEMBER).encode())
    data[at] ^= 4
    with pytest.raises(FieldMalformed):
        Countersignature.decode(bytes(data))


def test_hashes_of_another_length_are_refused() -> None:
    with pytest.raises((DigestLength, FieldMalformed)):
        chain_step(b"", 0, LOG)
