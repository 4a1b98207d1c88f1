"""A bank's key finances no invoice whose labels are another's, nor one that the bank has not read (F-R15, P)."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.labels import Label, normalised
from hybrid_bridge.errors import FieldMismatch, Missing, NotYet
from hybrid_bridge.node.delivering import Receiver, sealed_for
from hybrid_bridge.node.desk import DraftOrder
from hybrid_bridge.node.drafts import DraftPackage
from tests.unit.hybrid_bridge.node.members import START, Members, started
from tests.unit.hybrid_bridge.node.trade import PARTY, an_object, confirmation, desk, registration, sent, spread_new

BUYER = "USCI:91350100M000100Y43"
NUMBER = "26990000000000000001"
PRIVATE = {
    "seller": PARTY,
    "buyer": BUYER,
    "jurisdiction": "CN",
    "cn_einv": NUMBER,
    "inv_no": "INV-1",
    "issue_date": "2027-01-15",
}
ISSUED = "2027-01-15"  # the date of START


def true_labels(number: str = NUMBER) -> tuple[Label, ...]:
    return (
        normalised(2, "CN", number),
        normalised(3, PARTY, "INV-1"),
        normalised(4, PARTY, "INV-1", "1"),
        normalised(5, BUYER, "CNY", "1000", "2027-01-15", "1"),
    )


class Trade:
    """One invoice on its way to a bank."""

    def __init__(self, members: Members, labels: tuple[Label, ...]) -> None:
        self.members, self.asset, self.note = members, an_object(), an_object()
        order = registration(members, self.asset)
        _, self.registered = sent(members, "supplier", replace(order, fields={**order.fields, **PRIVATE}))
        _, self.confirmed = sent(members, "core", replace(confirmation(self.asset), labels=labels))
        self._issue()

    def _issue(self) -> None:
        fields: dict[str, object] = {
            "note": self.note,
            "debtor": self.key("core", "identity"),
            "ccy": "CNY",
            "face": "1000",
            "issue_date": ISSUED,
            "due_date": "2027-03-15",
            "payee_key": self.key("supplier", "holder"),
            "back.0.object": self.asset,
            "back.0.allot": "1000",
        }
        self.send("core", "note.issue/1", fields, "identity")
        self.send("supplier", "note.accept/1", {"note": self.note}, "holder")

    def key(self, name: str, purpose: str) -> str:
        return b64u(desk(self.members, name).key(purpose).public.key_id)

    def draft(self, name: str, schema: str, fields: dict[str, object], *purposes: str, **more: object) -> DraftPackage:
        order = DraftOrder(schema=schema, fields={**fields, "event_time": START + 1}, purposes=purposes, **more)
        return desk(self.members, name).draft(order)

    def send(self, name: str, schema: str, fields: dict[str, object], *purposes: str) -> None:
        desk(self.members, name).send(self.draft(name, schema, fields, *purposes), [])
        spread_new(self.members)

    def deliver(self, package: DraftPackage, name: str = "bank-a") -> None:
        view, document = self.members.open(name).view, parse_delivery(package.document)
        envelope = sealed_for(view.directory.member(name), view.directory.log_id, document)
        submitter = package.opened()[0].submitter
        sender = next(name for name, one in view.directory.identities.items() if one.key_id == submitter)
        Receiver(view).receive(sender, entry_leaf(document.entry), envelope)

    def deliver_all(self) -> None:
        self.deliver(self.registered)
        self.deliver(self.confirmed)

    def financing(self, **fields: object) -> DraftPackage:
        claims = {"note.0": self.note, "fin_key": self.key("bank-a", "fin"), "check_epoch": 1, **fields}
        return self.draft("bank-a", "fin.finance/1", claims, "fin")

    def authorise(self, package: DraftPackage, purpose: str = "fin", name: str = "bank-a") -> int:
        return len(desk(self.members, name).authorise(package, [purpose]))


@pytest.fixture
def trading(members: Members) -> Members:
    return started(members)


def test_a_bank_finances_an_invoice_that_it_has_read(trading: Members) -> None:
    trade = Trade(trading, true_labels())
    trade.deliver_all()
    assert trade.authorise(trade.financing()) == 1


def test_a_note_that_our_own_ledger_does_not_have_yet_is_no_refusal(trading: Members) -> None:
    """A bank's node that was away, asked for its key before it has caught up: the ledger has said nothing."""
    trade, unknown = Trade(trading, true_labels()), an_object()
    trade.deliver_all()
    with pytest.raises(NotYet) as caught:
        trade.authorise(trade.financing(**{"note.0": unknown}))
    assert caught.value.what == f"note {unknown} here"


def test_a_part_of_a_note_is_traced_to_the_invoice(trading: Members) -> None:
    trade, child = Trade(trading, true_labels()), an_object()
    payee = trade.key("supplier", "holder")
    split = {"note": trade.note, "child.0.note": child, "child.0.face": "1000", "child.0.payee_key": payee}
    trade.send("supplier", "note.split/1", split, "holder")
    with pytest.raises(Missing):
        trade.authorise(trade.financing(**{"note.0": child}))
    trade.deliver_all()
    assert trade.authorise(trade.financing(**{"note.0": child})) == 1


@pytest.mark.parametrize("labels", [true_labels()[:1], true_labels()[1:], true_labels("26990000000000000777"), ()])
def test_an_invoice_with_a_label_missing_or_another_s_is_not_financed(
    trading: Members, labels: tuple[Label, ...]
) -> None:
    trade = Trade(trading, labels)
    trade.deliver_all()
    package = trade.financing()
    with pytest.raises(FieldMismatch) as refused:
        trade.authorise(package)
    assert refused.value.field == "label"
    with pytest.raises(FieldMismatch):
        desk(trading, "bank-a").send(package, [])


def test_an_invoice_that_was_not_delivered_is_not_financed(trading: Members) -> None:
    trade = Trade(trading, true_labels())
    for package, code in ((trade.registered, "0x0101"), (trade.confirmed, "0x0102")):
        with pytest.raises(Missing) as missing:
            trade.authorise(trade.financing())
        assert missing.value.what.startswith(f"the delivered {code} of asset {trade.asset}")
        trade.deliver(package)
    assert trade.authorise(trade.financing()) == 1


def test_who_takes_a_financing_over_has_read_the_invoice_and_who_gives_it_up_need_not(trading: Members) -> None:
    trade = Trade(trading, true_labels())
    claims = {"note.0": trade.note, "new_fin_key": trade.key("bank-a", "fin"), "check_epoch": 1}
    old = desk(trading, "bank-b").key("fin").public.key_id
    package = trade.draft("bank-a", "fin.refinance/1", claims, "fin", others=(old,))
    assert trade.authorise(package, name="bank-b") == 1
    with pytest.raises(Missing):
        trade.authorise(package)
    trade.deliver_all()
    assert trade.authorise(package) == 1


@pytest.mark.parametrize("labels", [true_labels(), true_labels("26990000000000000777")])
def test_a_member_that_is_no_validator_finances_what_it_has_read_and_nothing_else(
    trading: Members, labels: tuple[Label, ...]
) -> None:
    trade = Trade(trading, labels)
    claims = {"note.0": trade.note, "fin_key": trade.key("regulator", "fin"), "check_epoch": 1}
    package = trade.draft("regulator", "fin.finance/1", claims, "fin")
    with pytest.raises(Missing):
        trade.authorise(package, name="regulator")
    for document in (trade.registered, trade.confirmed):
        trade.deliver(document, "regulator")
    if labels == true_labels():
        assert trade.authorise(package, name="regulator") == 1
        return
    with pytest.raises(FieldMismatch) as refused:
        trade.authorise(package, name="regulator")
    assert refused.value.field == "label"


def test_a_label_that_says_another_object_gets_no_consent(trading: Members) -> None:
    """The index is the true one; what the commitment opens to is not."""
    package = desk(trading, "core").draft(replace(confirmation(an_object()), object_id=an_object()))
    with pytest.raises(FieldMismatch) as refused:
        desk(trading, "core").authorise(package, ["identity"])
    assert refused.value.field == "labels.value"
