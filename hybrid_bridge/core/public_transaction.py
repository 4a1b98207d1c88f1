"""A public chain's transaction of type 2: what a gas key signs, and who signed given bytes. Strict both ways.

Source: EIP-1559; EIP-2718; EIP-2930 (the access list, which must be empty here).
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.rlp import Rlp, bytes_of, decode_rlp, encode_rlp, list_of, uint_bytes, uint_of
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import (
    MAX_U64,
    Address,
    ChainId,
    Digest,
    EcdsaSignature,
    Gas,
    Nonce,
    RawTransaction,
    TxHash,
    Wei,
)

TYPE: Final = b"\x02"
MAX_RAW: Final = 1 << 17  # bytes; pools refuse more
MAX_WEI: Final = (1 << 256) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicTransaction:
    """The fields that are signed. The access list is always empty."""

    chain_id: ChainId
    nonce: Nonce
    to: Address
    value: Wei
    data: bytes
    gas: Gas
    max_fee: Wei
    tip: Wei

    def message(self) -> bytes:
        """The bytes whose keccak-256 is signed: some key stores hash for themselves."""
        return TYPE + encode_rlp(_fields(self))

    def digest(self) -> Digest:
        """The 32 bytes that are signed."""
        return keccak256(self.message())


@dataclass(frozen=True, slots=True)
class SignedPublicTransaction:
    """A transaction with its sender and the hash by which chains know it."""

    transaction: PublicTransaction
    sender: Address
    hash: TxHash


def encode_signed(transaction: PublicTransaction, signature: EcdsaSignature) -> RawTransaction:
    """The envelope with this signature. Whether it is the sender's is not checked.

    Raises:
        FieldMalformed: the signature is not strict.
    """
    strict = require_signature(signature)
    r, s = int.from_bytes(strict[:32], "big"), int.from_bytes(strict[32:64], "big")
    parts = [uint_bytes(strict[64] - 27), uint_bytes(r), uint_bytes(s)]
    return RawTransaction(TYPE + encode_rlp([*_fields(transaction), *parts]))


def decode_signed(raw: RawTransaction) -> SignedPublicTransaction:
    """The inverse of `encode_signed`, with sender and hash.

    Raises:
        FieldMalformed, TooLong, Truncated, TrailingBytes, NotCanonical: not such an envelope.
        SignatureWrong: nobody can have signed it.
    """
    if raw[:1] != TYPE:
        raise FieldMalformed(field="transaction", rule="type 2")
    items = list_of(decode_rlp(raw[1:], "transaction", MAX_RAW), 12, 12, "transaction")
    transaction = _transaction(items)
    sender = recover_address(transaction.digest(), _signature(items[9:]))
    return SignedPublicTransaction(transaction, sender, TxHash(keccak256(raw)))


def _fields(transaction: PublicTransaction) -> list[Rlp]:
    numbers = (transaction.chain_id, transaction.nonce, transaction.tip, transaction.max_fee, transaction.gas)
    access_list: list[Rlp] = []
    return [
        *map(uint_bytes, numbers),
        bytes(transaction.to),
        uint_bytes(transaction.value),
        bytes(transaction.data),
        access_list,
    ]


def _transaction(items: list[Rlp]) -> PublicTransaction:
    data = items[7]
    if not isinstance(data, bytes):
        raise FieldMalformed(field="data", rule="a byte string")
    list_of(items[8], 0, 0, "access_list")
    return PublicTransaction(
        chain_id=ChainId(uint_of(items[0], "chain_id")),
        nonce=Nonce(uint_of(items[1], "nonce", MAX_U64)),
        tip=Wei(uint_of(items[2], "tip", MAX_WEI)),
        max_fee=Wei(uint_of(items[3], "max_fee", MAX_WEI)),
        gas=Gas(uint_of(items[4], "gas")),
        to=Address(bytes_of(items[5], 20, "to")),
        value=Wei(uint_of(items[6], "value", MAX_WEI)),
        data=data,
    )


def _signature(items: list[Rlp]) -> EcdsaSignature:
    parity, r, s = (uint_of(item, "signature", limit) for item, limit in zip(items, (1, MAX_WEI, MAX_WEI), strict=True))
    packed = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])
    return require_signature(packed)
