"""Labels, their indices and commitments. Names follow SPEC §15, family registry/."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core import labels, vrf
from hybrid_bridge.core.encoding import Writer, canonical_json, sha256
from hybrid_bridge.core.labels import (
    IdentityValue,
    Label,
    LifeValue,
    alpha,
    commitment,
    event_code,
    identity_value,
    life_value,
    normalised,
)
from hybrid_bridge.errors import BridgeError, DigestLength, FieldMalformed, NotCanonical, SignatureWrong, TooLong
from hybrid_bridge.units import Digest, LogId, RecordType
from tests.unit.hybrid_bridge.core.consortium import GENESIS, PUBLIC_KEY, SEED

LOG = GENESIS.log_id
PARTY = "LEI:5493001KJTIIGC8Y1R12"
USCI = "91350100M000100Y43"
OBJECT = "000102030405060708090a0b0c0d0e0f"
ENTRY = sha256(b"an entry")
OPENING = bytes(range(32))
UUID = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
INVOICE = labels.creditor_invoice(PARTY, "INV-001")
LIFE = labels.life("asset", OBJECT)
PROOF = vrf.prove(SEED, alpha(LOG, INVOICE, 0))

EXAMPLES = [
    (1, ("asset", OBJECT)),
    (2, ("CN", "24332000000000000123")),
    (2, ("DE", UUID)),
    (3, (PARTY, "INV-001")),
    (4, (PARTY, "INV1", "1")),
    (5, (f"USCI:{USCI}", "CNY", "125000000", "2027-01-31", "12")),
    (6, ("CN", "223120260000000017")),
    (7, ("MAEU", "MAE123456")),
    (8, ("UETR", UUID)),
    (8, (PARTY, "REF/17")),
    (9, (USCI, "INV1", "USD", "100", "1")),
    (10, (PARTY, "LOANS_1", "2027-Q1")),
    (11, (sha256(b"manifest").hex(),)),
    (12, ("CHARITY.CN", "2027-17")),
    (13, ("00614141123452aB-1",)),
    (14, ("00614141123452", "L-7")),
]


# ── labels ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("number", "parts"), EXAMPLES)
def test_a_label_is_the_bytes_of_its_type_and_parts(number: int, parts: tuple[str, ...]) -> None:
    label = Label(number, parts)
    expected = Writer().u16(number, "t").u8(len(parts), "n")
    for part in parts:
        expected.opaque(part.encode(), 2, "p")
    assert label.encode() == expected.bytes()
    assert Label.decode(label.encode()) == label == normalised(number, *parts)


@pytest.mark.parametrize(
    ("write", "example"),
    [
        (lambda: labels.life("asset", OBJECT.upper()), EXAMPLES[0]),
        (lambda: labels.e_invoice("cn", "2433 2000 0000 0000 0123"), EXAMPLES[1]),
        (lambda: labels.e_invoice("de", UUID.upper()), EXAMPLES[2]),
        (lambda: labels.creditor_invoice(PARTY.lower(), "inv—001"), EXAMPLES[3]),
        (lambda: labels.creditor_invoice_loose(PARTY, "inv—001"), EXAMPLES[4]),
        (lambda: labels.invoice_terms(f"usci:{USCI}", "cny", "125000000", "2027-01-31", 12), EXAMPLES[5]),
    ],
    ids=range(6),
)
def test_what_people_write_becomes_the_one_spelling(
    write: Callable[[], Label], example: tuple[int, tuple[str, ...]]
) -> None:
    assert write() == Label(*example)


@pytest.mark.parametrize(
    ("number", "parts"),
    [(3, (PARTY, "inv-001")), (3, (PARTY, "INV–001")), (4, (PARTY, "INV-1", "1")), (4, (PARTY, "INV01", "1"))],
)
def test_label_not_normalised(number: int, parts: tuple[str, ...]) -> None:
    encoded = Writer().u16(number, "t").u8(len(parts), "n")
    for part in parts:
        encoded.opaque(part.encode(), 2, "p")
    with pytest.raises(NotCanonical):
        Label.decode(encoded.bytes())


def test_a_label_describes_itself_to_people() -> None:
    assert INVOICE.describe() == f"creditor's invoice {PARTY} INV-001"


def test_check_digit() -> None:
    with pytest.raises(FieldMalformed) as caught:
        Label(3, ("LEI:5493001KJTIIGC8Y1R13", "INV-001"))
    assert caught.value.field == "lei"


def test_cyrillic_homoglyph() -> None:
    with pytest.raises(FieldMalformed):
        labels.creditor_invoice(PARTY, "\u0406NV-001")


def test_parts_misaligned() -> None:
    one, other = Label(12, ("AB", "C")), Label(12, ("A", "BC"))
    assert one.encode() != other.encode()
    assert alpha(LOG, one, 0) != alpha(LOG, other, 0)
    assert commitment(OPENING, LOG, one, 0, b"") != commitment(OPENING, LOG, other, 0, b"")


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        (0, ()),
        (15, ("A",)),
        (3, (PARTY,)),
        (3, (PARTY, "INV-001", "1")),
        (4, (PARTY, "INV1", "0")),
        (4, (PARTY, "INV1", "01")),
        (4, (PARTY, "INV1", "10000")),
        (2, ("DE", "24332000000000000123")),
        (2, ("CN", UUID)),
        (6, ("DE", "223120260000000017")),
        (8, ("UETR", "REF/17")),
        (5, (PARTY, "CNY", "1", "2027-02-29", "1")),
        (11, ("00",)),
        (13, ("0061414112345",)),
    ],
)
def test_what_the_table_does_not_have_is_no_label(number: int, parts: tuple[str, ...]) -> None:
    with pytest.raises(FieldMalformed):
        Label(number, parts)


@given(st.sampled_from(EXAMPLES), st.integers(0), st.integers(1, 255))
@settings(max_examples=150)
def test_a_changed_byte_is_refused_or_gives_another_label(
    example: tuple[int, tuple[str, ...]], at: int, change: int
) -> None:
    label = Label(*example)
    data = bytearray(label.encode())
    data[at % len(data)] ^= change
    try:
        other = Label.decode(bytes(data))
    except BridgeError:
        return
    assert other.encode() == data
    assert other != label


@given(st.binary(max_size=80))
def test_random_bytes_are_no_label(data: bytes) -> None:
    try:
        label = Label.decode(data)
    except BridgeError:
        return
    assert label.encode() == data


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x00\x0c\x02\x00\x01A\x00\x01\xff", NotCanonical),
        (b"\x00\x0c\x02\x02\x01" + b"A" * 513 + b"\x00\x01B", TooLong),
        (b"\x00\x0c\x02\x01\x01" + b"A" * 257 + b"\x00\x01B", TooLong),
    ],
    ids=["no UTF-8", "a part over 512 bytes", "a part over 256 characters"],
)
def test_parts_are_short_and_utf_8(data: bytes, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        Label.decode(data)


# ── index and commitment ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_proof_of_a_label_gives_its_index() -> None:
    assert vrf.verify(PUBLIC_KEY, alpha(LOG, INVOICE, 0), PROOF) == vrf.proof_output(PROOF)


def test_vrf_proof_of_other_label() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify(PUBLIC_KEY, alpha(LOG, labels.creditor_invoice(PARTY, "INV-002"), 0), PROOF)


def test_vrf_proof_of_other_version() -> None:
    proof = vrf.prove(SEED, alpha(LOG, LIFE, 1))
    with pytest.raises(SignatureWrong):
        vrf.verify(PUBLIC_KEY, alpha(LOG, LIFE, 2), proof)


def test_vrf_proof_of_other_log() -> None:
    with pytest.raises(SignatureWrong):
        vrf.verify(PUBLIC_KEY, alpha(LogId(bytes(32)), INVOICE, 0), PROOF)


def test_identity_version_one() -> None:
    for call in (lambda: alpha(LOG, INVOICE, 1), lambda: commitment(OPENING, LOG, INVOICE, 1, b"")):
        with pytest.raises(FieldMalformed) as caught:
            call()
        assert caught.value.field == "label.version"
    assert INVOICE.kind == "hard"


def test_opening_of_other_entry() -> None:
    shown = identity_value(ENTRY, OBJECT)
    other = identity_value(sha256(b"another entry"), OBJECT)
    assert commitment(OPENING, LOG, INVOICE, 0, shown) != commitment(OPENING, LOG, INVOICE, 0, other)


def test_a_commitment_hides_and_binds_every_input() -> None:
    value = life_value("0x0106", ENTRY, {"state": "HELD"})
    made = [
        commitment(OPENING, LOG, LIFE, 3, value),
        commitment(bytes(32), LOG, LIFE, 3, value),
        commitment(OPENING, LogId(bytes(32)), LIFE, 3, value),
        commitment(OPENING, LOG, labels.life("note", OBJECT), 3, value),
        commitment(OPENING, LOG, LIFE, 4, value),
        commitment(OPENING, LOG, LIFE, 3, value + b" "),
    ]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    ("opening", "version", "value"),
    [(bytes(31), 0, b""), (OPENING, 2**32, b""), (OPENING, 0, bytes(65_536))],
    ids=range(3),
)
def test_inputs_beyond_their_width_are_refused(opening: bytes, version: int, value: bytes) -> None:
    with pytest.raises(BridgeError):
        commitment(opening, LOG, LIFE, version, value)


# ── what a commitment opens to ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "value",
    [
        IdentityValue(ENTRY, OBJECT),
        IdentityValue(ENTRY, OBJECT, "2"),
        LifeValue("0x0106", ENTRY, {}),
        LifeValue("0x0106", ENTRY, {"face": "100", "state": "HELD", "n": 1}),
    ],
    ids=range(4),
)
def test_decoding_a_value_inverts_encoding(value: IdentityValue | LifeValue) -> None:
    assert type(value).decode(value.encode()) == value


def test_values_are_canonical_json() -> None:
    assert identity_value(ENTRY, OBJECT) == IdentityValue(ENTRY, OBJECT, "1").encode()
    assert life_value("0x0101", ENTRY, {}) == b'{"code":"0x0101","entry":"' + _text() + b'","state":{}}'
    assert event_code(RecordType(0x010A)) == "0x010a"


def _text() -> bytes:
    return identity_value(ENTRY, OBJECT).split(b'"')[3]


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b'{"entry":"","object":"","table":""}',
        canonical_json({"entry": _text().decode(), "object": OBJECT.upper(), "table": "1"}),
        canonical_json({"entry": _text().decode(), "object": OBJECT, "table": 1}),
        canonical_json({"entry": 1, "object": OBJECT, "table": "1"}),
        canonical_json({"entry": _text().decode(), "more": "", "object": OBJECT, "table": "1"}),
        identity_value(ENTRY, OBJECT) + b" ",
    ],
    ids=range(8),
)
def test_other_json_is_no_identity_value(data: bytes) -> None:
    with pytest.raises(BridgeError):
        IdentityValue.decode(data)


@pytest.mark.parametrize(
    "data",
    [
        canonical_json({"code": "0x0101", "entry": _text().decode(), "state": []}),
        canonical_json({"code": "0x01", "entry": _text().decode(), "state": {}}),
        canonical_json({"code": "0x010A", "entry": _text().decode(), "state": {}}),
        canonical_json({"code": None, "entry": _text().decode(), "state": {}}),
        canonical_json({"code": "0x0101", "entry": "AA", "state": {}}),
    ],
    ids=range(5),
)
def test_other_json_is_no_life_value(data: bytes) -> None:
    with pytest.raises(BridgeError):
        LifeValue.decode(data)


@given(st.binary(max_size=60))
def test_random_bytes_are_no_value(data: bytes) -> None:
    with pytest.raises(BridgeError):
        IdentityValue.decode(data)
    with pytest.raises(BridgeError):
        LifeValue.decode(data)


def test_an_entry_leaf_has_32_bytes() -> None:
    with pytest.raises(DigestLength):
        identity_value(Digest(b"short"), OBJECT)
    with pytest.raises(DigestLength):
        life_value("0x0101", Digest(b"short"), {})


def test_a_party_of_the_label_is_the_party_of_the_document() -> None:
    assert labels.creditor_invoice(ids.party(lei="5493001kjtiigc8y1r12"), "INV-001") == INVOICE
