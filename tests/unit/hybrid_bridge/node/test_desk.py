from collections.abc import Sequence
from dataclasses import replace

import pytest

from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.labels import creditor_invoice
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.transaction import Body, SignaturePart, SignedTransaction
from hybrid_bridge.errors import (
    AdmissionRejected,
    BridgeError,
    Expired,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    Missing,
    NotYet,
    Refuted,
    RuleRejected,
    Unknown,
    Unreachable,
)
from hybrid_bridge.node.bundling import Bundler
from hybrid_bridge.node.delivering import Deliverer
from hybrid_bridge.node.desk import LIVES_FOR
from hybrid_bridge.node.desk_service import DeskService
from hybrid_bridge.node.documents import open_document
from hybrid_bridge.node.drafts import DraftPackage, parse_draft
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.node.submitting import faulty
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from tests.unit.hybrid_bridge.node.members import CADENCE, Members, started
from tests.unit.hybrid_bridge.node.trade import (
    PARTY,
    SELLER,
    Instant,
    an_object,
    confirmation,
    desk,
    registration,
    sent,
    spread_new,
    tampered,
)


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


def test_the_same_purpose_gives_the_same_key_and_another_gives_another(trading: Members) -> None:
    mine, theirs = desk(trading, "supplier"), desk(trading, "bank-a")
    assert mine.key("a").public == mine.key("a").public
    assert len({d.key(p).public.key_id for d in (mine, theirs) for p in ("a", "b", "identity")}) == 6
    assert mine.key("identity").public == trading.open("supplier").view.directory.identities["supplier"]
    for purpose in ("", "x" * 257):
        with pytest.raises(FieldMalformed):
            mine.key(purpose)


def test_a_record_is_drafted_sent_and_promised(trading: Members) -> None:
    result, package = sent(trading, "supplier", registration(trading, an_object()))
    promise = SignedPromise.decode(result.promise)
    promise.verify(trading.open("core").view.directory.identities["core"])
    promise.promise.verify_window(6, result.body.expires_epoch)
    fields = open_document(parse_delivery(package.document)).fields
    assert (result.code, fields["seller"]) == (0, SELLER)
    assert package.audience == ("bank-a", "core", "regulator")


def test_a_draft_is_read_as_it_was_written_and_shows_nothing(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    assert parse_draft(package.encode()) == package
    assert SELLER not in repr(package)
    for noise in (b"", b"{}", b"[]", package.encode() + b" "):
        with pytest.raises(Malformed):
            parse_draft(noise)


def test_the_same_draft_sent_twice_stands_once(trading: Members) -> None:
    result, package = sent(trading, "supplier", registration(trading, an_object()))
    again = desk(trading, "supplier").send(package, [])
    assert (again.height, again.body.transaction_id) == (result.height, result.body.transaction_id)


def test_a_sender_that_lags_behind_is_told_to_ask_again(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    desk(trading, "supplier").send(package, [])  # the block has not reached the supplier
    with pytest.raises(NotYet):
        desk(trading, "supplier").send(package, [])
    spread_new(trading)
    assert desk(trading, "supplier").send(package, []).height == 2


def test_what_may_stand_in_a_block_that_has_not_come_is_not_called_expired(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    desk(trading, "supplier").send(package, [])  # the block has not reached the supplier, nor have many epochs
    trading.order(trading.clock.moment + (LIVES_FOR + 2) * CADENCE)
    with pytest.raises(NotYet):  # who drafts it anew would do the deed twice
        desk(trading, "supplier").send(package, [])
    spread_new(trading)
    assert desk(trading, "supplier").send(package, []).height == 2
    assert standings(trading) == ["accepted"]


def test_what_comes_to_stand_while_its_end_is_told_stands(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    desk(trading, "supplier").send(package, [])
    trading.order(trading.clock.moment + (LIVES_FOR + 2) * CADENCE)

    class Late(Silent):
        def submit(self, signed: list[bytes]) -> list[pb.SubmitResult]:
            spread_new(trading)
            return super().submit(signed)

    late = Late(Expired(expires_epoch=1, epoch=2))
    assert desk(trading, "supplier", late).send(package, []).height == 2  # type: ignore[arg-type]


def test_a_draft_that_nobody_sent_in_time_has_expired(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    pass_epochs(trading, LIVES_FOR + 2)
    with pytest.raises(Expired):
        desk(trading, "supplier").send(package, [])


def test_a_number_that_another_transaction_took_is_replaced(trading: Members) -> None:
    first, second = (desk(trading, "supplier").draft(registration(trading, an_object())) for _ in range(2))
    one, other = desk(trading, "supplier"), desk(trading, "supplier")
    assert one.send(first, []).body.sequence == 0
    assert other.send(second, []).body.sequence == 1  # it still believed 0


def test_what_a_rule_refuses_stands_on_the_record_and_its_document_is_forgotten(trading: Members) -> None:
    object_id = an_object()
    sent(trading, "supplier", registration(trading, object_id))
    package = desk(trading, "supplier").draft(registration(trading, object_id))
    height = trading.open("core").view.progress.tip
    with pytest.raises(RuleRejected):
        desk(trading, "supplier").send(package, [])
    assert trading.open("core").view.progress.tip == height + 1
    assert standings(trading) == ["accepted", "waiting"]
    spread_new(trading)
    assert standings(trading) == ["accepted", "refused"]
    assert sent(trading, "supplier", registration(trading, an_object()))[0].body.sequence == 2
    pass_epochs(trading, LIVES_FOR + 2)
    assert standings(trading) == ["accepted", "accepted"]


def standings(trading: Members) -> list[str]:
    """What the supplier is told of its documents, after a look at its own ledger."""
    view = trading.open("supplier").view
    Deliverer(view, {}).settle()
    supplier = desk(trading, "supplier")
    noticer = Noticer(view, supplier, follows=False)
    service = DeskService(view, supplier, Bundler(view, lambda _size: b""), noticer)
    call = Call(Caller("supplier", "owner"), lambda: True)
    return [record.standing for record in service.records(pb.RecordsRequest(), call).records]


def pass_epochs(trading: Members, count: int) -> None:
    """So much later the sequencer makes an empty block."""
    trading.spread(trading.order(trading.clock.moment + count * CADENCE))


def test_a_stranger_is_refused_without_a_record(trading: Members) -> None:
    supplier = desk(trading, "supplier")
    package = supplier.draft(registration(trading, an_object()))
    body = Body.decode(package.body)
    stranger = desk(trading, "bank-a").key("not a member")
    signed = Instant(trading).submit([_signed(body, stranger, supplier.authorise(package, [_creditor(body, trading)]))])
    assert signed[0].fault.name != ""
    assert trading.open("core").view.progress.tip == 1


def _creditor(body: Body, trading: Members) -> str:
    purpose = trading.open("supplier").view.records.purpose(body.authorisers[0])
    assert purpose is not None
    return purpose


def _signed(body: Body, key: PrivateKey, parts: list[SignaturePart]) -> bytes:
    own = replace(body, submitter=key.public.key_id)
    return SignedTransaction.assemble(own, SignaturePart.over(own.message, key), parts).encode()


def test_a_consent_that_is_missing_is_undecided(trading: Members) -> None:
    other = desk(trading, "bank-a").key("elsewhere").public.key_id
    order = registration(trading, an_object(), others=(other,))
    package = desk(trading, "supplier").draft(order)
    with pytest.raises(Missing):
        desk(trading, "supplier").send(package, [])
    assert trading.open("supplier").view.records.records(0) == []


def test_only_keys_that_the_body_names_consent(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    with pytest.raises(AdmissionRejected):
        desk(trading, "bank-a").authorise(package, ["identity"])


def test_only_who_drafted_it_submits(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    with pytest.raises(AdmissionRejected):
        desk(trading, "core").send(package, [])


def test_an_audience_of_nobody_known_is_refused(trading: Members) -> None:
    with pytest.raises(Unknown):
        desk(trading, "supplier").draft(registration(trading, an_object(), audience=("nobody",)))


def test_every_member_finds_the_same_place_for_a_label(trading: Members) -> None:
    order = confirmation(an_object())
    payloads = [desk(trading, name).draft(order).opened()[1] for name in ("core", "bank-b", "regulator")]
    assert len({op.index for payload in payloads for op in payload.ops}) == 1


# ── whoever is asked to consent reads everything ─────────────────────────────────────────────────────────────────────


def confirming(trading: Members) -> DraftPackage:
    object_id = an_object()
    sent(trading, "supplier", registration(trading, object_id))
    return desk(trading, "core").draft(confirmation(object_id))


def test_a_label_that_is_kept_back_gets_no_consent(trading: Members) -> None:
    package = tampered(confirming(trading), openings=[])
    with pytest.raises(FieldMismatch) as refused:
        desk(trading, "core").authorise(package, ["identity"])
    assert refused.value.field == "labels"


def test_the_label_of_another_invoice_gets_no_consent(trading: Members) -> None:
    package = confirming(trading)
    (opening,) = parse_delivery(package.document).openings
    other = creditor_invoice(PARTY, "INV-2").encode()
    document = replace(parse_delivery(package.document), openings=(replace(opening, label=other),))
    with pytest.raises(FieldMismatch):
        desk(trading, "core").authorise(replace(package, document=document.encode()), ["identity"])


def test_a_member_that_is_no_validator_judges_labels_too(trading: Members) -> None:
    package = confirming(trading)
    with pytest.raises(AdmissionRejected):  # the label is true; its key is not asked for
        desk(trading, "regulator").authorise(package, ["identity"])
    with pytest.raises(FieldMismatch):
        desk(trading, "regulator").authorise(tampered(package, openings=[]), ["identity"])


def test_a_document_that_is_not_whole_gets_no_consent(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    document = parse_delivery(package.document)
    for changed in (
        replace(document, disclosures=document.disclosures[:-1]),
        replace(document, decoys=document.decoys[:-1]),
        replace(document, decoys=()),
        replace(document, entry=document.entry[:-1] + bytes([document.entry[-1] ^ 1])),
    ):
        with pytest.raises((Malformed, Refuted)):
            desk(trading, "supplier").authorise(replace(package, document=changed.encode()), [])


def test_another_document_than_the_bodys_gets_no_consent(trading: Members) -> None:
    one, other = (desk(trading, "supplier").draft(registration(trading, an_object())) for _ in range(2))
    with pytest.raises(FieldMismatch):
        desk(trading, "supplier").authorise(replace(one, document=other.document), [])


# ── when the answer does not come ────────────────────────────────────────────────────────────────────────────────────


class Silent:
    """A sequencer that perhaps took it."""

    def __init__(self, error: BridgeError | None = None) -> None:
        self.error = error or Unreachable(endpoint="core", call="Submit")

    def submit(self, signed: list[bytes]) -> list[pb.SubmitResult]:
        return [faulty(self.error) for _ in signed]


class Liar(Instant):
    """A sequencer that orders a transaction and says that it refused it."""

    def __init__(self, members: Members, error: BridgeError) -> None:
        super().__init__(members)
        self.error = error

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        super().submit(signed)
        return [faulty(self.error) for _ in signed]


@pytest.mark.parametrize(
    "error",
    [
        RuleRejected(rule="I9", subject="x"),
        Expired(expires_epoch=1, epoch=2),
        AdmissionRejected(rule="a member"),
        FieldMalformed(field="body", rule="well formed"),
    ],
)
def test_nobodys_word_but_our_ledgers_loses_a_document(trading: Members, error: BridgeError) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    with pytest.raises(NotYet if isinstance(error, Expired) else type(error)):
        desk(trading, "supplier", Liar(trading, error)).send(package, [])
    assert standings(trading) == ["waiting"]
    spread_new(trading)
    assert standings(trading) == ["accepted"]
    pass_epochs(trading, LIVES_FOR + 2)
    assert standings(trading) == ["accepted"]
    assert trading.open("supplier").view.records.undelivered() == 3


def test_what_our_ledger_shows_already_is_kept_when_it_is_sent_again(trading: Members) -> None:
    result, package = sent(trading, "supplier", registration(trading, an_object()))
    records = trading.open("supplier").view.records
    records.forget(entry_leaf(parse_delivery(package.document).entry))  # a record store older than the ledger
    again = desk(trading, "supplier").send(package, [])
    assert again.height == result.height
    assert standings(trading) == ["accepted"]
    assert records.undelivered() == 3


def test_the_audience_is_made_anew_from_the_directory_when_a_draft_is_sent(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    assert "regulator" in package.audience
    cut = replace(package, audience=("core", "supplier"))  # it travelled between those who authorise it
    desk(trading, "supplier").send(cut, [])
    spread_new(trading)
    records = trading.open("supplier").view.records
    assert {owed.recipient for owed in records.owed(trading.clock.now())} == {"core", "regulator"}
    desk(trading, "supplier").send(package, [])
    desk(trading, "supplier").send(package, [])
    assert [owed.recipient for owed in records.owed(trading.clock.now())] == ["core", "regulator", "bank-a"]
    with pytest.raises(Unknown):
        desk(trading, "supplier").send(replace(package, audience=("nobody",)), [])


def test_a_document_is_kept_when_nobody_knows_whether_it_stands(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    with pytest.raises(Unreachable):
        desk(trading, "supplier", Silent()).send(package, [])  # type: ignore[arg-type]
    assert len(trading.reopen("supplier").view.records.records(0)) == 1
    assert desk(trading, "supplier").send(package, []).code == 0
    assert len(trading.open("supplier").view.records.records(0)) == 1


def test_nonsense_at_the_pool_gets_a_fault_each(trading: Members) -> None:
    results = Instant(trading).submit([b"", b"\x01" * 300])
    assert [result.height for result in results] == [0, 0]
    assert all(result.fault.name for result in results)


def test_a_full_pool_says_so(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object()))
    with pytest.raises(NotYet):
        desk(trading, "supplier", Instant(trading, limit=0)).send(package, [])


def test_a_draft_beyond_its_life_is_refused(trading: Members) -> None:
    package = desk(trading, "supplier").draft(registration(trading, an_object(), lives_for=1))
    trading.clock.moment += 100
    with pytest.raises(BridgeError):
        desk(trading, "supplier").send(package, [])
    assert standings(trading) == ["waiting"]  # our own ledger has not come so far
    spread_new(trading)
    assert standings(trading) == []


def test_no_key_signs_another_s_draft_that_passes_the_regulator_by(trading: Members) -> None:
    supplier = desk(trading, "supplier")
    drafted = supplier.draft(registration(trading, an_object()))
    without = replace(drafted, audience=("bank-a", "core"))
    with pytest.raises(AdmissionRejected) as refused:
        desk(trading, "bank-a").authorise(without, [])
    assert refused.value.rule == "the regulator regulator in the audience"
    assert desk(trading, "bank-a").authorise(drafted, []) == []
    of_its_own = desk(trading, "regulator").draft(registration(trading, an_object()))
    assert "regulator" not in of_its_own.audience
    assert desk(trading, "bank-a").authorise(of_its_own, []) == []
