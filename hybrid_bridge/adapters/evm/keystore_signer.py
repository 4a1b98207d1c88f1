"""Signers whose key lies in a keystore file. Deterministic: the same request gives the same bytes (RFC 6979).

Two classes for two ports, so that a gas key can never be passed where an attestation key is meant.
"""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hybrid_bridge.adapters.evm.keystore import open_keystore
from hybrid_bridge.core.public_transaction import PublicTransaction, encode_signed
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.ports import AttestationSigner, SigningPermit, TransactionSigner, UnsignedTransaction
from hybrid_bridge.units import Address, EcdsaSignature, RawTransaction


class KeystoreTransactionSigner:
    """A gas key. It judges nothing: the caller's policy does (RELAYER §5.2)."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        self._address = address_of(public_key_of(private_key))

    @classmethod
    def open(cls, path: Path, password: Callable[[], str]) -> Self:
        """From a key file.

        Raises:
            KeyUnusable: see `open_keystore`.
        """
        return cls(open_keystore(path, password))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address.hex()})"

    def address(self) -> Address:
        return self._address

    def sign(self, transaction: UnsignedTransaction) -> RawTransaction:
        fields = PublicTransaction(**asdict(transaction))
        return encode_signed(fields, sign_digest(self._private_key, fields.digest()))


class KeystoreAttestationSigner:
    """An attestation key. Only with a permit that the guard has just committed."""

    def __init__(self, private_key: bytes) -> None:
        self._private_key = private_key
        self._address = address_of(public_key_of(private_key))

    @classmethod
    def open(cls, path: Path, password: Callable[[], str]) -> Self:
        """From a key file.

        Raises:
            KeyUnusable: see `open_keystore`.
        """
        return cls(open_keystore(path, password))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._address.hex()})"

    def address(self) -> Address:
        return self._address

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        return sign_digest(self._private_key, permit.digest)


if TYPE_CHECKING:
    _gas: type[TransactionSigner] = KeystoreTransactionSigner
    _attestation: type[AttestationSigner] = KeystoreAttestationSigner
