"""Reports of contradictions: each is about what was kept, is sent ever more slowly, and never unless written down."""

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from hybrid_bridge.adapters.evm.history import EQUIVOCATED
from hybrid_bridge.cli.watch import filing
from hybrid_bridge.cli.watch.evidence import Reporter, keep
from hybrid_bridge.cli.watch.filing import ASKED, DONE, SETTLED, Filing, Told
from hybrid_bridge.cli.watch.findings import ChainSight, Contradiction, CopySight, Signed
from hybrid_bridge.errors import Missing, Unreachable
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

    def report(self, place: Path, skip: int = 0) -> str:
        self.sent.append((place / "other.note").read_text())
        if self.failure is not None:
            raise self.failure
        return "sent"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "time", type("Clock", (), {"time": staticmethod(lambda: BORN)}))


def turn(
    desk: Desk, place: Path, seen: Contradiction, chain: ChainSight, told: Callable[[], list[Told]] = list
) -> None:
    Filing(cast("Reporter", desk), lambda _note: frozenset(), told).turn([(seen, place)], chain)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return keep(tmp_path, contradiction(6), COPIES, None, ())


def test_a_report_stands_when_the_contract_shows_what_was_kept_however_the_fork_has_grown(place: Path) -> None:
    desk = Desk()
    turn(desk, place, contradiction(6), at(0))
    kept = contradiction(6).ours
    stands = Told(kind=EQUIVOCATED, size=kept.size, root=kept.root, other=kept.root, members=frozenset({LIAR}))
    turn(desk, place, replace(contradiction(7), both=frozenset()), at(SETTLED + 1), lambda: [stands])
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

    def nobody() -> list[Told]:
        raise Missing(what="endpoints that agree on the log's events")

    desk = Desk()
    wanted = [(contradiction(6), place), (split, other)]
    lines = Filing(cast("Reporter", desk), lambda _note: frozenset(), nobody).turn(wanted, at(0))
    assert desk.sent == [split.ours.note]
    assert any("not known now" in line for line in lines)
