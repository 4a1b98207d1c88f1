"""Every command of the guide to restoring a validator runs as written; what it shows is what comes out."""

import re
import shutil
import sys
from io import StringIO
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.cli.main import run
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.errors import Unreachable
from hybrid_bridge.node import restoring
from hybrid_bridge.node.directory import read_directory
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.restoring import Told
from tests.unit.hybrid_bridge.node.members import START, plan, randomness

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "restore-a-validator.md").read_text()
BLOCKS = re.findall(r"```console\n\$ (.*?)\n```\n\n```text\n(.*?)```", GUIDE, re.DOTALL)
HEX = re.compile(r"0x[0-9a-f]{40,64}")


def row(size):
    return Statement(size, sha256(b"root %d" % size), sha256(b"digest %d" % size))


@pytest.fixture
def restored(tmp_path, monkeypatch):
    """bank-a's folder, its guard of yesterday; the others know more, and one of them is away."""
    lay(found(plan(), randomness(), START), tmp_path / "out")
    folder = tmp_path / "out" / "nodes" / "bank-a"
    directory = read_directory(folder)
    address, guard = directory.member("bank-a").address, SqlGuard(folder / "guard.db")
    guard.open(directory.log_id, address)
    pause = PowerStatement(1, bytes(20), "pause", 2, ZERO)
    guard.absorb(address, History(Highest(1, directory.log_id), (row(4), row(9)), (pause,)))
    guard.close()
    why = Unreachable(endpoint="supplier", call="Signatures")
    told = Told(History(Highest(20, row(20).root), (row(21),)), ("core", "bank-b"), {"supplier": str(why)})
    monkeypatch.setattr(restoring.Network, "told", lambda *_: told)
    monkeypatch.chdir(tmp_path / "out")
    return folder


def typed(line, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", line.split())
    monkeypatch.setattr(sys, "stdin", StringIO("y\n"))
    with pytest.raises(SystemExit) as end:
        run()
    said = capsys.readouterr()
    assert end.value.code == 0, said.err
    return HEX.sub("0x…", said.err + said.out)


def test_the_guides_commands_show_what_it_says(restored, monkeypatch, capsys):
    before = restored.parent / "guard.db"
    shutil.copy(restored / "guard.db", before)
    assert len(BLOCKS) == 4
    for line, shown in BLOCKS:
        said = typed(line, monkeypatch, capsys)
        assert said.startswith(shown.replace(" y\n", " ")), said
        shutil.copy(before, restored / "guard.db")  # each section begins with the backup


def test_a_guard_moves_and_a_lost_one_is_made(restored, monkeypatch, capsys):
    typed("hybrid-bridge guard export --dir nodes/bank-a --out guard.json", monkeypatch, capsys)
    lines = re.findall(r"^hybrid-bridge guard .*$", GUIDE, re.MULTILINE)  # `member` is run in tests/e2e, with engines
    assert len(lines) == 3
    for line in lines:
        if "--new" in line:
            (restored / "guard.db").unlink()
        typed(line, monkeypatch, capsys)


def test_every_option_that_the_guide_names_exists(monkeypatch, capsys):
    helps = "".join(
        typed(f"hybrid-bridge guard {command} --help", monkeypatch, capsys)
        for command in ("status", "export", "import", "check")
    )
    assert {option for option in re.findall(r"--[a-z][a-z-]+", GUIDE) if option not in helps} == set()
