"""A receipt of the log as COSE tools read it: inclusion of an epoch record, or consistency of two checkpoints.

The receipt key of the genesis record signs the root and nothing else; the proof in the unprotected header leads to it.
One signature over a checkpoint's root therefore serves every receipt under that checkpoint.
Source: SPEC §14; RFC 9942 (COSE Receipts) §4, §5; RFC 9052 §4.4; RFC 8949 §4.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cbor2

from hybrid_bridge.core.cbor import Cbor, decode
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keys import SIGNATURE_BYTES, PrivateKey
from hybrid_bridge.core.note import ed25519_key
from hybrid_bridge.core.proof import (
    MAX_CONSISTENCY_PATH,
    as_digest,
    as_integer,
    as_octets,
    consistency_length,
    consistency_roots,
    inclusion_length,
    inclusion_root,
    leaf_hash,
)
from hybrid_bridge.errors import (
    FieldMalformed,
    FieldMismatch,
    Missing,
    PathLength,
    RootMismatch,
    SizeOrder,
    TooLong,
)
from hybrid_bridge.units import Digest, LeafIndex, TreeSize

SUFFIX: Final = ".cose"
MAX_RECEIPT: Final = 4096  # bytes: 54 hashes, headers, a signature
MAX_ORIGIN: Final = 200

SIGN1: Final = 18  # COSE_Sign1
ALG, KID, CWT, VDS, VDP = 1, 4, 15, 395, 396  # header parameters (RFC 9052, RFC 9597, RFC 9942)
EDDSA: Final = -8
ISSUER: Final = 1  # CWT claim iss
RFC9162_SHA256: Final = 1
INCLUSION, CONSISTENCY = -1, -2


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A leaf stands at `index` of the tree of `size` leaves; the signed root follows from leaf and path."""

    size: TreeSize
    index: LeafIndex
    path: tuple[Digest, ...]

    def __post_init__(self) -> None:
        """Refuse what is no proof.

        Raises:
            Malformed: numbers out of range, a path of another length than they fix, or an empty one (RFC 9942 §5.2).
        """
        _require_path(self.path, inclusion_length(self.index, self.size))
        if self.size < 2:
            raise SizeOrder(older=2, newer=self.size)


@dataclass(frozen=True, slots=True)
class Consistency:
    """The tree of `new_size` leaves begins with the tree of `old_size`; the signed root is the newer one."""

    old_size: TreeSize
    new_size: TreeSize
    path: tuple[Digest, ...]

    def __post_init__(self) -> None:
        """Refuse what is no proof.

        Raises:
            Malformed: sizes out of order or equal, a path of another length than they fix.
        """
        _require_path(self.path, consistency_length(self.old_size, self.new_size))
        if self.old_size == self.new_size:
            raise SizeOrder(older=self.old_size, newer=self.new_size)


Proof: TypeAlias = Inclusion | Consistency


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A proof, and the receipt key's signature over the root it leads to. `verify_…` says whether it does."""

    origin: str
    key_hash: Digest  # H(receipt key)
    proof: Proof
    signature: bytes

    def encode(self) -> bytes:
        """The one deterministic CBOR encoding."""
        label, numbers = (
            (INCLUSION, [self.proof.size, self.proof.index])
            if isinstance(self.proof, Inclusion)
            else (CONSISTENCY, [self.proof.old_size, self.proof.new_size])
        )
        inner = _cbor([*numbers, list(self.proof.path)])
        protected = _protected(self.origin, self.key_hash)
        return _cbor(cbor2.CBORTag(SIGN1, [protected, {VDP: {label: [inner]}}, None, self.signature]))


def parse_receipt(data: bytes) -> Receipt:
    """The inverse of `Receipt.encode`: one proof, detached payload, our headers and no others.

    Raises:
        Malformed: too long, not CBOR, not the one encoding of a receipt of ours.
    """
    tagged = _load(as_octets(data, "receipt"), "receipt", SIGN1)
    protected, unprotected, payload, signature = _items(tagged, 4, "receipt")
    headers = _load(as_octets(protected, "receipt.protected"), "receipt.protected")
    if payload is not None:
        raise FieldMalformed(field="receipt.payload", rule="null: the verifier calculates the root")
    signed = as_octets(signature, "receipt.signature")
    if len(signed) != SIGNATURE_BYTES:
        raise FieldMalformed(field="receipt.signature", rule=f"{SIGNATURE_BYTES} bytes")
    (proofs,) = _members(unprotected, (VDP,), "receipt.unprotected")
    return Receipt(  # of each value the reader took its one encoding, and the shape leaves nothing open
        origin=_origin(headers),
        key_hash=as_digest(_members(headers, (ALG, KID, CWT, VDS), "receipt.protected")[1], "receipt.kid"),
        proof=_proof(proofs),
        signature=signed,
    )


def to_be_signed(origin: str, receipt_key: bytes, root: Digest) -> bytes:
    """The Sig_structure over a root (RFC 9052 §4.4), whatever the proof that leads to it."""
    return _cbor(["Signature1", _protected(origin, sha256(receipt_key)), b"", as_digest(root, "root")])


def sign_root(key: PrivateKey, origin: str, root: Digest) -> bytes:
    """The receipt key's 64 bytes over a root.

    THE CALLER SEES TO IT that the root is that of a checkpoint of its own log which a quorum signed.
    """
    return key.sign(to_be_signed(origin, key.public.spki[-32:], root))


def verify_root(genesis: Genesis, origin: str, root: Digest, signature: bytes) -> None:
    """Return if the receipt key of the genesis record signed this root.

    Raises:
        FieldMalformed: the genesis record names no receipt key.
        FieldMalformed, SignatureWrong: it did not.
    """
    if not any(genesis.receipt_key):
        raise FieldMalformed(field="receipt", rule="of a log whose genesis record names a receipt key")
    ed25519_key(genesis.receipt_key).verify(to_be_signed(origin, genesis.receipt_key, root), signature)


def verify_inclusion_receipt(receipt: Receipt, record: bytes, genesis: Genesis) -> Digest:
    """The root under which `record` stands, if the receipt key signed it. First the proof, then the signature.

    Raises:
        Missing: the receipt is of another kind.
        FieldMismatch: another log's.
        SignatureWrong: the record does not stand there, or the receipt key did not sign that root.
    """
    if not isinstance(receipt.proof, Inclusion):
        raise Missing(what="an inclusion receipt; this one is of consistency")
    _require_ours(receipt, genesis)
    proof = receipt.proof
    root = inclusion_root(leaf_hash(record), proof.index, proof.size, proof.path)
    verify_root(genesis, receipt.origin, root, receipt.signature)
    return root


def verify_consistency_receipt(receipt: Receipt, old_root: Digest, genesis: Genesis) -> Digest:
    """The newer root, if the receipt key signed it and it extends the tree with `old_root`.

    Raises:
        Missing: the receipt is of another kind.
        FieldMismatch: another log's.
        RootMismatch: the path leads to another older root.
        SignatureWrong: the receipt key did not sign the newer root.
    """
    if not isinstance(receipt.proof, Consistency):
        raise Missing(what="a consistency receipt; this one is of inclusion")
    _require_ours(receipt, genesis)
    proof = receipt.proof
    older, newer = consistency_roots(proof.old_size, proof.new_size, proof.path, old_root)
    if older != old_root:
        raise RootMismatch(expected=old_root, calculated=older)
    verify_root(genesis, receipt.origin, newer, receipt.signature)
    return newer


def is_of(receipt: Receipt, genesis: Genesis) -> bool:
    """Whether a receipt names this log's origin and receipt key. Says nothing about the signature."""
    names = sha256(receipt.origin.encode("ascii")), receipt.key_hash
    return names == (genesis.origin_hash, sha256(genesis.receipt_key))


def _require_ours(receipt: Receipt, genesis: Genesis) -> None:
    if not is_of(receipt, genesis):
        expected = f"origin {genesis.origin_hash.hex()}, key {sha256(genesis.receipt_key).hex()}"
        got = f"origin {receipt.origin}, key {receipt.key_hash.hex()}"
        raise FieldMismatch(field="receipt", expected=expected, got=got)


# ── CBOR ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _cbor(value: object) -> bytes:
    """Shortest heads, definite lengths, keys in order (RFC 8949 §4.2)."""
    return cbor2.dumps(value, canonical=True)


def _protected(origin: str, key_hash: bytes) -> bytes:
    return _cbor({ALG: EDDSA, KID: key_hash, CWT: {ISSUER: origin}, VDS: RFC9162_SHA256})


def _load(data: bytes, field: str, tag: int | None = None) -> Cbor:
    """One CBOR item; every use below checks its shape."""
    if len(data) > MAX_RECEIPT:
        raise TooLong(field=field, limit=MAX_RECEIPT, got=len(data))
    return decode(data, field, tag)


def _items(value: Cbor, count: int, field: str) -> Sequence[Cbor]:
    if not isinstance(value, list) or len(value) != count:
        raise FieldMalformed(field=field, rule=f"an array of {count}")
    return value


def _members(value: Cbor, keys: tuple[int, ...], field: str) -> list[Cbor]:
    """The values of a map with just these keys."""
    if not isinstance(value, dict) or set(value) != set(keys):
        raise FieldMalformed(field=field, rule=f"a map of {', '.join(map(str, keys))}")
    return [value[key] for key in keys]


def _origin(headers: Cbor) -> str:
    algorithm, _, claims, structure = _members(headers, (ALG, KID, CWT, VDS), "receipt.protected")
    if as_integer(algorithm, "receipt.alg") != EDDSA or as_integer(structure, "receipt.vds") != RFC9162_SHA256:
        raise FieldMalformed(field="receipt.protected", rule="alg -8 (EdDSA), vds 1 (RFC9162_SHA256)")
    (origin,) = _members(claims, (ISSUER,), "receipt.cwt")
    if not isinstance(origin, str) or not origin.isascii() or not 0 < len(origin) <= MAX_ORIGIN:
        raise FieldMalformed(field="receipt.iss", rule=f"ASCII, at most {MAX_ORIGIN} bytes")
    return origin


def _proof(proofs: Cbor) -> Proof:
    label = INCLUSION if isinstance(proofs, dict) and INCLUSION in proofs else CONSISTENCY
    (listed,) = _members(proofs, (label,), "receipt.vdp")
    (inner,) = _items(listed, 1, "receipt.vdp")
    data = as_octets(inner, "receipt.proof")
    first, second, path = _items(_load(data, "receipt.proof"), 3, "receipt.proof")
    if not isinstance(path, list) or len(path) > MAX_CONSISTENCY_PATH:
        raise FieldMalformed(field="receipt.path", rule=f"an array of at most {MAX_CONSISTENCY_PATH} hashes")
    hashes = tuple(as_digest(item, "receipt.path") for item in path)
    one, two = as_integer(first, "receipt.proof"), as_integer(second, "receipt.proof")
    if label == INCLUSION:
        return Inclusion(TreeSize(one), LeafIndex(two), hashes)
    return Consistency(TreeSize(one), TreeSize(two), hashes)


def _require_path(path: Sequence[Digest], expected: int) -> None:
    if len(path) != expected:
        raise PathLength(expected=expected, got=len(path))
