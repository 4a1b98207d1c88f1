"""Whoever stands by takes over once it can, and ends when told to."""

import threading
from pathlib import Path

import pytest

from hybrid_bridge.errors import NotYet, StoreBroken, Unreachable
from relayers.sql_journal import SqlJournal, create_journal
from relayers.standby import take_over
from tests.journals import SCOPE
from tests.unit.relayers.builders import T0


class Nap(threading.Event):
    """An event that is waited for without waiting; `during` happens meanwhile."""

    def __init__(self, *during: object) -> None:
        super().__init__()
        self.during, self.naps = list(during), []

    def wait(self, timeout: float | None = None) -> bool:
        self.naps.append(timeout)
        if self.during:
            self.during.pop(0)()
        return self.is_set()


def test_it_waits_while_another_has_the_journal_and_takes_it_when_that_one_ends(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    first, said = SqlJournal(tmp_path / "journal.db", SCOPE, "first", T0), []
    nap = Nap(lambda: None, first.close)
    second = take_over(lambda: SqlJournal(tmp_path / "journal.db", SCOPE, "second", T0), 6, nap, said.append)
    assert (second.epoch, nap.naps, len(said)) == (2, [6, 6], 1)
    second.close()


def test_it_ends_when_told_to() -> None:
    nap = Nap()
    nap.during = [nap.set]
    assert take_over(raising(NotYet(what="the lease")), 6, nap, lambda _: None) is None


def test_who_was_told_to_end_before_opens_nothing() -> None:
    nap, opened = Nap(), []
    nap.set()
    assert take_over(lambda: opened.append(1), 6, nap, lambda _: None) is None
    assert opened == []


def test_between_two_tries_it_keeps_what_it_holds() -> None:
    errors, kept = [NotYet(what="the lease") for _ in range(3)], []

    def opening() -> str:
        if errors:
            raise errors.pop()
        return "open"

    assert take_over(opening, 6, Nap(), lambda _: None, meanwhile=lambda: kept.append(len(errors))) == "open"
    assert kept == [2, 1, 0]


def test_what_is_not_to_be_waited_for_ends_the_wait() -> None:
    with pytest.raises(NotYet):
        take_over(raising(NotYet(what="the lease")), 6, Nap(), lambda _: None, Unreachable)


def test_a_database_that_is_away_is_waited_for_and_told_apart() -> None:
    errors, said = [NotYet(what="the lease"), NotYet(what="the lease"), Unreachable(endpoint="db", call="sql")], []

    def opening() -> str:
        if errors:
            raise errors.pop(0)
        return "open"

    assert take_over(opening, 6, Nap(), said.append) == "open"
    assert len(said) == 2


def test_what_will_not_pass_is_not_waited_for() -> None:
    with pytest.raises(StoreBroken):
        take_over(raising(StoreBroken(store="journal", rule="sound")), 6, Nap(), lambda _: None)


def raising(error: Exception) -> object:
    def opening() -> None:
        raise error

    return opening
