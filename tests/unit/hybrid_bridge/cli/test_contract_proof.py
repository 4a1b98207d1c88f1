"""`hybrid-bridge contract proof`: a bundle's facts under the names that a contract gives them. Asks no chain."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.facts import proof_arguments
from hybrid_bridge.cli.contract import command
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.errors import FieldMismatch, Malformed, Missing, Refuted
from tests.bundles import consortium, edit, flip


def asked(folder: Path, bundle: Bundle | bytes, *options: object, refused: type[Exception] | None = None) -> Any:
    file = folder / "bundle.hb.json"
    file.write_bytes(bundle if isinstance(bundle, bytes) else bundle.encode())
    result = CliRunner().invoke(command, ["proof", str(file), *map(str, options)])
    if refused is not None:
        assert isinstance(result.exception, refused), (result.output, result.exception)
        return result.exception
    assert result.exit_code == 0, result.exception
    return json.loads(result.output)


def test_it_tells_every_fact_under_the_bundles_own_checkpoint(tmp_path: Path) -> None:
    bundle = consortium().financing()
    told = asked(tmp_path, bundle)
    assert told == proof_arguments(bundle, [])
    assert told["checkpoint"]["path"] == []
    assert {fact["recordType"] for fact in told["facts"]} == {0x0101, 0x0102, 0x0105, 0x010A}
    assert {fact["fields"]["_schema"]["json"] for fact in told["facts"] if fact["fields"]} >= {'"fin.finance/1"'}
    assert {"terminal", "commitment"} <= {name for label in told["labels"] for name in label}


def test_a_head_further_on_is_reached_by_the_bundle_itself_or_by_another_history(tmp_path: Path) -> None:
    log = consortium()
    path = ["0x" + digest.hex() for digest in log.log.consistency_path(4, 6)]
    assert asked(tmp_path, log.history(), "--head", 6)["checkpoint"]["path"] == path
    (tmp_path / "history.hb.json").write_bytes(log.history().encode())
    elsewhere = "--history", tmp_path / "history.hb.json"
    assert asked(tmp_path, log.receivable(), "--head", 6, *elsewhere)["checkpoint"]["path"] == path
    assert asked(tmp_path, log.receivable(), "--head", 4, *elsewhere)["checkpoint"]["path"] == []
    assert "from size 4 to 6" in asked(tmp_path, log.receivable(), "--head", 6, refused=Missing).what
    assert "from size 4 to 5" in asked(tmp_path, log.receivable(), "--head", 5, *elsewhere, refused=Missing).what


def test_a_head_before_the_checkpoint_waits_for_an_anchor(tmp_path: Path) -> None:
    assert "the head is 3" in asked(tmp_path, consortium().receivable(), "--head", 3, refused=Missing).what


def test_the_path_of_another_log_is_no_path(tmp_path: Path) -> None:
    other = consortium("other.example/receivables")
    (tmp_path / "history.hb.json").write_bytes(other.history().encode())
    asked(
        tmp_path,
        consortium().receivable(),
        "--head",
        6,
        "--history",
        tmp_path / "history.hb.json",
        refused=FieldMismatch,
    )


@pytest.mark.parametrize("spoilt", [b"{}", b"", b"[1]"])
def test_what_is_no_bundle_has_no_arguments(tmp_path: Path, spoilt: bytes) -> None:
    asked(tmp_path, spoilt, refused=Malformed)


def test_a_bundle_that_contradicts_itself_costs_nobody_gas(tmp_path: Path) -> None:
    broken = edit(consortium().receivable(), "epochs.0.entries.0.entry", lambda entry: flip(entry, 40))
    asked(tmp_path, broken, refused=Refuted)
