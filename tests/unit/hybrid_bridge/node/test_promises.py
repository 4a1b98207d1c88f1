"""What a member does with a promise: checks it, keeps it, looks after it, and makes evidence of one that was broken."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hybrid_bridge.core.block import BlockHeader
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RefusalEntry
from hybrid_bridge.core.evidence import PROVEN
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import AnswerMalformed, NotOmitted, NotYet, TooLong, Unknown
from hybrid_bridge.node.desk import Sent
from hybrid_bridge.node.promises import Window, checked_promise
from hybrid_bridge.node.sequences import Numbers, dropped_numbers, numbers_of
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import EpochNumber, TransactionId, UnixSeconds
from tests.unit.hybrid_bridge.node.members import CADENCE, START, VALIDATORS, Members, started
from tests.unit.hybrid_bridge.node.test_bundling import bundle
from tests.unit.hybrid_bridge.node.test_closing import attest_all
from tests.unit.hybrid_bridge.node.trade import Instant, an_object, desk, registration, sent


def identity(members: Members, name: str) -> PrivateKey:
    return members.open(name).view.keys.identity


def close(members: Members, last: int) -> None:
    """Every validator closes the epochs up to `last`."""
    for number in range(1, last + 1):
        members.clock.moment = START + number * CADENCE
        members.spread(members.order(START + number * CADENCE))
        for name in VALIDATORS:
            members.close_epoch(name)
    attest_all(members)


def given(members: Members, sent_: Sent, *, delay: int = 2, **words: object) -> SignedPromise:
    """The promise of the sequencer for a transaction, with some words changed and signed again."""
    promise = replace(SignedPromise.decode(sent_.promise).promise, by_epoch=EpochNumber(1 + delay))
    return SignedPromise.over(replace(promise, **words), identity(members, "core"))


# ── when it comes ──


def test_a_promise_is_kept_before_its_owner_hears_of_it(members: Members) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    view = members.open("supplier").view
    (row,) = view.records.promises.after(0)
    assert row[1:] == (result.body.sequence, SignedPromise.decode(result.promise))
    assert view.records.promises.of(result.body.transaction_id) == row[2]
    assert view.records.promises.of(TransactionId(bytes(32))) is None
    assert view.records.promises.after(row[0]) == []


Forge = Callable[[Members, Sent], bytes]

FORGED: dict[str, Forge] = {
    "none": lambda _m, _s: b"",
    "a byte short": lambda _m, s: s.promise[:-1],
    "of another transaction": lambda m, s: given(m, s, transaction_id=sha256(b"other")).encode(),
    "of another entry": lambda m, s: given(m, s, entry_leaf=sha256(b"other")).encode(),
    "of another log": lambda m, s: given(m, s, log_id=sha256(b"other")).encode(),
    "before the first epoch": lambda m, s: given(m, s, accepted_epoch=EpochNumber(0)).encode(),
    "beyond the delay": lambda m, s: given(m, s, delay=7).encode(),
    "beyond the expiry": lambda m, s: given(m, s, accepted_epoch=EpochNumber(90), delay=92).encode(),
    "signed by a stranger": lambda _m, s: SignedPromise.over(
        replace(SignedPromise.decode(s.promise).promise, signer=PrivateKey.from_seed(bytes(32)).public.key_id),
        PrivateKey.from_seed(bytes(32)),
    ).encode(),
    "signed by a member that is no validator": lambda m, s: SignedPromise.over(
        replace(SignedPromise.decode(s.promise).promise, signer=identity(m, "regulator").public.key_id),
        identity(m, "regulator"),
    ).encode(),
    "in another's name": lambda m, s: SignedPromise(
        SignedPromise.decode(s.promise).promise, 0x0807, identity(m, "bank-a").sign(b"another message")
    ).encode(),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_promise_that_would_not_hold_as_evidence_is_none(members: Members, name: str) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    with pytest.raises(AnswerMalformed) as caught:
        checked_promise(FORGED[name](members, result), result.body, members.open("supplier").view.directory, "core")
    assert (caught.value.endpoint, caught.value.call) == ("core", "Submit")


def test_who_sends_hears_that_the_node_promised_nothing(members: Members) -> None:
    started(members)

    class Silent(Instant):
        def _result(self, waiting: object) -> pb.SubmitResult:
            result = super()._result(waiting)
            result.promise = b""
            return result

    sender = desk(members, "supplier", Silent(members))
    with pytest.raises(AnswerMalformed):
        sender.send(sender.draft(registration(members, an_object())), [])
    assert members.open("supplier").view.records.promises.after(0) == []


# ── what becomes of it ──


def first_header(view: View) -> BlockHeader | None:
    """The header of a block of epoch 1."""
    return view.ledger.header(view.directory.genesis.first_block)


def test_a_promise_is_due_until_its_entry_or_its_refusal_stands(members: Members) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    core = members.open("core").view
    logbook, ledger = core.logbook, core.ledger
    kept, dropped = given(members, result).promise, given(members, result, entry_leaf=sha256(b"dropped")).promise
    assert Window(kept, logbook).standing(ledger).word == "due"
    close(members, 3)
    standing = Window(kept, logbook).standing(ledger)
    assert (standing.word, standing.epoch) == ("kept", 1)
    assert Window(dropped, logbook).standing(ledger).word == "broken"
    assert Window(replace(dropped, by_epoch=EpochNumber(4)), logbook).standing(ledger).word == "due"


def test_a_refusal_on_the_record_keeps_a_promise(members: Members) -> None:
    """A batch that holds the refusal, as the logbook would give it."""
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    close(members, 3)
    core = members.open("core").view
    promise = given(members, result, entry_leaf=sha256(b"dropped")).promise
    refusal = RefusalEntry(promise.transaction_id).encode()

    class Refused:
        size = core.logbook.size

        def closed(self, epoch: EpochNumber) -> object:
            return replace(core.logbook.closed(epoch), entries=refusal)

    stands = SimpleNamespace(
        entry_height=lambda leaf: 1 if leaf == leaf_hash(refusal) else None, header=lambda _height: first_header(core)
    )
    assert Window(promise, core.logbook).standing(stands).word == "refused"  # type: ignore[arg-type]
    with pytest.raises(NotOmitted) as caught:
        Window(promise, Refused()).absences(core.logbook.size)  # type: ignore[arg-type]
    assert (caught.value.what, caught.value.leaf) == ("refusal", leaf_hash(refusal))


# ── evidence ──


def test_a_broken_promise_becomes_a_bundle_that_proves_it(members: Members) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    words = {"entry_leaf": sha256(b"dropped"), "transaction_id": sha256(b"dropped")}
    broken, core = given(members, result, **words), members.open("core").view
    core.records.promises.keep(broken, result.body.sequence, UnixSeconds(START))
    close(members, 2)
    wanted = {"purpose": "omission", "promised": broken.promise.transaction_id}
    with pytest.raises(NotYet):
        bundle(members, **wanted)
    members.clock.moment = START + 3 * CADENCE
    members.spread(members.order(START + 3 * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)
    attest_all(members)
    trust = Trust(logs=(TrustedLog(log_id=core.directory.log_id),), require=("integrity", "quorum", "omission"))
    evidence = verify(bundle(members, **wanted).encode(), trust, UnixSeconds(START + 100))
    assert evidence.complete
    assert evidence.verdict("omission").result == PROVEN
    assert "core Ltd" in evidence.verdict("omission").detail


def test_of_a_kept_promise_there_is_no_evidence_but_where_it_stands(members: Members) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    core = members.open("core").view
    core.records.promises.keep(given(members, result), result.body.sequence, UnixSeconds(START))
    close(members, 3)
    with pytest.raises(NotOmitted) as caught:
        bundle(members, promised=result.body.transaction_id)
    assert (caught.value.epoch, caught.value.what) == (1, "entry")


def test_nobody_promised_it_or_for_longer_than_a_bundle_can_show(members: Members) -> None:
    started(members)
    result, _ = sent(members, "supplier", registration(members, an_object()))
    close(members, 2)
    with pytest.raises(Unknown):
        bundle(members, promised=TransactionId(sha256(b"other")))
    core = members.open("core").view
    core.records.promises.keep(given(members, result, delay=64), result.body.sequence, UnixSeconds(START))
    with pytest.raises(TooLong):
        bundle(members, promised=result.body.transaction_id)


# ── numbers ──


def test_numbers_in_blocks_have_no_gap_and_a_dropped_one_is_known_by_its_promise(members: Members) -> None:
    started(members)
    results = [sent(members, "supplier", registration(members, an_object()))[0] for _ in range(3)]
    view = members.open("supplier").view
    own = view.keys.identity.public.key_id
    found = numbers_of(view.ledger, view.directory.genesis.first_block, None)
    assert (found[own].ranges, found[own].next, found[own].height) == ([(0, 2)], 3, results[-1].height)
    assert set(numbers_of(view.ledger, view.directory.genesis.first_block, own)) == {own}
    assert dropped_numbers(view.ledger, view.records.promises) == []
    lost = given(members, results[0], transaction_id=sha256(b"lost"))
    view.records.promises.keep(lost, results[0].body.sequence, UnixSeconds(START))
    assert dropped_numbers(view.ledger, view.records.promises) == [0]


def test_a_gap_is_two_ranges() -> None:
    assert Numbers([0, 1, 3, 5, 4]).ranges == [(0, 1), (3, 5)]
    assert Numbers([0, 1, 3]).next == 2
    assert Numbers([1, 2]).next == 0
