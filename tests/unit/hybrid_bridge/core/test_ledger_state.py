import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.ledger_state import (
    POSITION,
    Overlay,
    certificate_key,
    defaults_key,
    entry_key,
    freeze_key,
    get_json,
    get_number,
    index_key,
    life_key,
    member_key,
    object_key,
    put_json,
    put_number,
    sequence_key,
    set_key,
    totals_key,
    writes_step,
)
from hybrid_bridge.errors import NotCanonical, StoreBroken

KEY = b"object/x"


def test_reads_fall_through_and_writes_stay():
    below = {b"a": b"1", b"b": b"2"}
    view = Overlay(below)
    view.put(b"a", b"9")
    view.delete(b"b")
    view.put(b"c", b"3")
    assert [view.get(k) for k in (b"a", b"b", b"c", b"d")] == [b"9", None, b"3", None]
    assert below == {b"a": b"1", b"b": b"2"}
    assert view.writes() == [(b"a", b"9"), (b"b", None), (b"c", b"3")]


def test_an_overlay_takes_over_what_lies_on_it():
    view = Overlay({b"a": b"1"})
    above = Overlay(view)
    above.put(b"a", b"2")
    assert view.get(b"a") == b"1"
    view.absorb(above)
    assert view.writes() == [(b"a", b"2")]


@given(st.lists(st.tuples(st.binary(max_size=2), st.none() | st.binary(max_size=2)), max_size=20))
def test_writes_leave_the_state_that_the_overlay_showed(changes):
    state = {b"": b"old", b"z": b"old"}
    view = Overlay(state)
    for key, value in changes:
        if value is None:
            view.delete(key)
        else:
            view.put(key, value)
    after = {key: view.get(key) for key in {*state, *(key for key, _ in changes)}}
    for key, value in view.writes():
        state.pop(key, None) if value is None else state.update({key: value})
    assert state == {key: value for key, value in after.items() if value is not None}
    assert [key for key, _ in view.writes()] == sorted({key for key, _ in changes})


def test_numbers_have_eight_bytes_and_zero_is_nothing():
    view = Overlay({})
    assert get_number(view, KEY) == 0
    put_number(view, KEY, 2**53 - 1)
    assert get_number(view, KEY) == 2**53 - 1


@pytest.mark.parametrize("stored", [b"", bytes(7), bytes(9), b"\x00\x20" + bytes(6)])
def test_a_number_that_nobody_wrote_is_a_broken_store(stored):
    with pytest.raises(StoreBroken) as caught:
        get_number({KEY: stored}, KEY)
    assert caught.value.rule == "object holds a u64"


def test_objects_are_canonical_json():
    view = Overlay({})
    assert get_json(view, KEY) is None
    put_json(view, KEY, {"b": 1, "a": ["x"]})
    assert view.get(KEY) == b'{"a":["x"],"b":1}'
    assert get_json(view, KEY) == {"a": ["x"], "b": 1}
    with pytest.raises(StoreBroken):
        get_json({KEY: b"[]"}, KEY)
    with pytest.raises(NotCanonical):
        get_json({KEY: b'{"b":1, "a":2}'}, KEY)


def test_no_two_kinds_of_key_meet():
    word = bytes(range(32))
    keys = [
        *(make(word) for make in (sequence_key, member_key, certificate_key, entry_key, index_key)),
        *(make("0" * 32) for make in (object_key, freeze_key, defaults_key)),
        set_key(1),
        life_key("note", "0" * 32),
        life_key("asset", "0" * 32),
        totals_key("0" * 32, "CNY"),
    ]
    assert len({key.partition(b"/")[0] for key in keys}) == len(keys) - 1
    assert len(set(keys)) == len(keys)


# ── the running hash of what blocks wrote ────────────────────────────────────────────────────────────────────────────


def test_the_hash_of_writes_is_over_the_bytes_of_the_specification():
    """SPEC §5, by hand: lengths of four bytes, a byte that tells a value from none."""
    before = bytes(range(32))
    told = b"hybrid-bridge/v1/writes\0" + before + b"\0\0\0\1a\1\0\0\0\2xy" + b"\0\0\0\2bc\0\0\0\0\0"
    assert writes_step(before, [(b"a", b"xy"), (b"bc", None)]) == hashlib.sha256(told).digest()


def test_two_state_machines_that_differ_in_one_value_differ_in_their_hash():
    writes = [(b"a", b"1"), (b"b", None)]
    first = writes_step(ZERO, writes)
    assert first == writes_step(ZERO, [*writes, (POSITION, b"anything")])
    others = ([(b"a", b"2"), (b"b", None)], [(b"a", b"1"), (b"b", b"")], [(b"a", b"1")], [(b"a1", b""), (b"b", None)])
    assert len({first, *(writes_step(ZERO, other) for other in others)}) == 5
    assert writes_step(first, []) == writes_step(first, [(POSITION, b"x")]) == first
    assert writes_step(first, writes) != first
