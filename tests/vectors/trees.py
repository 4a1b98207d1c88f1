"""Cases of the families tree/ and cross/ (SPEC §15)."""

import reference as r
from cases import bad, flip, good

# ── tree/: inclusion ─────────────────────────────────────────────────────────────────────────────────────────────────

LEAVES = [r.leaf(b"leaf %d" % i) for i in range(130)]
PLACES = [
    (0, 1), (0, 2), (1, 2), (0, 3), (2, 3), (2, 4), (3, 5), (4, 5), (5, 6), (5, 7), (6, 7), (0, 8), (7, 8), (8, 9),
    (10, 11), (20, 33), (32, 33), (33, 64), (65, 100), (99, 100), (128, 129), (77, 130),
]  # fmt: skip


def inclusion_cases():
    for index, size in PLACES:
        leaves = LEAVES[:size]
        true = {"leaf": leaves[index], "index": index, "size": size, "path": r.path(index, leaves)}
        true["root"] = r.root(leaves)
        yield good(f"path-good {index} of {size}", "SPEC §2", true)
        for name, change in inclusion_mutations(leaves, true):
            case = {**true, **change}
            error = r.inclusion_verdict(case["leaf"], case["index"], case["size"], case["path"], case["root"])
            if error != "ok":  # roots do not commit to sizes: a few wrong ones give the same shape, and are no case
                yield bad(f"{name} {index} of {size}", "SPEC §2", case, error)
    yield from one_inclusion_cases()


def inclusion_mutations(leaves, true):
    index, size, path, leaf = true["index"], true["size"], true["path"], true["leaf"]
    yield "path-one-long", {"path": [*path, true["root"]]}
    yield "path-one-long-in-front", {"path": [leaf, *path]}
    yield "path-54-hashes", {"path": [*path, *[leaf] * (54 - len(path))]}
    yield "index-equals-size", {"index": size}
    yield "index-plus-one", {"index": index + 1}
    yield "size-zero", {"size": 0}
    yield "size-zero-index-zero", {"size": 0, "index": 0, "path": []}
    yield "size-plus-one", {"size": size + 1}
    yield "size-halved", {"size": (size + 1) // 2}
    yield "size-doubled", {"size": 2 * size}
    yield "zero-root", {"root": bytes(32)}
    yield "empty-tree-root", {"root": r.root([])}
    yield "root-one-bit", {"root": flip(true["root"], 255)}
    yield "leaf-one-bit", {"leaf": flip(leaf, 7)}
    yield "zero-leaf", {"leaf": bytes(32)}
    if not path:
        return
    yield "path-one-short", {"path": path[:-1]}
    yield "path-one-short-in-front", {"path": path[1:]}
    yield "path-empty", {"path": []}
    yield "root-as-leaf-without-path", {"leaf": true["root"], "path": []}
    yield "index-minus-one", {"index": max(index - 1, 0)}
    yield "index-sibling", {"index": index ^ 1}
    yield "zero-sibling", {"path": [bytes(32), *path[1:]]}
    yield "siblings-reversed", {"path": path[::-1]}
    for k in range(len(path)):
        yield f"sibling-one-bit {k} for", {"path": [*path[:k], flip(path[k], 8 * k), *path[k + 1 :]]}
    yield "inner-node-as-leaf", {"leaf": r.node(*sorted((leaf, path[0]))), "path": path[1:]}
    yield "inner-node-as-leaf-one-level-up", inner_node(leaves, true)
    if index == size - 1 and size & 1:
        for alias in range(size - 1):
            yield f"index-aliased-lone-right-leaf as {alias} for", {"index": alias}
        yield "index-aliased-lone-right-leaf beyond for", {"index": 2 * index}


def inner_node(leaves, true):
    """The true node above the leaf, with a true path, shown as a leaf of the same tree."""
    pair = true["index"] & ~1
    return {"leaf": r.root(leaves[pair : pair + 2]), "path": true["path"][1:]}


def one_inclusion_cases():
    path = [LEAVES[i] for i in range(53)]
    top = 2**53 - 1
    given = {"leaf": LEAVES[0], "index": 0, "size": top, "path": path, "root": r.path_root(LEAVES[0], 0, top, path)}
    yield good("path-53-hashes", "SPEC §2", given)
    yield bad("path-54-hashes largest tree", "SPEC §2", {**given, "path": [*path, LEAVES[53]]}, "PathLength")
    yield bad("size-2^53", "SPEC §1", {**given, "size": top + 1}, "SizeOrder")
    node = r.node(LEAVES[0], LEAVES[1])
    given = {"leaf": node, "index": 0, "size": 2, "path": [r.node(LEAVES[2], LEAVES[3])], "root": r.root(LEAVES[:4])}
    yield good("inner-node-as-leaf-hash of half the size", "SPEC §2", given)  # sizes are signed, so this is harmless


# ── tree/: consistency ───────────────────────────────────────────────────────────────────────────────────────────────

PAIRS = [
    (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 4), (3, 5), (4, 5), (4, 8), (5, 8), (6, 7), (6, 8), (7, 8), (8, 8),
    (8, 9), (21, 33), (32, 33), (33, 64), (48, 64), (64, 100), (65, 100), (97, 100), (128, 130), (129, 130),
]  # fmt: skip


def consistency_cases():
    for old, new in PAIRS:
        leaves = LEAVES[:new]
        true = {"old_size": old, "new_size": new, "path": r.proof(old, leaves)}
        true |= {"old_root": r.root(leaves[:old]), "new_root": r.root(leaves)}
        yield good(f"consistency-good {old} to {new}", "SPEC §2", true)
        for name, change in consistency_mutations(true):
            case = {**true, **change}
            error = r.consistency_verdict(*(case[key] for key in true))
            if error != "ok":
                yield bad(f"{name} {old} to {new}", "SPEC §2", case, error)
    yield bad("consistency-from-zero to zero", "SPEC §2", zero_to(0, []), "SizeOrder")
    yield bad("consistency-from-zero without path", "SPEC §2", zero_to(5, []), "SizeOrder")
    yield bad("size-2^53", "SPEC §1", {**zero_to(2**53, LEAVES[:53]), "old_size": 1}, "SizeOrder")


def zero_to(new, path):
    leaves = LEAVES[: new % 130]
    return {"old_size": 0, "new_size": new, "path": path, "old_root": r.root([]), "new_root": r.root(leaves)}


def consistency_mutations(true):
    old, new, path = true["old_size"], true["new_size"], true["path"]
    yield "consistency-from-zero", {"old_size": 0, "old_root": r.root([])}
    yield "consistency-m-greater-n", {"old_size": new + 1, "new_size": new}
    yield "swapped-roots", {"old_root": true["new_root"], "new_root": true["old_root"]}
    yield "path-one-long", {"path": [*path, true["new_root"]]}
    yield "path-one-long-in-front", {"path": [true["old_root"], *path]}
    yield "old-root-one-bit", {"old_root": flip(true["old_root"], 3)}
    yield "new-root-one-bit", {"new_root": flip(true["new_root"], 200)}
    yield "zero-root", {"new_root": bytes(32)}
    yield "zero-old-root", {"old_root": bytes(32)}
    yield "old-size-plus-one", {"old_size": old + 1}
    yield "old-size-minus-one", {"old_size": old - 1}
    yield "new-size-plus-one", {"new_size": new + 1}
    yield "new-size-doubled", {"new_size": 2 * new}
    if old == new:
        yield "consistency-equal-size-with-path", {"path": [true["old_root"]]}
        return
    yield "sizes-made-equal", {"old_size": new}
    yield "sizes-made-equal-without-path", {"old_size": new, "path": []}
    yield "path-one-short", {"path": path[:-1]}
    yield "path-one-short-in-front", {"path": path[1:]}
    yield "path-empty", {"path": []}
    yield "siblings-reversed", {"path": path[::-1]}
    for k in range(len(path)):
        yield f"sibling-one-bit {k} for", {"path": [*path[:k], flip(path[k], 8 * k), *path[k + 1 :]]}
    middle = len(path) // 2
    if middle:
        swapped = [*path[: middle - 1], path[middle], path[middle - 1], *path[middle + 1 :]]
        yield "consistency-middle-hash-swapped", {"path": swapped}


def root_cases():
    data = [b"", b"\x00", b"\x01", bytes(32), b"leaf"]
    yield good("leaf-hashes", "SPEC §1", {"data": data}, [r.leaf(d) for d in data])
    sizes = list(range(131))
    yield good("roots 0 to 130", "SPEC §2", {"leaves": LEAVES, "sizes": sizes}, [r.root(LEAVES[:n]) for n in sizes])


# ── cross/: what is a leaf here is none there ────────────────────────────────────────────────────────────────────────


def cross_cases():
    fields = sorted(r.sha(b"field %d" % i) for i in range(8))
    entries = [b"\x01\x01\x01\x00\x08" + r.sha(b"entry %d" % i) for i in range(8)]
    field_leaves, batch_leaves = [r.leaf(f) for f in fields], [r.leaf(e) for e in entries]
    epoch, genesis = b"\xe4" + bytes(639), b"\xb4" + bytes(831)
    log_leaves, governance = [r.leaf(genesis), r.leaf(epoch)], [r.leaf(genesis), r.leaf(b"\xc6" + bytes(287))]
    k, v = r.sha(b"key"), r.sha(b"value")
    registry_leaf, registry_node = r.sha(b"\x02" + k + v), r.sha(b"\x03" + k + v)
    sums = b"\x04" + r.sha(b"id0") + (100).to_bytes(16, "big") + k
    section = "SPEC §1"
    yield good("field-in-fields", section, shown(fields[3], 3, field_leaves))
    yield good("entry-in-batch", section, shown(entries[5], 5, batch_leaves))
    for name, given in {
        "field-leaf-in-batch": {**shown(fields[3], 3, batch_leaves)},
        "field-leaf-in-batch by the root of the fields": {**shown(entries[3], 3, field_leaves)},
        "entry-as-field": {**shown(entries[5], 5, field_leaves)},
        "entry-as-field hash only": {**shown(entries[5][5:], 5, batch_leaves)},
        "epoch-record-as-governance-leaf": {**shown(epoch, 1, governance)},
        "governance-record-as-log-leaf": {**shown(b"\xc6" + bytes(287), 1, log_leaves)},
        "registry-leaf-as-node": {**shown(b"", 0, [k, v]), "root": registry_leaf},
        "registry-leaf-as-node of two leaves": {**shown(k, 0, [r.leaf(k), r.leaf(v)]), "root": registry_leaf},
        "registry-node-as-node": {**shown(k, 0, [r.leaf(k), r.leaf(v)]), "root": registry_node},
        "registry-leaf-as-leaf": {**shown(k + v, 0, [registry_leaf])},
        "sum-leaf-as-field": {**shown(sums, 0, [r.sha(sums), *field_leaves[1:]])},
        "sum-leaf-as-field without tag": {**shown(sums[1:], 0, [r.sha(sums), *field_leaves[1:]])},
        "batch-root-as-log-root": {**shown(entries[5], 5, batch_leaves), "root": r.root(log_leaves)},
        "batch-root-as-leaf": {**shown(r.root(batch_leaves), 0, [r.root(batch_leaves)])},
        "empty-tree-hash-as-root": {**shown(b"", 0, [r.root([])])},
        "empty-tree-hash-as-root of one entry": {**shown(entries[0], 0, [r.root([])])},
        "node-preimage-as-leaf": {**shown(field_leaves[0] + field_leaves[1], 0, [r.root(field_leaves[:2])])},
        "node-preimage-as-leaf with tag": {
            **shown(b"\x01" + field_leaves[0] + field_leaves[1], 0, [r.root(field_leaves[:2])])
        },
        "leaf-preimage-with-tag": {**shown(b"\x00" + entries[5], 5, batch_leaves)},
    }.items():
        yield bad(name, section, given, "RootMismatch")


def shown(data, index, leaves):
    """The data as a leaf with the true path of `index` in the tree of these leaf hashes."""
    path = r.path(index, leaves)
    return {"data": data, "index": index, "size": len(leaves), "path": path, "root": r.root(leaves)}
