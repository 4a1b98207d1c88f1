"""A newcomer under a consensus engine: its keys, its card, the record that binds its vote, whom the engines let in."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.adapters.pki import certify
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.governance import ADD, REPLACE_CERTIFICATE, MemberUpdate, SetUpdate
from hybrid_bridge.core.ledger_state import consensus_key, entry_key, get_number, sequence_key
from hybrid_bridge.core.transaction import SignaturePart, SignedTransaction
from hybrid_bridge.errors import (
    AdmissionRejected,
    FieldMalformed,
    FieldMismatch,
    KeyUnusable,
    SettingsMalformed,
    SignatureWrong,
    Unreachable,
)
from hybrid_bridge.node.applying import Application, apply, make_card
from hybrid_bridge.node.cards import Card
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import Member
from hybrid_bridge.node.engine import NO_MEMBER, WRONG_SIGNATURE
from hybrid_bridge.node.engine_homes import EngineAddress
from hybrid_bridge.node.joining import join
from hybrid_bridge.node.promises import checked_promise, promised
from hybrid_bridge.node.proposals import Proposal
from hybrid_bridge.node.proposing import Proposer, Wish
from hybrid_bridge.node.rekeying import next_consensus, next_identity, use_next
from hybrid_bridge.node.separating import consensus_secret
from hybrid_bridge.node.settings import read_settings
from hybrid_bridge.node.submitting import AtEngine, OrOthers
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.units import EpochNumber, Sequence, UnixSeconds
from tests.governing import identity_of
from tests.unit.hybrid_bridge.node.coming import authority, endorser, newcomer
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, VALIDATORS, Members, randomness
from tests.unit.hybrid_bridge.node.test_engine import PlayedEngine, begun, laid_with_engines, played, waiting

__all__ = ["begun", "laid_with_engines", "played"]

AT = EngineAddress("bank-c.example:26656", "127.0.0.1:26657")
CONFIG = "engine/config/config.toml"
VOTES = "engine/config/priv_validator_key.json"


def proposer(played: PlayedEngine, name: str = "core") -> Proposer:
    opened = played.members.open(name)
    desk = Desk(opened.view, AtEngine(opened.view, played))  # type: ignore[arg-type]
    return Proposer(opened.view, desk, opened.enrolment, endorser(played.members, name))


def enacted(played: PlayedEngine, wish: Wish) -> Proposal:
    """By every founding validator; each has the proposal."""
    proposal = proposer(played).propose(wish)
    consents = [proposer(played, name).approve(proposal) for name in VALIDATORS if name != wish.name]
    proposer(played).enact(proposal, consents)
    for name in NAMES:
        enrolment = played.members.open(name).enrolment
        if lacking := enrolment.lacking():
            enrolment.take(lacking[0], proposal, "core")
        enrolment.renew()
    return proposal


def kept_by(played: PlayedEngine, member: Member) -> list[int]:
    """What each member's engine is told of this one's."""
    path = f"/p2p/filter/id/{(member.engine or '').partition('@')[0]}"
    return [application.query(pb.RequestQuery(path=path)).code for application in played.applications.values()]


def resigned(members: Members, folder: Path, card: Card, **changes: object) -> Card:
    """The card with something else on it, by the member's own identity key."""
    return Card.over(replace(card.member, **changes), members.open("core").view.directory.log_id, identity_of(folder))  # type: ignore[arg-type]


def test_a_newcomer_brings_its_engine_and_one_decision_admits_it_binds_its_key_and_seats_it(
    begun: PlayedEngine,
) -> None:
    _, card = newcomer(begun.members, engine=AT)
    assert kept_by(begun, card.member) == [NO_MEMBER] * len(NAMES)
    proposal = enacted(begun, Wish(kind="admit", card=card, from_epoch=4))
    added, bound, validators = proposal.decoded()
    assert isinstance(added, MemberUpdate)
    assert isinstance(bound, ConsensusKey)
    assert isinstance(validators, SetUpdate)
    assert (added.action, bound.key, validators.n) == (ADD, card.member.consensus_key, 5)
    assert kept_by(begun, card.member) == [0] * len(NAMES)  # before its epoch: it has to catch up
    assert begun.members.open("core").view.directory.lets_in("bank-c")
    assert not begun.members.open("core").view.directory.is_member("bank-c")
    begun.time += 3 * CADENCE
    begun.height += 1
    told = [(one.pub_key.secp256k1, one.power) for one in begun.finalize("core", ()).validator_updates]
    assert told == [(card.member.consensus_key, 1)]


def test_who_holds_every_consent_enacts_all_or_nothing_under_an_engine_too(begun: PlayedEngine) -> None:
    """A part never waits; a decision of which one record is refused stands refused as a whole, at every node alike."""
    _, card = newcomer(begun.members, engine=AT)
    proposal = proposer(begun).propose(Wish(kind="admit", card=card, from_epoch=4))
    keys = [identity_of(begun.members.folder(name)) for name in VALIDATORS]
    consents = [SignaturePart.over(proposal.body().consent, key) for key in keys]

    def offered(records: tuple[bytes, ...], parts: list[SignaturePart]) -> bytes:
        key = keys[0]
        body = replace(replace(proposal, records=records).body(), submitter=key.public.key_id, sequence=sequence)
        return SignedTransaction.assemble(body, SignaturePart.over(body.message, key), parts).encode()

    with begun.members.open("core").view.ledger.state() as state:
        sequence = Sequence(get_number(state, sequence_key(keys[0].public.key_id)))
    for part in (proposal.records[:1], proposal.records[1:], proposal.records[::-1]):
        assert begun.check(offered(part, consents)) == WRONG_SIGNATURE
    turned = replace(proposal, records=proposal.records[::-1])  # a set before its member and its key
    begun.height += 1
    agreed = [SignaturePart.over(turned.body().consent, key) for key in keys]
    answers = [begun.finalize(name, [offered(turned.records, agreed)]) for name in NAMES]
    assert {answer.app_hash for answer in answers} == {answers[0].app_hash}
    assert [result.code for result in answers[0].tx_results] == [3]
    for name in NAMES:
        begun.applications[name].commit(pb.RequestCommit())
        view = begun.members.open(name).view
        with view.ledger.state() as state:
            assert not any(state.get(entry_key(leaf)) for leaf in proposal.leaves)
            assert state.get(consensus_key(identity_of(begun.members.folder("bank-c")).public.key_id)) is None


def test_a_newcomers_home_is_that_of_the_chain_and_its_own(begun: PlayedEngine) -> None:
    folder, card = newcomer(begun.members, engine=AT)
    proposal = enacted(begun, Wish(kind="admit", card=card, from_epoch=4))
    assert not (folder / CONFIG).exists()
    join(folder, proposal)
    core = begun.members.folder("core")
    genesis = "engine/config/genesis.json"
    assert (folder / genesis).read_bytes() == (core / genesis).read_bytes()
    config = tomllib.loads((folder / CONFIG).read_text())
    founders = [member.engine for member in begun.members.open("core").view.directory.members]
    assert config["p2p"]["persistent_peers"].split(",") == founders
    assert (config["p2p"]["laddr"], config["rpc"]["laddr"]) == (f"tcp://{AT.peers}", f"tcp://{AT.rpc}")
    assert read_settings(folder).engine_rpc == AT.rpc
    assert card.member.engine is not None
    assert card.member.engine.endswith(f"@{AT.peers}")
    for name in (VOTES, "engine/config/node_key.json"):
        assert (folder / name).stat().st_mode & 0o077 == 0
    assert (folder / "engine").stat().st_mode & 0o077 == 0
    assert json.loads((folder / "engine/data/priv_validator_state.json").read_text())["height"] == "0"


def test_a_member_without_a_vote_has_an_engine_and_no_key_that_is_bound(begun: PlayedEngine) -> None:
    _, card = newcomer(begun.members, "watcher", "regulator", engine=AT)
    assert (card.member.consensus_key, card.member.engine is None) == (None, False)
    (added,) = enacted(begun, Wish(kind="admit", card=card, from_epoch=4)).decoded()
    assert isinstance(added, MemberUpdate)
    assert kept_by(begun, card.member) == [0] * len(NAMES)


@pytest.mark.parametrize("engine", [None, EngineAddress("x:1", "10.0.0.1:2"), EngineAddress("nowhere", AT.rpc)])
def test_a_newcomer_says_where_its_engine_will_listen(begun: PlayedEngine, engine: EngineAddress | None) -> None:
    members = begun.members
    asked = Application(
        name="bank-c", legal_name="C", legal_id="LEI:C", roles=("validator",), endpoint="127.0.0.1:1", engine=engine
    )
    with pytest.raises(SettingsMalformed):
        apply(members.root / "public", members.folder("bank-c"), asked, randomness())
    assert not members.folder("bank-c").exists()


def test_the_embedded_ledger_takes_no_engine(members: Members) -> None:
    with pytest.raises(SettingsMalformed):
        newcomer(members, engine=AT)


def test_who_is_suspended_promises_nothing_more_and_nothing_is_sent_to_it(begun: PlayedEngine) -> None:
    """What it promised before it still owes."""
    regulator, gone = begun.members.open("regulator").view, begun.members.open("bank-b").view
    (kept,) = waiting(begun, "supplier", 1)
    (given,) = AtEngine(gone, begun).submit([kept])  # type: ignore[arg-type]
    enacted(begun, Wish(kind="suspend", name="bank-b", from_epoch=4))
    begun.time += 3 * CADENCE
    begun.decide()
    for name in NAMES:
        begun.members.open(name).enrolment.renew()
    assert {member.name for member in regulator.directory.orderers(3)} == set(VALIDATORS)
    others = {member.name for member in regulator.directory.orderers(4)}
    assert others == set(VALIDATORS) - {"bank-b"}
    assert {member.name for member in regulator.directory.members} > others  # it reads on
    (data,) = waiting(begun, "supplier", 1)
    height = begun.height
    with pytest.raises(Unreachable):
        AtEngine(gone, begun).submit([data])  # type: ignore[arg-type]
    assert begun.height == height
    with pytest.raises(Unreachable):
        promised(gone, SignedTransaction.decode(data), UnixSeconds(begun.time), EpochNumber(4))
    ours = AtEngine(begun.members.open("core").view, begun)  # type: ignore[arg-type]
    (result,) = OrOthers(AtEngine(gone, begun), ours).submit([data])  # type: ignore[arg-type]
    body = SignedTransaction.decode(data).body
    assert checked_promise(result.promise, body, regulator.directory, "core").promise.accepted_epoch == 4
    owed = SignedTransaction.decode(kept).body
    promise = checked_promise(given.promise, owed, regulator.directory, "bank-b").promise
    assert (promise.signer, promise.accepted_epoch) == (identity_of(begun.members.folder("bank-b")).public.key_id, 1)


def test_a_newcomer_promises_nothing_before_it_orders(begun: PlayedEngine) -> None:
    _, card = newcomer(begun.members, engine=AT)
    enacted(begun, Wish(kind="admit", card=card, from_epoch=4))
    directory, key = begun.members.open("core").view.directory, identity_of(begun.members.folder("bank-c"))
    assert [directory.orders(key.public.key_id, epoch) for epoch in (1, 3, 4)] == [False, False, True]
    assert [card.member in directory.orderers(epoch) for epoch in (1, 3)] == [False, False]


def test_a_card_that_takes_anothers_engine_or_vote_is_refused(begun: PlayedEngine) -> None:
    members = begun.members
    folder, card = newcomer(members, engine=AT)
    theirs = members.open("core").view.directory.member("bank-b")
    for changes, error in (
        ({"engine": None}, AdmissionRejected),
        ({"engine": theirs.engine}, AdmissionRejected),
        ({"consensus_key": None, "consensus_proof": None}, AdmissionRejected),
        ({"consensus_proof": None}, FieldMalformed),
        ({"consensus_key": theirs.consensus_key}, SignatureWrong),  # whose key did not sign for it
        ({"consensus_proof": bytes(64)}, SignatureWrong),
    ):
        with pytest.raises(error):
            proposer(begun).propose(Wish(kind="admit", card=resigned(members, folder, card, **changes)))
    with pytest.raises(AdmissionRejected, match="no other identity key"):
        stolen_vote(begun, folder, card)


def stolen_vote(played: PlayedEngine, folder: Path, card: Card) -> None:
    """bank-b's own key of the engine, in another's hands: it signs for anybody."""
    vote = consensus_secret(played.members.folder("bank-b") / VOTES)
    key_id = identity_of(folder).public.key_id
    word = ConsensusKey.signed(vote, public_key_of(vote), card.log_id, key_id)  # type: ignore[arg-type]
    changes = {"consensus_key": word.key, "consensus_proof": word.possession}
    proposer(played).propose(Wish(kind="admit", card=resigned(played.members, folder, card, **changes)))


def test_nobody_consents_to_another_vote_than_the_cards(begun: PlayedEngine) -> None:
    _, card = newcomer(begun.members, engine=AT)
    proposal = proposer(begun).propose(Wish(kind="admit", card=card, from_epoch=4, reason="a fifth"))
    added, bound, validators = proposal.decoded()
    assert isinstance(bound, ConsensusKey)
    other = sha256(b"another vote")
    forged = ConsensusKey.signed(other, public_key_of(other), bound.log_id, bound.key_id)
    for changed, error in (
        (forged, FieldMismatch),
        (replace(bound, reason_hash=bytes(32)), FieldMismatch),
        (replace(bound, replaces=sha256(b"some")), AdmissionRejected),
        (replace(bound, possession=bytes(64)), FieldMismatch),
    ):
        records = (added.encode(), changed.encode(), validators.encode())
        with pytest.raises(error):
            proposer(begun, "bank-a").approve(replace(proposal, records=records))
    with pytest.raises(FieldMismatch):
        proposer(begun, "bank-a").approve(replace(proposal, records=(bound.encode(),), cards=()))


def test_another_consensus_key_is_made_bound_and_put_in_place_by_commands(begun: PlayedEngine) -> None:
    folder = begun.members.folder("bank-b")
    before = begun.members.open("core").view.directory.member("bank-b")
    with pytest.raises(KeyUnusable):
        use_next(folder, "consensus")
    new = next_consensus(folder, randomness("vote"))
    with pytest.raises(SettingsMalformed):
        next_consensus(folder, randomness("third"))
    proposal = enacted(begun, Wish(kind="rotate-key", card=make_card(folder, None), from_epoch=3))
    replaced, bound = proposal.decoded()  # the set stays: it does not name the engine's keys
    assert isinstance(replaced, MemberUpdate)
    assert isinstance(bound, ConsensusKey)
    assert (replaced.action, bound.key) == (REPLACE_CERTIFICATE, new)
    assert bound.replaces == sha256(before.consensus_key or b"")
    use_next(folder, "consensus")
    begun.time += CADENCE
    begun.height += 1
    told = {(one.pub_key.secp256k1, one.power) for one in begun.finalize("core", ()).validator_updates}
    assert told == {(new, 1), (before.consensus_key, 0)}
    assert make_card(folder, None).member.consensus_key == new
    (old,) = [path for path in (folder / VOTES).parent.glob("priv_validator_key-*.json") if "next" not in path.name]
    assert public_key_of(consensus_secret(old)) == before.consensus_key  # for its owner to destroy
    assert old.stat().st_mode & 0o077 == (folder / VOTES).stat().st_mode & 0o077 == 0


def test_an_engine_that_moves_is_kept_by_its_name(begun: PlayedEngine) -> None:
    begun.time += CADENCE
    begun.decide()
    card = make_card(begun.members.folder("bank-b"), None, engine="elsewhere.example:26656")
    assert (
        proposer(begun)
        .judge(proposer(begun).propose(Wish(kind="rotate-key", card=card)))[1]
        .endswith(f": engine {card.member.engine}")
    )
    enacted(begun, Wish(kind="rotate-key", card=card, from_epoch=4))
    begun.time += 2 * CADENCE
    begun.decide()
    for name in NAMES:
        opened = begun.members.open(name)
        opened.enrolment.renew()
        assert opened.view.directory.member("bank-b").engine == card.member.engine
    assert kept_by(begun, card.member) == [0] * len(NAMES)


def test_a_new_identity_key_brings_a_new_consensus_key(begun: PlayedEngine) -> None:
    """The engine's key is one identity key's for ever (ADR 34)."""
    folder = begun.members.folder("bank-b")
    request = next_identity(folder, randomness("identity")).read_bytes()
    certificate = certify(authority(begun.members), request, begun.members.clock.now())
    with pytest.raises(AdmissionRejected, match="no other identity key"):
        proposer(begun).propose(Wish(kind="rotate-key", card=make_card(folder, certificate)))
    new = next_consensus(folder, randomness("vote"))
    wish = Wish(kind="rotate-key", card=make_card(folder, certificate), from_epoch=4)
    added, removed, bound, validators = enacted(begun, wish).decoded()
    assert [type(one) for one in (added, removed, bound, validators)] == [
        MemberUpdate,
        MemberUpdate,
        ConsensusKey,
        SetUpdate,
    ]
    assert isinstance(bound, ConsensusKey)
    assert bound.key == new
