from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, select
from sqlmodel import Field, SQLModel

from hybrid_bridge.adapters.sqlite.file import (
    PRAGMAS,
    READER_PAGES,
    STRICT,
    WRITER_PAGES,
    SqliteFile,
    blob,
    table_of,
    text,
)
from hybrid_bridge.errors import StoreBroken, StoreInUse


class Sample(SQLModel, table=True):
    __table_args__ = STRICT

    id: int = Field(primary_key=True)
    data: bytes = blob()
    note: str = text()


TABLE = table_of(Sample)
ROW = {"id": 1, "data": b"x", "note": "y"}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[SqliteFile]:
    made = SqliteFile(tmp_path / "sample.db", "sample")
    made.create([Sample], ["sample"], {"kind": "sample", "schema": "1"})
    made.open({"kind": "sample"})
    yield made
    made.close()


def rows(file: SqliteFile) -> int:
    with file.read() as connection:
        return len(connection.execute(select(TABLE)).all())


def test_a_store_is_private_and_keeps_its_settings(file: SqliteFile, tmp_path: Path) -> None:
    assert (tmp_path / "sample.db").stat().st_mode & 0o077 == 0
    with file.write() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in PRAGMAS}
    assert found == PRAGMAS


def test_what_connections_keep_of_a_file_is_bounded_and_the_same_one_is_used_again(file: SqliteFile) -> None:
    """Some forty readers of a node would each keep two megabytes of its files, by and by."""
    seen = set()
    for _ in range(10):
        with file.read() as one:
            assert one.exec_driver_sql("PRAGMA cache_size").scalar() == -READER_PAGES
            seen.add(id(one.connection.dbapi_connection))
            with file.read() as two:  # beside the first
                assert two.exec_driver_sql("PRAGMA cache_size").scalar() == -READER_PAGES
                seen.add(id(two.connection.dbapi_connection))
    assert len(seen) == 2
    for _ in range(10):
        with file.read() as again:
            seen.add(id(again.connection.dbapi_connection))
    assert len(seen) == 2
    with file.write() as writer:
        assert writer.exec_driver_sql("PRAGMA cache_size").scalar() == -WRITER_PAGES


def test_what_is_written_is_there_after_the_block_and_not_before(file: SqliteFile) -> None:
    with file.write() as connection:
        connection.execute(TABLE.insert(), [ROW])
        assert rows(file) == 0
    assert rows(file) == 1


def test_a_block_that_raises_leaves_nothing(file: SqliteFile) -> None:
    with pytest.raises(StoreBroken), file.write() as connection:
        connection.execute(TABLE.insert(), [ROW, ROW])
    assert rows(file) == 0


@pytest.mark.parametrize("block", ["write", "read"])
def test_ctrl_c_within_a_statement_stays_one_and_leaves_nothing(file: SqliteFile, block: str) -> None:
    def pressed(_cursor: Any, statement: str, *_: Any) -> None:
        if "pressed" in statement:
            raise KeyboardInterrupt

    def interrupted(connection: Connection) -> None:
        event.listen(connection.engine, "do_execute", pressed)
        if block == "write":
            connection.execute(TABLE.insert(), [ROW])
        connection.exec_driver_sql("SELECT 'pressed'")

    with pytest.raises(KeyboardInterrupt), getattr(file, block)() as connection:
        interrupted(connection)
    assert rows(file) == 0
    with file.write() as connection:
        connection.execute(TABLE.insert(), [ROW])
    assert rows(file) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE sample SET note = 'z'", "DELETE FROM sample", "REPLACE INTO sample VALUES (1, x'00', 'z')"]
)
def test_guarded_rows_are_never_changed(file: SqliteFile, statement: str) -> None:
    with file.write() as connection:
        connection.execute(TABLE.insert(), [ROW])
    with pytest.raises(StoreBroken), file.write() as connection:
        connection.exec_driver_sql(statement)
    with file.read() as connection:
        assert connection.execute(select(TABLE.c.note)).scalar() == "y"


def test_text_does_not_pass_for_a_number(file: SqliteFile) -> None:
    with pytest.raises(StoreBroken), file.write() as connection:
        connection.exec_driver_sql("INSERT INTO sample VALUES ('a', x'00', 'z')")


def test_a_store_is_never_made_over_another(tmp_path: Path, file: SqliteFile) -> None:
    with pytest.raises(StoreBroken):
        SqliteFile(tmp_path / "sample.db", "sample").create([Sample], [], {})


def test_a_missing_store_is_not_made_in_passing(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken):
        SqliteFile(tmp_path / "other.db", "sample").open({})
    assert not (tmp_path / "other.db").exists()


def test_a_store_is_for_one_program_at_a_time(file: SqliteFile, tmp_path: Path) -> None:
    second = SqliteFile(tmp_path / "sample.db", "sample")
    with pytest.raises(StoreInUse):
        second.open({})
    file.close()
    second.open({})
    second.close()


def test_who_only_looks_sees_the_last_commit_beside_the_writer_and_keeps_nobody_out(
    file: SqliteFile, tmp_path: Path
) -> None:
    with file.write() as connection:
        connection.execute(TABLE.insert(), [ROW])
    looking = SqliteFile(tmp_path / "sample.db", "sample")
    looking.look({"kind": "sample"})
    assert rows(looking) == 1
    with file.write() as connection:
        connection.execute(TABLE.insert(), [{**ROW, "id": 2}])
        assert rows(looking) == 1
    assert rows(looking) == 2
    file.close()
    taking = SqliteFile(tmp_path / "sample.db", "sample")
    taking.open({"kind": "sample"})
    looking.close()
    assert rows(taking) == 2
    taking.close()


@pytest.mark.parametrize("facts", [{"kind": "ledger"}, {"schema": "2"}])
def test_who_only_looks_refuses_what_was_made_for_something_else(
    file: SqliteFile, tmp_path: Path, facts: dict[str, str]
) -> None:
    with pytest.raises(StoreBroken) as refused:
        SqliteFile(tmp_path / "sample.db", "sample").look(facts)
    assert next(iter(facts)) in refused.value.rule
    with pytest.raises(StoreBroken, match="made before it is used"):
        SqliteFile(tmp_path / "other.db", "sample").look({})
    assert rows(file) == 0


@pytest.mark.parametrize("facts", [{"kind": "ledger"}, {"schema": "2"}, {"owner": "anybody"}])
def test_a_store_made_for_something_else_is_refused(file: SqliteFile, tmp_path: Path, facts: dict[str, str]) -> None:
    file.close()
    with pytest.raises(StoreBroken) as refused:
        SqliteFile(tmp_path / "sample.db", "sample").open(facts)
    assert next(iter(facts)) in refused.value.rule


def test_a_damaged_store_is_refused(file: SqliteFile, tmp_path: Path) -> None:
    with file.write() as connection:
        connection.execute(TABLE.insert(), [{"id": i, "data": bytes(200), "note": "n" * 50} for i in range(500)])
        connection.exec_driver_sql("SELECT 1")
    with file.write() as connection:
        connection.exec_driver_sql("SELECT 1")
    file.close()
    path = tmp_path / "sample.db"
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 6] = b"\xa5" * 4096 * 3
    path.write_bytes(data)
    with pytest.raises(StoreBroken):
        SqliteFile(path, "sample").open({"kind": "sample"})


def test_an_error_shows_no_value_that_was_to_be_written(file: SqliteFile) -> None:
    with file.write() as connection:
        connection.execute(TABLE.insert(), [ROW])
    with pytest.raises(StoreBroken) as refused, file.write() as connection:
        connection.execute(TABLE.insert(), [ROW | {"note": "PRIVATE"}])
    assert "PRIVATE" not in str(refused.value) + repr(refused.value.__cause__)
