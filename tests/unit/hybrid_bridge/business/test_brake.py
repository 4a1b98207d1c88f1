import pytest

from hybrid_bridge.business.brake import brake_is_on
from tests.unit.hybrid_bridge.business.bench import VALIDATORS, Bench, key, oid

QUORUM = VALIDATORS[:3]


@pytest.fixture
def bench():
    bench = Bench()
    bench.asset()
    bench.note()
    return bench


def brake(bench, ahead=0, reason="LEGAL_ORDER"):
    return {"scope_code": "ALL", "reason_code": reason, "until_epoch": bench.epoch + ahead}


def test_only_a_quorum_of_validators_brakes(bench):
    for signers in (VALIDATORS[:2], (*QUORUM, "core"), ("core",)):
        assert bench.refused("brake.on", *signers, **brake(bench)) == "authority"
        assert bench.refused("brake.off", *signers, **brake(bench)) == "authority"
    bench.do("brake.on", *QUORUM, **brake(bench))
    assert brake_is_on(bench.state, bench.epoch)


def test_the_brake_stops_all_but_freezes_and_acknowledgements(bench):
    bench.do("note.pay", "core", note=oid("note"), paid="1000")
    bench.do("brake.on", *QUORUM, **brake(bench, 2))
    register = {"object": oid("x"), "debtor": key("core"), "ccy": "CNY", "gross": "1", "creditor_key": key("s")}
    assert bench.refused("asset.register", "s", **register) == "brake"
    assert bench.refused("note.split", "holder", **bench.split_fields("note", ("a", 1_000, "x"))) == "brake"
    freeze = {"order": oid("o"), "reason_code": "OTHER", "escrow": True, "object__0": oid("note")}
    bench.do("freeze.order", "court", **freeze)
    bench.do("note.pay_ack", "holder", note=oid("note"), paid="1000")
    bench.do("freeze.lift", "court", **freeze | {"reason_code": "OTHER"})


def test_the_brake_expires_by_itself(bench):
    bench.do("brake.on", *QUORUM, **brake(bench, 1))
    bench.days(1)
    assert bench.refused("note.pay", "core", note=oid("note"), paid="1") == "brake"
    bench.days(1)
    assert not brake_is_on(bench.state, bench.epoch)
    bench.do("note.pay", "core", note=oid("note"), paid="1")


def test_the_brake_is_taken_off(bench):
    act = bench.do("brake.on", *QUORUM, **brake(bench, 5))
    assert [notice.notice_type for notice in act.notices] == [1]
    act = bench.do("brake.off", *QUORUM, **brake(bench))
    assert [notice.notice_type for notice in act.notices] == [2]
    bench.do("note.pay", "core", note=oid("note"), paid="1")


@pytest.mark.parametrize("ahead", [-1, 25])
def test_the_brake_has_a_longest_time(bench, ahead):
    bench.days(2)
    assert bench.refused("brake.on", *QUORUM, **brake(bench, ahead)) == "brake_max"


def test_a_type_that_only_validators_make_is_nobodys_to_submit(bench):
    totals = dict.fromkeys(("issued", "open", "paid", "written_off", "cancelled"), "0")
    assert bench.refused("debtor.totals", debtor=key("core"), period=1, ccy="CNY", **totals) == "authority"
