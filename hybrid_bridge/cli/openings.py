"""Names and certificates behind the hashes of validator sets, out of files: each is believed for its hash alone."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.certificate import ShownCertificate, read_certificate, show
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.independence import legal_mark
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet, name_hash, parse_name
from hybrid_bridge.errors import FieldMismatch, Malformed
from hybrid_bridge.steps.verify.names import CERTIFIED, SELF_STATED
from hybrid_bridge.units import Address, Digest, LogId, SetId, UnixSeconds

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from hybrid_bridge.node.directory import Member

NOT_OPENED: Final = "not opened"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a file says of one attestation key: the name behind its nameHash."""

    address: bytes
    legal_id: str
    name: str
    name_hash: Digest


@dataclass(slots=True)
class Openings:
    """Names and certificates out of files. Nobody's word counts: each must hash to what a set commits to."""

    claims: list[Claimed] = field(default_factory=list)
    certificates: dict[Digest, bytes] = field(default_factory=dict)

    def take_bundle(self, bundle: Bundle, log_id: LogId) -> None:
        """Of a bundle's genesis and rotations.

        Raises:
            FieldMismatch: of another log.
            Malformed: a name that is none.
        """
        found = Genesis.decode(bundle.genesis.record).log_id
        if found != log_id:
            raise FieldMismatch(field="bundle.log_id", expected=log_id.hex(), got=found.hex())
        for part in (*bundle.genesis.validators, *(v for rotation in bundle.rotations for v in rotation.validators)):
            self.claims.append(Claimed(part.address, *parse_name(part.name), sha256(part.name.encode("utf-8"))))
        self.certificates |= {sha256(der): der for der in bundle.certificates}

    def take_directory(self, members: Iterable["Member"]) -> None:
        """Of the consortium's public directory."""
        for member in members:
            if member.address is not None:
                hashed = name_hash(member.legal_id, member.legal_name)
                self.claims.append(Claimed(member.address, member.legal_id, member.legal_name, hashed))
            self.certificates[sha256(member.certificate)] = member.certificate

    def take_published(self, texts: Iterable[tuple[bytes, bytes]]) -> None:
        """Of attestation keys, as somebody showed them to the contract, which hashed them; no name opens nothing."""
        for address, text in texts:
            with suppress(Malformed, UnicodeDecodeError):
                self.claims.append(Claimed(address, *parse_name(text.decode("utf-8")), sha256(text)))

    def names(self, sets: Sequence[ValidatorSet]) -> dict[Digest, Claimed]:
        """The names by hash, once none of them is said of a key that has another one in every set.

        Raises:
            FieldMismatch: a name that does not hash to what the sets say of its key.
        """
        said: dict[bytes, list[Digest]] = {}
        for entry in (entry for validators in sets for entry in validators.entries):
            said.setdefault(entry.address, []).append(entry.name_hash)
        for claim in self.claims:
            hashes = said.get(claim.address, [claim.name_hash])
            if claim.name_hash not in hashes:
                expected, where = hashes[0].hex(), f"name of 0x{claim.address.hex()}"
                raise FieldMismatch(field=where, expected=expected, got=claim.name_hash.hex())
        return {claim.name_hash: claim for claim in self.claims}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """One key of one set, and who is behind it as far as anybody showed."""

    address: Address
    name_hash: Digest
    certificate_hash: Digest
    name: str = ""
    legal_id: str = ""
    basis: str = NOT_OPENED
    issuer: str = ""
    valid_from: UnixSeconds | None = None
    valid_until: UnixSeconds | None = None
    identity_key: Digest | None = None
    history: tuple[tuple[SetId, Address], ...] = ()  # the keys that this name had, set by set

    def marks(self, *, certified: bool) -> Collection[str]:
        """Of its owner; none where the name is not opened, or not certified where that is asked for."""
        mark = legal_mark(self.legal_id)
        if not mark or (certified and self.basis != CERTIFIED):
            return ()
        shared = [f"certificate {self.certificate_hash.hex()}"]
        shared += [] if self.identity_key is None else [f"key {self.identity_key.hex()}"]
        return {mark, *shared}


def keeper_of(
    entry: ValidatorEntry,
    names: Mapping[Digest, Claimed],
    certificates: Mapping[Digest, bytes],
    roots: Sequence["Certificate"],
    now: UnixSeconds,
) -> Keeper:
    """An entry of a set, its name and certificate opened if they are at hand."""
    base = {"address": entry.address, "name_hash": entry.name_hash, "certificate_hash": entry.certificate_hash}
    claim, der = names.get(entry.name_hash), certificates.get(entry.certificate_hash)
    shown: dict[str, object] = {}
    certificate = None
    if der is not None:
        certificate, read = show(der, roots), read_certificate(der)
        shown = {
            "issuer": read.issuer.rfc4514_string(),
            "valid_from": certificate.begins,
            "valid_until": certificate.ends,
            "identity_key": sha256(certificate.spki),
        }
    if claim is None:
        return Keeper(**base, **shown)  # type: ignore[arg-type]  # members of the class, by name
    basis = _basis(certificate, claim, roots, now)
    return Keeper(**base, **shown, name=claim.name, legal_id=claim.legal_id, basis=basis)  # type: ignore[arg-type]


def _basis(
    certificate: ShownCertificate | None, claim: Claimed, roots: Sequence["Certificate"], now: UnixSeconds
) -> str:
    if certificate is None or not roots:
        return SELF_STATED
    if certificate.subject is None:
        return f"{SELF_STATED}; its certificate is of an issuer you did not name"
    if not certificate.begins <= now <= certificate.ends:
        return f"{SELF_STATED}; its certificate is not valid now"
    if not certificate.subject.is_identity or not certificate.subject.holds(claim.name, claim.legal_id):
        return f"{SELF_STATED}; its certificate names somebody else, or is not for an identity key"
    return CERTIFIED
