"""`config show` and `status` hide nothing but secrets: every setting that can be made is shown."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from relayers import wiring
from relayers.cli import main
from relayers.journal import EvidenceRow
from relayers.settings import ChainSettings, LogSettings, parse_settings, read_settings
from relayers.shown import settings_shown
from relayers.sql_journal import SqlJournal, create_journal
from relayers.terminal import now
from tests.unit.relayers.test_settings import FOLDER, SAMPLE
from tests.unit.relayers.test_wiring import settings_text, write_consortium

OTHERWISE = {  # fields that have another name in the file
    "log_id": "id", "delay": "delay_seconds", "first_number": "first_block", "depth": "finality",
    "is_retiring": "retiring", "operators": "turns.operators", "grace_blocks": "turns.grace_blocks",
}  # fmt: skip
GROUPS = {"members", "tls", "endpoints", "fees"}  # one line for each of their entries


@pytest.mark.parametrize(("part", "kind"), [("log", LogSettings), ("chain", ChainSettings)])
def test_every_setting_is_shown(part: str, kind: Any) -> None:
    shown = settings_shown(parse_settings(SAMPLE, FOLDER))[part]
    wanted = {OTHERWISE.get(field.name, field.name) for field in fields(kind)}
    assert {name for name in wanted - GROUPS if name not in shown} == set()
    assert {name for name in wanted & GROUPS if not any(key.startswith(f"{name}.") for key in shown)} == set()


def test_status_names_an_endpoint_that_contradicted_the_quorum_today(tmp_path: Path) -> None:
    path = tmp_path / "relayer.toml"
    path.write_text(settings_text(write_consortium(tmp_path), "http://127.0.0.1:1"))
    settings, at = read_settings(path), now()
    create_journal(settings.journal, wiring.scope_of(settings), at)
    with SqlJournal(settings.journal, wiring.scope_of(settings), "host:1", at) as journal:
        journal.keep_evidence([EvidenceRow("liar", "head", "2", "3", None, at)])
    result = CliRunner().invoke(main, ["status", "-c", str(path), "--json"], standalone_mode=False)
    (row,) = json.loads(result.stdout)["contradicting_endpoints"]
    assert row.startswith("liar: head, ")
