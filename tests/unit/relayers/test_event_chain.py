"""What a journal tells of itself: any change of it is found by its number, and the tally is what the rows must be."""

from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.core.event_chain import EMPTY, Head, event_after
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from relayers.event_chain import COUNTED, EventRow, Kind, link, replay
from tests.unit.relayers.builders import T0


def chain(*told: tuple[Kind, dict[str, Any]]) -> list[EventRow]:
    rows, head = [], EMPTY
    for at, (kind, facts) in enumerate(told):
        rows.append(link(head, kind, T0 + at, facts))
        head = Head(rows[-1].seq, rows[-1].hash)
    return rows


BEFORE = {"rows": dict.fromkeys(COUNTED, 7), "epoch": 3, "halted": "conflict", "brake": "soft"}
ROWS = chain(
    (Kind.MADE, {}),
    (Kind.LEASE, {"epoch": 1, "holder": "host:1"}),
    (Kind.ATTEMPT, {"hash": "00"}),
    (Kind.ATTEMPT, {"hash": "01"}),
    (Kind.HALT, {"reason": "conflict"}),
    (Kind.BRAKE, {"level": "hard"}),
)


def test_the_tally_is_what_all_events_say() -> None:
    tally = replay(ROWS)
    assert tally.counts == dict.fromkeys(COUNTED, 0) | {"attempt": 2}
    assert (tally.epoch, tally.halted, tally.brake, tally.at) == (1, "conflict", "hard", T0 + 5)
    assert tally.head == Head(6, ROWS[-1].hash)
    ended = link(tally.head, Kind.RESUMED, T0, {})
    assert replay([*ROWS, ended]).halted is None
    assert replay([]).head == EMPTY


def test_a_chain_that_begins_with_a_migration_knows_what_was_before() -> None:
    (moved,) = chain((Kind.MIGRATED, BEFORE))
    tally = replay([moved, link(Head(1, moved.hash), Kind.WISH, T0, {})])
    assert tally.counts == dict.fromkeys(COUNTED, 7) | {"wish": 8}
    assert (tally.epoch, tally.halted, tally.brake) == (3, "conflict", "soft")
    (unhalted,) = chain((Kind.MIGRATED, BEFORE | {"halted": None}))
    assert replay([unhalted]).halted is None


def test_a_migration_amid_a_chain_makes_nothing_forgotten() -> None:
    tally = replay(chain((Kind.MADE, {}), (Kind.ATTEMPT, {}), (Kind.MIGRATED, BEFORE)))
    assert (tally.counts["attempt"], tally.epoch, tally.halted) == (1, 0, None)


@pytest.mark.parametrize("number", range(len(ROWS)))
@pytest.mark.parametrize(
    "change",
    [
        lambda row: replace(row, seq=row.seq + 1),
        lambda row: replace(row, previous=bytes([row.previous[0] ^ 1]) + row.previous[1:]),
        lambda row: replace(row, hash=row.hash[:-1] + bytes([row.hash[-1] ^ 1])),
        lambda row: replace(row, body=row.body.replace("1", "2", 1)),
        lambda row: replace(row, body=row.body + " "),
        lambda row: replace(row, body="{"),
        lambda row: replace(row, kind="wish"),
        lambda row: replace(row, at=row.at + 1),
    ],
    ids=["number", "link", "hash", "body", "length", "no JSON", "kind", "time"],
)
def test_any_change_of_any_event_is_found_at_that_event(number: int, change: Any) -> None:
    rows = list(ROWS)
    rows[number] = change(rows[number])
    with pytest.raises(FieldMismatch) as caught:
        replay(rows)
    assert caught.value.field.startswith((f"event {number + 1} ", f"event {number + 2} "))


def test_bodies_that_are_hashed_well_but_are_no_events_are_found() -> None:
    for body in ([], {"kind": "made"}, {"at": 0}):
        event = event_after(EMPTY, body)
        with pytest.raises(FieldMismatch, match="kind or at"):
            replay([EventRow(1, event.previous, event.digest, "made", event.body.decode(), 0)])


def test_an_event_taken_out_or_put_in_is_found() -> None:
    for rows in ([*ROWS[:2], *ROWS[3:]], [ROWS[0], *ROWS]):
        with pytest.raises(FieldMismatch):
            replay(rows)


def test_facts_cannot_pass_for_the_kind_or_the_time() -> None:
    row = link(EMPTY, Kind.WISH, T0, {"kind": "made", "at": 0})
    assert (row.kind, replay([row]).counts["wish"]) == ("wish", 1)


def test_an_event_is_no_archive() -> None:
    with pytest.raises(FieldMalformed):
        link(EMPTY, Kind.HALT, T0, {"reason": "x" * 70_000})
