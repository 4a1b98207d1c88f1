"""Cases of the family registry/ that are about labels (SPEC §9.2 to §9.4): their bytes, and what bundles show of them."""

import reference as r
from bundled import turned
from cases import bad, good
from fields import b64u
from patches import REMOVED, Bundles, edited
from transactions import u
from worlds import INVOICE, LIFE, NOW, OBJECT, UNKNOWN, World, label_bytes, world

SECTION = "SPEC §9.2"
LEI, UUID = "5493001KJTIIGC8Y1R12", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
USCI_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def usci(first):
    """With the check character of GB 32100-2015."""
    total = sum(USCI_ALPHABET.index(c) * 3**i for i, c in enumerate(first))
    return first + USCI_ALPHABET[-total % 31]


def gtin(first):
    """With the check digit of GS1."""
    return first + str(-sum(int(d) * (3, 1)[i % 2] for i, d in enumerate(first[::-1])) % 10)


FIRM, ITEM = usci("91110000600037341"), gtin("0360000291453")
GOOD = (
    (1, "asset", OBJECT),
    (2, "CN", "26110000000000000001"),
    (2, "DE", UUID),
    (3, f"LEI:{LEI}", "INV-001"),
    (3, f"USCI:{FIRM}", "发票-7"),
    (3, "VAT:DE123456789", "2026/7"),
    (4, f"LEI:{LEI}", "INV1", "1"),
    (5, f"LEI:{LEI}", "CNY", "1250000", "2026-01-31", "1"),
    (6, "CN", "010120260123456789"),
    (7, "MAEU", "123456789"),
    (8, "UETR", UUID),
    (8, f"LEI:{LEI}", "PAY-1"),
    (9, FIRM, "INV1", "EUR", "1", "9999"),
    (10, f"LEI:{LEI}", "G01", "2026-Q1"),
    (11, "0" * 64),
    (12, "ZDW", "0042"),
    (13, ITEM + "a1"),
    (14, ITEM, "LOT-7"),
)


def label_cases():
    for number, label in enumerate(GOOD):
        kind, *parts = label
        yield good(f"label {kind} {number}", SECTION, {"data": label_bytes(label)}, {"type": kind, "parts": parts})
    for name, label, error in (*spellings(), *digits(), *forms()):
        yield bad(name, SECTION, {"data": label_bytes(label)}, error)
    for name, data, error in struct_mutations():
        yield bad(name, SECTION, {"data": data}, error)


def spellings():
    """Another spelling of what is a label: nobody may find it at another index."""
    party = f"LEI:{LEI}"
    for name, number in (
        ("lower case", "inv-001"), ("space", "INV 001"), ("space at the end", "INV-001 "), ("em dash", "INV—001"),
        ("minus sign", "INV−001"), ("full width", "\uff29\uff2e\uff36\uff0d\uff10\uff10\uff11"), ("zero width", "INV\u200b-001"), ("tab", "INV-\t001"),
        ("soft hyphen", "INV\u00ad-001"), ("compatibility", "INV-①"), ("no-break space", "INV\u00a0001"),
    ):  # fmt: skip
        yield f"label-not-normalised {name}", (3, party, number), "NotCanonical"
    for name, label in (
        ("party lower case", (3, f"lei:{LEI}", "INV-001")),
        ("party separators", (3, "LEI:5493-001KJTIIGC8Y1R12", "INV-001")),
        ("loose number", (4, party, "INV-001", "1")),
        ("loose zeros", (4, party, "INV001", "1")),
        ("uuid upper case", (2, "DE", UUID.upper())),
        ("digest upper case", (11, "AB" * 32)),
        ("object upper case", (1, "asset", OBJECT.upper())),
        ("country lower case", (2, "cn", "26110000000000000001")),
        ("gtin of 13", (14, ITEM[1:], "LOT-7")),
        ("lot lower case", (14, ITEM, "lot-7")),
        ("carrier lower case", (7, "maeu", "123456789")),
        ("number separators", (2, "CN", "2611-0000-0000-0000-0001")),
    ):
        yield f"label-not-normalised {name}", label, "NotCanonical"
    for letter, name in (("\u0410", "a"), ("\u0412", "v"), ("\u0406", "i"), ("\u039d", "Greek n")):
        yield f"cyrillic-homoglyph {name}", (3, party, f"{letter}NV-001"), "FieldMalformed"
    yield "cyrillic-homoglyph in the party", (3, "LEI:5493001KJTIIGC8\u04231R12", "INV-001"), "FieldMalformed"
    yield "combining-mark", (3, party, "INV-001\u0301"), "FieldMalformed"
    yield "character-after-unicode-3-2", (3, party, "INV-\U0001f600"), "FieldMalformed"


def digits():
    yield "check-digit lei", (3, f"LEI:{LEI[:-1]}3", "INV-001"), "FieldMalformed"
    yield "check-digit lei, two exchanged", (3, "LEI:5493001KJITIGC8Y1R12", "INV-001"), "FieldMalformed"
    yield "check-digit usci", (3, f"USCI:{FIRM[:-1]}{'0' if FIRM[-1] != '0' else '1'}", "INV-001"), "FieldMalformed"
    yield "check-digit gtin", (14, ITEM[:-1] + str((int(ITEM[-1]) + 1) % 10), "LOT-7"), "FieldMalformed"
    yield "check-digit sgtin", (13, ITEM[:-1] + str((int(ITEM[-1]) + 1) % 10) + "a1"), "FieldMalformed"
    yield "day-that-is-not", (5, f"LEI:{LEI}", "CNY", "1", "2026-02-30", "1"), "FieldMalformed"


def forms():
    party = f"LEI:{LEI}"
    for name, label in (
        ("party-without-scheme", (3, LEI, "INV-001")),
        ("party-of-unknown-scheme", (3, f"DUNS:{LEI}", "INV-001")),
        ("number-empty", (3, party, "")),
        ("number-65-characters", (3, party, "1" * 65)),
        ("number-of-20-digits-abroad", (2, "DE", "26110000000000000001")),
        ("number-of-19-digits", (2, "CN", "2611000000000000001")),
        ("country-of-three-letters", (2, "CHN", "26110000000000000001")),
        ("declaration-abroad", (6, "DE", "010120260123456789")),
        ("ordinal-zero", (4, party, "INV1", "0")),
        ("ordinal-leading-zero", (4, party, "INV1", "01")),
        ("amount-leading-zero", (5, party, "CNY", "01", "2026-01-31", "1")),
        ("amount-signed", (5, party, "CNY", "-1", "2026-01-31", "1")),
        ("amount-decimal", (5, party, "CNY", "1.00", "2026-01-31", "1")),
        ("currency-of-two-letters", (5, party, "CN", "1", "2026-01-31", "1")),
        ("digest-of-63-digits", (11, "0" * 63)),
        ("object-of-31-digits", (1, "asset", OBJECT[1:])),
        ("object-type-upper-case", (1, "Asset", OBJECT)),
        ("period-month-13", (10, party, "G01", "2026-13")),
        ("type-zero", (0, "a")),
        ("type-15", (15, "a")),
        ("type-65535", (65535, "a")),
        ("part-missing", (3, party)),
        ("part-more", (3, party, "INV-001", "1")),
        ("parts-none", (3,)),
    ):
        yield name, label, "FieldMalformed"
    yield "number-of-300-characters", (3, party, "1" * 300), "TooLong"


def struct_mutations():
    data = label_bytes(INVOICE)
    yield "truncated", data[:-1], "Truncated"
    yield "trailing-byte", data + b"\x00", "TrailingBytes"
    yield "empty", b"", "Truncated"
    yield "length-beyond", data[:3] + u(99, 2) + data[5:], "Truncated"
    yield "length-513", data[:3] + u(513, 2) + b"A" * 513, "TooLong"
    yield "not-utf-8", data[:-1] + b"\xff", "NotCanonical"
    yield "surrogate", data[:-3] + b"\xed\xa0\x80", "NotCanonical"
    yield "parts-counted-wrong", data[:2] + b"\x03" + data[3:], "Truncated"


# ── what a bundle shows of labels ────────────────────────────────────────────────────────────────────────────────────

OBJECT_X, NOT_REGISTERED, STATE = f"object {OBJECT}", "not registered", "state CANCELLED after event 1"


def shown():
    w = world()
    trust = w.trust(require=["integrity", "quorum", "registry"], public_chains=[])
    return Bundles("SPEC §9.3, §9.4", registered=(w.registered(), trust))


def shown_shared():
    return shown().shared(NOW)


def said(*statements):
    return {"registry": list(statements), "omission": "not shown"}


def shown_cases():
    told, w = shown(), world()
    yield told.good("whole", "registered", said(OBJECT_X, NOT_REGISTERED, OBJECT_X, STATE))
    for cases in (proof_cases, opening_cases, life_cases, story_cases):
        yield from cases(told, w, told.bases["registered"][0])


def proof_cases(told, w, whole):
    label = "epochs/0/labels/0"
    other = w.label(1, LIFE, 0)
    for name, error, *edits in (
        ("proof-without-label", "FieldMalformed", (f"{label}/label", REMOVED)),
        ("label-without-proof", "FieldMalformed", (f"{label}/proof", REMOVED)),
        ("label-without-version", "FieldMalformed", (f"{label}/version", REMOVED)),
        ("opening-without-label", "FieldMalformed", *((f"{label}/{name}", REMOVED) for name in ("label", "version", "proof"))),
        ("identity-version-one", "FieldMalformed", (f"{label}/version", 1)),
        ("life-version-of-another", "SignatureWrong", ("epochs/1/labels/1/version", 1)),
        ("version-2^32", "FieldMalformed", (f"{label}/version", 2**32)),
        ("vrf-proof-of-other-label", "SignatureWrong", (f"{label}/proof", other["proof"])),
        ("vrf-proof-one-bit", "SignatureWrong", (f"{label}/proof", turned(8 * 50))),
        ("vrf-proof-zeros", "FieldMalformed", (f"{label}/proof", b64u(b"\xff" * 80))),
        ("index-of-other-label", "FieldMismatch", (f"{label}/index", other["index"]), (f"{label}/terminal", other["terminal"]),
         (f"{label}/path", other["path"])),
        ("label-other", "SignatureWrong", (f"{label}/label", b64u(label_bytes(UNKNOWN)))),
        ("label-no-label", "FieldMalformed", (f"{label}/label", b64u(b"\x00\x00\x00"))),
        ("label-not-normalised", "NotCanonical", (f"{label}/label", b64u(label_bytes((3, INVOICE[1], "inv-001"))))),
        ("label-twice", "FieldMalformed", ("epochs/0/labels", lambda v: [v[0], v[0], v[1]])),
        ("registry-path-one-bit", "RootMismatch", (f"{label}/path/0", turned())),
        ("registry-path-cut", "RootMismatch", (f"{label}/path", lambda v: v[1:])),
        ("registry-path-257", "TooLong", (f"{label}/path", [b64u(bytes(32))] * 257)),
        ("present-shown-as-hole", "RootMismatch", (f"{label}/terminal", None)),
        ("absent-shown-as-present", "RootMismatch", ("epochs/0/labels/1/terminal", lambda v: {
            "index": whole["epochs"][0]["labels"][1]["index"], "commitment": (v or {}).get("commitment", b64u(bytes(32)))})),
        ("terminal-of-another-prefix", "TerminalMalformed", (f"{label}/terminal/index", turned(7))),
        ("deepest-sibling-empty", "TerminalMalformed", (f"{label}/path", lambda v: [b64u(bytes(32)), *v])),
        ("commitment-changed", "RootMismatch", (f"{label}/terminal/commitment", turned())),
    ):  # fmt: skip
        yield told.bad(name, "registered", error, edited(whole, *edits))
    bare = edited(whole, *((f"{label}/{name}", REMOVED) for name in ("label", "version", "proof", "value", "opening")))
    expected = said(NOT_REGISTERED, OBJECT_X, STATE, "present, label not shown")
    yield told.good("index-alone", "registered", expected, bare)


def opening_cases(told, w, whole):
    label, life = "epochs/0/labels/0", "epochs/1/labels/2"
    other = r.leaf(w.entries["cancel"]["entry"])
    for name, error, *edits in (
        ("opening-of-other-entry", "FieldMismatch", (f"{label}/value", lambda v: v.replace(b64u(w.entries["confirm"]["leaf"]), b64u(other)))),
        ("opening-of-other-object", "FieldMismatch", (f"{label}/value", lambda v: v.replace(OBJECT, OBJECT[::-1]))),
        ("opening-one-bit", "FieldMismatch", (f"{label}/opening", turned())),
        ("opening-of-another-label", "FieldMismatch", (f"{label}/opening", w.label(1, LIFE, 0)["opening"])),
        ("opening-of-what-is-absent", "FieldMismatch", ("epochs/0/labels/1/value", whole["epochs"][0]["labels"][0]["value"]),
         ("epochs/0/labels/1/opening", whole["epochs"][0]["labels"][0]["opening"])),
        ("value-without-opening", "FieldMalformed", (f"{label}/opening", REMOVED)),
        ("opening-without-value", "FieldMalformed", (f"{label}/value", REMOVED)),
        ("value-not-jcs", "NotCanonical", (f"{label}/value", lambda v: v.replace(":", ": ", 1))),
        ("value-no-json", "FieldMalformed", (f"{label}/value", "entry")),
        ("value-with-more", "FieldMalformed", (f"{label}/value", lambda v: v[:-1] + ',"x":1}')),
        ("value-of-a-life", "FieldMalformed", (f"{label}/value", inside_of(whole, f"{life}/value"))),
        ("life-value-of-an-identity", "FieldMalformed", (f"{life}/value", inside_of(whole, f"{label}/value"))),
        ("life-state-changed", "FieldMismatch", (f"{life}/value", lambda v: v.replace("CANCELLED", "CONFIRMED"))),
        ("life-code-changed", "FieldMismatch", (f"{life}/value", lambda v: v.replace("0x0104", "0x0102"))),
        ("life-code-upper-case", "FieldMalformed", (f"{life}/value", lambda v: v.replace("0x0104", "0X0104"))),
        ("present-not-opened", "Missing", (f"{label}/value", REMOVED), (f"{label}/opening", REMOVED)),
        ("life-last-not-opened", "Missing", (f"{life}/value", REMOVED), (f"{life}/opening", REMOVED)),
    ):  # fmt: skip
        yield told.bad(name, "registered", error, edited(whole, *edits))
    first = edited(whole, ("epochs/1/labels/1/value", REMOVED), ("epochs/1/labels/1/opening", REMOVED))
    yield told.good("life-first-not-opened", "registered", said(OBJECT_X, NOT_REGISTERED, OBJECT_X, STATE), first)


def inside_of(document, place):
    for step in place.split("/"):
        document = document[int(step) if step.isdecimal() else step]
    return document


def life_cases(told, w, whole):
    gap = World(registries={1: without(w.index(LIFE, 0)[0])})
    for name, document, error in (
        ("life-version-gap", gap.registered(), "FieldMismatch"),
        ("top-version-not-shown-absent", edited(whole, ("epochs/1/labels", lambda v: v[:3])), "Missing"),
        ("version-left-out", edited(whole, ("epochs/1/labels", lambda v: [v[0], v[1], v[3]])), "Missing"),
        ("first-version-left-out", edited(whole, ("epochs/1/labels", lambda v: [v[0], *v[2:]])), "Missing"),
        ("top-version-alone", edited(whole, ("epochs/1/labels", lambda v: [v[0], v[3]])), "Missing"),
    ):
        yield told.bad(name, "registered", error, document)
    earlier = edited(
        whole, ("epochs/1", w.epoch(2, 3)), ("epochs/0/labels", [w.label(1, LIFE, 0), w.label(1, LIFE, 1)])
    )
    yield told.good("life-at-an-earlier-epoch", "registered", said("state CONFIRMED after event 0"), earlier)
    moved = edited(whole, ("epochs/0/labels", lambda v: [*v, w.label(2, LIFE, 2)]))
    yield told.bad("absence-of-another-epoch", "registered", "RootMismatch", moved)
    none = edited(whole, ("epochs/1", w.epoch(2, 3)), ("epochs/0/labels", [w.label(1, (1, "note", OBJECT), 0)]))
    yield told.good("life-of-nobody", "registered", said(NOT_REGISTERED), none)


def without(index):
    return lambda pairs: {key: value for key, value in pairs.items() if key != index}


def instead(index):
    return lambda pairs: pairs | {index: r.sha(b"another commitment")}


def story_cases(told, w, whole):
    """Over the epochs of one bundle an index stays, with its commitment; transactions tell the same."""
    index = w.index(INVOICE, 0)[0]
    lost, changed = World(registries={2: without(index)}), World(registries={2: instead(index)})
    for name, made in (("pair-lost-later", lost), ("commitment-changed-later", changed)):
        labels = [[made.label(e, INVOICE, 0, opened=e == 1)] for e in (1, 2)]
        document = made.bundle(
            3, *(made.epoch(e, 3, labels=one) for e, one in zip((1, 2), labels, strict=True)), purpose="registry"
        )
        yield told.bad(name, "registered", "FieldMismatch", document)
        bare = edited(document, *((f"epochs/{e}/labels/0/{part}", REMOVED) for e in (0, 1) for part in ("label", "version", "proof")),
                      *((f"epochs/0/labels/0/{part}", REMOVED) for part in ("value", "opening")))  # fmt: skip
        yield told.bad(f"{name} indices alone", "registered", "FieldMismatch", bare)
    confirm = w.entry(1, w.entries["confirm"]["entry"], transaction=b64u(w.transaction()))
    beside = edited(whole, ("epochs/0/entries", [confirm]))
    yield told.good(
        "transaction-that-inserted-it", "registered", said(OBJECT_X, NOT_REGISTERED, OBJECT_X, STATE), beside
    )
    other = w.pair(INVOICE, 0, 1)[0]
    for name, ops in (
        ("transaction-inserts-another-commitment", [b"\x01" + u(3, 2) + u(0, 4) + other + r.sha(b"x")]),
        ("transaction-inserts-another-type", [b"\x01" + u(4, 2) + u(0, 4) + other + w.pair(INVOICE, 0, 1)[1]]),
        ("transaction-inserts-nothing", []),
    ):
        entry = {**confirm, "transaction": b64u(w.transaction(ops=ops))}
        yield told.bad(name, "registered", "FieldMismatch", edited(whole, ("epochs/0/entries", [entry])))
    late = w.index(UNKNOWN, 0)[0]
    absent = [b"\x01" + u(3, 2) + u(0, 4) + late + r.sha(b"x")]
    entry = {**confirm, "transaction": b64u(w.transaction(ops=absent))}
    yield told.bad(
        "transaction-inserts-what-is-absent",
        "registered",
        "FieldMismatch",
        edited(whole, ("epochs/0/entries", [entry])),
    )
