"""A record as an SD-JWT: its submitter signs the digests of all fields, the holder shows those it chooses.

The disclosures are the very strings that the record's field tree holds, so one set of salts serves both, and the digest
list with its padding put back hashes to the field root of the entry. That the entry stands in the log is the
submitter's word here; a bundle shows it. Source: SPEC §14; RFC 9901; RFC 7515, RFC 8037.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from hybrid_bridge.core.certificate import MAX_CERTIFICATE, certified_key
from hybrid_bridge.core.disclosure import (
    ORIGIN,
    SCHEMA,
    Disclosure,
    disclosure_digest,
    parse_disclosure,
    require_half,
    require_once,
)
from hybrid_bridge.core.encoding import Json, b64u, canonical_json, parse_b64u, parse_canonical_json
from hybrid_bridge.core.entry import MAX_WIDTH, RecordEntry, decode_record_entry
from hybrid_bridge.core.field_tree import FieldTree, root_of_digests
from hybrid_bridge.core.keys import ED25519, P256, SIGNATURE_BYTES, PrivateKey, PublicKey, key_id_text
from hybrid_bridge.core.proof import as_octets, as_text
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, uint
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, NotCanonical, RootMismatch, TooLong
from hybrid_bridge.units import Digest, EpochNumber, LogId

SUFFIX: Final = ".sd-jwt"
TYPE: Final = "hybrid-bridge+sd-jwt"
ALGORITHMS: Final = {ED25519: "EdDSA", P256: "ES256"}
MAX_JWT: Final = 1 << 17  # characters: 1,024 digests of 46, a certificate, and base64url of all that
MAX_PRESENTATION: Final = 1 << 20
CLAIM: Final = "hb"
# Names that JWT or this format give a meaning of their own: as a field's name they would be read as that.
RESERVED_CLAIMS: Final = frozenset({CLAIM, "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cnf", "status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    alg: str
    typ: str
    x5c: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Statement:
    log: bytes
    epoch: int
    entry: bytes
    claims: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    digests: tuple[bytes, ...]
    statement: _Statement


@dataclass(frozen=True, kw_only=True)
class IssuedJwt:
    """What the submitter signs of one record: where it stands, and the digest of every field. Opens nothing."""

    log_id: LogId
    epoch: EpochNumber
    entry: RecordEntry
    claims: int  # how many of the digests are claims; they come first
    digests: tuple[Digest, ...]  # the field list without its zero padding, in order
    certificate: bytes = field(repr=False)  # DER, of the submitter's identity key
    signature: bytes = b""

    @cached_property
    def key(self) -> PublicKey:
        """The certified key.

        Raises:
            CertificateMalformed, FieldMalformed: no certificate, or no identity key in it.
        """
        return certified_key(self.certificate)

    def signing_input(self) -> bytes:
        """What is signed (RFC 7515 §5.1): header and payload, each the one JCS text in base64url."""
        header: dict[str, Json] = {
            "alg": ALGORITHMS[self.key.scheme],
            "typ": TYPE,
            "x5c": [base64.b64encode(self.certificate).decode("ascii")],
        }
        payload: dict[str, Json] = {
            "_sd": [b64u(digest) for digest in self.digests],
            "_sd_alg": "sha-256",
            CLAIM: _STATEMENT.write(
                _Statement(log=self.log_id, epoch=self.epoch, entry=self.entry.encode(), claims=self.claims)
            ),
        }
        return f"{b64u(canonical_json(header))}.{b64u(canonical_json(payload))}".encode("ascii")

    def text(self) -> str:
        """The JWT in compact form; the inverse of `parse_jwt`."""
        return f"{self.signing_input().decode('ascii')}.{b64u(self.signature)}"


@dataclass(frozen=True, slots=True)
class Presentation:
    """The submitter's JWT and the disclosures that the holder chose, in the order of the digests."""

    jwt: IssuedJwt
    disclosures: tuple[str, ...] = field(repr=False)

    def encode(self) -> bytes:
        """The SD-JWT in compact form, without key binding; the inverse of `parse_presentation`."""
        return "".join(f"{part}~" for part in (self.jwt.text(), *self.disclosures)).encode("ascii")


@dataclass(frozen=True, slots=True)
class PresentedField:
    """A field that was shown to be one of the submitter's digests."""

    disclosure: Disclosure
    is_claim: bool


# ── made ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def issue(  # noqa: PLR0917 what is signed, then by whom
    tree: FieldTree, entry: RecordEntry, log_id: LogId, epoch: EpochNumber, key: PrivateKey, certificate: bytes
) -> IssuedJwt:
    """The submitter's word over a record that it holds in full.

    Raises:
        FieldMalformed: a field has a name that JWT reads as its own.
        RootMismatch: the fields are another record's.
        FieldMismatch: the certificate is of another key.
    """
    for disclosure in (*tree.claims, *tree.private):
        _require_no_jwt_claim(disclosure)
    jwt = IssuedJwt(
        log_id=log_id,
        epoch=epoch,
        entry=entry,
        claims=len(tree.claims),
        digests=tuple(leaf for leaf in tree.leaves if any(leaf)),
        certificate=certificate,
    )
    _require_key(jwt, key_id_text(key.public.key_id))
    signed = replace(jwt, signature=key.sign(jwt.signing_input()))
    verify_jwt(signed)
    return signed


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_jwt(text: str) -> IssuedJwt:
    """The inverse of `IssuedJwt.text`. Nothing is verified.

    Raises:
        Malformed: too long, not canonical, or not the members of SPEC §14.
    """
    if len(as_text(text, "sd-jwt")) > MAX_JWT:
        raise TooLong(field="sd-jwt", limit=MAX_JWT, got=len(text))
    parts = text.split(".")
    if len(parts) != 3:
        raise FieldMalformed(field="sd-jwt", rule="header, payload and signature")
    header = _HEADER.parse(_json(parts[0], "sd-jwt.header"), "sd-jwt.header")
    payload = _payload(_json(parts[1], "sd-jwt.payload"))
    statement = payload.statement
    if statement.epoch < 1:
        raise FieldMalformed(field=f"sd-jwt.{CLAIM}.epoch", rule="from 1 on: leaf 0 is the genesis record")
    jwt = IssuedJwt(
        log_id=LogId(statement.log),
        epoch=EpochNumber(statement.epoch),
        entry=decode_record_entry(statement.entry),
        claims=statement.claims,
        digests=tuple(map(Digest, payload.digests)),
        certificate=header.x5c[0] if header.x5c else b"",
        signature=parse_b64u(parts[2], "sd-jwt.signature"),
    )
    if len(jwt.signature) != SIGNATURE_BYTES:
        raise FieldMalformed(field="sd-jwt.signature", rule=f"{SIGNATURE_BYTES} bytes")
    if jwt.text() != text:
        raise NotCanonical(field="sd-jwt")
    return jwt


def parse_presentation(data: bytes) -> Presentation:
    """The inverse of `Presentation.encode`. Nothing is verified.

    Raises:
        Malformed: too long, with key binding, or a part that is none.
    """
    data = as_octets(data, "sd-jwt")
    if len(data) > MAX_PRESENTATION:
        raise TooLong(field="sd-jwt", limit=MAX_PRESENTATION, got=len(data))
    if not data.isascii() or not data.endswith(b"~"):
        raise FieldMalformed(field="sd-jwt", rule="ASCII that ends with ~: no key binding")
    jwt, *disclosures = data[:-1].decode("ascii").split("~")
    if len(disclosures) > MAX_WIDTH:
        raise TooLong(field="sd-jwt.disclosures", limit=MAX_WIDTH, got=len(disclosures))
    return Presentation(parse_jwt(jwt), tuple(parse_disclosure(text).text() for text in disclosures))


# ── verified ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_jwt(jwt: IssuedJwt) -> None:
    """Return if the digests are those of the entry and the certified key signed them.

    NOT CHECKED HERE: who issued the certificate; that the entry stands in the log; that the key is the record's origin.

    Raises:
        Malformed: digests out of order, twice, or too few for the entry's width; a certificate or key that is none.
        RootMismatch: they are another record's.
        SignatureWrong: not signed by that key.
    """
    claims, right = jwt.digests[: jwt.claims], jwt.digests[jwt.claims :]
    if 2 * len(right) != jwt.entry.width or len(claims) != jwt.claims:
        raise FieldMalformed(field="sd-jwt._sd", rule="the claims, then half the entry's width")
    if len(set(jwt.digests)) != len(jwt.digests):  # RFC 9901 §7.1: who meets a digest twice rejects the whole
        raise FieldMalformed(field="sd-jwt._sd", rule="each digest once")
    calculated = root_of_digests(claims, right)
    if calculated != jwt.entry.field_root:
        raise RootMismatch(expected=jwt.entry.field_root, calculated=calculated)
    jwt.key.verify(jwt.signing_input(), jwt.signature)


def verify_presentation(presentation: Presentation) -> tuple[PresentedField, ...]:
    """The fields shown, if the submitter of the record signed them all.

    NOT CHECKED HERE: as `verify_jwt`, save the origin; and that the schema gives each name the half it stands in.

    Raises:
        Malformed, Refuted: as `verify_jwt`.
        FieldMalformed: `_schema` or `_origin` not shown; a name twice, or one that JWT reads as its own.
        FieldMismatch: a disclosure that is none of the digests, or out of their order; another key's record.
    """
    jwt = presentation.jwt
    verify_jwt(jwt)
    shown = [parse_disclosure(text) for text in presentation.disclosures]
    require_once([disclosure.name for disclosure in shown])
    places = {digest: place for place, digest in enumerate(jwt.digests)}
    fields: list[PresentedField] = []
    last = -1
    for text, disclosure in zip(presentation.disclosures, shown, strict=True):
        place = places.get(disclosure_digest(text), -1)
        if place <= last:
            raise FieldMismatch(field=disclosure.name, expected="one of the digests, in their order", got="another")
        last = place
        _require_no_jwt_claim(disclosure)
        require_half(disclosure.name, "claim" if place < jwt.claims else "private")
        fields.append(PresentedField(disclosure, place < jwt.claims))
    values = {disclosure.name: disclosure.value for disclosure in shown}
    for name in (SCHEMA, ORIGIN):
        if not isinstance(values.get(name), str):
            raise FieldMalformed(field=name, rule="a string, disclosed whenever anything is")
    _require_key(jwt, str(values[ORIGIN]))
    return tuple(fields)


def _require_key(jwt: IssuedJwt, origin: str) -> None:
    got = key_id_text(jwt.key.key_id)
    if got != origin:
        raise FieldMismatch(field=ORIGIN, expected=origin, got=got)


def _require_no_jwt_claim(disclosure: Disclosure) -> None:
    if disclosure.name in RESERVED_CLAIMS:
        raise FieldMalformed(field=disclosure.name, rule="no name that JWT reads as its own")


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _json(text: str, name: str) -> Json:
    return parse_canonical_json(parse_b64u(text, name), name, MAX_JWT)


def _certificate() -> Codec[bytes]:
    """Standard base64, as RFC 7515 has it in x5c alone."""

    def parse(value: Json, name: str) -> bytes:
        if not isinstance(value, str) or len(value) > (MAX_CERTIFICATE + 2) // 3 * 4:
            raise FieldMalformed(field=name, rule=f"base64 of at most {MAX_CERTIFICATE} bytes")
        try:
            return base64.b64decode(value, validate=True)  # that it was canonical is seen when all is written again
        except (binascii.Error, ValueError):
            raise NotCanonical(field=name) from None

    return Codec(parse, lambda data: base64.b64encode(data).decode("ascii"))


def _payload(value: Json) -> _Payload:
    if not isinstance(value, dict) or value.keys() != {"_sd", "_sd_alg", CLAIM}:
        raise FieldMalformed(field="sd-jwt.payload", rule=f"_sd, _sd_alg and {CLAIM}")
    literal("sha-256").parse(value["_sd_alg"], "sd-jwt._sd_alg")
    return _Payload(
        digests=_DIGESTS.parse(value["_sd"], "sd-jwt._sd"),
        statement=_STATEMENT.parse(value[CLAIM], f"sd-jwt.{CLAIM}"),
    )


_DIGESTS: Final = array(octets(32), MAX_WIDTH)
_STATEMENT: Final = record(
    _Statement, {"log": octets(32), "epoch": uint(), "entry": octets(37), "claims": uint(MAX_WIDTH // 2)}
)
_HEADER: Final = record(
    _Header, {"alg": literal(*ALGORITHMS.values()), "typ": literal(TYPE), "x5c": array(_certificate(), 1)}
)


def choose(jwt: IssuedJwt, disclosures: Sequence[str], names: Sequence[str]) -> Presentation:
    """A presentation of the named fields, `_schema` and `_origin`, out of those at hand; all of them if none is named.

    Raises:
        FieldMalformed: a name that is not among them.
    """
    at_hand = {parse_disclosure(text).name: text for text in disclosures}
    wanted = {SCHEMA, ORIGIN, *names} if names else set(at_hand)
    if missing := wanted - at_hand.keys():
        raise FieldMalformed(field=min(missing), rule="disclosed in the bundle")
    places = {digest: place for place, digest in enumerate(jwt.digests)}
    texts = sorted((at_hand[name] for name in wanted), key=lambda text: places.get(disclosure_digest(text), -1))
    return Presentation(jwt, tuple(texts))
