"""Calldata of `AnchorRegistry`, and its answers: values of ours in, bytes out, and back (CONTRACT §3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact, selector, type_of
from hybrid_bridge.core.encoding import require_digest, unpack_words
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.power import Pause, Resume, Retire, hash_of_reason
from hybrid_bridge.core.proof import as_integer, as_octets
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.ports import Head, Rotation, Update
from hybrid_bridge.units import Address, Digest, LogId, Seconds, SetId, TreeSize, UnixSeconds

ANCHOR: Final = "anchor(bytes32,uint64,(uint64,bytes32,bytes32,uint64),bytes32[],bytes)"
REGISTER: Final = "register(bytes,string,bytes)"
PUBLISH_NAMES: Final = "publishNames(bytes32,bytes,string[])"
ROTATE: Final = "rotateValidators(bytes32,uint64,(bytes32,uint64,bytes),bytes,bytes)"
PAUSE: Final = "pause(bytes32,uint64,bytes32,(bytes32,uint64,bytes))"
PAUSE_ALONE: Final = "pauseByGuardian(bytes32,uint64,bytes32)"
RESUME: Final = "resume(bytes32,bytes32,(bytes32,uint64,bytes))"
RETIRE: Final = "retire(bytes32,bytes,(bytes32,uint64,bytes))"
EQUIVOCATION: Final = (
    "reportEquivocation(bytes32,(uint64,bytes32,bytes32,uint64),bytes,(uint64,bytes32,bytes32,uint64),bytes)"
)
INCONSISTENT: Final = "reportInconsistent(bytes32,(uint64,bytes32,bytes32,uint64),bytes,bytes32,bytes32[])"
HEAD: Final = "head(bytes32)"
BRAKE: Final = "brake(bytes32)"
SUCCESSOR: Final = "successor(bytes32)"
STATES: Final = ("unknown", "active", "paused", "frozen", "retired")  # the order of the contract's enum


@dataclass(frozen=True, slots=True)
class Sealed:
    """A quorum's signatures as the rare calls take them (CONTRACT §3)."""

    set_hash: Digest
    signers: int
    seals: bytes

    def words(self) -> tuple[bytes, int, bytes]:
        """The struct `Quorum`.

        Raises:
            DigestLength: the hash has not 32 bytes.
        """
        return require_digest(self.set_hash, "set_hash"), self.signers, self.seals


@dataclass(frozen=True, slots=True)
class Attested:
    """A checkpoint as some members signed it, however few (CONTRACT §3.6)."""

    tree_size: TreeSize
    root: Digest
    sealed: Sealed

    def words(self) -> tuple[int, bytes, bytes, int]:
        """The struct `Attested`.

        Raises:
            DigestLength: a hash has not 32 bytes.
        """
        set_hash, signers, _ = self.sealed.words()
        return self.tree_size, require_digest(self.root, "root"), set_hash, signers


@dataclass(frozen=True, slots=True)
class BrakeState:
    """The word `brake` of a log (CONTRACT §2)."""

    guardian: Address  # zero: none
    pause_max: Seconds
    grace: Seconds
    nonce: int  # of the next pause or resume


def anchor_calldata(update: Update) -> bytes:
    """A call of `anchor`.

    Raises:
        DigestLength: a hash has not 32 bytes (the encoder would pad it).
        FieldMalformed: a value does not fit its type.
    """
    for digest in (update.log_id, update.root, update.set_hash, *update.path):
        require_digest(digest, "update")
    attested = (update.tree_size, update.root, update.set_hash, update.signers)
    return _calldata(ANCHOR, update.log_id, update.from_size, attested, list(update.path), update.seals)


def decode_anchor(data: bytes) -> Update:
    """The inverse of `anchor_calldata`.

    Raises:
        FieldMalformed: another call, or another encoding of one.
    """
    log_id, from_size, attested, path, packed = _arguments(ANCHOR, data)
    tree_size, root, set_hash, signers = attested
    update = Update(
        log_id=LogId(log_id),
        from_size=TreeSize(from_size),
        tree_size=TreeSize(tree_size),
        root=Digest(root),
        set_hash=Digest(set_hash),
        signers=signers,
        path=tuple(Digest(digest) for digest in path),
        seals=packed,
    )
    if anchor_calldata(update) != data:
        raise FieldMalformed(field="calldata", rule="a call of anchor, in its one encoding")
    return update


def register_calldata(genesis: bytes, origin: str, entries: bytes) -> bytes:
    """A call of `register`: genesis record, origin text, validator entries of set 1."""
    return _calldata(REGISTER, genesis, origin, entries)


def names_calldata(log: LogId, entries: bytes, names: Sequence[str]) -> bytes:
    """A call of `publishNames`: a set's entries, and for each the text behind its name hash or nothing."""
    return _calldata(PUBLISH_NAMES, require_digest(log, "log_id"), entries, list(names))


def rotate_calldata(rotation: Rotation) -> bytes:
    """A call of `rotateValidators`.

    Raises:
        DigestLength: a hash has not 32 bytes.
        FieldMalformed: a value does not fit its type.
    """
    for digest in (rotation.log_id, rotation.set_hash):
        require_digest(digest, "rotation")
    quorum = (rotation.set_hash, rotation.signers, rotation.seals)
    size = rotation.effective_from_size
    return _calldata(ROTATE, rotation.log_id, size, quorum, rotation.entries, rotation.newcomers)


def decode_rotation(data: bytes) -> Rotation:
    """The inverse of `rotate_calldata`.

    Raises:
        FieldMalformed: another call, or another encoding of one.
    """
    log_id, from_size, quorum, entries, newcomers = _arguments(ROTATE, data)
    set_hash, signers, packed = quorum
    rotation = Rotation(
        log_id=LogId(log_id),
        effective_from_size=TreeSize(from_size),
        set_hash=Digest(set_hash),
        signers=signers,
        seals=packed,
        entries=entries,
        newcomers=newcomers,
    )
    if rotate_calldata(rotation) != data:
        raise FieldMalformed(field="calldata", rule="a call of rotateValidators, in its one encoding")
    return rotation


def pause_calldata(pause: Pause, sealed: Sealed) -> bytes:
    """A call of `pause`."""
    return _calldata(PAUSE, pause.log_id, pause.until, hash_of_reason(pause.reason), sealed.words())


def pause_alone_calldata(log: LogId, until: UnixSeconds, reason: str) -> bytes:
    """A call of `pauseByGuardian`."""
    return _calldata(PAUSE_ALONE, require_digest(log, "log_id"), until, hash_of_reason(reason))


def resume_calldata(resume: Resume, sealed: Sealed) -> bytes:
    """A call of `resume`."""
    return _calldata(RESUME, resume.log_id, hash_of_reason(resume.reason), sealed.words())


def retire_calldata(retire: Retire, successor: bytes, sealed: Sealed) -> bytes:
    """A call of `retire`; `successor` is the genesis record of the log that goes on."""
    return _calldata(RETIRE, retire.log_id, successor, sealed.words())


def equivocation_calldata(log: LogId, one: Attested, other: Attested) -> bytes:
    """A call of `reportEquivocation`: two roots at one size."""
    log_id = require_digest(log, "log_id")
    return _calldata(EQUIVOCATION, log_id, one.words(), one.sealed.seals, other.words(), other.sealed.seals)


def inconsistent_calldata(log: LogId, signed: Attested, other_root: Digest, path: Sequence[Digest]) -> bytes:
    """A call of `reportInconsistent`: a signed checkpoint, and what another history has at its size or at the head's.

    Raises:
        DigestLength: a hash has not 32 bytes.
    """
    hashes = [require_digest(digest, "path") for digest in path]
    root = require_digest(other_root, "other_root")
    return _calldata(INCONSISTENT, require_digest(log, "log_id"), signed.words(), signed.sealed.seals, root, hashes)


def view_calldata(signature: str, log: LogId) -> bytes:
    """A call of a view that takes a log alone."""
    return selector(signature) + require_digest(log, "log_id")


def decode_brake(answer: bytes) -> BrakeState:
    """The answer of `brake`: four words.

    Raises:
        Malformed: not four words, or a number beyond 2^53-1.
    """
    guardian, pause_max, grace, nonce = unpack_words("auuu", answer)
    return BrakeState(
        Address(as_octets(guardian, "guardian")),
        Seconds(as_integer(pause_max, "pause_max")),
        Seconds(as_integer(grace, "grace")),
        as_integer(nonce, "nonce"),
    )


def head_calldata(log: LogId) -> bytes:
    """A call of the view `head`."""
    return selector(HEAD) + require_digest(log, "log_id")


def decode_head(answer: bytes) -> Head:
    """The answer of `head`: eight words.

    Raises:
        Malformed: not eight words, a number beyond 2^53-1, or an unknown state.
    """
    words = list(unpack_words("ubuuuuuu", answer))
    numbers = [word for word in words if isinstance(word, int)]
    size, timestamp, anchored_at, set_id, next_from_size, paused_until, state = numbers
    if state >= len(STATES):
        raise FieldMalformed(field="head.state", rule="a number below 5")
    return Head(
        tree_size=TreeSize(size),
        root=Digest(answer[32:64]),
        timestamp=UnixSeconds(timestamp),
        anchored_at=UnixSeconds(anchored_at),
        set_id=SetId(set_id),
        next_from_size=TreeSize(next_from_size),
        paused_until=UnixSeconds(paused_until),
        state=STATES[state],
    )


def head_slots(log: LogId) -> tuple[int, int]:
    """Where the contract keeps `meta` and `root` of a log (CONTRACT §2): storage proofs read them."""
    base = int.from_bytes(keccak256(require_digest(log, "log_id") + bytes(32)), "big")
    return base, (base + 1) % (1 << 256)


def head_of_words(meta: int, root: int, time: UnixSeconds) -> Head:
    """What `head` answers when these are the log's words and it is this time (CONTRACT §2, the word `meta`)."""

    def part(bit: int, width: int) -> int:
        return meta >> bit & (1 << width) - 1

    size, genesis_time, cadence, paused_until, flags = (
        part(0, 40),
        part(80, 40),
        part(200, 24),
        part(120, 40),
        meta >> 248,
    )
    state = 0 if meta == 0 else 3 if flags & 1 else 4 if flags & 2 else 2 if time < paused_until else 1
    return Head(
        tree_size=TreeSize(size),
        root=Digest(root.to_bytes(32, "big")),
        timestamp=UnixSeconds(genesis_time + (size - 1) * cadence if meta else 0),
        anchored_at=UnixSeconds(part(40, 40)),
        set_id=SetId(part(224, 24)),
        next_from_size=TreeSize(part(160, 40)),
        paused_until=UnixSeconds(paused_until),
        state=STATES[state],
    )


def _types(signature: str) -> list[str]:
    return [type_of(part) for part in artefact(REGISTRY).of_type("function")[signature]["inputs"]]


def _arguments(signature: str, data: bytes) -> tuple[Any, ...]:
    """What a call of this function was given, if the rest of `data` has its types; the selector is not looked at."""
    try:
        return decode(_types(signature), data[4:])
    except (DecodingError, OverflowError):
        raise FieldMalformed(field="calldata", rule=f"a call of {signature.partition('(')[0]}") from None


def _calldata(signature: str, *values: object) -> bytes:
    try:
        return selector(signature) + encode(_types(signature), values)
    except EncodingError:
        raise FieldMalformed(field=signature.partition("(")[0], rule="arguments of the contract's types") from None
