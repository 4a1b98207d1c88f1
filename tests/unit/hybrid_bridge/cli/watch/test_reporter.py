"""A report by whichever endpoint takes it: who is away costs one call, the end waits for nobody, money has its word."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.bounded_http import _CALL
from hybrid_bridge.cli.contract import reporting
from hybrid_bridge.cli.contract.sending import Spending
from hybrid_bridge.cli.watch.evidence import ANCHORED, ONE, OTHER
from hybrid_bridge.cli.watch.reporter import LONGEST, Reporter
from hybrid_bridge.cli.watch.spending import FILE, Purse
from hybrid_bridge.errors import (
    BridgeError,
    EndpointRefused,
    FieldMismatch,
    NoConflict,
    NotYet,
    SpendCapped,
    TransactionRefused,
    Unreachable,
)
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Gas, Nonce, Wei

AWAY = Unreachable(endpoint="rpc", call="eth_getCode")
REFUSED = EndpointRefused(endpoint="rpc", call="eth_call", code=-32000, reason="no")
CAPPED = SpendCapped(rule="a day's budget", limit=1, needed=2)
ONE_GWEI = UnsignedTransaction(
    chain_id=ChainId(1), nonce=Nonce(0), to=Address(bytes(20)), value=Wei(0), data=b"", gas=Gas(1), max_fee=Wei(10**9),
    tip=Wei(0),
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two notes and tiles: an equivocation, or two inconsistencies."""
    for name in (ONE, OTHER):
        (tmp_path / name).write_text("a note")
    (tmp_path / ANCHORED).mkdir()
    return tmp_path


def reporter(folder: Path, is_over: Callable[[], bool] = lambda: False) -> Reporter:
    return Reporter(("one", "two"), (), Purse(folder, Wei(4 * 10**9)), is_over)


def answering(monkeypatch: pytest.MonkeyPatch, **errors: BridgeError | None) -> list[tuple[str, str]]:
    """Endpoints that refuse so; None: it is taken. What was asked."""
    asked = []

    def main(words: list[str], *, obj: Spending, **_: Any) -> None:
        url = words[words.index("--rpc") + 1]
        asked.append((url, words[0]))
        if (error := errors[url]) is not None:
            raise error
        obj.allow(Address(bytes(20)), ONE_GWEI)
        print("taken")

    monkeypatch.setattr(reporting.report, "main", main)
    return asked


def test_who_is_away_costs_one_call_and_the_next_one_takes_it(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, before = answering(monkeypatch, one=AWAY, two=None), list[bool]()
    assert reporter(place).report(place, 0, lambda: before.append((place / FILE).exists())) == "taken\n"
    assert asked == [("one", "equivocation"), ("two", "equivocation")]
    assert before == [True]  # the price is written down first


@pytest.mark.parametrize(
    "error", [NotYet(what="inclusion"), TransactionRefused(endpoint="rpc", reason="no"), EndpointRefused(
        endpoint="rpc", call="eth_getTransactionReceipt", code=-32000, reason="no"
    )],
)  # fmt: skip
def test_who_took_money_for_one_report_and_sent_none_is_asked_for_no_other(
    place: Path, monkeypatch: pytest.MonkeyPatch, error: BridgeError
) -> None:
    """A purse of four parts: each of these would take one, and there are three reports."""
    answering(monkeypatch, one=error, two=None)
    main, nonces = reporting.report.main, iter(range(9))

    def takes(words: list[str], *, obj: Spending, **more: Any) -> None:
        if words[words.index("--rpc") + 1] == "one":
            obj.allow(Address(bytes(20)), replace(ONE_GWEI, nonce=Nonce(next(nonces))))
        main(words, obj=obj, **more)

    monkeypatch.setattr(reporting.report, "main", takes)
    made = reporter(place)
    assert made.report(place, 0, lambda: None, ends=True) == "taken\n"
    assert next(nonces) == 1


def test_for_another_chain_than_the_one_that_is_watched_nothing_is_signed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account pays on each chain for its nonce there."""
    answering(monkeypatch, one=None, two=None)
    with pytest.raises(FieldMismatch):
        reporter(place).report(place, 0, lambda: pytest.fail("signed"), chain_id=ChainId(2))
    assert not (place / FILE).exists()
    assert reporter(place).report(place, 0, lambda: None, chain_id=ChainId(1)) == "taken\n"


def test_an_endpoint_that_answers_as_slowly_as_it_may_holds_a_report_for_minutes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls get no more time after that; the next endpoint's do."""
    limits = []

    def main(*_: Any, **__: Any) -> None:
        limits.append(_CALL.limit.end - time.monotonic())
        raise AWAY

    monkeypatch.setattr(reporting.report, "main", main)
    with pytest.raises(Unreachable):
        reporter(place).report(place, 0, lambda: None)
    assert [LONGEST - 60 < left <= LONGEST for left in limits] == [True, True]


def test_who_refuses_one_report_is_shown_the_others(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, one=REFUSED, two=NoConflict())
    with pytest.raises(EndpointRefused):
        reporter(place).report(place, 1, lambda: None)
    each = ["equivocation", "inconsistency", "inconsistency"]
    assert asked == [*(("two", kind) for kind in each), *(("one", kind) for kind in each)]


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_that_money_is_lacking_is_told_before_anything_else(
    place: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, str]
) -> None:
    for other in (AWAY, REFUSED, NoConflict()):
        answering(monkeypatch, **dict(zip(order, (CAPPED, other), strict=True)))
        with pytest.raises(SpendCapped):
            reporter(place).report(place, 0, lambda: None)


def test_what_nobody_takes_for_a_contradiction_is_no_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, one=NoConflict(), two=NoConflict())
    assert reporter(place).report(place, 0, lambda: None) == ""


def test_the_end_waits_for_no_report_and_what_is_said_afterwards_is_seen(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, free, out = threading.Event(), threading.Event(), sys.stdout

    def main(*_: Any, **__: Any) -> None:
        begun.set()
        free.wait()

    monkeypatch.setattr(reporting.report, "main", main)
    with pytest.raises(NotYet):
        reporter(place, begun.is_set).report(place, 0, lambda: None)
    assert sys.stdout is out
    free.set()


def test_a_fault_of_ours_is_no_refusal(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting.report, "main", lambda *_, **__: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        reporter(place).report(place, 0, lambda: None)
