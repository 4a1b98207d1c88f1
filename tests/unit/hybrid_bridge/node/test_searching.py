"""What a node asks of its ledger with every block and every word takes no longer after years: nothing reads a table."""

from hybrid_bridge.node.delivering import Deliverer
from hybrid_bridge.node.witnessing import Watch
from tests.statements import explained
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.test_restoring import Peer
from tests.unit.hybrid_bridge.node.trade import an_object, registration, sent

SMALL = {"meta", "halt", "conflict", "guardfloor", "governance", "CONSTANT", "(subquery-1)"}  # grow with no business
PART = "USING INDEX ix_outbox_owed"  # holds what is owed alone


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
    attest_all(members)
    for name in NAMES:
        watch = Watch(members.open(name).view)
        for other in set(VALIDATORS) - {name}:
            watch.ask(Peer(members, other), 0.0)  # type: ignore[arg-type]
    view = members.open("supplier").view
    Deliverer(view, {}).deliver_due()
    assert view.records.undelivered() == 3 * number


def test_nothing_that_is_asked_again_and_again_reads_a_whole_table(members: Members) -> None:
    started(members)
    day(members, 1)  # what is read once at a start
    with explained() as made:
        day(members, 2)
    found = {statement: plan for statement, plan in made if plan}
    assert len(found) > 20
    assert {statement: plan for statement, plan in found.items() if reads_all(statement, plan)} == {}
