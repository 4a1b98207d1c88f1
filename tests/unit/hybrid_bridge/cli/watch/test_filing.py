"""Reports of contradictions: each is about what was kept, is sent ever more slowly, and never unless written down."""

import errno
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from hybrid_bridge.adapters.evm.history import EQUIVOCATED
from hybrid_bridge.cli.watch import filing
from hybrid_bridge.cli.watch.evidence import keep
from hybrid_bridge.cli.watch.filing import ASKED, DONE, SETTLED, Accusation, Filing, Told
from hybrid_bridge.cli.watch.findings import ChainSight, Contradiction, CopySight, Signed
from hybrid_bridge.cli.watch.reporter import Reporter
from hybrid_bridge.errors import Missing, SpendCapped, Unreachable
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.units import (
    Address,
    Digest,
    PublicBlockHash,
    PublicBlockNumber,
    SetId,
    TreeSize,
    UnixSeconds,
)

BORN = 1_700_000_000
LIAR = Address(b"\xaa" * 20)
HONEST = "bank"
COPIES = {"few@mallory": CopySight(), HONEST: CopySight()}


def signed(size: int, salt: int) -> Signed:
    return Signed(size=TreeSize(size), root=Digest(bytes([salt]) * 32), note=f"note {size} {salt}\n")


def contradiction(size: int) -> Contradiction:
    """One member's fork, that grows as the log does; it signed both."""
    return Contradiction(
        copy="few@mallory", source=HONEST, signed=signed(size, 1), ours=signed(size, 100 + size), both=frozenset({LIAR})
    )


def at(seconds: int) -> ChainSight:
    now = UnixSeconds(BORN + seconds)
    block = PublicBlock(
        number=PublicBlockNumber(seconds), hash=PublicBlockHash(bytes(32)), parent=PublicBlockHash(bytes(32)), time=now
    )
    head = Head(
        tree_size=TreeSize(1),
        root=Digest(bytes(32)),
        timestamp=now,
        anchored_at=now,
        set_id=SetId(1),
        next_from_size=TreeSize(0),
        paused_until=UnixSeconds(0),
        state="active",
    )
    return ChainSight(at=block, head=head, voices=2, disagreeing=(), silent=())


class Desk:
    """As a `Reporter`; nothing that is sent is ever seen unless a test shows it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.sent: list[str] = []
        self.failure = failure

    def report(
        self, place: Path, skip: int, before: Callable[[], None], *, ends: bool, fresh: Path | None = None, **_: Any
    ) -> str:
        before()
        self.sent.append((place / "other.note").read_text())
        if self.failure is not None:
            raise self.failure
        return "sent"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "time", type("Clock", (), {"time": staticmethod(lambda: BORN)}))


def turn(desk: Desk, place: Path, seen: Contradiction, chain: ChainSight, *stand: Told) -> list[str]:
    """What stands in the contract is `stand`."""

    def told(wanted: Sequence[Accusation]) -> list[bool]:
        return [any(one.tells(each.few, each.members) for one in stand) for each in wanted]

    return Filing(cast("Reporter", desk), lambda _note: frozenset(), told).turn([(seen, place)], chain).lines


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return keep(tmp_path, contradiction(6), COPIES, None, ())


def test_a_report_stands_when_the_contract_shows_what_was_kept_however_the_fork_has_grown(place: Path) -> None:
    desk = Desk()
    turn(desk, place, contradiction(6), at(0))
    kept = contradiction(6).ours
    stands = Told(kind=EQUIVOCATED, size=kept.size, root=kept.root, other=kept.root, members=frozenset({LIAR}))
    turn(desk, place, replace(contradiction(7), both=frozenset()), at(SETTLED + 1), stands)
    assert desk.sent == [kept.note]
    assert (place / DONE).exists()


def test_what_is_never_seen_is_sent_ever_more_slowly(place: Path) -> None:
    desk = Desk()
    for minute in range(7 * 24 * 60):
        if minute % 15 == 0:
            filing.time.time = staticmethod(lambda m=minute: BORN + m * 60)  # type: ignore[attr-defined]
            turn(desk, place, contradiction(6 + minute // 600), at(minute * 60))
    assert len(desk.sent) == 10  # in a week


def test_an_endpoint_that_says_nothing_may_have_taken_it(place: Path) -> None:
    desk = Desk(failure=Unreachable(endpoint="one", call="eth_sendRawTransaction"))
    for seconds in (0, 60, 120):
        turn(desk, place, contradiction(6), at(seconds))
    assert len(desk.sent) == 1


def test_a_try_by_a_clock_that_ran_ahead_waits_from_now_and_is_not_lost(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, seen = Desk(), contradiction(6)
    clock(monkeypatch, 10**9)
    turn(desk, place, seen, at(0))
    clock(monkeypatch, 60)
    turn(desk, place, seen, at(60))
    clock(monkeypatch, 60 + SETTLED - 1)
    turn(desk, place, seen, at(60 + SETTLED - 1))
    assert len(desk.sent) == 1
    clock(monkeypatch, 60 + SETTLED)
    turn(desk, place, seen, at(60 + SETTLED))
    assert len(desk.sent) == 2


def test_a_time_that_cannot_be_set_right_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, seen = Desk(), contradiction(6)
    clock(monkeypatch, 10**9)
    turn(desk, place, seen, at(0))
    clock(monkeypatch, 0)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filing, "write_whole", full)
    assert turn(desk, place, seen, at(0)) == ["a report's time could not be set right: No space left on device"]
    assert len(desk.sent) == 1


def stands(kept: Contradiction) -> Told:
    few = kept.ours
    return Told(kind=EQUIVOCATED, size=few.size, root=few.root, other=few.root, members=frozenset({LIAR}))


def alone(seconds: int) -> ChainSight:
    """What a sole endpoint says."""
    return replace(at(seconds), voices=1)


def clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(filing.time, "time", staticmethod(lambda: BORN + seconds))


def test_a_sole_endpoint_is_asked_again_and_what_it_shows_no_more_is_sent_again_when_it_is_due(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, seen = Desk(), contradiction(6)
    turn(desk, place, seen, alone(0))
    assert turn(desk, place, seen, alone(60), stands(seen)) == [f"reported: {place}"]
    clock(monkeypatch, SETTLED - 1)
    assert turn(desk, place, seen, alone(SETTLED - 1)) == []  # it has just said so
    clock(monkeypatch, SETTLED)
    assert turn(desk, place, seen, alone(SETTLED), stands(seen)) == []
    clock(monkeypatch, 2 * SETTLED)
    lines = turn(desk, place, seen, alone(2 * SETTLED))
    assert lines[0] == f"reported by the word of one endpoint, and not to be seen any more: {place}"
    assert len(desk.sent) == 2
    assert not (place / DONE).exists()
    turn(desk, place, seen, alone(2 * SETTLED + 60))
    assert len(desk.sent) == 2  # ever more slowly


def test_what_several_endpoints_have_shown_is_asked_no_more_and_what_one_showed_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, seen = Desk(), contradiction(6)
    turn(desk, place, seen, alone(0), stands(seen))
    turn(desk, place, seen, at(60))  # more endpoints know nothing of it
    assert not (place / DONE).exists()
    assert len(desk.sent) == 1
    assert turn(desk, place, seen, at(120), stands(seen)) == [f"reported: {place}"]
    clock(monkeypatch, 9 * SETTLED)
    assert turn(desk, place, seen, at(9 * SETTLED)) == []
    assert (place / DONE).exists()


@pytest.mark.parametrize("text", ["", "stands at public block 7\n", "stands at public block 7, by 2 of the endpoints"])
def test_what_nobody_wrote_so_says_nothing_of_a_report(place: Path, text: str) -> None:
    (place / DONE).write_text(text)
    desk = Desk()
    turn(desk, place, contradiction(6), at(0))
    assert len(desk.sent) == 1


def ending(tmp_path: Path, *names: str) -> list[tuple[Contradiction, Path]]:
    """Contradictions of quorums, all of which one report serves."""
    made = [
        Contradiction(copy=one, source="z", signed=signed(6, 1), ours=signed(6, 2 + n)) for n, one in enumerate(names)
    ]
    return [(one, keep(tmp_path, one, {one.copy: CopySight()}, None, ())) for one in made]


def test_what_ends_the_log_is_sent_before_what_names_members(place: Path, tmp_path: Path) -> None:
    desk, few = Desk(), (contradiction(6), place)
    (end,) = ending(tmp_path, "y")
    Filing(cast("Reporter", desk), lambda _note: frozenset(), lambda wanted: [False] * len(wanted)).turn(
        [few, end], at(0)
    )
    assert desk.sent == [end[0].ours.note, few[0].ours.note]


def test_evidence_that_the_contract_does_not_take_keeps_none_that_it_takes_from_being_shown(tmp_path: Path) -> None:
    class Picky(Desk):
        def report(self, place: Path, skip: int, before: Callable[[], None], **how: Any) -> str:
            return super().report(place, skip, before, **how) if place.name == "y~z" else ""

    desk = Picky()
    wanted = ending(tmp_path, *(f"a{number:02}" for number in range(9)), "y")
    turns = Filing(cast("Reporter", desk), lambda _note: frozenset(), lambda wanted: [False] * len(wanted))
    for looks in range(9):
        turns.turn(wanted, at(60 * looks))
    assert desk.sent == [wanted[-1][0].ours.note]


def test_what_the_budget_holds_back_is_found_and_nothing_is_written_of_a_try(place: Path) -> None:
    class Poor(Desk):
        def report(self, place: Path, skip: int, before: Callable[[], None], **how: Any) -> str:
            raise SpendCapped(rule="a day's budget", limit=1, needed=2)

    done = Filing(cast("Reporter", Poor()), lambda _note: frozenset(), lambda wanted: [False] * len(wanted)).turn(
        [(contradiction(6), place)], at(0)
    )
    (found,) = done.held.values()
    assert (found.kind, found.severity) == ("report_held", "unclear")
    assert found.about == f"two histories, one of size 6, root {'6a' * 8}…"
    assert "a day's budget: 1 at most, and 2 would be needed" in found.detail
    assert not (place / ASKED).exists()


def test_what_is_held_back_is_told_once_however_many_copies_show_it(tmp_path: Path) -> None:
    class Poor(Desk):
        def report(self, place: Path, skip: int, before: Callable[[], None], **how: Any) -> str:
            if place.name != "y~z":
                raise SpendCapped(rule="a day's budget", limit=1, needed=2)
            return super().report(place, skip, before, **how)

    def turns(*names: str) -> list[set[str]]:
        wanted = ending(tmp_path, *names)
        filing = Filing(cast("Reporter", Poor()), lambda _note: frozenset(), lambda wanted: [False] * len(wanted))
        abouts = [{one.about for one in filing.turn(wanted, at(60 * look)).held.values()} for look in range(4)]
        assert abouts[:1] == [{"the end of the log"}]
        return abouts

    assert turns(*(f"a{number}" for number in range(9))) == [{"the end of the log"}] * 4
    assert turns(*(f"a{number}" for number in range(5)), "y")[1:] == [set()] * 3  # one of them is cheap enough


def test_nothing_is_sent_that_cannot_be_written_down(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(filing, "write_whole", full)
    desk = Desk()
    turn(desk, place, contradiction(6), at(0))
    assert desk.sent == []
    assert not (place / ASKED).exists()


def test_what_few_signed_holds_back_no_report_that_ends_the_log(place: Path, tmp_path: Path) -> None:
    split = Contradiction(copy="a", source="b", signed=signed(6, 1), ours=signed(6, 2))
    other = keep(tmp_path, split, {"a": CopySight(), "b": CopySight()}, None, ())

    def nobody(_wanted: object) -> list[bool]:
        raise Missing(what="endpoints that agree on the log's events")

    desk = Desk()
    wanted = [(contradiction(6), place), (split, other)]
    lines = Filing(cast("Reporter", desk), lambda _note: frozenset(), nobody).turn(wanted, at(0)).lines
    assert desk.sent == [split.ours.note]
    assert any("not known now" in line for line in lines)
