"""Cases of the family guard/ (RELAYER §5.4): what an attestation key may sign, step after step.

A case is a life of guards, each the store of one key on one log. Every step says what must be answered; the last one is
the question. Sizes, roots and paths are those of two histories that part after leaf 9.
"""

import reference as r
from cases import hexed
from quorums import CADENCE, GENESIS_TIME, digest

SECTION = "RELAYER §5.4"
LOG, OTHER_LOG = r.leaf(b"genesis record"), r.leaf(b"another genesis record")
LEAVES = [LOG, *[r.leaf(b"epoch %d" % i) for i in range(1, 32)]]
FORKED = [*LEAVES[:10], *[r.leaf(b"other epoch %d" % i) for i in range(10, 32)]]
FOREIGN = [OTHER_LOG, *LEAVES[1:]]
SET_1, SET_2 = r.sha(b"set 1"), r.sha(b"set 2")
SIGNED, REPEAT, KNOWN = "signed", "repeat", "known"  # everything else is a refusal, or "halt"


def stated(size, leaves=LEAVES, **changes):
    """The digest of the checkpoint of this size (SPEC §8.2)."""
    fields = {"log_id": leaves[0], "tree_size": size, "root": r.root(leaves[:size])}
    fields |= {"timestamp": GENESIS_TIME + (size - 1) * CADENCE, "set_id": 1, "set_hash": SET_1}
    return digest(fields | changes)


def sign(size, before=1, expect=SIGNED, leaves=LEAVES, key="a", **changes):
    """Asked to sign this size; the path is that from size `before`."""
    path = changes.pop("path", r.proof(before, leaves[:size]) if 1 <= before <= size else [])
    root = changes.pop("root", r.root(leaves[:size]))
    said = changes.pop("digest", None) or stated(size, leaves, root=root, **changes)
    given = {"guard": key, "size": size, "root": root, "digest": said, "path": path}
    return {"do": "sign", **given, "expect": expect}


def found(key="a", log=LOG):
    return {"do": "create", "guard": key, "log_id": log, "expect": KNOWN}


def restart(key="a"):
    return {"do": "restart", "guard": key, "expect": KNOWN}


def crash(size, before=1, **changes):
    """The row stands, the signature was never stored: the process died between the two."""
    return {**sign(size, before, **changes), "do": "crash"}


def floor(size, leaves=LEAVES, key="a"):
    """What `guard import` sets before a restored store may sign again: the highest that peers or the chain know."""
    return {"do": "floor", "guard": key, "size": size, "root": r.root(leaves[:size]), "expect": KNOWN}


def hear(size, expect, key="a"):
    """A peer, or the contract, shows a signature of this key over this size."""
    return {"do": "hear", "guard": key, "size": size, "expect": expect}


def power(number, told, expect=SIGNED, kind="set", chain_id=1, contract=b"\xcc" * 20, key="a"):
    given = {"guard": key, "chain_id": chain_id, "contract": contract, "kind": kind, "number": number}
    return {"do": "power", **given, "digest": r.sha(told), "expect": expect}


def guard_cases():
    for name, *then in (*first(), *again(), *doubles(), *floors(), *extensions(), *restored(), *powers()):
        steps = [found(), *then]
        answer = steps[-1]["expect"]
        verdict = {
            SIGNED: (SIGNED, "ok"),
            REPEAT: (REPEAT, "ok"),
            KNOWN: (KNOWN, "ok"),
            "halt": ("StoreBroken", "Broken"),
        }
        expected, kind = verdict.get(answer, ("GuardRefused", "Rejected"))
        yield {"name": name, "section": SECTION, "input": hexed({"steps": steps}), "expected": expected, "class": kind}


def first():
    yield "sign-first", sign(2)
    yield "sign-growing", sign(2), sign(3, 2), sign(4, 3)
    yield "sign-skipped-sizes", sign(2), sign(9, 2), sign(31, 9)
    yield "sign-of-another-log", found("b", OTHER_LOG), sign(2), sign(2, leaves=FOREIGN, key="b")
    yield "sign-by-another-key", found("b"), sign(9), sign(9, key="b")
    yield "first-without-path", sign(2, path=[], expect="not_an_extension")
    yield "first-of-another-genesis", sign(2, leaves=FOREIGN, expect="not_an_extension")
    yield "first-size-one", sign(1, 1, "below_floor")
    yield "first-size-zero", sign(0, 1, "below_floor", root=r.root([]), digest=r.sha(b"zero"))


def again():
    yield "repeat", sign(2), sign(2, expect=REPEAT)
    yield "repeat-whatever-the-path", sign(2), sign(2, path=[bytes(32)], expect=REPEAT)
    yield "repeat-of-an-older-size", sign(2), sign(9, 2), sign(2, expect=REPEAT)
    yield "repeat-after-restart", sign(2), restart(), sign(2, expect=REPEAT)
    yield "repeat-after-crash", crash(2), restart(), sign(2, expect=REPEAT)
    yield "next-after-crash", crash(2), restart(), sign(3, 2)
    yield "double-after-crash", crash(2), restart(), sign(2, root=bytes(32), expect="double")
    yield "double-after-restart", sign(12), restart(), sign(12, leaves=FORKED, expect="double")
    yield "below-after-crash", crash(9), restart(), sign(8, expect="below_floor")


def doubles():
    for told, size, path in (("newest", 12, [sign(12)]), ("older", 12, [sign(12), sign(20, 12)])):
        moment = GENESIS_TIME + (size - 1) * CADENCE
        for name, changes in (
            ("root", {"leaves": FORKED}),
            ("timestamp", {"timestamp": moment + 1}),
            ("set-id", {"set_id": 2}),
            ("set-hash", {"set_hash": SET_2}),
            ("log-id", {"log_id": OTHER_LOG}),
            ("digest-alone", {"digest": r.sha(b"any other digest")}),
        ):
            yield f"double {name}, {told} size", *path, sign(size, expect="double", **changes)
    yield "double root alone in the digest", sign(12), sign(12, digest=stated(12, FORKED), expect="double")
    yield "double twice", sign(12), sign(12, set_id=2, expect="double"), sign(12, set_id=3, expect="double")
    yield "repeat-after-a-refused-double", sign(12), sign(12, set_id=2, expect="double"), sign(12, expect=REPEAT)


def floors():
    yield "below-floor just below", sign(9), sign(8, expect="below_floor")
    yield "below-floor far below", sign(31), sign(2, expect="below_floor")
    yield "below-floor between two", sign(4), sign(9, 4), sign(6, 4, "below_floor")
    yield "below-floor of another history", sign(20), sign(12, leaves=FORKED, expect="below_floor")
    yield "below-floor after restart", sign(20), restart(), sign(19, expect="below_floor")
    yield "just-above", sign(9), sign(10, 9)
    yield "skipped-size-is-lost", sign(4), sign(6, 4), sign(5, 4, "below_floor"), sign(7, 6)


def extensions():
    good_path = r.proof(9, LEAVES[:20])
    for name, path in (
        ("path-missing", []),
        ("path-one-short", good_path[:-1]),
        ("path-one-long", [*good_path, bytes(32)]),
        ("path-for-other-sizes", r.proof(8, LEAVES[:20])),
        ("path-for-a-later-size", r.proof(9, LEAVES[:21])),
        ("path-from-the-genesis", r.proof(1, LEAVES[:20])),
        ("path-reversed", good_path[::-1]),
        ("path-zeros", [bytes(32)] * len(good_path)),
        ("path-one-bit", [*good_path[:-1], bytes([good_path[-1][0] ^ 1]) + good_path[-1][1:]]),
    ):
        yield name, sign(9), sign(20, path=path, expect="not_an_extension")
    yield "path-contradicting", sign(12), sign(20, 12, leaves=FORKED, expect="not_an_extension")
    yield "path-root-other", sign(9), sign(20, 9, root=bytes(32), expect="not_an_extension")
    yield "path-31-bytes", sign(9), sign(20, path=[good_path[0][:31], *good_path[1:]], expect="not_an_extension")
    yield "fork-after-the-common-part", sign(9), sign(20, 9, leaves=FORKED), sign(21, 20, expect="not_an_extension")
    yield "good-after-a-refused-one", sign(9), sign(20, path=[], expect="not_an_extension"), sign(20, 9)
    yield "size-2^53", sign(9), sign(2**53, path=[], root=bytes(32), digest=r.sha(b"x"), expect="not_an_extension")


def restored():
    """Yesterday's copy: it lacks what its key has said since. Peers and the contract tell; a floor is the cure."""
    yield "peers-saw-what-is-known", sign(9), hear(9, KNOWN)
    yield "peers-saw-the-genesis", hear(1, KNOWN)
    yield "peers-saw-more", sign(9), hear(20, "halt")
    yield "peers-saw-a-skipped-size", sign(9), sign(20, 9), hear(12, "halt")
    yield "peers-saw-of-an-empty-store", hear(2, "halt")
    yield "peers-saw-after-a-floor", sign(9), floor(20), hear(20, KNOWN)
    yield "peers-saw-below-a-floor", sign(9), floor(20), hear(12, KNOWN)
    yield "peers-saw-above-a-floor", sign(9), floor(20), hear(21, "halt")
    yield "floor-then-next", sign(9), floor(20), sign(21, 20)
    yield "floor-then-repeat-of-known", sign(9), floor(20), sign(9, expect=REPEAT)
    yield "floor-then-its-own-size", sign(9), floor(20), sign(20, 9, "below_floor")
    yield "floor-then-below", sign(9), floor(20), sign(19, 9, "below_floor")
    yield "floor-then-just-above-the-old", sign(9), floor(20), sign(10, 9, "below_floor")
    yield "floor-then-path-from-the-old", sign(9), floor(20), sign(21, 9, "not_an_extension")
    yield "floor-then-another-history", sign(9), floor(20), sign(21, 20, leaves=FORKED, expect="not_an_extension")
    yield "floor-of-another-history", sign(9), floor(20, FORKED), sign(21, 20, "not_an_extension")
    yield "floor-never-falls", floor(20), floor(9), sign(12, 9, "below_floor")
    yield "floor-below-what-was-signed", sign(20), floor(9), sign(12, 9, "below_floor")
    yield "floor-then-double-of-known", sign(12), floor(20), sign(12, leaves=FORKED, expect="double")
    yield "floor-of-another-key", found("b"), floor(20), sign(12, key="b")


def powers():
    yield "power", power(2, b"set 2")
    yield "power-again", power(2, b"set 2"), power(2, b"set 2", REPEAT)
    yield "power-next", power(2, b"set 2"), power(3, b"set 3")
    yield "power-on-another-chain", power(2, b"set 2"), power(2, b"other", chain_id=10)
    yield "power-of-another-contract", power(2, b"set 2"), power(2, b"other", contract=b"\xdd" * 20)
    yield "power-double", power(2, b"set 2"), power(2, b"another", "double_power")
    yield "power-double after restart", power(2, b"set 2"), restart(), power(2, b"another", "double_power")
    yield (
        "power-double of an older number",
        power(2, b"set 2"),
        power(3, b"set 3"),
        power(2, b"another", "double_power"),
    )
    for kind in ("pause", "resume"):
        yield f"power-double {kind}", power(1, b"one", kind=kind), power(1, b"another", "double_power", kind=kind)
    yield "power-pause-is-no-set", power(2, b"set 2"), power(2, b"pause", kind="pause")
    yield (
        "power-double after another chain's",
        power(2, b"set 2"),
        power(2, b"x", chain_id=10),
        power(2, b"x", "double_power"),
    )
