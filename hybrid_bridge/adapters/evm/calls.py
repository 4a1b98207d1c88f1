"""Calldata of `AnchorRegistry`, and its answers: values of ours in, bytes out, and back (CONTRACT §3)."""

from dataclasses import dataclass
from typing import Final

from eth_abi.abi import encode
from eth_abi.exceptions import EncodingError

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact, selector, type_of
from hybrid_bridge.core.encoding import require_digest, unpack_words
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.ports import Head, Update
from hybrid_bridge.units import Digest, LogId, SetId, TreeSize, UnixSeconds

ANCHOR: Final = "anchor(bytes32,uint64,(uint64,bytes32,bytes32,uint64),bytes32[],bytes)"
REGISTER: Final = "register(bytes,string,bytes)"
ROTATE: Final = "rotateValidators(bytes32,uint64,(bytes32,uint64,bytes),bytes,bytes)"
HEAD: Final = "head(bytes32)"
STATES: Final = ("unknown", "active", "paused", "frozen", "retired")  # the order of the contract's enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Arguments of one `rotateValidators` call (CONTRACT §3.4)."""

    log_id: LogId
    effective_from_size: TreeSize
    set_hash: Digest  # of the set that signs: the current one
    signers: int
    seals: bytes
    entries: bytes  # of the new set, 128 bytes a member
    newcomers: bytes  # 64 bytes a new address, in address order


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


def register_calldata(genesis: bytes, origin: str, entries: bytes) -> bytes:
    """A call of `register`: genesis record, origin text, validator entries of set 1."""
    return _calldata(REGISTER, genesis, origin, entries)


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


def _calldata(signature: str, *values: object) -> bytes:
    function = artefact(REGISTRY).of_type("function")[signature]
    try:
        return selector(signature) + encode([type_of(part) for part in function["inputs"]], values)
    except EncodingError:
        raise FieldMalformed(field=signature.partition("(")[0], rule="arguments of the contract's types") from None
