"""Check 9 of `verify`: who the keys belong to, as far as certificates say so, and the signatures on transactions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybrid_bridge.core.bundle import ValidatorPart
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.keys import decode_spki
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.core.validators import SignedKeyBinding, parse_name
from hybrid_bridge.errors import CertificateMalformed, FieldMalformed, FieldMismatch, SignatureWrong
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.steps.verify.signers import ResponsibleSets
from hybrid_bridge.units import Address, Digest

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SELF_STATED = "self-stated"
BOUND = "bound by the certificate shown"
CERTIFIED = "certified by a trusted root"


@dataclass(frozen=True, slots=True)
class Name:
    """A validator's name as the set commits to it, and what stands behind it."""

    name: str
    legal_id: str
    basis: str


@dataclass(frozen=True, slots=True)
class Naming:
    """Every validator shown, by address."""

    names: dict[Address, Name]

    def of(self, address: Address) -> str:
        """Name, legal id and basis, for people."""
        name = self.names[address]
        return f"{name.name} ({name.legal_id}; {name.basis})"


def verify_names(d: Decoded, sets: ResponsibleSets, trust: Trust) -> Naming:
    """Names, certificates and key bindings of all validators (SPEC §12 step 9).

    A certificate that is shown must bind the attestation key; one that is not shown leaves the name self-stated.

    Raises:
        Malformed: a certificate or name text cannot be read.
        Refuted: a binding's signature or one of its hashes is wrong.
    """
    certificates = {sha256(der): der for der in d.bundle.certificates}
    if list(certificates) != sorted(certificates) or len(certificates) != len(d.bundle.certificates):
        raise FieldMalformed(field="certificates", rule="strictly ascending by hash")
    parts = [*d.bundle.genesis.validators, *(p for r in d.bundle.rotations for p in r.validators)]
    for digest in certificates.keys() - {part.certificate_hash for part in parts}:
        raise FieldMismatch(field="certificates", expected="certificates of the validators shown", got=digest.hex())
    names: dict[Address, Name] = {}
    for part in parts:
        legal_id, name = parse_name(part.name)
        der = certificates.get(Digest(part.certificate_hash))
        basis = SELF_STATED if der is None else _bind(d, part, der, trust)
        _require_mldsa(part)
        names[Address(part.address)] = Name(name, legal_id, basis)
    return Naming({address: names[address] for _, known in sets.sets for address in known.addresses})


def _require_mldsa(part: ValidatorPart) -> None:
    """The post-quantum key, if one is shown, is the one the binding names."""
    stated = SignedKeyBinding.decode(part.key_binding).binding.mldsa_key_hash
    if part.mldsa_key is not None and (shown := sha256(part.mldsa_key)) != stated:
        raise FieldMismatch(field="validator.mldsa_key", expected=stated.hex(), got=shown.hex())


def _bind(d: Decoded, part: ValidatorPart, der: bytes, trust: Trust) -> str:
    certificate = _load(der)
    signed = SignedKeyBinding.decode(part.key_binding)
    binding = signed.binding
    for field, expected, got in (
        ("key_binding.origin_hash", d.genesis.origin_hash, binding.origin_hash),
        ("key_binding.certificate_hash", part.certificate_hash, binding.certificate_hash),
        ("key_binding.address", part.address, binding.address),
    ):
        if expected != got:
            raise FieldMismatch(field=field, expected=expected.hex(), got=got.hex())
    signed.verify(decode_spki(_spki(certificate)))
    issued = any(_issued_by(certificate, _load(root)) for root in trust.member_roots)
    if trust.member_roots and not issued:
        raise SignatureWrong(signer="certificate of validator 0x" + part.address.hex())
    return CERTIFIED if issued else BOUND


def _load(der: bytes) -> "Certificate":
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 40 ms that most bundles need not pay

    try:
        return load_der_x509_certificate(der)
    except ValueError:
        raise CertificateMalformed(rule="a DER X.509 certificate") from None


def _spki(certificate: "Certificate") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError:
        raise CertificateMalformed(rule="a public key this library can read") from None


def _issued_by(certificate: "Certificate", root: "Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415

    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def verify_transactions(d: Decoded) -> None:
    """Each shown transaction is the one behind its entry and carries all its signatures (SPEC §12 step 9).

    Raises:
        Malformed: it breaks SPEC §4.
        Refuted: a signature is wrong or it belongs to another entry.
    """
    for entry, signed in d.transactions:
        signed.verify_stateless(d.log_id)
        payload = signed.body.payload
        if not isinstance(payload, RecordPayload) or payload.entry != entry.part.entry:
            raise FieldMismatch(field="transaction.entry", expected=b64u(entry.part.entry), got="another entry")
