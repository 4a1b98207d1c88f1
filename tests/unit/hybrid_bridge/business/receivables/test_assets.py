import pytest

from hybrid_bridge.business.receivables.objects import stored_asset
from tests.unit.hybrid_bridge.business.bench import Bench, key, oid

REGISTER = {"object": oid("invoice"), "ccy": "CNY", "gross": "1000"}


@pytest.fixture
def bench():
    return Bench()


def asset_of(bench, name="invoice"):
    return stored_asset(bench.state, oid(name))


def test_a_registered_invoice_is_only_declared(bench):
    act = bench.do("asset.register", "seller", creditor_key=key("seller"), debtor=key("core"), **REGISTER)
    assert asset_of(bench).state == "DECLARED"
    (event,) = act.events
    assert (event.object_type, event.version, event.code) == ("asset", 0, "0x0101")
    assert event.state == {"state": "DECLARED", "gross": "1000", "allotted": "0"}


def test_only_the_creditor_key_registers(bench):
    fields = {**REGISTER, "creditor_key": key("seller"), "debtor": key("core")}
    assert bench.refused("asset.register", "thief", **fields) == "authority"
    assert bench.refused("asset.register", **fields) == "authority"
    assert bench.refused("asset.register", "seller", "thief", **fields) == "authority"


def test_the_debtor_is_a_named_member(bench):
    fields = {**REGISTER, "creditor_key": key("seller"), "debtor": key("nobody")}
    assert bench.refused("asset.register", "seller", **fields) == "admission"


def test_an_object_id_is_used_once(bench):
    bench.asset()
    fields = {**REGISTER, "creditor_key": key("seller"), "debtor": key("core")}
    assert bench.refused("asset.register", "seller", **fields) == "exists"


def test_an_invoice_over_nothing_is_refused(bench):
    fields = {**REGISTER, "gross": "0", "creditor_key": key("seller"), "debtor": key("core")}
    assert bench.refused("asset.register", "seller", **fields) == "I4"


def confirm(**more):
    return {"object": oid("invoice"), "gross": "1000", "ccy": "CNY", "distinct": False, **more}


def test_the_debtor_confirms_what_was_declared(bench):
    bench.asset(confirm=False)
    assert bench.refused("asset.confirm", "seller", **confirm()) == "I1"
    assert bench.refused("asset.confirm", "core", **confirm(gross="1001")) == "I4"
    assert bench.refused("asset.confirm", "core", **confirm(ccy="USD")) == "I4"
    assert bench.refused("asset.confirm", "core", **confirm(object=oid("other"))) == "unknown"
    bench.do("asset.confirm", "core", **confirm())
    assert asset_of(bench).state == "CONFIRMED"
    assert bench.refused("asset.confirm", "core", **confirm()) == "lifecycle"


def test_a_note_id_is_no_asset(bench):
    bench.asset()
    bench.note()
    assert bench.refused("asset.confirm", "core", **confirm(object=oid("note"))) == "unknown"


def test_an_amendment_needs_both_and_never_cuts_what_stands_on_it(bench):
    bench.asset()
    bench.note(face=600)
    assert bench.refused("asset.amend", "core", object=oid("invoice"), gross="2000") == "authority"
    assert bench.refused("asset.amend", "core", "seller", object=oid("invoice"), gross="599") == "I4"
    bench.do("asset.amend", "core", "seller", object=oid("invoice"), gross="600")
    assert asset_of(bench).gross == 600


def test_an_amendment_to_nothing_is_refused(bench):
    bench.asset()
    assert bench.refused("asset.amend", "core", "seller", object=oid("invoice"), gross="0") == "I4"


def test_an_invoice_that_a_note_stands_on_is_not_cancelled(bench):
    bench.asset()
    bench.note(accept=False)
    assert bench.refused("asset.cancel", "core", "seller", object=oid("invoice")) == "I4"
    bench.do("note.decline", "holder", note=oid("note"))
    bench.do("asset.cancel", "core", "seller", object=oid("invoice"))
    assert asset_of(bench).state == "CANCELLED"
    assert bench.refused("asset.amend", "core", "seller", object=oid("invoice"), gross="5") == "lifecycle"


def test_a_lapsed_offer_no_longer_stands_in_the_way(bench):
    bench.asset()
    bench.note(accept=False)
    bench.days(bench.pack.offer_ttl + 1)
    bench.do("asset.cancel", "core", "seller", object=oid("invoice"))


def test_an_asset_closes_when_all_of_it_is_settled(bench):
    bench.asset()
    bench.note("one", 400)
    bench.note("other", 600)
    act = bench.settle("one", 400)
    assert asset_of(bench).state == "CONFIRMED"
    assert [event.object_type for event in act.events] == ["note"]
    act = bench.settle("other", 600)
    assert asset_of(bench).state == "CLOSED"
    assert [event.object_type for event in act.events] == ["note", "asset"]
