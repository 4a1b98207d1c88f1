"""Cases of the families bundle/, rotation/ and replay/ (SPEC §15): whole bundles with one thing wrong."""

import reference as r
from cases import flip
from curve import SMALL, encode_point
from exports import public
from fields import b64u
from notes import b64, key_id
from patches import REMOVED, Bundles, edited
from transactions import Key, operation
from worlds import NOW, OTHER_ORIGIN, World, jcs, unb64u, world

SAYS = {"registry": [], "omission": "not shown"}


def turned(bit=0):
    """One bit of a base64url text."""
    return lambda value: b64u(flip(unb64u(value), bit))


def plus(number):
    return lambda value: value + number


# ── bundle/ ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def bundles():
    w = world()
    return Bundles(
        "SPEC §11, §12",
        record=(w.record(), w.trust()),
        rotated=(w.rotated(), w.trust(5)),
        growing=(w.growing(), w.trust()),
    )


def bundle_shared():
    return bundles().shared(NOW)


def bundle_cases():
    told = bundles()
    for base in told.bases:
        yield told.good(f"whole {base}", base, SAYS)
    yield told.good("every-byte-flipped", "record", SAYS, every=97)
    for cases in (
        text_cases,
        shape_cases,
        order_cases,
        path_cases,
        note_cases,
        part_cases,
        transaction_cases,
        trust_cases,
    ):
        yield from cases(told)


def text_cases(told):
    """The bytes before any document: what is not the one encoding of its own content."""
    record = jcs(told.bases["record"][0])
    for name, old, new in (
        ("json-duplicate-key", '"critical":[]', '"critical":[],"critical":[]'),
        ("json-duplicate-key inside", '"extensions":{}', '"extensions":{"a":1,"a":1}'),
        ("not-jcs white space", '"critical":[]', '"critical": []'),
        ("not-jcs order of keys", '"anchors"', '"zanchors"'),
        ("not-jcs escape", '"purpose":"record"', '"purpose":"\\u0072ecord"'),
        ("not-jcs float", '"log_index":0', '"log_index":0.0'),
        ("not-jcs exponent", '"log_index":0', '"log_index":0e0'),
        ("not-jcs leading zero", '"log_index":0', '"log_index":00'),
        ("not-jcs minus zero", '"log_index":0', '"log_index":-0'),
        ("integer-2^53", '"log_index":0', f'"log_index":{2**53}'),
        ("integer-negative", '"log_index":0', '"log_index":-1'),
        ("nan", '"log_index":0', '"log_index":NaN'),
        ("nine-containers", '"extensions":{}', '"extensions":{"a":[[[[[[[[]]]]]]]]}'),
        ("lone-surrogate", '"purpose":"record"', '"purpose":"\\ud800"'),
        ("truncated", record[-2:], ""),
        ("trailing-byte", record[-2:], record[-2:] + "\n"),
    ):
        assert old in record, name
        unread = {"not-jcs leading zero", "nan", "nine-containers", "lone-surrogate", "truncated", "integer-negative", "integer-2^53",
                  "not-jcs float", "not-jcs exponent", "json-duplicate-key", "json-duplicate-key inside"}  # fmt: skip
        error = "FieldMalformed" if name in unread else "NotCanonical"
        yield told.bad(name, "record", error, replace=[old, new])
    yield told.bad("over-1-mib", None, "TooLong", text=" ", times=(1 << 20) + 1)
    yield told.bad("empty", None, "FieldMalformed", text="", times=0)
    yield told.bad("brackets-without-end", None, "FieldMalformed", text="[", times=100_000)


def shape_cases(told):
    whole = told.bases["record"][0]
    for name, *edits in (
        ("unknown-member", ("more", [])),
        ("unknown-member inside", ("epochs/0/more", 1)),
        ("member-missing", ("renewals", REMOVED)),
        ("member-missing inside", ("epochs/0/labels", REMOVED)),
        ("null-optional", ("provenance", None)),
        ("null-optional inside", ("epochs/0/entries/0/transaction", None)),
        ("int-as-string", ("epochs/0/entries/0/index", "0")),
        ("string-as-int", ("purpose", 1)),
        ("bool-as-int", ("anchors/0/log_index", False)),
        ("object-as-array", ("epochs", {})),
        ("format-other", ("format", "hybrid-bridge/bundle/v2")),
        ("purpose-other", ("purpose", "proof")),
        ("no-checkpoint", ("checkpoints", [])),
        ("record-639-bytes", ("epochs/0/record", lambda v: b64u(unb64u(v)[:-1]))),
        ("entry-36-bytes", ("epochs/0/entries/0/entry", lambda v: b64u(unb64u(v)[:-1]))),
        ("path-of-31-bytes", ("epochs/0/path/0", lambda v: b64u(unb64u(v)[:-1]))),
        ("anchor-type-other", ("anchors/0/type", "btc")),
        ("critical-without-extension", ("critical", ["x"])),
        ("critical-unsorted", ("extensions", {"a": 1, "b": 1}), ("critical", ["b", "a"])),
    ):
        yield told.bad(name, "record", "FieldMalformed", edited(whole, *edits))
    yield told.bad("base64-padding", "record", "TooLong", edited(whole, ("epochs/0/path/0", lambda v: v + "=")))
    yield told.bad(
        "base64-alphabet", "record", "NotCanonical", edited(whole, ("epochs/0/path/0", lambda v: "+" + v[1:]))
    )
    long = [b64u(bytes(32))] * 55
    yield told.bad("path-55-hashes", "record", "TooLong", edited(whole, ("epochs/0/path", long)))
    known = edited(whole, ("extensions", {"x": 1}), ("critical", ["x"]))
    yield told.bad("unknown-critical", "record", "Missing", known)
    yield told.good(
        "extension-not-critical", "record", SAYS, edited(whole, ("extensions", {"x": {"y": [1, None, "z"]}}))
    )


def order_cases(told):
    w, whole, growing = world(), told.bases["record"][0], told.bases["growing"][0]
    yield told.bad("checkpoints-descending", "growing", "FieldMalformed", edited(growing, ("checkpoints", lambda v: [
        {**v[1], "consistency": []}, {**v[0], "consistency": v[1]["consistency"]}])))  # fmt: skip
    twice = [growing["checkpoints"][0], {**growing["checkpoints"][0], "consistency": []}]
    yield told.bad("checkpoint-twice", "growing", "FieldMalformed", edited(growing, ("checkpoints", twice)))
    yield told.bad("checkpoint-not-consistent", "growing", "RootMismatch",
                   edited(growing, ("checkpoints/1/consistency/0", turned())))  # fmt: skip
    forked = World(epochs={1: {"blind": r.sha(b"another first epoch")}})
    yield told.bad("checkpoint-not-consistent of another history", "growing", "RootMismatch",
                   edited(growing, ("checkpoints/1", forked.checkpoint(5, 3))))  # fmt: skip
    yield told.bad("consistency-one-short", "growing", "PathLength",
                   edited(growing, ("checkpoints/1/consistency", lambda v: v[:-1])))  # fmt: skip
    yield told.bad("first-consistency-not-empty", "record", "FieldMalformed",
                   edited(whole, ("checkpoints/0/consistency", [b64u(bytes(32))])))  # fmt: skip
    size_1 = w.checkpoint(1)
    yield told.bad("checkpoint-of-size-one", "record", "FieldMalformed", edited(whole, ("checkpoints/0", size_1)))
    yield told.bad("epochs-descending", "growing", "FieldMalformed", edited(growing, ("epochs", lambda v: v[::-1])))
    yield told.bad("epoch-twice", "growing", "FieldMalformed", edited(growing, ("epochs", lambda v: [v[0], v[0]])))
    yield told.bad("entry-twice", "record", "FieldMalformed", edited(whole, ("epochs/0/entries", lambda v: v * 2)))
    yield told.bad("disclosures-turned", "record", "FieldMalformed",
                   edited(whole, ("epochs/0/entries/0/disclosures", lambda v: v[::-1])))  # fmt: skip
    yield told.bad("disclosure-twice", "record", "FieldMalformed",
                   edited(whole, ("epochs/0/entries/0/disclosures", lambda v: [v[0], *v])))  # fmt: skip
    yield told.bad("schema-not-disclosed", "record", "FieldMalformed",
                   edited(whole, ("epochs/0/entries/0/disclosures", lambda v: [one for one in v if "asset" not in text_of(one)])))  # fmt: skip
    yield told.bad(
        "certificates-turned", "record", "FieldMalformed", edited(whole, ("certificates", lambda v: v[::-1]))
    )
    yield told.bad(
        "certificate-twice", "record", "FieldMalformed", edited(whole, ("certificates", lambda v: [v[0], *v]))
    )


def text_of(shown):
    return unb64u(shown["value"]).decode()


def path_cases(told):
    whole, rotated = told.bases["record"][0], told.bases["rotated"][0]
    for name, place in (
        ("genesis", "genesis/path"), ("epoch", "epochs/0/path"), ("entry", "epochs/0/entries/0/path"),
        ("field", "epochs/0/entries/0/disclosures/0/path"),
    ):  # fmt: skip
        yield told.bad(f"path-one-bit {name}", "record", "RootMismatch", edited(whole, (f"{place}/0", turned(9))))
        yield told.bad(f"path-one-short {name}", "record", "PathLength", edited(whole, (place, lambda v: v[:-1])))
        yield told.bad(f"path-one-long {name}", "record", "PathLength", edited(whole, (place, lambda v: [*v, v[0]])))
    for name, place in (("entry", "epochs/0/entries/0/index"), ("field", "epochs/0/entries/0/disclosures/0/index")):
        yield told.bad(f"index-of-neighbour {name}", "record", "RootMismatch", edited(whole, (place, lambda v: v ^ 1)))
    last = len(whole["epochs"][0]["entries"][0]["disclosures"]) - 1
    for name, place, size in (("entry", "epochs/0/entries/0/index", 8),
                              ("field", f"epochs/0/entries/0/disclosures/{last}/index", 16)):  # fmt: skip
        yield told.bad(f"index-aliased {name}", "record", "IndexBeyondSize", edited(whole, (place, plus(size))))
    blind, closed, number = 32 * 19 + 5, 32 * 16 + 31, 32 * 2 + 31
    for name, place, at, error in (
        ("epoch-blind-changed", "epochs/0/record", blind, "RootMismatch"),
        ("epoch-closedat-changed", "epochs/0/record", closed, "FieldMismatch"),
        ("epoch-number-changed", "epochs/0/record", number, "FieldMismatch"),
        ("epoch-log-changed", "epochs/0/record", 32 + 7, "FieldMismatch"),
        ("epoch-type-changed", "epochs/0/record", 0, "WordMalformed"),
        ("entry-root-changed", "epochs/0/entries/0/entry", 9, "RootMismatch"),
        ("genesis-policy-changed", "genesis/record", 32 * 22 + 3, "FieldMismatch"),
    ):
        yield told.bad(name, "record", error, edited(whole, (place, turned(8 * at + 1))))
    yield told.bad("origin-other", "record", "FieldMismatch", edited(whole, ("genesis/origin", OTHER_ORIGIN)))
    for name, change, error in (
        ("governance-index-missing", ("governance/records", []), "FieldMalformed"),
        ("governance-index-other", ("governance/records/0/index", 0), "FieldMalformed"),
        ("governance-index-twice", ("governance/records", lambda v: v * 2), "FieldMalformed"),
        ("governance-record-changed", ("governance/records/0/record", turned(8 * 32 * 7)), "RootMismatch"),
        ("governance-path-one-bit", ("governance/records/0/path/0", turned()), "RootMismatch"),
        ("governance-consistency-one-bit", ("governance/consistency/0", turned()), "RootMismatch"),
        ("governance-from-other-epoch", ("governance/from_epoch", 3), "FieldMalformed"),
        ("governance-turned", ("governance", lambda v: {**v, "from_epoch": 4, "to_epoch": 1}), "FieldMalformed"),
        ("governance-of-an-epoch-not-shown", ("governance/from_epoch", 2), "FieldMalformed"),
    ):
        yield told.bad(name, "rotated", error, edited(rotated, change))


def note_cases(told):
    w, whole = world(), told.bases["record"][0]
    note, other = w.note(3), world(OTHER_ORIGIN)
    head, lines = note.split("\n\n")[0] + "\n\n", note.split("\n\n")[1].splitlines(keepends=True)
    stranger = other.note(3).split("\n\n")[1].splitlines(keepends=True)
    late = w.note(3, timestamp=1_800_001_201)
    for name, text, error in (
        ("note-below-quorum", head + "".join(lines[:2]), "BelowQuorum"),
        ("note-without-quorum", head + lines[0], "BelowQuorum"),
        ("note-without-log-line", head + "".join(lines[1:]), "FieldMalformed"),
        ("note-log-line-twice", head + lines[0] * 2 + "".join(lines[1:]), "FieldMalformed"),
        ("note-quorum-line-twice", head + lines[0] + lines[1] * 2 + lines[2], "FieldMalformed"),
        ("note-quorum-lines-turned", head + lines[0] + lines[2] + lines[1], "FieldMalformed"),
        ("note-line-that-nobody-checks", note + stranger[0], "FieldMalformed"),
        ("note-lines-of-another-root", head + "".join(w.note(3, root=r.sha(b"x")).split("\n\n")[1].splitlines(keepends=True)), "SignatureWrong"),
        ("note-of-another-root", w.note(3, root=r.sha(b"x")), "RootMismatch"),
        ("note-of-another-size", w.note(2), "PathLength"),
        ("note-of-another-time", late, "FieldMismatch"),
        ("note-signed-for-another-set", w.note(3, set_id=2), "FieldMismatch"),
        ("note-signed-for-another-set-hash", w.note(3, set_hash=r.sha(b"x")), "SignatureWrong"),
        ("note-signed-for-another-log", w.note(3, log_id=other.log_id), "SignatureWrong"),
        ("note-of-another-origin", w.note(3, origin=OTHER_ORIGIN), "FieldMismatch"),
        ("note-size-leading-zero", note.replace("\n3\n", "\n03\n"), "FieldMalformed"),
        ("note-without-blank-line", note.replace("\n\n", "\n"), "FieldMalformed"),
    ):  # fmt: skip
        yield told.bad(name, "record", error, edited(whole, ("checkpoints/0/note", text)))


def part_cases(told):
    """Validators, certificates, anchors, artefacts."""
    w, whole, other = world(), told.bases["record"][0], world(OTHER_ORIGIN)
    moved = w.anchor(5)
    for name, *edits, error in (
        ("anchor-for-unknown-size", ("anchors/0", moved), "FieldMismatch"),
        ("anchor-of-another-log", ("anchors/0", other.anchor(3)), "FieldMismatch"),
        ("anchor-receipt-changed", ("anchors/0/receipt", turned(8 * 400)), "FieldMismatch"),
        ("anchor-log-index-beyond", ("anchors/0/log_index", 1), "IndexBeyondSize"),
        ("anchor-without-proof", ("anchors/0/proof", []), "Truncated"),
        ("artefact-digest-differs", ("artefacts/0/sha256", b64u(r.sha(b"another document"))), "FieldMismatch"),
        ("artefact-field-not-disclosed", ("artefacts/0/field", "doc.1.sha256"), "FieldMalformed"),
        ("artefact-field-of-no-digest", ("artefacts/0/field", "object"), "FieldMismatch"),
        ("validator-missing", ("genesis/validators", lambda v: v[1:]), "SetMismatch"),
        ("validators-turned", ("genesis/validators", lambda v: v[::-1]), "EntriesMalformed"),
        ("validator-name-changed", ("genesis/validators/0/name", lambda v: v.replace("Member", "Someone")), "SetMismatch"),
        ("validator-name-not-jcs", ("genesis/validators/0/name", lambda v: v.replace(":", ": ", 1)), "NotCanonical"),
        ("validator-certificate-hash-changed", ("genesis/validators/0/certificate_hash", turned()), "SetMismatch"),
        ("validator-address-changed", ("genesis/validators/0/address", lambda v: b64u(b"\x00" * 19 + b"\x01")), "SetMismatch"),
        ("key-binding-signature-changed", ("genesis/validators/0/key_binding", turned(8 * 120)), "SignatureWrong"),
        ("key-binding-changed", ("genesis/validators/0/key_binding", turned(8 * 100)), "SetMismatch"),
        ("key-binding-of-scheme-zero", ("genesis/validators/0/key_binding", lambda v: b64u(unb64u(v)[:117] + bytes(66))), "FieldMalformed"),
        ("certificate-of-nobody", ("certificates", [b64u(w.certificates[3])]), "FieldMismatch"),
        ("certificate-no-der", ("certificates", [b64u(b"abc")]), "CertificateMalformed"),
        ("public-block-of-no-beacon", ("public_blocks", [{"chain_id": 31337, "header": whole["anchors"][0]["header"]}]), "FieldMismatch"),
        ("public-block-no-header", ("public_blocks", [{"chain_id": 31337, "header": b64u(b"\xc0")}]), "FieldMalformed"),
        ("provenance-not-jcs", ("provenance", '{"a": 1}'), "NotCanonical"),
        ("promise-signature-missing", ("promise", b64u(bytes(219))), "FieldMalformed"),
    ):  # fmt: skip
        yield told.bad(name, "record", error, edited(whole, *edits))
    yield told.good("without-certificates", "record", SAYS, edited(whole, ("certificates", [])))
    yield told.good("without-artefacts", "record", SAYS, edited(whole, ("artefacts", [])))


def transaction_cases(told):
    w, whole = world(), told.bases["record"][0]
    place = "epochs/0/entries/0/transaction"
    stranger = Key(r.sha(b"stranger"))
    index, commitment = w.pair((3, "LEI:5493001KJTIIGC8Y1R12", "INV-001"), 0, 1)
    one = operation(3, index, commitment)
    true = w.transaction()
    for name, data, error in (
        ("transaction-of-other-entry", w.transaction("cancel", ops=[]), "FieldMismatch"),
        ("transaction-of-other-log", world(OTHER_ORIGIN).transaction(), "FieldMismatch"),
        ("transaction-signature-changed", flip(true, 8 * (len(true) - 40)), "SignatureWrong"),
        ("transaction-sequence-changed", flip(true, 8 * 73), "SignatureWrong"),
        ("transaction-expired", w.transaction(expires=0), "FieldMismatch"),
        ("transaction-kind-beacon", w.transaction(kind=3), "FieldMalformed"),
        ("transaction-trailing-byte", true + b"\x00", "TrailingBytes"),
        ("transaction-truncated", true[:-1], "Truncated"),
        ("transaction-op-twice", w.transaction(ops=[one, one]), "FieldMalformed"),
        (
            "transaction-of-small-order-key",
            true.replace(w.submitter.spki[12:], encode_point(SMALL[1])),
            "FieldMalformed",
        ),
        ("transaction-of-another-key", true.replace(w.submitter.spki, stranger.spki), "FieldMismatch"),
    ):
        yield told.bad(name, "record", error, edited(whole, (place, b64u(data))))


def trust_cases(told):
    """Whole bundles under a trust that does not carry them, or contradicts them."""
    trust = told.bases["record"][1]
    chain = trust["public_chains"][0]
    blocks = chain["block_hashes"]
    for name, error, changes in (
        ("log-not-trusted", "Missing", {"logs": []}),
        ("another-log-trusted", "Missing", {"logs": [{"log_id": b64u(world(OTHER_ORIGIN).log_id)}]}),
        ("chain-not-trusted", "Missing", {"public_chains": []}),
        ("contract-not-trusted", "Missing", {"public_chains": [{**chain, "contracts": []}]}),
        ("block-not-known", "Missing", {"public_chains": [{**chain, "block_hashes": []}]}),
        ("block-of-another-number", "Missing", {"public_chains": [{**chain, "block_hashes": [{**blocks[0], "number": 72}]}]}),
        ("block-is-another", "FieldMismatch", {"public_chains": [{**chain, "block_hashes": [{**blocks[0], "hash": b64u(bytes(32))}]}]}),
        ("too-old", "Missing", {"max_age": 600}),
        ("level-not-reached", "Missing", {"minimum_level": "A1"}),
        ("registry-required", "Missing", {"require": ["registry"]}),
        ("witnesses-required", "Missing", {"tlog_policy": f"witness w {vkey('w.example', r.sha(b'w'))}\nquorum w\n"}),
    ):  # fmt: skip
        yield told.bad(name, "record", error, trust=changes)


def vkey(name, seed):
    """The verifier key of a witness (C2SP signed-note, type 04)."""
    kind, key = b"\x04", public(seed)
    return f"{name}+{key_id(name, kind, key).hex()}+{b64(kind + key)}"
