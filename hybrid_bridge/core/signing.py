"""secp256k1 as Ethereum uses it: addresses, strict signatures, recovery, and what key stores hand back.

A signature is 65 bytes r ‖ s ‖ v with v in {27, 28}, r and s not zero and s in the lower half of the order: one
signature, one encoding (SPEC §8.2). On the public chain and in calldata it is 64 bytes r ‖ vs, with v − 27 in the top
bit of s (EIP-2098).
Source: SPEC §8.2; RELAYER §5.1; EIP-2098; RFC 6979.
"""

from contextlib import suppress
from typing import Final

from coincurve import PrivateKey, PublicKey

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import as_digest, as_octets
from hybrid_bridge.errors import FieldMalformed, NotCanonical, SignatureWrong
from hybrid_bridge.units import Address, Digest, EcdsaSignature

ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # SEC 2 §2.4.1
HALF_ORDER: Final = ORDER // 2


# ── keys and addresses ───────────────────────────────────────────────────────────────────────────────────────────────


def address_of(public_key: bytes) -> Address:
    """The last 20 bytes of keccak-256 over the point.

    Args:
        public_key: 65 bytes, uncompressed: 0x04 ‖ x ‖ y.

    Raises:
        FieldMalformed: another length or first byte. Whether the point is on the curve is not checked.
    """
    if len(as_octets(public_key, "public_key")) != 65 or public_key[0] != 4:
        raise FieldMalformed(field="public_key", rule="65 bytes, uncompressed")
    return Address(keccak256(public_key[1:])[12:])


def address_of_compressed(public_key: bytes) -> Address:
    """As `address_of`, of a point on the curve.

    Args:
        public_key: 33 bytes, compressed: 0x02 or 0x03 ‖ x.

    Raises:
        FieldMalformed: another length, or no point of the curve.
    """
    try:
        point = PublicKey(bytes(as_octets(public_key, "public_key")))
    except ValueError:
        raise FieldMalformed(field="public_key", rule="a point of secp256k1") from None
    if len(public_key) != 33:
        raise FieldMalformed(field="public_key", rule="33 bytes, compressed")
    return address_of(point.format(compressed=False))


def public_key_of(private_key: bytes) -> bytes:
    """The 65 bytes 0x04 ‖ x ‖ y of a private key.

    Raises:
        FieldMalformed: not 32 bytes, zero, or not below the order.
    """
    return _private(private_key).public_key.format(compressed=False)


def sign_digest(private_key: bytes, digest: Digest) -> EcdsaSignature:
    """Sign 32 bytes: deterministic (RFC 6979), low s. Never call this with an attestation key before its guard agreed.

    Raises:
        FieldMalformed: not a private key.
        DigestLength: `digest` has not 32 bytes.
    """
    raw = _private(private_key).sign_recoverable(as_digest(digest, "digest"), hasher=None)
    return require_signature(raw[:64] + bytes([27 + raw[64]]))


def _private(private_key: bytes) -> PrivateKey:
    if len(as_octets(private_key, "private_key")) != 32 or not 0 < int.from_bytes(private_key, "big") < ORDER:
        raise FieldMalformed(field="private_key", rule="32 bytes, from 1 to the order less 1")
    return PrivateKey(bytes(private_key))


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def require_signature(signature: bytes) -> EcdsaSignature:
    """`signature` if it is the one strict encoding of its value (SPEC §8.2).

    Raises:
        FieldMalformed: not 65 bytes; v not 27 or 28; r or s zero or not below the order; s in the upper half.
    """
    if len(as_octets(signature, "signature")) != 65:
        raise FieldMalformed(field="signature", rule="65 bytes r, s, v")
    _require_scalars(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"))
    if signature[64] not in (27, 28):
        raise FieldMalformed(field="signature", rule="v is 27 or 28")
    return EcdsaSignature(bytes(signature))


def recover_address(digest: Digest, signature: EcdsaSignature) -> Address:
    """The address whose key made this signature over `digest`; never the zero address.

    Raises:
        FieldMalformed: the signature is not strict.
        DigestLength: `digest` has not 32 bytes.
        SignatureWrong: no key at all can have made it.
    """
    strict = require_signature(signature)
    recoverable = strict[:64] + bytes([strict[64] - 27])
    try:
        key = PublicKey.from_signature_and_message(recoverable, as_digest(digest, "digest"), hasher=None)
    except ValueError:
        raise SignatureWrong(signer="nobody") from None
    return address_of(key.format(compressed=False))


def to_compact(signature: EcdsaSignature) -> bytes:
    """64 bytes r ‖ vs (EIP-2098); the inverse of `from_compact`.

    Raises:
        FieldMalformed: the signature is not strict.
    """
    strict = require_signature(signature)
    return strict[:32] + bytes([strict[32] | (strict[64] - 27) << 7]) + strict[33:64]


def from_compact(compact: bytes) -> EcdsaSignature:
    """65 bytes r ‖ s ‖ v from 64 bytes r ‖ vs (EIP-2098).

    Raises:
        FieldMalformed: not 64 bytes, or the signature is not strict.
    """
    if len(as_octets(compact, "signature")) != 64:
        raise FieldMalformed(field="signature", rule="64 bytes r, vs")
    v = 27 + (compact[32] >> 7)
    return require_signature(compact[:32] + bytes([compact[32] & 0x7F]) + compact[33:] + bytes([v]))


def _require_scalars(r: int, s: int) -> None:
    if not 0 < r < ORDER:
        raise FieldMalformed(field="signature", rule="r is from 1 to the order less 1")
    if not 0 < s <= HALF_ORDER:
        raise FieldMalformed(field="signature", rule="s is from 1 to half of the order")


# ── what key stores hand back (RELAYER §5.1) ─────────────────────────────────────────────────────────────────────────


def normalise(signature: bytes, digest: Digest, address: Address) -> EcdsaSignature:
    """The strict signature by `address` that a key store meant, or an error: a store may answer anything.

    Args:
        signature: 64 raw bytes r ‖ s, or DER of any other length. (DER of just 64 bytes needs both numbers three
            bytes short, once in 2^48 signatures; it is read as raw and refused, and the store is asked again.)
        digest: the 32 bytes that were to be signed.
        address: the configured signer.

    Raises:
        NotCanonical: neither raw nor strict DER.
        FieldMalformed: r or s out of range.
        SignatureWrong: not by `address` over `digest`.
    """
    found = candidates(signature, digest).get(Address(as_octets(address, "address")))
    if found is None:
        raise SignatureWrong(signer=f"0x{address.hex()}")
    return found


def candidates(signature: bytes, digest: Digest) -> dict[Address, EcdsaSignature]:
    """The addresses, at most two, whose key can have made this signature, each with its strict form.

    Args:
        signature: as for `normalise`.
        digest: the 32 bytes that were to be signed.

    Raises:
        NotCanonical: neither raw nor strict DER.
        FieldMalformed: r or s out of range.
    """
    raw = as_octets(signature, "signature")
    r, s = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")) if len(raw) == 64 else _parse_der(raw)
    low = ORDER - s if HALF_ORDER < s < ORDER else s
    _require_scalars(r, low)
    found: dict[Address, EcdsaSignature] = {}
    for v in (27, 28):
        candidate = EcdsaSignature(r.to_bytes(32, "big") + low.to_bytes(32, "big") + bytes([v]))
        with suppress(SignatureWrong):  # r is no point's, or the key would be the point at infinity
            found[recover_address(digest, candidate)] = candidate
    return found


def _parse_der(data: bytes) -> tuple[int, int]:
    """One SEQUENCE of two minimal positive INTEGERs, nothing before, between or after (X.690 §8.3, §10.1)."""
    if len(data) < 2 or data[0] != 0x30 or data[1] != len(data) - 2 or len(data) > 72:
        raise NotCanonical(field="signature")
    r, after = _der_integer(data, 2)
    s, end = _der_integer(data, after)
    if end != len(data):
        raise NotCanonical(field="signature")
    return r, s


def _der_integer(data: bytes, at: int) -> tuple[int, int]:
    """The INTEGER at `at`, and where it ends."""
    head, body = data[at : at + 2], b""
    if len(head) == 2 and head[0] == 0x02:
        body = data[at + 2 : at + 2 + head[1]]
    if not body or len(body) != head[1] or body[0] & 0x80 or (body[0] == 0 and body[1:2] < b"\x80"):
        raise NotCanonical(field="signature")
    return int.from_bytes(body, "big"), at + 2 + len(body)
