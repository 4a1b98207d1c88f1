"""`contract names` against a real EVM, and `members` without a file: the contract itself says who is behind the hashes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.cli.members import command
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BridgeError, FieldMismatch, Missing, SetMismatch, UnknownLog
from hybrid_bridge.units import SetId
from tests.evm.town import NAMES, Town

pytestmark = pytest.mark.evm


def publish(town: Town, names: Path, *more: object, entries: Path | None = None, log_id: str = "", **how: Any) -> Any:
    given = ("--log", log_id or town.log_id.hex(), "--entries", entries or town.entries, "--names", names)
    arguments = ("names", *given, *town.sending, *more)
    return town.terminal.run(*arguments, **how) if how else town.terminal.json(*arguments)


def members_of(town: Town, *named: str) -> Path:
    """The consortium's public directory, or these alone."""
    document = json.loads((town.folder / "public" / "members.json").read_text())
    if named:
        document["members"] = [row for row in document["members"] if row["name"] in named]
    (out := town.new()).write_text(json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False))
    return out


def told(town: Town) -> list[tuple[str, str, str]]:
    """What an outsider without any file reads of the set in force."""
    town.settle()
    contract = "0x" + town.chain.contract.hex()
    given = ("--rpc", town.terminal.devnet.url, "--contract", contract, "--log", town.log_id.hex(), "--json")
    done = CliRunner().invoke(command, list(given))
    assert done.exit_code == 0, (done.output, done.exception)
    (in_force,) = [one for one in json.loads(done.output)["sets"] if one["state"] == "in force"]
    return sorted((keeper["name"], keeper["legal_id"], keeper["basis"]) for keeper in in_force["keepers"])


def row(name: str) -> tuple[str, str, str]:
    return (name, f"LEI:{name.upper()}", "self-stated")


UNNAMED = ("", "", "not opened")


def test_names_that_were_published_need_no_file(town: Town) -> None:
    town.anchor(3)
    assert told(town) == [UNNAMED] * 4
    shown = publish(town, members_of(town), "--dry-run")
    assert (shown["dry_run"], shown["transaction"]) == (True, None)
    assert told(town) == [UNNAMED] * 4
    assert publish(town, members_of(town))["done_before"] is False
    assert told(town) == [row(name) for name in NAMES]
    assert publish(town, members_of(town))["done_before"] is True


def test_what_stands_already_is_not_paid_for_again(town: Town) -> None:
    town.anchor(3)
    one = publish(town, members_of(town, NAMES[0]), answer="")
    assert "the names of 1 of 4 validators" in one.output
    assert told(town) == [UNNAMED] * 3 + [row(NAMES[0])]
    rest = publish(town, members_of(town), answer="")
    assert "the names of 3 of 4 validators" in rest.output
    assert told(town) == [row(name) for name in NAMES]


def test_whoever_publishes_is_shown_the_names_first_and_asked(town: Town) -> None:
    given = ("--log", town.log_id.hex(), "--entries", town.entries, "--names", members_of(town))
    refused = town.terminal.run("names", *given, *town.terminal.paying, answer="n\n", refused=SystemExit)
    assert "for everybody and for good" in refused.output
    assert all(f"{name} (LEI:{name.upper()})" in refused.output for name in NAMES)
    town.anchor(3)
    assert told(town) == [UNNAMED] * 4


def test_the_set_that_waits_may_be_named_and_a_name_stays_with_its_hash(town: Town) -> None:
    town.anchor(3)
    second = town.rotate(8)
    (entries := town.new()).write_bytes(second.encode_entries())
    publish(town, members_of(town, *NAMES[1:]), entries=entries)
    town.anchor(5)
    assert told(town) == [UNNAMED] + [row(name) for name in NAMES[1:]]


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("another log", UnknownLog),
        ("a stranger's set", SetMismatch),
        ("nobody of it", Missing),
        ("another name for a key", FieldMismatch),
    ],
)
def test_what_names_nobody_is_refused_before_anything_is_paid(town: Town, case: str, error: type[BridgeError]) -> None:
    entries, names, log_id = town.entries, members_of(town), ""
    if case == "another log":
        log_id = "11" * 32
    if case == "a stranger's set":
        changed = replace(town.validators.entries[0], certificate_hash=bytes(32))
        stranger = ValidatorSet(SetId(1), (changed, *town.validators.entries[1:]))
        (entries := town.new()).write_bytes(stranger.encode_entries())
    if case == "nobody of it":
        names = members_of(town, "nobody")
    if case == "another name for a key":
        names.write_text(names.read_text().replace("LEI:A", "LEI:Z"))
    publish(town, names, entries=entries, log_id=log_id, refused=error)
    town.anchor(3)
    assert told(town) == [UNNAMED] * 4
