"""The file of a guard's history; the rules of its format are cases of `vectors/guard/interchange.json`."""

import pytest

from hybrid_bridge.core import interchange as module
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.core.interchange import MAX_FILE, Interchange, KeyHistory, decode_interchange
from hybrid_bridge.errors import FieldMalformed, Malformed, TooLong, Unknown
from hybrid_bridge.units import Address, ChainId, LogId, TreeSize

LOG, KEY, OTHER = LogId(b"\x11" * 32), Address(b"\x22" * 20), Address(b"\x33" * 20)
MINE = History(
    Highest(TreeSize(9), ZERO),
    (Statement(TreeSize(12), ZERO, sha256(b"12")),),
    (PowerStatement(ChainId(1), OTHER, "retire", 4, ZERO),),
)
THEIRS = History(Highest(TreeSize(1), ZERO))
FILE = Interchange(LOG, (KeyHistory(KEY, MINE), KeyHistory(OTHER, THEIRS)))


def test_a_file_is_read_as_it_was_written() -> None:
    data = FILE.encode()
    assert decode_interchange(data) == FILE
    assert data.startswith(b'{"data":[{"attestation_key":"0x2222')
    assert b'"floor":{"root":"0x0000' in data
    assert b'"metadata":{"interchange_format_version":"1","log_id":"0x1111' in data


def test_each_key_finds_its_own_history() -> None:
    assert FILE.of(LOG, KEY) == MINE
    assert FILE.of(LOG, OTHER) == THEIRS


def test_a_file_that_does_not_speak_of_a_key_is_refused_not_taken_as_empty() -> None:
    with pytest.raises(Unknown):
        FILE.of(LOG, Address(bytes(20)))


def test_a_file_of_another_log_is_malformed_whatever_its_keys() -> None:
    with pytest.raises(FieldMalformed) as error:
        FILE.of(LogId(ZERO), KEY)
    assert error.value.field == "metadata.log_id"


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLong) as error:
        decode_interchange(b"[" * (MAX_FILE + 1))
    assert error.value.limit == 1 << 26


def test_more_keys_or_rows_than_are_read_are_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLong):
        Interchange(LOG, (KeyHistory(KEY, THEIRS),) * 257).encode()
    monkeypatch.setattr(module, "MAX_FILE", 300)
    with pytest.raises(TooLong):
        FILE.encode()


@pytest.mark.parametrize(
    "history",
    [
        History(Highest(TreeSize(9), ZERO), (Statement(TreeSize(8), ZERO, ZERO),)),
        History(MINE.floor, MINE.signed * 2),
        History(MINE.floor, (), MINE.power * 2),
        History(MINE.floor, (), (PowerStatement(ChainId(1), OTHER, "permit", 4, ZERO),)),
        History(Highest(TreeSize(0), ZERO)),
        History(Highest(TreeSize(1 << 53), ZERO)),
    ],
    ids=["below-floor", "size-twice", "power-twice", "kind", "zero", "too-large"],
)
def test_what_would_not_be_read_is_not_written(history: History) -> None:
    with pytest.raises(Malformed):
        Interchange(LOG, (KeyHistory(KEY, history),)).encode()
