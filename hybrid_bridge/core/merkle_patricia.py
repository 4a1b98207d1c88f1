"""The value that a Merkle-Patricia trie of Ethereum holds under a key, proven by the nodes on the way down.

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
    key, proof = as_octets(key, "trie.key"), [as_octets(node, "trie.node") for node in as_sequence(proof, "trie.proof")]
    if not 1 <= len(key) <= MAX_KEY:
        raise FieldMalformed(field="trie.key", rule=f"1 to {MAX_KEY} bytes")
    if len(proof) > 2 * len(key) + 1:
        raise TooLong(field="trie.proof", limit=2 * len(key) + 1, got=len(proof))
    nodes = iter(proof)
    value = _descend(_named(require_digest(root, "trie.root"), nodes), _nibbles(key), nodes)
    if left := sum(1 for _ in nodes):
        raise TrailingBytes(field="trie.proof", count=left)
    return value


def _descend(node: Rlp, path: tuple[int, ...], nodes: Iterator[bytes]) -> bytes:
    while True:
        items = list_of(node, 2, 17, "trie.node")
        if len(items) == 17:
            if not path:
                return _held(items[16], path)
            child, path = items[path[0]], path[1:]
        elif len(items) == 2:
            ends, partial = _partial(items[0])
            if path[: len(partial)] != partial:
                raise _absent(path)
            child, path = items[1], path[len(partial) :]
            if ends:
                return _held(child, path)
        else:
            raise FieldMalformed(field="trie.node", rule="2 or 17 items")
        node = _child(child, path, nodes)


def _child(child: Rlp, path: tuple[int, ...], nodes: Iterator[bytes]) -> Rlp:
    """A node below: written out when its encoding is shorter than a hash, else named by its hash."""
    if child == b"":
        raise _absent(path)
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


def _held(value: Rlp, path: tuple[int, ...]) -> bytes:
    if path or value == b"":
        raise _absent(path)
    if not isinstance(value, bytes):
        raise FieldMalformed(field="trie.value", rule="a byte string")
    return value


def _absent(path: tuple[int, ...]) -> FieldMismatch:
    return FieldMismatch(field="trie.key", expected="".join(f"{nibble:x}" for nibble in path), got="")


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
