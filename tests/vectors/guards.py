"""Cases of the family guard/ (RELAYER §5.4): what an attestation key may sign, step after step.

A case is a life of guards, each the store of one key on one log. Every step says what must be answered; the last one is
the question. Sizes, roots and paths are those of two histories that part after leaf 9. Files of histories are written
here with a plain `json.dumps`, and some are spoilt as text.
"""

import json

import reference as r
from cases import hexed
from quorums import CADENCE, GENESIS_TIME, digest

SECTION = "RELAYER §5.4"
LOG, OTHER_LOG = r.leaf(b"genesis record"), r.leaf(b"another genesis record")
LEAVES = [LOG, *[r.leaf(b"epoch %d" % i) for i in range(1, 32)]]
FORKED = [*LEAVES[:10], *[r.leaf(b"other epoch %d" % i) for i in range(10, 32)]]
FOREIGN = [OTHER_LOG, *LEAVES[1:]]
SET_1, SET_2 = r.sha(b"set 1"), r.sha(b"set 2")
KEYS = {"a": bytes(range(1, 21)), "b": bytes(range(2, 22)), "stranger": b"\xee" * 20}
CONTRACT = b"\xcc" * 20
SIGNED, REPEAT, KNOWN = "signed", "repeat", "known"  # everything else is a refusal, "halt", or of a file
IMPORTED, EXPORTED, MALFORMED, REFUTED, REJECTED = "imported", "exported", "malformed", "refuted", "rejected"
EQUIVOCATION = "equivocation"


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
    return {"do": "create", "guard": key, "log_id": log, "key": KEYS[key], "expect": KNOWN}


def restart(key="a"):
    return {"do": "restart", "guard": key, "expect": KNOWN}


def crash(size, before=1, **changes):
    """The row stands, the signature was never stored: the process died between the two."""
    return {**sign(size, before, **changes), "do": "crash"}


def floor(size, leaves=LEAVES, key="a"):
    """What `guard import` sets before a restored store may sign again: the highest that peers or the chain know."""
    return {"do": "floor", "guard": key, "size": size, "root": r.root(leaves[:size]), "expect": KNOWN}


def hear(size, expect, leaves=LEAVES, key="a"):
    """A peer shows a signature of this key over this size and root."""
    return {"do": "hear", "guard": key, "size": size, "root": r.root(leaves[:size]), "expect": expect}


def power(number, told, expect=SIGNED, kind="set", chain_id=1, contract=CONTRACT, key="a"):
    given = {"guard": key, "chain_id": chain_id, "contract": contract, "kind": kind, "number": number}
    return {"do": "power", **given, "digest": r.sha(told), "expect": expect}


VERDICTS = {  # of the last answer: a value, or an error's name, and who must act
    **{word: (word, "ok") for word in (SIGNED, REPEAT, KNOWN, IMPORTED, EXPORTED)},
    "halt": ("StoreBroken", "Broken"),
    EQUIVOCATION: ("Equivocation", "Refuted"),
    REFUTED: ("Equivocation", "Refuted"),
    REJECTED: ("Unknown", "Rejected"),
}


def guard_cases():
    yield from step_cases(*first(), *again(), *doubles(), *floors(), *extensions(), *restored(), *heard(), *powers())


def interchange_cases():
    yield from step_cases(*exports(), *merges(), *strangers(), *conflicts())
    for name, text, error in spoilt():
        yield from step_cases((name, sign(9), import_(text, MALFORMED)), malformed=error)
    for name in ("sizes-unsorted", "member-twice"):
        text = next(text for other, text, _ in spoilt() if other == name)
        yield from step_cases((f"malformed-changes-nothing {name}", sign(9), import_(text, MALFORMED), sign(10, 9)))


def step_cases(*lives, malformed="FieldMalformed"):
    for name, *then in lives:
        steps = [found(), *then]
        verdicts = VERDICTS | {MALFORMED: (malformed, "Malformed")}
        expected, kind = verdicts.get(steps[-1]["expect"], ("GuardRefused", "Rejected"))
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
    yield "floor-after-restart", sign(9), floor(20), restart(), sign(12, 9, "below_floor")


def heard():
    """What others show of this key after a start: known, or of yesterday's copy, or of a key that said two things."""
    yield "peers-saw-what-is-known", sign(9), hear(9, KNOWN)
    yield "peers-saw-the-genesis", hear(1, KNOWN)
    yield "peers-saw-more", sign(9), hear(20, "halt")
    yield "peers-saw-a-skipped-size", sign(9), sign(20, 9), hear(12, "halt")
    yield "peers-saw-of-an-empty-store", hear(2, "halt")
    yield "peers-saw-after-a-floor", sign(9), floor(20), hear(20, KNOWN)
    yield "peers-saw-below-a-floor", sign(9), floor(20), hear(12, KNOWN)
    yield "peers-saw-above-a-floor", sign(9), floor(20), hear(21, "halt")
    yield "peers-saw-what-was-imported", import_(told({"a": line("a", 1, [12, 20])})), hear(20, KNOWN)
    yield "peers-saw-another-root", sign(12), hear(12, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root of an older size", sign(12), sign(20, 12), hear(12, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root after restart", sign(12), restart(), hear(12, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root after a crash", crash(12), restart(), hear(12, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root of the floor", floor(20), hear(20, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root below the floor", sign(12), floor(20), hear(12, EQUIVOCATION, FORKED)
    yield "peers-saw-another-root of the genesis", hear(1, EQUIVOCATION, FOREIGN)
    yield "peers-saw-another-root of an unknown size below the floor", floor(20), hear(12, KNOWN, FORKED)
    yield (
        "peers-saw-another-root of what was imported",
        import_(told({"a": line("a", 1, [12])})),
        hear(12, EQUIVOCATION, FORKED),
    )


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


# ── files of histories ───────────────────────────────────────────────────────────────────────────────────────────────


def hex_(data):
    return "0x" + data.hex()


def at(size, leaves=LEAVES):
    return {"size": str(size), "root": hex_(r.root(leaves[:size]))}


def row(size, leaves=LEAVES, **changes):
    return {**at(size, leaves), "digest": hex_(stated(size, leaves, **changes))}


def powered(number, words, kind="set", chain_id=1):
    place = {"chain_id": str(chain_id), "contract": hex_(CONTRACT), "kind": kind, "number": str(number)}
    return {**place, "digest": hex_(r.sha(words))}


def line(key, floor_size, sizes=(), power=(), leaves=LEAVES):
    """One key's history; a size stands for its row."""
    rows = [row(one, leaves) if isinstance(one, int) else one for one in sizes]
    return {"attestation_key": hex_(KEYS[key]), "floor": at(floor_size, leaves), "signed": rows, "power": [*power]}


def document(lines, log=LOG):
    return {"metadata": {"interchange_format_version": "1", "log_id": hex_(log)}, "data": [*lines]}


def text(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def told(lines, log=LOG):
    return text(document(lines.values(), log))


def import_(file, expect=IMPORTED, key="a"):
    return {"do": "import", "guard": key, "file": file, "expect": expect}


def export(lines, key="a", minimal=False):
    """The guard writes just this file."""
    return {"do": "export", "guard": key, "minimal": minimal, "file": told(lines), "expect": EXPORTED}


def exports():
    set_2 = powered(2, b"set 2")
    yield "export-of-a-new-guard", export({"a": line("a", 1)})
    yield "export-complete", sign(2), sign(9, 2), sign(20, 9), export({"a": line("a", 1, [2, 9, 20])})
    yield "export-minimal", sign(2), sign(9, 2), sign(20, 9), export({"a": line("a", 20)}, minimal=True)
    yield "export-minimal-of-a-floor", sign(9), floor(20), export({"a": line("a", 20)}, minimal=True)
    yield "export-minimal-keeps-powers", power(2, b"set 2"), export({"a": line("a", 1, (), [set_2])}, minimal=True)
    yield (
        "export-powers",
        *(power(2, b"set 2"), power(10, b"set 10"), power(1, b"one", kind="pause"), sign(9)),
        export({"a": line("a", 1, [9], [powered(1, b"one", "pause"), set_2, powered(10, b"set 10")])}),
    )
    yield "export-after-a-floor", sign(9), floor(20), sign(21, 20), export({"a": line("a", 20, [21])})
    yield "export-of-a-row-without-signature", crash(9), restart(), export({"a": line("a", 1, [9])})
    merged = {"a": line("a", 4, [4, 9, 20])}
    yield "export-after-a-merge", sign(9), import_(told({"a": line("a", 4, [4, 20])})), export(merged)
    yield "export-then-import", sign(9), export({"a": line("a", 1, [9])}), import_(told({"a": line("a", 1, [9])}))


def merges():
    whole, small = told({"a": line("a", 1, [2, 12, 20])}), told({"a": line("a", 20)})
    yield "merge", sign(2), sign(9, 2), import_(whole)
    yield "merge-then-next", sign(9), import_(whole), sign(21, 20)
    yield "merge-then-repeat", sign(9), import_(whole), sign(12, expect=REPEAT)
    yield "merge-then-repeat-of-ours", sign(9), import_(whole), sign(9, expect=REPEAT)
    yield "merge-then-double", sign(9), import_(whole), sign(12, leaves=FORKED, expect="double")
    yield "merge-then-between", sign(9), import_(whole), sign(15, 12, "below_floor")
    yield "merge-then-path-from-ours", sign(9), import_(whole), sign(21, 9, "not_an_extension")
    yield "merge-then-another-history", import_(whole), sign(21, 20, leaves=FORKED, expect="not_an_extension")
    yield "merge-after-restart", sign(9), import_(whole), restart(), sign(12, leaves=FORKED, expect="double")
    yield "merge-below-ours", sign(9), sign(20, 9), import_(told({"a": line("a", 1, [2, 4])})), sign(21, 20)
    yield "minimal-then-next", sign(9), import_(small), sign(21, 20)
    yield "minimal-then-its-size", sign(9), import_(small), sign(20, 9, "below_floor")
    yield "minimal-then-below", import_(small), sign(2, expect="below_floor")
    yield "minimal-after-restart", sign(9), import_(small), restart(), sign(12, 9, "below_floor")
    yield "floor-raise", sign(9), import_(told({"a": line("a", 12, [20])})), sign(21, 20)
    yield "floor-raise-then-below", sign(9), import_(told({"a": line("a", 12)})), sign(11, 9, "below_floor")
    yield "floor-with-its-own-row", import_(told({"a": line("a", 12, [12])})), sign(12, expect=REPEAT)
    yield "floor-lower-than-ours", import_(small), import_(told({"a": line("a", 9)})), sign(12, 9, "below_floor")
    yield (
        "rows-below-our-floor",
        import_(small),
        import_(told({"a": line("a", 1, [4, 12])})),
        sign(12, leaves=FORKED, expect="double"),
    )
    yield "twice", sign(9), import_(whole), import_(whole), sign(21, 20)
    yield "twice-minimal", sign(9), import_(small), import_(small), sign(21, 20)
    yield "nothing-new", import_(told({"a": line("a", 1)})), sign(2)
    yield (
        "power-then-double",
        import_(told({"a": line("a", 1, (), [powered(2, b"set 2")])})),
        power(2, b"another", "double_power"),
    )
    yield (
        "power-then-again",
        power(2, b"set 2"),
        import_(told({"a": line("a", 1, (), [powered(2, b"set 2"), powered(3, b"set 3")])})),
        power(3, b"set 3", REPEAT),
    )


def strangers():
    """A file may hold several keys; a guard takes its own key's history and nothing else."""
    both = told({"a": line("a", 1, [12]), "b": line("b", 20)})
    yield "two-keys-first", import_(both), sign(12, expect=REPEAT)
    yield "two-keys-first-takes-no-more", import_(both), sign(13, 12)
    yield "two-keys-second", found("b"), import_(both, key="b"), sign(12, key="b", expect="below_floor")
    yield "two-keys-each", found("b"), import_(both), import_(both, key="b"), sign(21, 20, key="b")
    yield "key-not-there", import_(told({"b": line("b", 20)}), REJECTED)
    yield "no-key-there", import_(told({}), REJECTED)
    yield "key-not-there-changes-nothing", import_(told({"stranger": line("stranger", 20)}), REJECTED), sign(2)


def conflicts():
    """One key cannot have said two things: nothing is taken, and the file is evidence."""
    other = {**row(12), "digest": row(12, FORKED)["digest"]}
    for name, file, *before in (
        ("digest", line("a", 1, [row(12, set_id=2)]), sign(12)),
        ("root", line("a", 1, [12], leaves=FORKED), sign(12)),
        ("digest-alone", line("a", 1, [other]), sign(12)),
        ("root-alone", line("a", 1, [{**row(12), "root": row(12, FORKED)["root"]}]), sign(12)),
        ("older-size", line("a", 1, [12], leaves=FORKED), sign(12), sign(20, 12)),
        ("floor-beside-our-row", line("a", 12, leaves=FORKED), sign(12)),
        ("row-beside-our-floor", line("a", 9, [12], leaves=FORKED), floor(12)),
        ("floor-beside-our-floor", line("a", 12, leaves=FORKED), floor(12)),
        ("genesis", line("a", 1, leaves=FOREIGN)),
        ("of-the-file-with-itself", line("a", 12, [row(12, FORKED)])),
        ("power", line("a", 1, (), [powered(2, b"another")]), power(2, b"set 2")),
    ):
        yield f"conflict-{name}", *before, import_(told({"a": file}), REFUTED)
    later = line("a", 1, [row(9, set_id=2), 20], [powered(2, b"another")])
    yield "conflict-changes-no-row", sign(9), import_(told({"a": later}), REFUTED), sign(10, 9)
    yield "conflict-changes-no-power", sign(9), import_(told({"a": later}), REFUTED), power(2, b"set 2")
    raising = line("a", 20, (), [powered(2, b"another")])
    yield "conflict-raises-no-floor", sign(9), power(2, b"set 2"), import_(told({"a": raising}), REFUTED), sign(10, 9)
    yield "conflict-after-restart", sign(9), import_(told({"a": later}), REFUTED), restart(), sign(10, 9)


def spoilt():
    """Name, text, error: each breaks one rule of the format."""
    rows = [row(12), row(20), row(21)]
    good = document([line("a", 9, rows, [powered(2, b"set 2"), powered(1, b"one", "pause")]), line("b", 1)])

    def changed(change):
        value = json.loads(text(good))
        change(value["metadata"], value["data"][0], value)
        return text(value)

    def put(place, name, value):
        return changed(lambda metadata, mine, _: {"metadata": metadata, "mine": mine}[place].update({name: value}))

    def each(name, value, row_=1):
        return changed(lambda _, mine, __: mine["signed"][row_].update({name: value}))

    def without(*names):
        def change(_, __, value):
            inner = value
            for name in names[:-1]:
                inner = inner[name]
            del inner[names[-1]]

        return changed(change)

    shape = [
        ("other-log", told({"a": line("a", 9)}, OTHER_LOG)),
        ("version-2", put("metadata", "interchange_format_version", "2")),
        ("version-number", put("metadata", "interchange_format_version", 1)),
        ("unknown-member", changed(lambda _, __, value: value.update(extra="1"))),
        ("unknown-member of metadata", put("metadata", "extra", "1")),
        ("unknown-member of a key", put("mine", "extra", "1")),
        ("unknown-member of a floor", changed(lambda _, mine, __: mine["floor"].update(extra="1"))),
        ("unknown-member of a row", each("extra", "1")),
        ("unknown-member of a power", changed(lambda _, mine, __: mine["power"][0].update(extra="1"))),
        ("member-missing metadata", without("metadata")),
        ("member-missing data", without("data")),
        ("member-missing floor", without("data", 0, "floor")),
        ("member-missing signed", without("data", 0, "signed")),
        ("member-missing power", without("data", 0, "power")),
        ("member-missing digest", without("data", 0, "signed", 1, "digest")),
        ("floor-without-root", without("data", 0, "floor", "root")),
        ("floor-without-size", without("data", 0, "floor", "size")),
        ("floor-null", put("mine", "floor", None)),
        ("floor-zero", put("mine", "floor", {**at(9), "size": "0"})),
        ("key-twice", changed(lambda _, mine, value: value["data"].append(mine))),
        ("size-twice", put("mine", "signed", [rows[0], rows[1], rows[1]])),
        ("size-twice with another digest", put("mine", "signed", [rows[0], row(12, FORKED)])),
        ("sizes-unsorted", put("mine", "signed", [rows[1], rows[0]])),
        ("sizes-descending", put("mine", "signed", rows[::-1])),
        ("row-below-its-floor", put("mine", "signed", [row(4), *rows])),
        ("row-just-below-its-floor", put("mine", "signed", [row(8), *rows])),
        ("power-twice", put("mine", "power", [powered(2, b"set 2"), powered(2, b"set 2")])),
        ("power-twice with another digest", put("mine", "power", [powered(2, b"set 2"), powered(2, b"another")])),
        ("kind-unknown", put("mine", "power", [powered(2, b"set 2", "permit")])),
        ("size-number", each("size", 20)),
        ("size-leading-zero", each("size", "020")),
        ("size-plus", each("size", "+20")),
        ("size-negative", each("size", "-20")),
        ("size-space", each("size", " 20")),
        ("size-hex", each("size", "0x14")),
        ("size-empty", each("size", "")),
        ("size-other-digits", each("size", "\u0662\u0660")),
        ("size-2^53", each("size", str(2**53), 2)),
        ("root-31-bytes", each("root", "0x" + 62 * "a")),
        ("root-33-bytes", each("root", "0x" + 66 * "a")),
        ("root-upper-case", each("root", "0x" + 64 * "A")),
        ("root-without-0x", each("root", 66 * "a")),
        ("digest-no-hex", each("digest", "0x" + 64 * "g")),
        ("digest-null", each("digest", None)),
        ("key-19-bytes", put("mine", "attestation_key", "0x" + 38 * "a")),
        ("signed-object", put("mine", "signed", {})),
        ("data-object", changed(lambda _, __, value: value.update(data={}))),
        ("no-object", "[]"),
        ("no-json", "guard"),
        ("empty", ""),
        ("cut-short", text(good)[:-1]),
        ("two-documents", 2 * text(good)),
        ("byte-order-mark", "\ufeff" + text(good)),
        ("nested-deeply", 9 * "[" + 9 * "]"),
        ("member-twice", text(good).replace('"data":', '"data":[],"data":', 1)),
        ("member-twice of a row", text(good).replace('"size":"20"', '"size":"20","size":"20"', 1)),
        ("no-utf-8", text(good).encode() + b"\xff"),
    ]
    spelling = [
        ("space", text(good).replace(":", ": ", 1)),
        ("line-feed", text(good) + "\n"),
        ("members-unsorted", json.dumps(good, separators=(",", ":"))),
        ("escaped-needlessly", text(good).replace("metadata", "\\u006detadata", 1)),
    ]
    yield from ((name, file, "FieldMalformed") for name, file in shape)
    yield from ((name, file, "NotCanonical") for name, file in spelling)
