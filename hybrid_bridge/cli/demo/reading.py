"""How the story shows what `verify --json` answered: fields in reading order, money as money, verdicts on a line."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hybrid_bridge.cli.demo.telling import fen_text

MONEY: Final = ("face", "allot", "advance", "gross", "net")  # last part of a field's name
_PARTS: Final = re.compile(r"\d+|[^.\d]+")


def reading_order(name: str) -> tuple[tuple[int, int | str], ...]:
    """`child.2.note` before `child.10.note`."""
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in _PARTS.findall(name))


def currency(evidence: Mapping[str, Any]) -> str:
    """The one currency that the opened records name; empty if they name none, or several."""
    named = {field["value"] for record in evidence["records"] for field in record["fields"] if field["name"] == "ccy"}
    return str(named.pop()) if len(named) == 1 else ""


def opened_fields(fields: Sequence[Mapping[str, Any]], ccy: str) -> list[tuple[str, str]]:
    """Name and value of each field that was opened; where the currency is CNY, amounts also in yuan."""
    shown = [field for field in fields if not field["name"].startswith("_")]
    return [
        (field["name"], _value(field["name"], field["value"], ccy))
        for field in sorted(shown, key=lambda field: reading_order(field["name"]))
    ]


def _value(name: str, value: object, ccy: str) -> str:
    is_money = ccy == "CNY" and name.rsplit(".", 1)[-1] in MONEY
    return f"{value} fen = {fen_text(int(str(value)))}" if is_money and str(value).isdecimal() else str(value)


def verdict_line(evidence: Mapping[str, Any]) -> str:
    """Every verdict that says something, and its result."""
    said = [v for v in evidence["verdicts"] if v["result"] not in ("not shown", "undecided")]
    return " · ".join(f"{verdict['name']}: {verdict['result']}" for verdict in said)
