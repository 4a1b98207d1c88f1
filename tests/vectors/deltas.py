"""Cases of the family registry/ for auditors (SPEC §9.5): the registry replayed from its deltas, epoch after epoch."""

import reference as r
from cases import bad, flip, good
from transactions import u
from worlds import INVOICE, OTHER_ORIGIN, World, world

SECTION = "SPEC §9.5"


def delta(w, e, pairs=None, **changes):
    """What epoch e inserted, as its file."""
    before = w.registry[e - 1] if e else {}
    pairs = sorted(set(w.registry[e].items()) - set(before.items())) if pairs is None else pairs
    old = r.prefix_root(before) if before else bytes(32)
    told = {"log_id": w.log_id, "epoch": e, "old": old, "new": r.prefix_root(w.registry[e]), **changes}
    head = r.context("registry-delta") + told["log_id"] + u(told["epoch"], 8) + told["old"] + told["new"]
    return head + u(changes.get("count", len(pairs)), 4) + b"".join(index + value for index, value in pairs)


def audit(w, epochs=(0, 1, 2), size=None, root=None, **replaced):
    """Records and deltas in the order in which the auditor takes them, and the checkpoint he compares with."""
    size = len(epochs) if size is None else size
    steps = [{"record": w.records[e], "delta": replaced.get(f"d{e}", delta(w, e))} for e in epochs]
    for place, change in replaced.get("steps", {}).items():
        steps[place] |= change
    return {
        "genesis": w.genesis,
        "steps": steps,
        "size": size,
        "root": r.root(w.leaves[:size]) if root is None else root,
    }


def delta_cases():
    w = world()
    for epochs, count in (((0,), 2), ((0, 1), 6), ((0, 1, 2), 8), ((0, 1, 2, 3, 4), 12)):
        yield good(f"audit to epoch {epochs[-1]}", SECTION, audit(w, epochs), {"insertions": count})
    for cases in (file_cases, grown_cases, replayed_cases, history_cases):
        for name, given, error in cases(w):
            yield bad(name, SECTION, given, error)


def file_cases(w):
    """The bytes of one delta."""
    true, pairs = delta(w, 1), sorted(set(w.registry[1].items()) - set(w.registry[0].items()))
    for name, data, error in (
        ("delta-truncated", true[:-1], "Truncated"),
        ("delta-trailing-byte", true + b"\x00", "TrailingBytes"),
        ("delta-empty-file", b"", "Truncated"),
        ("delta-of-another-context", r.context("registry-other") + true[len(r.context("registry-delta")):], "FieldMalformed"),
        ("delta-unsorted", delta(w, 1, pairs[::-1]), "FieldMalformed"),
        ("delta-pair-twice", delta(w, 1, [pairs[0], *pairs[:3]]), "FieldMalformed"),
        ("delta-count-other", delta(w, 1, count=3), "TrailingBytes"),
        ("delta-count-beyond", delta(w, 1, count=5), "Truncated"),
        ("delta-count-2^20+1", delta(w, 1, count=2**20 + 1), "TooLong"),
        ("delta-epoch-2^53", delta(w, 1, epoch=2**53), "FieldMalformed"),
    ):  # fmt: skip
        yield name, audit(w, (0, 1), d1=data), error


def grown_cases(w):
    """A delta may only add, and adds a rung."""
    before, after = w.registry[0], w.registry[1]
    pairs = sorted(set(after.items()) - set(before.items()))
    known = next(iter(before))
    gone = World(registries={1: lambda given: {k: v for k, v in given.items() if k != known}})
    swapped = World(registries={1: lambda given: given | {known: r.sha(b"another commitment")}})
    yield from (
        ("delta-removes-key", audit(gone, (0, 1)), "RootMismatch"),
        ("delta-removes-key and says so in the old root", audit(gone, (0, 1), d1=delta(gone, 1, old=r.prefix_root({k: v for k, v in before.items() if k != known}))), "RootMismatch"),
        ("delta-changes-a-commitment", audit(swapped, (0, 1), d1=delta(swapped, 1, pairs)), "RootMismatch"),
        ("delta-inserts-what-was-there", audit(w, (0, 1), d1=delta(w, 1, sorted([*pairs[1:], (known, before[known])]))), "FieldMismatch"),
        ("delta-inserts-what-was-there anew", audit(swapped, (0, 1), d1=delta(swapped, 1, sorted([*pairs[1:], (known, r.sha(b"another commitment"))]))), "FieldMismatch"),
        ("delta-off-ladder three", audit(w, (0, 1), d1=delta(w, 1, pairs[:3])), "FieldMalformed"),
        ("delta-off-ladder none", audit(w, (0, 1), d1=delta(w, 1, [])), "FieldMalformed"),
        ("delta-off-ladder eight", audit(w, (0, 1), d1=delta(w, 1, sorted([*pairs, *((r.sha(b"%d" % i), r.sha(b"v")) for i in range(4))]))), "FieldMalformed"),
        ("delta-one-pair-kept-back", audit(w, (0, 1), d1=delta(w, 1, pairs[:2])), "RootMismatch"),
        ("delta-commitment-other", audit(w, (0, 1), d1=delta(w, 1, [(pairs[0][0], flip(pairs[0][1])), *pairs[1:]])), "RootMismatch"),
        ("delta-old-root-other", audit(w, (0, 1), d1=delta(w, 1, old=bytes(32))), "RootMismatch"),
        ("delta-new-root-other", audit(w, (0, 1), d1=delta(w, 1, new=r.sha(b"x"))), "RootMismatch"),
        ("delta-0-of-the-upper-rung", audit(w, (0,), d0=delta(w, 0, sorted(w.registry[1].items())[:4])), "FieldMismatch"),
        ("delta-0-other-dummies", audit(w, (0,), d0=delta(w, 0, sorted((r.sha(b"%d" % i), r.sha(b"v")) for i in range(2)))), "RootMismatch"),
        ("delta-0-with-an-old-root", audit(w, (0,), d0=delta(w, 0, old=r.sha(b"x"))), "RootMismatch"),
    )  # fmt: skip


def replayed_cases(w):
    """Another delta, or another record, than that of this epoch of this log."""
    other = world(OTHER_ORIGIN)
    yield from (
        ("delta-of-other-log", audit(w, (0, 1), d1=delta(w, 1, log_id=other.log_id)), "FieldMismatch"),
        ("delta-of-other-log whole", audit(w, (0, 1), d1=delta(other, 1)), "FieldMismatch"),
        ("delta-twice", audit(w, (0, 1, 2), d2=delta(w, 1)), "FieldMismatch"),
        ("delta-twice with its record", audit(w, (0, 1, 1), size=3), "FieldMismatch"),
        ("delta-twice renumbered", audit(w, (0, 1, 2), d2=delta(w, 1, epoch=2)), "RootMismatch"),
        ("delta-left-out", audit(w, (0, 2), size=2), "FieldMismatch"),
        ("delta-of-the-next-epoch", audit(w, (0, 1), d1=delta(w, 2)), "FieldMismatch"),
        ("audit-not-from-genesis", audit(w, (1, 2), size=2), "FieldMismatch"),
        ("audit-not-from-genesis with its delta", audit(w, (1, 2), size=2, d1=delta(w, 0)), "FieldMismatch"),
        ("genesis-of-other-log", {**audit(w, (0, 1)), "genesis": other.genesis}, "FieldMismatch"),
        ("record-of-other-log", audit(w, (0, 1), steps={1: {"record": other.records[1]}}), "FieldMismatch"),
        ("record-changed", audit(w, (0, 1), steps={1: {"record": flip(w.records[1], 8 * 639)}}), "RootMismatch"),
        ("record-truncated", audit(w, (0, 1), steps={1: {"record": w.records[1][:-1]}}), "RecordMalformed"),
        ("record-with-another-root", audit(w, (0, 1), steps={1: {"record": flip(w.records[1], 8 * (32 * 8 + 1))}}), "RootMismatch"),
        ("epochs-fewer-than-the-checkpoint", audit(w, (0, 1), size=3), "FieldMismatch"),
        ("epochs-more-than-the-checkpoint", audit(w, (0, 1, 2), size=2), "FieldMismatch"),
        ("checkpoint-of-another-root", audit(w, (0, 1), root=r.sha(b"x")), "RootMismatch"),
    )  # fmt: skip


def history_cases(w):
    """A pair swapped in one epoch and put back in the next: refuted where it was swapped."""
    index, value = w.pair(INVOICE, 0, 1)
    forged = r.sha(b"a commitment for a while")
    pairs = sorted(set(w.registry[2].items()) - set(w.registry[1].items()))
    swapped = World(registries={2: lambda given: given | {index: forged}, 3: lambda given: given | {index: value}})
    yield "delta-compensated-later", audit(swapped, (0, 1, 2, 3), d2=delta(swapped, 2, pairs)), "RootMismatch"
    told = delta(swapped, 2, sorted([(index, forged), pairs[0]]))
    yield "delta-compensated-later shown as an insertion", audit(swapped, (0, 1, 2, 3), d2=told), "FieldMismatch"
    kept = r.prefix_root(w.registry[2])
    yield (
        "delta-compensated-later with the honest roots",
        audit(swapped, (0, 1, 2, 3), d2=delta(w, 2, new=kept)),
        "RootMismatch",
    )
    lost = World(registries={2: lambda given: {k: v for k, v in given.items() if k != index}})
    yield "delta-removes-key of a label", audit(lost, (0, 1, 2)), "RootMismatch"
