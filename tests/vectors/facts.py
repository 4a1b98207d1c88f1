"""Cases of bundle/facts: a confirmed receivable as a contract takes it (CONTRACT §9), each argument changed alone.

`wants` says which claims of which record types must be proven. Another true record is no proof of them.
"""

from bundled import plus, text_of, turned
from fields import b64u, text
from patches import Bundles, edited
from worlds import CREDITOR, DEBTOR, NOW, OBJECT, OTHER_ORIGIN, World, unb64u

OF_REGISTER = ("_schema", "object", "debtor", "creditor_key")
OF_CONFIRM = ("_schema", "object", "ccy", "gross")
WANTS = {
    "0x0101": {"_schema": "asset.register/1", "object": OBJECT, "debtor": DEBTOR, "creditor_key": CREDITOR},
    "0x0102": {"_schema": "asset.confirm/1", "object": OBJECT, "ccy": "CNY", "gross": "1250000"},
}
SIZE = 3


class Told:
    """The whole bundle, and where its two records stand in it."""

    def __init__(self):
        self.world = w = World(registered=True)
        shown = (w.entry(1, w.entries["register"]["entry"], OF_REGISTER),
                 w.entry(1, w.entries["confirm"]["entry"], OF_CONFIRM))  # fmt: skip
        entries = sorted(shown, key=lambda one: one["index"])
        kinds = [unb64u(one["entry"])[2] for one in entries]
        self.places = {
            name: f"epochs/0/entries/{kinds.index(kind)}" for name, kind in (("register", 1), ("confirm", 2))
        }
        self.whole = w.bundle(SIZE, w.epoch(1, SIZE, entries))
        self.bundles = Bundles("SPEC §3, §12; CONTRACT §9", confirmed=(self.whole, w.trust()))

    def good(self, name, *edits, **given):
        document = edited(self.whole, *edits) if edits else None
        return self.bundles.good(name, "confirmed", None, document, **given)

    def bad(self, name, error, *edits, **given):
        document = edited(self.whole, *edits) if edits else None
        return self.bundles.bad(name, "confirmed", error, document, **given)

    def field(self, record, name):
        """The place of a disclosed field."""
        entry = self.whole["epochs"][0]["entries"][int(self.places[record][-1])]
        at = next(k for k, one in enumerate(entry["disclosures"]) if f'"{name}"' in text_of(one))
        return f"{self.places[record]}/disclosures/{at}"


def fact_shared():
    told = Told()
    return told.bundles.shared(NOW) | {"wants": WANTS}


def fact_cases():
    told = Told()
    yield told.good("whole confirmed")
    for cases in (epoch_cases, entry_cases, claim_cases, other_facts):
        yield from cases(told)


def epoch_cases(told):
    """Words of the record; what a validator signed is the checkpoint above it."""
    record = "epochs/0/record"
    malformed = {0, 2, 6, 9, 11, 13, 14, 15}  # type; 0 where 1 is least; no rung; half a beacon
    told_elsewhere = {1, 3, 10, 12, 16}  # log id; first block, governance and set of the genesis record; the clock
    for word in range(20):
        error = "WordMalformed" if word in malformed else "FieldMismatch" if word in told_elsewhere else "RootMismatch"
        yield told.bad(f"epoch-word-changed {word}", error, (record, turned(8 * (32 * word + 31))))
    for word in (2, 3, 4, 6, 9, 11, 13, 14, 16, 17):
        yield told.bad(f"epoch-word-beyond-2^53 {word}", "WordMalformed", (record, turned(8 * (32 * word + 24) + 5)))
    yield told.bad("epoch-of-another", "PathLength", (record, b64u(told.world.records[2])))
    yield from path_cases(told, "epoch", "epochs/0/path")


def path_cases(told, name, place):
    yield told.bad(f"path-one-bit {name}", "RootMismatch", (f"{place}/0", turned(100)))
    yield told.bad(f"path-one-short {name}", "PathLength", (place, lambda v: v[1:]))
    yield told.bad(f"path-one-long {name}", "PathLength", (place, lambda v: [*v, v[0]]))
    yield told.bad(f"path-empty {name}", "PathLength", (place, []))


def entry_cases(told):
    for name, place in told.places.items():
        entry = f"{place}/entry"
        for what, bit, error in (
            ("kind", 1, "EntryMalformed"), ("type", 15, "RootMismatch"), ("root", 8 * 20, "RootMismatch"),
        ):  # fmt: skip
            yield told.bad(f"entry-{what}-changed {name}", error, (entry, turned(bit)))
        yield told.bad(f"entry-width-changed {name}", "PathLength", (entry, wider))
        yield told.bad(f"entry-width-no-power {name}", "EntryMalformed", (entry, turned(8 * 4)))
        yield told.bad(f"entry-index-of-neighbour {name}", "RootMismatch", (f"{place}/index", lambda v: v ^ 1))
        yield from path_cases(told, f"entry of {name}", f"{place}/path")


def wider(entry):
    data = unb64u(entry)
    return b64u(data[:3] + (2 * int.from_bytes(data[3:5], "big")).to_bytes(2, "big") + data[5:])


def claim_cases(told):
    for record, names in (("register", OF_REGISTER), ("confirm", OF_CONFIRM)):
        for name in names:
            place, about = told.field(record, name), f"{name} of {record}"
            false = text(told.world.salt(name), name, "another value")
            if name != "_schema":
                yield told.bad(f"claim-value-changed {about}", "RootMismatch", (f"{place}/value", false))
            yield told.bad(f"claim-path-one-bit {about}", "RootMismatch", (f"{place}/path/1", turned(77)))
            yield told.bad(f"claim-path-one-short {about}", "PathLength", (f"{place}/path", lambda v: v[:-1]))
            yield told.bad(f"claim-not-shown {about}", "FieldMalformed" if name == "_schema" else "Missing",
                           (place.rpartition("/")[0], without(name)))  # fmt: skip


def without(name):
    return lambda shown: [one for one in shown if f'"{name}"' not in text_of(one)]


def other_facts(told):
    """All of it true, and none of it what is wanted."""
    w = told.world
    entries = "epochs/0/entries"
    for name in ("register", "confirm"):
        at = int(told.places[name][-1])
        yield told.bad(f"record-not-shown {name}", "Missing", (entries, lambda v, at=at: v[:at] + v[at + 1 :]))
    cancelled = w.epoch(2, SIZE, [w.entry(2, w.entries["cancel"]["entry"], ("_schema", "object"))])
    yield told.good("another-record-beside", ("epochs", lambda v: [*v, cancelled]))
    for record, name, value in (
        ("0x0101", "object", "00" * 16), ("0x0101", "debtor", CREDITOR), ("0x0101", "creditor_key", DEBTOR),
        ("0x0102", "object", "00" * 16), ("0x0102", "ccy", "EUR"), ("0x0102", "gross", "1250001"), ("0x0102", "gross", 1250000),
    ):  # fmt: skip
        wants = WANTS | {record: WANTS[record] | {name: value}}
        yield told.bad(f"wanted-otherwise {record} {name} {type(value).__name__}", "Missing", wants=wants)
    other = World(OTHER_ORIGIN, registered=True)
    foreign = other.epoch(1, SIZE, [other.entry(1, other.entries["register"]["entry"], OF_REGISTER)])
    yield told.bad("epoch-of-another-log", "FieldMismatch", ("epochs/0", foreign))
    yield told.bad("index-aliased", "IndexBeyondSize", (f"{told.places['confirm']}/index", plus(8)))
