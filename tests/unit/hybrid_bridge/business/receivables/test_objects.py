import pytest

from hybrid_bridge.business.receivables.objects import (
    Asset,
    Note,
    debtor_totals,
    put_asset,
    put_note,
    stored_asset,
    stored_note,
)
from hybrid_bridge.core.ledger_state import Overlay, object_key, put_json
from hybrid_bridge.errors import RuleRejected, StoreBroken
from tests.unit.hybrid_bridge.business.bench import key, oid

ASSET = Asset(
    object_id=oid("a"),
    state="CONFIRMED",
    debtor=key("core"),
    ccy="CNY",
    gross=10**18 - 1,
    creditor_key=key("seller"),
    allotted=7,
    closed=3,
    pending=(oid("n"), oid("m")),
)
NOTE = Note(
    note_id=oid("n"),
    state="RESERVED",
    debtor=key("core"),
    ccy="CNY",
    face=10**18 - 1,
    issue_date="2026-01-05",
    due_date="2026-04-05",
    holder=key("holder"),
    root=oid("r"),
    depth=2,
    giver=key("giver"),
    fin_key=key("fin"),
    until=9,
    claimed=5,
    paid=4,
    written_off=1,
    settled=5,
    back=((oid("a"), 3), (oid("b"), 4)),
)


def test_objects_are_stored_and_read_back_whole():
    view = Overlay({})
    put_asset(view, ASSET)
    put_note(view, NOTE)
    assert stored_asset(view, oid("a")) == ASSET
    assert stored_note(view, oid("n")) == NOTE
    assert NOTE.open == 10**18 - 6


def test_a_stranger_or_another_type_is_unknown():
    view = Overlay({})
    put_asset(view, ASSET)
    for read, name in ((stored_note, "a"), (stored_asset, "missing")):
        with pytest.raises(RuleRejected) as caught:
            read(view, oid(name))
        assert (caught.value.rule, caught.value.subject) == ("unknown", oid(name))


def test_a_row_that_nobody_wrote_is_a_broken_store():
    view = Overlay({})
    put_json(view, object_key(oid("a")), {**ASSET.to_json(), "pending": "none"})
    with pytest.raises(StoreBroken):
        stored_asset(view, oid("a"))


def test_a_debtor_without_notes_has_no_totals():
    assert debtor_totals({}, key("core"), "CNY") == {}
