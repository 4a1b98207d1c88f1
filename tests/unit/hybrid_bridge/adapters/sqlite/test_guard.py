import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from hybrid_bridge.adapters.sqlite.guard import GuardView, SqlGuard
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.event_chain import Head
from hybrid_bridge.core.guard import Highest, History, PowerStatement, Statement
from hybrid_bridge.core.interchange import Interchange, KeyHistory, decode_interchange
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import Equivocation, GuardRefused, SchemaOlder, StoreBroken
from hybrid_bridge.ports import SigningPermit
from hybrid_bridge.units import Address, ChainId, Digest, EcdsaSignature, LogId, TreeSize

LOG, ADDRESS = LogId(b"\x11" * 32), Address(b"\x22" * 20)
SIGNATURE = EcdsaSignature(bytes(65))
TREE = Tree()
TREE.extend([Digest(LOG), *(sha256(bytes([i])) for i in range(15))])


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[SqlGuard]:
    made = SqlGuard(tmp_path / "guard.db")
    made.create(LOG, ADDRESS)
    made.open(LOG, ADDRESS)
    yield made
    made.close()


def permit(guard: SqlGuard, size: int, root: Digest | None = None) -> SigningPermit:
    root = TREE.root(TreeSize(size)) if root is None else root
    highest, _ = guard.highest()
    path = TREE.consistency_path(highest, TreeSize(size)) if highest < size else []
    return guard.permit(TreeSize(size), root, sha256(root), path)


def reopened(guard: SqlGuard) -> SqlGuard:
    """As after kill -9: nothing is flushed by us, the next process opens the file."""
    guard.close()
    guard.open(LOG, ADDRESS)
    return guard


def test_the_floor_of_a_new_guard_is_the_genesis_record(guard: SqlGuard) -> None:
    assert guard.highest() == (1, LOG)
    assert guard.floor() == 1


def test_growing_and_skipped_sizes_are_permitted(guard: SqlGuard) -> None:
    for size in (2, 3, 9, 16):
        assert permit(guard, size).size == size
    assert guard.highest() == (16, TREE.root(TreeSize(16)))


def test_a_statement_survives_a_crash_before_its_signature(guard: SqlGuard) -> None:
    asked = permit(guard, 5)
    guard = reopened(guard)
    assert guard.stored(TreeSize(5)) is None
    assert permit(guard, 5) == asked  # the same statement may be signed again
    with pytest.raises(GuardRefused) as refused:
        permit(guard, 5, ZERO)
    assert refused.value.rule == "double"


def test_a_signature_is_found_again_after_a_restart(guard: SqlGuard) -> None:
    guard.signed(permit(guard, 5), SIGNATURE)
    guard = reopened(guard)
    assert guard.stored(TreeSize(5)) == SIGNATURE
    guard.signed(permit(guard, 5), EcdsaSignature(b"\x01" * 65))
    assert guard.stored(TreeSize(5)) == SIGNATURE  # the first one stays


def test_a_signature_without_its_statement_is_not_kept(guard: SqlGuard) -> None:
    with pytest.raises(GuardRefused) as refused:
        guard.signed(SigningPermit(ZERO, TreeSize(4)), SIGNATURE)
    assert refused.value.rule == "scope"


@pytest.mark.parametrize(("size", "rule"), [(1, "below_floor"), (4, "below_floor"), (5, "double")])
def test_nothing_is_said_twice_or_downwards(guard: SqlGuard, size: int, rule: str) -> None:
    """Case 31."""
    permit(guard, 5)
    with pytest.raises(GuardRefused) as refused:
        guard.permit(TreeSize(size), ZERO, sha256(b"other"), [])
    assert refused.value.rule == rule


def test_a_history_that_does_not_extend_is_refused_and_leaves_no_row(guard: SqlGuard) -> None:
    permit(guard, 5)
    with pytest.raises(GuardRefused) as refused:
        guard.permit(TreeSize(8), ZERO, sha256(b"other"), TREE.consistency_path(TreeSize(5), TreeSize(8)))
    assert refused.value.rule == "not_an_extension"
    assert guard.highest()[0] == 5
    assert guard.said(TreeSize(8)) is None


def test_it_knows_which_root_it_has_said_of_which_size(guard: SqlGuard) -> None:
    permit(guard, 5)
    said = [guard.said(TreeSize(size)) for size in (1, 2, 5, 6)]
    assert said == [Digest(LOG), None, TREE.root(TreeSize(5)), None]


def test_a_set_update_is_signed_once_for_each_contract(guard: SqlGuard) -> None:
    contract, other = Address(b"\x01" * 20), Address(b"\x02" * 20)
    guard.permit_power(ChainId(1), contract, "set", 2, ZERO)
    guard.permit_power(ChainId(1), contract, "set", 2, ZERO)
    guard.permit_power(ChainId(1), other, "set", 2, sha256(b""))
    guard.permit_power(ChainId(2), contract, "set", 2, sha256(b""))
    guard.permit_power(ChainId(1), contract, "pause", 2, sha256(b""))
    with pytest.raises(GuardRefused) as refused:
        guard.permit_power(ChainId(1), contract, "set", 2, sha256(b""))
    assert refused.value.rule == "double_power"


def test_instead_of_a_set_that_was_replaced_the_one_in_its_place_is_signed(guard: SqlGuard) -> None:
    contract, digests = Address(b"\x01" * 20), [sha256(bytes([n])) for n in range(20)]

    def ask(digest: Digest, *void: Digest, kind: str = "set") -> str:
        try:
            guard.permit_power(ChainId(1), contract, kind, 2, digest, void=void)
        except GuardRefused as refused:
            return refused.rule
        return "signed"

    first, second, third = digests[:3]
    assert ask(first) == "signed"
    assert ask(second, third) == "double_power"  # the one that we have signed is not void
    assert [ask(second, first), ask(second, first), ask(second)] == ["signed"] * 3
    assert ask(first) == "double_power"  # what was replaced is not signed again
    assert ask(third, first) == "double_power"
    assert ask(first, second) == "signed"  # unless it is what stands now
    assert ask(third, second) == "double_power"
    assert [ask(one, *digests) for one in digests[3:]] == ["signed"] * 13 + ["double_power"] * 4
    assert [ask(first, second, kind="pause"), ask(second, first, kind="pause")] == ["signed", "double_power"]
    told = guard.history()
    assert len(told.power) == 17
    assert guard.verify()[1].history == told.in_order()
    assert decode_interchange(written := Interchange(LOG, (KeyHistory(ADDRESS, told.complete()),)).encode()).keys
    assert written.count(b'"kind":"set-16"') == 1


def test_the_guard_of_another_key_or_log_is_refused(guard: SqlGuard, tmp_path: Path) -> None:
    guard.close()
    for log, address in ((LogId(ZERO), ADDRESS), (LOG, Address(bytes(20)))):
        with pytest.raises(StoreBroken):
            SqlGuard(tmp_path / "guard.db").open(log, address)


# ── merging another store of the same key; the rules are cases of `vectors/guard` ────────────────────────────────────

POWER = PowerStatement(ChainId(1), Address(b"\x01" * 20), "set", 2, ZERO)


def known(floor: int, *sizes: int, power: tuple[PowerStatement, ...] = ()) -> History:
    roots = {size: TREE.root(TreeSize(size)) for size in (floor, *sizes)}
    rows = tuple(Statement(TreeSize(size), roots[size], sha256(roots[size])) for size in sizes)
    return History(Highest(TreeSize(floor), roots[floor]), rows, power)


def test_it_tells_all_that_it_knows(guard: SqlGuard) -> None:
    permit(guard, 9)
    permit(guard, 12)
    guard.permit_power(POWER.chain_id, POWER.contract, POWER.kind, POWER.number, POWER.digest)
    assert guard.history() == known(1, 9, 12, power=(POWER,))


def test_what_is_merged_is_there_after_a_restart_and_only_what_was_new_is_told(guard: SqlGuard) -> None:
    permit(guard, 5)
    assert guard.absorb(ADDRESS, known(3, 5, 9, power=(POWER,))) == known(3, 9, power=(POWER,))
    guard = reopened(guard)
    assert guard.history() == known(3, 5, 9, power=(POWER,))
    assert guard.absorb(ADDRESS, known(3, 5, 9, power=(POWER,))) == known(3)
    assert guard.history() == known(3, 5, 9, power=(POWER,))


def test_a_conflict_anywhere_takes_nothing(guard: SqlGuard) -> None:
    permit(guard, 5)
    guard.permit_power(POWER.chain_id, POWER.contract, POWER.kind, POWER.number, sha256(b"another"))
    before = guard.history()
    with pytest.raises(Equivocation):
        guard.absorb(ADDRESS, known(9, 12, power=(POWER,)))
    assert reopened(guard).history() == before


@pytest.mark.parametrize("size", [1, 8, 9])
def test_the_file_itself_lets_no_floor_fall(guard: SqlGuard, size: int) -> None:
    guard.absorb(ADDRESS, known(9))
    with pytest.raises(StoreBroken), guard._file.write() as connection:
        connection.exec_driver_sql(f"UPDATE guardfloor SET size = {size}")
    with pytest.raises(StoreBroken), guard._file.write() as connection:
        connection.exec_driver_sql("DELETE FROM guardfloor")
    assert guard.floor() == 9


def test_a_store_without_a_floor_is_broken(tmp_path: Path) -> None:
    made = SqlGuard(tmp_path / "guard.db")
    made.create(LOG, ADDRESS)
    with made._file.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER guardfloor_stays")
        connection.exec_driver_sql("DELETE FROM guardfloor")
    for ask in (made.history, made.highest):
        with pytest.raises(StoreBroken):
            ask()
    made.close()


def test_of_fifty_requests_at_once_for_one_size_exactly_one_digest_is_permitted(guard: SqlGuard) -> None:
    """Case 31."""
    root = TREE.root(TreeSize(4))
    path = TREE.consistency_path(TreeSize(1), TreeSize(4))
    together = Barrier(50)

    def ask(number: int) -> Digest | str:
        together.wait()
        try:
            return guard.permit(TreeSize(4), root, sha256(bytes([number])), path).digest
        except GuardRefused as error:
            return error.rule

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(ask, range(50)))
    (said,) = guard.history().signed
    assert sorted(answers, key=str) == sorted([said.digest, *["double"] * 49], key=str)


# ── the event chain ──────────────────────────────────────────────────────────────────────────────────────────────────


def busy(guard: SqlGuard) -> SqlGuard:
    """It has done all that a guard does."""
    guard.absorb(ADDRESS, known(3, 5, power=(POWER,)))
    guard.signed(permit(guard, 9), SIGNATURE)
    permit(guard, 9)
    for size, digest in ((9, ZERO), (4, ZERO), (12, ZERO)):
        with pytest.raises(GuardRefused):
            guard.permit(TreeSize(size), ZERO, digest, [])
    with pytest.raises(GuardRefused):
        guard.permit_power(POWER.chain_id, POWER.contract, POWER.kind, POWER.number, sha256(b"another"))
    with pytest.raises(GuardRefused):
        guard.signed(SigningPermit(ZERO, TreeSize(4)), SIGNATURE)
    permit(guard, 12)
    return guard


def test_every_row_and_every_refusal_is_an_event_and_a_repeat_is_none(guard: SqlGuard) -> None:
    assert guard.verify()[0].seq == 1
    head, told = busy(guard).verify()
    assert (head.seq, told.refusals) == (1 + 3 + 2 + 5, 5)
    assert told.history == guard.history() == known(3, 5, 9, 12, power=(POWER,))
    assert head == guard.head() == reopened(guard).head()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE guardevent SET body = CAST(replace(CAST(body AS TEXT), '5', '6') AS BLOB) WHERE seq = 3",
        "UPDATE guardevent SET previous = zeroblob(32) WHERE seq = 3",
        "UPDATE guardevent SET digest = zeroblob(32) WHERE seq = 3",
        "DELETE FROM guardevent WHERE seq = 3",
        "DELETE FROM guardevent WHERE seq = 1",
        "DELETE FROM guardevent",
        "DELETE FROM guardevent WHERE seq = (SELECT max(seq) FROM guardevent)",
        "DELETE FROM guardsigned WHERE size = 12",
        "UPDATE guardsigned SET digest = zeroblob(32) WHERE size = 9",
        "INSERT INTO guardsigned VALUES (10, zeroblob(32), zeroblob(32))",
        "UPDATE guardfloor SET size = 4",
        "DELETE FROM guardpower",
    ],
)
def test_a_store_that_somebody_wrote_into_is_found_out(guard: SqlGuard, tmp_path: Path, change: str) -> None:
    busy(guard).close()
    file = sqlite3.connect(tmp_path / "guard.db")
    for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        file.execute(f"DROP TRIGGER {name}")
    file.execute(change)
    file.commit()
    file.close()
    guard.open(LOG, ADDRESS)
    with pytest.raises(StoreBroken):
        guard.verify()


def test_a_tail_cut_off_with_its_rows_is_missed_by_whoever_noted_the_head(guard: SqlGuard, tmp_path: Path) -> None:
    early = guard.head()
    noted = busy(guard).head()
    guard.close()
    file = sqlite3.connect(tmp_path / "guard.db")
    for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        file.execute(f"DROP TRIGGER {name}")
    file.execute("DELETE FROM guardevent WHERE seq = ?", (noted.seq,))
    file.execute("DELETE FROM guardsigned WHERE size = 12")
    file.commit()
    file.close()
    guard.open(LOG, ADDRESS)
    assert guard.verify()[0].seq == noted.seq - 1  # alone it is whole
    assert guard.verify(early)[0].seq == noted.seq - 1
    for kept in (noted, replace(early, digest=Digest(ZERO))):
        with pytest.raises(StoreBroken):
            guard.verify(kept)
    assert guard.verify(Head(0, ZERO))[0].seq == noted.seq - 1


def test_the_file_itself_lets_no_event_be_changed_or_taken_out(guard: SqlGuard) -> None:
    for change in ("UPDATE guardevent SET body = zeroblob(2)", "DELETE FROM guardevent"):
        with pytest.raises(StoreBroken), guard._file.write() as connection:
            connection.exec_driver_sql(change)
    with pytest.raises(StoreBroken), guard._file.write() as connection:
        connection.exec_driver_sql(
            "INSERT OR REPLACE INTO guardevent SELECT seq, previous, digest, body FROM guardevent"
        )


# ── stores of schema 1 (guard_1.sql is one as it was released, filled) ───────────────────────────────────────────────


@pytest.fixture
def released(tmp_path: Path) -> Path:
    path = tmp_path / "released.db"
    file = sqlite3.connect(path)
    file.executescript(Path(__file__).with_name("guard_1.sql").read_text())
    file.close()
    return path


def test_a_released_store_keeps_all_it_knew_and_gets_its_events(released: Path) -> None:
    knew = known(3, 5, 9, 12, power=(replace(POWER, kind="pause", number=1, digest=sha256(b"p")), POWER))
    for _ in range(2):
        guard = SqlGuard(released)
        guard.open(LOG, ADDRESS)
        head, told = guard.verify()
        assert guard.history().in_order() == told.history == knew
        assert (head.seq, told.refusals) == (6, 0)
        assert guard.stored(TreeSize(9)) == b"\x07" * 65
        guard.close()
    guard.open(LOG, ADDRESS)
    with pytest.raises(GuardRefused):
        guard.permit(TreeSize(9), ZERO, ZERO, [])
    permit(guard, 15)
    head, told = guard.verify()
    assert (head.seq, told.refusals, guard.highest()[0]) == (8, 1, 15)
    guard.close()


def test_a_released_store_is_not_changed_by_who_only_looks(released: Path) -> None:
    with pytest.raises(SchemaOlder):
        GuardView(released).look(LOG, ADDRESS)
    file = sqlite3.connect(released)
    assert file.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == ("1",)
    assert file.execute("SELECT name FROM sqlite_master WHERE name = 'guardevent'").fetchone() is None
    file.close()


def test_who_only_looks_has_nothing_to_sign_by(guard: SqlGuard, tmp_path: Path) -> None:
    permit(guard, 9)
    view = GuardView(tmp_path / "guard.db")
    view.look(LOG, ADDRESS)
    assert view.seen() == (guard.history(), guard.head())
    assert view.verify()[0] == guard.head()
    assert not {"permit", "permit_power", "signed", "absorb"} & set(dir(view))
    permit(guard, 12)
    assert view.seen() == (guard.history(), guard.head())
    view.close()


@pytest.mark.parametrize("schema", ["3", "0", ""])
def test_a_store_of_a_schema_that_we_do_not_know_is_left_alone(released: Path, schema: str) -> None:
    file = sqlite3.connect(released)
    file.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (schema,))
    file.commit()
    file.close()
    guard = SqlGuard(released)
    with pytest.raises(StoreBroken):
        guard.open(LOG, ADDRESS)
    again = SqlGuard(released)
    again._file.open({"schema": schema})  # the lock was given up, and nothing changed
    again.close()


def test_another_keys_released_store_is_not_touched(released: Path) -> None:
    with pytest.raises(StoreBroken):
        SqlGuard(released).open(LOG, Address(bytes(20)))
    file = sqlite3.connect(released)
    assert file.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() == ("1",)
    file.close()
