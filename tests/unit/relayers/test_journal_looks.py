"""A tick's look into a journal costs as much after years as on the first day: no question reads a whole table."""

import re
from pathlib import Path

from relayers.sql_journal import SqlJournal, create_journal
from tests.journals import PLENTY, SCOPE, begun, ours
from tests.statements import explained
from tests.unit.relayers.builders import T0

WHOLE = re.compile(
    r"SCAN (?!control|chain|lease|event_log)\w+(?!.* USING)"
)  # one row each; the newest event by its key


def test_no_question_of_a_tick_reads_a_whole_table(tmp_path: Path) -> None:
    create_journal(tmp_path / "journal.db", SCOPE, T0)
    with SqlJournal(tmp_path / "journal.db", SCOPE, "test", T0) as journal:
        begun(journal)
        with journal._store.read() as connection:
            engine = connection.engine
        with explained(engine) as asked:
            journal.add_attempt(ours(), PLENTY)
            journal.view(T0)
            journal.checkpoint(2)
            journal.neighbours(2)
            journal.newest_checkpoint()
            journal.attestations(2)
    plans = [(statement, step) for statement, plan in asked if statement.startswith("SELECT") for step in plan]
    assert len(asked) > 20
    assert [plan for plan in plans if WHOLE.match(plan[1])] == []
