"""Cases of the families rotation/, replay/ and promise/ (SPEC §15): bundles of a change of set, of others, of omissions."""

import reference as r
from bundled import SAYS, plus, turned
from cases import flip
from fields import b64u
from patches import REMOVED, Bundles, edited
from transactions import Key
from worlds import NOW, OTHER_ORIGIN, World, unb64u, world

# ── rotation/ ────────────────────────────────────────────────────────────────────────────────────────────────────────


def rotations():
    w = world()
    return Bundles("SPEC §7.3, §8.1", rotated=(w.rotated(), w.trust(5)), growing=(w.growing(), w.trust()))


def rotation_shared():
    return rotations().shared(NOW)


def of(twisted, base="rotated"):
    """The same bundle of a world whose validators did otherwise."""
    return getattr(twisted, base)()


def rotation_cases():
    told, w = rotations(), world()
    yield told.good("whole rotated", "rotated", SAYS)
    yield told.good("whole growing", "growing", SAYS)
    yield told.good("covered-by-a-later-epoch", "growing", SAYS, late_cover(w))
    for cases in (update_cases, cover_cases, handover_cases):
        yield from cases(told, w)


def late_cover(w):
    """The update of epoch 2 shown under the same note by the same epoch, with an empty consistency path: sizes are equal."""
    document = w.growing()
    return edited(document, ("epochs", lambda v: v[1:]))


def update_cases(told, w):
    """What the old set appointed may not follow."""
    new = w.sets[2]
    turned_entries = new["entries"][::-1]
    third = w.make_set(3, [2, 3])
    for name, error, changes in (
        ("id-skipped", "FieldMismatch", {"set_id": 3, "hash": third["hash"]}),
        ("id-of-the-old-set", "WordMalformed", {"set_id": 1, "hash": r.set_hash(1, new["entries"])}),
        ("from-size-in-past", "FieldMismatch", {"from_size": 3}),
        ("from-size-zero", "WordMalformed", {"from_size": 0}),
        ("from-size-two", "WordMalformed", {"from_size": 2}),
        ("entries-unsorted", "EntriesMalformed", {"entries": turned_entries, "hash": r.set_hash(2, turned_entries)}),
        (
            "entry-twice",
            "EntriesMalformed",
            {"entries": [new["entries"][0]] * 2, "hash": r.set_hash(2, [new["entries"][0]] * 2)},
        ),
        ("previous-set-other", "FieldMismatch", {"previous": r.sha(b"another set")}),
        ("set-hash-other", "SetMismatch", {"hash": r.sha(b"another set")}),
        ("n-other", "RecordMalformed", {"n": 3}),
        ("n-zero", "RecordMalformed", {"n": 0}),
        ("n-65", "RecordMalformed", {"n": 65}),
        ("update-of-other-log", "FieldMismatch", {"log_id": world(OTHER_ORIGIN).log_id}),
    ):
        yield told.bad(name, "rotated", error, of(World(update=changes)))
    yield told.bad("update-that-was-replaced", "rotated", "FieldMismatch", of(World(replaced=True)))
    whole = told.bases["rotated"][0]
    for name, data, error in (
        ("update-truncated", lambda v: b64u(unb64u(v)[:-32]), "RecordMalformed"),
        ("update-trailing-word", lambda v: b64u(unb64u(v) + bytes(32)), "RecordMalformed"),
        ("update-of-another-type", turned(3), "WordMalformed"),
        ("update-pad-byte-set", turned(8 * 64), "WordMalformed"),
        ("update-replaces-changed", turned(8 * (32 * 7 + 5)), "RootMismatch"),
        ("update-reason-changed", turned(8 * (32 * 8 + 5)), "RootMismatch"),
        ("update-no-record", b64u(bytes(288)), "WordMalformed"),
    ):
        yield told.bad(name, "rotated", error, edited(whole, ("rotations/0/update", data)))


def cover_cases(told, w):
    """The epoch and the old set's note that must cover the update."""
    whole, growing = told.bases["rotated"][0], told.bases["growing"][0]
    new = w.sets[2]
    uncovered = World(update_epoch=3)
    posing = {**new, "addresses": w.sets[1]["addresses"]}
    for name, document, error in (
        ("update-not-in-covered-epoch", of(uncovered), "IndexBeyondSize"),
        ("update-not-in-covered-epoch epoch 1", edited(whole, ("rotations/0/epoch", w.proven(1, 3))), "IndexBeyondSize"),
        ("update-index-other", edited(whole, ("rotations/0/index", 0)), "RootMismatch"),
        ("update-path-one-bit", edited(whole, ("rotations/0/path/0", turned())), "RootMismatch"),
        ("update-path-missing", edited(whole, ("rotations/0/path", [])), "PathLength"),
        ("cover-path-one-bit", edited(whole, ("rotations/0/epoch/path/0", turned())), "RootMismatch"),
        ("cover-of-another-record", edited(whole, ("rotations/0/epoch/record", turned(8 * 639))), "RootMismatch"),
        ("cover-is-another-than-shown", edited(growing, ("rotations/0/epoch/record", turned(8 * 639))), "FieldMismatch"),
        ("signed-by-new-set", edited(whole, ("rotations/0/note", w.note(3, new))), "FieldMalformed"),
        ("signed-by-new-set for the old names", edited(whole, ("rotations/0/note", w.note(3, posing))), "FieldMismatch"),
        ("signed-by-one-of-the-old", edited(whole, ("rotations/0/note", w.note(3, signers=1))), "BelowQuorum"),
        ("cover-note-below-the-epoch", edited(whole, ("rotations/0/note", w.note(2))), "IndexBeyondSize"),
        ("cover-note-beyond-the-term", at_size(w, whole, 4), "FieldMismatch"),
        ("cover-note-of-another-root", edited(whole, ("rotations/0/note", w.note(3, root=r.sha(b"x")))), "RootMismatch"),
        ("cover-not-consistent", edited(whole, ("rotations/0/consistency/0", turned())), "RootMismatch"),
        ("cover-consistency-missing", edited(whole, ("rotations/0/consistency", [])), "PathLength"),
        ("cover-without-log-line", edited(whole, ("rotations/0/note", without_log_line(w.note(3)))), "FieldMalformed"),
    ):  # fmt: skip
        yield told.bad(
            name,
            "rotated"
            if document["epochs"][0] == whole["epochs"][0] and len(document["checkpoints"]) == 1
            else "growing",
            error,
            document,
        )


def at_size(w, whole, size):
    """The old set goes on signing after its term."""
    members = w.sets[1]
    consistency = [b64u(one) for one in r.proof(size, w.leaves[:5])]
    return edited(whole, ("rotations/0/note", w.note(size, members)), ("rotations/0/consistency", consistency),
                  ("rotations/0/epoch", w.proven(2, size)))  # fmt: skip


def without_log_line(note):
    head, lines = note.split("\n\n")
    return head + "\n\n" + "".join(lines.splitlines(keepends=True)[1:])


def handover_cases(told, w):
    """Who is responsible for which size."""
    whole, growing = told.bases["rotated"][0], told.bases["growing"][0]
    old, new = w.sets[1], w.sets[2]
    early = World(sets={2: new})
    late = World(sets={3: old})
    for name, base, document, error in (
        ("old-set-after-handover", "rotated", edited(whole, ("checkpoints/0/note", w.note(5, old))), "FieldMalformed"),
        ("new-set-too-early", "growing", edited(growing, ("checkpoints/0/note", w.note(3, new))), "FieldMalformed"),
        ("rotation-left-out", "rotated", edited(whole, ("rotations", [])), "FieldMismatch"),
        ("rotation-twice", "rotated", edited(whole, ("rotations", lambda v: v * 2)), "FieldMismatch"),
        ("new-validator-missing", "rotated", edited(whole, ("rotations/0/validators", lambda v: v[1:])), "SetMismatch"),
        ("new-validators-turned", "rotated", edited(whole, ("rotations/0/validators", lambda v: v[::-1])), "EntriesMalformed"),
        ("new-validators-are-the-old", "rotated", edited(whole, ("rotations/0/validators", old["parts"])), "SetMismatch"),
        ("new-validator-name-changed", "rotated", edited(whole, ("rotations/0/validators/1/name", lambda v: v.replace("Member", "Someone"))), "SetMismatch"),
        ("epoch-names-the-new-set-too-early", "growing", of(early, "growing"), "FieldMismatch"),
        ("epoch-names-the-old-set-too-long", "rotated", of(late), "FieldMismatch"),
    ):  # fmt: skip
        yield told.bad(name, base, error, document)


# ── replay/ ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def replays():
    w = world()
    return Bundles(
        "SPEC §7.1, §8.2, §12",
        record=(w.record(), w.trust()),
        registered=(w.registered(), w.trust()),
        rotated=(w.rotated(), w.trust(5)),
        omission=(w.omission(), w.trust()),
    )


def replay_shared():
    return replays().shared(NOW)


def replay_cases():
    told, w, other = replays(), world(), world(OTHER_ORIGIN)
    whole, omission = told.bases["record"][0], told.bases["omission"][0]
    yield told.good("whole record", "record", SAYS)
    twin = World(set_hash=w.sets[2]["hash"])  # the same origin, another first set: another log
    bound = World(binding_origin=OTHER_ORIGIN)
    foreign = other.record()
    for name, document, error in (
        ("checkpoint-of-other-consortium", edited(whole, ("checkpoints", foreign["checkpoints"])), "FieldMismatch"),
        ("checkpoint-of-other-consortium with its genesis", edited(whole, ("checkpoints", foreign["checkpoints"]), ("genesis", foreign["genesis"])), "FieldMismatch"),
        ("checkpoint-of-other-consortium under our origin", edited(whole, ("checkpoints/0/note", twin.note(3))), "RootMismatch"),
        ("epoch-of-other-log", edited(whole, ("epochs", foreign["epochs"])), "FieldMismatch"),
        ("epoch-of-other-log record alone", edited(whole, ("epochs/0/record", foreign["epochs"][0]["record"])), "FieldMismatch"),
        ("genesis-with-other-set", edited(whole, ("genesis/record", b64u(twin.genesis))), "FieldMismatch"),
        ("genesis-of-other-consortium", edited(whole, ("genesis", foreign["genesis"])), "FieldMismatch"),
        ("entry-of-other-consortium", edited(whole, ("epochs/0/entries", foreign["epochs"][0]["entries"])), "FieldMismatch"),
        ("entry-of-other-consortium without its transaction", edited(whole, ("epochs/0/entries", foreign["epochs"][0]["entries"]), ("epochs/0/entries/0/transaction", REMOVED)), "RootMismatch"),
        ("anchor-of-other-consortium", edited(whole, ("anchors", foreign["anchors"])), "FieldMismatch"),
        ("transaction-of-other-consortium", edited(whole, ("epochs/0/entries/0/transaction", foreign["epochs"][0]["entries"][0]["transaction"])), "FieldMismatch"),
        ("validators-of-other-consortium", edited(whole, ("genesis/validators", foreign["genesis"]["validators"])), "SetMismatch"),
        ("certificates-of-other-consortium", edited(whole, ("certificates", foreign["certificates"])), "FieldMismatch"),
        ("origin-of-other-consortium", edited(whole, ("genesis/origin", OTHER_ORIGIN)), "FieldMismatch"),
    ):  # fmt: skip
        yield told.bad(name, "record", error, document)
    yield told.bad(
        "key-binding-of-other-origin",
        "record",
        "FieldMismatch",
        bound.record(),
        trust={"logs": [{"log_id": b64u(bound.log_id)}]},
    )
    yield told.bad("whole-bundle-of-other-consortium", "record", "Missing", foreign, trust={"public_chains": []})
    yield told.bad("whole-bundle-of-other-first-set", "record", "FieldMismatch", twin.record())
    for name, document, error in (
        ("promise-of-other-log", other.promise(), "FieldMismatch"),
        ("promise-of-other-log signed by ours", w.promise(log_id=other.log_id), "FieldMismatch"),
        ("promise-signed-as-key-binding", as_binding(w), "SignatureWrong"),
    ):
        yield told.bad(name, "omission", error, edited(omission, ("promise", b64u(document))))
    rotated = told.bases["rotated"][0]
    foreign = other.rotated()
    yield told.bad(
        "rotation-of-other-consortium", "rotated", "FieldMismatch", edited(rotated, ("rotations", foreign["rotations"]))
    )
    yield told.bad("set-update-of-other-consortium", "rotated", "FieldMismatch",
                   edited(rotated, ("rotations/0/update", foreign["rotations"][0]["update"])))  # fmt: skip
    yield told.bad(
        "governance-of-other-consortium",
        "rotated",
        "FieldMismatch",
        edited(rotated, ("governance", foreign["governance"])),
    )
    registered = told.bases["registered"][0]
    proof = other.registered()["epochs"][0]["labels"][0]["proof"]
    yield told.bad(
        "label-proof-of-other-consortium",
        "registered",
        "SignatureWrong",
        edited(registered, ("epochs/0/labels/0/proof", proof)),
    )
    yield told.bad("label-of-other-consortium", "registered", "RootMismatch",
                   edited(registered, ("epochs/0/labels", other.registered()["epochs"][0]["labels"])))  # fmt: skip


def as_binding(w):
    """The node's signature over a key binding, put under a promise."""
    binding = unb64u(w.sets[1]["parts"][0]["key_binding"])
    return w.promise()[:155] + binding[-64:]


# ── promise/ ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def promises():
    w = world()
    return Bundles("SPEC §5, §12 step 12", omission=(w.omission(), w.trust()), record=(w.record(), w.trust()))


def promise_shared():
    return promises().shared(NOW)


def promise_cases():
    told, w = promises(), world()
    proven = {"registry": [], "omission": "proven"}
    confirmed, cancelled = w.entries["confirm"], w.entries["cancel"]
    beside = (int.from_bytes(r.leaf(w.refusal), "big") + 1).to_bytes(32, "big")
    yield told.good("omission-proven", "omission", proven)
    yield told.good("omission-proven one epoch", "omission", proven, w.omission(epochs=(1,), by=1))
    yield told.good("entry-too-late", "omission", proven,
                    w.omission(epochs=(1, 2), entries=[(2, cancelled["entry"])], leaf=cancelled["leaf"], by=1))  # fmt: skip
    for name, document in (
        ("entry-present-after-all", w.omission(entries=[(1, confirmed["entry"])], leaf=confirmed["leaf"])),
        ("entry-present-after-all in the last epoch", w.omission(entries=[(2, cancelled["entry"])], leaf=cancelled["leaf"])),
        ("entry-present-after-all before the window", w.omission(entries=[(1, confirmed["entry"])], leaf=confirmed["leaf"], accepted=2)),
        ("refusal-present", w.omission(entries=[(1, w.refusal)], transaction=w.refused)),
        ("neighbour-is-the-refusal", w.omission(leaf=beside, transaction=w.refused)),
        ("neighbour-is-the-entry", w.omission(leaf=confirmed["leaf"], transaction=near(w, confirmed["leaf"]))),
    ):  # fmt: skip
        yield told.bad(name, "omission", "NotOmitted", document)
    for cases in (window_cases, absence_cases, promise_signature_cases):
        yield from cases(told, w)
    refusal = edited(told.bases["record"][0], ("epochs/0/entries", [w.entry(1, w.refusal)]))
    yield told.bad("refusal-without-promise", "record", "EntryMalformed", refusal)
    other = edited(told.bases["omission"][0], ("epochs/0/entries", [w.entry(1, w.refusal)]))
    yield told.bad("refusal-of-another-transaction", "omission", "EntryMalformed", other)
    named = w.omission(entries=[(1, w.refusal)], transaction=w.refused)
    transaction = edited(named, ("epochs/0/entries/0/transaction", b64u(w.transaction())))
    yield told.bad("refusal-with-transaction", "omission", "FieldMalformed", transaction)


def near(w, leaf):
    """A transaction whose refusal would stand beside this leaf in epoch 1."""
    ordered = w.batches[1]["leaves"]
    at = ordered.index(leaf)
    low, high = ordered[at - 1] if at else bytes(32), ordered[at + 1] if at < 7 else b"\xff" * 32
    tried = (r.sha(b"transaction %d" % i) for i in range(10_000))
    return next(one for one in tried if low < r.leaf(b"\x02" + bytes(4) + one) < high)


def window_cases(told, w):
    for name, error, document in (
        ("window-epoch-missing", "Missing", w.omission(epochs=(1,))),
        ("window-epoch-missing the first", "Missing", w.omission(epochs=(2,))),
        ("window-epoch-missing none shown", "Missing", w.omission(epochs=())),
        ("window-beyond-the-checkpoint", "Missing", w.omission(by=3)),
        ("window-from-epoch-zero", "Missing", w.omission(accepted=0)),
        ("by-epoch-over-delay", "FieldMismatch", w.omission(by=4)),
        ("by-epoch-over-delay by far", "FieldMismatch", w.omission(by=2**53 - 1)),
        ("by-epoch-before-accepted", "FieldMalformed", w.omission(accepted=3)),
        ("by-epoch-2^53", "FieldMalformed", w.omission(by=2**53)),
    ):
        yield told.bad(name, "omission", error, document)


def absence_cases(told, w):
    whole = told.bases["omission"][0]
    place = next(f"epochs/{e}/absences/{a}" for e in (0, 1) for a in (0, 1)
                 if "left" in whole["epochs"][e]["absences"][a] and "right" in whole["epochs"][e]["absences"][a]
                 and 1 <= whole["epochs"][e]["absences"][a]["left"]["index"] <= 5)  # fmt: skip
    e = int(place.split("/")[1]) + 1
    left = inside(whole, f"{place}/left/index")
    for name, error, *edits in (
        ("neighbours-not-adjacent", "FieldMalformed", (f"{place}/left", w.neighbour(e, left - 1))),
        ("neighbours-not-adjacent to the right", "FieldMalformed", (f"{place}/right", w.neighbour(e, left + 2))),
        ("neighbours-exchanged", "FieldMalformed", (f"{place}/left", w.neighbour(e, left + 1)), (f"{place}/right", w.neighbour(e, left))),
        ("neighbour-left-out", "FieldMalformed", (f"{place}/right", REMOVED)),
        ("neighbours-both-left-out", "FieldMalformed", (f"{place}/right", REMOVED), (f"{place}/left", REMOVED)),
        ("neighbours-of-another-gap", "FieldMalformed", (f"{place}/left", w.neighbour(e, left + 1)), (f"{place}/right", w.neighbour(e, left + 2))),
        ("neighbour-changed", "RootMismatch", (f"{place}/left/leaf", turned(250))),
        ("neighbour-path-one-bit", "RootMismatch", (f"{place}/left/path/0", turned())),
        ("neighbour-path-one-short", "PathLength", (f"{place}/left/path", lambda v: v[:-1])),
        ("neighbour-index-aliased", "IndexBeyondSize", (f"{place}/left/index", plus(8))),
        ("absence-of-another-leaf", "Missing", (f"{place}/leaf", between(w, e, left))),
    ):  # fmt: skip
        yield told.bad(name, "omission", error, edited(whole, *edits))
    unsorted = World(
        unsorted=(1,)
    )  # a quorum that put the lowest leaf last: whatever is above it is "absent" at the end
    leaves = unsorted.batches[1]["leaves"]
    hidden = {
        "leaf": b64u((int.from_bytes(leaves[7], "big") + 1).to_bytes(32, "big")),
        "left": unsorted.neighbour(1, 7),
    }
    middle = {"leaf": between(unsorted, 1, 2), "left": unsorted.neighbour(1, 2), "right": unsorted.neighbour(1, 3)}
    shown = unsorted.epoch(1, 3, absences=[hidden, middle]), unsorted.epoch(2, 3)
    document = unsorted.bundle(3, *shown, purpose="omission", promise=b64u(unsorted.promise()))
    yield told.bad("batch-unsorted", "omission", "FieldMismatch", document)


def inside(document, place):
    for step in place.split("/"):
        document = document[int(step) if step.isdecimal() else step]
    return document


def between(w, e, left):
    """Another leaf with the same neighbours: absent too, and not what was promised."""
    low = int.from_bytes(w.batches[e]["leaves"][left], "big") + 1
    return b64u(low.to_bytes(32, "big"))


def promise_signature_cases(told, w):
    whole, stranger = told.bases["omission"][0], Key(r.sha(b"stranger"))
    late_node = w.identities[3]
    signed = w.promise()
    for name, error, data in (
        ("signer-not-a-node", "FieldMismatch", w.promise(stranger)),
        ("signer-not-a-node of the next set", "FieldMismatch", w.promise(late_node)),
        ("signer-is-another-node", "SignatureWrong", w.promise(w.identities[2], signer=w.identities[1].id)),
        ("signature-changed", "SignatureWrong", flip(signed, 8 * 160)),
        ("signature-s-not-reduced", "FieldMalformed", signed[:-32] + b"\xff" * 32),
        ("time-changed", "SignatureWrong", flip(signed, 8 * 104)),
        ("scheme-other", "FieldMismatch", signed[:153] + b"\x04\x03" + signed[155:]),
        ("scheme-unknown", "FieldMalformed", signed[:153] + b"\x08\x04" + signed[155:]),
        ("version-two", "FieldMalformed", b"\x02" + signed[1:]),
        ("promise-218-bytes", "FieldMalformed", signed[:-1]),
        ("promise-220-bytes", "TooLong", signed + b"\x00"),
    ):
        yield told.bad(name, "omission", error, edited(whole, ("promise", b64u(data))))
    for name, place in (("transaction-changed", 33), ("leaf-changed", 65)):
        changed = flip(signed, 8 * (place + 1))
        yield told.bad(name, "omission", "SignatureWrong", edited(whole, ("promise", b64u(changed))))
    yield told.bad("certificate-not-shown", "omission", "Missing", edited(whole, ("certificates", [])))
