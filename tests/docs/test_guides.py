"""Every command of the guide to exports runs as written; what it shows is what comes out."""

import re
import sys
from pathlib import Path

import pytest

from hybrid_bridge.cli.main import run
from tests.bundles import consortium

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "exports.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```\n\n```text\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "receivable.hb.json").write_bytes(consortium().presentable().encode())
    (tmp_path / "trust.json").write_bytes(consortium().trust().encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_guides_commands_end_well_and_show_what_it_says(folder, monkeypatch, capsys):
    assert len(BLOCKS) == 3
    for commands, shown in BLOCKS:
        for line in commands.splitlines():
            monkeypatch.setattr(sys, "argv", line.removeprefix("$ ").split())
            with pytest.raises(SystemExit) as end:
                run()
            assert end.value.code == 0, line
            said = capsys.readouterr().out
        assert said.startswith(shown), line


def test_every_option_that_the_guide_names_exists(folder, monkeypatch, capsys):
    options = set(re.findall(r"--[a-z][a-z-]+", GUIDE)) - {"--no-receipts"}
    helps = ""
    for command in ("export", "verify", "member bundle", "consortium init"):
        monkeypatch.setattr(sys, "argv", ["hybrid-bridge", *command.split(), "--help"])
        with pytest.raises(SystemExit):
            run()
        helps += capsys.readouterr().out
    assert {option for option in options if option not in helps} == set()


STOPPING = ("brake on", "brake off", "brake status", "freeze order", "freeze lift", "freeze status")
CONSENTING = ("member authorise", "member submit", "member bundle")


@pytest.mark.parametrize(
    ("guide", "commands"),
    [
        ("brake.md", (*STOPPING, *CONSENTING)),
        ("members.md", ("members", "contract names")),
        ("explorer.md", ("explorer build", "explorer serve", "tiles serve")),
        ("report.md", ("report", "verify", "bundle zip")),
    ],
)
def test_every_option_that_a_guide_names_is_one_of_its_commands(guide, commands, monkeypatch, capsys):
    text = (Path(__file__).parents[2] / "docs" / "guides" / guide).read_text()
    helps = ""
    for command in commands:
        monkeypatch.setattr(sys, "argv", ["hybrid-bridge", *command.split(), "--help"])
        with pytest.raises(SystemExit):
            run()
        helps += capsys.readouterr().out
    assert {option for option in re.findall(r"--[a-z][a-z-]+", text) if option not in helps} == set()
