"""`contract draft`, `sign`, `pause`, `resume`, `retire`, `report`: from the validators' folders to the public chain.

The validators' nodes are folders on disk that do not run; the log's leaves are hashes, since the contract sees no more.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.calls import Rotation, rotate_calldata
from hybrid_bridge.adapters.evm.transact import Patience, transact
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.attestation import seals, set_update_digest
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.power import decode_draft, decode_signed
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import (
    BelowQuorum,
    FieldMalformed,
    FieldMismatch,
    GuardRefused,
    LogFrozen,
    LogPaused,
    LogRetired,
    Missing,
    NoConflict,
    NotCanonical,
    NotGuardian,
    NotPaused,
    PauseOutOfRange,
    PauseTooSoon,
    PowerStale,
    RotationOutOfRange,
    RotationPending,
    SetMismatch,
    SettingsMalformed,
    SignerUnknown,
    StoreInUse,
    SuccessorMismatch,
    UnknownLog,
    WrongChain,
)
from hybrid_bridge.units import PublicBlockNumber, SetId, TreeSize
from relayers.appointing import appointment
from relayers.journal import Scope
from relayers.log import Log, SetPeriod
from relayers.set_files import signed_updates
from relayers.views import LogClock
from tests.evm.terminal import Terminal
from tests.evm.town import REASON, Town, founded
from tests.unit.relayers import builders

pytestmark = pytest.mark.evm

DAY = 86_400


# ── the brake, by a quorum ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_quorum_pauses_and_resumes_and_anybody_sends_it(town: Town) -> None:
    town.anchor(3)
    draft = town.draft("pause", "--for", 3600)
    files = town.signed(draft)
    shown = town.send("pause", files, "--dry-run")
    assert (shown["dry_run"], shown["head"]["state"], int(shown["max_cost_wei"]) > 0) == (True, "active", True)
    done = town.send("pause", files)
    assert done["head"]["paused_until"] == decode_draft(draft.read_bytes()).statement.until
    with pytest.raises(LogPaused):
        town.anchor(4)
    town.send("resume", town.signed(town.draft("resume")))
    assert town.head.state == "active"
    town.anchor(4)


def test_what_was_done_is_done_once(town: Town) -> None:
    files = town.signed(town.draft("pause", "--for", 3600))
    assert [town.send("pause", files)["done_before"] for _ in range(2)] == [False, True]
    files = town.signed(town.draft("resume"))
    assert [town.send("resume", files)["done_before"] for _ in range(2)] == [False, True]
    assert "done before" in town.send("resume", files, answer="").output


def test_a_resume_from_a_drawer_lifts_no_later_pause(town: Town) -> None:
    town.paused()
    old = town.signed(town.draft("resume"))
    town.send("resume", old)
    town.paused()
    caught = town.send("resume", old, refused=PowerStale).exception
    assert (caught.expected, caught.got) == (3, 1)
    assert town.head.state == "paused"


def test_fewer_than_a_quorum_stop_nothing(town: Town) -> None:
    draft = town.draft("pause", "--for", 3600)
    files = town.signed(draft, "ab")
    town.send("pause", [*files, files[0]], refused=BelowQuorum)
    assert town.head.state == "active"


def test_files_of_two_statements_are_not_counted_together(town: Town) -> None:
    one, other = town.draft("pause", "--for", 3600), town.draft("pause", "--for", 3601)
    town.send("pause", [*town.signed(one, "ab"), town.sign(other, "c")], refused=FieldMismatch)


def test_a_file_altered_after_signing_is_by_nobody_we_know(town: Town) -> None:
    files = town.signed(town.draft("pause", "--for", 3600))
    altered = []
    for file in files:
        signed = decode_signed(file.read_bytes())
        (out := town.new()).write_bytes(
            replace(signed, statement=replace(signed.statement, until=signed.statement.until + 1)).encode()
        )
        altered.append(out)
    town.send("pause", altered, refused=SignerUnknown)


def test_a_pause_longer_than_the_genesis_record_allows_is_not_drafted(town: Town) -> None:
    asked = ("draft", "pause", *town.asking, "--reason", REASON, "--for", DAY + 1, "--out", town.new())
    caught = town.terminal.run(*asked, refused=PauseOutOfRange).exception
    assert caught.high - caught.low == DAY - 1


def test_without_a_pause_there_is_nothing_to_resume(town: Town) -> None:
    asked = ("draft", "resume", *town.asking, "--reason", REASON, "--out", town.new())
    town.terminal.run(*asked, refused=NotPaused)


def test_a_file_of_another_kind_is_refused(town: Town) -> None:
    files = town.signed(town.draft("pause", "--for", 3600))
    town.send("resume", files, refused=FieldMismatch)
    town.send("resume", [town.entries], refused=FieldMalformed)


def test_once_the_boundary_of_a_handover_is_past_the_new_set_counts(town: Town) -> None:
    """The set's members are the same here; only its number, and so every digest of it, is another."""
    after = ValidatorSet(SetId(2), town.validators.entries)
    digest = set_update_digest(31337, town.chain.contract, town.log_id, SetId(2), after.digest, TreeSize(5))
    signers, packed = seals(town.validators, town.signatures(digest))
    rotation = Rotation(
        log_id=town.log_id,
        effective_from_size=TreeSize(5),
        set_hash=town.validators.digest,
        signers=signers,
        seals=packed,
        entries=after.encode_entries(),
        newcomers=b"",
    )
    transact(town.chain, town.gas_key, town.chain.contract, rotate_calldata(rotation), Patience(3, 0.0, lambda _: None))
    assert (town.head.set_id, town.head.next_from_size) == (1, 5)
    town.paused()


def test_a_set_update_is_drafted_signed_and_what_a_relayer_makes_of_it_the_contract_takes(
    town: Town, tmp_path: Path
) -> None:
    town.anchor(3)
    new = ValidatorSet(SetId(2), town.validators.entries[1:])
    (tmp_path / "set-2.bin").write_bytes(new.encode_entries())
    what = ("set", *town.asking, "--entries", tmp_path / "set-2.bin", "--from-size")
    late = town.terminal.run("draft", *what, 3, "--out", town.new(), refused=RotationOutOfRange).exception
    assert (late.from_size, late.low) == (3, 4)
    town.terminal.run("draft", *what, 9, "--out", (draft := town.new()))
    files = town.signed(draft)
    statement = decode_draft(draft.read_bytes()).statement
    assert (statement.type, statement.number, statement.set_hash) == ("set", 2, new.digest)
    shown = town.terminal.run("sign", draft, "--dir", town.folder / "nodes" / "d", "--out", town.new(), "--yes")
    assert "SET 2" in shown.output
    assert "from size 9 on" in shown.output
    town.send("pause", files, refused=FieldMismatch)

    (folder := tmp_path / "rotations").mkdir()
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    clock = LogClock(genesis_time=town.genesis.genesis_time, cadence=town.genesis.cadence, grace=town.genesis.grace)
    log = Log(town.log_id, clock, (SetPeriod(TreeSize(1), town.validators), SetPeriod(TreeSize(9), new)))
    chain, at = town.chain, town.chain.latest()
    where = {"chain_id": chain.chain_id(), "contract": chain.contract, "log_id": town.log_id}
    scope = Scope(genesis_hash=chain.block(PublicBlockNumber(0)).hash, signer=town.gas_key.address(), **where)
    update = appointment(log, scope, builders.chain(pinned=at, head=town.head), signed_updates(folder))
    assert update is not None
    transact(chain, town.gas_key, chain.contract, rotate_calldata(update.call), Patience(3, 0.0, lambda _: None))
    assert (town.head.set_id, town.head.next_from_size) == (1, 9)
    town.terminal.run("draft", *what, 9, "--out", town.new(), refused=RotationPending)


def test_entries_of_other_members_are_no_set(town: Town, tmp_path: Path) -> None:
    files = town.signed(town.draft("pause", "--for", 3600))
    spoilt = bytearray(town.entries.read_bytes())
    spoilt[-1] ^= 1  # of the last member's key binding: the same addresses, another set
    (other := tmp_path / "entries.bin").write_bytes(spoilt)
    town.terminal.run("pause", *files, "--entries", other, *town.sending, refused=SetMismatch)


def test_a_log_that_is_not_registered_has_no_brake(town: Town) -> None:
    asked = ("draft", "pause", "--rpc", town.terminal.devnet.url, "--log", "11" * 32, "--reason", REASON)
    town.terminal.run(*asked, "--for", 5, "--out", town.new(), refused=UnknownLog)


def test_a_statement_for_another_chain_is_not_sent_here(town: Town) -> None:
    draft = town.draft("pause", "--for", 3600)
    statement = decode_draft(draft.read_bytes())
    (other := town.new()).write_bytes(replace(statement, statement=replace(statement.statement, chain_id=1)).encode())
    town.send("pause", town.signed(other), refused=WrongChain)


# ── the brake, by the guardian ───────────────────────────────────────────────────────────────────────────────────────


def alone(town: Town, seconds: int, **how: Any) -> Any:
    asked = ("pause-alone", "--log", town.log_id.hex(), "--reason", REASON, "--for", seconds, *town.sending)
    return town.terminal.run(*asked, **how) if how else town.terminal.json(*asked)


def test_the_guardian_pauses_alone_but_not_for_ever(town: Town) -> None:
    assert alone(town, 3600)["head"]["state"] == "paused"
    alone(town, 7200, refused=PauseTooSoon)
    alone(town, DAY + 1, refused=PauseOutOfRange)


def test_nobody_else_pauses_alone(terminal: Terminal, tmp_path: Path) -> None:
    town = Town(terminal, tmp_path / "town", founded(bytes(20), "no-guardian"))
    alone(town, 3600, refused=NotGuardian)
    assert town.head.state == "active"


# ── signing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def signing(town: Town, draft: Path, name: str = "a", **how: Any) -> Any:
    return town.terminal.run("sign", draft, "--dir", town.folder / "nodes" / name, "--out", town.new(), **how)


def test_what_is_signed_is_shown_first_and_without_a_yes_it_is_not_signed(town: Town) -> None:
    draft = town.draft("pause", "--for", 3600)
    result = signing(town, draft, answer="n\n", refused=SystemExit)
    assert result.exit_code == 1
    for words in ("PAUSE until 2027-01-15 09:", town.log_id.hex(), "on chain 31337", REASON, "EIP-712 digest"):
        assert words in result.output
    assert not (town.folder / f"made-{town.made}.json").exists()


def test_the_same_draft_signed_twice_is_the_same_file(town: Town) -> None:
    draft = town.draft("pause", "--for", 3600)
    assert town.sign(draft, "a").read_bytes() == town.sign(draft, "a").read_bytes()


def test_a_key_signs_one_statement_under_one_number(town: Town) -> None:
    one, other = town.draft("pause", "--for", 3600), town.draft("pause", "--for", 60)
    town.sign(one, "a")
    caught = signing(town, other, refused=GuardRefused, answer="y\n").exception
    assert (caught.rule, caught.size) == ("double_power", 0)
    town.sign(other, "b")


def test_while_the_node_runs_its_key_signs_nothing_here(town: Town) -> None:
    guard = SqlGuard(town.folder / "nodes" / "a" / "guard.db")
    guard.open(town.log_id, decode_signed(town.sign(town.draft("pause", "--for", 60), "a").read_bytes()).signer)
    try:
        caught = signing(town, town.draft("pause", "--for", 60), refused=StoreInUse, answer="y\n").exception
    finally:
        guard.close()
    assert caught.store == "guard"


def test_a_draft_about_another_log_is_refused(town: Town, terminal: Terminal, tmp_path: Path) -> None:
    other = Town(terminal, tmp_path / "other", founded(terminal.address, "other-log"))
    signing(town, other.draft("pause", "--for", 60), refused=FieldMismatch)


def test_a_file_that_is_there_is_never_written_over(town: Town) -> None:
    draft = town.draft("pause", "--for", 3600)
    before = draft.read_bytes()
    asked = ("draft", "pause", *town.asking, "--reason", REASON, "--for", 60, "--out", draft)
    town.terminal.run(*asked, refused=SettingsMalformed)
    assert draft.read_bytes() == before


# ── retirement ───────────────────────────────────────────────────────────────────────────────────────────────────────


def after(town: Town, **changed: Any) -> Path:
    """The genesis record of a log that goes on."""
    head = town.head
    words = {"predecessor": town.log_id, "predecessor_size": head.tree_size, "predecessor_root": head.root}
    (out := town.new()).write_bytes(replace(town.genesis, **words | changed).encode())
    return out


def test_a_log_retires_in_favour_of_its_successor(town: Town) -> None:
    town.anchor(7)
    record = after(town)
    files = town.signed(town.draft("retire", "--successor", record))
    town.send("retire", files, "--successor", record, refused=UnknownLog)  # not registered yet
    town.register(record)
    assert [town.send("retire", files, "--successor", record)["done_before"] for _ in range(2)] == [False, True]
    shown = town.terminal.json("status", *town.asking)
    assert (shown["heads"]["latest"]["state"], shown["successor"]) == (
        "retired",
        "0x" + leaf_hash(record.read_bytes()).hex(),
    )
    assert "successor 0x" in town.terminal.run("status", *town.asking).output
    with pytest.raises(LogRetired):
        town.anchor(8)


@pytest.mark.parametrize("word", ["predecessor", "predecessor_root"])
def test_what_does_not_continue_the_head_is_no_successor(town: Town, word: str) -> None:
    town.anchor(7)
    asked = ("draft", "retire", *town.asking, "--successor", after(town, **{word: sha256(b"other")}))
    town.terminal.run(*asked, "--out", town.new(), refused=SuccessorMismatch)


def test_a_retirement_signed_before_the_head_moved_is_stale(town: Town) -> None:
    town.anchor(7)
    record = after(town)
    files = town.signed(town.draft("retire", "--successor", record))
    town.anchor(8)
    town.send("retire", files, "--successor", record, refused=SuccessorMismatch)
    newer = after(town)
    town.send("retire", files, "--successor", newer, refused=FieldMismatch)


# ── reports ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quorum_that_signed_two_roots_ends_its_log(town: Town) -> None:
    town.anchor(7)
    honest, forged = town.note(9), town.note(9, b"forged")
    result = town.report("equivocation", honest, forged, answer="")
    assert "REPORT two roots at size 9" in result.output
    assert "FREEZES" in result.output
    assert town.head.state == "frozen"
    with pytest.raises(LogFrozen):
        town.anchor(8)
    files = town.signed(town.draft("pause", "--for", 60))
    town.send("pause", files, refused=LogFrozen)


def test_fewer_than_a_quorum_are_named_and_change_nothing(town: Town) -> None:
    town.anchor(7)
    result = town.report("equivocation", town.note(9), town.note(9, b"forged", count=2), answer="")
    assert "stays as it is" in result.output
    assert all(address.hex() in result.output for address in town.validators.addresses[:2])
    assert town.validators.addresses[2].hex() not in result.output
    assert town.head.state == "active"


def test_no_conflict_is_no_report(town: Town) -> None:
    town.anchor(7)
    town.report("equivocation", town.note(9), town.note(9), refused=NoConflict)
    town.report("equivocation", town.note(9), town.note(10, b"forged"), refused=NoConflict)
    signers_apart = town.note(9, count=2), town.note(9, b"forged", count=2, skip=2)
    town.report("equivocation", *signers_apart, refused=NoConflict)
    town.report("equivocation", town.entries, town.note(9), refused=NotCanonical)


@pytest.mark.parametrize("size", [6, 9])
def test_a_note_that_the_head_does_not_continue_ends_the_log_with_the_tiles_as_witness(town: Town, size: int) -> None:
    """Below the head the honest tiles contradict the note; beyond it, the tiles of the forged log contradict the head."""
    town.anchor(7)
    history = town.tiles(8) if size < 7 else town.tiles(9, b"forged")
    result = town.report("inconsistency", town.note(size, b"forged"), "--history", history, answer="")
    assert f"REPORT two roots at size {min(size, 7)}, one signed at size {size}" in result.output
    assert town.head.state == "frozen"


def test_a_note_that_fits_the_history_is_no_contradiction(town: Town) -> None:
    town.anchor(7)
    town.report("inconsistency", town.note(6), "--history", town.tiles(8), refused=NoConflict)
    town.report("inconsistency", town.note(9), "--history", town.tiles(9), refused=NoConflict)
    assert town.head.state == "active"


def test_a_history_that_is_not_whole_is_told(town: Town) -> None:
    town.anchor(7)
    forged, tiles = town.note(6, b"forged"), town.tiles(8)
    town.report("inconsistency", town.note(9, b"forged"), "--history", tiles, refused=Missing)
    tile = next(path for path in (tiles / "tile").rglob("*.p/8"))
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1])
    town.report("inconsistency", forged, "--history", tiles, refused=FieldMalformed)
    tile.unlink()
    town.report("inconsistency", forged, "--history", tiles, refused=Missing)


def test_a_note_that_no_member_signed_is_missing_its_lines(town: Town) -> None:
    town.anchor(7)
    other = Town(town.terminal, town.folder / "elsewhere", founded(bytes(20), "strangers"))
    town.report("inconsistency", other.note(6), "--history", town.tiles(8), refused=Missing)
