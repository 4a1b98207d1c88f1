"""The dashboard is the generator's, names only metrics that exist, parses as Prometheus parses, and explains itself."""

import json
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_runbook import NAME, RELAYERS, ROOT, SAMPLES, VALIDATORS
from tests.engines import engine

FOLDER = ROOT / "infra" / "grafana"
TEXT = (FOLDER / "hybrid-relayer.json").read_text()
BOARD = json.loads(TEXT)
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
QUESTIONS = ["Active?", "Succeeding?", "Behind?", "Safe?", "Cost?"]
UNITS = {"s", "short", "percentunit"}  # of Grafana's own list
SEEN_ELSEWHERE = {  # in `status`, in `up`, in another metric of the same panel's kind
    "build_info", "log_active", "overdue", "oldest_unanchored_timestamp_seconds", "anchor_lag_size", "intents", "rpc_up",
    "pinned_age_seconds", "hybrid_validator_throttled_total",
    "hybrid_validator_certificate_expiry_seconds", "hybrid_validator_crl_expiry_seconds",
    "hybrid_validator_missing_copies",
}  # fmt: skip


def test_the_dashboard_is_what_its_generator_makes() -> None:
    made = runpy.run_path(str(FOLDER / "dashboard.py"))["dashboard"]()
    assert json.dumps(made, indent=1, ensure_ascii=False) + "\n" == TEXT, "run infra/grafana/dashboard.py"


def test_it_has_the_form_that_grafana_imports() -> None:
    assert isinstance(BOARD["schemaVersion"], int)
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", BOARD["uid"])
    assert BOARD["title"]
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert all(isinstance(id_, int) and 0 < id_ < 2**31 for id_ in ids)
    assert [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"] == QUESTIONS
    assert "id" not in BOARD  # a number of one server


def test_no_panel_lies_on_another_or_beyond_the_edge() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for cell in (
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_each_panel_has_a_unit_and_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert len(panel["description"]) >= 20
    assert panel["description"].endswith(".")
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEF"[: len(panel["targets"])])
    assert all(target["legendFormat"] for target in panel["targets"])


def test_no_data_source_is_wired_in() -> None:
    sources = re.findall(r'"uid": "([^"]*)"', TEXT)
    assert set(sources) == {"${datasource}", BOARD["uid"]}
    assert BOARD["templating"]["list"][0] == {
        **BOARD["templating"]["list"][0],
        "type": "datasource",
        "query": "prometheus",
    }
    assert not re.search(r"https?://", TEXT)


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[f"{t} {n}" for n, (t, _) in enumerate(EXPRESSIONS)])
def test_each_expression_names_metrics_and_labels_that_exist(title: str, expression: str) -> None:
    names = NAME.findall(expression)
    assert names, title
    for metric, selector in names:
        assert metric in SAMPLES, f"no metric is called {metric}"
        assert set(re.findall(r"(\w+)=", selector)) <= SAMPLES[metric]
    shown = {
        label
        for panel in PANELS
        for t in panel["targets"]
        if t["expr"] == expression
        for label in re.findall(r"{{(\w+)}}", t["legendFormat"])
    }
    assert shown <= {label for metric, _ in names for label in SAMPLES[metric]}


def test_every_metric_is_on_the_dashboard_or_known_to_be_seen_elsewhere() -> None:
    used = {
        re.sub(r"_(bucket|sum|count)$", "", metric)
        for _, expression in EXPRESSIONS
        for metric, _ in NAME.findall(expression)
    }
    missing = (RELAYERS | VALIDATORS).keys() - used
    assert {name.removeprefix("hybrid_relayer_") for name in missing} == SEEN_ELSEWHERE


@pytest.mark.engine
def test_promtool_parses_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"r{n}", "expr": expression.replace("$__rate_interval", "5m")}
        for n, (_, expression) in enumerate(EXPRESSIONS)
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run(
        [engine("promtool"), "check", "rules", tmp_path / "rules.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(EXPRESSIONS)} rules found" in done.stdout
