"""A regulator's node: whom it read, told to the member concerned alone; and of what it has no copy."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace

import pytest

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.adapters.sqlite.readings import MAX_ROWS
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.event_chain import EMPTY, Head
from hybrid_bridge.core.reading import Reading
from hybrid_bridge.errors import BridgeError, FieldMismatch, RuleRejected, SignatureWrong, StoreBroken, Unknown
from hybrid_bridge.node import regulating
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.delivering import Receiver
from hybrid_bridge.node.desk_service import DeskService
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.laying import READINGS
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.node.peer_service import PeerService
from hybrid_bridge.node.regulating import LATE, Copies, ReadLog, Regulator, gather_readings
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Digest, Height
from tests.unit.hybrid_bridge.node.members import Members, started
from tests.unit.hybrid_bridge.node.test_delivering import deliver, peers
from tests.unit.hybrid_bridge.node.trade import SELLER, an_object, confirmation, desk, registration, sent, spread_new

OWNER = Call(Caller("regulator", "owner"), lambda: True)


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


def read_log(members: Members) -> ReadLog:
    opened = members.open("regulator")
    assert opened.readings is not None
    return ReadLog(opened.view, opened.readings)


def desk_service(members: Members) -> DeskService:
    view = members.open("regulator").view
    own, bundler = desk(members, "regulator"), Bundler(view, lambda _size: b"", None)
    regulator = Regulator(read_log(members), Copies(view))
    return DeskService(view, own, bundler, Noticer(view, own, follows=False), regulator=regulator)


def leaf_of(package: DraftPackage) -> Digest:
    return leaf_of_document(package.document)


def leaf_of_document(document: bytes) -> Digest:
    return entry_leaf(parse_delivery(document).entry)


def delivered(members: Members) -> Digest:
    """A document of the supplier's, at the regulator."""
    object_id = an_object()
    _, package = sent(members, "supplier", registration(members, object_id))
    assert deliver(members, peers(members)) == 0
    return leaf_of(package)


@dataclass
class Asking:
    """The regulator's node as one member sees it; it may lie."""

    members: Members
    name: str
    lie: str = ""

    def readings(self, after: int) -> pb.ReadingsResponse:
        view = self.members.open("regulator").view
        service = PeerService(view, Receiver(view), read_log=read_log(self.members))
        answer = service.readings(pb.ReadingsRequest(after=after), Call(Caller(self.name, "member"), lambda: True))
        if self.lie == "hide" and answer.events:
            answer.events[0].reading = b""
        if self.lie == "cut" and answer.events:
            del answer.events[0]
        if self.lie == "time":
            answer.time += 1
        if self.lie == "start":
            answer.start += 1
        return answer


def gathered(members: Members, name: str, lie: str = "") -> tuple[Head, list[Reading]]:
    directory = members.open(name).view.directory
    return gather_readings(Asking(members, name, lie), directory, "regulator", name)


# ── readings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_member_concerned_sees_who_read_what_and_when_and_nobody_else_does(trading: Members) -> None:
    leaf, service = delivered(trading), desk_service(trading)
    assert gathered(trading, "supplier") == (EMPTY, [])
    document = service.record(pb.RecordRequest(entry_leaf=leaf), OWNER).document
    assert leaf_of_document(document) == leaf
    head, found = gathered(trading, "supplier")
    assert [(one.entry_leaf, one.reader, one.what) for one in found] == [(leaf, "owner:regulator", "record")]
    assert found[0].time == trading.clock.moment
    assert head.seq == 1
    assert gathered(trading, "bank-a") == (head, [])


def test_to_look_for_a_value_in_a_field_is_a_reading(trading: Members) -> None:
    leaf, service = delivered(trading), desk_service(trading)
    with pytest.raises(Unknown):
        service.erase(pb.EraseRequest(matches=[pb.FieldMatch(name="seller", value="nobody")]), OWNER)
    service.erase(pb.EraseRequest(matches=[pb.FieldMatch(name="seller", value=SELLER)]), OWNER)
    _, found = gathered(trading, "supplier")
    assert [(one.entry_leaf, one.what) for one in found] == [(leaf, "search")]


def test_what_was_not_read_and_what_is_not_here_leaves_no_reading(trading: Members) -> None:
    delivered(trading)
    service = desk_service(trading)
    service.records(pb.RecordsRequest(), OWNER)
    with pytest.raises(Unknown):
        service.record(pb.RecordRequest(entry_leaf=bytes(32)), OWNER)
    with pytest.raises(BridgeError):
        service.bundle(pb.BundleRequest(entry_leaves=[bytes(32)]), OWNER)
    assert gathered(trading, "supplier") == (EMPTY, [])


def test_a_reading_that_cannot_be_kept_shows_nothing(trading: Members) -> None:
    leaf, service = delivered(trading), desk_service(trading)
    opened = trading.open("regulator")
    assert opened.readings is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened.readings, "append", _full)
        with pytest.raises(StoreBroken):
            service.record(pb.RecordRequest(entry_leaf=leaf), OWNER)


def _full(_readings: object) -> None:
    raise StoreBroken(store="readings", rule="room on its disk")


@pytest.mark.parametrize("lie", ["hide", "cut", "time", "start"])
def test_a_regulator_that_hides_a_reading_or_tells_another_chain_is_refused(trading: Members, lie: str) -> None:
    leaf, service = delivered(trading), desk_service(trading)
    for _ in range(2):
        service.record(pb.RecordRequest(entry_leaf=leaf), OWNER)
    with pytest.raises((SignatureWrong, FieldMismatch)):
        gathered(trading, "supplier", lie)


def test_many_readings_come_page_by_page_and_a_restart_loses_none(trading: Members) -> None:
    leaf, count = delivered(trading), MAX_ROWS + 3
    read_log(trading).note(OWNER.caller, [leaf] * count, "record")
    trading.reopen("regulator")
    head, found = gathered(trading, "supplier")
    assert (head.seq, len(found)) == (count, count)
    assert len({one.salt for one in found}) == count


@pytest.mark.parametrize("change", ["DELETE FROM readings WHERE seq = 1", "UPDATE readings SET body = X'7B7D'"])
def test_a_chain_that_was_changed_stops_the_start(trading: Members, change: str) -> None:
    leaf = delivered(trading)
    read_log(trading).note(OWNER.caller, [leaf, leaf], "record")
    trading.opened.pop("regulator").close()
    with closing(sqlite3.connect(trading.folder("regulator") / READINGS)) as file:
        for trigger in ("update", "delete"):
            file.execute(f"DROP TRIGGER readings_no_{trigger}")
        file.execute(change)
        file.commit()
    with pytest.raises(StoreBroken) as refused:
        trading.open("regulator")
    assert refused.value.store == "readings"


def test_only_a_regulator_keeps_readings_and_lists_copies(trading: Members) -> None:
    view = trading.open("bank-a").view
    assert trading.open("bank-a").readings is None
    with pytest.raises(Unknown):
        PeerService(view, Receiver(view)).readings(pb.ReadingsRequest(), OWNER)
    own, bundler = desk(trading, "bank-a"), Bundler(view, lambda _size: b"", None)
    with pytest.raises(Unknown):
        DeskService(view, own, bundler, Noticer(view, own, follows=False)).missing(pb.MissingRequest(), OWNER)


# ── copies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_record_whose_copy_does_not_come_is_listed_with_who_owes_it_until_it_comes(trading: Members) -> None:
    object_id = an_object()
    result, package = sent(trading, "supplier", registration(trading, object_id))
    view = trading.open("regulator").view
    copies = Copies(view)
    (missing,) = copies.missing()
    assert (missing.leaf, missing.submitter, missing.height) == (leaf_of(package), "supplier", result.height)
    assert desk_service(trading).missing(pb.MissingRequest(), OWNER).copies[0].submitter == "supplier"
    assert copies.late() == 0
    trading.clock.moment += LATE + 1
    assert copies.late() == 1
    sent(trading, "core", confirmation(object_id))
    assert [one.submitter for one in copies.missing()] == ["supplier", "core"]
    assert deliver(trading, peers(trading)) == 0
    assert [one.submitter for one in copies.missing()] == ["core"]


class Counted:
    """A ledger that counts the blocks which are read from it."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger, self.blocks, self.questions = ledger, 0, 0

    def __getattr__(self, name: str) -> object:
        self.questions += 1
        return getattr(self._ledger, name)

    def entries(self, first: Height, last: Height) -> list[tuple[Digest, Height, bytes]]:
        self.blocks += last - first + 1
        return self._ledger.entries(first, last)


def test_one_copy_that_never_comes_has_no_block_read_twice(trading: Members) -> None:
    lacking = [owed(trading) for _ in range(3)]
    view = trading.open("regulator").view
    ledger = Counted(view.ledger)
    copies = Copies(replace(view, ledger=ledger))  # type: ignore[arg-type]
    for _ in range(5):
        assert [one.leaf for one in copies.missing()] == lacking
    assert ledger.blocks == view.progress.tip
    asked = ledger.questions
    assert [one.leaf for one in copies.missing()] == lacking
    assert ledger.questions == asked
    more = owed(trading)
    assert [one.leaf for one in copies.missing()] == [*lacking, more]
    assert ledger.blocks == view.progress.tip


def test_where_more_is_missing_than_one_answer_holds_the_rest_is_told_later_and_nothing_is_forgotten(
    trading: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regulating, "MAX_MISSING", 2)
    lacking = [owed(trading) for _ in range(4)]
    view = trading.open("regulator").view
    ledger = Counted(view.ledger)
    copies = Copies(replace(view, ledger=ledger))  # type: ignore[arg-type]
    for _ in range(3):
        assert [one.leaf for one in copies.missing()] == lacking[:2]
    assert ledger.blocks <= view.progress.tip
    deliver(trading, peers(trading))
    assert copies.missing() == []
    assert Copies(view).missing() == []


def owed(members: Members) -> Digest:
    """A record of the supplier's that stands, and whose copy nobody has sent yet."""
    _, package = sent(members, "supplier", registration(members, an_object()))
    return leaf_of(package)


def test_a_refused_transaction_owes_nobody_a_copy(trading: Members) -> None:
    core = trading.open("core").view
    height = core.progress.tip
    with pytest.raises(RuleRejected):
        sent(trading, "core", confirmation(an_object()))
    spread_new(trading)
    assert core.ledger.entries(Height(height + 1), Height(height + 1))  # the refusal stands
    assert Copies(trading.open("regulator").view).missing() == []


def test_an_erased_copy_is_not_missing(trading: Members) -> None:
    leaf = delivered(trading)
    view = trading.open("regulator").view
    assert view.records.known([leaf, Digest(bytes(32))]) == {leaf}
    assert Copies(view).missing() == []
