"""Alerts, metrics and runbook name the same things, and Prometheus' own program agrees with the rules."""

import re
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.node import metrics as validator
from relayers.alerts import alerts_text, parse_alerts
from relayers.cli import main
from relayers.metrics import ALWAYS, PREFIX, TABLE, Metric
from tests.engines import engine

ROOT = Path(__file__).parents[2]
ALERTS = (ROOT / "infra" / "prometheus" / "alerts.yml").read_text()
RUNBOOK = (ROOT / "docs" / "guides" / "runbook.md").read_text()
RULES = re.split(r"^      - alert: ", ALERTS, flags=re.MULTILINE)[1:]
RELAYERS = {PREFIX + metric.name: (metric.kind, {*ALWAYS, *metric.labels}) for metric in TABLE}
VALIDATORS = {
    validator.PREFIX + metric.name: (metric.kind, {*validator.ALWAYS, *metric.labels}) for metric in validator.TABLE
}
SAMPLES = {  # what stands in a scrape, with its labels
    name + suffix: labels
    for name, (kind, labels) in (RELAYERS | VALIDATORS).items()
    for suffix in (("_bucket", "_sum", "_count") if kind == "histogram" else ("",))
}
NAME = re.compile(r"\b(hybrid_(?:relayer|validator)_\w+)(?:\{([^}]*)\})?")
LABELS_OF_PROMETHEUS = {"job", "instance"}


def name_of(rule: str) -> str:
    return rule.split("\n", 1)[0]


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_an_alert_watches_metrics_and_labels_that_exist_and_has_its_heading(rule: str) -> None:
    expression = re.search(r"^        expr: (.*)$", rule, re.MULTILINE)
    assert expression is not None
    names = NAME.findall(expression[1])
    assert names or expression[1].startswith("up{"), "an alert without a metric"
    for metric, selector in names:
        assert metric in SAMPLES, f"no metric is called {metric}"
        labels = set(re.findall(r"(\w+)=", selector))
        assert labels <= SAMPLES[metric], f"{metric} has other labels"
    shown = set(re.findall(r"\$labels\.(\w+)", rule))
    assert shown <= {"chain", "log", *LABELS_OF_PROMETHEUS, *(x for m, _ in names for x in SAMPLES[m])}
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
    for metric in (*TABLE, *validator.TABLE):
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert isinstance(metric, Metric | validator.Metric)


def test_the_specification_lists_every_metric_that_is_fed_and_marks_the_others() -> None:
    text = (ROOT / "docs" / "spec" / "RELAYER.md").read_text()
    rows = re.findall(
        r"^\| ([a-z_°· ]+) \| [CGH]", text[text.index("**Metrics**") : text.index("**Alerts**")], re.MULTILINE
    )
    names = [name for row in rows for name in row.split(" · ")]
    fed = {metric.name for metric in TABLE} | {f"validator_{metric.name}" for metric in validator.TABLE}
    assert {name for name in names if not name.endswith("°")} == fed
    assert len(names) == len(set(names))


def test_alerts_doc_prints_every_rule_with_its_heading() -> None:
    alerts = parse_alerts(ALERTS)
    assert [alert.name for alert in alerts] == [name_of(rule) for rule in RULES]
    shown = CliRunner().invoke(main, ["alerts", "doc"])
    assert (shown.exit_code, shown.output) == (0, alerts_text(alerts) + "\n")
    lines = shown.output.splitlines()
    assert len(lines) == 2 + len(RULES)
    assert (
        "| LogOverdue | page | at once | `hybrid_relayer_overdue == 1` | [LogOverdue](docs/guides/runbook.md#logoverdue) |"
        in lines
    )
    assert any(line.startswith("| FeeCapped | ticket | 30m |") for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "groups: []",
        ALERTS.replace("        for: 5m", "        for:\n          5m"),
        ALERTS + "      - alert: Another\n",
    ],
    ids=["nothing", "no rule", "two lines", "half a rule"],
)
def test_rules_that_are_written_in_another_way_are_not_half_read(text: str) -> None:
    with pytest.raises(FieldMalformed):
        parse_alerts(text)


@pytest.mark.engine
def test_promtool_reads_as_many_rules_as_we_do() -> None:
    done = subprocess.run(
        [engine("promtool"), "check", "rules", "alerts.yml"], cwd=ROOT / "infra" / "prometheus", capture_output=True, text=True, check=True, timeout=60
    )  # fmt: skip
    assert f"SUCCESS: {len(parse_alerts(ALERTS))} rules found" in done.stdout


@pytest.mark.engine
@pytest.mark.parametrize("words", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]])
def test_promtool_agrees(words: list[str]) -> None:
    done = subprocess.run(
        [engine("promtool"), *words], cwd=ROOT / "infra" / "prometheus", capture_output=True, text=True, check=False, timeout=60
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
