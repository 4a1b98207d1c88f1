"""An import into a guard, killed with SIGKILL at each statement that writes and each change of a file: all of it or nothing."""

import shutil
import signal
import sqlite3
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.guard import History
from tests.crash.guard_child import ADDRESS, BOTH, IMPORTS, LOG, OURS, THEIRS, main

PROCESSES = get_context("forkserver")  # imports once, then forks: a child starts in milliseconds
PROCESSES.set_forkserver_preload(["tests.crash.guard_child"])


def killed_at(number: int, name: str, path: Path) -> str:
    """What an import was about to do when it was killed, before its `number`-th effect; `done` if it had fewer."""
    ours, theirs = PROCESSES.Pipe()
    child = PROCESSES.Process(target=main, args=(theirs, name, str(path)))
    child.start()
    theirs.close()
    for at in count():
        said = str(ours.recv())
        if said == "done" or at == number:
            break
        ours.send("go")
    if said != "done":
        child.kill()
    child.join()
    ours.close()
    assert child.exitcode == (0 if said == "done" else -signal.SIGKILL)
    return said


def history(path: Path) -> History:
    guard = SqlGuard(path)
    guard.open(LOG, ADDRESS)
    try:
        return guard.history()
    finally:
        guard.close()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A guard that has said something, in a folder of its own."""
    folder = tmp_path / "before"
    folder.mkdir()
    guard = SqlGuard(folder / "guard.db")
    guard.create(LOG, ADDRESS)
    guard.absorb(ADDRESS, OURS)
    guard.close()
    return folder


def test_an_import_killed_at_any_moment_took_all_or_nothing_and_is_made_again(before: Path, tmp_path: Path) -> None:
    effects, found = [], set()
    while not effects or effects[-1] != "done":
        folder = tmp_path / str(len(effects))
        shutil.copytree(before, folder)
        effects.append(killed_at(len(effects), "absorb", folder / "guard.db"))
        after = history(folder / "guard.db")
        assert after in (OURS, BOTH), effects[-1]
        found.add(after)
        IMPORTS["absorb"](folder / "guard.db")
        assert history(folder / "guard.db") == BOTH
    assert {"COMMIT", "BEGIN IMMEDIATE"} < {*effects}
    assert sum(effect.startswith(("UPDATE guardfloor", "INSERT INTO guard")) for effect in effects) >= 5
    assert found == {OURS, BOTH}


def test_a_new_guard_killed_at_any_moment_is_not_there_or_knows_all_and_is_made_again(tmp_path: Path) -> None:
    effects, there = [], []
    while not effects or effects[-1] != "done":
        folder = tmp_path / str(len(effects))
        folder.mkdir()
        effects.append(killed_at(len(effects), "make", folder / "guard.db"))
        there.append((folder / "guard.db").exists())
        if not there[-1]:
            IMPORTS["make"](folder / "guard.db")
        assert history(folder / "guard.db") == THEIRS, effects[-1]
        assert not [left.name for left in folder.iterdir() if "new" in left.name]
    assert there == sorted(there)  # from one moment on, and that is the rename
    assert effects[there.index(True)] == "after rename guard.new"


def test_a_released_store_killed_at_any_moment_of_its_change_knows_what_it_knew_and_is_changed_again(
    before: Path, tmp_path: Path
) -> None:
    file = sqlite3.connect(before / "guard.db")
    file.executescript("DROP TABLE guardevent; UPDATE meta SET value = '1' WHERE key = 'schema';")
    file.close()
    effects: list[str] = []
    while not effects or effects[-1] != "done":
        folder = tmp_path / str(len(effects))
        shutil.copytree(before, folder)
        effects.append(killed_at(len(effects), "bring_forward", folder / "guard.db"))
        guard = SqlGuard(folder / "guard.db")
        guard.open(LOG, ADDRESS)
        head, told = guard.verify()
        assert (head.seq, guard.history()) == (4, OURS), effects[-1]
        assert told.history == OURS
        guard.close()
    assert {"COMMIT", "BEGIN IMMEDIATE"} < {*effects}
    assert sum(effect.startswith(("CREATE", "INSERT INTO guardevent", "UPDATE meta")) for effect in effects) >= 5
