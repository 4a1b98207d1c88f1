"""A tick's look into a journal costs as much after years as on the first day: no question reads a whole table."""

import re
from pathlib import Path
from typing import Any

from sqlalchemy import event

from relayers.sql_journal import SqlJournal, create_journal
from tests.journals import PLENTY, SCOPE, begun, ours
from tests.unit.relayers.builders import T0

WHOLE = re.compile(
    r"SCAN (?!control|chain|lease|event_log)\w+(?!.* USING)"
)  # one row each; the newest event by its key


def test_no_question_of_a_tick_reads_a_whole_table(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    with SqlJournal(tmp_path / "journal.db", SCOPE, "test", T0) as journal:
        begun(journal)
        asked: list[tuple[str, Any]] = []

        def keep(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
            asked.append((statement, parameters))

        with journal._store.read() as connection:
            engine = connection.engine
        event.listen(engine, "before_cursor_execute", keep)
        journal.add_attempt(ours(), PLENTY)
        journal.view(T0)
        journal.checkpoint(2)
        journal.neighbours(2)
        journal.newest_checkpoint()
        journal.attestations(2)
        event.remove(engine, "before_cursor_execute", keep)
        with journal._store.read() as connection:
            plans = [
                (statement, str(row[3]))
                for statement, parameters in asked
                if statement.startswith("SELECT")
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
    assert len(asked) > 20
    assert [plan for plan in plans if WHOLE.match(plan[1])] == []
