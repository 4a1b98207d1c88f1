"""What waits for the budget: found after the filing, and not taken for settled by a filing that is broken off."""

from pathlib import Path

import pytest

from hybrid_bridge.cli.watch import looking
from hybrid_bridge.cli.watch.filing import Turn
from hybrid_bridge.cli.watch.findings import HELD, Finding
from hybrid_bridge.cli.watch.looking import Watcher
from hybrid_bridge.cli.watch.memory import Active, Notice, State
from hybrid_bridge.cli.watch.notices import Target
from hybrid_bridge.cli.watch.settings import Watched
from hybrid_bridge.units import LogId, PublicBlockNumber

WAITING = Finding(kind=HELD, about="the end of the log", detail="a day's budget")
LATE = Finding(kind="copy_silent", about="a", detail="away")
STATE = State(log_id=LogId(bytes(32)), active=(Active(finding=WAITING, since=1), Active(finding=LATE, since=1)))


def watcher(folder: Path, *, is_over: bool) -> Watcher:
    watched = Watched(log_id=LogId(bytes(32)), urls=("http://127.0.0.1:9",), since=PublicBlockNumber(0), copies={})
    return Watcher(watched, folder, [], is_over=lambda: is_over)


@pytest.mark.parametrize(("held", "what"), [({}, ["cleared"]), ({"frozen": WAITING}, [])])
def test_what_waited_is_told_when_it_waits_no_more(tmp_path: Path, held: dict[str, Finding], what: list[str]) -> None:
    post = watcher(tmp_path, is_over=False)
    post.filing = lambda: Turn(held=held)
    state, findings, notices, _ = post.file(STATE, [LATE, WAITING], 9)
    assert [one.what for one in notices] == what
    assert findings == [LATE, *held.values()]
    assert len(state.active) == len(findings)


def test_a_filing_that_is_broken_off_settles_nothing(tmp_path: Path) -> None:
    post = watcher(tmp_path, is_over=True)
    post.filing = lambda: Turn(lines=["not reported yet"])
    assert post.file(STATE, [LATE, WAITING], 9) == (STATE, [LATE, WAITING], [], ["not reported yet"])


def test_without_a_look_there_is_nothing_to_file(tmp_path: Path) -> None:
    assert watcher(tmp_path, is_over=False).file(STATE, [WAITING], 9) == (STATE, [WAITING], [], [])


def owing(*labels: str) -> State:
    return STATE.owing(list(labels), [Notice(what="raised", at=n, finding=LATE) for n in range(100)])


def test_a_target_that_takes_each_notice_slowly_holds_up_a_look_for_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, heard = [0.0], list[str]()

    def slow(_notice: Notice, _about: object) -> None:
        now[0] += 9
        heard.append("slow")

    monkeypatch.setattr(looking, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))
    post = watcher(tmp_path, is_over=False)
    post.targets = [Target("slow", slow), Target("quick", lambda _notice, _about: heard.append("quick"))]
    state, troubles = post.tell(owing("slow", "quick"))
    assert (heard.count("slow"), heard.count("quick"), troubles) == (7, 100, [])
    assert {one.target for one in state.untold} == {"slow"}
    assert [one.notice.at for one in post.tell(state)[0].untold] == list(range(14, 100))


def test_the_end_waits_for_no_target_and_nothing_is_forgotten(tmp_path: Path) -> None:
    post = watcher(tmp_path, is_over=True)
    post.targets = [Target("a", lambda _notice, _about: pytest.fail("told"))]
    assert post.tell(owing("a")) == (owing("a"), [])
