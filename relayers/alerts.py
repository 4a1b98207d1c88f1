"""The alert rules as a table for people, with the heading of the runbook that says what to do.

The rules are read by their lines: each member of a rule stands on one of its own, which a test compares with promtool's
own reading. So no YAML parser is needed by a process that holds a key.
"""

import re
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.errors import FieldMalformed

_RULE: Final = re.compile(
    r"      - alert: (?P<name>\w+)\n"
    r"        expr: (?P<expression>[^\n]+)\n"
    r"(?:        for: (?P<lasts>\w+)\n)?"
    r"        labels: \{ severity: (?P<severity>page|ticket) \}\n"
    r"        annotations:\n"
    r'          summary: "(?P<summary>[^\n"]+)"\n'
    r"          runbook: (?P<runbook>[^\n]+)\n"
)


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule."""

    name: str
    expression: str
    lasts: str  # how long it must hold; empty: at once
    severity: str
    summary: str
    runbook: str  # a page and its heading


def parse_alerts(text: str) -> tuple[Alert, ...]:
    """The rules of `alerts.yml`, in order.

    Raises:
        FieldMalformed: a rule is written in another way.
    """
    found = tuple(Alert(**{k: v or "" for k, v in match.groupdict().items()}) for match in _RULE.finditer(text))
    if not found or len(found) != len(re.findall(r"^\s*- alert:", text, re.MULTILINE)):
        raise FieldMalformed(field="alerts.yml", rule="one line for each member of a rule")
    return found


def alerts_text(alerts: tuple[Alert, ...]) -> str:
    """The table, in Markdown."""
    rows = [
        f"| {alert.name} | {alert.severity} | {alert.lasts or 'at once'} | `{_cell(alert.expression)}` "
        f"| [{alert.name}]({alert.runbook}) |"
        for alert in alerts
    ]
    return "\n".join(["| alert | severity | after | when | what to do |", "|---|---|---|---|---|", *rows])


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
