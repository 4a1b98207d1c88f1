import hashlib
import json
from dataclasses import replace

import pytest

from hybrid_bridge.core.event_chain import EMPTY, MAX_EVENT, Event, Head, event_after, verify_events
from hybrid_bridge.errors import DigestLength, FieldMalformed, FieldMismatch, NotCanonical
from hybrid_bridge.units import MAX_U64, Digest

BODIES = [{"kind": "floor", "size": "1"}, {"kind": "signed", "size": "2"}, {"kind": "signed", "size": "3"}]


def chain(bodies=BODIES):
    events, head = [], EMPTY
    for body in bodies:
        events.append(event_after(head, body))
        head = events[-1].head
    return events


def test_an_event_is_hashed_over_the_one_before_as_the_specification_spells_it():
    previous = bytes(32)
    for seq, (body, event) in enumerate(zip(BODIES, chain(), strict=True), start=1):
        data = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
        previous = hashlib.sha256(b"hybrid-bridge/v1/event\x00" + previous + seq.to_bytes(8, "big") + data).digest()
        assert (event.seq, event.digest, event.body) == (seq, previous, data)


def test_a_whole_chain_verifies_and_gives_back_its_bodies():
    events = chain()
    assert [body for _, body in verify_events(events)] == BODIES
    assert [head for head, _ in verify_events(events)] == [event.head for event in events]
    assert list(verify_events([])) == []


def test_a_chain_can_be_taken_up_from_a_head_that_is_known():
    events = chain()
    assert [body for _, body in verify_events(events[1:], events[0].head)] == BODIES[1:]


@pytest.mark.parametrize("at", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda e: replace(e, seq=e.seq + 1),
        lambda e: replace(e, previous=Digest(bytes(31) + b"\x01")),
        lambda e: replace(e, digest=Digest(bytes(32))),
        lambda e: replace(e, body=e.body.replace(b"size", b"sizf")),
        lambda e: replace(e, body=e.body + b" "),
    ],
    ids=["number", "link", "hash", "body", "length"],
)
def test_one_changed_field_of_any_event_breaks_the_chain(at, change):
    events = chain()
    events[at] = change(events[at])
    with pytest.raises(FieldMismatch):
        list(verify_events(events))


@pytest.mark.parametrize("at", [0, 1])
def test_an_event_that_was_taken_out_or_put_elsewhere_is_missed(at):
    events = chain()
    with pytest.raises(FieldMismatch):
        list(verify_events(events[:at] + events[at + 1 :]))
    events[at], events[at + 1] = events[at + 1], events[at]
    with pytest.raises(FieldMismatch):
        list(verify_events(events))


def test_a_body_that_was_hashed_in_another_spelling_is_refused():
    body = b'{"b":1,"a":2}'
    digest = Digest(hashlib.sha256(b"hybrid-bridge/v1/event\x00" + bytes(32) + (1).to_bytes(8, "big") + body).digest())
    with pytest.raises(NotCanonical):
        list(verify_events([Event(1, EMPTY.digest, digest, body)]))


def test_an_event_is_short_and_has_a_number():
    assert len(event_after(EMPTY, "x" * (MAX_EVENT - 2)).body) == MAX_EVENT
    with pytest.raises(FieldMalformed):
        event_after(EMPTY, "x" * (MAX_EVENT - 1))
    for seq in (-1, MAX_U64):
        with pytest.raises(FieldMalformed):
            event_after(Head(seq, EMPTY.digest), {})
    with pytest.raises(DigestLength):
        event_after(Head(0, Digest(b"short")), {})
