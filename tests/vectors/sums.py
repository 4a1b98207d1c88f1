"""Cases of the family tree/ about sum trees (SPEC §2.1), and of epoch/ about whole batches (SPEC §6)."""

import reference as r
from cases import bad, flip, good
from epochs import LOG_ID
from transactions import u
from worlds import world

SECTION = "SPEC §2.1"
TOP_SUM, TOP_AMOUNT = 2**127 - 1, 2**63 - 1


def leaf(number, amount=None):
    """Id, amount, salt."""
    return {
        "id": r.sha(b"id%d" % number),
        "amount": 100 * (number + 1) if amount is None else amount,
        "salt": r.sha(b"salt%d" % number),
    }


def node_of(one):
    return one["amount"], r.sha(b"\x04" + one["id"] + u(one["amount"], 16) + one["salt"])


def join(left, right):
    return left[0] + right[0], r.sha(b"\x05" + element(left) + element(right))


def element(node):
    return u(node[0], 16) + node[1]


def top(nodes):
    if len(nodes) == 1:
        return nodes[0]
    k = r.split(len(nodes))
    return join(top(nodes[:k]), top(nodes[k:]))


def path(index, nodes):
    if len(nodes) == 1:
        return []
    k = r.split(len(nodes))
    if index < k:
        return [*path(index, nodes[:k]), top(nodes[k:])]
    return [*path(index - k, nodes[k:]), top(nodes[:k])]


def tree(count, amounts=()):
    """Leaves in the order of their ids."""
    leaves = sorted((leaf(i, dict(enumerate(amounts)).get(i)) for i in range(count)), key=lambda one: one["id"])
    return leaves, [node_of(one) for one in leaves]


def claim(index, count, **changes):
    leaves, nodes = tree(count)
    total = top(nodes)
    told = {
        "leaf": leaves[index],
        "index": index,
        "size": count,
        "path": [list(one) for one in path(index, nodes)],
        "top": list(total),
    }
    return told | changes


def sum_cases():
    for count in (1, 2, 3, 7):
        for index in range(count):
            yield good(f"sum-good {index} of {count}", SECTION, claim(index, count))
    true = claim(2, 7)
    first, amount = true["path"][0], true["leaf"]["amount"]
    for name, changes, error in (
        ("sum-other", {"top": [true["top"][0] + 1, true["top"][1]]}, "RootMismatch"),
        ("sum-top-other", {"top": [true["top"][0], flip(true["top"][1])]}, "RootMismatch"),
        ("sum-amount-other", {"leaf": true["leaf"] | {"amount": amount + 1}}, "RootMismatch"),
        ("sum-amount-moved", {"leaf": true["leaf"] | {"amount": amount + 1}, "path": [[first[0] - 1, first[1]], *true["path"][1:]]}, "RootMismatch"),
        ("sum-id-other", {"leaf": true["leaf"] | {"id": r.sha(b"x")}}, "RootMismatch"),
        ("sum-salt-other", {"leaf": true["leaf"] | {"salt": r.sha(b"x")}}, "RootMismatch"),
        ("sum-sibling-other", {"path": [[first[0] + 1, first[1]], *true["path"][1:]]}, "RootMismatch"),
        ("sum-sibling-digest-other", {"path": [[first[0], flip(first[1])], *true["path"][1:]]}, "RootMismatch"),
        ("sum-siblings-reversed", {"path": true["path"][::-1]}, "RootMismatch"),
        ("sum-path-one-short", {"path": true["path"][:-1]}, "PathLength"),
        ("sum-path-one-long", {"path": [*true["path"], first]}, "PathLength"),
        ("sum-index-other", {"index": 3}, "RootMismatch"),
        ("sum-index-beyond", {"index": 7}, "IndexBeyondSize"),
        ("sum-size-zero", {"size": 0}, "SizeOrder"),
        ("sum-amount-2^63", {"leaf": true["leaf"] | {"amount": 2**63}}, "FieldMalformed"),
        ("sum-amount-negative", {"leaf": true["leaf"] | {"amount": -1}}, "FieldMalformed"),
        ("sum-overflow", {"path": [[TOP_SUM, first[1]], *true["path"][1:]]}, "FieldMalformed"),
        ("sum-overflow in one element", {"path": [[2**127, first[1]], *true["path"][1:]]}, "FieldMalformed"),
        ("sum-digest-31-bytes", {"path": [[first[0], first[1][:31]], *true["path"][1:]]}, "DigestLength"),
        ("sum-salt-31-bytes", {"leaf": true["leaf"] | {"salt": bytes(31)}}, "DigestLength"),
    ):  # fmt: skip
        yield bad(name, SECTION, {**true, **changes}, error)


def total_cases():
    """What a field with a tree's digest opens to: the total, or nothing."""
    leaves, nodes = tree(3)
    left, right = top(nodes[:2]), nodes[2]
    whole, digest = element(left) + element(right), top(nodes)[1]
    lone = leaves[0]["id"] + u(leaves[0]["amount"], 16) + leaves[0]["salt"]
    given = {"digest": digest, "preimage": whole}
    yield good("total", SECTION, given, {"total": 600, "digest": digest})
    yield good(
        "total of one",
        SECTION,
        {"digest": nodes[0][1], "preimage": lone},
        {"total": leaves[0]["amount"], "digest": nodes[0][1]},
    )
    for name, preimage, error in (
        ("sum-top-only", digest, "FieldMalformed"),
        ("sum-top-with-a-stated-sum", u(600, 16) + digest, "FieldMalformed"),
        ("total-empty", b"", "FieldMalformed"),
        ("total-95-bytes", whole[:-1], "FieldMalformed"),
        ("total-97-bytes", whole + b"\x00", "FieldMalformed"),
        ("total-of-other-sums", u(left[0] + 1, 16) + whole[16:], "RootMismatch"),
        ("total-sides-exchanged", element(right) + element(left), "RootMismatch"),
        ("total-of-another-tree", element(nodes[0]) + element(nodes[1]), "RootMismatch"),
        ("sum-overflow of two sides", u(TOP_SUM, 16) + left[1] + u(1, 16) + right[1], "FieldMalformed"),
        ("sum-overflow of one side", u(2**127, 16) + left[1] + element(right), "FieldMalformed"),
        ("sum-amount-2^63 of one", lone[:32] + u(2**63, 16) + lone[48:], "FieldMalformed"),
        ("total-leaf-as-node", lone + bytes(16), "FieldMalformed"),
    ):
        yield bad(name, SECTION, {"digest": digest, "preimage": preimage}, error)


def sum_root_cases():
    leaves, nodes = tree(5)
    yield good("sum-tree", SECTION, {"leaves": leaves}, {"total": 1500, "digest": top(nodes)[1]})
    yield good("sum-tree of one", SECTION, {"leaves": leaves[:1]}, {"total": nodes[0][0], "digest": nodes[0][1]})
    largest = [one | {"amount": TOP_AMOUNT} for one in leaves]
    yield good(
        "sum-tree of the largest",
        SECTION,
        {"leaves": largest},
        dict(zip(("total", "digest"), top([node_of(one) for one in largest]), strict=True)),
    )
    for name, given, error in (
        ("sum-ids-unsorted", leaves[::-1], "FieldMalformed"),
        ("sum-ids-unsorted two", [leaves[1], leaves[0], *leaves[2:]], "FieldMalformed"),
        ("sum-ids-twice", [leaves[0], leaves[0] | {"salt": bytes(32)}], "FieldMalformed"),
        ("sum-no-leaf", [], "FieldMalformed"),
        ("sum-amount-2^63", [leaves[0] | {"amount": 2**63}], "FieldMalformed"),
    ):
        yield bad(name, SECTION, {"leaves": given}, error)


# ── batches, for whoever holds one ───────────────────────────────────────────────────────────────────────────────────


def batch_cases():
    w = world()
    secret, origin_hash = w.seeds["K_1"], r.sha(w.origin.encode())
    shared = {"secret": secret, "origin_hash": origin_hash}
    section = "SPEC §6"

    def given(e=1, entries=None, **changes):
        entries = w.batches[e]["entries"] if entries is None else entries
        root = r.root([r.leaf(entry) for entry in entries])
        return {**shared, "epoch": e, "entries": entries, "size": len(entries), "root": root, **changes}

    for e in (1, 2, 3):
        yield good(f"batch {e}", section, given(e))
    entries = w.batches[1]["entries"]
    record, refusal = w.entries["confirm"]["entry"], w.refusal
    decoys = [one for one in entries if one[0] == 0]
    for name, told, error in (
        ("batch-unsorted", given(entries=entries[::-1]), "FieldMalformed"),
        ("batch-unsorted two", given(entries=[entries[1], entries[0], *entries[2:]]), "FieldMalformed"),
        ("batch-duplicate-leaf", given(entries=[*entries[:4], entries[3], *entries[4:]]), "FieldMalformed"),
        ("batch-duplicate-leaf in place of another", given(entries=[*entries[:4], *entries[3:7]]), "FieldMalformed"),
        ("decoy-not-prf", given(entries=swapped(entries, decoys[0], bytes(5) + r.sha(b"any other"))), "FieldMismatch"),
        ("decoy-not-prf of another epoch", given(entries=swapped(entries, decoys[0], w.batches[2]["entries"][0] if w.batches[2]["entries"][0][0] == 0 else w.batches[2]["entries"][1])), "FieldMismatch"),
        ("decoy-not-prf a number too far", given(entries=swapped(entries, decoys[0], decoy(w, 1, 6))), "FieldMismatch"),
        ("decoy-not-prf of another secret", given(secret=w.seeds["K_2"]), "FieldMismatch"),
        ("decoy-not-prf of another origin", given(origin_hash=LOG_ID), "FieldMismatch"),
        ("batch-entry-missing", given(entries=[one for one in entries if one != record], size=8), "FieldMismatch"),
        ("batch-size-other", given(size=16), "FieldMismatch"),
        ("batch-root-other", given(root=r.sha(b"x")), "RootMismatch"),
        ("batch-of-another-epoch", given(2, root=r.root(w.batches[1]["leaves"])), "RootMismatch"),
        ("batch-entry-36-bytes", given(entries=sorted([*entries[1:], entries[0][:-1]], key=r.leaf)), "Truncated"),
        ("batch-entry-unknown-first-byte", given(entries=swapped(entries, refusal, b"\x03" + refusal[1:])), "EntryMalformed"),
        ("batch-decoy-with-a-type", given(entries=swapped(entries, decoys[0], b"\x00\x01" + decoys[0][2:])), "EntryMalformed"),
    ):  # fmt: skip
        yield bad(name, section, told, error)


def swapped(entries, old, new):
    return sorted([new if one == old else one for one in entries], key=r.leaf)


def decoy(w, e, i):
    return bytes(5) + w.prf("decoy-entry", u(e, 8) + u(i, 4))
