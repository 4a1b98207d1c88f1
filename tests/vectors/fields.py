"""Cases of the families entry/ and disclosure/ (SPEC §15)."""

import base64
import json

import reference as r
from cases import bad, flip, good

SECTION = "SPEC §3"
SALTS = [bytes(range(32 * i, 32 * i + 32)) for i in range(8)]
DECOYS = [bytes([i]) * 32 for i in range(8)]
HALVES = {"gross": "claim", "due": "claim", "seller": "private", "buyer": "private"}
ORIGIN = "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"


def b64u(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def text(salt, name, value, dumps=None):
    """b64u(JCS([salt, name, value])): strings, integers, booleans and null only, so JSON without spaces is JCS."""
    body = dumps or json.dumps([b64u(salt), name, value], ensure_ascii=False, separators=(",", ":"))
    return b64u(body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body)


def digest(disclosure):
    return r.sha(disclosure.encode())


def decoy(seed):
    return r.sha(r.context("field-decoy") + seed)


def record(left, right):
    """Leaf data in place, entry of type 0x0101."""
    leaves = [r.leaf(data) for data in (*left, *right)]
    head = b"\x01" + (0x0101).to_bytes(2, "big") + len(leaves).to_bytes(2, "big")
    return head + r.root(leaves), leaves


def shown(disclosure, index, leaves):
    return {"value": disclosure, "index": index, "path": r.path(index, leaves)}


CLAIMS = sorted(
    [text(SALTS[0], "_schema", "x/1"), text(SALTS[1], "_origin", ORIGIN), text(SALTS[2], "gross", "1250000")],
    key=digest,
)
SELLER = text(SALTS[3], "seller", "LEI:TEST")
LEFT = [*map(digest, CLAIMS), bytes(32)]
RIGHT = sorted([digest(SELLER), *map(decoy, DECOYS[:3])])
ENTRY, LEAVES = record(LEFT, RIGHT)
PLACES = {name: i for i, name in enumerate(CLAIMS)} | {SELLER: 4 + RIGHT.index(digest(SELLER))}
SCHEMA = next(claim for claim in CLAIMS if "_schema" in base64.urlsafe_b64decode(claim + "==").decode())
GROSS = next(claim for claim in CLAIMS if "gross" in base64.urlsafe_b64decode(claim + "==").decode())


# ── entry ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def entry_cases():
    yield good("record", SECTION, {"data": ENTRY}, {"kind": 1, "record_type": 0x0101, "width": 8, "body": ENTRY[5:]})
    for width in (8, 1024):
        data = ENTRY[:3] + width.to_bytes(2, "big") + ENTRY[5:]
        yield good(
            f"record width {width}",
            SECTION,
            {"data": data},
            {"kind": 1, "record_type": 257, "width": width, "body": data[5:]},
        )
    yield bad("decoy-shown-as-record", SECTION, {"data": bytes(5) + ENTRY[5:]}, "EntryMalformed")
    yield bad("refusal-shown-as-record", SECTION, {"data": b"\x02" + bytes(4) + ENTRY[5:]}, "EntryMalformed")
    yield bad("36-bytes", SECTION, {"data": ENTRY[:-1]}, "Truncated")
    yield bad("38-bytes", SECTION, {"data": ENTRY + b"\x00"}, "TrailingBytes")
    yield bad("empty", SECTION, {"data": b""}, "Truncated")
    for width in (0, 1, 4, 7, 9, 12, 2048, 65535):
        yield bad(
            f"width-not-power-of-two {width}",
            SECTION,
            {"data": ENTRY[:3] + width.to_bytes(2, "big") + ENTRY[5:]},
            "EntryMalformed",
        )
    yield bad("type-zero", SECTION, {"data": b"\x01\x00\x00" + ENTRY[3:]}, "EntryMalformed")
    yield bad("type-ffff", SECTION, {"data": b"\x01\xff\xff" + ENTRY[3:]}, "EntryMalformed")
    for first in (3, 0x80, 0xFF):
        yield bad(f"unknown-first-byte {first}", SECTION, {"data": bytes([first]) + ENTRY[1:]}, "EntryMalformed")
    yield bad("decoy-with-type", SECTION, {"data": b"\x00\x01\x01" + bytes(2) + ENTRY[5:]}, "EntryMalformed")
    yield bad("refusal-with-width", SECTION, {"data": b"\x02" + bytes(2) + b"\x00\x08" + ENTRY[5:]}, "EntryMalformed")


# ── fields shown to an outsider ──────────────────────────────────────────────────────────────────────────────────────


def at(*disclosures, entry=ENTRY, leaves=LEAVES, places=None):
    parts = [shown(one, (places or PLACES)[one], leaves) for one in disclosures]
    return {"entry": entry, "shown": sorted(parts, key=lambda part: part["index"]), "halves": HALVES}


def instead(disclosure, half="claim", left=None, right=None):
    """A record in which this text stands in place of `gross` or `seller`, its digest where the sort puts it."""
    left = (
        sorted([digest(SCHEMA), digest(disclosure)]) if half == "claim" and left is None else left or [digest(SCHEMA)]
    )
    left = [*left, *[bytes(32)] * (4 - len(left))]
    right = right or (RIGHT if half == "claim" else sorted([digest(disclosure), *map(decoy, DECOYS[:3])]))
    entry, leaves = record(left, right)
    data = [*left, *right]
    places = {SCHEMA: data.index(digest(SCHEMA)), disclosure: data.index(digest(disclosure))}
    return at(SCHEMA, disclosure, entry=entry, leaves=leaves, places=places)


def disclosure_cases():
    yield good("all-claims", SECTION, at(*CLAIMS), [True, True, True])
    yield good("a-claim-and-a-private-field", SECTION, at(SCHEMA, SELLER), [True, False])
    yield good("nothing", SECTION, at(), [])
    for name, given, error in (*text_mutations(), *place_mutations()):
        yield bad(name, SECTION, given, error)


def text_mutations():
    salt = SALTS[2]
    yield "reserved-name", instead(text(salt, "_other", "1")), "FieldMalformed"
    yield "sd-name", instead(text(salt, "_sd", "1")), "FieldMalformed"
    yield "sd-name dots", instead(text(salt, "...", "1")), "FieldMalformed"
    yield "name-upper-case", instead(text(salt, "Gross", "1")), "FieldMalformed"
    yield "name-65-characters", instead(text(salt, "a" * 65, "1")), "FieldMalformed"
    yield "salt-16-bytes", instead(text(salt[:16], "gross", "1")), "FieldMalformed"
    odd = json.dumps([b64u(salt)[:-1] + "9", "gross", "1"], separators=(",", ":"))
    yield "salt-not-canonical", instead(text(salt, "", "", odd)), "NotCanonical"
    yield "not-jcs-whitespace", instead(text(salt, "", "", json.dumps([b64u(salt), "gross", "1"]))), "NotCanonical"
    escaped = f'["{b64u(salt)}","gros\\u0073","1"]'
    yield "not-jcs-escape", instead(text(salt, "", "", escaped)), "NotCanonical"
    yield "array-of-four", instead(text(salt, "", "", f'["{b64u(salt)}","gross","1","2"]')), "FieldMalformed"
    yield "array-of-two", instead(text(salt, "", "", f'["{b64u(salt)}","gross"]')), "FieldMalformed"
    yield "float-value", instead(text(salt, "", "", f'["{b64u(salt)}","gross",1.5]')), "FieldMalformed"
    yield "integer-2^53", instead(text(salt, "", "", f'["{b64u(salt)}","gross",{2**53}]')), "FieldMalformed"
    yield "object-value", instead(text(salt, "", "", f'["{b64u(salt)}","gross",{{}}]')), "FieldMalformed"
    yield "lone-surrogate", instead(text(salt, "", "", f'["{b64u(salt)}","gross","\\ud800"]')), "FieldMalformed"
    yield "not-utf-8", instead(text(salt, "", "", f'["{b64u(salt)}","gross","'.encode() + b'\xff"]')), "FieldMalformed"
    yield "base64-padding", instead(GROSS + "="), "NotCanonical"
    tail = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    loose = next(one for n in range(9) if len(one := text(salt, "gross", "1" * n)) % 4)
    yield "trailing-bits-set", instead(loose[:-1] + tail[tail.index(loose[-1]) | 1]), "NotCanonical"
    yield "standard-base64-alphabet", instead(GROSS[:-1] + "+"), "NotCanonical"


def place_mutations():
    hidden, open_ = text(SALTS[4], "gross", "9"), text(SALTS[4], "seller", "x")
    yield "claim-shown-from-private-half", instead(hidden, "private"), "FieldMismatch"
    yield "private-name-in-left-half", instead(open_), "FieldMismatch"
    yield "origin-in-private-half", instead(text(SALTS[4], "_origin", ORIGIN), "private"), "FieldMismatch"
    twice = text(SALTS[4], "gross", "9")
    left = [*sorted([digest(SCHEMA), digest(GROSS), digest(twice)]), bytes(32)]
    entry, leaves = record(left, RIGHT)
    places = {one: left.index(digest(one)) for one in (SCHEMA, GROSS, twice)}
    yield "name-twice", at(SCHEMA, GROSS, twice, entry=entry, leaves=leaves, places=places), "FieldMalformed"
    free = next(4 + i for i, data in enumerate(RIGHT) if data != digest(SELLER))
    yield "digest-is-decoy", at(SCHEMA, open_, places={**PLACES, open_: free}), "RootMismatch"
    yield "schema-not-disclosed", at(GROSS), "FieldMalformed"
    yield "schema-no-string", instead_schema(), "FieldMalformed"
    good_ = at(SCHEMA, GROSS)
    for name, change in (
        ("field-index-aliased", lambda part: {**part, "index": part["index"] + 8}),
        ("path-one-short", lambda part: {**part, "path": part["path"][:-1]}),
        ("path-one-long", lambda part: {**part, "path": [*part["path"], bytes(32)]}),
        ("siblings-reversed", lambda part: {**part, "path": part["path"][::-1]}),
        ("index-of-neighbour", lambda part: {**part, "index": part["index"] ^ 1}),
        ("path-flipped", lambda part: {**part, "path": [flip(part["path"][0]), *part["path"][1:]]}),
    ):
        last = change(good_["shown"][-1])
        error = {
            "field-index-aliased": "IndexBeyondSize",
            "path-one-short": "PathLength",
            "path-one-long": "PathLength",
        }
        if name == "index-of-neighbour" and last["index"] <= good_["shown"][0]["index"]:
            yield name, {**good_, "shown": [*good_["shown"][:-1], last]}, "FieldMalformed"
        else:
            yield name, {**good_, "shown": [*good_["shown"][:-1], last]}, error.get(name, "RootMismatch")
    yield "shown-out-of-order", {**good_, "shown": good_["shown"][::-1]}, "FieldMalformed"
    yield "shown-twice", {**good_, "shown": [good_["shown"][0], *good_["shown"]]}, "FieldMalformed"


def instead_schema():
    schema = text(SALTS[5], "_schema", 1)
    left = [digest(schema), *[bytes(32)] * 3]
    entry, leaves = record(left, RIGHT)
    return at(schema, entry=entry, leaves=leaves, places={schema: 0})


# ── a record opened to its full audience ─────────────────────────────────────────────────────────────────────────────


def full(entry=ENTRY, claims=tuple(CLAIMS), private=(SELLER,), decoys=tuple(DECOYS[:3])):
    return {"entry": entry, "claims": list(claims), "private": list(private), "decoys": list(decoys)}


def full_cases():
    second = text(SALTS[6], "seller", "LEI:OTHER")
    hiding = record(LEFT, sorted([digest(SELLER), digest(second), *map(decoy, DECOYS[:2])]))[0]
    yield good("whole-record", SECTION, full())
    yield bad("second-private-field-as-decoy", SECTION, full(hiding), "RootMismatch")
    yield bad(
        "second-private-field-as-decoy shown",
        SECTION,
        full(hiding, private=(SELLER, second), decoys=DECOYS[:2]),
        "FieldMalformed",
    )
    yield bad(
        "left-padding-before-claim", SECTION, full(record([bytes(32), *map(digest, CLAIMS)], RIGHT)[0]), "RootMismatch"
    )
    yield bad("list-not-ascending left", SECTION, full(record([*LEFT[:3][::-1], bytes(32)], RIGHT)[0]), "RootMismatch")
    yield bad("list-not-ascending right", SECTION, full(record(LEFT, RIGHT[::-1])[0]), "RootMismatch")
    yield bad("decoy-kept-back", SECTION, full(decoys=DECOYS[:2]), "FieldMalformed")
    yield bad("decoy-of-another", SECTION, full(decoys=[*DECOYS[:2], DECOYS[4]]), "RootMismatch")
    yield bad("decoy-twice", SECTION, full(decoys=[DECOYS[0], DECOYS[0], DECOYS[1]]), "FieldMalformed")
    yield bad("decoy-31-bytes", SECTION, full(decoys=[*DECOYS[:2], bytes(31)]), "FieldMalformed")
    yield bad("claim-kept-back", SECTION, full(claims=[one for one in CLAIMS if one != GROSS]), "RootMismatch")
    yield bad("schema-kept-back", SECTION, full(claims=[one for one in CLAIMS if one != SCHEMA]), "FieldMalformed")
    yield bad("claim-twice", SECTION, full(claims=[*CLAIMS, GROSS]), "FieldMalformed")
    yield bad(
        "claims-five", SECTION, full(claims=[*CLAIMS, text(SALTS[4], "due", 1), text(SALTS[5], "a", 1)]), "TooLong"
    )
