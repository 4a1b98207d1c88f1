import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.cli.export import FORMATS, Order
from hybrid_bridge.core.block import ACCEPTED, RULE_BROKEN
from hybrid_bridge.core.bundle import Bundle, decode_bundle
from hybrid_bridge.core.delivery import parse_delivery
from hybrid_bridge.core.disclosure import parse_disclosure
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.labels import creditor_invoice, life
from hybrid_bridge.core.transaction import SignaturePart, SignedTransaction
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import FieldMalformed, Missing, NotYet, SignatureWrong, Unknown
from hybrid_bridge.node.bundling import BundleOrder, Bundler, RecordOrder
from hybrid_bridge.node.founding import Foundation
from hybrid_bridge.node.presenting import is_ours
from hybrid_bridge.node.receipts import sign_receipt
from hybrid_bridge.steps.submit import finish
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.exports import verify_export
from hybrid_bridge.units import Digest, EpochNumber, TreeSize, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.trade import PARTY, an_object, confirmation, registration, sent

OBJECT = an_object()
INVOICE, LIFE = creditor_invoice(PARTY, "INV-1"), life("asset", OBJECT)


@pytest.fixture(scope="module")
def closed(laid: tuple[Foundation, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Members, Digest]]:
    """An asset registered and confirmed in epoch 1, two epochs closed and signed, everything at core."""
    foundation, root = laid
    folder = tmp_path_factory.mktemp("closed") / "out"
    shutil.copytree(root, folder)
    members = started(Members(folder, foundation))
    sent(members, "supplier", registration(members, OBJECT))
    _, package = sent(members, "core", confirmation(OBJECT))
    for number in (1, 2):
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    attest_all(members)
    with members.stack:
        yield members, entry_leaf(parse_delivery(package.document).entry)


def receipt_of(members: Members) -> Callable[[TreeSize], bytes]:
    """As the network would carry it: from the sequencer, which holds the receipt key."""
    return lambda size: sign_receipt(members.open("core").view, size)


def bundle(members: Members, name: str = "core", **order: object) -> Bundle:
    values: dict[str, object] = {
        "purpose": "record",
        "records": (),
        "labels": (),
        "size": TreeSize(0),
        "label_epoch": EpochNumber(0),
    }
    return Bundler(members.open(name).view, receipt_of(members)).bundle(BundleOrder(**(values | order)))


def names(part: object) -> list[str]:
    return [parse_disclosure(shown.value).name for shown in part.disclosures]  # type: ignore[attr-defined]


def test_only_what_was_asked_for_is_shown(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    made = bundle(members, records=(RecordOrder(leaf, ("gross",)),))
    (part,) = (entry for epoch in made.epochs for entry in epoch.entries)
    assert sorted(names(part)) == ["_origin", "_schema", "gross"]
    assert part.transaction is None
    nothing = bundle(members, records=(RecordOrder(leaf, ()),))
    assert [entry.disclosures for epoch in nothing.epochs for entry in epoch.entries] == [()]
    everything = bundle(members, records=(RecordOrder(leaf, ("*",), transaction=True),))
    (part,) = (entry for epoch in everything.epochs for entry in epoch.entries)
    assert "distinct" in names(part)
    assert part.transaction is not None


def test_a_bundle_verifies_and_says_what_became_of_the_object(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    made = bundle(members, records=(RecordOrder(leaf, ("object",), transaction=True),), labels=(INVOICE, LIFE))
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=("integrity", "quorum"))
    evidence = verify(made.encode(), trust, UnixSeconds(START + 100))
    assert not evidence.missing
    assert {fact.statement for fact in evidence.registry} == {
        f"object {OBJECT}",
        "state CONFIRMED after event 1",
    }
    assert decode_bundle(made.encode()) == made


def test_the_transaction_shown_is_the_accepted_one_and_no_refused_copy_before_it(
    closed: tuple[Members, Digest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same record may be refused under one number and accepted under the next, in the very same block."""
    members, leaf = closed
    ledger, identity = members.open("core").view.ledger, members.open("core").view.keys.identity
    height = ledger.entry_height(leaf)
    assert height is not None
    ((_, own),) = ledger.transactions_of(height)
    body = replace(SignedTransaction.decode(own).body, expires_epoch=EpochNumber(9), authorisers=())
    copy = finish(body, SignaturePart.over(body.message, identity), []).encode()
    monkeypatch.setattr(ledger, "transactions_of", lambda _: [(RULE_BROKEN, copy), (ACCEPTED, own)])
    shown = bundle(members, records=(RecordOrder(leaf, ("object",), transaction=True),))
    assert shown.epochs[0].entries[0].transaction == own


def test_a_label_nobody_registered_is_shown_absent(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    absent = creditor_invoice(PARTY, "INV-9")
    made = bundle(members, purpose="registry", labels=(absent,))
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=("integrity",))
    (fact,) = verify(made.encode(), trust, UnixSeconds(START + 100)).registry
    assert fact.statement == "not registered"


def test_a_receipt_shows_a_label_absent_before_and_present_after(members: Members) -> None:
    started(members)
    sent(members, "supplier", registration(members, OBJECT))
    members.spread(members.order(START + CADENCE))
    members.clock.moment = START + CADENCE + 1
    sent(members, "core", confirmation(OBJECT))
    for number in (2, 3):
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    for name in VALIDATORS:
        members.close_epoch(name)
    attest_all(members)
    made = bundle(members, purpose="registry", labels=(INVOICE, LIFE), receipts=True)
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=("integrity", "registry"))
    evidence = verify(made.encode(), trust, UnixSeconds(START + 100))
    assert not evidence.missing
    assert [(fact.epoch, fact.statement) for fact in evidence.registry] == [
        (1, "not registered"),
        (2, f"object {OBJECT}"),
        (3, "state CONFIRMED after event 1"),
    ]
    with pytest.raises(NotYet):
        bundle(members, purpose="registry", labels=(creditor_invoice(PARTY, "INV-9"),), receipts=True)
    with pytest.raises(NotYet):
        bundle(members, purpose="registry", labels=(INVOICE,), receipts=True, size=TreeSize(2))


def test_before_epoch_1_there_is_no_epoch_to_show(closed: tuple[Members, Digest]) -> None:
    with pytest.raises(Missing):
        bundle(closed[0], purpose="registry", labels=(INVOICE,), receipts=True)


def test_who_does_not_hold_the_document_shows_a_label_unopened(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    made = bundle(members, "bank-b", labels=(INVOICE,), size=TreeSize(2)) if _serves(members, "bank-b") else None
    assert made is not None
    (part,) = (label for epoch in made.epochs for label in epoch.labels)
    assert part.terminal is not None
    assert (part.value, part.opening) == (None, None)


def _serves(members: Members, name: str) -> bool:
    """Give a member the words of all validators, as the network would."""
    core, view = members.open("core").view, members.open(name).view
    for address in core.directory.validators.addresses:
        for signed in core.epochs.attested(address, TreeSize(0)):
            view.logbook.take_attestation(address, signed)
    for size, line in core.epochs.lines(TreeSize(0)):
        view.logbook.take_line(size, line)
    return view.progress.quorum > 0


def test_an_older_checkpoint_can_be_stood_on(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    made = bundle(members, records=(RecordOrder(leaf, ("gross",)),), size=TreeSize(2))
    assert made.checkpoints[0].note.split("\n")[1] == "2"


@pytest.mark.parametrize("size", [1, 4, 99])
def test_a_checkpoint_without_a_quorum_cannot(closed: tuple[Members, Digest], size: int) -> None:
    with pytest.raises(NotYet):
        bundle(closed[0], size=TreeSize(size))


def test_a_record_beyond_the_checkpoint_waits(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    _, package = sent(members, "supplier", registration(members, an_object(), audience=("core",)))
    leaf = entry_leaf(parse_delivery(package.document).entry)
    with pytest.raises(Unknown):
        bundle(members, records=(RecordOrder(leaf, ()),))  # core has no document of it yet
    own = members.open("supplier").view
    assert own.records.record(leaf) is not None
    _serves(members, "supplier")
    with pytest.raises(NotYet):
        bundle(members, "supplier", records=(RecordOrder(leaf, ()),))


def test_a_field_the_record_lacks_is_unknown(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    with pytest.raises(Unknown):
        bundle(members, records=(RecordOrder(leaf, ("seller",)),))


def test_a_member_that_is_no_validator_shows_a_label_as_a_validator_does(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    shown = [
        Bundler(members.open(name).view, receipt_of(members))._label(INVOICE, 0, EpochNumber(0))
        for name in ("core", "regulator")
    ]
    assert shown[0] == shown[1]


def test_before_the_first_quorum_there_is_no_bundle(members: Members) -> None:
    with pytest.raises(NotYet):
        bundle(members)


# ── ready to be exported ─────────────────────────────────────────────────────────────────────────────────────────────


def trusting(members: Members) -> Trust:
    genesis = members.foundation.genesis
    return Trust(logs=(TrustedLog(log_id=genesis.log_id, genesis=genesis.encode()),), require=("integrity", "quorum"))


def test_a_presentable_bundle_carries_the_submitters_word_and_the_logs_receipt(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    made = bundle(members, records=(RecordOrder(leaf, ()),), cose_receipt=True, presentable=True)
    assert verify(made.encode(), trusting(members), UnixSeconds(START + 100)).complete
    (part,) = (entry for epoch in made.epochs for entry in epoch.entries)
    assert sorted(names(part)) == ["_origin", "_schema"]
    assert part.issuer_jwt is not None
    for format_name, write in FORMATS.items():
        data = write(Order(bundle=made, epoch=None, entry=None, names=(), from_size=None))
        shown = verify_export(data, trusting(members), UnixSeconds(START + 100), made.encode())
        assert shown.complete or (format_name, shown.missing[0].split(":")[0]) == ("sd-jwt", "issuer")


def test_without_the_wish_there_is_neither(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    made = bundle(members, records=(RecordOrder(leaf, ("gross",)),))
    assert made.checkpoints[0].receipt is None
    assert made.epochs[0].entries[0].issuer_jwt is None


def test_who_did_not_submit_a_record_cannot_make_it_presentable(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    core, bank = members.open("core").view, members.open("bank-a").view
    record = core.records.record(leaf)
    assert record is not None
    plaintext = parse_delivery(record.plaintext)
    assert is_ours(core, plaintext)
    assert not is_ours(bank, plaintext)
    with pytest.raises(Missing):  # core, as if it were the bank: it holds the document and has another key
        Bundler(replace(core, keys=bank.keys), receipt_of(members)).bundle(
            BundleOrder(
                purpose="record",
                records=(RecordOrder(leaf, ()),),
                labels=(),
                size=TreeSize(0),
                label_epoch=EpochNumber(0),
                presentable=True,
            )
        )


def test_the_newest_checkpoint_extends_the_one_stood_on(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    order = {"records": (RecordOrder(leaf, ("gross",)),), "newest": True, "cose_receipt": True}
    made = bundle(members, size=TreeSize(2), **order)
    assert [part.note.split("\n")[1] for part in made.checkpoints] == ["2", "3"]
    assert verify(made.encode(), trusting(members), UnixSeconds(START + 100)).complete
    data = FORMATS["cose-receipt"](Order(bundle=made, epoch=None, entry=None, names=(), from_size=2))
    assert verify_export(data, trusting(members), UnixSeconds(START + 100), made.encode()).complete
    assert len(bundle(members, **order).checkpoints) == 1  # the newest itself


def test_the_receipt_key_signs_only_what_a_quorum_signed(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    core = members.open("core").view
    assert sign_receipt(core, TreeSize(2)) == sign_receipt(core, TreeSize(2)) != sign_receipt(core, TreeSize(3))
    for size in (0, 1, 4, 99):
        with pytest.raises(NotYet):
            sign_receipt(core, TreeSize(size))


def test_members_without_the_receipt_key_sign_no_receipt(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    for name in ("supplier", "regulator"):
        with pytest.raises(Unknown):
            sign_receipt(members.open(name).view, TreeSize(2))


def test_a_receipt_that_another_member_made_up_goes_into_no_bundle(closed: tuple[Members, Digest]) -> None:
    members, leaf = closed
    order = BundleOrder(
        purpose="record",
        records=(RecordOrder(leaf, ()),),
        labels=(),
        size=TreeSize(2),
        label_epoch=EpochNumber(0),
        cose_receipt=True,
    )
    for lie in (bytes(64), b"", sign_receipt(members.open("core").view, TreeSize(3))):
        with pytest.raises((FieldMalformed, SignatureWrong)):
            Bundler(members.open("core").view, lambda _size, lie=lie: lie).bundle(order)  # type: ignore[misc]


def test_a_member_that_has_halted_signs_no_receipt(closed: tuple[Members, Digest]) -> None:
    members, _ = closed
    core = members.open("core").view
    halted = replace(core, brake=Halted())  # type: ignore[arg-type]
    with pytest.raises(NotYet):
        sign_receipt(halted, TreeSize(2))


class Halted:
    """A brake that was pulled."""

    reason = "the sequencer signed two blocks"
