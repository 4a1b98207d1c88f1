"""The tables of a member's stores, word for word, in both databases: whoever changes one gives the schema a new number.

A store of an older number is refused, so a change without a new number would be found out by the members.
"""

from pathlib import Path

import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from hybrid_bridge.adapters.sqlite import ledger, records, tables
from hybrid_bridge.adapters.sqlite.file import table_of

HERE = Path(__file__).parent
STORES = {"ledger": (ledger.SCHEMA, tables.TABLES), "records": (records.SCHEMA, records.TABLES)}
DIALECTS = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}


def words(store: str, engine: str) -> str:
    """What makes the tables."""
    made = []
    for table in map(table_of, STORES[store][1]):
        made.append(CreateTable(table))
        made += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: index.name)]
    lines = "\n".join(str(one.compile(dialect=DIALECTS[engine])).strip() for one in made)
    return "\n".join(line.rstrip() for line in lines.splitlines()) + "\n"


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("store", STORES)
def test_the_tables_are_those_of_this_schema(store: str, engine: str) -> None:
    assert words(store, engine) == (HERE / f"{store}_{STORES[store][0]}.{engine}.sql").read_text()


@pytest.mark.parametrize("store", STORES)
def test_a_whole_number_has_64_bits_and_text_is_sorted_by_its_bytes(store: str) -> None:
    made = words(store, "postgresql")
    assert " INTEGER" not in made
    assert made.count(" TEXT") == made.count(' TEXT COLLATE "C"')
