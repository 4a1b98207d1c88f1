"""SPEC §17, the values from a field to a block: fixture as the page has it, every value as the page prints it."""

from itertools import chain

import pytest

from hybrid_bridge.core.block import BlockHeader, chain_step, state_hash, tx_root
from hybrid_bridge.core.delivery import Acknowledgement, SignedAcknowledgement
from hybrid_bridge.core.disclosure import Disclosure, decoy_digest
from hybrid_bridge.core.encoding import ZERO, context, sha256
from hybrid_bridge.core.entry import RecordEntry, entry_leaf
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.core.transaction import Body, RecordPayload, RegistryOp, SignaturePart, SignedTransaction


def salt(first: int) -> bytes:
    return bytes(range(first, first + 32))


LOG_ID = bytes.fromhex("2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a")
SUBMITTER = PrivateKey.from_seed(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
KEY_ID = SUBMITTER.public.key_id

SCHEMA = Disclosure(salt(0x00), "_schema", "asset.register/1")
ORIGIN = Disclosure(salt(0x20), "_origin", key_id_text(KEY_ID))
GROSS = Disclosure(salt(0x40), "gross", "1250000")
SELLER = Disclosure(salt(0x60), "seller", "LEI:5493001KJTIIGC8Y1R12")
TREE = build_fields([SCHEMA, ORIGIN, GROSS], [SELLER], [bytes([i]) * 32 for i in range(3)])
ENTRY = RecordEntry(0x0101, TREE.width, TREE.field_root).encode()

BODY = Body(
    log_id=LOG_ID,
    submitter=KEY_ID,
    sequence=0,
    expires_epoch=7,
    payload=RecordPayload(
        ENTRY,
        TREE.private_root,
        tuple(claim.text() for claim in TREE.claims),
        (
            RegistryOp(
                label_type=3,
                index=bytes.fromhex("328bbde4c7ecb0581a62efd41e79f9caf3f48575120b33e961aeaa46afa93dc0"),
                commitment=bytes.fromhex("3a157e3ea2a9e2f61dc880b617da9f6232b7224bfddb1235212b4b6451b9ffe1"),
            ),
        ),
    ),
)
SIGNED = SignedTransaction.assemble(BODY, SignaturePart.over(BODY.message, SUBMITTER))
STATE = state_hash(1, chain_step(ZERO, 0, BODY.transaction_id), 1, LOG_ID)
HEADER = BlockHeader(
    log_id=LOG_ID,
    height=1,
    previous_hash=LOG_ID,
    time=1_800_000_120,
    epoch=1,
    tx_count=1,
    tx_root=tx_root(((0, SIGNED.encode()),)),
    state=STATE,
)


def test_key_id_of_the_submitter() -> None:
    assert KEY_ID.hex() == "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"


def test_disclosure_of_gross() -> None:
    assert GROSS.text() == "WyJRRUZDUTBSRlJrZElTVXBMVEUxT1QxQlJVbE5VVlZaWFdGbGFXMXhkWGw4IiwiZ3Jvc3MiLCIxMjUwMDAwIl0"


@pytest.mark.parametrize(
    ("disclosure", "digest"),
    [
        (GROSS, "be9255bd49bf473a56d3df7c7e638d3c1e6843903b32d178b4be5228d2dbdae7"),
        (SCHEMA, "878e38a6d14bfa0452c451bfd9a55d38419981bed34b7899133e10a1b640d4b0"),
    ],
    ids=["gross", "_schema"],
)
def test_digests_of_disclosures(disclosure: Disclosure, digest: str) -> None:
    assert disclosure.digest.hex() == digest


def test_roots_of_both_halves() -> None:
    assert TREE.width == 8
    assert TREE.leaves[3] == ZERO
    assert TREE.left_root.hex() == "8e58bff6debb6d27e63610e51ba5c4cedd4c4a86a76b3890d0e087277210eb2e"
    assert TREE.private_root.hex() == "35ec100cf76c7d38877bc7b3dd4bdab04aaf406cd2bd68b6b3bfd54ebd50118c"


def test_the_decoys_are_in_the_right_half() -> None:
    assert {decoy_digest(bytes([i]) * 32) for i in range(3)} | {SELLER.digest} == set(TREE.leaves[4:])


def test_entry_and_its_leaf() -> None:
    assert ENTRY.hex() == "010101000896d9883e279efb7aad41b8b67f0f45344e7ffa811b8484d2689077a18ad786d6"
    assert entry_leaf(ENTRY).hex() == "cccf0dd15c84d90e761751d7d4692ab30b799e59a703ca0690bc819bcec10e66"


def test_transaction_id_and_lengths() -> None:
    assert BODY.transaction_id.hex() == "f4de0902cb5ba36f6da78944a470851af964e5b71babfb8a3dbecf9cea7de91c"
    assert (len(BODY.encode()), len(SIGNED.encode())) == (559, 671)
    SIGNED.verify_stateless(LOG_ID)


def test_hash_of_the_consent() -> None:
    assert sha256(BODY.consent).hex() == "260cd7293c760ea8909102568a4590761317b41330e7e36e865b73c9f95ff4e6"


def test_state_and_block_hash() -> None:
    assert STATE.hex() == "bb57edf17ec6ed31263697ea7d11f485f20a4e08768dc8ca368549c0d1b3d0e8"
    assert HEADER.block_hash.hex() == "d06541110d1cf5318f754d5664341a69f686f00c1e34985a3e54e5e5117708be"


def test_widths_of_structs() -> None:
    promise = Promise(
        log_id=LOG_ID,
        transaction_id=BODY.transaction_id,
        entry_leaf=entry_leaf(ENTRY),
        accepted_time=1_800_000_100,
        accepted_epoch=1,
        by_epoch=7,
        signer=KEY_ID,
    )
    acknowledgement = Acknowledgement(
        log_id=LOG_ID, entry_leaf=entry_leaf(ENTRY), envelope_hash=ZERO, received_time=1_800_000_130, receiver=KEY_ID
    )
    assert len(HEADER.encode()) == 157
    assert (len(promise.encode()), len(SignedPromise.over(promise, SUBMITTER).encode())) == (153, 219)
    signed_acknowledgement = SignedAcknowledgement.over(acknowledgement, SUBMITTER)
    assert (len(acknowledgement.encode()), len(signed_acknowledgement.encode())) == (137, 203)
    assert len(SUBMITTER.public.spki) == 44


def test_no_context_is_the_beginning_of_another() -> None:
    """A signature over one message is never one over another: each context ends where its name ends."""
    names = [
        "transaction",
        "authorisation",
        "block",
        "chain",
        "state",
        "promise",
        "delivery",
        "ack",
        "key-binding",
        "field-decoy",
        "countersign",
    ]
    contexts = [context(name) for name in names]
    pairs = chain.from_iterable(((one, other) for other in contexts if one != other) for one in contexts)
    assert not any(one.startswith(other) for one, other in pairs)
