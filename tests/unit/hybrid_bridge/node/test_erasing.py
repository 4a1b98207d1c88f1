"""Erasure: the bytes are in the node's files before and in none after; everything else verifies as before."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_bridge.adapters.sqlite.erasing import SqlErasures
from hybrid_bridge.adapters.sqlite.file import SqliteFile
from hybrid_bridge.adapters.sqlite.records import SqlRecords, StoredRecord
from hybrid_bridge.core.bundle import Bundle
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.labels import creditor_invoice
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import Erased, FieldMalformed, NotYet, StoreBroken, TooLong, Unknown
from hybrid_bridge.node import erasing
from hybrid_bridge.node.bundling import BundleOrder, Bundler, RecordOrder
from hybrid_bridge.node.delivering import Deliverer
from hybrid_bridge.node.desk_service import DeskService
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.erasing import Eraser, Selection
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.testing.crashing import Killed
from hybrid_bridge.units import Digest, EpochNumber, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.test_delivering import Peer, deliver, offer, peers
from tests.unit.hybrid_bridge.node.trade import PARTY, SELLER, an_object, confirmation, desk, registration, sent

WINDOW = 24  # characters: what of a text may not be found anywhere


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


def leaf_of(package: DraftPackage) -> Digest:
    return entry_leaf(parse_delivery(package.document).entry)


def pieces(text: bytes) -> Iterator[bytes]:
    """A page may hold a part of it: every window counts."""
    return (text[at : at + WINDOW] for at in range(0, len(text) - WINDOW + 1, WINDOW // 2))


def private_bytes(package: DraftPackage) -> set[bytes]:
    """What only the document holds: private disclosures with their salts, decoy seeds, openings. Claims are the ledger's."""
    document = parse_delivery(package.document)
    half = len(document.disclosures[0].path)
    texts = [part.value for part in document.disclosures if part.index >= 1 << (half - 1)]
    texts += map(b64u, document.decoys)
    for opening in document.openings:
        texts += [b64u(opening.opening), b64u(opening.label)]
    return {piece for text in texts for piece in pieces(text.encode())}


def everything(package: DraftPackage) -> set[bytes]:
    return set(pieces(package.document))


def found_in(folder: Path, wanted: set[bytes]) -> dict[str, int]:
    """Files below a folder that hold any of these bytes, and how many."""
    counts = {}
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            counts[path.name] = sum(piece in data for piece in wanted)
    return {name: count for name, count in counts.items() if count}


def erase(members: Members, name: str, **selection: object):
    return Eraser(members.open(name).view).erase(Selection(**selection), "request")


# ── the bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_bytes_are_in_the_files_before_and_in_no_file_after(trading: Members) -> None:
    object_id = an_object()
    _, package = sent(trading, "supplier", registration(trading, object_id))
    _, labelled = sent(trading, "core", confirmation(object_id))
    for name, drafted in (("supplier", package), ("core", labelled)):
        view, secret = trading.open(name).view, private_bytes(drafted)
        envelopes = {piece for owed in view.records.owed(trading.clock.now()) for piece in pieces(owed.envelope)}
        folder = trading.folder(name)
        assert len(secret) > 20
        assert sum(found_in(folder, secret).values()) >= len(secret)
        assert found_in(folder, envelopes)
        erase(trading, name, leaves=(leaf_of(drafted),))
        assert found_in(folder, secret) == {}
        assert found_in(folder, envelopes) == {}
        assert set(found_in(folder, everything(drafted))) <= {"ledger.db", "ledger.db-wal"}  # claims, for all to read


def test_who_got_the_document_erases_its_own_copy(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    deliver(trading, peers(trading))
    assert found_in(trading.folder("bank-a"), private_bytes(package))
    erase(trading, "bank-a", matches=(("seller", SELLER),))
    assert found_in(trading.folder("bank-a"), private_bytes(package)) == {}
    assert found_in(trading.folder("core"), private_bytes(package))


def test_copies_that_moved_between_pages_go_too(trading: Members) -> None:
    """Documents of many sizes, written between one another and changed: pages split, and old copies stay in them."""
    records = trading.open("supplier").view.records
    doomed = [Digest(bytes([number]) * 32) for number in range(0, 120, 3)]
    for number in range(120):
        leaf = Digest(bytes([number]) * 32)
        text = b"".join(b"<%d of %d: a private word>" % (part, number) for part in range(1 + number * 7 % 90))
        row = StoredRecord(number=0, leaf=leaf, schema="s/1", source="own", transaction_id=None, plaintext=text)
        records.keep_own(row, [("core", text[::-1] * (number % 5))], EpochNumber(9), START)
    records.stand(doomed)
    wanted = {b"of %d: a private word" % number for number in range(0, 120, 3)}
    wanted |= {text[::-1] for text in wanted}
    assert found_in(trading.folder("supplier"), wanted)
    records.erasures.erase(doomed, "request", START)
    assert found_in(trading.folder("supplier"), wanted) == {}
    assert found_in(trading.folder("supplier"), {b"of 1: a private word"})


# ── what stays ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def closed(trading: Members) -> tuple[Members, Digest, Digest]:
    """A registration at the supplier, a confirmation with a label at core; two epochs closed and signed."""
    object_id = an_object()
    _, first = sent(trading, "supplier", registration(trading, object_id))
    _, second = sent(trading, "core", confirmation(object_id))
    deliver(trading, peers(trading))
    for number in (1, 2):
        trading.spread(trading.order(START + number * CADENCE))
        for name in VALIDATORS:
            trading.close_epoch(name)
    attest_all(trading)
    return trading, leaf_of(first), leaf_of(second)


def bundle(members: Members, *leaves: Digest, labels: tuple = ()) -> Bundle:
    order = BundleOrder(
        purpose="record" if leaves else "registry",
        records=tuple(RecordOrder(leaf, ("*",)) for leaf in leaves),
        labels=labels,
        size=TreeSize(0),
        label_epoch=EpochNumber(0),
    )
    return Bundler(members.open("core").view, lambda _size: b"").bundle(order)


def test_other_proofs_verify_and_the_erased_record_has_none(closed: tuple[Members, Digest, Digest]) -> None:
    members, first, second = closed
    invoice = creditor_invoice(PARTY, "INV-1")
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=("integrity", "quorum"))
    before = bundle(members, first, second, labels=(invoice,)).encode()
    tip, roots = members.open("core").view.chain.tip, bundle(members, first).checkpoints
    erase(members, "core", leaves=(second,))
    members.reopen("core")
    attest_all(members)
    with pytest.raises(Erased) as refused:
        bundle(members, first, second)
    assert (refused.value.entry_leaf, refused.value.since) == (second, members.clock.now())
    now = UnixSeconds(START + 100)
    made = bundle(members, first, labels=(invoice,))
    assert not verify(made.encode(), trust, now).missing
    assert [fact.statement for fact in verify(made.encode(), trust, now).registry] == ["present, use unknown"]
    assert not verify(before, trust, now).missing  # what was handed out before stays what it was
    assert (members.open("core").view.chain.tip, bundle(members, first).checkpoints) == (tip, roots)


def test_a_promise_stays_when_its_document_goes(trading: Members) -> None:
    done, package = sent(trading, "supplier", registration(trading, an_object()))
    erase(trading, "supplier", leaves=(leaf_of(package),))
    promise = trading.open("supplier").view.records.promises.of(done.body.transaction_id)
    assert promise is not None
    assert promise.promise.transaction_id == done.body.transaction_id


def test_the_tombstone_says_when_why_and_of_what_kind_and_nothing_else(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    (told,) = erase(trading, "supplier", leaves=(leaf_of(package),))
    trading.clock.moment += 50
    (again,) = erase(trading, "supplier", leaves=(leaf_of(package),))
    (stone,) = trading.reopen("supplier").view.records.records(0)
    assert stone == again.record == told.record
    assert (stone.leaf, stone.schema, stone.source) == (leaf_of(package), "asset.register/1", "own")
    assert (stone.erased, stone.reason, stone.plaintext) == (trading.clock.now() - 50, "request", b"")


# ── it does not come back ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_delivery_is_refused_and_its_sender_stops_asking(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    offer(trading, package)
    erase(trading, "bank-a", leaves=(leaf_of(package),))
    with pytest.raises(Erased):
        offer(trading, package)
    to = {name: peer for name, peer in peers(trading).items() if name == "bank-a"}
    to |= {name: Peer(trading, name) for name in ("core", "regulator")}
    assert deliver(trading, to) == 0  # the supplier never saw the first acknowledgement
    trading.clock.moment += 200
    assert deliver(trading, to) == 0
    assert to["bank-a"].asked == 1
    assert found_in(trading.folder("bank-a"), private_bytes(package)) == {}
    envelopes = trading.open("supplier").view.records.erasures.envelopes(leaf_of(package))
    assert envelopes == {"bank-a": "declined", "core": "done", "regulator": "done"}


def test_an_erased_draft_is_not_sent_again(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    waiting = desk(trading, "supplier").draft(registration(trading, an_object()))
    for drafted in (package, waiting):
        if drafted is waiting:
            desk(trading, "supplier").send(waiting, [])
        erase(trading, "supplier", leaves=(leaf_of(drafted),))
        with pytest.raises(Erased):
            desk(trading, "supplier").send(drafted, [])
    assert trading.open("supplier").view.records.plaintexts() == []


def test_a_tombstone_outlives_the_epoch_in_which_its_entry_could_stand(trading: Members) -> None:
    drafted = desk(trading, "supplier").draft(registration(trading, an_object(), lives_for=1))
    desk(trading, "supplier").send(drafted, [])
    view = trading.open("supplier").view
    waiting = view.records.waiting()
    erase(trading, "supplier", leaves=(leaf_of(drafted),))
    assert (len(waiting), view.records.waiting()) == (1, [])
    view.records.forget(leaf_of(drafted))  # as a look that began before the erasure would
    assert [record.erased > 0 for record in view.records.records(0)] == [True]


def test_an_envelope_on_its_way_while_it_is_erased_settles_nothing_else(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    view = trading.open("supplier").view
    (owed, *_) = view.records.owed(trading.clock.now())
    erase(trading, "supplier", leaves=(leaf_of(package),))
    assert view.records.undelivered() == 0
    view.records.settle(owed.number, b"signed")
    _, other = sent(trading, "supplier", registration(trading, an_object()))
    assert set(view.records.erasures.envelopes(leaf_of(other)).values()) == {"owed"}
    Deliverer(view, peers(trading)).deliver_due()  # type: ignore[arg-type]
    assert view.records.undelivered() == 0


# ── what is meant ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_records_are_chosen_by_leaf_by_object_and_by_value(trading: Members) -> None:
    one, other = an_object(), an_object()
    _, first = sent(trading, "supplier", registration(trading, one))
    _, second = sent(trading, "supplier", registration(trading, other))
    eraser = Eraser(trading.open("supplier").view)

    def chosen(**selection: object) -> set[Digest]:
        return {doomed.record.leaf for doomed in eraser.chosen(Selection(**selection))}

    assert chosen(leaves=(leaf_of(first),)) == chosen(objects=(one,)) == {leaf_of(first)}
    assert chosen(matches=(("seller", SELLER),)) == {leaf_of(first), leaf_of(second)}
    assert chosen(leaves=(leaf_of(first),), objects=(other,)) == {leaf_of(first), leaf_of(second)}
    assert chosen(matches=(("event_time", str(START + 1)),)) == {leaf_of(first), leaf_of(second)}
    assert trading.open("supplier").view.records.record(leaf_of(first)) is not None  # to choose is not to erase
    for wrong in (
        {"leaves": (Digest(bytes(32)),)},
        {"leaves": (leaf_of(first), Digest(bytes(32)))},
        {"objects": (an_object(),)},
        {"matches": (("seller", "Nobody"),)},
        {"matches": (("buyer", SELLER),)},
        {"matches": (("seller", SELLER[:-1]),)},
    ):
        with pytest.raises(Unknown):
            eraser.erase(Selection(**wrong), "request")
    with pytest.raises(FieldMalformed):
        eraser.chosen(Selection())
    assert len(trading.open("supplier").view.records.plaintexts()) == 2


@pytest.mark.parametrize("reason", ["", "A name", "x" * 65, "line\n", "Zhang-San", "-"])
def test_a_reason_that_could_hold_content_is_refused(trading: Members, reason: str) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    view = trading.open("supplier").view
    with pytest.raises(FieldMalformed):
        Eraser(view).erase(Selection(leaves=(leaf_of(package),)), reason)
    assert len(view.records.plaintexts()) == 1


def test_more_than_one_answer_holds_is_refused_before_anything_goes(trading: Members, monkeypatch) -> None:
    monkeypatch.setattr(erasing, "MAX_ERASED", 1)
    for _ in range(2):
        sent(trading, "supplier", registration(trading, an_object()))
    with pytest.raises(TooLong):
        erase(trading, "supplier", matches=(("seller", SELLER),))
    assert len(trading.open("supplier").view.records.plaintexts()) == 2


def test_the_desk_tells_first_and_erases_what_is_confirmed(trading: Members) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    to["bank-a"].away = True
    deliver(trading, to)
    view = trading.open("supplier").view
    supplier = desk(trading, "supplier")
    noticer = Noticer(view, supplier, follows=False)
    service = DeskService(view, supplier, Bundler(view, lambda _size: b""), noticer)
    request = pb.EraseRequest(matches=[pb.FieldMatch(name="seller", value=SELLER)], reason="request")
    (row,) = service.erase(request, None).records
    assert (row.entry_leaf, row.erased_at) == (leaf_of(package), 0)
    assert (list(row.owed), list(row.signed)) == (["bank-a"], ["core", "regulator"])
    assert row.disclosures > 0
    assert row.decoys > 0
    request.confirmed = True
    (row,) = service.erase(request, None).records
    assert (row.erased_at, row.reason) == (trading.clock.now(), "request")
    (summary,) = service.records(pb.RecordsRequest(), None).records
    assert summary.standing == "erased"
    with pytest.raises(Erased):
        service.record(pb.RecordRequest(entry_leaf=leaf_of(package)), None)
    with pytest.raises(Unknown):  # its fields are gone, so a value finds it no more
        service.erase(request, None)


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

STEPS = ((SqlErasures, "_bury"), (SqliteFile, "empty_log"), (SqliteFile, "rewrite"), (SqlErasures, "_settle"))
CALLS = 5  # bury, empty the log, rewrite, empty the log, settle


def killing(monkeypatch, at: int, when: str) -> list[str]:
    """Die before or after the call numbered `at` of those that make something durable."""
    seen: list[str] = []

    def watched(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            number = len(seen)
            seen.append(name)
            if (number, when) == (at, "before"):
                raise Killed(name)
            result = real(*args)
            if (number, when) == (at, "after"):
                raise Killed(name)
            return result

        return call

    for kind, name in STEPS:
        monkeypatch.setattr(kind, name, watched(name, getattr(kind, name)))
    return seen


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
def test_killed_anywhere_the_next_start_finishes_it(
    trading: Members, tmp_path: Path, monkeypatch, at: int, when: str
) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    _, other = sent(trading, "supplier", registration(trading, an_object()))
    view, leaf = trading.open("supplier").view, leaf_of(package)
    with monkeypatch.context() as patched:
        killing(patched, at, when)
        with pytest.raises(Killed):
            erase(trading, "supplier", leaves=(leaf,))
    folder = tmp_path / "as-the-kill-left-it"
    shutil.copytree(trading.folder("supplier"), folder)  # a close would tidy up, a kill does not
    records = SqlRecords(SqliteFile(folder / "records.db", "records"))
    records.open(view.directory.log_id, "supplier")
    try:
        if (at, when) == (0, "before"):
            assert records.record(leaf) is not None  # nothing had begun
        else:
            only_here = {piece for piece in private_bytes(package) if piece not in other.document}
            assert len(only_here) > 20
            assert found_in(folder, only_here) == {}
            with pytest.raises(Erased):
                records.record(leaf)
        assert records.record(leaf_of(other)) is not None
    finally:
        records.close()


def test_the_crash_test_meets_every_durable_step(trading: Members, monkeypatch) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    seen = killing(monkeypatch, -1, "never")
    erase(trading, "supplier", leaves=(leaf_of(package),))
    assert seen == ["_bury", "empty_log", "rewrite", "empty_log", "_settle"]


def test_a_reader_who_holds_the_log_makes_it_wait_and_the_next_call_finishes(trading: Members, monkeypatch) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    records = trading.open("supplier").view.records
    file = records.file
    with file._writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=1")
    with file.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM record").scalar()
        with pytest.raises(NotYet):
            erase(trading, "supplier", leaves=(leaf_of(package),))
        with pytest.raises(Erased):
            records.record(leaf_of(package))
    erase(trading, "supplier", leaves=(leaf_of(package),))
    assert found_in(trading.folder("supplier"), private_bytes(package)) == {}


def test_a_start_that_cannot_finish_gives_the_store_up_again(trading: Members, monkeypatch) -> None:
    _, package = sent(trading, "supplier", registration(trading, an_object()))
    view = trading.open("supplier").view
    with monkeypatch.context() as patched:
        killing(patched, 1, "before")
        with pytest.raises(Killed):
            erase(trading, "supplier", leaves=(leaf_of(package),))
    view.records.close()

    def full(_file: SqliteFile) -> None:
        raise StoreBroken(store="records", rule="writable")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteFile, "rewrite", full)
        with pytest.raises(StoreBroken):
            view.records.open(view.directory.log_id, "supplier")
    view.records.open(view.directory.log_id, "supplier")  # the lock was free
    assert found_in(trading.folder("supplier"), private_bytes(package)) == {}


def test_a_store_that_owes_no_erasure_is_opened_without_a_rewrite(trading: Members, monkeypatch) -> None:
    seen = killing(monkeypatch, -1, "never")
    trading.reopen("supplier")
    assert seen == []
