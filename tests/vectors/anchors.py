"""Write the vectors of public anchors: `python tests/vectors/anchors.py [folder]`.

Headers, receipts and tries are made here from the Yellow Paper's recursive definitions (appendices B, C, D) and the slow
keccak of `reference.py`; nothing of `hybrid_bridge` is imported. Layout of a case: see `generate.py`.
"""

import json
from argparse import ArgumentParser
from pathlib import Path

from cases import bad, flip, good, hexed
from reference import keccak, word

HERE = Path(__file__).parent
SECTION = "SPEC §13"
CONTRACT, STRANGER = b"\xc0" * 20, b"\xbb" * 20
TIME = 1_800_000_600
CHECKPOINT = {
    "log_id": b"\x11" * 32, "tree_size": 2, "root": b"\x22" * 32, "timestamp": TIME, "set_id": 1, "set_hash": b"\x33" * 32,
}  # fmt: skip
TOPIC = keccak(b"Anchored(bytes32,uint64,bytes32,uint64,uint64,uint64)")
BLOOM = bytes(256)


# ── appendix B: recursive length prefix ──────────────────────────────────────────────────────────────────────────────


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def rlp(value):
    if isinstance(value, int):
        value = number(value)
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < 128:
            return value
        return length(128, len(value)) + value
    body = b"".join(rlp(item) for item in value)
    return length(192, len(body)) + body


def length(offset, size):
    if size < 56:
        return bytes([offset + size])
    return bytes([offset + 55 + len(number(size))]) + number(size)


# ── appendices C and D: hex prefix, modified Merkle-Patricia tree ────────────────────────────────────────────────────


def nibbles(key):
    return [half for byte in key for half in (byte >> 4, byte & 15)]


def hex_prefix(path, is_leaf):
    flag = 2 * is_leaf
    whole = [flag + 1, *path] if len(path) % 2 else [flag, 0, *path]
    return bytes(16 * whole[i] + whole[i + 1] for i in range(0, len(whole), 2))


def tree(pairs):
    """The node of these (path, value) pairs, below which no two paths are equal."""
    if len(pairs) == 1:
        path, value = pairs[0]
        return [hex_prefix(path, True), value]
    shared = 0
    while all(len(path) > shared and path[shared] == pairs[0][0][shared] for path, _ in pairs):
        shared += 1
    if shared:
        return [hex_prefix(pairs[0][0][:shared], False), reference(tree([(p[shared:], v) for p, v in pairs]))]
    children = [[(p[1:], v) for p, v in pairs if p and p[0] == nibble] for nibble in range(16)]
    here = [v for p, v in pairs if not p]
    return [*(reference(tree(child)) if child else b"" for child in children), here[0] if here else b""]


def reference(node):
    return node if len(rlp(node)) < 32 else keccak(rlp(node))


def proof(pairs, path):
    """The nodes named by hash from the root to `path`."""
    found, is_root = [], True
    while True:
        node = tree(pairs)
        if is_root or len(rlp(node)) >= 32:
            found.append(rlp(node))
        is_root = False
        if len(pairs) == 1:
            return found
        shared = 0
        while all(len(p) > shared and p[shared] == pairs[0][0][shared] for p, _ in pairs):
            shared += 1
        step = shared or 1
        if not path:
            return found
        pairs = [(p[step:], v) for p, v in pairs if p[:step] == path[:step]]
        path = path[step:]


# ── a public block ───────────────────────────────────────────────────────────────────────────────────────────────────


def event(**changed):
    c = {**CHECKPOINT, "address": CONTRACT, "topic": TOPIC, "signers": 0b1011, "more": b"", **changed}
    data = c["root"] + word(c["timestamp"]) + word(c["set_id"]) + word(c["signers"]) + c["more"]
    return [c["address"], [c["topic"], c["log_id"], word(c["tree_size"])], data]


def header(height, parent=bytes(32), receipts=bytes(32), time=TIME + 7, more=()):
    old = [parent, bytes(32), bytes(20), bytes(32), bytes(32), receipts, BLOOM, 0, height, 30_000_000, 21_000, time]
    return rlp([*old, b"devnet", bytes(32), bytes(8), 7, bytes(32), *more])


def receipt(logs, status=1, kind=b"\x02"):
    return kind + rlp([status, 100_000, BLOOM, logs])


def anchor(mine=None, index=3, others=9, descendants=2, **how):
    """An anchor whose parts agree with one another; `mine` is the receipt at `index` among `others`."""
    mine = mine or receipt([[STRANGER, [], b"other"], event()])
    receipts = {i: receipt([], kind=b"\x02" if i % 2 else b"") for i in range(others)}
    receipts[index] = mine
    pairs = [(nibbles(rlp(i)), value) for i, value in sorted(receipts.items())]
    first = header(70, receipts=keccak(rlp(tree(pairs))), **how)
    chain = [first]
    for height in range(71, 71 + descendants):
        chain.append(header(height, keccak(chain[-1])))
    return {
        "tree_size": 2, "chain_id": 31337, "contract": CONTRACT, "header": first, "tx_index": index, "receipt": mine,
        "proof": proof(pairs, nibbles(rlp(index))), "log_index": 1, "descendants": chain[1:],
    }  # fmt: skip


def facts(given, time=TIME + 7):
    chain = [given["header"], *given["descendants"]]
    return {
        "block_number": 70, "block_hash": keccak(chain[0]), "block_time": time, "signers": 0b1011,
        "last_number": 69 + len(chain), "last_hash": keccak(chain[-1]),
    }  # fmt: skip


# ── the cases ────────────────────────────────────────────────────────────────────────────────────────────────────────


def ok(name, given, **told):
    return good(f"evm-good {name}", SECTION, given, facts(given, **told))


def refused(name, error="FieldMismatch", given=None, **changed):
    return bad(name, SECTION, {**(given or anchor()), **changed}, error)


def good_cases():
    yield ok("two descendants", anchor())
    yield ok("the public block itself is trusted", anchor(descendants=0))
    yield ok("eight descendants", anchor(descendants=8))
    yield ok("alone in its public block", anchor(index=0, others=0))
    yield ok("in a public block of 130", anchor(index=129, others=129))
    yield ok("a receipt without type", anchor(receipt([[STRANGER, [], b"x"], event()], kind=b"")))
    yield ok("a longer header", anchor(more=(bytes(32), 0, 0, bytes(32), bytes(32), bytes(32))))
    yield ok("at the very end of the epoch", anchor(time=TIME), time=TIME)


def named_cases():
    elsewhere = anchor(receipt([[STRANGER, [], b"x"], event(address=STRANGER)]))
    yield refused("evm-contract-from-bundle-only event of a stranger, address of ours", given=elsewhere)
    yield ok("a stranger's event under the stranger's address: the caller knows no such contract",
             {**elsewhere, "contract": STRANGER})  # fmt: skip
    yield refused("evm-status-0", given=anchor(receipt([[STRANGER, [], b"x"], event()], status=0)))
    yield refused("evm-other-topic", given=anchor(receipt([[STRANGER, [], b"x"], event(topic=keccak(b"Other()"))])))
    yield refused("evm-log-index-other", log_index=0)
    yield refused("evm-log-index-other beyond the last", "IndexBeyondSize", log_index=2)
    yield refused("evm-receipt-proof-wrong-key", tx_index=4)
    yield refused("evm-receipt-proof-wrong-key an index that is not there", tx_index=200)
    yield refused("evm-descendant-unlinked", descendants=anchor()["descendants"][1:])
    yield refused("evm-descendant-unlinked order turned", descendants=anchor()["descendants"][::-1])
    yield refused("evm-descendant-unlinked number jumps", descendants=[header(72, keccak(anchor()["header"]))])


def event_cases():
    for member, value in (
        ("log_id", b"\x12" * 32), ("tree_size", 3), ("root", b"\x23" * 32), ("timestamp", TIME - 600), ("set_id", 2),
    ):  # fmt: skip
        told = anchor(receipt([[STRANGER, [], b"x"], event(**{member: value})]))
        yield refused(f"evm-event-of-another-checkpoint {member}", given=told)
    yield refused("evm-tree-size-other", tree_size=3)
    whole, (address, topics, data) = event(), event()
    for name, log in (
        ("a byte more", event(more=b"\x00")), ("a byte less", [address, topics, data[:-1]]),
        ("two topics", [address, topics[:2], data]), ("four topics", [address, [*topics, bytes(32)], data]),
    ):  # fmt: skip
        yield refused(f"evm-event-shape {name}", given=anchor(receipt([whole, log])))
    yield refused("evm-before-the-epoch-ended", given=anchor(time=TIME - 1))


def proof_cases():
    given = anchor()
    yield refused("evm-proof one node short", "Truncated", proof=given["proof"][:-1])
    yield refused("evm-proof one node long", "TooLong", proof=given["proof"] * 2)
    yield refused("evm-proof no node", "Truncated", proof=[])
    yield refused("evm-proof nodes reversed", proof=given["proof"][::-1])
    for i, node in enumerate(given["proof"]):
        changed = [*given["proof"][:i], flip(node, 77), *given["proof"][i + 1 :]]
        yield refused(f"evm-proof bit flipped in node {i}", proof=changed)
    yield refused("evm-receipt another one than in the trie", receipt=receipt([[STRANGER, [], b"y"], event()]))


def bytes_cases():
    given = anchor()
    whole = given["header"]
    short = rlp([bytes(32)] * 14)
    yield refused("evm-header fourteen items", "FieldMalformed", header=short)
    yield refused("evm-header trailing byte", "TrailingBytes", header=whole + b"\x00")
    yield refused("evm-header cut", "Truncated", header=whole[:-1])
    yield refused("evm-header empty", "Truncated", header=b"")
    yield refused("evm-header longer than 4096 bytes", "TooLong", header=bytes(4097))
    yield refused("evm-header of another public block", header=header(70, receipts=b"\x01" * 32))
    yield refused("evm-receipt of an unknown type", "FieldMalformed", receipt=receipt([event()] * 2, kind=b"\x05"))
    yield refused("evm-receipt of type zero", "FieldMalformed", receipt=receipt([event()] * 2, kind=b"\x00"))
    yield refused("evm-receipt empty", "FieldMalformed", receipt=b"")
    yield refused("evm-receipt status two", "FieldMalformed", receipt=receipt([event()] * 2, status=2))
    yield refused("evm-receipt trailing byte", "TrailingBytes", receipt=given["receipt"] + b"\x00")
    yield refused("evm-receipt length not minimal", "NotCanonical", receipt=b"\x02\xf8\x01\x80")
    yield refused("evm-contract 19 bytes", "FieldMalformed", contract=CONTRACT[1:])
    yield refused("evm-descendants 257", "TooLong", descendants=[b"\xc0"] * 257)


def anchor_cases():
    for cases in (good_cases, named_cases, event_cases, proof_cases, bytes_cases):
        yield from cases()


def main(folder):
    listed = list(anchor_cases())
    document = {"operation": "anchor/evm", "count": len(listed), "checkpoint": hexed(CHECKPOINT), "cases": listed}
    target = Path(folder) / "anchor" / "evm.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = ArgumentParser(description="Write the vectors of public anchors.")
    parser.add_argument("folder", nargs="?", default=HERE, type=Path)
    main(parser.parse_args().folder)
