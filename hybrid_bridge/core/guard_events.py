"""What a guard's event chain says, and what its rows must be if the chain is true.

One event for each row, in the order in which they were made, and one for each refusal. A body has one member:
`floor`, `signed` and `power` as in an interchange file, `refused` with the rule and the number.
A signature is no event: it proves itself, and one that is lost is made again over the same digest.
Source: RELAYER §5.4.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.core.interchange import FLOOR, POWER, STATEMENT
from hybrid_bridge.core.shape import Codec, literal, record, text
from hybrid_bridge.errors import FieldMalformed, GuardRefused

MAX_NUMBER: Final = 80  # characters
RULES: Final = ("scope", "double", "below_floor", "not_an_extension", "double_power")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A signature that was asked for and not permitted."""

    rule: str
    number: str  # the size, or the number of a power, as it was asked for: perhaps no number of ours


@dataclass(frozen=True, slots=True)
class Told:
    """What a chain of events adds up to."""

    history: History
    refusals: int


_CODECS: Final[dict[str, Codec[Any]]] = {
    "floor": FLOOR,
    "signed": STATEMENT,
    "power": POWER,
    "refused": record(Refusal, {"rule": literal(*RULES), "number": text(MAX_NUMBER)}),
}


def floor_event(floor: Highest) -> Json:
    """The floor was set, or raised."""
    return {"floor": FLOOR.write(floor)}


def signed_event(statement: Statement) -> Json:
    """The key may say this of this size."""
    return {"signed": STATEMENT.write(statement)}


def power_event(power: PowerStatement) -> Json:
    """The key may sign this set update, pause, resume or retirement."""
    return {"power": POWER.write(power)}


def refused_event(refused: GuardRefused) -> Json:
    """The key may not."""
    return {"refused": _CODECS["refused"].write(Refusal(refused.rule, str(refused.size)[:MAX_NUMBER]))}


def added_events(before: Highest | None, added: History) -> Iterator[Json]:
    """The events of what a merge adds; `before` is the floor until now, None for a guard that has none."""
    if before is None or added.floor.size > before.size:
        yield floor_event(added.floor)
    yield from map(signed_event, added.signed)
    yield from map(power_event, added.power)


def told_by(bodies: Iterable[Json]) -> Told:
    """The history that events tell, sizes and powers in order.

    Raises:
        FieldMalformed: no floor; a floor that does not rise; a size or a power twice; an event of another form.
    """
    floor: Highest | None = None
    signed: dict[int, Statement] = {}
    powers: dict[object, PowerStatement] = {}
    refusals = 0
    for body in bodies:
        match _parsed(body):
            case Highest() as raised:
                _require(floor is None or raised.size > floor.size, "a floor that rises")
                floor = raised
            case Statement() as statement:
                _require(statement.size not in signed, "each size once")
                signed[statement.size] = statement
            case PowerStatement() as power:
                _require(power.place not in powers, "each power once")
                powers[power.place] = power
            case _:
                refusals += 1
    if floor is None:
        raise FieldMalformed(field="event", rule="a floor")
    history = History(floor, tuple(signed[size] for size in sorted(signed)), tuple(powers.values()))
    return Told(history.in_order(), refusals)


def _parsed(body: Json) -> object:
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= _CODECS.keys():
        raise FieldMalformed(field="event", rule=f"one of {', '.join(_CODECS)}")
    ((name, value),) = body.items()
    return _CODECS[name].parse(value, f"event.{name}")


def _require(holds: bool, rule: str) -> None:  # noqa: FBT001 what must hold
    if not holds:
        raise FieldMalformed(field="event", rule=rule)
