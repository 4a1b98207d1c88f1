"""What a Merkle-Patricia trie of Ethereum holds under a key, or that it holds nothing, proven by the nodes on the way.

Source: Ethereum Yellow Paper, appendix D; SPEC §13. Verifies only: building is the adapter's.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from hybrid_bridge.core.encoding import require_digest
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import as_octets, as_sequence
from hybrid_bridge.core.rlp import Rlp, decode_rlp, list_of
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong, TrailingBytes, Truncated
from hybrid_bridge.units import Digest

MAX_KEY: Final = 32  # bytes; a hashed key of the state trie is the longest there is
EMPTY_NODE: Final = b"\x80"
EMPTY_TRIE: Final = keccak256(EMPTY_NODE)
MAX_NODE: Final = 1 << 18  # bytes; a leaf of the receipt trie holds a whole receipt


def trie_value(root: Digest, key: bytes, proof: Sequence[bytes]) -> bytes:
    """What the trie of `root` holds under `key`.

    Args:
        root: 32 bytes, keccak-256 of the first node.
        key: 1 to 32 bytes.
        proof: the nodes from the root down that are named by hash, each exactly once; short ones stand in their parent.

    Raises:
        Malformed: a node is none, or the list is too short or too long.
        FieldMismatch: a node hashes to something else than its parent says, or the trie holds nothing under `key`.
    """
    value, path, nodes = _found(root, key, proof)
    if value is None:
        raise FieldMismatch(field="trie.key", expected="".join(f"{nibble:x}" for nibble in path), got="")
    _require_used(nodes)
    return value


def trie_value_or_none(root: Digest, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """As `trie_value`, but None where the nodes prove that there is nothing under `key`.

    An empty trie is proven by no node, or by its one encoding.

    Raises:
        Malformed, FieldMismatch: as `trie_value`, for nodes that prove neither.
    """
    if root == EMPTY_TRIE and list(as_sequence(proof, "trie.proof")) in ([], [EMPTY_NODE]):
        return None
    value, _, nodes = _found(root, key, proof)
    _require_used(nodes)
    return value


def _found(root: Digest, key: bytes, proof: Sequence[bytes]) -> tuple[bytes | None, tuple[int, ...], Iterator[bytes]]:
    """The value or None, what is left of the path, the nodes that are left."""
    key, proof = as_octets(key, "trie.key"), [as_octets(node, "trie.node") for node in as_sequence(proof, "trie.proof")]
    if not 1 <= len(key) <= MAX_KEY:
        raise FieldMalformed(field="trie.key", rule=f"1 to {MAX_KEY} bytes")
    if len(proof) > 2 * len(key) + 1:
        raise TooLong(field="trie.proof", limit=2 * len(key) + 1, got=len(proof))
    nodes = iter(proof)
    value, path = _descend(_named(require_digest(root, "trie.root"), nodes), _nibbles(key), nodes)
    return value, path, nodes


def _require_used(nodes: Iterator[bytes]) -> None:
    if left := sum(1 for _ in nodes):
        raise TrailingBytes(field="trie.proof", count=left)


def _descend(node: Rlp, path: tuple[int, ...], nodes: Iterator[bytes]) -> tuple[bytes | None, tuple[int, ...]]:
    while True:
        items = list_of(node, 2, 17, "trie.node")
        if len(items) == 17:
            if not path:
                return _held(items[16], path), path
            child, path = items[path[0]], path[1:]
        elif len(items) == 2:
            ends, partial = _partial(items[0])
            if path[: len(partial)] != partial:
                return None, path
            child, path = items[1], path[len(partial) :]
            if ends:
                return _held(child, path), path
        else:
            raise FieldMalformed(field="trie.node", rule="2 or 17 items")
        if child == b"":
            return None, path
        node = _child(child, nodes)


def _child(child: Rlp, nodes: Iterator[bytes]) -> Rlp:
    """A node below: written out when its encoding is shorter than a hash, else named by its hash."""
    return _named(require_digest(child, "trie.node"), nodes) if isinstance(child, bytes) else child


def _named(name: Digest, nodes: Iterator[bytes]) -> Rlp:
    data = next(nodes, None)
    if data is None:
        raise Truncated(field="trie.proof", needed=1, got=0)
    if len(data) > MAX_NODE:
        raise TooLong(field="trie.node", limit=MAX_NODE, got=len(data))
    if (calculated := keccak256(data)) != name:
        raise FieldMismatch(field="trie.node", expected=name.hex(), got=calculated.hex())
    return decode_rlp(data, "trie.node", MAX_NODE)


def _held(value: Rlp, path: tuple[int, ...]) -> bytes | None:
    """The value at the end of the path; None if the path goes on, or there is none."""
    if path or value == b"":
        return None
    if not isinstance(value, bytes):
        raise FieldMalformed(field="trie.value", rule="a byte string")
    return value


def _nibbles(data: bytes) -> tuple[int, ...]:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))


def _partial(item: Rlp) -> tuple[bool, tuple[int, ...]]:
    """A leaf's or extension's part of the path: flag nibble 0 or 1 extension, 2 or 3 leaf, odd without a pad nibble."""
    rule = "hex-prefix encoding"
    if not isinstance(item, bytes) or not item or item[0] >> 4 > 3:
        raise FieldMalformed(field="trie.path", rule=rule)
    flag, *rest = _nibbles(item)
    if not flag & 1 and rest.pop(0) != 0:
        raise FieldMalformed(field="trie.path", rule=rule)
    if flag < 2 and not rest:
        raise FieldMalformed(field="trie.path", rule="an extension has a path")
    return flag >= 2, tuple(rest)
