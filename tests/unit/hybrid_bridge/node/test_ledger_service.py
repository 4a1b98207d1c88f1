"""What a member proves of the log for another, without hearing of which paper or transaction it speaks."""

from dataclasses import replace

import pytest

from hybrid_bridge.cli.asking import Other
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.labels import creditor_invoice, life
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import BridgeError, NotOmitted, NotYet, TooLong
from hybrid_bridge.node.bundling import MAX_EPOCHS, Bundler
from hybrid_bridge.node.ledger_service import MAX_PROVEN, LedgerService
from hybrid_bridge.rpc.service import Call, Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.trade import PARTY, an_object, confirmation, registration, sent

CALL = Call(Caller("bank-a", "member"), lambda: True)


class Peer:
    """The core's node as another member asks it; what it was asked is seen."""

    def __init__(self, members: Members) -> None:
        view = members.open("core").view
        self.service = LedgerService(view, None, Bundler(view, lambda _size: b""))  # type: ignore[arg-type]
        self.asked: list[pb.ProveRequest] = []

    def prove(self, request: pb.ProveRequest) -> bytes:
        self.asked.append(request)
        return self.service.prove(request, CALL).bundle


@pytest.fixture
def trading(members: Members) -> tuple[Members, SignedPromise]:
    """A confirmed invoice in epoch 1; the promise of its registration; two epochs closed."""
    started(members)
    object_id = an_object()
    done, _ = sent(members, "supplier", registration(members, object_id))
    sent(members, "core", confirmation(object_id))
    for number in (1, 2):
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    attest_all(members)
    return members, SignedPromise.decode(done.promise)


def other(members: Members) -> tuple[Other, Peer]:
    peer, view = Peer(members), members.open("bank-a").view
    return Other(peer, view.directory.log_id, view.keys.vrf), peer  # type: ignore[arg-type]


def judged(members: Members, data: bytes):
    trust = Trust(logs=(TrustedLog(log_id=members.foundation.genesis.log_id),), require=("integrity", "quorum"))
    return verify(data, trust, UnixSeconds(START + 100))


def test_the_standing_of_a_paper_is_proven_by_who_is_not_told_which_it_is(trading) -> None:
    members, _ = trading
    asking, peer = other(members)
    labels = [creditor_invoice(PARTY, "INV-1"), creditor_invoice(PARTY, "INV-2"), life("asset", an_object())]
    bundle = asking.labels(labels, 0)
    facts = {fact.label: fact.statement for fact in judged(members, bundle.encode()).registry}
    assert facts == {labels[0].describe(): "present, use unknown", labels[1].describe(): "not registered"}
    (request,) = peer.asked
    assert len(request.indices) == 2
    assert PARTY.encode() not in request.SerializeToString()


def test_a_standing_moved_to_another_label_is_refused(trading) -> None:
    members, _ = trading
    asking, _ = other(members)
    bundle = asking.labels([creditor_invoice(PARTY, f"INV-{number}") for number in range(1, 31)], 0)
    (epoch,) = bundle.epochs
    one, *others = epoch.labels
    # Keys are drawn anew: in a small registry some absent labels end in the same place as a present one.
    two = next(label for label in others if label.path != one.path)
    swapped = (replace(one, terminal=two.terminal, path=two.path), two)
    with pytest.raises(BridgeError):
        judged(members, replace(bundle, epochs=(replace(epoch, labels=swapped),)).encode())


def test_a_promise_of_somebody_else_is_judged_by_the_whole_window(trading) -> None:
    members, promised = trading
    asking, peer = other(members)
    short = replace(promised.promise, by_epoch=2)
    key = members.open("core").view.keys.identity
    with pytest.raises(NotOmitted):
        asking.omission(SignedPromise.over(short, key), 0)
    gone = replace(short, entry_leaf=b"\x07" * 32, transaction_id=b"\x08" * 32)
    with pytest.raises(NotYet):
        asking.omission(SignedPromise.over(replace(gone, by_epoch=3), key), 0)
    dropped = SignedPromise.over(gone, key)
    bundle = asking.omission(dropped, 0)
    assert bundle.promise == dropped.encode()
    assert len(bundle.epochs) == 2
    assert decode_bundle(bundle.encode()) == bundle
    assert len(peer.asked) == 3


def test_more_than_one_bundle_holds_is_refused_before_anything_is_built(trading) -> None:
    members, promised = trading
    asking, peer = other(members)
    with pytest.raises(TooLong):
        peer.prove(pb.ProveRequest(indices=[bytes(32)] * (MAX_PROVEN + 1)))
    long: Promise = replace(promised.promise, by_epoch=promised.promise.accepted_epoch + MAX_EPOCHS)
    with pytest.raises(TooLong):
        asking.omission(SignedPromise.over(long, members.open("core").view.keys.identity), 0)
    for wrong in (pb.ProveRequest(indices=[b"short"]), pb.ProveRequest(promise=b"none"), pb.ProveRequest(size=99)):
        with pytest.raises(BridgeError):
            peer.prove(wrong)
