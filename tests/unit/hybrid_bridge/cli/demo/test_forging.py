"""The cheats' tools: a forged date is a date on every day of the year."""

from datetime import date, timedelta

from hybrid_bridge.cli.demo.forging import _other_date


def test_one_digit_differs_and_it_is_a_date_again_whatever_the_day() -> None:
    for days in range(4 * 366):
        before = (date(2026, 1, 1) + timedelta(days)).isoformat()
        after = _other_date(before)
        date.fromisoformat(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
