"""Cases of the family tx/ (SPEC §15): signed transactions against the stateless rules, and before a block."""

import base64

import reference as r
from cases import bad, flip, good
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from curve import SMALL, encode_point
from exports import sign, spki
from fields import b64u, decoy, digest, text

SECTION = "SPEC §4"
ED25519, P256 = 0x0807, 0x0403
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_PREFIX = bytes.fromhex("302a300506032b6570032100")


def u(number, width):
    return number.to_bytes(width, "big")


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Key:
    """An identity key: scheme, SubjectPublicKeyInfo, key id, and how it signs."""

    def __init__(self, seed):
        self.seed, self.scheme, self.spki = seed, ED25519, spki(seed)
        self.id = r.sha(self.spki)

    def sign(self, message):
        return sign(self.seed, message)


class P256Key(Key):
    def __init__(self, number):
        self.private = ec.derive_private_key(number, ec.SECP256R1())
        self.scheme = P256
        self.spki = self.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = r.sha(self.spki)

    def sign(self, message, high=False):
        first, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
        return u(first, 32) + u((max if high else min)(s, P256_ORDER - s), 32)

    @property
    def compressed(self):
        """The same key with a compressed point (RFC 5480 §2.2)."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def record_of(kind, claims, private, decoys, half=8):
    """Entry, private root, sorted claims and leaf data of a record of this type."""
    claims = sorted(claims, key=digest)
    left = [*map(digest, claims), *[bytes(32)] * (half - len(claims))]
    right = sorted([*map(digest, private), *map(decoy, decoys[: half - len(private)])])
    leaves = [r.leaf(data) for data in (*left, *right)]
    entry = b"\x01" + u(kind, 2) + u(2 * half, 2) + r.root(leaves)
    return entry, r.root(leaves[half:]), claims, [*left, *right]


def operation(label_type, index, commitment, version=0, op=1):
    return u(op, 1) + u(label_type, 2) + u(version, 4) + index + commitment


def record_payload(entry, private_root, claims, ops=()):
    told = b"".join(u(len(claim), 2) + claim.encode() for claim in claims)
    return entry + private_root + u(len(claims), 2) + told + u(len(ops), 1) + b"".join(ops)


def decision(*records):
    return u(len(records), 1) + b"".join(u(len(record), 2) + record for record in records)


def body(log_id, submitter, payload, authorisers=(), *, version=1, kind=1, sequence=0, expires=7):
    head = u(version, 1) + u(kind, 1) + log_id + submitter + u(sequence, 8) + u(expires, 8)
    return head + consented(authorisers, payload)


def consented(authorisers, payload):
    return u(len(authorisers), 1) + b"".join(authorisers) + payload


def message(data):
    return r.context("transaction") + data


def consent(log_id, authorisers, payload, kind=1, expires=7):
    return r.context("authorisation") + u(kind, 1) + log_id + u(expires, 8) + consented(authorisers, payload)


def part(key, signature, scheme=None, info=None):
    info = key.spki if info is None else info
    return u(key.scheme if scheme is None else scheme, 2) + u(len(info), 1) + info + signature


def signed(data, *parts):
    return data + u(len(parts), 1) + b"".join(parts)


# ── the fixture ──────────────────────────────────────────────────────────────────────────────────────────────────────

LOG, OTHER_LOG = r.sha(b"this consortium"), r.sha(b"another consortium")
SUBMITTER, OTHER = Key(r.sha(b"submitter")), Key(r.sha(b"somebody"))
CONSENTING = sorted([Key(r.sha(b"first authoriser")), P256Key(5)], key=lambda key: key.id)
SALTS = [r.sha(b"salt %d" % i) for i in range(6)]
DECOYS = [r.sha(b"seed %d" % i) for i in range(8)]


def claims_of(origin):
    named = (("_schema", "x/1"), ("_origin", b64u(origin)), ("gross", "1250000"))
    return [text(salt, name, value) for salt, (name, value) in zip(SALTS, named, strict=False)]


def payload_of(origin=SUBMITTER.id, ops=None, **changes):
    entry, private_root, claims, _ = record_of(0x8001, claims_of(origin), [text(SALTS[4], "seller", "x")], DECOYS, 4)
    ops = (
        [operation(2, r.sha(b"index"), r.sha(b"value")), operation(3, r.sha(b"i"), r.sha(b"v"))] if ops is None else ops
    )
    given = {"entry": entry, "private_root": private_root, "claims": claims, "ops": ops}
    return record_payload(**{**given, **changes})


class Draft:
    """A transaction in parts: each case changes one and signs the rest as it should be."""

    def __init__(self, key=SUBMITTER, authorisers=tuple(CONSENTING), payload=None, log_id=LOG, **fields):
        self.key, self.authorisers, self.log_id, self.fields = key, authorisers, log_id, fields
        self.payload = payload_of(key.id) if payload is None else payload
        self.ids = [one.id for one in authorisers]
        self.body = body(log_id, key.id, self.payload, self.ids, **fields)
        told = {name: value for name, value in fields.items() if name in {"kind", "expires"}}
        self.consent = consent(log_id, self.ids, self.payload, **told)
        self.parts = [part(key, key.sign(message(self.body)))]
        self.parts += [part(one, one.sign(self.consent)) for one in authorisers]

    @property
    def bytes(self):
        return signed(self.body, *self.parts)

    @property
    def id(self):
        return r.sha(message(self.body))

    def with_part(self, place, changed):
        return signed(self.body, *self.parts[:place], changed, *self.parts[place + 1 :])


def stateless(data):
    return {"log_id": LOG, "data": data}


def tx_cases():
    true = Draft()
    yield good("signed", SECTION, stateless(true.bytes), true.id)
    alone = Draft(authorisers=())
    yield good("signed without authorisers", SECTION, stateless(alone.bytes), alone.id)
    curved = Draft(P256Key(7))
    yield good("signed by P-256", SECTION, stateless(curved.bytes), curved.id)
    for name, payload in (
        ("governance record", decision(b"abc")),
        ("governance records of one decision", decision(b"abc", b"", bytes(320))),
        ("beacon", u(1, 8) + u(60, 8) + r.sha(b"block")),
    ):
        other = Draft(payload=payload, kind=2 if name[0] == "g" else 3)
        yield good(f"signed {name}", SECTION, stateless(other.bytes), other.id)
    for name, data, error in (
        *who_mutations(true),
        *record_mutations(),
        *signature_mutations(true),
        *decision_mutations(),
        *shape_mutations(true),
    ):
        yield bad(name, SECTION, stateless(data), error)


def who_mutations(true):
    yield "other-consortium", Draft(log_id=OTHER_LOG).bytes, "FieldMismatch"
    promise = r.context("promise") + b"\x01" + LOG + bytes(120)
    yield (
        "promise-signature-as-transaction",
        true.with_part(0, part(SUBMITTER, SUBMITTER.sign(promise))),
        "SignatureWrong",
    )
    yield "consent-as-submission", true.with_part(0, part(SUBMITTER, SUBMITTER.sign(true.consent))), "SignatureWrong"
    first = CONSENTING[0]
    yield "submission-as-consent", true.with_part(1, part(first, first.sign(message(true.body)))), "SignatureWrong"
    yield "origin-not-submitter", Draft(payload=payload_of(OTHER.id)).bytes, "FieldMismatch"
    yield "submitter-other", true.with_part(0, part(OTHER, OTHER.sign(message(true.body)))), "FieldMismatch"
    cut = body(LOG, SUBMITTER.id, true.payload, true.ids[:1])
    yield "authoriser-stripped from the list", signed(cut, *true.parts), "FieldMalformed"
    yield "authoriser-stripped with its signature", signed(cut, *true.parts[:2]), "SignatureWrong"
    yield "authoriser-stripped signature alone", signed(true.body, *true.parts[:2]), "FieldMalformed"
    more = sorted([*true.ids, OTHER.id])
    grown = body(LOG, SUBMITTER.id, true.payload, more)
    told = {key.id: key for key in (*CONSENTING, OTHER)}
    parts = [true.parts[0], *(part(told[one], told[one].sign(consent(LOG, more, true.payload))) for one in more)]
    yield "authoriser-added", signed(grown, *parts), "SignatureWrong"
    yield "authoriser-added without signature", signed(grown, *true.parts), "FieldMalformed"
    turned = body(LOG, SUBMITTER.id, true.payload, true.ids[::-1])
    yield "authorisers-unsorted", signed(turned, true.parts[0], *true.parts[:0:-1]), "FieldMalformed"
    twice = body(LOG, SUBMITTER.id, true.payload, [true.ids[0]] * 2)
    yield "authorisers-unsorted twice", signed(twice, true.parts[0], *[true.parts[1]] * 2), "FieldMalformed"
    yield "consents-exchanged", signed(true.body, true.parts[0], *true.parts[:0:-1]), "FieldMismatch"
    again = body(LOG, SUBMITTER.id, true.payload, true.ids, expires=8)
    yield (
        "consent-of-other-expiry",
        signed(again, part(SUBMITTER, SUBMITTER.sign(message(again))), *true.parts[1:]),
        "SignatureWrong",
    )
    again = body(LOG, SUBMITTER.id, true.payload, true.ids, sequence=1)
    yield "signature-of-other-sequence", signed(again, *true.parts), "SignatureWrong"


def decision_mutations():
    """Consents to a decision of two records are consents to nothing else."""
    whole = Draft(payload=decision(b"first", b"second"), kind=2)
    for name, payload in (
        ("first record alone", decision(b"first")),
        ("second record alone", decision(b"second")),
        ("records exchanged", decision(b"second", b"first")),
        ("record added", decision(b"first", b"second", b"third")),
    ):
        other = Draft(payload=payload, kind=2)
        yield (
            f"consent-to-whole-decision {name}",
            signed(other.body, other.parts[0], *whole.parts[1:]),
            "SignatureWrong",
        )


def record_mutations():
    entry, private_root, claims, _ = record_of(
        0x8001, claims_of(SUBMITTER.id), [text(SALTS[4], "seller", "x")], DECOYS, 4
    )
    for name, change, error in (
        ("private-root-mismatch", {"private_root": flip(private_root)}, "RootMismatch"),
        ("entry-of-other-fields", {"entry": flip(entry, 8 * 36)}, "RootMismatch"),
        ("claim-order", {"claims": claims[::-1]}, "FieldMalformed"),
        ("claim-kept-back", {"claims": [one for one in claims if "gross" not in shown(one)]}, "RootMismatch"),
        ("claim-added", {"claims": sorted([*claims, text(SALTS[5], "net", "1")], key=digest)}, "RootMismatch"),
        ("claim-twice", {"claims": [claims[0], *claims]}, "FieldMalformed"),
        ("claim-no-disclosure", {"claims": ["AAAA", *claims]}, "FieldMalformed"),
        ("schema-kept-back", {"claims": [one for one in claims if "_schema" not in shown(one)]}, "FieldMalformed"),
        ("decoy-as-entry", {"entry": bytes(5) + entry[5:]}, "EntryMalformed"),
        ("refusal-as-entry", {"entry": b"\x02" + bytes(4) + entry[5:]}, "EntryMalformed"),
    ):
        yield name, Draft(payload=payload_of(**change)).bytes, error
    one, two = operation(2, r.sha(b"a"), r.sha(b"v")), operation(3, r.sha(b"a"), r.sha(b"v"))
    low, high = sorted([r.sha(b"a"), r.sha(b"b")])
    for name, ops in (
        ("ops-unsorted by type", [two, one]),
        ("ops-unsorted by index", [operation(2, high, low), operation(2, low, low)]),
        ("ops-doubled", [one, one]),
        ("ops-doubled with another commitment", [one, operation(2, r.sha(b"a"), r.sha(b"w"))]),
        ("version-not-zero", [operation(2, low, low, version=1)]),
        ("op-two", [operation(2, low, low, op=2)]),
        ("op-zero", [operation(2, low, low, op=0)]),
        ("label-type-life", [operation(1, low, low)]),
        ("label-type-zero", [operation(0, low, low)]),
    ):
        yield name, Draft(payload=payload_of(ops=ops)).bytes, "FieldMalformed"
    many = [operation(2, u(i, 32), low) for i in range(17)]
    yield "ops-seventeen", Draft(payload=payload_of(ops=many)).bytes, "TooLong"


def shown(claim):
    return base64.urlsafe_b64decode(claim + "==").decode()


def signature_mutations(true):
    curved = Draft(P256Key(7), authorisers=())
    key, said = curved.key, message(curved.body)
    for name, data in (
        ("high-s-p256", key.sign(said, high=True)),
        ("r-zero-p256", bytes(32) + key.sign(said)[32:]),
        ("s-zero-p256", key.sign(said)[:32] + bytes(32)),
        ("r-order-p256", u(P256_ORDER, 32) + key.sign(said)[32:]),
    ):
        yield name, curved.with_part(0, part(key, data)), "FieldMalformed"
    yield "r-other-p256", curved.with_part(0, part(key, flip(key.sign(said), 60))), "SignatureWrong"
    true_signature = SUBMITTER.sign(message(true.body))
    s = int.from_bytes(true_signature[32:], "little")
    wide = true_signature[:32] + (s + ED25519_ORDER).to_bytes(32, "little")
    yield "ed25519-s-not-reduced", true.with_part(0, part(SUBMITTER, wide)), "FieldMalformed"
    far = (2**255 - 19).to_bytes(32, "little") + true_signature[32:]
    yield "ed25519-r-not-canonical", true.with_part(0, part(SUBMITTER, far)), "FieldMalformed"
    for bit in (0, 200, 300):
        changed = part(SUBMITTER, flip(true_signature, bit))
        yield f"signature-one-bit {bit}", true.with_part(0, changed), "SignatureWrong"
    for k, point in enumerate(SMALL):
        yield f"ed25519-small-order-key {k}", of_key(ED25519_PREFIX + encode_point(point)), "FieldMalformed"
    yield "ed25519-key-not-canonical", of_key(ED25519_PREFIX + (2**255 - 18).to_bytes(32, "little")), "FieldMalformed"
    yield "ed25519-key-off-the-curve", of_key(ED25519_PREFIX + (2).to_bytes(32, "little")), "FieldMalformed"
    yield "scheme-unknown", true.with_part(0, part(SUBMITTER, true_signature, scheme=0x0804)), "FieldMalformed"
    yield "scheme-of-another-key", true.with_part(0, part(SUBMITTER, true_signature, scheme=P256)), "FieldMalformed"
    yield "spki-compressed-point", of_key(key.compressed, P256), "FieldMalformed"
    yield "spki-off-the-curve", of_key(flip(key.spki, 8 * 90), P256), "FieldMalformed"
    yield "spki-92-bytes", of_key(key.spki + b"\x00", P256), "TooLong"
    yield "spki-empty", of_key(b""), "FieldMalformed"


def of_key(info, scheme=ED25519):
    """A transaction whose submitter is this SubjectPublicKeyInfo, whatever it is; signed with zeros."""
    key = type("Nobody", (), {"spki": info, "scheme": scheme, "id": r.sha(info), "sign": lambda *_: bytes(64)})()
    return Draft(key, authorisers=()).bytes


def shape_mutations(true):
    data = true.bytes
    yield "trailing-byte", data + b"\x00", "TrailingBytes"
    yield "truncated", data[:-1], "Truncated"
    yield "truncated in the body", data[:100], "Truncated"
    yield "empty", b"", "Truncated"
    for version in (0, 2):
        yield f"body-version {version}", Draft(version=version).bytes, "FieldMalformed"
    for kind in (0, 4, 255):
        yield f"kind-unknown {kind}", Draft(kind=kind).bytes, "FieldMalformed"
    yield "sequence-2^53", Draft(sequence=2**53).bytes, "FieldMalformed"
    yield "expires-2^53", Draft(expires=2**53).bytes, "FieldMalformed"
    many = body(LOG, SUBMITTER.id, true.payload, [u(i, 32) for i in range(65)])
    yield "authorisers-65", signed(many, *true.parts), "TooLong"
    yield "signatures-none", signed(true.body), "FieldMalformed"
    yield "signature-63-bytes", data[:-1], "Truncated"
    claims = true.payload.replace(u(3, 2), u(513, 2), 1)
    yield "claims-513", Draft(payload=claims).bytes, "TooLong"
    yield "claim-not-ascii", Draft(payload=true.payload.replace(b"WyJ", b"Wy\xc3", 1)).bytes, "FieldMalformed"
    yield "beacon-truncated", signed(Draft(payload=bytes(47), kind=3).body), "Truncated"
    yield "governance-length-beyond", Draft(payload=u(1, 1) + u(9999, 2) + b"abc", kind=2).bytes, "Truncated"
    yield "governance-no-record", Draft(payload=decision(), kind=2).bytes, "FieldMalformed"
    yield "governance-nine-records", Draft(payload=decision(*[b"abc"] * 9), kind=2).bytes, "TooLong"
    yield "governance-without-count", Draft(payload=u(3, 2) + b"abc", kind=2).bytes, "FieldMalformed"


# ── before a block ───────────────────────────────────────────────────────────────────────────────────────────────────


def stand_cases():
    """May it stand in the next block of this epoch? `next` is the submitter's next number."""

    beacon = u(1, 8) + u(60, 8) + r.sha(b"block")  # the shortest transaction

    def given(epoch=5, following=3, **fields):
        data = Draft(**{"sequence": 3, "expires": 7, "payload": beacon, "kind": 3, **fields}).bytes
        return {"log_id": LOG, "data": data, "epoch": epoch, "next": following}

    section = "SPEC §4, §5"
    yield good("stands", section, given())
    yield good("stands in its last epoch", section, given(epoch=7))
    yield good("stands first of its submitter", section, given(following=0, sequence=0))
    for name, told, error in (
        ("sequence-gap", given(sequence=4), "SequenceRejected"),
        ("sequence-gap far", given(sequence=2**53 - 1), "SequenceRejected"),
        ("sequence-replay", given(sequence=2), "SequenceRejected"),
        ("sequence-replay of the first", given(sequence=0), "SequenceRejected"),
        ("expired", given(epoch=8), "Expired"),
        ("expired long ago", given(epoch=2**53 - 1), "Expired"),
        ("expired at once", given(expires=0), "Expired"),
        ("expired and out of sequence", given(epoch=8, sequence=9), "SequenceRejected"),
        ("other-consortium", given(log_id=OTHER_LOG), "FieldMismatch"),
    ):
        yield bad(name, section, told, error)
