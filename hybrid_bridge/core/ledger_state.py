"""The state of the private ledger: bytes under byte keys, read through one narrow door, written to an overlay.

Execution is a pure function of a reader and a block. Whoever stores the state writes the overlay's `writes()` in the
same commit as the block. Values are canonical JSON or fixed bytes (SPEC §1); the keys below are all there are.
"""

from collections.abc import Sequence
from typing import Final, Protocol, TypeAlias

from hybrid_bridge.core.encoding import Json, Writer, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import MAX_U64, Address, Digest, KeyId, RegistryIndex, SetId

MAX_VALUE: Final = 1 << 20  # a value is one object's state; the widest, a note's backing, stays below 4 KiB

Write: TypeAlias = tuple[bytes, bytes | None]  # None deletes


class StateReader(Protocol):
    """The state as it stood after some block. A `dict` of bytes is one."""

    def get(self, key: bytes, /) -> bytes | None:
        """The value, or None where nothing stands."""


class Overlay:
    """A state above another: reads fall through, writes stay here until somebody takes them."""

    def __init__(self, below: StateReader) -> None:
        self._below = below
        self._writes: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        """The newest value."""
        return self._writes[key] if key in self._writes else self._below.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set a value."""
        self._writes[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a value; nothing happens where none stands."""
        self._writes[key] = None

    def writes(self) -> list[Write]:
        """Every change made here, ascending by key."""
        return sorted(self._writes.items())

    def absorb(self, above: "Overlay") -> None:
        """Take over the changes of an overlay that lies on this one."""
        self._writes.update(above.writes())


def writes_step(before: Digest, writes: Sequence[Write]) -> Digest:
    """The running hash of all that blocks wrote: two state machines that differ in silence differ here (SPEC §5).

    H(CTX("writes") ‖ before ‖ for each write, ascending: u32 length ‖ key ‖ u8 ‖ u32 length ‖ value), where the byte is
    1 for a value and 0, with an empty one, for a key that goes. Where the ledger stands is left out, since the
    engine's header says it: a block that writes nothing else changes nothing.
    """
    writer = Writer(context("writes")).b32(before, "before")
    written = [(key, value) for key, value in writes if key != POSITION]
    for key, value in written:
        writer.opaque(key, 4, "key").u8(int(value is not None), "kind").opaque(value or b"", 4, "value")
    return sha256(writer.bytes()) if written else before


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

POSITION: Final = b"position"  # where the ledger stands, JSON
GOVERNANCE: Final = b"governance"  # the frontier of the governance tree
NEWEST_SET: Final = b"set"  # u64, id of the newest validator set
ENGINE: Final = b"engine"  # the consensus keys that the engine was told of, 33 bytes each; nothing without an engine
BRAKE: Final = b"brake"  # JSON, by scope: which brakes are on until when


def sequence_key(submitter: KeyId) -> bytes:
    """The submitter's next sequence number, u64."""
    return b"sequence/" + submitter


def member_key(key_id: KeyId) -> bytes:
    """Roles of an identity key, JSON."""
    return b"member/" + key_id


def certificate_key(certificate_hash: Digest) -> bytes:
    """The identity key a certificate is for, 32 bytes."""
    return b"certificate/" + certificate_hash


def name_key(name_hash: Digest) -> bytes:
    """The identity keys of a name that have a standing now or later, 32 bytes each, ascending."""
    return b"name/" + name_hash


def named_key(key_id: KeyId) -> bytes:
    """The name of an identity key, 32 bytes."""
    return b"named/" + key_id


def set_key(set_id: SetId) -> bytes:
    """One validator set, JSON."""
    return b"set/" + set_id.to_bytes(8, "big")


def consensus_key(key_id: KeyId) -> bytes:
    """The consensus key bound to an identity key, 33 bytes."""
    return b"consensus/" + key_id


def consensus_owner_key(address: Address) -> bytes:
    """The identity key to which the consensus key of that address was ever bound, 32 bytes."""
    return b"consensus-owner/" + address


def entry_key(entry_leaf: Digest) -> bytes:
    """An entry committed before: its epoch, u64."""
    return b"entry/" + entry_leaf


def index_key(index: RegistryIndex) -> bytes:
    """An identity label's registry index: its commitment, 32 bytes."""
    return b"index/" + index


def object_key(object_id: str) -> bytes:
    """One business object, JSON; the id is 32 hex digits, and no two types share one."""
    return b"object/" + object_id.encode("ascii")


def freeze_key(object_id: str) -> bytes:
    """The freeze orders on an object, JSON."""
    return b"freeze/" + object_id.encode("ascii")


def life_key(object_type: str, object_id: str) -> bytes:
    """Life events of an object so far, u64."""
    return b"life/" + f"{object_type}/{object_id}".encode("ascii")


def totals_key(party: str, currency: str) -> bytes:
    """A debtor's totals in one currency, JSON."""
    return b"totals/" + f"{party}/{currency}".encode("ascii")


def defaults_key(party: str) -> bytes:
    """A debtor's notes in default and not cleared, u64."""
    return b"defaults/" + party.encode("ascii")


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def get_number(state: StateReader, key: bytes) -> int:
    """A u64; zero where nothing stands.

    Raises:
        StoreBroken: not eight bytes, or beyond 2^53-1.
    """
    data = state.get(key)
    if data is None:
        return 0
    number = int.from_bytes(data, "big")
    if len(data) != 8 or number > MAX_U64:
        raise StoreBroken(store="state", rule=f"{_shown(key)} holds a u64")
    return number


def put_number(state: Overlay, key: bytes, number: int) -> None:
    """Write a u64."""
    state.put(key, number.to_bytes(8, "big"))


def get_json(state: StateReader, key: bytes) -> dict[str, Json] | None:
    """A JSON object, or None where nothing stands.

    Raises:
        NotCanonical: stored bytes that this code never wrote.
        StoreBroken: no JSON object.
    """
    data = state.get(key)
    if data is None:
        return None
    value = parse_canonical_json(data, "state", MAX_VALUE)
    if not isinstance(value, dict):
        raise StoreBroken(store="state", rule=f"{_shown(key)} holds a JSON object")
    return value


def put_json(state: Overlay, key: bytes, value: dict[str, Json]) -> None:
    """Write a JSON object in its canonical form."""
    state.put(key, canonical_json(value))


def _shown(key: bytes) -> str:
    return key.partition(b"/")[0].decode("ascii")
