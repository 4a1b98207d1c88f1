import pytest

from hybrid_bridge.errors import NotYet, Unreachable
from relayers.journal import Journal, JournalReader
from relayers.timing import Answering, Timed
from relayers.wiring import WRITES


class Port:
    epoch = 3

    def write(self, value, *, twice=False):
        if value is None:
            raise KeyError(value)
        return value * (2 if twice else 1)

    def read(self):
        return 5


def test_watched_calls_are_measured_whatever_comes_of_them_and_others_are_not():
    told = []
    port = Timed(Port(), {"write"}, told.append)
    assert (port.write(2), port.write(2, twice=True), port.read(), port.epoch) == (2, 4, 5, 3)
    with pytest.raises(KeyError):
        port.write(None)
    assert len(told) == 3
    assert all(0 <= seconds < 60 for seconds in told)
    with pytest.raises(AttributeError):
        port.other  # noqa: B018


def test_what_a_journal_writes_is_measured_and_what_it_reads_is_not():
    assert {"add_attempt", "renew", "admit", "log_sends", "halt"} <= WRITES
    assert not WRITES & {name for name in vars(JournalReader) if not name.startswith("_")}
    assert all(hasattr(Journal, name) for name in WRITES)


def test_only_silence_means_that_nobody_is_there():
    told = []
    port = Answering(Port(), told.append)
    assert (port.epoch, port.read(), port.write(2, twice=True)) == (3, 5, 4)
    for error in (Unreachable(endpoint="journal", call="postgresql"), NotYet(what="the write lock"), KeyError(None)):
        port = Answering(Failing(error), told.append)
        with pytest.raises(type(error)):
            port.read()
    assert told == [True, True, False, True, True]


class Failing:
    def __init__(self, error):
        self.error = error

    def read(self):
        raise self.error
