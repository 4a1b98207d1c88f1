"""Check 9 of `verify`: who the keys belong to, as far as certificates say so, and the signatures on transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from hybrid_bridge.business.claims import typed_claims
from hybrid_bridge.business.schema import RECORD_TYPES
from hybrid_bridge.core.certificate import MAX_NAME, ShownCertificate, certified_key, read_certificate, show
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.keys import PublicKey, decode_spki
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedValidator
from hybrid_bridge.steps.verify.exportable import verify_jwts
from hybrid_bridge.steps.verify.signers import KnownSets
from hybrid_bridge.units import Address, Digest, SetId, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SELF_STATED: Final = "self-stated"
CERTIFIED: Final = "certified by a root you trust"


@dataclass(frozen=True, slots=True)
class Name:
    """A validator's name as the set commits to it, and what stands behind it: `CERTIFIED`, or why it is not."""

    name: str
    legal_id: str
    basis: str
    certificate: Digest  # hash of the certificate, shown or not
    key: Digest | None  # hash of the identity key in it; None while it is not shown

    @property
    def text(self) -> str:
        """Name, legal id and basis, for people."""
        return f"{self.name} ({self.legal_id}; {self.basis})"

    @property
    def is_certified(self) -> bool:
        """Somebody whom the verifier trusts says that the key is this legal entity's."""
        return self.basis == CERTIFIED


Names: TypeAlias = Mapping[tuple[SetId, Address], Name]  # one address may bear another name in another set


def members_among(names: Sequence[Name]) -> int:
    """How many different members are certified among them: who shares legal id, certificate or key is one."""
    members: list[set[object]] = []
    for name in names:
        if name.is_certified:
            marks: set[object] = {name.legal_id, name.certificate, name.key}
            same = [member for member in members if member & marks]
            members = [member for member in members if not member & marks] + [marks.union(*same)]
    return len(members)


def verify_names(d: Decoded, sets: KnownSets, trust: Trust) -> Names:
    """Key bindings, certificates and names of all validators (SPEC §12 step 9).

    A certificate that is shown must hold the key that bound the attestation key. A name counts as certified only if a
    root of the trust file issued the certificate, for an identity key, it was valid at the checkpoint, and it names the
    same legal entity.

    Raises:
        Malformed: a certificate or a root of the trust file cannot be read, or holds a key of another kind.
        FieldMismatch: a binding is not of this log, certificate, address or key; a certificate is nobody's.
        SignatureWrong: the certified key did not sign the binding.
    """
    for validator in d.all_validators:
        _require_binding(d, validator)
    roots = [read_certificate(root) for root in trust.member_roots]
    for root in trust.tsa_roots:
        read_certificate(root)  # who trusts what nobody can read is told so before it is needed
    shown = _certificates(d, roots)
    at = d.genesis.checkpoint_timestamp(d.notes[0].size)
    verified: set[bytes] = set()
    names: dict[tuple[SetId, Address], Name] = {}
    for known in sets.sets:
        for validator in known.shown:
            certificate = shown.get(Digest(validator.part.certificate_hash))
            if certificate is not None and validator.part.key_binding not in verified:
                validator.binding.verify(decode_spki(certificate.spki))
                verified.add(validator.part.key_binding)
            names[known.validators.set_id, Address(validator.part.address)] = _name(validator, certificate, at)
    return names


def _require_binding(d: Decoded, validator: DecodedValidator) -> None:
    """What a binding says is true of the set's entry, whether or not its signature can be checked."""
    part, binding = validator.part, validator.binding.binding
    _require("key_binding.origin_hash", d.genesis.origin_hash, binding.origin_hash)
    _require("key_binding.certificate_hash", part.certificate_hash, binding.certificate_hash)
    _require("key_binding.address", part.address, binding.address)
    if part.mldsa_key is not None:
        _require("validator.mldsa_key", binding.mldsa_key_hash, sha256(part.mldsa_key))


def _require(field: str, expected: bytes, got: bytes) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=expected.hex(), got=got.hex())


# ── certificates ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _certificates(d: Decoded, roots: Sequence["Certificate"]) -> Mapping[Digest, ShownCertificate]:
    """Each read once, however many validators and sets it stands behind."""
    shown = [show(der, roots) for der in d.bundle.certificates]
    wanted = {validator.part.certificate_hash for validator in d.all_validators}
    for certificate in shown:
        if certificate.digest not in wanted:
            got = certificate.digest.hex()
            raise FieldMismatch(field="certificates", expected="certificates of the validators shown", got=got)
    return {certificate.digest: certificate for certificate in shown}


def identity_keys(d: Decoded) -> Mapping[Digest, PublicKey]:
    """The identity keys of the validators whose certificates are shown, by certificate hash; after `verify_names`."""
    return {sha256(der): certified_key(der) for der in d.bundle.certificates}


def _name(validator: DecodedValidator, certificate: ShownCertificate | None, at: UnixSeconds) -> Name:
    """The name as the set has it; of a certified one no more than the certificate has room for."""
    basis = SELF_STATED if certificate is None else _basis(certificate, validator, at)
    is_cut = basis == CERTIFIED and len(validator.name) > MAX_NAME
    return Name(
        name=validator.name[:MAX_NAME] + "…" if is_cut else validator.name,
        legal_id=validator.legal_id,
        basis=basis,
        certificate=Digest(validator.part.certificate_hash),
        key=None if certificate is None else sha256(certificate.spki),
    )


def _basis(certificate: ShownCertificate, validator: DecodedValidator, at: UnixSeconds) -> str:
    """`CERTIFIED`, or what is wanting: then the name is no more than the validators' own word."""
    if certificate.subject is None:
        return f"{SELF_STATED}; its certificate is of an issuer you did not name"
    if not certificate.begins <= at <= certificate.ends:
        return f"{SELF_STATED}; its certificate was not valid at the checkpoint's time"
    if not certificate.subject.is_identity:
        return f"{SELF_STATED}; its certificate is not for an identity key"
    if not certificate.subject.holds(validator.name, validator.legal_id):
        return f"{SELF_STATED}; its certificate names somebody else"
    return CERTIFIED


# ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_transactions(d: Decoded) -> None:
    """Each shown transaction is the one behind its entry, in time, whole and signed; so is each JWT (SPEC §12 step 9).

    Of a record type that this verifier does not know the claims are not judged: `verify_rules` says so.

    Raises:
        Malformed: it breaks SPEC §4; a claim is missing, unknown or of another type than its schema says.
        Refuted: a signature is wrong, it belongs to another entry, or had expired in its epoch.
    """
    for epoch, entry in d.entries:
        if entry.transaction is None:
            continue
        body, payload = entry.transaction.body, entry.transaction.body.payload
        if not isinstance(payload, RecordPayload) or payload.entry != entry.part.entry:
            raise FieldMismatch(field="transaction.entry", expected=b64u(entry.part.entry), got="another entry")
        if body.expires_epoch < epoch.record.epoch:
            expected = f">= {epoch.record.epoch}"
            raise FieldMismatch(field="transaction.expires_epoch", expected=expected, got=str(body.expires_epoch))
        entry.transaction.verify_stateless(d.log_id)
        if entry.entry.record_type in RECORD_TYPES:
            typed_claims(body, payload)
    verify_jwts(d)
