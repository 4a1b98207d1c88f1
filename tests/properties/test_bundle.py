"""Whatever becomes of a bundle's bytes on the way, it never says again what it said before."""

import json
import os
import random
import secrets
import time
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.bundle import MAX_BUNDLE
from hybrid_bridge.core.encoding import canonical_json
from hybrid_bridge.core.evidence import Evidence
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BridgeError, Malformed
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, Consortium, as_json, consortium

KINDS = ("receivable", "split", "financing", "unregistered", "history", "document", "omission")


@cache
def small() -> Consortium:
    """One validator: the shortest bundle there is, so that each of its bytes can be tried."""
    return consortium("one.example/receivables", 1)


@cache
def good(kind: str) -> bytes:
    return consortium().all()[kind].encode() if kind != "small" else small().receivable().encode()


@cache
def trust(kind: str) -> Trust:
    return (small() if kind == "small" else consortium()).trust()


def judged(data: bytes, kind: str) -> Evidence | None:
    """What the verifier of the good bundle says; None if he refuses to say anything."""
    try:
        return verify(data, trust(kind), NOW)
    except BridgeError:
        return None


def holds(evidence: Evidence | None) -> bool:
    return evidence is not None and evidence.complete


def says_again(evidence: Evidence | None, whole: Evidence | None) -> bool:
    """Complete, and about the same. Another leaf between the same neighbours is absent too: a true word, not this one."""
    assert whole is not None
    return evidence is not None and evidence.complete and evidence.absences == whole.absences


def flipped(data: bytes, position: int, bit: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


# ── every byte flipped (SPEC §15) ──


def test_what_is_flipped_below_holds_before():
    for kind in ("small", *KINDS):
        assert holds(judged(good(kind), kind))


@pytest.mark.parametrize("part", range(8))
def test_every_byte_flipped(part):
    """Every position of the smallest bundle, the bits in turn: nothing that is left of it is complete."""
    data = good("small")
    for position in range(part, len(data), 8):
        assert not holds(judged(flipped(data, position, position // 8 % 8), "small")), position


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_flipped_in_every_kind_of_bundle(kind):
    """A first look at what the slow test below does with each position."""
    data, whole = good(kind), judged(good(kind), kind)
    for position in range(len(kind), len(data), 97):
        assert not says_again(judged(flipped(data, position, position % 8), kind), whole), position


STRIDE = int(os.environ.get("HYBRID_BRIDGE_STRIDE", "8"))  # 1: each position, a quarter of an hour
SEED = int(os.environ.get("HYBRID_BRIDGE_SEED", secrets.randbelow(1 << 16)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_of_every_kind_flipped(kind):
    """Each run takes other positions and other bits: two dozen runs have had nearly all."""
    print(f"HYBRID_BRIDGE_SEED={SEED}")
    data, whole, draw = good(kind), judged(good(kind), kind), random.Random(f"{SEED} {kind}")
    for position in range(draw.randrange(STRIDE), len(data), STRIDE):
        bit = draw.randrange(8)
        assert not says_again(judged(flipped(data, position, bit), kind), whole), (position, bit)


# ── members and items dropped, doubled, moved ──


def containers(value, path=()):
    """Every array and object of a document with its path, from the outside in."""
    if isinstance(value, dict | list):
        yield path, value
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from containers(inner, (*path, key))


def mutations(document):
    """The document, broken in one place at a time and mended again."""
    for path, there in list(containers(document)):
        whole = dict(there) if isinstance(there, dict) else list(there)
        for change in changes_of(whole):
            restore(there, change)
            yield path, canonical_json(document)
            restore(there, whole)


def changes_of(whole):
    if isinstance(whole, dict):
        for key in whole:
            yield {k: v for k, v in whole.items() if k != key}
        return
    every = range(len(whole))
    for k in (
        every if whole and isinstance(whole[0], dict) else every[:1]
    ):  # of a path, the lowest sibling stands for all
        yield [*whole[:k], *whole[k + 1 :]]
        yield [*whole[: k + 1], *whole[k:]]
        yield [*whole[:k], *whole[k : k + 2][::-1], *whole[k + 2 :]]


def restore(there, content):
    there.clear()
    if isinstance(there, dict):
        there.update(content)
    else:
        there.extend(content)


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_or_item_dropped_doubled_or_moved(kind):
    """Some are still complete, as when a certificate is left out; none says what the whole bundle said."""
    before = judged(good(kind), kind)
    still_complete = set()
    for path, data in mutations(json.loads(good(kind))):
        after = judged(data, kind)
        assert after != before or data == good(kind), path  # two empty siblings may change places
        if holds(after) and after != before:
            still_complete.add(tuple(step for step in path if isinstance(step, str)))
    # What may be left out, doubled or moved without loss of what the trust file requires. All of it shows.
    assert still_complete <= {
        (),
        ("certificates",),
        ("epochs",),
        ("epochs", "entries"),
        ("epochs", "entries", "disclosures"),
        ("epochs", "labels"),
        ("epochs", "labels", "value"),
        ("epochs", "absences"),
        ("anchors",),
        ("public_blocks",),
        ("artefacts",),
        ("epochs", "absences", "left"),
        ("anchors", "descendants"),
    }


def leaves(document, path=()):
    for key, inner in document.items() if isinstance(document, dict) else enumerate(document):
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, key))
        yield (*path, key), inner


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_of_another_consortiums_bundle_fits_nowhere(kind):
    mine, other = json.loads(good(kind)), as_json(consortium("other.example/receivables").all()[kind])
    before = judged(good(kind), kind)
    foreign = dict(leaves(other))
    for path, value in list(leaves(mine)):
        if path not in foreign or foreign[path] == value:
            continue
        holder = mine
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = foreign[path]
        after = judged(canonical_json(mine), kind)
        holder[path[-1]] = value
        assert after != before, path
        # A leaf between the same two neighbours is absent too: another statement, which the evidence names, and a true one.
        is_absent_too = path[2:3] == ("absences",) and path[4:] == ("leaf",)
        assert not holds(after) or path == ("certificates",) or is_absent_too, path


# ── bytes that nobody wrote ──


def only_our_errors(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(BridgeError):
        verify(data, Trust(), NOW)
    assert time.process_time() - begun < 10


@given(st.binary(max_size=4096))
def test_random_bytes_are_malformed(data):
    with pytest.raises(Malformed):
        verify(data, Trust(), NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first draw of a recursive strategy, on a busy machine
@given(st.dictionaries(st.sampled_from(sorted(as_json(consortium().all()["history"]))), JSON))
def test_documents_of_the_right_members_and_wrong_values_are_malformed(members):
    with pytest.raises(Malformed):
        verify(canonical_json(members) if _fits(members) else b"", Trust(), NOW)


def _fits(members) -> bool:
    try:
        canonical_json(members)
    except Malformed:
        return False
    return True


@settings(max_examples=150)
@given(st.data())
def test_a_bundle_with_one_value_replaced_by_any_other(data):
    kind = data.draw(st.sampled_from(KINDS))
    document = json.loads(good(kind))
    path, value = data.draw(st.sampled_from([(p, v) for p, v in leaves(document)]))
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = data.draw(JSON.filter(lambda other: other != value))
    if _fits(document):
        assert judged(canonical_json(document), kind) != judged(good(kind), kind)


@settings(max_examples=150)
@given(st.data())
def test_a_bundle_with_bytes_cut_out_or_put_in(data):
    whole = good("history")
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 64, len(whole))))
    other = whole[:start] + data.draw(st.binary(max_size=32)) + whole[end:]
    if other != whole:
        assert not holds(judged(other, "history"))


@pytest.mark.parametrize(
    "data",
    [
        b"[" * MAX_BUNDLE,
        b'{"a":' * (MAX_BUNDLE // 5),
        b"9" * MAX_BUNDLE,
        b'"' * MAX_BUNDLE,
        b"[" + b"0," * (MAX_BUNDLE // 2 - 1) + b"0]",
        b"{" + b",".join(b'"%d":0' % k for k in range(90_000)) + b"}",
        b'"' + "é".encode() * (MAX_BUNDLE // 2 - 1) + b'"',
        b" " * (MAX_BUNDLE * 4),
    ],
    ids=["arrays", "objects", "digits", "quotes", "numbers", "members", "letters", "spaces"],
)
def test_a_mebibyte_of_nonsense_ends_soon(data):
    only_our_errors(data)


def test_escaped_quotes_without_an_end_cost_no_more_than_others():
    """Nesting is counted outside strings; a string that never ends must not be looked for at each of its quotes."""

    def seconds(quotes: int) -> float:
        begun = time.process_time()
        only_our_errors(b'"' + b'\\"' * quotes)
        return time.process_time() - begun

    seconds(100)
    assert seconds(64_000) < 8 * seconds(16_000) + 0.05
