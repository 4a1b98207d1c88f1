"""Private fields on their way: one encoding, bound to log, recipient and entry, shown nowhere in passing."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.delivery import (
    MAX_PLAINTEXT,
    Acknowledgement,
    DeliveredField,
    DeliveredOpening,
    DeliveryPlaintext,
    SignedAcknowledgement,
    delivery_info,
    parse_delivery,
)
from hybrid_bridge.core.encoding import b64u, canonical_json, context, sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import (
    FieldMalformed,
    FieldMismatch,
    Malformed,
    NotCanonical,
    SignatureWrong,
    TooLong,
    TrailingBytes,
    Truncated,
)

LOG, KEY_HASH, LEAF = sha256(b"log"), sha256(b"key"), sha256(b"leaf")
RECEIVER = PrivateKey.from_seed(bytes(32))
OTHER = PrivateKey(ec.derive_private_key(9, ec.SECP256R1()))
ENTRY = RecordEntry(1, 8, bytes(32)).encode()

b32 = st.binary(min_size=32, max_size=32)
plaintexts = st.builds(
    DeliveryPlaintext,
    entry=st.just(ENTRY),
    disclosures=st.lists(
        st.builds(DeliveredField, st.text(max_size=20), st.integers(0, 1023), st.lists(b32, max_size=10).map(tuple)),
        max_size=4,
    ).map(tuple),
    decoys=st.lists(b32, max_size=4).map(tuple),
    openings=st.lists(st.builds(DeliveredOpening, st.binary(max_size=40), st.text(max_size=20), b32), max_size=3).map(
        tuple
    ),
)


@given(plaintexts)
@settings(max_examples=60)
def test_every_delivery_comes_back_from_its_bytes(plaintext: DeliveryPlaintext) -> None:
    data = plaintext.encode()
    assert parse_delivery(data) == plaintext
    assert parse_delivery(data).encode() == data


def test_the_members_are_those_of_the_specification() -> None:
    plaintext = DeliveryPlaintext(
        entry=ENTRY,
        disclosures=(DeliveredField("text", 4, (LEAF,)),),
        decoys=(LOG,),
        openings=(DeliveredOpening(b"label", "value", KEY_HASH),),
    )
    assert plaintext.encode() == canonical_json(
        {
            "entry": b64u(ENTRY),
            "disclosures": [{"value": "text", "index": 4, "path": [b64u(LEAF)]}],
            "decoys": [b64u(LOG)],
            "openings": [{"label": b64u(b"label"), "value": "value", "opening": b64u(KEY_HASH)}],
        }
    )


def test_a_delivery_shows_no_private_value_of_itself() -> None:
    plaintext = DeliveryPlaintext(
        entry=ENTRY,
        disclosures=(DeliveredField("private-text", 4, ()),),
        decoys=(b"private-seed-of-thirty-two-bytes",),
        openings=(DeliveredOpening(b"private-label", "private-value", KEY_HASH),),
    )
    for shown in (repr(plaintext), repr(plaintext.disclosures), repr(plaintext.openings)):
        assert "private" not in shown


GOOD = {"entry": b64u(ENTRY), "disclosures": [], "decoys": [], "openings": []}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"", FieldMalformed, id="empty"),
        pytest.param(canonical_json(GOOD) + b"\n", NotCanonical, id="newline"),
        pytest.param(canonical_json([GOOD]), FieldMalformed, id="array"),
        pytest.param(canonical_json({**GOOD, "more": 1}), FieldMalformed, id="unknown-member"),
        pytest.param(canonical_json({k: v for k, v in GOOD.items() if k != "decoys"}), FieldMalformed, id="missing"),
        pytest.param(canonical_json({**GOOD, "entry": b64u(ENTRY[:36])}), FieldMalformed, id="entry-of-36"),
        pytest.param(canonical_json({**GOOD, "decoys": [b64u(bytes(31))]}), FieldMalformed, id="decoy-of-31"),
        pytest.param(canonical_json({**GOOD, "decoys": [b64u(bytes(32))] * 513}), TooLong, id="decoys-513"),
        pytest.param(
            canonical_json({**GOOD, "disclosures": [{"value": "x", "index": 1024, "path": []}]}),
            FieldMalformed,
            id="index-1024",
        ),
        pytest.param(
            canonical_json({**GOOD, "disclosures": [{"value": "x", "index": 0, "path": [b64u(bytes(32))] * 11}]}),
            TooLong,
            id="path-of-11",
        ),
        pytest.param(b" " * (MAX_PLAINTEXT + 1), TooLong, id="too-long"),
    ],
)
def test_no_delivery_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        parse_delivery(data)


def test_a_delivery_that_could_not_be_read_is_not_written() -> None:
    with pytest.raises(Malformed):
        DeliveryPlaintext(entry=ENTRY[:36], disclosures=()).encode()
    with pytest.raises(Malformed):
        DeliveryPlaintext(entry=ENTRY, disclosures=(DeliveredField("\ud800", 0, ()),)).encode()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_leave_no_foreign_error(data: bytes) -> None:
    for decode, part in (
        (Acknowledgement.decode, data),
        (Acknowledgement.decode, b"\x01" + data[:136].ljust(136, b"\x00")),
        (SignedAcknowledgement.decode, data),
        (SignedAcknowledgement.decode, ACKNOWLEDGEMENT.encode() + data),
        (parse_delivery, data),
    ):
        try:
            assert decode(part).encode() == part
        except Malformed:
            continue


def test_an_envelope_is_bound_to_log_recipient_and_entry() -> None:
    info = delivery_info(LOG, KEY_HASH, LEAF)
    assert info == context("delivery") + LOG + KEY_HASH + LEAF
    with pytest.raises(Malformed):
        delivery_info(LOG, KEY_HASH[:31], LEAF)


# ── what the receiver signs back ─────────────────────────────────────────────────────────────────────────────────────

ACKNOWLEDGEMENT = Acknowledgement(
    log_id=LOG,
    entry_leaf=LEAF,
    envelope_hash=sha256(b"envelope"),
    received_time=1_800_000_000,
    receiver=RECEIVER.public.key_id,
)
SIGNED = SignedAcknowledgement.over(ACKNOWLEDGEMENT, RECEIVER)


@given(b32, b32, b32, st.integers(0, 2**53 - 1), b32)
def test_every_acknowledgement_comes_back_from_its_137_bytes(
    log_id: bytes, entry_leaf: bytes, envelope_hash: bytes, received_time: int, receiver: bytes
) -> None:
    acknowledgement = Acknowledgement(
        log_id=log_id,
        entry_leaf=entry_leaf,
        envelope_hash=envelope_hash,
        received_time=received_time,
        receiver=receiver,
    )
    data = acknowledgement.encode()
    assert len(data) == 137
    assert Acknowledgement.decode(data) == acknowledgement
    assert acknowledgement.message == context("ack") + data


@pytest.mark.parametrize("key", [RECEIVER, OTHER], ids=["ed25519", "p256"])
def test_a_signed_acknowledgement_comes_back_from_its_203_bytes_and_holds(key: PrivateKey) -> None:
    signed = SignedAcknowledgement.over(replace(ACKNOWLEDGEMENT, receiver=key.public.key_id), key)
    data = signed.encode()
    assert len(data) == 203
    assert SignedAcknowledgement.decode(data) == signed
    signed.verify(key.public)


def test_an_acknowledgement_holds_for_its_receiver_and_its_envelope_only() -> None:
    with pytest.raises(FieldMismatch):
        SIGNED.verify(OTHER.public)
    for changes in ({"envelope_hash": LEAF}, {"entry_leaf": LOG}, {"log_id": LEAF}, {"received_time": 1}):
        with pytest.raises(SignatureWrong):
            replace(SIGNED, acknowledgement=replace(ACKNOWLEDGEMENT, **changes)).verify(RECEIVER.public)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"\x02" + SIGNED.encode()[1:], FieldMalformed, id="version-2"),
        pytest.param(SIGNED.encode()[:-1], Truncated, id="202-bytes"),
        pytest.param(SIGNED.encode() + b"\x00", TrailingBytes, id="204-bytes"),
        pytest.param(SIGNED.encode()[:138] + b"\x08" + SIGNED.encode()[139:], FieldMalformed, id="scheme-unknown"),
    ],
)
def test_no_acknowledgement_comes_from(data: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        SignedAcknowledgement.decode(data)


def test_an_acknowledgement_alone_has_no_trailing_bytes() -> None:
    with pytest.raises(TrailingBytes):
        Acknowledgement.decode(SIGNED.encode())
