"""A chain of readings shows each member its own, and hides from it whose the others are."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.encoding import ZERO, canonical_json
from hybrid_bridge.core.event_chain import EMPTY, Head, event_after
from hybrid_bridge.core.reading import Reading, Statement, page_after, parse_reading
from hybrid_bridge.errors import FieldMismatch, Malformed
from hybrid_bridge.units import Digest, KeyId, LogId

READING = Reading(
    entry_leaf=b"\x01" * 32, submitter="supplier", reader="owner:regulator", what="record", time=7, salt=bytes(16)
)


def chain(*readings: Reading) -> tuple[list[bytes], Head]:
    head, bodies = EMPTY, []
    for reading in readings:
        event = event_after(head, reading.event)
        bodies.append(event.body)
        head = event.head
    return bodies, head


def test_a_reading_is_read_as_it_was_written() -> None:
    assert parse_reading(READING.encode()) == READING
    for noise in (b"", b"{}", READING.encode() + b" ", READING.encode().replace(b'"record"', b"7")):
        with pytest.raises(Malformed):
            parse_reading(noise)


def test_a_page_shows_what_is_shown_and_the_same_head_whatever_is_hidden() -> None:
    other = replace(READING, submitter="bank-a")
    bodies, head = chain(READING, other, READING)
    shown = page_after(EMPTY, [(bodies[0], READING.encode()), (bodies[1], b""), (bodies[2], READING.encode())])
    assert shown == (head, [(1, READING), (3, READING)])
    assert page_after(EMPTY, [(body, b"") for body in bodies]) == (head, [])
    half, _ = page_after(EMPTY, [(bodies[0], b"")])
    assert page_after(half, [(body, b"") for body in bodies[1:]]) == (head, [])


def test_the_salt_hides_a_reading_that_could_be_guessed() -> None:
    assert READING.event != replace(READING, salt=b"\x01" * 16).event


def test_another_reading_than_the_one_of_the_event_is_refused() -> None:
    bodies, _ = chain(READING)
    with pytest.raises(FieldMismatch):
        page_after(EMPTY, [(bodies[0], replace(READING, time=8).encode())])
    with pytest.raises(Malformed):
        page_after(EMPTY, [(b"{} ", b"")])
    with pytest.raises(FieldMismatch):
        page_after(EMPTY, [(canonical_json({"reading": "x"}), READING.encode())])


def test_a_statement_says_all_of_it() -> None:
    one = Statement(
        log_id=LogId(ZERO), asker=KeyId(ZERO), time=1, start=EMPTY, end=Head(2, Digest(b"\x02" * 32)), shown=(1, 2)
    )
    others = [
        replace(one, log_id=LogId(b"\x01" * 32)),
        replace(one, asker=KeyId(b"\x01" * 32)),
        replace(one, time=2),
        replace(one, start=Head(1, ZERO)),
        replace(one, end=Head(3, Digest(b"\x02" * 32))),
        replace(one, shown=(1,)),
        replace(one, shown=()),
    ]
    assert len({one.message, *(other.message for other in others)}) == 8
