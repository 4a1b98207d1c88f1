"""Cases of the family export/ (SPEC §14): tlog-proof, COSE receipt, SD-JWT presentation."""

import base64
import datetime
import json

import reference as r
from cases import bad, flip, good
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from epochs import GENESIS, LOG_ID, epoch, genesis
from fields import b64u, decoy, digest, record, text
from notes import LOG_SEED, b64, log_line

SECTION = "SPEC §14"
ORIGIN = "example.org/receivables"
SIZE = 7
RECEIPT_SEED, IDENTITY_SEED, OTHER_SEED = r.sha(b"receipt seed"), r.sha(b"identity seed"), r.sha(b"other seed")
RECORDS = [None, *[epoch(number) for number in range(1, SIZE)]]
LEAVES = [LOG_ID, *[r.leaf(data) for data in RECORDS[1:]]]


def sign(seed, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


# ── tlog-proof ───────────────────────────────────────────────────────────────────────────────────────────────────────


def note(size=SIZE, root=None, origin=ORIGIN, seed=LOG_SEED):
    body = f"{origin}\n{size}\n{b64(root or r.root(LEAVES[:size]))}\n"
    return f"{body}\n{log_line(body, origin, seed)}\n"


def proof(index=4, data=None, path=None, under=None, head="c2sp.org/tlog-proof@v1", number=None):
    path = r.path(index, LEAVES) if path is None else path
    lines = [
        head,
        f"extra {b64(data or RECORDS[index])}",
        f"index {index if number is None else number}",
        *map(b64, path),
    ]
    return "".join(f"{line}\n" for line in [*lines, ""]) + (under or note())


def tlog_cases():
    def given(text_):
        return {"genesis": GENESIS, "data": text_.encode() if isinstance(text_, str) else text_}

    yield good("proof", SECTION, given(proof()))
    for index in (1, 6):
        yield good(f"proof of leaf {index}", SECTION, given(proof(index)))
    path = r.path(4, LEAVES)
    other = genesis("other.example/log")
    for name, data, error in (
        ("other-version", proof(head="c2sp.org/tlog-proof@v2"), "FieldMalformed"),
        ("no-extra", proof().replace(f"extra {b64(RECORDS[4])}\n", ""), "FieldMalformed"),
        ("no-index", proof().replace("index 4\n", ""), "FieldMalformed"),
        ("no-empty-line", proof().split("\n\n")[0], "FieldMalformed"),
        ("index-leading-zero", proof(number="04"), "FieldMalformed"),
        ("index-2^53", proof(number=str(2**53)), "FieldMalformed"),
        ("index-signed", proof(number="+4"), "FieldMalformed"),
        ("path-31-bytes", proof(path=[path[0][:31], *path[1:]]), "DigestLength"),
        ("path-54-hashes", proof(path=[bytes(32)] * 54), "TooLong"),
        ("extra-not-canonical", proof().replace(b64(RECORDS[4]), b64(RECORDS[4]) + "="), "NotCanonical"),
        ("extra-genesis-record", proof(data=GENESIS), "RecordMalformed"),
        ("note-extension-line", proof(under=note().replace("\n\n", "\nmore\n\n")), "FieldMalformed"),
        ("note-cut", proof()[:-1], "FieldMalformed"),
        ("carriage-returns", proof().replace("\n", "\r\n"), "FieldMalformed"),
        ("path-one-short", proof(path=path[:-1]), "PathLength"),
        ("path-one-long", proof(path=[*path, bytes(32)]), "PathLength"),
        ("siblings-reversed", proof(path=path[::-1]), "RootMismatch"),
        ("record-type-changed", proof(data=flip(RECORDS[4])), "WordMalformed"),
        ("record-blind-changed", proof(data=RECORDS[4][:-1] + b"\x00"), "RootMismatch"),
        ("index-of-neighbour", proof(number=5), "FieldMismatch"),
        ("index-equals-size", proof(data=epoch(7), number=7), "IndexBeyondSize"),
        ("epoch-of-other-log", proof(data=epoch(4, r.leaf(other))), "FieldMismatch"),
        ("note-of-other-origin", proof(under=note(origin="other.example/log")), "FieldMismatch"),
        ("note-of-another-size", proof(under=note(6)), "PathLength"),
        ("note-root-other", proof(under=note(root=bytes(32))), "RootMismatch"),
        ("known-key-bad-signature", proof(under=note(6)).replace(note(6), forged()), "SignatureWrong"),
        ("no-log-line", proof(under=note(seed=OTHER_SEED)), "Missing"),
    ):
        yield bad(name, SECTION, given(data), error)


def forged():
    """The true checkpoint with the signature of another one."""
    return note().rpartition(" ")[0] + " " + note(6).rpartition(" ")[2]


# ── COSE receipt ─────────────────────────────────────────────────────────────────────────────────────────────────────


def cbor(value):  # noqa: PLR0911 one line a type
    """Deterministic CBOR (RFC 8949 §4.2) of what a receipt holds; (tag, value) is a tagged item."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(sorted(cbor(key) + cbor(inner) for key, inner in value.items()))
    return head(6, value[0]) + cbor(value[1])


def head(major, number):
    for extra, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * width:
            return bytes([major << 5 | extra]) + number.to_bytes(width, "big")
    raise AssertionError(number)


COSE_GENESIS = genesis(receipt_key=public(RECEIPT_SEED))
COSE_ID = r.leaf(COSE_GENESIS)
COSE_RECORDS = [None, *[epoch(number, COSE_ID) for number in range(1, SIZE)]]
COSE_LEAVES = [COSE_ID, *[r.leaf(data) for data in COSE_RECORDS[1:]]]


def receipt(proofs, root, origin=ORIGIN, seed=RECEIPT_SEED, **changes):
    headers = {1: -8, 4: r.sha(public(seed)), 15: {1: origin}, 395: 1} | changes.get("headers", {})
    protected = cbor({key: value for key, value in headers.items() if value is not None})
    signature = changes.get("signature") or sign(seed, cbor(["Signature1", protected, b"", root]))
    unprotected = changes.get("unprotected", {396: proofs})
    return cbor((changes.get("tag", 18), [protected, unprotected, changes.get("payload"), signature]))


def included(index=4, size=SIZE, path=None, **changes):
    path = r.path(index, COSE_LEAVES[:size]) if path is None else path
    stated = [changes.pop("stated_size", size), changes.pop("stated_index", index), path]
    return receipt({-1: [cbor(stated)]}, r.root(COSE_LEAVES[: changes.pop("signed_size", size)]), **changes)


def receipt_cases():
    def given(data, leaf=COSE_RECORDS[4]):
        return {"genesis": COSE_GENESIS, "record": leaf, "data": data}

    root, path, plain = r.root(COSE_LEAVES), r.path(4, COSE_LEAVES), included()
    for index in (1, 4, 6):
        yield good(f"inclusion of leaf {index}", SECTION, given(included(index), COSE_RECORDS[index]), root)
    one = cbor([SIZE, 4, path])
    for name, data, error in (
        ("no-tag", plain[1:], "FieldMalformed"),
        ("other-tag", included(tag=98), "FieldMalformed"),
        ("trailing-byte", plain + b"\x00", "NotCanonical"),
        ("cut", plain[:-1], "NotCanonical"),
        ("attached-payload", included(payload=root), "FieldMalformed"),
        ("alg-es256", included(headers={1: -7}), "FieldMalformed"),
        ("alg-missing", included(headers={1: None}), "FieldMalformed"),
        ("vds-2", included(headers={395: 2}), "FieldMalformed"),
        ("header-added", included(headers={3: "x"}), "FieldMalformed"),
        ("iss-missing", included(headers={15: {}}), "FieldMalformed"),
        ("kid-31-bytes", included(headers={4: bytes(31)}), "DigestLength"),
        ("proof-in-plain", receipt({-1: [[SIZE, 4, path]]}, root), "FieldMalformed"),
        ("two-proofs", receipt({-1: [one, one]}, root), "FieldMalformed"),
        ("no-proof", receipt({-1: []}, root), "FieldMalformed"),
        ("unprotected-added", receipt(None, root, unprotected={396: {-1: [one]}, 4: b"x"}), "FieldMalformed"),
        ("wide-integer", receipt({-1: [one.replace(b"\x83\x07", b"\x83\x18\x07", 1)]}, root), "NotCanonical"),
        ("indefinite-length", receipt({-1: [b"\x9f" + one[1:] + b"\xff"]}, root), "NotCanonical"),
        ("path-empty", receipt({-1: [cbor([1, 0, []])]}, root), "SizeOrder"),
        ("path-one-short", included(path=path[:-1]), "PathLength"),
        ("path-one-long", included(path=[*path, bytes(32)]), "PathLength"),
        ("index-equals-size", included(stated_index=SIZE), "IndexBeyondSize"),
        ("path-31-bytes", included(path=[path[0][:31], *path[1:]]), "DigestLength"),
        ("siblings-reversed", included(path=path[::-1]), "SignatureWrong"),
        ("index-of-neighbour", included(stated_index=5), "SignatureWrong"),
        ("signature-of-another-root", included(signed_size=6), "SignatureWrong"),
        ("signature-zero", included(signature=bytes(64)), "SignatureWrong"),
        ("signature-s-not-reduced", included(signature=plain[-64:-32] + b"\xff" * 32), "FieldMalformed"),
        ("signature-63-bytes", included(signature=bytes(63)), "FieldMalformed"),
        ("key-other", included(seed=OTHER_SEED), "FieldMismatch"),
        ("origin-other", included(origin="other.example/log"), "FieldMismatch"),
        ("consistency-as-inclusion", consistency(4), "Missing"),
    ):
        yield bad(name, SECTION, given(data), error)
    yield bad("other-record", SECTION, given(plain, COSE_RECORDS[5]), "SignatureWrong")


def consistency(old, path=None, **changes):
    path = r.proof(old, COSE_LEAVES) if path is None else path
    stated = cbor([changes.pop("stated_old", old), changes.pop("stated_new", SIZE), path])
    return receipt({-2: [stated]}, r.root(COSE_LEAVES), **changes)


def consistency_cases():
    def given(data, old=3):
        return {"genesis": COSE_GENESIS, "old_root": r.root(COSE_LEAVES[:old]), "data": data}

    for old in (1, 3, 4, 6):
        yield good(f"consistency from {old}", SECTION, given(consistency(old), old), r.root(COSE_LEAVES))
    path = r.proof(3, COSE_LEAVES)
    for name, data, error in (
        ("consistency-from-zero", consistency(3, stated_old=0), "SizeOrder"),
        ("consistency-m-greater-n", consistency(3, stated_old=8), "SizeOrder"),
        ("consistency-equal-size", consistency(3, [], stated_old=SIZE), "SizeOrder"),
        ("path-one-short", consistency(3, path[:-1]), "PathLength"),
        ("path-one-long", consistency(3, [*path, bytes(32)]), "PathLength"),
        ("consistency-middle-hash-swapped", consistency(3, [path[0], path[2], path[1], *path[3:]]), "RootMismatch"),
        ("newer-root-other", consistency(3, [*path[:-1], flip(path[-1])]), "SignatureWrong"),
        (
            "signed-by-another-key",
            consistency(3, headers={4: r.sha(public(RECEIPT_SEED))}, seed=OTHER_SEED),
            "SignatureWrong",
        ),
        ("origin-other", consistency(3, origin="other.example/log"), "FieldMismatch"),
        ("inclusion-as-consistency", included(), "Missing"),
        (
            "two-kinds",
            receipt({-1: [cbor([SIZE, 4, r.path(4, COSE_LEAVES)])], -2: []}, r.root(COSE_LEAVES)),
            "FieldMalformed",
        ),
    ):
        yield bad(name, SECTION, given(data), error)
    for old in (2, 5):
        yield bad(f"older-root-other {old}", SECTION, given(consistency(3), old), "RootMismatch")


# ── SD-JWT ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def certificate(seed):
    key, issuer = (Ed25519PrivateKey.from_private_bytes(one) for one in (seed, r.sha(b"authority")))
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "TEST")])
    start, end = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (2026, 2036))
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, start, end)
    return builder.sign(issuer, None).public_bytes(Encoding.DER)


def spki(seed):
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


SALTS = [bytes(range(32 * i, 32 * i + 32)) for i in range(6)]
CLAIMS = sorted(
    [
        text(SALTS[0], "_schema", "x/1"),
        text(SALTS[1], "_origin", b64u(r.sha(spki(IDENTITY_SEED)))),
        text(SALTS[2], "due", 7),
    ],
    key=digest,
)
SELLER = text(SALTS[3], "seller", "LEI:TEST")
RIGHT = sorted([digest(SELLER), *[decoy(bytes([i]) * 32) for i in range(3)]])
ENTRY = record([*map(digest, CLAIMS), bytes(32)], RIGHT)[0]
SD = [*map(digest, CLAIMS), *RIGHT]


def jcs(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def jwt(seed=IDENTITY_SEED, signer=None, header=None, payload=None, **changes):
    top = {"alg": "EdDSA", "typ": "hybrid-bridge+sd-jwt", "x5c": [base64.b64encode(certificate(seed)).decode()]}
    said = {"log": b64u(LOG_ID), "epoch": 4, "entry": b64u(ENTRY), "claims": 3} | changes
    body = {"_sd": list(map(b64u, SD)), "_sd_alg": "sha-256", "hb": said} | (payload or {})
    top |= header or {}
    parts = [b64u(jcs({key: value for key, value in part.items() if value is not None})) for part in (top, body)]
    return ".".join([*parts, b64u(sign(signer or seed, ".".join(parts).encode()))])


def presented(*disclosures, token=None):
    return "".join(f"{part}~" for part in (token or jwt(), *disclosures))


def sd_jwt_cases():
    everything = [*CLAIMS, SELLER]
    yield good("everything", SECTION, {"data": presented(*everything)}, [True, True, True, False])
    yield good("claims", SECTION, {"data": presented(*CLAIMS)}, [True, True, True])
    strange, exp = text(SALTS[4], "face", "1"), text(SALTS[4], "exp", 1)
    for name, data, error in (
        ("no-final-tilde", presented(*CLAIMS)[:-1], "FieldMalformed"),
        ("key-binding-jwt", presented(*CLAIMS) + jwt(), "FieldMalformed"),
        ("empty-disclosure", presented(*CLAIMS, ""), "FieldMalformed"),
        ("alg-none", presented(*CLAIMS, token=jwt(header={"alg": "none"})), "FieldMalformed"),
        ("alg-of-another-key", presented(*CLAIMS, token=jwt(header={"alg": "ES256"})), "NotCanonical"),
        ("typ-other", presented(*CLAIMS, token=jwt(header={"typ": "JWT"})), "FieldMalformed"),
        ("x5c-missing", presented(*CLAIMS, token=jwt(header={"x5c": None})), "FieldMalformed"),
        ("x5c-no-certificate", presented(*CLAIMS, token=jwt(header={"x5c": ["AAAA"]})), "CertificateMalformed"),
        ("crit-added", presented(*CLAIMS, token=jwt(header={"crit": ["x"]})), "FieldMalformed"),
        ("claim-added", presented(*CLAIMS, token=jwt(payload={"iss": "x"})), "FieldMalformed"),
        ("sd-alg-other", presented(*CLAIMS, token=jwt(payload={"_sd_alg": "sha-384"})), "FieldMalformed"),
        ("sd-missing", presented(*CLAIMS, token=jwt(payload={"_sd": None})), "FieldMalformed"),
        ("digest-31-bytes", presented(*CLAIMS, token=jwt(payload={"_sd": [b64u(bytes(31))]})), "FieldMalformed"),
        (
            "digest-changed",
            presented(*CLAIMS, token=jwt(payload={"_sd": list(map(b64u, [*SD[:-1], b"\xff" * 32]))})),
            "RootMismatch",
        ),
        ("digest-dropped", presented(*CLAIMS, token=jwt(payload={"_sd": list(map(b64u, SD[:-1]))})), "FieldMalformed"),
        (
            "digests-not-ascending",
            presented(*CLAIMS, token=jwt(payload={"_sd": list(map(b64u, [SD[1], SD[0], *SD[2:]]))})),
            "FieldMalformed",
        ),
        ("claims-count-other", presented(*CLAIMS, token=jwt(claims=2)), "FieldMalformed"),
        (
            "field-root-other",
            presented(*CLAIMS, token=jwt(entry=b64u(ENTRY[:-1] + bytes([ENTRY[-1] ^ 1])))),
            "RootMismatch",
        ),
        ("decoy-shown-as-record", presented(*CLAIMS, token=jwt(entry=b64u(bytes(5) + ENTRY[5:]))), "EntryMalformed"),
        ("signed-by-another-key", presented(*CLAIMS, token=jwt(signer=OTHER_SEED)), "SignatureWrong"),
        ("origin-not-issuer", presented(*CLAIMS, token=jwt(seed=OTHER_SEED)), "FieldMismatch"),
        ("disclosure-of-another-record", presented(*CLAIMS, strange), "FieldMismatch"),
        ("disclosure-out-of-order", presented(*everything[::-1]), "FieldMismatch"),
        ("disclosure-twice", presented(*everything, SELLER), "FieldMalformed"),
        ("disclosure-with-spaces", presented(*CLAIMS, b64u(b'["x", "seller", "y"]')), "NotCanonical"),
        (
            "schema-not-disclosed",
            presented(*[one for one in CLAIMS if one != text(SALTS[0], "_schema", "x/1")]),
            "FieldMalformed",
        ),
        (
            "origin-not-disclosed",
            presented(*[one for one in CLAIMS if digest(one) != digest(origin())]),
            "FieldMalformed",
        ),
        ("jwt-claim-as-field", presented(*CLAIMS, exp), "FieldMismatch"),
        ("nothing-disclosed", presented(), "FieldMalformed"),
    ):
        yield bad(name, SECTION, {"data": data}, error)


def origin():
    return text(SALTS[1], "_origin", b64u(r.sha(spki(IDENTITY_SEED))))
