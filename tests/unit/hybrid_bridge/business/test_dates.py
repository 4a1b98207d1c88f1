from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.business.dates import add_months, date_of, end_of
from hybrid_bridge.units import UnixSeconds

ZONE = 28_800


def test_a_day_begins_at_midnight_of_the_zone():
    assert date_of(UnixSeconds(1_767_628_799), ZONE) == date(2026, 1, 5)
    assert date_of(UnixSeconds(1_767_628_800), ZONE) == date(2026, 1, 6)
    assert end_of(date(2026, 1, 5), ZONE) == 1_767_628_800


@given(st.integers(0, 2**53 - 1), st.integers(-43_200, 50_400))
def test_every_moment_has_a_date(time, zone):
    day = date_of(UnixSeconds(time), zone)
    if day < date.max:
        assert end_of(day, zone) - 86_400 <= time < end_of(day, zone)


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        (date(2026, 1, 5), 12, date(2027, 1, 5)),
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2023, 8, 31), 6, date(2024, 2, 29)),
        (date(2026, 11, 30), 2, date(2027, 1, 30)),
        (date(9999, 12, 1), 1, date.max),
    ],
)
def test_months_are_calendar_months(day, months, result):
    assert add_months(day, months) == result
