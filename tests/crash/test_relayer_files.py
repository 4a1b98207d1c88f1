"""What disks do to a journal in a file: a full one, flipped bytes, a torn write-ahead log, yesterday's copy (case 29)."""

import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_bridge.errors import StoreBroken
from relayers import sqlite_store
from relayers.desk import Desk
from relayers.fsck import Finding, fsck
from relayers.journal import JournalDump
from relayers.sql_journal import SqlJournal, SqlJournalReader
from tests.crash.relay_world import DEPTH, Operator, World, run


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """One epoch is anchored and final; the process has ended."""
    operator = Operator(World(), tmp_path / "journal.db")
    operator.world.consortium.close_epoch()
    run([operator], DEPTH + 5)
    operator.close()
    yield operator
    operator.close()


def dump(operator: Operator) -> JournalDump:
    reader = SqlJournalReader(operator.path, operator.scope)
    try:
        return reader.dump()
    finally:
        reader.close()


def judged(operator: Operator) -> list[Finding]:
    return fsck(dump(operator), operator.world.log, operator.endpoint)


# ── a full disk ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_ends_the_tick_and_nothing_that_was_not_written_is_sent(operator: Operator) -> None:
    before = dump(operator)
    operator.relayer()
    assert operator.journal is not None
    with operator.journal._store.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreBroken, match="room on its disk"):
        fill_up(operator)
    operator.close()
    after = dump(operator)
    assert after.audit == ()
    assert set(operator.world.network.received) <= {attempt.raw for attempt in after.attempts}
    assert after.attempts[: len(before.attempts)] == before.attempts
    run([operator], DEPTH + 7)  # there is room again: the ordinary tick goes on
    assert operator.world.network.events()[-1].tree_size == operator.world.consortium.size
    assert operator.fsck() == []


CAPPED = """
import resource, sys
from pathlib import Path
from relayers import sqlite_store

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
print(sqlite_store.schema_of(Path(sys.argv[1])))
sqlite_store.SqliteStore(Path(sys.argv[1]), read_only=sys.argv[3] == "read").close()
"""


@pytest.mark.parametrize("way", ["read", "write"])
def test_a_start_and_a_look_on_a_full_disk_ask_for_room_and_not_for_an_old_copy(operator: Operator, way: str) -> None:
    """SQLite says "disk I/O error" there: its shared memory has no room."""

    def look(room: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", CAPPED, str(operator.path), str(room), way]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    refused = look(1 << 12)
    assert "rule='room on its disk; make some and start again: nothing is lost'" in refused.stderr
    assert look(resource.RLIM_INFINITY).returncode == 0
    assert judged(operator) == []


def test_a_folder_that_nobody_can_write_to_is_no_damage(operator: Operator) -> None:
    (operator.path.parent / "journal.db-wal").mkdir()
    for read_only in (True, False):
        with pytest.raises(StoreBroken, match="a folder that this user can write to"):
            sqlite_store.SqliteStore(operator.path, read_only=read_only)
    with pytest.raises(StoreBroken, match="a folder that this user can write to"):
        sqlite_store.schema_of(operator.path)


@pytest.mark.parametrize(("name", "rule"), [("SQLITE_IOERR_READ", "a disk that works"), ("SQLITE_CORRUPT", None)])
def test_only_what_lies_around_a_file_is_no_damage_of_it(name: str, rule: str | None) -> None:
    error = sqlite3.OperationalError("words")
    error.sqlite_errorname = name
    told = sqlite_store.around(error)
    assert told is None if rule is None else told is not None and told.startswith(rule)
    assert sqlite_store.around(sqlite3.ProgrammingError("of Python's own")) is None


def fill_up(operator: Operator) -> None:
    for _ in range(30):
        operator.world.consortium.close_epoch()
        run([operator], 3)


def test_a_copy_for_which_there_is_no_room_leaves_nothing(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = sqlite3.OperationalError("database or disk is full")

    def full(*_: object) -> None:
        raise error

    with Desk(operator.path, operator.scope) as desk:
        with monkeypatch.context() as patched:
            patched.setattr("relayers.sqlite_store._copy", full)
            with pytest.raises(StoreBroken, match="disk is full"):
                desk.backup(tmp_path / "copy.db")
        assert not list(tmp_path.glob("copy.db*"))
        assert desk.backup(tmp_path / "copy.db") > 0


# ── bytes that turned ────────────────────────────────────────────────────────────────────────────────────────────────


def flip(path: Path, needle: bytes) -> None:
    """The middle byte of every copy of these bytes in the file."""
    data = bytearray(path.read_bytes())
    found = data.find(needle)
    assert found >= 0
    while found >= 0:
        data[found + len(needle) // 2] ^= 1
        found = data.find(needle, found + 1)
    path.write_bytes(data)


DECIDING: dict[str, Callable[[JournalDump], bytes]] = {
    "an attempt's bytes": lambda held: held.attempts[0].raw,
    "a checkpoint's root": lambda held: held.checkpoints[0].root,
    "a signature": lambda held: held.attestations[0].signature,
    "a final header": lambda held: held.headers[-1].hash,
    "an event": lambda _: b'"kind":"attempt"',
    "a state": lambda _: b"FINALIZED",
}


@pytest.mark.parametrize("what", DECIDING)
def test_a_flipped_byte_in_what_decides_is_found(operator: Operator, what: str) -> None:
    assert judged(operator) == []
    flip(operator.path, DECIDING[what](dump(operator)))
    try:
        findings = judged(operator)
    except StoreBroken:
        return
    assert findings


def test_a_flipped_byte_anywhere_is_refused_found_or_without_effect_and_never_another_kind_of_error(
    operator: Operator,
) -> None:
    data = operator.path.read_bytes()
    kinds = set()
    for at in range(0, len(data), len(data) // 60):
        operator.path.write_bytes(data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :])
        try:
            with SqlJournal(operator.path, operator.scope, "test", operator.world.now()) as journal:
                journal.view(operator.world.now())
                journal.dump()
                kinds.add("opened")
        except StoreBroken:
            kinds.add("refused")
        for end in ("-wal", "-shm"):
            operator.path.with_name(operator.path.name + end).unlink(missing_ok=True)
    assert kinds == {"opened", "refused"}


# ── commits that are gone ────────────────────────────────────────────────────────────────────────────────────────────


def test_yesterdays_copy_is_found_by_the_chain_and_by_a_head_that_was_kept(operator: Operator, tmp_path: Path) -> None:
    shutil.copy(operator.path, tmp_path / "yesterday.db")
    operator.world.consortium.close_epoch()
    run([operator], DEPTH + 5)
    operator.close()
    with Desk(operator.path, operator.scope) as desk:
        head = desk.audit()[0].head
    shutil.copy(tmp_path / "yesterday.db", operator.path)
    with Desk(operator.path, operator.scope) as desk:
        assert desk.audit()[1] == ()  # whole, but old
        assert desk.event_hash(head.seq) is None
    assert "used by a transaction this journal does not know" in {finding.detail for finding in judged(operator)}


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone"])
def test_a_torn_write_ahead_log_loses_whole_commits_and_the_loss_is_found(operator: Operator, harm: str) -> None:
    """What SQLite does then is to stop before the frame that is wrong: older, never half."""
    operator.relayer()
    operator.world.consortium.close_epoch()
    run([operator], DEPTH + 5)
    log = operator.path.with_name(operator.path.name + "-wal")
    data, file = log.read_bytes(), operator.path.read_bytes()  # as a power cut would leave them
    operator.close()
    operator.path.write_bytes(file)
    if harm != "gone":
        log.write_bytes(data[: len(data) // 2] if harm == "cut" else data[:100] + bytes([data[100] ^ 1]) + data[101:])
    operator.path.with_name(operator.path.name + "-shm").unlink(missing_ok=True)
    held = dump(operator)
    assert held.audit == ()
    assert "used by a transaction this journal does not know" in {f.detail for f in judged(operator)} or any(
        slot.closed_hash is None for slot in held.slots
    )


def test_a_word_that_no_enumeration_has_is_broken(operator: Operator) -> None:
    flip(operator.path, b"FINALIZED")
    with pytest.raises(StoreBroken):
        dump(operator)
