"""What a member signs: one encoding, one id, and no way to use a signature for anything else."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.disclosure import ORIGIN, SCHEMA, Disclosure, FieldValue
from hybrid_bridge.core.encoding import context, sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.keys import P256, PrivateKey, key_id_text
from hybrid_bridge.core.promise import Promise
from hybrid_bridge.core.transaction import (
    MAX_SIGNED,
    BeaconPayload,
    Body,
    GovernancePayload,
    Payload,
    RecordPayload,
    RegistryOp,
    SignaturePart,
    SignedTransaction,
    claims_of,
)
from hybrid_bridge.errors import (
    BridgeError,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    Missing,
    NotCanonical,
    RootMismatch,
    SignatureWrong,
    TooLong,
    TrailingBytes,
    Truncated,
)

LOG = sha256(b"this consortium")
SUBMITTER = PrivateKey.from_seed(bytes(32))
AUTHORISERS = sorted(
    [
        PrivateKey.from_seed(b"\x01" * 32),
        PrivateKey.from_seed(b"\x02" * 32),
        PrivateKey(ec.derive_private_key(3, ec.SECP256R1())),
    ],
    key=lambda key: key.public.key_id,
)
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def make(name: str, value: FieldValue) -> Disclosure:
    return Disclosure(sha256(name.encode()), name, value)


CLAIMS = [make(SCHEMA, "asset.register/1"), make(ORIGIN, key_id_text(SUBMITTER.public.key_id)), make("gross", "125")]
TREE = build_fields(CLAIMS, [make("seller", "LEI")], [bytes([i]) * 32 for i in range(3)])
TEXTS = tuple(claim.text() for claim in TREE.claims)
OPS = tuple(RegistryOp(label_type=3, index=bytes([i]) * 32, commitment=bytes(32)) for i in (1, 2))
RECORD = RecordPayload(RecordEntry(0x0101, TREE.width, TREE.field_root).encode(), TREE.private_root, TEXTS, OPS)
ENTRY_AT = 2 + 32 + 32 + 8 + 8 + 1 + 3 * 32  # bytes of the body before the payload, with three authorisers


def body_of(payload: Payload = RECORD, authorisers: list[PrivateKey] = AUTHORISERS, **changes: object) -> Body:
    fields = {
        "log_id": LOG,
        "submitter": SUBMITTER.public.key_id,
        "sequence": 4,
        "expires_epoch": 7,
        "authorisers": tuple(key.public.key_id for key in authorisers),
        "payload": payload,
    }
    return Body(**{**fields, **changes})  # type: ignore[arg-type]


def sign(
    body: Body, submitter: PrivateKey = SUBMITTER, authorisers: list[PrivateKey] = AUTHORISERS
) -> SignedTransaction:
    consents = [SignaturePart.over(body.consent, key) for key in authorisers]
    return SignedTransaction.assemble(body, SignaturePart.over(body.message, submitter), reversed(consents))


BODY = body_of()
SIGNED = sign(BODY)
PAYLOADS = {"record": RECORD, "governance": GovernancePayload((bytes(288),)), "beacon": BeaconPayload(1, 2, bytes(32))}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
@pytest.mark.parametrize("authorisers", [[], AUTHORISERS[:1], AUTHORISERS], ids=["none", "one", "three"])
def test_every_transaction_comes_back_from_its_bytes_and_verifies(
    payload: Payload, authorisers: list[PrivateKey]
) -> None:
    body = body_of(payload, authorisers)
    signed = sign(body, authorisers=authorisers)
    assert Body.decode(body.encode()) == body
    assert SignedTransaction.decode(signed.encode()) == signed
    assert signed.encode().startswith(body.encode())
    signed.verify_stateless(LOG)


def test_the_message_is_the_body_and_the_id_its_hash() -> None:
    assert BODY.message == context("transaction") + BODY.encode()
    assert BODY.transaction_id == sha256(BODY.message)
    assert BODY.encode()[ENTRY_AT : ENTRY_AT + 37] == RECORD.entry


def test_the_id_stays_when_a_signature_changes() -> None:
    other = SignedTransaction(BODY, (replace(SIGNED.signatures[0], signature=bytes(64)), *SIGNED.signatures[1:]))
    assert SignedTransaction.decode(other.encode()).body.transaction_id == BODY.transaction_id


def test_consent_leaves_out_submitter_and_sequence_only() -> None:
    assert body_of(sequence=5, submitter=AUTHORISERS[0].public.key_id).consent == BODY.consent
    for changed in (
        body_of(log_id=bytes(32)),
        body_of(expires_epoch=8),
        body_of(authorisers=AUTHORISERS[:2]),
        body_of(replace(RECORD, ops=())),
        body_of(GovernancePayload((b"",))),
    ):
        assert changed.consent != BODY.consent


def test_claims_are_found_by_name_in_the_order_of_the_left_half() -> None:
    claims = claims_of(BODY)
    assert tuple(claim.text() for claim in claims.values()) == TEXTS
    assert claims["gross"].value == "125"
    assert claims_of(body_of(GovernancePayload((b"",)))) == {}


def test_a_consent_that_is_missing_is_named() -> None:
    with pytest.raises(Missing) as caught:
        SignedTransaction.assemble(BODY, SIGNED.signatures[0], SIGNED.signatures[1:3])
    assert key_id_text(BODY.authorisers[2]) in caught.value.what


# ── the named cases of SPEC §15 ──────────────────────────────────────────────────────────────────────────────────────


def swapped(at: int, new: bytes, data: bytes = SIGNED.encode()) -> bytes:
    return data[:at] + new + data[at + len(new) :]


def with_part(position: int, part: SignaturePart) -> bytes:
    parts = list(SIGNED.signatures)
    parts[position] = part
    return SignedTransaction(BODY, tuple(parts)).encode()


def with_signature(position: int, signature: bytes) -> bytes:
    return with_part(position, replace(SIGNED.signatures[position], signature=signature))


def high_s() -> bytes:
    position = next(i for i, part in enumerate(SIGNED.signatures) if part.scheme == P256)
    signature = SIGNED.signatures[position].signature
    twin = P256_ORDER - int.from_bytes(signature[32:], "big")
    return with_signature(position, signature[:32] + twin.to_bytes(32, "big"))


def unreduced_s() -> bytes:
    signature = SIGNED.signatures[0].signature
    larger = int.from_bytes(signature[32:], "little") + ED25519_ORDER
    return with_signature(0, signature[:32] + larger.to_bytes(32, "little"))


def small_order_key() -> bytes:
    """The key whose signature (identity, 0) would hold over every message."""
    spki = bytes.fromhex("302a300506032b6570032100") + b"\x01" + bytes(31)
    body = replace(BODY, submitter=sha256(spki), authorisers=())
    return SignedTransaction(body, (SignaturePart(0x0807, spki, b"\x01" + bytes(63)),)).encode()


def promise_signature() -> bytes:
    promise = Promise(
        log_id=LOG,
        transaction_id=BODY.transaction_id,
        entry_leaf=bytes(32),
        accepted_time=1,
        accepted_epoch=1,
        by_epoch=2,
        signer=SUBMITTER.public.key_id,
    )
    return with_signature(0, SUBMITTER.sign(promise.message))


def copied_by_another() -> bytes:
    """A copy under another submitter, with the consents gathered for the first one."""
    thief = AUTHORISERS[0]
    body = replace(BODY, submitter=thief.public.key_id)
    consents = [SignaturePart.over(body.consent, key) for key in AUTHORISERS]
    return SignedTransaction.assemble(body, SignaturePart.over(body.message, thief), consents).encode()


def authoriser_stripped() -> bytes:
    """Out of the list as well: the submitter's signature was over other bytes."""
    body = replace(BODY, authorisers=BODY.authorisers[:2])
    return SignedTransaction(body, SIGNED.signatures[:3]).encode()


def authoriser_added() -> bytes:
    body = replace(BODY, authorisers=BODY.authorisers[:2])
    signed = sign(body, authorisers=AUTHORISERS[:2])
    consent = SignaturePart.over(BODY.consent, AUTHORISERS[2])
    return SignedTransaction(BODY, (*signed.signatures, consent)).encode()


def resigned(payload: RecordPayload) -> bytes:
    return sign(body_of(payload)).encode()


def compressed_spki() -> bytes:
    position = next(i for i, part in enumerate(SIGNED.signatures) if part.scheme == P256)
    head = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    spki = head + b"\x02" + SIGNED.signatures[position].spki[27:59]
    return with_part(position, replace(SIGNED.signatures[position], spki=spki))


FIRST_OP = len(BODY.encode()) - 2 * 71
WITHOUT_SUBMITTERS = SIGNED.signatures[1:]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(sign(body_of(log_id=bytes(32))).encode(), FieldMismatch, id="other-consortium"),
        pytest.param(promise_signature(), SignatureWrong, id="promise-signature-as-transaction"),
        pytest.param(with_signature(0, SUBMITTER.sign(BODY.consent)), SignatureWrong, id="consent-as-submission"),
        pytest.param(with_signature(1, AUTHORISERS[0].sign(BODY.message)), SignatureWrong, id="submission-as-consent"),
        pytest.param(copied_by_another(), FieldMismatch, id="origin-not-submitter"),
        pytest.param(authoriser_stripped(), SignatureWrong, id="authoriser-stripped"),
        pytest.param(
            swapped(
                len(BODY.encode()), b"\x03" + SIGNED.encode()[len(BODY.encode()) + 1 : -(3 + 44 + 64)], SIGNED.encode()
            )[: -(3 + 44 + 64)],
            Malformed,
            id="authorisers-signature-stripped",
        ),
        pytest.param(authoriser_added(), SignatureWrong, id="authoriser-added"),
        pytest.param(swapped(83, BODY.authorisers[1] + BODY.authorisers[0]), FieldMalformed, id="authorisers-unsorted"),
        pytest.param(swapped(83, BODY.authorisers[1]), FieldMalformed, id="authorisers-doubled"),
        pytest.param(resigned(replace(RECORD, private_root=bytes(32))), RootMismatch, id="private-root-mismatch"),
        pytest.param(resigned(replace(RECORD, claims=TEXTS[::-1])), FieldMalformed, id="claim-order"),
        pytest.param(resigned(replace(RECORD, claims=(*TEXTS[:2], TEXTS[1]))), FieldMalformed, id="claim-twice"),
        pytest.param(
            resigned(replace(RECORD, claims=tuple(sorted(claim.text() for claim in CLAIMS[1:])))),
            FieldMalformed,
            id="claim-without-schema",
        ),
        pytest.param(resigned(replace(RECORD, claims=("e30", *TEXTS))), FieldMalformed, id="claim-no-disclosure"),
        pytest.param(resigned(replace(RECORD, claims=(TEXTS[0] + "=", *TEXTS[1:]))), NotCanonical, id="claim-padded"),
        pytest.param(high_s(), FieldMalformed, id="high-s-p256"),
        pytest.param(unreduced_s(), FieldMalformed, id="ed25519-s-not-reduced"),
        pytest.param(small_order_key(), FieldMalformed, id="ed25519-small-order-key"),
        pytest.param(SIGNED.encode() + b"\x00", TrailingBytes, id="trailing-byte"),
        pytest.param(SIGNED.encode()[:-1], Truncated, id="last-byte-missing"),
        pytest.param(
            swapped(FIRST_OP, BODY.encode()[FIRST_OP + 71 :] + BODY.encode()[FIRST_OP : FIRST_OP + 71]),
            FieldMalformed,
            id="ops-unsorted",
        ),
        pytest.param(swapped(FIRST_OP + 71, BODY.encode()[FIRST_OP : FIRST_OP + 71]), FieldMalformed, id="ops-doubled"),
        pytest.param(swapped(FIRST_OP + 3, b"\x00\x00\x00\x01"), FieldMalformed, id="version-not-zero"),
        pytest.param(swapped(0, b"\x02"), FieldMalformed, id="body-version-2"),
        pytest.param(swapped(1, b"\x04"), FieldMalformed, id="kind-unknown"),
        pytest.param(swapped(66, b"\x01"), FieldMalformed, id="sequence-over-2^53"),
        pytest.param(swapped(ENTRY_AT, b"\x00"), Malformed, id="entry-is-a-decoy"),
        pytest.param(with_part(0, replace(SIGNED.signatures[0], scheme=0x0804)), FieldMalformed, id="scheme-unknown"),
        pytest.param(
            with_part(0, replace(SIGNED.signatures[0], scheme=P256)), FieldMalformed, id="scheme-of-another-key"
        ),
        pytest.param(compressed_spki(), FieldMalformed, id="spki-compressed-point"),
        pytest.param(with_part(0, SIGNED.signatures[1]), FieldMismatch, id="signed-by-another-key"),
        pytest.param(
            SignedTransaction(BODY, (*SIGNED.signatures[:2], *SIGNED.signatures[:1:-1])).encode(),
            FieldMismatch,
            id="consents-in-another-order",
        ),
        pytest.param(bytes(MAX_SIGNED + 1), TooLong, id="too-long"),
        pytest.param(b"", Truncated, id="empty"),
    ],
)
def test_no_transaction_stands_with(data: bytes, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        SignedTransaction.decode(data).verify_stateless(LOG)


def test_the_origin_named_in_an_error_is_bounded() -> None:
    claims = [CLAIMS[0], make(ORIGIN, "x" * 5000)]
    tree = build_fields(claims, [], [bytes([i]) * 32 for i in range(4)])
    payload = RecordPayload(
        RecordEntry(1, 8, tree.field_root).encode(), tree.private_root, tuple(claim.text() for claim in tree.claims)
    )
    with pytest.raises(FieldMismatch) as caught:
        sign(body_of(payload)).verify_stateless(LOG)
    assert len(caught.value.got) == 64


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_body_has_at_most_65536_bytes() -> None:
    room = 65_536 - len(body_of(GovernancePayload((b"",)), []).encode())
    longest = body_of(GovernancePayload((bytes(room),)), [])
    assert len(longest.encode()) == 65_536
    assert Body.decode(longest.encode()) == longest
    with pytest.raises(TooLong):
        body_of(GovernancePayload((bytes(room + 1),)), []).encode()
    with pytest.raises(TooLong):
        Body.decode(longest.encode()[: -room - 2] + (room + 1).to_bytes(2, "big") + bytes(room + 1))


def test_at_most_64_authorisers_stand_in_a_body() -> None:
    keys = [bytes([i]) * 32 for i in range(65)]
    assert len(Body.decode(replace(BODY, authorisers=tuple(keys[:64])).encode()).authorisers) == 64
    with pytest.raises(TooLong):
        replace(BODY, authorisers=tuple(keys))


def test_signatures_are_counted() -> None:
    with pytest.raises(FieldMalformed):
        SignedTransaction(BODY, SIGNED.signatures[:3])
    with pytest.raises(TooLong):
        SignaturePart(0x0807, bytes(92), bytes(64))


def test_what_does_not_fit_is_not_written() -> None:
    for changes in ({"sequence": 2**53}, {"sequence": -1}, {"expires_epoch": 2**53}, {"log_id": b""}):
        with pytest.raises(Malformed):
            body_of(**changes).encode()
    with pytest.raises(Malformed):
        SignedTransaction(body_of(authorisers=()), (SignaturePart(0x0807, b"", bytes(63)),)).encode()


# ── arbitrary bytes ──────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.binary(max_size=300))
def test_arbitrary_bytes_leave_no_foreign_error(data: bytes) -> None:
    for given_bytes in (data, b"\x01" + data, BODY.encode()[:ENTRY_AT] + data, BODY.encode() + data):
        try:
            signed = SignedTransaction.decode(given_bytes)
        except Malformed:
            continue
        assert signed.encode() == given_bytes


@given(st.data())
@settings(max_examples=200)
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    encoded = bytearray(SIGNED.encode())
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BridgeError):
        SignedTransaction.decode(bytes(encoded)).verify_stateless(LOG)


@given(st.data())
@settings(max_examples=100)
def test_a_cut_or_a_splice_is_refused_or_comes_back(data: st.DataObject) -> None:
    encoded = SIGNED.encode()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(encoded))] * 2)))
    spliced = encoded[:start] + data.draw(st.binary(max_size=8)) + encoded[end:]
    try:
        assert SignedTransaction.decode(spliced).encode() == spliced
    except Malformed:
        return
