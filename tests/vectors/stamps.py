"""Cases of the family anchor/ that are no public chain (SPEC §13, §14): timestamps, renewals, witnesses, in bundles.

Tokens are written by a DER writer of its own from RFC 3161, RFC 5652 and RFC 5816; certificates by `cryptography`.
"""

import datetime
import hashlib
from functools import cache

import reference as r
from bundled import vkey
from cases import flip
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from epochs import CADENCE, TIME
from exports import public, sign
from fields import b64u
from notes import b64, data_of, key_id, line
from patches import Bundles, edited
from worlds import NOW, OTHER_ORIGIN, jcs, world

SAYS = {"registry": [], "omission": "not shown"}
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
HASHES = {"sha-256": "2.16.840.1.101.3.4.2.1", "sha-512": "2.16.840.1.101.3.4.2.3", "sha3-256": "2.16.840.1.101.3.4.2.8",
          "sha-1": "1.3.14.3.2.26"}  # fmt: skip
ECDSA, ED25519 = "1.2.840.10045.4.3.2", "1.3.101.112"
CLOSED = TIME + 2 * CADENCE  # of the checkpoint of size 3
YEAR = 365 * 86_400


# ── DER (X.690) ──────────────────────────────────────────────────────────────────────────────────────────────────────


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def seq(*parts):
    return der(0x30, *parts)


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def octets(data):
    return der(0x04, data)


def oid(text):
    first, second, *rest = map(int, text.split("."))
    return der(0x06, bytes([40 * first + second]), *map(base_128, rest))


def base_128(number):
    digits = [number & 127]
    while number := number >> 7:
        digits.insert(0, number & 127 | 128)
    return bytes(digits)


def algorithm(identifier):
    return seq(oid(identifier), b"\x05\x00") if identifier not in (ECDSA, ED25519) else seq(oid(identifier))


def moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


# ── an authority ─────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def certificate(name, number, issuer=None, years=20, purpose=ExtendedKeyUsageOID.TIME_STAMPING, critical=True):
    """Certificate and key; `issuer` is the arguments of another one, None makes a root."""
    key = ec.derive_private_key(number, ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer = certificate(*issuer) if issuer else None
    begin = moment(TIME - YEAR)
    builder = x509.CertificateBuilder(
        signer[0].subject if signer else subject, subject, key.public_key(), number, begin,
        begin + datetime.timedelta(seconds=int(years * YEAR)))  # fmt: skip
    builder = builder.add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    if signer is None:
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                               "encipher_only", "decipher_only", "crl_sign"), False)  # fmt: skip
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
    elif purpose:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=critical)
    made = builder.sign(signer[1] if signer else key, hashes.SHA256(), ecdsa_deterministic=True)
    return made, key


ROOT = ("TEST root", 11)
STAMPING = ("TEST authority", 12, ROOT)


def der_of(told):
    return certificate(*told)[0].public_bytes(Encoding.DER)


def token(data, at, hash_="sha-256", told=STAMPING, **wrong):
    """A TimeStampToken over `data`; `wrong` says how it differs from a right one."""
    imprint = hashlib.new(hash_.replace("sha-", "sha").replace("sha3-", "sha3_"), data).digest()
    extensions = [der(0xA1, seq(oid("1.2.3"), b"\x01\x01\xff", octets(b"")))] if wrong.get("critical_extension") else []
    info = seq(integer(wrong.get("version", 1)), oid("1.3.6.1.4.1.99999.1"), seq(algorithm(HASHES[hash_]), octets(imprint)),
               integer(7), der(0x18, moment(at).strftime("%Y%m%d%H%M%SZ").encode()), *extensions)  # fmt: skip
    made, key = certificate(*told)
    own = made.public_bytes(Encoding.DER)
    named = wrong.get("certificate_hash", r.sha(own))
    attributes = {
        "content": seq(oid("1.2.840.113549.1.9.3"), der(0x31, oid(wrong.get("attribute_type", TST_INFO)))),
        "digest": seq(oid("1.2.840.113549.1.9.4"), der(0x31, octets(wrong.get("digest", r.sha(info))))),
        "signer": seq(oid("1.2.840.113549.1.9.16.2.47"), der(0x31, seq(seq(seq(octets(named)))))),
    }
    signed = b"".join(sorted(value for name, value in attributes.items() if name != wrong.get("without")))
    signature = key.sign(der(0x31, signed), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    issuer = made.issuer.public_bytes()
    signer = seq(integer(1), seq(issuer, integer(wrong.get("serial", made.serial_number))), algorithm(HASHES["sha-256"]),
                 der(0xA0, signed), algorithm(wrong.get("algorithm", ECDSA)),
                 octets(wrong.get("signature", lambda value: value)(signature)))  # fmt: skip
    content = seq(oid(wrong.get("content_type", TST_INFO)), der(0xA0, octets(info)))
    certificates = wrong.get("certificates", own)
    return seq(oid(SIGNED_DATA), der(0xA0, seq(
        integer(3), der(0x31, algorithm(HASHES["sha-256"])), content, der(0xA0, certificates),
        der(0x31, *[signer] * wrong.get("signers", 1)))))  # fmt: skip


# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def bodies(w, size=3):
    return w.note(size).split("\n\n")[0].encode() + b"\n"


def stamped(w, *anchors, **parts):
    shown = [{"type": "rfc3161", "tree_size": 3, "token": b64u(one)} for one in anchors]
    return w.bundle(3, w.epoch(1, 3), anchors=shown, purpose="checkpoint", **parts)


def renewed(document, *renewals):
    """Each renewal covers the bundle with those before it."""
    shown = []
    for hash_, at, told in renewals:
        covered = jcs({**document, "renewals": list(shown)}).encode()
        shown.append({"hash": hash_, "token": b64u(token(covered, at, hash_, told))})
    return {**document, "renewals": shown}


def bases():
    w = world()
    trust = w.trust(tsa_roots=[b64u(der_of(ROOT))], public_chains=[], require=["integrity", "quorum", "not after"])
    witnessing = w.trust(public_chains=[], require=["integrity", "quorum"], tlog_policy=policy())
    return Bundles(
        "SPEC §13, §14", stamped=(stamped(w, token(bodies(w), CLOSED + 5)), trust), witnessed=(witnessed(w), witnessing)
    )


def stamp_shared():
    return bases().shared(NOW)


def stamp_cases():
    told, w = bases(), world()
    yield told.good("stamped", "stamped", SAYS)
    for cases in (token_cases, trust_cases, renewal_cases, witness_cases):
        yield from cases(told, w)


def token_cases(told, w):
    body, at = bodies(w), CLOSED + 5
    other = (ROOT[0], 99)
    yield told.good("stamped by sha-512", "stamped", SAYS, stamped(w, token(body, at, "sha-512")))
    yield told.good("stamped early, which is a warning", "stamped", SAYS, stamped(w, token(body, CLOSED - 5)))
    for name, data, error in (
        ("tsa-imprint-other", token(bodies(w, 2), at), "FieldMismatch"),
        ("tsa-imprint-other of the whole note", token(w.note(3).encode(), at), "FieldMismatch"),
        ("tsa-imprint-by-sha-1", token(body, at, "sha-1"), "FieldMalformed"),
        ("tsa-certificate-not-timestamping", token(body, at, told=("TEST server", 13, ROOT, 20, ExtendedKeyUsageOID.SERVER_AUTH)), "FieldMismatch"),
        ("tsa-certificate-not-timestamping no purpose", token(body, at, told=("TEST plain", 14, ROOT, 20, None)), "FieldMismatch"),
        ("tsa-certificate-not-timestamping not critical", token(body, at, told=("TEST lax", 15, ROOT, 20, ExtendedKeyUsageOID.TIME_STAMPING, False)), "FieldMismatch"),
        ("tsa-certificate-is-an-authority", token(body, at, told=ROOT), "FieldMismatch"),
        ("tsa-before-genesis", token(body, TIME - 1), "FieldMismatch"),
        ("tsa-before-genesis by years", token(body, TIME - YEAR + 60), "FieldMismatch"),
        ("tsa-signature-changed", token(body, at, signature=lambda value: flip(value, 8 * 40)), "SignatureWrong"),
        ("tsa-signature-of-another-key", of_another_key(body, at), "SignatureWrong"),
        ("tsa-message-digest-other", token(body, at, digest=bytes(32)), "FieldMismatch"),
        ("tsa-certificate-hash-other", token(body, at, certificate_hash=bytes(32)), "FieldMismatch"),
        ("tsa-certificate-not-in-the-token", token(body, at, certificates=der_of(other)), "FieldMismatch"),
        ("tsa-certificates-none", token(body, at, certificates=b""), "FieldMismatch"),
        ("tsa-serial-other", token(body, at, serial=77), "FieldMismatch"),
        ("tsa-nine-certificates", token(body, at, certificates=der_of(STAMPING) * 9), "TooLong"),
        ("tsa-attribute-missing content type", token(body, at, without="content"), "FieldMalformed"),
        ("tsa-attribute-missing digest", token(body, at, without="digest"), "FieldMalformed"),
        ("tsa-attribute-missing signer", token(body, at, without="signer"), "FieldMalformed"),
        ("tsa-attribute-of-another-type", token(body, at, attribute_type=SIGNED_DATA), "FieldMalformed"),
        ("tsa-content-of-another-type", token(body, at, content_type=SIGNED_DATA), "FieldMalformed"),
        ("tsa-two-signers", token(body, at, signers=2), "TrailingBytes"),
        ("tsa-no-signer", token(body, at, signers=0), "FieldMalformed"),
        ("tsa-version-two", token(body, at, version=2), "FieldMalformed"),
        ("tsa-critical-extension", token(body, at, critical_extension=True), "Missing"),
        ("tsa-algorithm-unknown", token(body, at, algorithm=ED25519), "Missing"),
        ("tsa-trailing-byte", token(body, at) + b"\x00", "TrailingBytes"),
        ("tsa-truncated", token(body, at)[:-1], "Truncated"),
        ("tsa-empty", b"", "FieldMalformed"),
        ("tsa-length-not-minimal", b"\x30\x84\x00\x00" + token(body, at)[2:], "NotCanonical"),
    ):  # fmt: skip
        yield told.bad(name, "stamped", error, stamped(w, data))
    elsewhere = edited(told.bases["stamped"][0], ("anchors/0/tree_size", 5))
    yield told.bad("tsa-of-an-unknown-size", "stamped", "FieldMismatch", elsewhere)


def of_another_key(body, at):
    """The certificate of the authority, the signature of somebody else's key."""
    _, key = certificate("TEST somebody", 98)
    return token(
        body, at, signature=lambda _: key.sign(b"anything", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    )


def trust_cases(told, w):
    body = bodies(w)
    yield told.bad("tsa-root-unknown", "stamped", "Missing", trust={"tsa_roots": []})
    stranger = [b64u(der_of((ROOT[0], 99)))]
    yield told.bad("tsa-root-of-the-same-name", "stamped", "Missing", trust={"tsa_roots": stranger})
    yield told.bad("tsa-root-no-certificate", "stamped", "CertificateMalformed", trust={"tsa_roots": [b64u(b"abc")]})
    short = ("TEST short-lived", 16, ROOT, 1)  # ran out when epoch 1 began
    yield told.bad("tsa-certificate-run-out", "stamped", "Missing", stamped(w, token(body, CLOSED + 5, told=short)))
    yield told.bad("tsa-none", "stamped", "Missing", stamped(w))


def renewal_cases(told, w):
    whole = told.bases["stamped"][0]
    short, later = ("TEST two years", 17, ROOT, 2), CLOSED + 3 * YEAR
    once = renewed(whole, ("sha-256", CLOSED + 60, STAMPING))
    yield told.good("renewed", "stamped", SAYS, once)
    yield told.good("renewed twice, by a stronger hash", "stamped", SAYS,
                    renewed(whole, ("sha-256", CLOSED + 60, STAMPING), ("sha3-256", CLOSED + 120, STAMPING)))  # fmt: skip
    twice = renewed(whole, ("sha-256", CLOSED + 60, STAMPING), ("sha-512", CLOSED + 120, STAMPING))
    for name, document, error in (
        ("renewal-out-of-order", renewed(whole, ("sha-256", CLOSED + 4, STAMPING)), "FieldMismatch"),
        ("renewal-out-of-order the same second", renewed(whole, ("sha-256", CLOSED + 5, STAMPING)), "FieldMismatch"),
        ("renewal-out-of-order the second", renewed(whole, ("sha-256", CLOSED + 60, STAMPING), ("sha-256", CLOSED + 59, STAMPING)), "FieldMismatch"),
        ("renewals-exchanged", {**twice, "renewals": twice["renewals"][::-1]}, "FieldMismatch"),
        ("renewal-covers-other-bytes", {**once, "purpose": "record"}, "FieldMismatch"),
        ("renewal-covers-other-bytes the first left out", {**twice, "renewals": twice["renewals"][1:]}, "FieldMismatch"),
        ("renewal-covers-other-bytes the note", over(whole, bodies(w)), "FieldMismatch"),
        ("renewal-by-another-hash", edited(once, ("renewals/0/hash", "sha-512")), "FieldMismatch"),
        ("renewal-by-no-hash-of-ours", edited(once, ("renewals/0/hash", "sha-1")), "FieldMalformed"),
        ("renewal-signature-changed", over(whole, jcs(whole).encode(), signature=lambda value: flip(value, 8 * 40)), "SignatureWrong"),
        ("renewal-after-the-one-before-ran-out", renewed(whole, ("sha-256", CLOSED + 60, short), ("sha-256", later, STAMPING)), "FieldMismatch"),
    ):  # fmt: skip
        yield told.bad(name, "stamped", error, document)


def over(document, data, **wrong):
    return {**document, "renewals": [{"hash": "sha-256", "token": b64u(token(data, CLOSED + 60, **wrong))}]}


# ── witnesses ────────────────────────────────────────────────────────────────────────────────────────────────────────

WITNESSES = {name: r.sha(name.encode()) for name in ("one.example/w", "two.example/w")}
COSIGNED = CLOSED + 30


def policy(quorum="both", log=None):
    lines = [f"witness {name.split('.')[0]} {vkey(name, seed)}" for name, seed in WITNESSES.items()]
    return "".join(
        f"{one}\n" for one in [*([f"log {log}"] if log else []), *lines, "group both all one two", f"quorum {quorum}"]
    )


def cosignature(w, name, seed=None, time=COSIGNED, size=3, told=None):
    """C2SP tlog-cosignature, type 04."""
    seed = seed or WITNESSES[name]
    said = f"cosignature/v1\ntime {time if told is None else told}\n{bodies(w, size).decode()}".encode()
    return line(name, b"\x04", public(seed), time.to_bytes(8, "big") + sign(seed, said)) + "\n"


def witnessed(w, lines=None, names=tuple(WITNESSES)):
    lines = [cosignature(w, name) for name in WITNESSES] if lines is None else lines
    checkpoint = {"note": w.note(3) + "".join(lines), "consistency": []}
    anchors = [{"type": "witness", "tree_size": 3, "name": name} for name in names]
    return w.bundle(3, w.epoch(1, 3), anchors=anchors, checkpoints=[checkpoint], purpose="checkpoint")


def witness_cases(told, w):
    one, two = WITNESSES
    first, second = (cosignature(w, name) for name in WITNESSES)
    stranger = r.sha(b"stranger")
    yield told.good("witnessed", "witnessed", SAYS)
    yield told.good(
        "witnessed by one, which is enough",
        "witnessed",
        SAYS,
        witnessed(w, [first], [one]),
        trust={"tlog_policy": policy("one")},
    )
    for name, error, document in (
        ("witness-unknown-key", "Missing", witnessed(w, [first, cosignature(w, two, stranger)])),
        (
            "witness-unknown-name",
            "Missing",
            witnessed(w, [first, cosignature(w, "three.example/w", stranger)], [one, "three.example/w"]),
        ),
        ("witness-below-the-quorum", "Missing", witnessed(w, [first], [one])),
        ("witness-none", "Missing", witnessed(w, [], [])),
        ("witness-not-named", "FieldMalformed", witnessed(w, [first, second], [one])),
        ("witness-without-line", "FieldMismatch", witnessed(w, [first])),
        ("witness-line-twice", "FieldMalformed", witnessed(w, [first, first, second])),
        (
            "witness-line-twice at two times",
            "FieldMalformed",
            witnessed(w, [first, cosignature(w, one, time=COSIGNED + 1), second]),
        ),
        ("witness-of-another-size", "SignatureWrong", witnessed(w, [first, cosignature(w, two, size=2)])),
        ("witness-time-altered", "SignatureWrong", witnessed(w, [first, cosignature(w, two, told=COSIGNED + 1)])),
        (
            "witness-key-of-another",
            "SignatureWrong",
            witnessed(w, [first, renamed(second, two, WITNESSES[two], first)]),
        ),
        ("witness-anchor-of-an-unknown-size", "FieldMalformed", edited(witnessed(w), ("anchors/0/tree_size", 5))),
    ):
        yield told.bad(name, "witnessed", error, document)
    for name, error, text in (
        ("witness-policy-of-another-log", "Missing", policy(log=log_vkey(OTHER_ORIGIN))),
        ("witness-policy-without-quorum", "FieldMalformed", policy().replace("quorum both\n", "")),
        ("witness-policy-of-an-unknown-name", "FieldMalformed", policy("three")),
        (
            "witness-policy-key-twice",
            "FieldMalformed",
            policy().replace("group", f"witness three {vkey(one, WITNESSES[one])}\ngroup"),
        ),
        ("witness-policy-without-line-feed", "FieldMalformed", policy()[:-1]),
    ):
        yield told.bad(name, "witnessed", error, trust={"tlog_policy": text})
    yield told.good(
        "witness-policy-of-this-log", "witnessed", SAYS, trust={"tlog_policy": policy(log=log_vkey(w.origin))}
    )
    yield told.good(
        "witness-quorum-none", "witnessed", SAYS, witnessed(w, [], []), trust={"tlog_policy": policy("none")}
    )


def renamed(own, name, seed, other):
    """The signature of another witness under this one's name and key id."""
    kept = key_id(name, b"\x04", public(seed))
    assert own.startswith(f"— {name} ")
    return f"— {name} {b64(kept + data_of(other.strip())[4:])}\n"


def log_vkey(origin):
    key = public(world(origin).seeds["log"])
    return f"{origin}+{key_id(origin, bytes([1]), key).hex()}+{b64(bytes([1]) + key)}"
