"""SD-JWT presentations: made, read back, verified; every named mutation is refused."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.adapters.pki import Holder, issue_identity
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import b64u, canonical_json, parse_b64u
from hybrid_bridge.core.entry import RecordEntry, decode_record_entry
from hybrid_bridge.core.exports.sd_jwt import (
    MAX_JWT,
    MAX_PRESENTATION,
    TYPE,
    Presentation,
    choose,
    issue,
    parse_jwt,
    parse_presentation,
    verify_jwt,
    verify_presentation,
)
from hybrid_bridge.core.field_tree import build_fields, root_of_digests
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.errors import (
    BridgeError,
    CertificateMalformed,
    EntryMalformed,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    NotCanonical,
    RootMismatch,
    SignatureWrong,
    TooLong,
)
from hybrid_bridge.node.documents import open_tree
from tests.bundles import START, consortium, flip

WORLD = consortium()
EVENT = 2  # note.issue/1
PLAINTEXT = WORLD.played[EVENT].draft.delivered()
TREE = open_tree(PLAINTEXT)
ENTRY = decode_record_entry(PLAINTEXT.entry)
SUBMITTER = WORLD.events[EVENT]["submitter"]
KEY = WORLD.keys[SUBMITTER]
TEXTS = [part.value for part in PLAINTEXT.disclosures]


def jwt():
    return parse_jwt(WORLD.jwt(EVENT))


def certificate(key):
    return issue_identity(WORLD.authority, Holder("x", "TEST x", "LEI:x"), key.public, START)


def p256_certificate(private):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TEST x")])
    start = x509.CertificateBuilder(name, name, private.public_key(), 1)
    dated = start.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    return dated.sign(private, SHA256()).public_bytes(Encoding.DER)


def presented(*names):
    return choose(jwt(), TEXTS, names)


# ── good ──


def test_what_is_written_is_read_back():
    assert jwt().text() == WORLD.jwt(EVENT)
    for names in ((), ("note",), ("due_date", "note")):
        made = presented(*names)
        assert parse_presentation(made.encode()) == made


def test_chosen_fields_are_shown_with_schema_and_origin_and_no_others():
    shown = {field.disclosure.name: field for field in verify_presentation(presented("due_date"))}
    assert set(shown) == {"_schema", "_origin", "due_date"}
    assert shown["due_date"].is_claim
    assert len(verify_presentation(presented())) == len(TEXTS)
    assert {field.is_claim for field in verify_presentation(presented())} == {True, False}


def test_the_payload_is_that_of_the_specification():
    header, payload, _ = (parse_b64u(part, "x") for part in WORLD.jwt(EVENT).split("."))
    assert json.loads(header) == {
        "alg": "EdDSA",
        "typ": TYPE,
        "x5c": [base64.b64encode(jwt().certificate).decode()],
    }
    assert json.loads(payload) == {
        "_sd": [b64u(leaf) for leaf in TREE.leaves if any(leaf)],
        "_sd_alg": "sha-256",
        "hb": {
            "log": b64u(WORLD.genesis.log_id),
            "epoch": 1,
            "entry": b64u(PLAINTEXT.entry),
            "claims": len(TREE.claims),
        },
    }


def test_a_p256_key_signs_es256():
    private = ec.derive_private_key(7, ec.SECP256R1())
    key = PrivateKey(private)
    tree = record_of(key)
    made = issue(tree, entry_of(tree), WORLD.genesis.log_id, 1, key, p256_certificate(private))
    assert json.loads(parse_b64u(made.text().split(".")[0], "x"))["alg"] == "ES256"
    verify_presentation(parse_presentation(choose(made, [c.text() for c in tree.claims], ()).encode()))


def record_of(key, *more):
    origin = Disclosure(bytes(32), "_origin", key_id_text(key.public.key_id))
    claims = [Disclosure(bytes(32), "_schema", "x/1"), origin]
    private = [Disclosure(bytes([i + 1]) * 32, name, i) for i, name in enumerate(more)]
    return build_fields(claims, private, [bytes([i]) * 32 for i in range(4 - len(more))])


def entry_of(tree):
    return RecordEntry(0x8001, tree.width, tree.field_root)


# ── what is not made ──


@pytest.mark.parametrize("name", ["hb", "exp", "iss", "cnf"])
def test_a_field_with_a_name_that_jwt_reads_as_its_own_is_not_presented(name):
    tree = record_of(KEY, name)
    with pytest.raises(FieldMalformed):
        issue(tree, entry_of(tree), WORLD.genesis.log_id, 1, KEY, certificate(KEY))


def test_a_certificate_of_another_key_signs_nothing():
    other = PrivateKey.from_seed(bytes(range(32)))
    with pytest.raises(FieldMismatch):
        issue(TREE, ENTRY, WORLD.genesis.log_id, 1, KEY, certificate(other))


def test_the_fields_of_another_record_are_not_signed():
    with pytest.raises(RootMismatch):
        issue(TREE, replace(ENTRY, field_root=flip(ENTRY.field_root)), WORLD.genesis.log_id, 1, KEY, certificate(KEY))


def test_a_field_that_is_not_at_hand_is_not_shown():
    with pytest.raises(FieldMalformed):
        presented("no_such_field")


# ── malformed ──


def forged(header=None, payload=None, signature=None, **changes):
    """A JWT signed by the submitter with parts exchanged: members of the payload, or whole parts."""
    parts = WORLD.jwt(EVENT).split(".")
    stated = json.loads(parse_b64u(parts[1], "x"))
    for name, value in changes.items():
        inside = stated["hb"] if name in stated["hb"] else stated
        inside[name] = value(inside.get(name))
        if inside[name] is None:
            del inside[name]
    head = parts[0] if header is None else header
    body = b64u(canonical_json(stated)) if payload is None else payload
    signed = KEY.sign(f"{head}.{body}".encode()) if signature is None else signature
    return f"{head}.{body}.{b64u(signed)}"


def header(**changes):
    stated = json.loads(parse_b64u(WORLD.jwt(EVENT).split(".")[0], "x")) | changes
    return b64u(canonical_json({name: value for name, value in stated.items() if value is not None}))


X5C = base64.b64encode(jwt().certificate).decode()
MALFORMED = {
    "empty": ("", FieldMalformed),
    "two-parts": (".".join(WORLD.jwt(EVENT).split(".")[:2]), FieldMalformed),
    "too-long": ("a" * (MAX_JWT + 1), TooLong),
    "header-padded": ("=" + WORLD.jwt(EVENT), NotCanonical),
    "header-not-jcs": (forged(header=b64u(b'{"alg": "EdDSA"}')), NotCanonical),
    "alg-none": (forged(header=header(alg="none")), FieldMalformed),
    "alg-of-another-key": (forged(header=header(alg="ES256")), NotCanonical),
    "typ-other": (forged(header=header(typ="JWT")), FieldMalformed),
    "typ-missing": (forged(header=header(typ=None)), FieldMalformed),
    "x5c-missing": (forged(header=header(x5c=None)), FieldMalformed),
    "x5c-empty": (forged(header=header(x5c=[])), CertificateMalformed),
    "x5c-twice": (forged(header=header(x5c=[X5C, X5C])), TooLong),
    "x5c-number": (forged(header=header(x5c=[5])), FieldMalformed),
    "x5c-not-base64": (forged(header=header(x5c=["!"])), NotCanonical),
    "x5c-too-long": (forged(header=header(x5c=["A" * 21_900])), FieldMalformed),
    "x5c-no-certificate": (forged(header=header(x5c=["AAAA"])), CertificateMalformed),
    "crit-added": (forged(header=header(crit=["x"])), FieldMalformed),
    "payload-array": (forged(payload=b64u(b"[]")), FieldMalformed),
    "payload-not-jcs": (forged(payload=b64u(b'{"_sd":[] }')), NotCanonical),
    "no-sd": (forged(_sd=lambda _: None), FieldMalformed),
    "no-sd-alg": (forged(_sd_alg=lambda _: None), FieldMalformed),
    "sd-alg-other": (forged(_sd_alg=lambda _: "sha-384"), FieldMalformed),
    "claim-added": (forged(iss=lambda _: "https://x.example"), FieldMalformed),
    "digest-31-bytes": (forged(_sd=lambda sd: [b64u(bytes(31)), *sd[1:]]), FieldMalformed),
    "digest-padded": (forged(_sd=lambda sd: [sd[0] + "=", *sd[1:]]), Malformed),
    "digests-1025": (forged(_sd=lambda sd: [sd[0]] * 1025), TooLong),
    "log-31-bytes": (forged(log=lambda _: b64u(bytes(31))), FieldMalformed),
    "epoch-text": (forged(epoch=lambda _: "1"), FieldMalformed),
    "entry-36-bytes": (forged(entry=lambda e: b64u(parse_b64u(e, "x")[:36])), FieldMalformed),
    "decoy-shown-as-record": (forged(entry=lambda e: b64u(bytes(5) + parse_b64u(e, "x")[5:])), EntryMalformed),
    "claims-over-512": (forged(claims=lambda _: 513), FieldMalformed),
    "signature-63-bytes": (forged(signature=bytes(63)), FieldMalformed),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_other_bytes_are_malformed(name):
    text, error = MALFORMED[name]
    with pytest.raises(error) as raised:
        parse_jwt(text)
    assert isinstance(raised.value, Malformed)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:-1], FieldMalformed),
        (lambda data: data + b"eyJ.a.b", FieldMalformed),
        (lambda data: data + b"~", Malformed),
        (lambda data: data.replace(b"~", b"~\xff", 1), FieldMalformed),
        (lambda data: data + b"x" * MAX_PRESENTATION, TooLong),
        (lambda data: data + b"~" * 1025, TooLong),
        (lambda _: b"", FieldMalformed),
        (lambda data: data.replace(b"~", b"~ ", 1), NotCanonical),
    ],
    ids=["no-final-tilde", "key-binding", "empty-disclosure", "not-ascii", "too-long", "disclosures-1025", "empty",
         "space-in-disclosure"],
)  # fmt: skip
def test_other_presentations_are_malformed(change, error):
    with pytest.raises(error):
        parse_presentation(change(presented().encode()))


# ── false ──


def swapped(digests):
    return [digests[1], digests[0], *digests[2:]]


REFUTED = {
    "signature-flipped": (lambda: forged(signature=flip(jwt().signature, 300)), SignatureWrong),
    "signed-by-another": (
        lambda: forged(signature=PrivateKey.from_seed(bytes(range(32))).sign(jwt().signing_input())),
        SignatureWrong,
    ),
    "epoch-changed-after": (
        lambda: forged(epoch=lambda _: 2, signature=jwt().signature),
        SignatureWrong,
    ),
    "digest-changed": (lambda: forged(_sd=lambda sd: [*sd[:-1], b64u(b"\xff" * 32)]), RootMismatch),
    "digest-dropped": (lambda: forged(_sd=lambda sd: sd[:-1]), FieldMalformed),
    "claim-dropped": (lambda: forged(_sd=lambda sd: sd[1:]), FieldMalformed),
    "claims-count-other": (lambda: forged(claims=lambda n: n - 1), FieldMalformed),
    "claims-out-of-order": (lambda: forged(_sd=swapped), FieldMalformed),
    "private-out-of-order": (lambda: forged(_sd=lambda sd: [*sd[:-2], sd[-1], sd[-2]]), FieldMalformed),
    "field-root-other": (
        lambda: forged(entry=lambda e: b64u(flip(parse_b64u(e, "x")))),
        RootMismatch,
    ),
    "width-other": (
        lambda: forged(entry=lambda e: b64u(parse_b64u(e, "x")[:3] + b"\x00\x40" + parse_b64u(e, "x")[5:])),
        FieldMalformed,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUTED)
def test_a_jwt_that_is_false_is_refused(name):
    make, error = REFUTED[name]
    with pytest.raises(error):
        verify_jwt(parse_jwt(make()))


def strange(name="face", value="1"):
    return Disclosure(bytes(32), name, value).text()


def without(name):
    return tuple(text for text in presented().disclosures if f'"{name}"' not in parse_b64u(text, "x").decode())


PRESENTATIONS = {
    "disclosure-of-another-record": (lambda: (*presented("note").disclosures, strange()), FieldMismatch),
    "disclosure-twice": (lambda: (*presented("note").disclosures, presented("note").disclosures[-1]), FieldMalformed),
    "second-value-of-a-field": (lambda: (*presented("face").disclosures, strange()), FieldMalformed),
    "out-of-order": (lambda: presented().disclosures[::-1], FieldMismatch),
    "schema-not-disclosed": (lambda: without("_schema"), FieldMalformed),
    "origin-not-disclosed": (lambda: without("_origin"), FieldMalformed),
    "nothing-disclosed": (tuple, FieldMalformed),
}


@pytest.mark.parametrize("name", PRESENTATIONS)
def test_a_presentation_that_is_false_is_refused(name):
    make, error = PRESENTATIONS[name]
    with pytest.raises(error):
        verify_presentation(Presentation(jwt(), tuple(make())))


def test_who_did_not_submit_the_record_cannot_sign_it():
    """Another member has the whole document and a certificate of its own; the origin in the record is not its key."""
    other = PrivateKey.from_seed(bytes(range(32)))
    made = replace(jwt(), certificate=certificate(other))
    signed = replace(made, signature=other.sign(made.signing_input()))
    verify_jwt(signed)
    with pytest.raises(FieldMismatch):
        verify_presentation(choose(signed, TEXTS, ()))


def test_a_reserved_name_in_the_half_that_is_not_its_own_is_refused():
    tree = build_fields(
        [Disclosure(bytes(32), "_schema", "x/1"), Disclosure(bytes(32), "_origin", key_id_text(KEY.public.key_id))],
        [Disclosure(bytes(32), "a", 1)],
        [bytes([i]) * 32 for i in range(3)],
    )
    hidden = Disclosure(b"\x01" * 32, "_chain", "x")
    claims = sorted([*(claim.digest for claim in tree.claims), hidden.digest])
    right = list(tree.leaves[tree.width // 2 :])
    entry = RecordEntry(0x8001, 8, root_of_digests(claims, right))
    made = replace(jwt(), entry=entry, claims=3, digests=(*claims, *right), certificate=certificate(KEY))
    signed = replace(made, signature=KEY.sign(made.signing_input()))
    texts = [*(claim.text() for claim in tree.claims), hidden.text()]
    with pytest.raises(FieldMismatch):
        verify_presentation(choose(signed, texts, ()))


def test_a_presented_name_that_jwt_reads_as_its_own_is_refused():
    tree = record_of(KEY, "exp")
    made = replace(
        jwt(),
        entry=entry_of(tree),
        claims=2,
        digests=tuple(leaf for leaf in tree.leaves if any(leaf)),
        certificate=certificate(KEY),
    )
    signed = replace(made, signature=KEY.sign(made.signing_input()))
    texts = [disclosure.text() for disclosure in (*tree.claims, *tree.private)]
    with pytest.raises(FieldMalformed):
        verify_presentation(choose(signed, texts, ()))


def test_a_digest_that_stands_in_both_halves_is_refused():
    """RFC 9901 §7.1: a reader of SD-JWTs rejects a digest that it meets twice."""
    tree = record_of(KEY)
    claims = [claim.digest for claim in tree.claims]
    right = sorted([claims[0], *tree.leaves[tree.width // 2 + 1 :]])
    entry = RecordEntry(0x8001, tree.width, root_of_digests(claims, right))
    made = replace(jwt(), entry=entry, claims=len(claims), digests=(*claims, *right), certificate=certificate(KEY))
    with pytest.raises(FieldMalformed) as refused:
        verify_jwt(replace(made, signature=KEY.sign(made.signing_input())))
    assert refused.value.rule == "each digest once"


# ── bytes of strangers ──


def test_no_flipped_byte_verifies():
    data = presented("note", "due_date").encode()
    for position in range(0, len(data), 3):
        broken = data[:position] + bytes([data[position] ^ 1 << position % 7]) + data[position + 1 :]
        with pytest.raises(BridgeError):
            verify_presentation(parse_presentation(broken))


@given(st.text(alphabet="ab.~eyJ0=-_{}", max_size=80))
def test_random_text_leaves_only_our_errors(text):
    for candidate in (text, f"{WORLD.jwt(EVENT)[:40]}{text}~", f"{WORLD.jwt(EVENT)}~{text}~"):
        with pytest.raises(Malformed):
            parse_presentation(candidate.encode())


def test_the_digest_list_must_have_a_width_of_ours():
    with pytest.raises(EntryMalformed):
        root_of_digests([], [bytes(32)])
