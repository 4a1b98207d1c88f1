"""An erasure is said on the ledger; who holds a copy follows or is shown it, and acknowledges by its own notice."""

import pytest

from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.governance import Notice, decode_governance
from hybrid_bridge.core.labels import creditor_invoice
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import Erased, RuleRejected, Unknown
from hybrid_bridge.node import noticing
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.desk import DraftOrder
from hybrid_bridge.node.desk_service import DeskService
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.erasing import Eraser, Selection
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.test_delivering import deliver, offer, peers
from tests.unit.hybrid_bridge.node.test_erasing import bundle, leaf_of
from tests.unit.hybrid_bridge.node.trade import PARTY, an_object, confirmation, desk, registration, sent, spread_new


@pytest.fixture
def trading(members: Members, monkeypatch: pytest.MonkeyPatch) -> Members:
    monkeypatch.setattr(noticing, "RETRY", 0.0)  # blocks are spread by the test, not while a notice is sent
    return started(members)


def delivered(trading: Members) -> DraftPackage:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    deliver(trading, peers(trading))
    return package


def noticer(members: Members, name: str, *, follows: bool = False) -> Noticer:
    return Noticer(members.open(name).view, desk(members, name), follows=follows)


def erase(members: Members, name: str, leaf: Digest, reason: str = "request") -> None:
    Eraser(members.open(name).view).erase(Selection(leaves=(leaf,)), reason)


def tell(members: Members, name: str) -> list[Notice]:
    """What is now said by one member, and in which notices; everybody executes the block."""
    before = len(notices(members))
    noticer(members, name).tell()
    spread_new(members)
    return notices(members)[before:]


def notices(members: Members) -> list[Notice]:
    found = (decode_governance(record) for _, _, record in members.open("core").view.ledger.governed(0))
    return [record for record in found if isinstance(record, Notice)]


def holds(members: Members, name: str, leaf: Digest) -> bool:
    try:
        return members.open(name).view.records.record(leaf) is not None
    except Erased:
        return False


def test_an_erasure_of_ones_own_record_is_said_once(trading: Members) -> None:
    package = delivered(trading)
    assert tell(trading, "supplier") == []
    erase(trading, "supplier", leaf_of(package))
    (notice,) = tell(trading, "supplier")
    assert notice.notice_type == 7
    assert tell(trading, "supplier") == []
    trading.reopen("supplier")
    assert tell(trading, "supplier") == []


def test_a_member_that_follows_erases_its_copy_and_acknowledges(trading: Members) -> None:
    package = delivered(trading)
    leaf = leaf_of(package)
    erase(trading, "supplier", leaf)
    following = noticer(trading, "bank-a", follows=True)
    following.follow()
    assert holds(trading, "bank-a", leaf)  # nobody has said anything yet
    tell(trading, "supplier")
    following.follow()
    following.follow()
    assert not holds(trading, "bank-a", leaf)
    (stone,) = trading.open("bank-a").view.records.erasures.tombstones()
    assert (stone.leaf, stone.source, stone.reason) == (leaf, "supplier", "noticed")
    assert noticer(trading, "supplier").acknowledged(leaf) == []
    assert len(tell(trading, "bank-a")) == 1
    assert tell(trading, "bank-a") == []
    assert noticer(trading, "supplier").acknowledged(leaf) == ["bank-a"]
    with pytest.raises(Erased):
        offer(trading, package)


def test_by_default_the_owner_is_shown_what_is_asked_for_and_decides(trading: Members) -> None:
    package = delivered(trading)
    leaf, view, bank = leaf_of(package), trading.open("bank-a").view, desk(trading, "bank-a")
    listing = noticer(trading, "bank-a")
    service = DeskService(view, bank, Bundler(view, lambda _size: b""), listing)
    with pytest.raises(Unknown):
        service.erase(pb.EraseRequest(noticed=True), None)
    erase(trading, "supplier", leaf)
    tell(trading, "supplier")
    assert listing.asked_for() == [leaf]
    (row,) = service.erase(pb.EraseRequest(noticed=True), None).records
    assert (row.entry_leaf, row.erased_at, list(row.acknowledged)) == (leaf, 0, ["supplier"])
    assert holds(trading, "bank-a", leaf)
    service.erase(pb.EraseRequest(noticed=True, confirmed=True, reason="request"), None)
    assert not holds(trading, "bank-a", leaf)
    assert len(tell(trading, "bank-a")) == 1


def test_the_word_of_anybody_but_its_submitter_ends_no_copy(trading: Members) -> None:
    package = delivered(trading)
    leaf = leaf_of(package)
    fields = {"entry.0": b64u(leaf), "reason_code": "REQUEST", "event_time": START}
    sent(trading, "bank-b", DraftOrder(schema="erasure.notice/1", fields=fields, purposes=("identity",)))
    assert len(notices(trading)) == 1
    following = noticer(trading, "bank-a", follows=True)
    following.follow()
    assert following.asked_for() == []
    assert holds(trading, "bank-a", leaf)
    assert holds(trading, "supplier", leaf)


def test_a_notice_that_was_refused_ends_no_copy(trading: Members) -> None:
    """The supplier's own, without its identity key: it stands in a block, refused, and says nothing."""
    package = delivered(trading)
    fields = {"entry.0": b64u(leaf_of(package)), "reason_code": "REQUEST", "event_time": START}
    order = DraftOrder(schema="erasure.notice/1", fields=fields, purposes=("some other key",))
    with pytest.raises(RuleRejected):
        sent(trading, "supplier", order)
    spread_new(trading)
    assert notices(trading) == []
    assert noticer(trading, "bank-a", follows=True).asked_for() == []


def test_who_erases_a_copy_unasked_says_nothing(trading: Members) -> None:
    package = delivered(trading)
    erase(trading, "bank-a", leaf_of(package))
    assert tell(trading, "bank-a") == []
    erase(trading, "supplier", leaf_of(package))
    tell(trading, "supplier")
    assert len(tell(trading, "bank-a")) == 1  # now it is asked for, and done


def test_what_never_stood_is_not_said(trading: Members) -> None:
    drafted = desk(trading, "supplier").draft(registration(trading, an_object(), lives_for=1))
    desk(trading, "supplier").send(drafted, [])  # ordered at core, and not seen here yet
    erase(trading, "supplier", leaf_of(drafted))
    noticer(trading, "supplier").tell()
    assert notices(trading) == []


@pytest.mark.parametrize("reason", ["request", "legal_order", "gdpr.art17"])
def test_documents_erased_for_one_reason_share_a_notice(trading: Members, reason: str) -> None:
    leaves = [leaf_of(delivered(trading)) for _ in range(2)]
    for leaf in leaves:
        erase(trading, "supplier", leaf, reason)
    erase(trading, "supplier", leaf_of(delivered(trading)), "retention")
    assert len(tell(trading, "supplier")) == 2


def test_every_other_proof_verifies_after_all_have_erased(trading: Members) -> None:
    object_id = an_object()
    _, first = sent(trading, "supplier", registration(trading, object_id))
    _, second = sent(trading, "core", confirmation(object_id))
    deliver(trading, peers(trading))
    erase(trading, "supplier", leaf_of(first))
    tell(trading, "supplier")
    noticer(trading, "core", follows=True).follow()
    assert len(tell(trading, "core")) == 1
    for number in (1, 2):
        trading.spread(trading.order(START + number * CADENCE))
        for name in VALIDATORS:
            trading.close_epoch(name)
    attest_all(trading)
    with pytest.raises(Erased):
        bundle(trading, leaf_of(first))
    trust = Trust(logs=(TrustedLog(log_id=trading.foundation.genesis.log_id),), require=("integrity", "quorum"))
    made = bundle(trading, leaf_of(second), labels=(creditor_invoice(PARTY, "INV-1"),))
    evidence = verify(made.encode(), trust, UnixSeconds(START + 100))
    assert not evidence.missing
    assert len(evidence.records) == 1
