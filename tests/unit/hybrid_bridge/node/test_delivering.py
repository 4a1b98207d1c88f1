from dataclasses import replace

import pytest

from hybrid_bridge.adapters.sqlite import records
from hybrid_bridge.adapters.sqlite.records import WINDOW
from hybrid_bridge.core.delivery import SignedAcknowledgement, parse_delivery
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.errors import AdmissionRejected, EnvelopeUnopenable, Malformed, NotYet, Refuted, TooLong, Unreachable
from hybrid_bridge.node import delivering
from hybrid_bridge.node.delivering import LONGEST_BACKOFF, MAX_ENVELOPE, Deliverer, Receiver, sealed_for
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.units import Digest, Height
from tests.unit.hybrid_bridge.node.members import CADENCE, START, Members, started
from tests.unit.hybrid_bridge.node.trade import SELLER, an_object, confirmation, desk, registration, sent, spread_new


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


class Peer:
    """Another member's node as the sender sees it; it may be away, or sign something else."""

    def __init__(self, members: Members, name: str) -> None:
        self.name, self._members = name, members
        self.away = self.lies = False
        self.asked = 0

    def deliver(self, leaf: Digest, envelope: bytes) -> bytes:
        self.asked += 1
        if self.away:
            raise Unreachable(endpoint=self.name, call="Deliver")
        acknowledgement = Receiver(self._members.open(self.name).view, lag=0.0).receive("supplier", leaf, envelope)
        return acknowledgement[:-1] + bytes([acknowledgement[-1] ^ 1]) if self.lies else acknowledgement


def peers(members: Members) -> dict[str, Peer]:
    return {name: Peer(members, name) for name in ("core", "bank-a", "bank-b", "regulator")}


def deliver(members: Members, to: dict[str, Peer]) -> int:
    """One look at the outbox; what is still owed."""
    view = members.open("supplier").view
    Deliverer(view, to).deliver_due()  # type: ignore[arg-type]
    return view.records.undelivered()


def package(trading: Members) -> DraftPackage:
    return desk(trading, "supplier").draft(registration(trading, an_object()))


@pytest.mark.parametrize("portion", [records.MAX_ROWS, 2, 1])
def test_a_silent_recipient_is_waited_for_once_however_much_it_is_owed(
    trading: Members, monkeypatch: pytest.MonkeyPatch, portion: int
) -> None:
    """Nor does it stand in the others' way, with more than is read at once."""
    monkeypatch.setattr(records, "MAX_ROWS", portion)
    for _ in range(3):
        sent(trading, "supplier", registration(trading, an_object()))
    to, asked = peers(trading), list[str]()

    class Silent(Peer):
        def deliver(self, leaf: Digest, envelope: bytes) -> bytes:
            asked.append(self.name)
            raise Unreachable(endpoint=self.name, call="Deliver")

    to["core"] = Silent(trading, "core")
    owed = deliver(trading, to)
    assert asked == ["core"]
    assert owed == 3  # the others have theirs


def test_a_recipient_that_takes_its_time_has_a_turn_of_each_look_and_the_others_have_theirs(
    trading: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that lasted as long as one member wants would show us no new document that stands, nor that we stop."""
    for _ in range(3):
        sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    hours = iter(range(0, 1_000_000, 3_600))
    monkeypatch.setattr(delivering, "monotonic", lambda: next(hours))  # each answer takes an hour
    for look in (1, 2, 3):
        assert deliver(trading, to) == 9 - 3 * look
        assert {name: peer.asked for name, peer in to.items() if peer.asked} == dict.fromkeys(
            ("core", "bank-a", "regulator"), look
        )


def test_who_stops_offers_no_more(trading: Members) -> None:
    for _ in range(3):
        sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)

    class Stopping(Peer):
        def deliver(self, leaf: Digest, envelope: bytes) -> bytes:
            trading.open("supplier").view.progress.stop()
            return super().deliver(leaf, envelope)

    to["core"] = Stopping(trading, "core")
    assert deliver(trading, to) > 6
    assert to["core"].asked == 1


def test_every_member_of_the_audience_gets_the_document_once(trading: Members) -> None:
    _, drafted = sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    assert deliver(trading, to) == 0
    assert deliver(trading, to) == 0
    assert {name: peer.asked for name, peer in to.items()} == {"core": 1, "bank-a": 1, "bank-b": 0, "regulator": 1}
    leaf = entry_leaf(parse_delivery(drafted.document).entry)
    for name in ("core", "bank-a", "regulator"):
        record = trading.open(name).view.records.record(leaf)
        assert record is not None
        assert (record.plaintext, record.source) == (drafted.document, "supplier")
        assert SELLER not in repr(record)
    assert trading.open("bank-b").view.records.records(0) == []


def test_nothing_leaves_before_the_transaction_stands(trading: Members) -> None:
    supplier = desk(trading, "supplier")
    supplier.send(package(trading), [])  # the block has not reached the supplier's own node
    to = peers(trading)
    assert deliver(trading, to) == 3
    assert sum(peer.asked for peer in to.values()) == 0


def test_what_does_not_stand_is_asked_for_once_a_look_and_not_for_each_recipient(
    trading: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused waits until its last epoch has passed, and looks come with every block."""
    supplier, view = desk(trading, "supplier"), trading.open("supplier").view
    for _ in range(3):
        supplier.send(package(trading), [])
    asked, height = list[Digest](), view.ledger.entry_height

    def entry_height(leaf: Digest) -> Height | None:
        asked.append(leaf)
        return height(leaf)

    monkeypatch.setattr(view.ledger, "entry_height", entry_height)
    Deliverer(view, peers(trading)).deliver_due()  # type: ignore[arg-type]
    assert view.records.undelivered() == 9
    assert len(asked) == len(set(asked)) == 3


def test_a_recipient_that_is_away_is_asked_again_more_slowly(trading: Members) -> None:
    sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    to["bank-a"].away = True
    for _ in range(200):
        assert deliver(trading, to) == 1
        trading.clock.moment += 1
    assert 7 <= to["bank-a"].asked <= 10
    to["bank-a"].away = False
    trading.clock.moment += 64
    trading.reopen("supplier")
    assert deliver(trading, to) == 0


def test_a_recipient_that_is_back_gets_all_it_is_owed_with_the_first_that_it_takes(trading: Members) -> None:
    """Else each document waits for its own next attempt, and each of these may meet a moment of absence."""
    sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    sender = Deliverer(trading.open("supplier").view, to)  # type: ignore[arg-type]
    to["bank-a"].away = True
    for _ in range(70):
        sender.deliver_due()
        trading.clock.moment += 1
    asked = to["bank-a"].asked
    to["bank-a"].away = False
    sent(trading, "supplier", registration(trading, an_object()))  # its first attempt is due at once
    sender.deliver_due()
    sender.deliver_due()
    assert to["bank-a"].asked - asked == 2
    assert trading.open("supplier").view.records.undelivered() == 0


def test_an_outbox_survives_a_day_without_either_side(trading: Members) -> None:
    """A day away: the recipient, the sender for a while, and both restarted; then one copy, one signature, kept."""
    _, drafted = sent(trading, "supplier", registration(trading, an_object()))
    leaf = entry_leaf(parse_delivery(drafted.document).entry)
    to = peers(trading)
    for peer in to.values():
        peer.away = True
    noon, night = START + 12 * 3_600, START + 24 * 3_600
    while trading.clock.moment < noon:
        assert deliver(trading, to) == 3
        trading.clock.moment += 600
    trading.reopen("supplier")  # dead, and up again
    trading.reopen("bank-a")
    asked = to["bank-a"].asked
    for _ in range(600):  # second by second: it asks about once a minute, no more
        assert deliver(trading, to) == 3
        trading.clock.moment += 1
    assert 8 <= to["bank-a"].asked - asked <= 11
    trading.clock.moment = night  # the sender was down for the rest of the day
    trading.reopen("supplier")
    to["core"].away = to["regulator"].away = False
    assert deliver(trading, to) == 1
    to["bank-a"].away = False
    trading.clock.moment += LONGEST_BACKOFF
    assert deliver(trading, to) == 0
    view = trading.reopen("supplier").view
    with view.records.file.read() as connection:
        kept = connection.exec_driver_sql("SELECT recipient, acknowledgement, envelope, state FROM outbox").all()
    assert {(row.recipient, row.state, row.envelope) for row in kept} == {
        (name, "done", b"") for name in ("core", "bank-a", "regulator")
    }
    for row in kept:
        signed = SignedAcknowledgement.decode(row.acknowledgement)
        signed.verify(view.directory.identities[row.recipient])
        assert signed.acknowledgement.entry_leaf == leaf
        assert signed.acknowledgement.received_time >= night
        assert trading.open(row.recipient).view.records.record(leaf) is not None


def test_an_acknowledgement_of_another_envelope_is_none(trading: Members) -> None:
    sent(trading, "supplier", registration(trading, an_object()))
    sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    to["core"].away = to["regulator"].away = True

    class Swapping(Peer):
        """Signs for the first envelope, whatever comes."""

        first = b""

        def deliver(self, leaf: Digest, envelope: bytes) -> bytes:
            self.first = self.first or super().deliver(leaf, envelope)
            return self.first

    to["bank-a"] = Swapping(trading, "bank-a")
    assert deliver(trading, to) == 5
    trading.clock.moment += 3_600
    assert deliver(trading, to) == 5


def test_a_false_acknowledgement_is_none(trading: Members) -> None:
    sent(trading, "supplier", registration(trading, an_object()))
    to = peers(trading)
    to["core"].lies = True
    assert deliver(trading, to) == 1


def test_what_can_never_stand_is_given_up(trading: Members) -> None:
    drafted = desk(trading, "supplier").draft(registration(trading, an_object(), lives_for=1))
    desk(trading, "supplier").send(drafted, [])
    view = trading.open("supplier").view
    height = view.progress.tip
    assert view.records.undelivered() == 3
    view.records.forget(entry_leaf(parse_delivery(drafted.document).entry))  # as if it had been refused
    assert (view.records.undelivered(), height) == (0, 1)


def test_an_envelope_whose_transaction_expired_is_gone(trading: Members) -> None:
    drafted = desk(trading, "supplier").draft(registration(trading, an_object(), lives_for=1))
    view = trading.open("supplier").view
    members = [view.directory.member(name) for name in drafted.audience]
    document = parse_delivery(drafted.document)
    record = replace(_own(trading), leaf=entry_leaf(document.entry), plaintext=drafted.document)
    envelopes = [(member.name, sealed_for(member, view.directory.log_id, document)) for member in members]
    view.records.keep_own(record, envelopes, 2, START)
    to = peers(trading)
    assert deliver(trading, to) == 3
    trading.spread(trading.order(START + 3 * CADENCE))
    assert deliver(trading, to) == 0
    assert sum(peer.asked for peer in to.values()) == 0


def _own(trading: Members):
    _, drafted = sent(trading, "supplier", registration(trading, an_object()))
    deliver(trading, peers(trading))
    record = trading.open("supplier").view.records.record(entry_leaf(parse_delivery(drafted.document).entry))
    assert record is not None
    return record


# ── the receiver ─────────────────────────────────────────────────────────────────────────────────────────────────────


def standing(trading: Members) -> DraftPackage:
    """A draft of the supplier's whose transaction stands everywhere."""
    return sent(trading, "supplier", registration(trading, an_object()))[1]


def offer(trading: Members, drafted: DraftPackage, sender: str = "supplier") -> bytes:
    """The document sealed for bank-a and handed over by `sender`."""
    view = trading.open("bank-a").view
    document = parse_delivery(drafted.document)
    envelope = sealed_for(view.directory.member("bank-a"), view.directory.log_id, document)
    return Receiver(view, lag=0.0).receive(sender, entry_leaf(document.entry), envelope)


def test_the_acknowledgement_names_envelope_entry_and_receiver(trading: Members) -> None:
    view = trading.open("bank-a").view
    document = parse_delivery(standing(trading).document)
    leaf = entry_leaf(document.entry)
    envelope = sealed_for(view.directory.member("bank-a"), view.directory.log_id, document)
    data = Receiver(view, lag=0.0).receive("supplier", leaf, envelope)
    signed = SignedAcknowledgement.decode(data)
    signed.verify(view.directory.identities["bank-a"])
    assert (signed.acknowledgement.entry_leaf, signed.acknowledgement.envelope_hash) == (leaf, sha256(envelope))
    assert Receiver(view, lag=0.0).receive("supplier", leaf, envelope) == data
    assert len(view.records.records(0)) == 1


def test_what_was_sealed_for_another_does_not_open(trading: Members) -> None:
    view = trading.open("bank-a").view
    document = parse_delivery(standing(trading).document)
    leaf = entry_leaf(document.entry)
    for_another = sealed_for(view.directory.member("bank-b"), view.directory.log_id, document)
    for_us = sealed_for(view.directory.member("bank-a"), view.directory.log_id, document)
    for envelope, named in ((for_another, leaf), (for_us, Digest(ZERO)), (b"noise", leaf)):
        with pytest.raises(EnvelopeUnopenable):
            Receiver(view, lag=0.0).receive("supplier", named, envelope)
    with pytest.raises(Malformed):
        Receiver(view, lag=0.0).receive("supplier", Digest(b"short"), for_us)


def test_a_document_that_keeps_something_back_is_not_taken(trading: Members) -> None:
    view = trading.open("bank-a").view
    document = parse_delivery(standing(trading).document)
    leaf = entry_leaf(document.entry)
    for changed in (
        replace(document, disclosures=document.disclosures[1:]),
        replace(document, decoys=document.decoys[1:]),
        replace(document, decoys=(*document.decoys[1:], bytes(32))),
    ):
        envelope = sealed_for(view.directory.member("bank-a"), view.directory.log_id, changed)
        with pytest.raises((Malformed, Refuted)):
            Receiver(view, lag=0.0).receive("supplier", leaf, envelope)
    assert view.records.records(0) == []


def test_a_document_whose_entry_does_not_stand_here_waits_at_its_sender(trading: Members) -> None:
    drafted = package(trading)
    with pytest.raises(NotYet):
        offer(trading, drafted)
    assert trading.open("bank-a").view.records.records(0) == []
    desk(trading, "supplier").send(drafted, [])
    with pytest.raises(NotYet):
        offer(trading, drafted)  # it stands at the sequencer, not here
    spread_new(trading)
    offer(trading, drafted)
    assert len(trading.open("bank-a").view.records.records(0)) == 1


def test_only_the_submitter_delivers_an_entrys_document(trading: Members) -> None:
    drafted = standing(trading)
    with pytest.raises(AdmissionRejected):
        offer(trading, drafted, sender="bank-b")
    assert trading.open("bank-a").view.records.records(0) == []


def test_an_envelope_longer_than_any_document_is_not_opened(trading: Members) -> None:
    receiver = Receiver(trading.open("bank-a").view, lag=0.0)
    with pytest.raises(TooLong) as refused:
        receiver.receive("supplier", Digest(bytes(32)), bytes(MAX_ENVELOPE + 1))
    assert refused.value.got == MAX_ENVELOPE + 1


@pytest.mark.parametrize("quota", [("MAX_DOCUMENTS", 2), ("MAX_BYTES", 8_000)])
def test_one_member_leaves_so_much_here_in_an_hour_and_the_rest_later(
    trading: Members, quota: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, *quota)
    drafts = [standing(trading) for _ in range(3)]
    assert 3_000 < len(drafts[0].document) < 4_000
    for drafted in drafts[:2]:
        offer(trading, drafted)
    with pytest.raises(NotYet):
        offer(trading, drafts[2])
    held = trading.open("bank-a").view.records
    assert len(held.records(0)) == 2
    offer(trading, drafts[0])  # what is here already costs nothing
    trading.clock.moment += WINDOW
    offer(trading, drafts[2])
    assert len(held.records(0)) == 3


def test_what_one_member_leaves_takes_no_room_from_another(trading: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_DOCUMENTS", 1)
    object_id = an_object()
    registered = sent(trading, "supplier", registration(trading, object_id))[1]
    confirmed = sent(trading, "core", confirmation(object_id))[1]
    offer(trading, registered)
    offer(trading, confirmed, sender="core")
    assert [record.source for record in trading.open("bank-a").view.records.records(0)] == ["supplier", "core"]
