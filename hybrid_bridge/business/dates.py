"""Dates of a rule pack's zone, from block times; pure integer arithmetic on the proleptic Gregorian calendar."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Final

from hybrid_bridge.units import UnixSeconds

_DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1)
_LAST: Final = (date.max - _EPOCH).days


def date_of(time: UnixSeconds, zone: int) -> date:
    """The date on which `time` falls, `zone` seconds east of UTC; the last representable date at most."""
    return _EPOCH + timedelta(days=min((time + zone) // _DAY, _LAST))


def end_of(day: date, zone: int) -> UnixSeconds:
    """The first second after `day` in that zone."""
    return UnixSeconds(((day - _EPOCH).days + 1) * _DAY - zone)


def add_months(day: date, months: int) -> date:
    """The same day so many calendar months later, or the last of that month; the last representable date at most."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
