"""Who may say that it has erased what opens a record, and of which records."""

import pytest

from hybrid_bridge.business.schema import MAX_NOTICED
from hybrid_bridge.core.encoding import b64u, canonical_json, sha256
from hybrid_bridge.core.ledger_state import Overlay, entry_key, put_number
from hybrid_bridge.errors import FieldMalformed
from tests.unit.hybrid_bridge.business.bench import Bench

ENTRIES = [sha256(bytes([number])) for number in range(MAX_NOTICED + 1)]


@pytest.fixture
def bench():
    bench = Bench()
    standing = Overlay(bench.state)
    for leaf in ENTRIES[:-1]:
        put_number(standing, entry_key(leaf), 1)
    bench.take(standing)
    return bench


def of(*leaves, **more):
    return {f"entry__{k}": b64u(leaf) for k, leaf in enumerate(leaves)} | {"reason_code": "REQUEST"} | more


def test_a_member_says_it_and_a_notice_of_type_7_follows(bench):
    before = dict(bench.state)
    act = bench.do("erasure.notice", "bank", **of(*ENTRIES[:-1]))
    (notice,) = act.notices
    assert (notice.notice_type, notice.until, notice.time) == (7, 0, bench.now)
    assert notice.subject_hash == sha256(canonical_json({"entries": [b64u(leaf) for leaf in ENTRIES[:-1]]}))
    assert notice.detail_hash == sha256(canonical_json({"reason_code": "REQUEST"}))
    assert (act.events, bench.state) == ([], before)  # the record itself stays as it was


@pytest.mark.parametrize("signers", [(), ("stranger",), ("regulator",), ("bank", "core")])
def test_nobody_but_one_member_may(bench, signers):
    assert bench.refused("erasure.notice", *signers, **of(ENTRIES[0])) == "authority"


def test_what_does_not_stand_cannot_be_meant(bench):
    assert bench.refused("erasure.notice", "bank", **of(ENTRIES[0], ENTRIES[-1])) == "unknown"


@pytest.mark.parametrize("fields", [of(), of(*ENTRIES), of(ENTRIES[0], reason_code="Zhang San")])
def test_no_entry_too_many_or_a_reason_that_is_content_are_malformed(bench, fields):
    with pytest.raises(FieldMalformed):
        bench.do("erasure.notice", "bank", **fields)
