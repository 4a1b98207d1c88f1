"""The way of a member's store from one schema to the next: one step a number, in one transaction, in both databases.

Alembic is the relayer's (`relayers.revisions`), whose tables change with each release; here a step is a function over a
connection. Whoever changes a table gives its schema a new number and adds one (ADR 37).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Connection, text

from hybrid_bridge.errors import StoreBroken, other_schema

Steps: TypeAlias = Mapping[int, Callable[[Connection], None]]  # by the schema that each leaves, for the next number

_READ = text("SELECT key, value FROM meta")
_SAY = text("UPDATE meta SET value = :value WHERE key = 'schema'")


@dataclass(frozen=True, slots=True)
class Moved:
    """Which schema a store had, and has."""

    before: int
    after: int


def bring_forward(connection: Connection, store: str, facts: Mapping[str, str], steps: Steps) -> Moved:
    """Every step from the store's schema to that of `facts`, in the caller's transaction: all of them, or none.

    Raises:
        StoreBroken: another kind, log or owner than `facts` say, or no way from its schema.
        SchemaNewer: a newer release's.
    """
    told = {row.key: row.value for row in connection.execute(_READ)}
    for key, value in facts.items():
        if key != "schema" and told.get(key) != value:
            raise StoreBroken(store=store, rule=f"{key} {value}")
    found, wanted = told.get("schema"), facts["schema"]
    if found is None or not found.isdecimal() or int(found) > int(wanted):
        raise other_schema(store, wanted, found)
    for number in range(int(found), int(wanted)):
        if number not in steps:
            raise StoreBroken(store=store, rule=f"schema {wanted}: no way leads from {number}, which was not released")
        steps[number](connection)
    connection.execute(_SAY, {"value": wanted})
    return Moved(int(found), int(wanted))
