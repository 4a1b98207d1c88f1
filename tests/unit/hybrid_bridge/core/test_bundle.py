"""The shape of a bundle: one encoding, nothing unlisted, everything bounded."""

import json
from functools import cache

import pytest

from hybrid_bridge.core.bundle import MAX_BUNDLE, Bundle, TimestampsAnchor, TokenAnchor, WitnessAnchor, decode_bundle
from hybrid_bridge.core.encoding import b64u, canonical_json
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import FieldMalformed, Malformed, NotCanonical, TooLong
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, as_json, consortium, edit

ALL = ("receivable", "split", "financing", "unregistered", "history", "document")


@cache
def everything() -> dict[str, Bundle]:
    return consortium().all()


def good(name: str = "receivable") -> Bundle:
    return everything()[name]


def refused(value, error: type[Malformed] = FieldMalformed) -> Malformed:
    """As JSON or bytes; the verifier stops at its first check."""
    data = value if isinstance(value, bytes) else canonical_json(value)
    with pytest.raises(error) as caught:
        verify(data, Trust(), NOW)
    assert type(caught.value) is error
    assert caught.value.stopped_at == "1 shape"
    assert caught.value.reached == ()
    return caught.value


@pytest.mark.parametrize("name", ALL)
def test_a_bundle_reads_back_as_it_was_written(name):
    bundle = good(name)
    assert decode_bundle(bundle.encode()) == bundle
    assert decode_bundle(bundle.encode()).encode() == bundle.encode()


def test_every_kind_of_anchor_reads_back():
    anchors = (
        TokenAnchor(tree_size=4, token=b"t"),
        WitnessAnchor(tree_size=4, name="w"),
        TimestampsAnchor(tree_size=4, proof=b""),
    )
    bundle = edit(good(), "anchors", lambda _: anchors)
    assert decode_bundle(bundle.encode()).anchors == anchors


@pytest.mark.parametrize(
    ("change", "at"),
    [
        pytest.param(lambda data: data + b"\n", len, id="line-feed"),
        pytest.param(lambda data: b" " + data, lambda _: 0, id="space"),
        pytest.param(lambda data: data.replace(b'"critical":[]', b'"critical": []'), b"[]", id="inner-space"),
        pytest.param(lambda data: data.replace(b"record", b"\\u0072ecord", 1), b"record", id="escape"),
    ],
)
def test_not_jcs(change, at):
    data = good().encode()
    where = at(data) if callable(at) else data.index(at, data.index(b'"critical":') if at == b"[]" else 0)
    with pytest.raises(NotCanonical) as caught:
        decode_bundle(change(data))
    assert caught.value.field == "bundle"
    assert caught.value.__notes__ == [f"the one encoding differs from byte {where} on"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        pytest.param(lambda data: b"", "not empty", id="empty"),
        pytest.param(lambda data: b"\xff" * 50, "UTF-8; byte 0 is not", id="not-utf-8"),
        pytest.param(lambda data: data[:9] + b"\xff" + data[9:], "UTF-8; byte 9 is not", id="not-utf-8-inside"),
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, "JSON; it ends or breaks at byte 0", id="bom"),
        pytest.param(lambda data: data[:3000], "JSON; it ends or breaks at byte {2}", id="cut"),
        pytest.param(lambda data: data + b"x", "JSON; it ends or breaks at byte {0}", id="trailing-byte"),
        pytest.param(lambda data: b"}" + data, "JSON; it ends or breaks at byte 0", id="bracket-first"),
        pytest.param(
            lambda data: data.replace(b'"index":', b'"index":0', 1), "JSON; it ends or breaks at byte {1}",
            id="leading-zero",
        ),
        pytest.param(
            lambda data: data.replace(b'"tree_size":4', b'"tree_size":4.0'), "numbers are integers of at most 2^53-1",
            id="float",
        ),
        pytest.param(lambda data: b'{"format":NaN}', "numbers are integers of at most 2^53-1", id="nan"),
        pytest.param(lambda data: b'{"size":' + b"9" * 5000 + b"}", "numbers are integers of at most 2^53-1", id="huge"),
        pytest.param(
            lambda data: data.replace(b'{"anchors"', b'{"anchors":[],"anchors"', 1), "each member of an object once",
            id="duplicate-key",
        ),
        pytest.param(
            lambda data: '{"é":"é'.encode(), "JSON; it ends or breaks at byte 6", id="counted-in-bytes-not-letters"
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_and_where(change, rule):
    data = good().encode()
    cut_string = data[:3000].rindex(b'"')
    zero = data.index(b'"index":') + len(b'"index":') + 1
    with pytest.raises(FieldMalformed) as caught:
        decode_bundle(change(data))
    assert (caught.value.field, caught.value.rule) == ("bundle", rule.format(len(data), zero, cut_string))


def places(value, path=()):
    """Every object in a document, by its path."""
    if isinstance(value, dict):
        yield path
        for key, inner in value.items():
            if key not in ("extensions",):
                yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from places(inner, (*path, position))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def broken(name, break_one):
    """Every object of a document, once for each way of breaking it; `break_one` yields keys and changes."""
    document = as_json(good(name))
    for path in set(places(document)):
        there = at(document, path)
        for key, change in break_one(there):
            kept = dict(there)
            change(there, key)
            yield key, document
            there.clear()
            there.update(kept)


def test_unknown_member():
    """In every object that a bundle has."""
    for _, document in broken("history", lambda there: [("colour", lambda o, k: o.update({k: "red"}))]):
        assert refused(document).field.endswith(".colour")


@pytest.mark.parametrize("kind", ["history", "financing"])
def test_null_optional_and_null_required(kind):
    """Optional members are left out, never null; the terminal of a hole is the one exception."""
    for key, document in broken(kind, lambda there: [(name, lambda o, k: o.update({k: None})) for name in there]):
        if key != "terminal":
            refused(document)


def test_a_member_that_is_left_out():
    optional = {"transaction", "left", "right", "label", "version", "proof", "value", "opening", "governance"}
    for key, document in broken("history", lambda there: [(name, lambda o, k: o.pop(k)) for name in there]):
        if key not in optional:
            refused(document)


def test_int_as_string():
    def numbers(there):
        return [(k, lambda o, k: o.update({k: str(o[k])})) for k, v in there.items() if isinstance(v, int)]

    for _, document in broken("history", numbers):
        assert refused(document).rule.startswith("an integer")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "hybrid-bridge/bundle/v2"),
        (("purpose",), "luck"),
        (("checkpoints",), []),
        (("checkpoints",), {}),
        (("genesis", "record"), b64u(bytes(831))),
        (("genesis", "record"), "A" * 1110 + "B="),
        (("genesis", "path"), [b64u(bytes(31))]),
        (("extensions",), []),
        (("anchors",), [{"type": "luck", "tree_size": 4}]),
        (("anchors",), [4]),
        (("anchors", 0, "tree_size"), True),
        (("anchors", 0, "tree_size"), -1),
        (("renewals",), [{"hash": "md5", "token": ""}]),
    ],
    ids=str,
)
def test_a_member_of_another_type(path, value):
    document = as_json(good())
    at(document, path[:-1])[path[-1]] = value
    with pytest.raises(Malformed):
        decode_bundle(canonical_json(document))


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        (("checkpoints",), 16),
        (("epochs",), 64),
        (("epochs", 0, "entries"), 64),
        (("epochs", 0, "absences"), 64),
        (("epochs", 0, "labels"), 256),
        (("epochs", 0, "entries", 0, "disclosures"), 256),
        (("rotations",), 64),
        (("anchors",), 16),
        (("certificates",), 64),
        (("genesis", "validators"), 64),
        (("genesis", "path"), 54),
        (("epochs", 1, "labels", 0, "path"), 256),
        (("public_blocks",), 64),
        (("artefacts",), 256),
        (("renewals",), 64),
        (("source_evidence",), 64),
    ],
    ids=str,
)
def test_counts_are_bounded(path, limit):
    """More than the limit is refused before any of it is looked at."""
    document = as_json(good("financing"))
    at(document, path[:-1])[path[-1]] = [0] * (limit + 1)
    error = refused(document, TooLong)
    assert (error.limit, error.got) == (limit, limit + 1)


def test_sizes_beyond_2_53_are_refused():
    document = as_json(good())
    document["epochs"][0]["entries"][0]["index"] = 2**53
    refused(json.dumps(document, separators=(",", ":"), sort_keys=True).encode())


def test_over_1_mib():
    big = edit(good(), "extensions", lambda _: {"x": "y" * MAX_BUNDLE})
    with pytest.raises(TooLong) as caught:
        big.encode()
    assert caught.value.limit == MAX_BUNDLE
    assert refused(b" " * (MAX_BUNDLE + 1), TooLong).got == MAX_BUNDLE + 1


def test_a_bundle_nests_eight_deep_and_no_deeper():
    nested = edit(good(), "extensions", lambda _: {"x": [[[[[[1]]]]]]})
    assert decode_bundle(nested.encode()) == nested
    with pytest.raises(FieldMalformed):
        edit(good(), "extensions", lambda _: {"x": [[[[[[[1]]]]]]]}).encode()


@pytest.mark.parametrize("critical", [("b", "a"), ("a", "a"), ("c",)])
def test_critical_is_sorted_unique_and_of_the_extensions(critical):
    bundle = edit(good(), "extensions", lambda _: {"a": 1, "b": 2})
    with pytest.raises(FieldMalformed) as caught:
        edit(bundle, "critical", lambda _: critical).encode()
    assert caught.value.field == "bundle.critical"


def test_the_error_names_the_place():
    document = as_json(good())
    document["epochs"][0]["entries"][0]["disclosures"][1]["index"] = "3"
    assert refused(document).field == "bundle.epochs[0].entries[0].disclosures[1].index"
