"""`anchor` and `rotateValidators` of `AnchorRegistry` in Python, check by check in the contract's order.

Reads calldata by itself, strictly: it shares no line with the adapter that writes it, so that each finds the other's
mistakes. Source: CONTRACT §2, §3.1, §3.2, §3.4. Not here: registration, brake and evidence as calls; tests set those
states.
"""

from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.core.attestation import Checkpoint, set_update_digest
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.signing import from_compact, recover_address
from hybrid_bridge.core.validators import ValidatorSet, quorum
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    FieldMalformed,
    HeadConflict,
    LogFrozen,
    LogPaused,
    NewcomerUnproven,
    RotationOutOfRange,
    RotationPending,
    SealsMalformed,
    SetMismatch,
    StaleHead,
    TimestampAhead,
    UnknownLog,
)
from hybrid_bridge.ports import Head
from hybrid_bridge.units import Address, ChainId, Digest, LogId, Seconds, SetId, TreeSize, UnixSeconds

SIGNATURE: Final = b"anchor(bytes32,uint64,(uint64,bytes32,bytes32,uint64),bytes32[],bytes)"
SELECTOR: Final = keccak256(SIGNATURE)[:4]
ROTATE: Final = keccak256(b"rotateValidators(bytes32,uint64,(bytes32,uint64,bytes),bytes,bytes)")[:4]
FARTHEST: Final = 90 * 86_400  # seconds ahead of now that a handover may lie
NONE: Final = TreeSize(0)
NO_KEY: Final = Digest(bytes(32))
NEVER: Final = UnixSeconds(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLog:
    """The contract's storage of one log."""

    size: TreeSize
    root: Digest
    anchored_at: UnixSeconds
    genesis_time: UnixSeconds
    cadence: Seconds
    set_id: SetId
    set_key: Digest
    next_from_size: TreeSize = NONE
    next_key: Digest = NO_KEY
    addresses: tuple[bytes, ...] = ()  # of the set in force; the contract has them in `entries` of its events only
    next_addresses: tuple[bytes, ...] = ()
    paused_until: UnixSeconds = NEVER
    is_frozen: bool = False

    @classmethod
    def registered(
        cls, log_id: LogId, validators: ValidatorSet, genesis_time: UnixSeconds, cadence: Seconds
    ) -> "MemoryLog":
        """A log right after `register`: size 1, whose root is its id."""
        return cls(
            size=TreeSize(1),
            root=Digest(log_id),
            anchored_at=UnixSeconds(0),
            genesis_time=genesis_time,
            cadence=cadence,
            set_id=validators.set_id,
            set_key=set_key(validators.digest, validators.addresses),
            addresses=validators.addresses,
        )

    def boundary(self, size: int) -> UnixSeconds:
        """genesisTime + (size − 1)·cadence."""
        return UnixSeconds(self.genesis_time + (size - 1) * self.cadence)

    def head(self, now: UnixSeconds) -> Head:
        """The view `head`."""
        state = "frozen" if self.is_frozen else "paused" if now < self.paused_until else "active"
        return Head(
            tree_size=self.size,
            root=self.root,
            timestamp=self.boundary(self.size),
            anchored_at=self.anchored_at,
            set_id=self.set_id,
            next_from_size=self.next_from_size,
            paused_until=self.paused_until,
            state=state,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorCall:
    """The arguments as they stand in the calldata."""

    log_id: LogId
    from_size: int
    size: int
    root: Digest
    set_hash: Digest
    signers: int
    path: tuple[Digest, ...]
    seals: bytes


def set_key(set_hash: bytes, addresses: tuple[bytes, ...]) -> Digest:
    """keccak256(setHash ‖ a_1 ‖ … ‖ a_n) (CONTRACT §2)."""
    return keccak256(set_hash + b"".join(addresses))


def anchor(logs: dict[LogId, MemoryLog], call: AnchorCall, now: UnixSeconds) -> MemoryLog | None:
    """The log after the call; None when it is a repetition that changes nothing.

    Raises:
        BridgeError: the contract's revert.
    """
    log = logs.get(call.log_id)
    if log is not None and (call.size, call.root) == (log.size, log.root):
        return None
    if log is None:
        raise UnknownLog(log_id=Digest(call.log_id))
    if log.is_frozen:
        raise LogFrozen(log_id=Digest(call.log_id))
    if now < log.paused_until:
        raise LogPaused(until=log.paused_until)
    if call.size == log.size:
        raise HeadConflict(size=log.size, head=log.root, root=call.root)
    if call.from_size != log.size or call.size < log.size:
        raise StaleHead(head_size=log.size, from_size=call.from_size)
    timestamp = log.boundary(call.size)
    if timestamp > now:
        raise TimestampAhead(timestamp=timestamp, public_time=now)
    verify_consistency(log.size, TreeSize(call.size), call.path, log.root, call.root)
    is_handover = log.next_from_size != 0 and call.size >= log.next_from_size
    key, set_id = (log.next_key, SetId(log.set_id + 1)) if is_handover else (log.set_key, log.set_id)
    _require_quorum(call, key, set_id, timestamp)
    moved = replace(log, size=TreeSize(call.size), root=call.root, anchored_at=now, set_id=set_id, set_key=key)
    if is_handover:
        return replace(moved, next_from_size=TreeSize(0), addresses=log.next_addresses)
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateCall:
    """The arguments of `rotateValidators` as they stand in the calldata."""

    log_id: LogId
    from_size: int
    set_hash: Digest
    signers: int
    seals: bytes
    entries: bytes
    newcomers: bytes


def rotate(
    logs: dict[LogId, MemoryLog], call: RotateCall, now: UnixSeconds, place: tuple[ChainId, Address]
) -> MemoryLog:
    """The log after the call, which `place` (chain and contract) was signed for.

    Raises:
        BridgeError: the contract's revert.
    """
    log = logs.get(call.log_id)
    if log is None:
        raise UnknownLog(log_id=Digest(call.log_id))
    if log.is_frozen:
        raise LogFrozen(log_id=Digest(call.log_id))
    if log.next_from_size != 0:
        raise RotationPending(from_size=log.next_from_size)
    if call.from_size <= log.size or log.boundary(call.from_size) > now + FARTHEST:
        raise RotationOutOfRange(from_size=call.from_size, low=log.size + 1, high=0)
    new = ValidatorSet.decode_entries(SetId(log.set_id + 1), call.entries)
    digest = set_update_digest(*place, call.log_id, new.set_id, new.digest, TreeSize(call.from_size))
    _require_signed(digest, call.set_hash, call.signers, call.seals, log.set_key)
    _require_possession(digest, [a for a in new.addresses if a not in log.addresses], call.newcomers)
    key = set_key(new.digest, new.addresses)
    return replace(log, next_from_size=TreeSize(call.from_size), next_key=key, next_addresses=new.addresses)


def _require_possession(digest: Digest, newcomers: list[Address], proofs: bytes) -> None:
    """CONTRACT §3.4, check 6: 64 bytes of each in order, and not a byte more."""
    for index, address in enumerate(newcomers):
        seal = proofs[64 * index : 64 * index + 64]
        try:
            is_proven = recover_address(digest, from_compact(seal)) == address
        except BridgeError:
            is_proven = False
        if not is_proven:
            raise NewcomerUnproven(validator=address)
    if len(proofs) != 64 * len(newcomers):
        raise NewcomerUnproven(validator=Address(bytes(20)))


def _require_quorum(call: AnchorCall, key: Digest, set_id: SetId, timestamp: UnixSeconds) -> None:
    digest = Checkpoint(
        log_id=call.log_id,
        tree_size=TreeSize(call.size),
        root=call.root,
        timestamp=timestamp,
        set_id=set_id,
        set_hash=call.set_hash,
    ).digest()
    _require_signed(digest, call.set_hash, call.signers, call.seals, key)


def _require_signed(digest: Digest, set_hash: Digest, signers: int, seals: bytes, key: Digest) -> None:
    """CONTRACT §3.1."""
    addresses: list[bytes] = []
    at = signed = 0
    while at < len(seals):
        is_signer = signers >> len(addresses) & 1
        part = seals[at : at + (64 if is_signer else 20)]
        addresses.append(_recovered(digest, part, len(addresses)) if is_signer else part)
        at, signed = at + (64 if is_signer else 20), signed + is_signer
    if at != len(seals) or signers >> len(addresses):
        raise SealsMalformed(index=len(addresses))
    rebuilt = set_key(set_hash, tuple(addresses))
    if rebuilt != key:
        raise SetMismatch(expected=key, calculated=rebuilt)
    if signed < quorum(len(addresses)):
        raise BelowQuorum(needed=quorum(len(addresses)), got=signed)


def _recovered(digest: Digest, seal: bytes, index: int) -> bytes:
    try:
        return recover_address(digest, from_compact(seal))
    except BridgeError:
        raise SealsMalformed(index=index) from None


# ── calldata ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def decode_call(data: bytes) -> AnchorCall:
    """Calldata of `anchor`, in its one canonical encoding.

    Raises:
        FieldMalformed: anything else.
    """
    words = [data[4 + at : 36 + at] for at in range(0, len(data) - 4, 32)]
    if data[:4] != SELECTOR or len(data) % 32 != 4 or len(words) < 10:
        raise FieldMalformed(field="calldata", rule="a call of anchor")
    count = _number(words[8])
    tail = 9 + count
    if _number(words[6]) != 8 * 32 or _number(words[7]) != tail * 32 or len(words) <= tail:
        raise FieldMalformed(field="calldata", rule="offsets in their canonical places")
    length = _number(words[tail])
    packed = b"".join(words[tail + 1 :])
    if len(packed) != -(-length // 32) * 32 or any(packed[length:]):
        raise FieldMalformed(field="calldata", rule="seals padded with zeros to a word")
    return AnchorCall(
        log_id=LogId(words[0]),
        from_size=_number(words[1]),
        size=_number(words[2]),
        root=Digest(words[3]),
        set_hash=Digest(words[4]),
        signers=_number(words[5]),
        path=tuple(Digest(word) for word in words[9:tail]),
        seals=packed[:length],
    )


def decode_rotation(data: bytes) -> RotateCall:
    """Calldata of `rotateValidators`, in its one canonical encoding.

    Raises:
        FieldMalformed: anything else.
    """
    words = [data[4 + at : 36 + at] for at in range(0, len(data) - 4, 32)]
    if data[:4] != ROTATE or len(data) % 32 != 4 or len(words) < 12:
        raise FieldMalformed(field="calldata", rule="a call of rotateValidators")
    tuple_at, entries_at, newcomers_at = (_number(word) // 32 for word in words[2:5])
    if (tuple_at, _number(words[7])) != (5, 96) or any(_number(word) % 32 for word in words[2:5]):
        raise FieldMalformed(field="calldata", rule="offsets in their canonical places")
    seals, after = _tail(words, 8)
    entries, behind = _tail(words, entries_at)
    newcomers, end = _tail(words, newcomers_at)
    if (after, behind, end) != (entries_at, newcomers_at, len(words)):
        raise FieldMalformed(field="calldata", rule="parts one after the other")
    return RotateCall(
        log_id=LogId(words[0]),
        from_size=_number(words[1]),
        set_hash=Digest(words[5]),
        signers=_number(words[6]),
        seals=seals,
        entries=entries,
        newcomers=newcomers,
    )


def _tail(words: list[bytes], at: int) -> tuple[bytes, int]:
    """The bytes whose length stands at this word, and the word after them."""
    if at >= len(words):
        raise FieldMalformed(field="calldata", rule="offsets within it")
    length = _number(words[at])
    end = at + 1 + -(-length // 32)
    packed = b"".join(words[at + 1 : end])
    if end > len(words) or any(packed[length:]):
        raise FieldMalformed(field="calldata", rule="bytes padded with zeros to a word")
    return packed[:length], end


def _number(word: bytes) -> int:
    value = int.from_bytes(word, "big")
    if value >= 1 << 64:
        raise FieldMalformed(field="calldata", rule="a uint64")
    return value
