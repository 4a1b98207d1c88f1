"""Alerts, metrics and runbook name the same things, and Prometheus' own program agrees with the rules."""

import re
import subprocess
from pathlib import Path

import click
import pytest

from relayers.cli import main
from relayers.metrics import PREFIX, TABLE, Metric
from tests.engines import engine

ROOT = Path(__file__).parents[2]
ALERTS = (ROOT / "infra" / "prometheus" / "alerts.yml").read_text()
RUNBOOK = (ROOT / "docs" / "guides" / "runbook.md").read_text()
RULES = re.split(r"^      - alert: ", ALERTS, flags=re.MULTILINE)[1:]
METRICS = {PREFIX + metric.name: metric for metric in TABLE}
LABELS_OF_PROMETHEUS = {"job", "instance"}


def name_of(rule: str) -> str:
    return rule.split("\n", 1)[0]


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_an_alert_watches_metrics_and_labels_that_exist_and_has_its_heading(rule: str) -> None:
    expression = re.search(r"^        expr: (.*)$", rule, re.MULTILINE)
    assert expression is not None
    names = re.findall(rf"\b({PREFIX}\w+)(?:\{{([^}}]*)\}})?", expression[1])
    assert names or expression[1].startswith("up{"), "an alert without a metric"
    for metric, selector in names:
        assert metric in METRICS, f"no metric is called {metric}"
        labels = set(re.findall(r"(\w+)=", selector))
        assert labels <= {"chain", "log", *METRICS[metric].labels}, f"{metric} has other labels"
    shown = set(re.findall(r"\$labels\.(\w+)", rule))
    assert shown <= {"chain", "log", *LABELS_OF_PROMETHEUS, *(x for m, _ in names for x in METRICS[m].labels)}
    assert re.search(r"severity: (page|ticket)\b", rule)
    assert f"runbook: docs/guides/runbook.md#{name_of(rule).lower()}\n" in rule + "\n"
    assert f"\n## {name_of(rule)}\n" in RUNBOOK


def test_every_heading_below_page_and_ticket_is_an_alert() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOK[RUNBOOK.index("\n# Page") :], re.MULTILINE)
    assert headings == [name_of(rule) for rule in RULES]


def test_every_value_of_a_label_that_an_alert_looks_for_can_occur() -> None:
    values = set(re.findall(r'(state|level|result|class|outcome)="(\w+)"', ALERTS))
    assert values == {
        ("state", "HALTED"),
        ("level", "mined"),
        ("level", "run"),
        ("result", "looked"),
        ("class", "other_hash"),
        ("outcome", "REVERTED"),
    }  # each is fed by tests/crash/test_relayer_metrics.py


def test_every_command_of_the_runbook_exists_with_its_options() -> None:
    for line in set(re.findall(r"(?:\$ |`)hybrid-relayer ([a-z][^`\n]*)", RUNBOOK)):
        words = line.split()
        command = main.commands[words.pop(0)]
        while isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_metrics_have_names_and_labels_that_prometheus_likes() -> None:
    for metric in TABLE:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert isinstance(metric, Metric)


def test_the_specification_lists_every_metric_that_is_fed_and_marks_the_others() -> None:
    text = (ROOT / "docs" / "spec" / "RELAYER.md").read_text()
    rows = re.findall(
        r"^\| ([a-z_°· ]+) \| [CGH]", text[text.index("**Metrics**") : text.index("**Alerts**")], re.MULTILINE
    )
    names = [name for row in rows for name in row.split(" · ")]
    assert {name for name in names if not name.endswith("°")} == {metric.name for metric in TABLE}
    assert len(names) == len(set(names))


@pytest.mark.engine
@pytest.mark.parametrize("words", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_agrees(words: list[str]) -> None:
    done = subprocess.run(
        [engine("promtool"), *words], cwd=ROOT / "infra" / "prometheus", capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
