"""Signers over keys wherever they are. What a key hands back is made canonical and checked before anybody uses it.

A signature counts if it is by the address that the settings, or the members' directory, name: s is made low, the
recovery id is found by recovering and comparing, and any other answer is `SignerLied`. Two classes for two ports, so
that a gas key can never be passed where an attestation key is meant.
Source: RELAYER §5.1, §5.3.
"""

import ssl
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, assert_never

from hybrid_bridge.adapters.evm.keystore import open_keystore, require_private
from hybrid_bridge.adapters.hsm.aws_kms import AwsKey, AwsPlace
from hybrid_bridge.adapters.hsm.gcp_kms import GcpKey, GcpPlace
from hybrid_bridge.adapters.hsm.lane import Lane
from hybrid_bridge.adapters.hsm.pkcs11_key import Pkcs11Key
from hybrid_bridge.adapters.web.key_vault import DEADLINE as VAULT_DEADLINE
from hybrid_bridge.adapters.web.key_vault import VaultKey, VaultPlace
from hybrid_bridge.adapters.web.web3signer import NO_SUCH_KEY, Web3Signer
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.public_transaction import PublicTransaction, encode_signed
from hybrid_bridge.core.signing import address_of, candidates, public_key_of, sign_digest
from hybrid_bridge.custody.passphrases import reader
from hybrid_bridge.custody.places import Keystore, Place, RemoteSigner, Token, require_attesting
from hybrid_bridge.errors import EndpointRefused, KeyUnusable, Malformed, SignerLied
from hybrid_bridge.ports import AttestationSigner, SigningPermit, TransactionSigner, UnsignedTransaction
from hybrid_bridge.units import Address, Digest, EcdsaSignature, RawTransaction

# No transaction begins like this (EIP-2718, RLP), nor does any statement of ours (0x19 0x01, EIP-712).
QUESTION: Final = b"\x19hybrid-bridge asks whether this key signs"


@dataclass(frozen=True, slots=True)
class Held:
    """A key that can be asked. `sign` gives what the store answers for a message, or for its keccak-256."""

    name: str  # in the settings
    address: Address
    sign: Callable[[bytes, Digest], bytes]
    notes: tuple[str, ...] = ()  # for the operator

    def signature(self, message: bytes) -> EcdsaSignature:
        """The strict signature by `address` over keccak-256 of `message`.

        Raises:
            SignerLied: the answer is no such signature.
            Undecided, KeyUnusable: of the store.
        """
        return self.over(message, keccak256(message))

    def over(self, message: bytes, digest: Digest) -> EcdsaSignature:
        """As `signature`, for a caller that knows the digest, and perhaps only that."""
        found = _candidates(self.sign(message, digest), digest).get(self.address)
        if found is None:
            raise SignerLied(field="signer")
        return found


class GasKey:
    """A key that pays for public transactions. It judges nothing: the caller's policy does (RELAYER §5.2)."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def __repr__(self) -> str:
        return f"GasKey({self._held.address.hex()})"

    def address(self) -> Address:
        """Of the key."""
        return self._held.address

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        """The signed envelope; an HSM makes another one each time."""
        fields = PublicTransaction(**asdict(transaction))
        return encode_signed(fields, self._held.signature(fields.message()))


class AttestationKey:
    """A validator's key. Signs what the guard permitted, nothing else."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def __repr__(self) -> str:
        return f"AttestationKey({self._held.address.hex()})"

    def address(self) -> Address:
        """Of the key."""
        return self._held.address

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        """65 bytes r ‖ s ‖ v, low s."""
        return self._held.over(b"", permit.digest)


def open_gas_key(place: Place, name: str, address: Address) -> GasKey:
    """A gas key that has just shown that it signs.

    Raises:
        KeyUnusable: see `held`.
        Unreachable: see `held`.
    """
    return GasKey(held(place, name, address))


def open_attestation_key(place: Place, name: str, address: Address) -> AttestationKey:
    """An attestation key that has just shown that it signs.

    Raises:
        SettingsMalformed: behind a web3signer.
        KeyUnusable: see `held`.
        Unreachable: see `held`.
    """
    return AttestationKey(held(require_attesting(place, name), name, address))


def address_at(place: Place, name: str) -> Address:
    """The address of the key at `place`, for whoever has to write it into settings.

    A token or a cloud is asked twice: each signature fits two keys at most, and only one of them fits both.

    Raises:
        KeyUnusable: not there, or not to be opened.
        Unreachable: its store does not answer.
    """
    match place:
        case Keystore():
            return address_of(public_key_of(open_keystore(place.path, reader(place.passphrase, name))))
        case RemoteSigner():
            return address_of(b"\x04" + place.public_key)
        case Token():
            key = Pkcs11Key(place.key, reader(place.pin, name), name)
            key.open()
            return _address_of(key.sign, name)
        case AwsPlace() | GcpPlace() | VaultPlace():
            return _address_of(_cloud(place, name), name)
        case _:
            assert_never(place)


def _address_of(sign: Callable[[Digest], bytes], name: str) -> Address:
    digests = [keccak256(QUESTION), keccak256(QUESTION + b" twice")]
    first, second = (set(_candidates(sign(digest), digest)) for digest in digests)
    if len(first & second) != 1:
        raise KeyUnusable(key=name, rule="a key that signs what it is asked to")
    return (first & second).pop()


def _candidates(answer: bytes, digest: Digest) -> dict[Address, EcdsaSignature]:
    try:
        return candidates(answer, digest)
    except Malformed:
        raise SignerLied(field="signature") from None


def held(place: Place, name: str, address: Address) -> Held:
    """The key at `place`, asked once whether it signs.

    Args:
        place: where it is.
        name: of the setting, for errors.
        address: the one it must have.

    Raises:
        KeyUnusable: not there, not to be opened, or another address's.
        Unreachable: its store does not answer.
    """
    match place:
        case Keystore():
            found = _from_keystore(place, name, address)
        case Token():
            found = _from_token(place, name, address)
        case RemoteSigner():
            found = _from_server(place, name, address)
        case AwsPlace() | GcpPlace() | VaultPlace():
            sign = _cloud(place, name)
            found = Held(name, address, lambda _, digest: sign(digest))
        case _:
            assert_never(place)
    try:
        found.signature(QUESTION)
    except SignerLied:
        raise KeyUnusable(key=name, rule=f"the key of address 0x{address.hex()}") from None
    except EndpointRefused as error:
        if error.code == NO_SUCH_KEY:
            raise KeyUnusable(key=name, rule="a key that the signer holds") from None
        raise
    return found


def _from_keystore(place: Keystore, name: str, address: Address) -> Held:
    private = open_keystore(place.path, reader(place.passphrase, name))
    if address_of(public_key_of(private)) != address:
        raise KeyUnusable(key=name, rule=f"the key of address 0x{address.hex()}")
    return Held(name, address, lambda _, digest: sign_digest(private, digest)[:64])


def _from_token(place: Token, name: str, address: Address) -> Held:
    key = Pkcs11Key(place.key, reader(place.pin, name), name)
    traits = key.open()
    notes = ["the token lets the key out: make it not extractable"] * traits.is_extractable
    notes += ["the token shows the key in clear: make it sensitive"] * (not traits.is_sensitive)
    return Held(name, address, lambda _, digest: key.sign(digest), tuple(notes))


def _cloud(place: AwsPlace | GcpPlace | VaultPlace, name: str) -> Callable[[Digest], bytes]:
    match place:
        case AwsPlace():
            return AwsKey(place, name).sign
        case GcpPlace():
            return GcpKey(place, name).sign
        case VaultPlace():
            key, lane = VaultKey(place, name), Lane(name, VAULT_DEADLINE)
            return lambda digest: lane.run("sign", lambda: key.sign(digest))
        case _:
            assert_never(place)


def _from_server(place: RemoteSigner, name: str, address: Address) -> Held:
    if address_of(b"\x04" + place.public_key) != address:
        raise KeyUnusable(key=name, rule=f"the public key of address 0x{address.hex()}")
    server = Web3Signer(name, place.url, place.public_key, _context(place, name))
    return Held(name, address, lambda message, _: server.sign(message))


def _context(place: RemoteSigner, name: str) -> ssl.SSLContext:
    """Whom we believe, and who we are, under TLS."""
    try:
        context = ssl.create_default_context(cafile=place.ca)
    except (OSError, ssl.SSLError):
        raise KeyUnusable(key=f"{name} ca", rule="certificates in PEM") from None
    if place.certificate is not None:
        certificate, key = place.certificate
        require_private(key)
        try:
            context.load_cert_chain(certificate, key, password=_no_passphrase)
        except (OSError, ssl.SSLError, ValueError):
            raise KeyUnusable(key=f"{name} certificate", rule="a certificate and its key, in PEM") from None
    return context


def _no_passphrase() -> str:
    """Without it OpenSSL would ask on the terminal."""
    return ""


if TYPE_CHECKING:
    _gas: type[TransactionSigner] = GasKey
    _attestation: type[AttestationSigner] = AttestationKey
