"""Check 9 of `verify`: who the keys belong to, as far as certificates say so, and the signatures on transactions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from hybrid_bridge.core.certificate import is_issued_by, is_valid_at, load_certificate, spki_of, subject_of
from hybrid_bridge.core.encoding import b64u, sha256
from hybrid_bridge.core.keys import decode_spki
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.steps.verify.decoded import Decoded, DecodedValidator
from hybrid_bridge.steps.verify.exportable import verify_jwts
from hybrid_bridge.steps.verify.signers import KnownSets
from hybrid_bridge.units import Address, Digest, SetId, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

SELF_STATED: Final = "self-stated"
CERTIFIED: Final = "certified by a root you trust"

_Shown: TypeAlias = Mapping[Digest, "Certificate"]


@dataclass(frozen=True, slots=True)
class Name:
    """A validator's name as the set commits to it, and what stands behind it: `CERTIFIED`, or why it is not."""

    name: str
    legal_id: str
    basis: str

    @property
    def text(self) -> str:
        """Name, legal id and basis, for people."""
        return f"{self.name} ({self.legal_id}; {self.basis})"

    @property
    def is_certified(self) -> bool:
        """Somebody whom the verifier trusts says that the key is this legal entity's."""
        return self.basis == CERTIFIED


Names: TypeAlias = Mapping[tuple[SetId, Address], Name]  # one address may bear another name in another set


def verify_names(d: Decoded, sets: KnownSets, trust: Trust) -> Names:
    """Key bindings, certificates and names of all validators (SPEC §12 step 9).

    A certificate that is shown must hold the key that bound the attestation key. A name counts as certified only if a
    root of the trust file issued the certificate, it was valid at the checkpoint, and it names the same legal entity.

    Raises:
        Malformed: a certificate cannot be read or holds a key of another kind; certificates not in order.
        FieldMismatch: a binding is not of this log, certificate, address or key; a certificate is nobody's.
        SignatureWrong: the certified key did not sign the binding.
    """
    for validator in d.all_validators:
        _require_binding(d, validator)
    shown = _certificates(d)
    roots = [load_certificate(root) for root in trust.member_roots] if shown else []
    at = d.genesis.checkpoint_timestamp(d.notes[0].size)
    verified: set[bytes] = set()
    names: dict[tuple[SetId, Address], Name] = {}
    for known in sets.sets:
        for validator in known.shown:
            basis = SELF_STATED
            certificate = shown.get(Digest(validator.part.certificate_hash))
            if certificate is not None:
                if validator.part.key_binding not in verified:
                    validator.binding.verify(decode_spki(spki_of(certificate)))
                    verified.add(validator.part.key_binding)
                basis = _basis(certificate, roots, validator, at)
            names[known.validators.set_id, Address(validator.part.address)] = Name(
                validator.name, validator.legal_id, basis
            )
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


def _certificates(d: Decoded) -> _Shown:
    digests = [sha256(der) for der in d.bundle.certificates]
    if any(one >= following for one, following in pairwise(digests)):
        raise FieldMalformed(field="certificates", rule="strictly ascending by hash")
    wanted = {validator.part.certificate_hash for validator in d.all_validators}
    for digest in digests:
        if digest not in wanted:
            raise FieldMismatch(field="certificates", expected="certificates of the validators shown", got=digest.hex())
    return {digest: load_certificate(der) for digest, der in zip(digests, d.bundle.certificates, strict=True)}


def _basis(
    certificate: "Certificate", roots: Sequence["Certificate"], validator: DecodedValidator, at: UnixSeconds
) -> str:
    """`CERTIFIED`, or what is wanting: then the name is no more than the validators' own word."""
    if not any(is_issued_by(certificate, root) for root in roots):
        return f"{SELF_STATED}; its certificate is of an issuer you did not name"
    if not is_valid_at(certificate, at):
        return f"{SELF_STATED}; its certificate was not valid at the checkpoint's time"
    names, ids = subject_of(certificate)
    if validator.name[:64] not in names or validator.legal_id[:64] not in ids:  # X.520 has room for 64 characters
        return f"{SELF_STATED}; its certificate names somebody else"
    return CERTIFIED


# ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────────


def verify_transactions(d: Decoded) -> None:
    """Each shown transaction or JWT is the one behind its entry and carries all its signatures (SPEC §12 step 9).

    Raises:
        Malformed: it breaks SPEC §4.
        Refuted: a signature is wrong or it belongs to another entry.
    """
    for entry, signed in d.transactions:
        payload = signed.body.payload
        if not isinstance(payload, RecordPayload) or payload.entry != entry.part.entry:
            raise FieldMismatch(field="transaction.entry", expected=b64u(entry.part.entry), got="another entry")
        signed.verify_stateless(d.log_id)
    verify_jwts(d)
