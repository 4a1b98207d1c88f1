"""Who may attest: validator sets, the quorum rule, and the word of an identity key for an attestation key.

Size decides which set is responsible, never a clock (SPEC §8.1). A set is its digest: everything that names one names
`ValidatorSet.digest`.
Source: SPEC §8.1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from hybrid_bridge.core.encoding import (
    Json,
    Reader,
    Writer,
    canonical_json,
    context,
    pack_words,
    parse_canonical_json,
    sha256,
    type_hash,
    unpack_words,
)
from hybrid_bridge.core.keys import PublicKey, read_signature, write_signature
from hybrid_bridge.core.proof import as_digest, as_integer, as_octets
from hybrid_bridge.errors import EntriesMalformed, FieldMalformed, FieldMismatch, RecordMalformed, SignerUnknown
from hybrid_bridge.units import MAX_U64, Address, Digest, SetId

MAX_VALIDATORS: Final = 64  # the signers of an anchor are the bits of one u64
VALIDATOR_SET_TYPE: Final = "HybridBridge.ValidatorSet.v1(uint64 setId,uint64 n)"
ENTRY_KINDS: Final = "abbb"
ENTRY_WIDTH: Final = 32 * len(ENTRY_KINDS)
KEY_BINDING_WIDTH: Final = 117
MAX_NAME: Final = 4096  # bytes of the text behind a name hash


def quorum(n: int) -> int:
    """q(n) = ⌊2n/3⌋ + 1: the least k with 3k > 2n, integers only (SPEC §8.1).

    Raises:
        FieldMalformed: not 1 <= n <= 64.
    """
    if not 1 <= as_integer(n, "validators") <= MAX_VALIDATORS:
        raise FieldMalformed(field="validators", rule=f"1 to {MAX_VALIDATORS}")
    return 2 * n // 3 + 1


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def name_text(member_id: str, name: str) -> str:
    """The text behind a name hash: JCS of `id` (LEI:…, USCI:…) and `name`.

    Raises:
        FieldMalformed: no text, or a lone surrogate in it.
    """
    document: dict[str, Json] = {"id": member_id, "name": name}
    if not all(isinstance(value, str) for value in document.values()):
        raise FieldMalformed(field="name", rule="two texts")
    return canonical_json(document).decode()


def parse_name(text: str) -> tuple[str, str]:
    """The inverse of `name_text`: id and name.

    Raises:
        TooLong, NotCanonical, FieldMalformed: not the text of any name.
    """
    if not isinstance(text, str):
        raise FieldMalformed(field="name", rule="text")
    document = parse_canonical_json(text.encode("utf-8", "surrogatepass"), "name", MAX_NAME)
    if isinstance(document, dict) and list(document) == ["id", "name"]:
        member_id, name = document.values()
        if isinstance(member_id, str) and isinstance(name, str):
            return member_id, name
    raise FieldMalformed(field="name", rule="an object with the texts id and name")


def name_hash(member_id: str, name: str) -> Digest:
    """H of `name_text`."""
    return sha256(name_text(member_id, name).encode())


# ── the set ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class ValidatorEntry:
    """One member of a set: four words, 128 bytes."""

    address: Address  # of the attestation key
    name_hash: Digest
    certificate_hash: Digest  # H(certificate DER)
    key_binding_hash: Digest  # `KeyBinding.digest`

    def encode(self) -> bytes:
        """128 bytes.

        Raises:
            WordMalformed: a field has not its width.
        """
        return pack_words(ENTRY_KINDS, (self.address, self.name_hash, self.certificate_hash, self.key_binding_hash))


@dataclass(frozen=True)
class ValidatorSet:
    """A set in address order: strictly ascending, no zero address, 1 to 64 members."""

    set_id: SetId
    entries: tuple[ValidatorEntry, ...]

    def __post_init__(self) -> None:
        """Refuse what is no set.

        Raises:
            FieldMalformed: set_id not 1 … 2^53-1, or not 1 to 64 entries.
            EntriesMalformed: an address is zero, has not 20 bytes, or does not ascend.
        """
        if not 1 <= as_integer(self.set_id, "set_id") <= MAX_U64:
            raise FieldMalformed(field="set_id", rule="1 to 2^53-1")
        quorum(len(self.entries))
        before = bytes(20)
        for index, entry in enumerate(self.entries):
            if len(as_octets(entry.address, "address")) != 20 or entry.address <= before:
                raise EntriesMalformed(index=index)
            before = entry.address

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Ascending."""
        return tuple(entry.address for entry in self.entries)

    @property
    def quorum(self) -> int:
        """How many of the members must sign."""
        return quorum(len(self.entries))

    @cached_property
    def digest(self) -> Digest:
        """The setHash: H(typeHash ‖ setId ‖ n ‖ entries)."""
        head = pack_words("buu", (type_hash(VALIDATOR_SET_TYPE), self.set_id, len(self.entries)))
        return sha256(head + self.encode_entries())

    def index_of(self, address: Address) -> int:
        """The place of `address`: its bit in `signers`.

        Raises:
            SignerUnknown: not in the set.
        """
        for index, entry in enumerate(self.entries):
            if entry.address == address:
                return index
        raise SignerUnknown(address=address)

    def encode_entries(self) -> bytes:
        """128 bytes a member, in order."""
        return b"".join(entry.encode() for entry in self.entries)

    @classmethod
    def decode_entries(cls, set_id: SetId, data: bytes) -> Self:
        """The inverse of `encode_entries`.

        Raises:
            RecordMalformed: not a multiple of 128 bytes.
            WordMalformed: an address word is not padded with zeros; `index` counts words.
            FieldMalformed, EntriesMalformed: no set (see there).
        """
        size = len(as_octets(data, "entries"))
        if size % ENTRY_WIDTH or size > MAX_VALIDATORS * ENTRY_WIDTH:
            raise RecordMalformed(expected=ENTRY_WIDTH * min(size // ENTRY_WIDTH, MAX_VALIDATORS), got=size)
        words = unpack_words(ENTRY_KINDS * (size // ENTRY_WIDTH), data)
        return cls(set_id, tuple(_entries(words)))


def _entries(words: Iterator[object]) -> Iterator[ValidatorEntry]:
    for address in words:
        fields = [as_digest(next(words), "entry") for _ in range(3)]
        yield ValidatorEntry(Address(as_octets(address, "address")), *fields)


# ── the identity key's word for the attestation key ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class KeyBinding:
    """This attestation key speaks for the holder of this certificate, in logs of this origin."""

    origin_hash: Digest
    certificate_hash: Digest
    address: Address
    mldsa_key_hash: Digest  # zero: none

    def encode(self) -> bytes:
        """117 bytes: version 1, then the fields.

        Raises:
            FieldMalformed: a field has not its width.
        """
        writer = Writer().u8(1, "version").b32(self.origin_hash, "origin_hash")
        writer.b32(self.certificate_hash, "certificate_hash").fixed(self.address, 20, "address")
        return writer.b32(self.mldsa_key_hash, "mldsa_key_hash").bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            Truncated, TrailingBytes, FieldMalformed: not 117 bytes of version 1.
        """
        reader = Reader(as_octets(data, "key_binding"))
        if reader.u8("version") != 1:
            raise FieldMalformed(field="key_binding.version", rule="1")
        hashes = reader.b32("origin_hash"), reader.b32("certificate_hash")
        binding = cls(*hashes, Address(reader.fixed(20, "address")), reader.b32("mldsa_key_hash"))
        reader.end("key_binding")
        return binding

    def message(self) -> bytes:
        """What the identity key signs."""
        return context("key-binding") + self.encode()

    @property
    def digest(self) -> Digest:
        """The keyBindingHash."""
        return sha256(self.message())


@dataclass(frozen=True, slots=True)
class SignedKeyBinding:
    """A key binding with the identity key's signature, 183 bytes."""

    binding: KeyBinding
    scheme: int
    signature: bytes  # 64 bytes

    def encode(self) -> bytes:
        """183 bytes.

        Raises:
            FieldMalformed: a field has not its width.
        """
        return write_signature(Writer(self.binding.encode()), self.scheme, self.signature).bytes()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            Truncated, TrailingBytes, FieldMalformed: not 183 bytes of version 1 with a scheme we know.
        """
        struct = as_octets(data, "key_binding")
        binding, reader = KeyBinding.decode(struct[:KEY_BINDING_WIDTH]), Reader(struct[KEY_BINDING_WIDTH:])
        signed = cls(binding, *read_signature(reader))
        reader.end("key_binding")
        return signed

    def verify(self, identity_key: PublicKey) -> None:
        """Return if `identity_key` signed this binding. THE CALLER CHECKS that the certificate holds that key.

        Raises:
            FieldMismatch: the key has another scheme.
            FieldMalformed, SignatureWrong: not its signature.
        """
        if self.scheme != identity_key.scheme:
            raise FieldMismatch(field="scheme", expected=f"{identity_key.scheme:#06x}", got=f"{self.scheme:#06x}")
        identity_key.verify(self.binding.message(), self.signature)
