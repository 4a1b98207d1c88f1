"""What a node tells its engine of votes that come and go: in the first block of an epoch, the same from every node."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.business.ruling import RulePack
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.governance import SetUpdate
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.units import Address, SetId, TreeSize
from tests.governing import governed, identity_of
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, VALIDATORS, Members
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, begun, laid_with_engines, played

__all__ = ["begun", "laid_with_engines", "played"]

NEW = sha256(b"the new key of the engine")


def identity(members: Members, name: str) -> PrivateKey:
    return identity_of(members.folder(name))


def binding(played: PlayedEngine, name: str, secret: bytes = NEW) -> bytes:
    """The member's engine signs with another key from now on."""
    directory = played.members.open("core").view.directory
    before = directory.member(name).consensus_key
    record = ConsensusKey.signed(
        secret, public_key_of(secret), directory.log_id, identity(played.members, name).public.key_id
    )
    return (record if before is None else replace(record, replaces=sha256(before))).encode()


def ordered(played: PlayedEngine, *records: bytes, at: int = 0, by: Sequence[str] = VALIDATORS[1:]) -> list[bytes]:
    """Signed by three of four, submitted by the supplier, whose next number is `at`."""
    view = played.members.open("core").view
    quorum = [identity(played.members, name) for name in by]
    return [governed(view.directory.log_id, record, quorum, at + k).encode() for k, record in enumerate(records)]


def finalized(played: PlayedEngine, txs: Sequence[bytes] = ()) -> list[tuple[bytes, int]]:
    """The next block at every node; what all of them tell their engines."""
    played.height += 1
    answers = [played.finalize(name, txs) for name in NAMES]
    assert all(answer == answers[0] for answer in answers)
    assert [result.code for result in answers[0].tx_results] == [0] * len(txs)
    for name in NAMES:
        played.applications[name].commit(pb.RequestCommit())
    return [(update.pub_key.secp256k1, update.power) for update in answers[0].validator_updates]


def key_of(played: PlayedEngine, name: str) -> bytes:
    return played.members.open("core").view.directory.member(name).consensus_key or b""


def test_a_renewed_key_comes_and_the_old_one_goes_in_the_next_epochs_first_block(begun: PlayedEngine) -> None:
    assert finalized(begun, ordered(begun, binding(begun, "bank-a"))) == []
    assert finalized(begun) == []
    begun.time += CADENCE
    told = finalized(begun)
    assert set(told) == {(public_key_of(NEW), 1), (key_of(begun, "bank-a"), 0)}
    assert told == sorted(told)
    assert finalized(begun) == []
    begun.time += 5 * CADENCE
    assert finalized(begun) == []


def test_the_same_is_told_when_the_block_comes_again_after_a_crash(begun: PlayedEngine) -> None:
    finalized(begun, ordered(begun, binding(begun, "bank-a")))
    begun.time += CADENCE
    begun.height += 1
    once = begun.finalize("core", ())
    assert len(once.validator_updates) == 2
    begun.members.reopen("core")  # dead before its commit
    application = begun.open("core")
    assert begun.finalize("core", ()) == once
    application.commit(pb.RequestCommit())
    begun.members.reopen("core")
    begun.open("core")
    begun.height += 1
    assert list(begun.finalize("core", ()).validator_updates) == []


def test_whom_the_engine_was_told_of_is_under_the_application_hash(begun: PlayedEngine) -> None:
    """A node that told its engine something else stops at the next block."""
    finalized(begun, ordered(begun, binding(begun, "bank-a")))
    begun.height += 1
    idle = begun.finalize("core", ()).app_hash
    begun.time += CADENCE
    assert begun.finalize("core", ()).app_hash != idle


def next_set(played: PlayedEngine, names: Sequence[str], from_size: int, before: ValidatorSet | None = None) -> bytes:
    directory = played.members.open("core").view.directory
    before = before or directory.validators

    def entry(name: str) -> ValidatorEntry:
        certificate = sha256(directory.member(name).certificate)
        known = [one for one in before.entries if one.certificate_hash == certificate]
        fresh = ValidatorEntry(Address(sha256(name.encode())[:20]), sha256(b"name"), certificate, sha256(b"binding"))
        return known[0] if known else fresh

    entries = sorted(map(entry, names), key=lambda one: one.address)
    validators = ValidatorSet(SetId(before.set_id + 1), tuple(entries))
    update = SetUpdate(
        log_id=directory.log_id,
        previous_set_hash=before.digest,
        set_hash=validators.digest,
        effective_from_size=TreeSize(from_size),
        decoy_key_hash=sha256(b"K_2"),
        validators=validators,
    )
    return update.encode()


@pytest.fixture
def turning(begun: PlayedEngine) -> PlayedEngine:
    """Every node runs rules under which sets change."""
    for name in NAMES:
        chain = begun.members.open(name).view.chain
        object.__setattr__(chain, "rules", replace(chain.rules, pack=RulePack(rotation=True)))
    return begun


def test_with_the_next_set_its_votes_come_and_go(turning: PlayedEngine) -> None:
    update = next_set(turning, ("core", "supplier", "bank-a", "regulator"), from_size=4)
    assert finalized(turning, ordered(turning, binding(turning, "regulator"), update)) == []
    turning.time += CADENCE
    assert finalized(turning) == []  # epoch 2: the set is responsible from size 4 on, for epoch 3
    turning.time += CADENCE
    assert set(finalized(turning)) == {(public_key_of(NEW), 1), (key_of(turning, "bank-b"), 0)}


def test_a_set_with_a_member_that_has_no_vote_is_refused_on_the_record(turning: PlayedEngine) -> None:
    update = next_set(turning, ("core", "supplier", "bank-a", "regulator"), from_size=3)
    turning.height += 1
    answer = turning.finalize("core", ordered(turning, update))
    assert [result.code for result in answer.tx_results] == [3]
