"""The day's budget for reports: kept to across restarts, and by no endpoint's prices spent at once."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.cli.watch import spending
from hybrid_bridge.cli.watch.spending import DAY, ETHER, FILE, MAX_A_DAY, Purse, parse_ether
from hybrid_bridge.errors import SettingsMalformed, SpendCapped, StoreBroken
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.units import Address, ChainId, Gas, Nonce, Wei

BORN = 1_700_000_000
OURS, OTHERS = Address(b"\x01" * 20), Address(b"\x02" * 20)
BUDGET = Wei(100 * 10**9)  # 100 gwei: a part is 25
ONE = UnsignedTransaction(
    chain_id=ChainId(1), nonce=Nonce(0), to=Address(bytes(20)), value=Wei(0), data=b"", gas=Gas(1), max_fee=Wei(0), tip=Wei(0)
)  # fmt: skip


def costing(gwei: int, nonce: int) -> UnsignedTransaction:
    return replace(ONE, nonce=Nonce(nonce), max_fee=Wei(gwei * 10**9))


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock(monkeypatch, 0)


def clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    monkeypatch.setattr(spending, "time", type("Clock", (), {"time": staticmethod(lambda: BORN + seconds)}))


def held(purse: Purse, gwei: int, nonce: int, *, ends: bool) -> str:
    with pytest.raises(SpendCapped) as caught:
        purse.spend(OURS, costing(gwei, nonce), ends=ends)
    return caught.value.rule


def test_small_reports_leave_half_of_the_day_to_those_that_end_a_log(tmp_path: Path) -> None:
    purse = Purse(tmp_path, BUDGET)
    for nonce in range(2):
        purse.spend(OURS, costing(25, nonce), ends=False)
    assert held(purse, 1, 2, ends=False) == "reports that end no log of a day's budget"
    for nonce in range(2, 4):
        purse.spend(OURS, costing(25, nonce), ends=True)
    assert held(purse, 1, 4, ends=True) == "a day's budget"
    assert purse.spent(BORN) == BUDGET


def test_no_price_takes_more_than_a_part_of_the_day(tmp_path: Path) -> None:
    purse = Purse(tmp_path, BUDGET)
    assert held(purse, 26, 0, ends=True) == "one transaction of a day's budget"
    assert held(purse, 2**200, 0, ends=True) == "one transaction of a day's budget"
    assert not (tmp_path / FILE).exists()
    assert held(Purse(tmp_path, Wei(0)), 1, 0, ends=True) == "one transaction of a day's budget"


def test_what_was_spent_counts_after_a_restart_and_for_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for nonce in range(4):
        Purse(tmp_path, BUDGET).spend(OURS, costing(25, nonce), ends=True)
    clock(monkeypatch, DAY - 1)
    assert held(Purse(tmp_path, BUDGET), 1, 4, ends=True) == "a day's budget"
    clock(monkeypatch, DAY)
    purse = Purse(tmp_path, BUDGET)
    assert purse.spent(BORN + DAY) == 0
    purse.spend(OURS, costing(25, 4), ends=True)
    assert len(json.loads((tmp_path / FILE).read_text())["spent"]) == 1


def test_a_clock_that_ran_ahead_holds_reports_back_for_a_day_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 10**9)
    for nonce in range(3):
        Purse(tmp_path, BUDGET).spend(OURS, costing(25, nonce), ends=True)
    clock(monkeypatch, 0)
    Purse(tmp_path, BUDGET).spend(OURS, costing(25, 3), ends=True)
    assert held(Purse(tmp_path, BUDGET), 1, 4, ends=True) == "a day's budget"
    clock(monkeypatch, DAY)
    Purse(tmp_path, BUDGET).spend(OURS, costing(25, 4), ends=True)


def test_a_clock_that_ran_ahead_while_all_was_spent_holds_reports_back_for_a_day_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock(monkeypatch, 10**9)
    for nonce in range(4):
        Purse(tmp_path, BUDGET).spend(OURS, costing(25, nonce), ends=True)
    for seconds in (0, DAY - 1):
        clock(monkeypatch, seconds)
        assert held(Purse(tmp_path, BUDGET), 1, 4, ends=True) == "a day's budget"
    clock(monkeypatch, DAY)
    Purse(tmp_path, BUDGET).spend(OURS, costing(25, 4), ends=True)


def test_of_one_nonce_the_dearest_transaction_counts_for_each_account(tmp_path: Path) -> None:
    purse = Purse(tmp_path, BUDGET)
    for gwei in (20, 25, 10, 25, 25, 25):
        purse.spend(OURS, costing(gwei, 7), ends=True)
    assert purse.spent(BORN) == 25 * 10**9
    purse.spend(OTHERS, costing(10, 7), ends=True)
    assert purse.spent(BORN) == 35 * 10**9


def test_part_of_a_gwei_counts_as_one(tmp_path: Path) -> None:
    purse = Purse(tmp_path, BUDGET)
    purse.spend(OURS, replace(ONE, max_fee=Wei(1)), ends=True)
    assert purse.spent(BORN) == 10**9


def test_transactions_that_cost_nothing_have_a_number(tmp_path: Path) -> None:
    purse = Purse(tmp_path, BUDGET)
    for nonce in range(MAX_A_DAY // 2):
        purse.spend(OURS, costing(0, nonce), ends=False)
    assert held(purse, 0, 99, ends=False) == "transactions a day that end no log"
    for nonce in range(MAX_A_DAY // 2, MAX_A_DAY):
        purse.spend(OURS, costing(0, nonce), ends=True)
    assert held(purse, 0, 99, ends=True) == "transactions a day"
    assert held(Purse(tmp_path, BUDGET), 0, 99, ends=True) == "transactions a day"


def test_what_cannot_be_written_down_is_not_spent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    purse = Purse(tmp_path, BUDGET)
    monkeypatch.setattr(spending, "write_whole", full)
    with pytest.raises(OSError, match="No space"):
        purse.spend(OURS, costing(1, 0), ends=True)
    assert purse.spent(BORN) == 0


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("spent/v1", "spent/v2"),
        ('"ending"', '"gift"'),
        ('"gwei": 25', '"gwei": -25'),
        ('"gwei": 25', '"gwei": 1e3'),
        ('"gwei": 25', '"gwei": "25"'),
        ('"gwei": 25', '"gwei": 25, "gwei": 1'),
        ('"nonce": 3', '"number": 3'),
        ("]", ""),
    ],
)
def test_a_file_that_is_not_as_it_was_written_is_refused(tmp_path: Path, good: str, bad: str) -> None:
    Purse(tmp_path, BUDGET).spend(OURS, costing(25, 3), ends=True)
    text = (tmp_path / FILE).read_text()
    assert good in text
    (tmp_path / FILE).write_text(text.replace(good, bad))
    with pytest.raises(StoreBroken):
        Purse(tmp_path, BUDGET)


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreBroken):
        Purse(tmp_path, BUDGET)


@pytest.mark.parametrize(("text", "wei"), [("0", 0), ("0.2", ETHER // 5), ("12.000000001", 12 * ETHER + 10**9)])
def test_a_budget_is_an_amount_of_ether(text: str, wei: int) -> None:
    assert parse_ether(text, "--x") == wei


@pytest.mark.parametrize("text", ["", "-1", "1e3", ".5", "1.", "1 ETH", "0.0000000001", "1" * 10, "\uff11"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(SettingsMalformed):
        parse_ether(text, "--x")
