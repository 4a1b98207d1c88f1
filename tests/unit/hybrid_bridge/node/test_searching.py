"""What a node asks of its ledger with every block and every word takes no longer after years: nothing reads a table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from hybrid_bridge.adapters.grpc_member.peer import Marks
from hybrid_bridge.node.attesting import Attester
from hybrid_bridge.node.delivering import Deliverer
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.trade import an_object, registration, sent

SMALL = {"meta", "halt", "conflict", "guardfloor", "governance", "CONSTANT", "(subquery-1)"}  # grow with no business
PART = "USING INDEX ix_outbox_owed"  # holds what is owed alone


@contextmanager
def planned() -> Iterator[dict[str, list[str]]]:
    """How SQLite finds what it is asked for meanwhile, by statement."""
    found: dict[str, list[str]] = {}

    def note(connection: Any, _cursor: Any, statement: str, asked: Any, _context: Any, many: bool) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")):
            values = asked[0] if many else asked
            rows = connection.connection.driver_connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            found[" ".join(statement.split())] = [row[3] for row in rows]

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


class Near:
    """A peer whose node is in this process."""

    def __init__(self, members: Members, name: str) -> None:
        self.name, self._service = name, PeerService(members.open(name).view, None)  # type: ignore[arg-type]

    def witness(self, marks: Marks, _wait: float) -> pb.WitnessResponse:
        request = pb.WitnessRequest(
            after_height=marks.height, after_size=marks.size, after_line=marks.line, after_cosigned=marks.cosigned
        )
        return self._service.witness(request, Call(Caller("supplier", "member"), lambda: True))


def reads_all(statement: str, plan: list[str]) -> bool:
    """It goes through a table, and not only to the end of one."""
    tables = {step.split()[1] for step in plan if step.startswith("SCAN") and not step.endswith(PART)} - SMALL
    is_end = "WHERE" not in statement and "LIMIT" in statement and not any("TEMP B-TREE" in step for step in plan)
    return bool(tables) and not is_end


def day(members: Members, number: int) -> None:
    """An epoch of business at every member, and all that they tell one another of it."""
    sent(members, "supplier", registration(members, an_object()))
    members.spread(members.order(START + number * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
        opened = members.open(name)
        attester = Attester(opened.view.logbook, opened.guard, opened.view.keys.attestation, opened.view.brake)
        attester.sign_all(opened.view.progress)
    for name in NAMES:
        watch = Watch(members.open(name).view)
        for other in set(VALIDATORS) - {name}:
            watch.ask(Near(members, other), 0.0)  # type: ignore[arg-type]
    view = members.open("supplier").view
    Deliverer(view, {}).deliver_due()
    assert view.records.undelivered() == 3 * number


def test_nothing_that_is_asked_again_and_again_reads_a_whole_table(members: Members) -> None:
    started(members)
    day(members, 1)  # what is read once at a start
    with planned() as found:
        day(members, 2)
    assert len(found) > 20
    assert {statement: plan for statement, plan in found.items() if reads_all(statement, plan)} == {}
