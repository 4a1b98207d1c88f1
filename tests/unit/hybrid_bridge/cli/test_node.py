"""`hybrid-bridge node sync` and `node engine`: what is ordered, and what an engine forgets before it begins anew."""

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from hybrid_bridge.adapters.sqlite import records
from hybrid_bridge.cli.main import main
from hybrid_bridge.errors import SchemaNewer
from hybrid_bridge.node import trusting
from hybrid_bridge.node.syncing import Mark, write_mark
from hybrid_bridge.node.trusting import TrustedBlock
from tests.unit.hybrid_bridge.node.test_engine import laid_with_engines  # noqa: F401 a fixture


@pytest.fixture
def folder(laid_with_engines: Path) -> Iterator[Path]:  # noqa: F811
    """A short path: that of a socket has 107 bytes at most."""
    made = Path(tempfile.mkdtemp(prefix="hb"))
    shutil.copytree(laid_with_engines / "nodes" / "bank-b", made / "bank-b")
    yield made / "bank-b"
    shutil.rmtree(made)


def test_sync_tells_what_is_believed_and_who_told_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trusting, "trusted_block", lambda *_: TrustedBlock(12, bytes(32), 5, "core"))
    order = ["node", "sync", "--dir", str(folder), "--rpc", "127.0.0.1:1", "--rpc", "127.0.0.1:2"]
    done = CliRunner().invoke(main, order)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        f"believes block 12 ({'00' * 32}), under the checkpoint of size 5",
        "told by core, signed by a quorum; start node and engine now",
    ]


@pytest.mark.parametrize(("mark", "is_forgotten"), [(Mark(), True), (Mark(7), False), (None, False)])
def test_an_engine_forgets_its_blocks_as_long_as_the_nodes_ledger_does_not_stand(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mark: Mark | None, *, is_forgotten: bool
) -> None:
    blocks = folder / "engine" / "data" / "blockstore.db"
    blocks.mkdir()
    if mark is not None:
        write_mark(folder, mark)
    became: list[str] = []
    monkeypatch.setattr(os, "execv", lambda program, _: became.append(program))
    monkeypatch.setattr(shutil, "which", lambda _: "cometbft")
    with socket.socket(socket.AF_UNIX) as node:
        node.bind(str(folder / "engine" / "app.sock"))
        node.listen()
        done = CliRunner().invoke(main, ["node", "engine", "--dir", str(folder)])
    assert (done.exit_code, became) == (0, ["cometbft"]), done.output
    assert blocks.exists() != is_forgotten
    assert (folder / "engine" / "data" / "priv_validator_state.json").exists()


# ── stores of another release ────────────────────────────────────────────────────────────────────────────────────────


def test_migrate_moves_both_stores_once_and_a_newer_one_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ["node", "migrate", "--dir", str(folder)]
    done = CliRunner().invoke(main, order)
    assert (done.exit_code, done.output) == (0, "ledger: schema 3\nrecords: schema 4\n")
    with monkeypatch.context() as patch:
        patch.setattr(records, "SCHEMA", "5")
        patch.setattr(
            records, "STEPS", {4: lambda connection: connection.execute(text("CREATE TABLE added (name TEXT)"))}
        )
        done = CliRunner().invoke(main, order)
        assert (done.exit_code, done.output) == (0, "ledger: schema 3\nrecords: schema 5, was 4\n")
        done = CliRunner().invoke(main, [*order, "--json"])
        assert json.loads(done.output)["records"] == {"before": 5, "after": 5}
    with pytest.raises(SchemaNewer):
        CliRunner().invoke(main, order, catch_exceptions=False, standalone_mode=False)
