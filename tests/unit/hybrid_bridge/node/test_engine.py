"""What a node answers its consensus engine: the engine is played here, the answers, stores and rules are real."""

import hashlib
import shutil
import threading
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.business.ruling import refusal_code
from hybrid_bridge.core.block import Countersignature
from hybrid_bridge.core.cometbft import SECP256K1, Validator, ValidatorSet
from hybrid_bridge.core.cometbft_evidence import LedgerState, ledger_id
from hybrid_bridge.core.encoding import b64u, canonical_json, parse_json
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.ledger_state import POSITION, consensus_key
from hybrid_bridge.core.promise import SignedPromise
from hybrid_bridge.core.snapshot import FORMAT
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import (
    BlockInvalid,
    Equivocation,
    FieldMalformed,
    FieldMismatch,
    NotYet,
    RuleRejected,
    SettingsMalformed,
    StoreAway,
    StoreBroken,
    Throttled,
    Unreachable,
)
from hybrid_bridge.node import engine
from hybrid_bridge.node import waiting as node_waiting
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.directory import ledger_of, read_directory
from hybrid_bridge.node.engine import (
    EXPIRED,
    MALFORMED,
    NO_MEMBER,
    NOT_NOW,
    SEQUENCE,
    WRONG_SIGNATURE,
    Doorkeeper,
    EngineApplication,
)
from hybrid_bridge.node.engine_homes import EngineAddress, keep_peers
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.sharing import Cost
from hybrid_bridge.node.submitting import AtEngine, ToOthers
from hybrid_bridge.node.waiting import WINDOW
from hybrid_bridge.node.witnessing import Watch
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2 as answer
from hybrid_bridge.units import EpochNumber, Height
from hybrid_bridge.units import Sequence as SequenceNumber
from tests.governing import governed
from tests.unit.hybrid_bridge.node.members import CADENCE, NAMES, START, VALIDATORS, Members, founder, plan, randomness
from tests.unit.hybrid_bridge.node.test_witnessing import Peer as Saying
from tests.unit.hybrid_bridge.node.trade import an_object, confirmation, registration

ROOM = 1 << 20


def engine_plan() -> Any:
    engines = [EngineAddress(f"127.0.0.1:{7000 + i}", f"127.0.0.1:{8000 + i}") for i in range(len(NAMES))]
    return plan(founders=tuple(founder(name, engine=at) for name, at in zip(NAMES, engines, strict=True)))


@dataclass
class PlayedEngine:
    """Decides a block of everything that waits, proposed by one member, judged and executed by all."""

    members: Members
    applications: dict[str, EngineApplication] = field(default_factory=dict)
    pool: list[bytes] = field(default_factory=list)
    height: int = 0
    time: int = START
    turn: threading.Lock = field(default_factory=threading.Lock)  # as the wire: one request that may write at a time

    def __post_init__(self) -> None:
        for name in NAMES:
            self.open(name)

    def open(self, name: str) -> EngineApplication:
        view = self.members.open(name).view
        first = [] if view.chain.tip is not None else [signed.encode() for signed in self.members.founding()]
        self.applications[name] = EngineApplication(view, first)
        return self.applications[name]

    def broadcast(self, transaction: bytes) -> int:
        """As `EngineRpc`; the block is decided at once."""
        code = self.check(transaction)
        if code == 0:
            self.pool.append(transaction)
            self.decide()
        return code

    def check(self, transaction: bytes, kind: int = pb.CheckTxType.NEW, name: str = "core") -> int:
        with self.turn:
            return self.applications[name].check_tx(pb.RequestCheckTx(tx=transaction, type=kind)).code

    def decide(
        self, *, proposer: str = "supplier", txs: Sequence[bytes] | None = None, names: Sequence[str] = NAMES
    ) -> set[bytes]:
        """The next block; every app hash that the members answered."""
        self.height += 1
        chosen = self.propose(proposer) if txs is None else list(txs)
        self.pool = []
        for name in names:
            assert self.process(name, chosen) == pb.ResponseProcessProposal.ACCEPT
        with self.turn:
            hashes = {self.finalize(name, chosen).app_hash for name in names}
        for name in names:
            with self.turn:
                self.applications[name].commit(pb.RequestCommit())
                self.require_remembered(name)
        return hashes

    def require_remembered(self, name: str) -> None:
        """What the door has asked for is what stands."""
        known = self.applications[name]._remembered._known
        with self.members.open(name).view.ledger.state() as state:
            assert {key: state.get(key) for key in known} == known

    def propose(self, name: str, room: int = ROOM) -> list[bytes]:
        request = pb.RequestPrepareProposal(txs=self.pool, max_tx_bytes=room, height=self.height)
        request.time.seconds = self.time
        return list(self.applications[name].prepare_proposal(request).txs)

    def process(self, name: str, txs: Sequence[bytes], height: int | None = None) -> int:
        request = pb.RequestProcessProposal(txs=txs, height=height or self.height)
        request.time.seconds = self.time
        return self.applications[name].process_proposal(request).status

    def finalize(self, name: str, txs: Sequence[bytes]) -> pb.ResponseFinalizeBlock:
        request = pb.RequestFinalizeBlock(txs=txs, height=self.height, hash=block_hash(self.height))
        request.time.seconds = self.time
        return self.applications[name].finalize_block(request)


def block_hash(height: int) -> bytes:
    return hashlib.sha256(f"block {height}".encode()).digest()


@pytest.fixture(scope="module")
def laid_with_engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("engines") / "out"
    lay(found(engine_plan(), randomness(), START), root)
    return root


@pytest.fixture
def played(laid_with_engines: Path, tmp_path: Path) -> Iterator[PlayedEngine]:

    shutil.copytree(laid_with_engines, tmp_path / "out")
    members = Members(tmp_path / "out", found(engine_plan(), randomness(), START))
    with members.stack:
        yield PlayedEngine(members)


@pytest.fixture
def begun(played: PlayedEngine) -> PlayedEngine:
    played.decide()
    played.time += 1
    return played


def desk(played: PlayedEngine, name: str) -> Desk:
    view = played.members.open(name).view
    return Desk(view, AtEngine(view, played))  # type: ignore[arg-type]


def waiting(played: PlayedEngine, name: str, count: int, **changes: Any) -> list[bytes]:
    """Transactions of one member, one after the other, of which none stands yet."""

    kept: list[bytes] = []
    own = Desk(played.members.open(name).view, Keeping(kept))
    for _ in range(count):
        package = own.draft(registration(played.members, an_object(), **changes))
        with pytest.raises(NotYet):
            own.send(package, [])
        own._next = SequenceNumber(SignedTransaction.decode(kept[-1]).body.sequence + 1)
    return kept


class Keeping:
    """Keeps what is submitted, and offers it to nobody."""

    def __init__(self, kept: list[bytes]) -> None:
        self.kept = kept

    def submit(self, signed: Sequence[bytes]) -> list[answer.SubmitResult]:
        self.kept += signed
        raise NotYet(what="anything")


# ── founding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_founded_member_has_a_home_for_its_engine_that_names_all_others(laid_with_engines: Path) -> None:
    genesis = {(laid_with_engines / "nodes" / name / "engine/config/genesis.json").read_bytes() for name in NAMES}
    assert len(genesis) == 1
    document = parse_json(genesis.pop(), "genesis", 1 << 16)
    assert [row["name"] for row in document["validators"]] == list(VALIDATORS)
    config = (laid_with_engines / "nodes" / "core" / "engine/config/config.toml").read_text()
    assert [config.count(f"@127.0.0.1:{7000 + i}") for i in range(len(NAMES))] == [0] + [1] * (len(NAMES) - 1)
    parsed = tomllib.loads(config)
    others = [m.engine for m in read_directory(laid_with_engines / "nodes" / "core").members if m.name != "core"]
    assert (parsed["p2p"]["persistent_peers"].split(","), parsed["filter_peers"], parsed["p2p"]["pex"]) == (
        others,
        True,
        False,
    )
    for name in NAMES:  # blocks lie there, and the socket
        assert (laid_with_engines / "nodes" / name / "engine").stat().st_mode & 0o077 == 0
        for secret in ("priv_validator_key.json", "node_key.json"):
            assert (laid_with_engines / "nodes" / name / "engine/config" / secret).stat().st_mode & 0o077 == 0


def test_an_engine_keeps_the_peers_that_are_members_engines_and_no_other(played: PlayedEngine) -> None:
    application, directory = played.applications["core"], played.members.open("core").view.directory
    ids = [(member.engine or "").split("@")[0] for member in directory.members]

    def answers(*paths: str) -> list[int]:
        return [application.query(pb.RequestQuery(path=path)).code for path in paths]

    assert answers(*(f"/p2p/filter/id/{one}" for one in ids)) == [0] * len(NAMES)
    strangers = ["ab" * 20, "", ids[0][:-1], ids[0].upper(), f"{ids[0]}@127.0.0.1:1"]
    assert answers(*(f"/p2p/filter/id/{one}" for one in strangers)) == [NO_MEMBER] * len(strangers)
    assert answers("/p2p/filter/addr/10.0.0.1:5", "") == [0, 0]  # it is not known yet who comes from there


def test_strangers_that_come_again_and_again_do_not_fill_the_log(
    played: PlayedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    moments = [0.0]
    doorkeeper = Doorkeeper(played.members.open("core").view.directory, lambda: moments[0])

    def come() -> None:
        assert doorkeeper.answer(pb.RequestQuery(path="/p2p/filter/id/" + "ab" * 20)).code == NO_MEMBER

    for moments[0] in (0.0, 1.0, 59.0, 60.0):
        come()
    told = [record.getMessage() for record in caplog.records if "turned away" in record.getMessage()]
    assert [line.partition(":")[0].rpartition("away ")[2] for line in told] == ["(1 since told)", "(3 since told)"]


def test_whom_an_engine_dials_follows_the_members(laid_with_engines: Path, tmp_path: Path) -> None:
    shutil.copytree(laid_with_engines / "nodes" / "core" / "engine", tmp_path / "engine")
    config = tmp_path / "engine" / "config" / "config.toml"
    before = tomllib.loads(config.read_text())
    peers = [f"{'ab' * 20}@bank-c.example:26656", f"{'cd' * 20}@127.0.0.1:1"]
    keep_peers(tmp_path, peers)
    after = tomllib.loads(config.read_text())
    assert after["p2p"].pop("persistent_peers").split(",") == peers
    before["p2p"].pop("persistent_peers")
    assert after == before


def test_the_genesis_record_commits_to_the_first_validators(laid_with_engines: Path) -> None:
    directory = read_directory(laid_with_engines / "nodes" / "regulator")
    assert directory.engine is not None
    first = ValidatorSet(tuple(Validator(SECP256K1, key, 1) for key in directory.engine.validators))
    assert directory.genesis.ledger_id == ledger_id(directory.engine.chain_id, first)
    assert len(directory.engine.validators) == 4
    keys = {
        (laid_with_engines / "nodes" / name / "engine/config/priv_validator_key.json").read_bytes() for name in NAMES
    }
    assert len(keys) == len(NAMES)


def test_the_first_block_says_whose_the_first_consensus_keys_are(begun: PlayedEngine) -> None:
    """By name, in governance records that an outsider may be shown, each under a signature of the key itself."""
    for name in NAMES:
        view = begun.members.open(name).view
        with view.ledger.state() as state:
            for member in view.directory.members:
                bound = state.get(consensus_key(view.directory.identities[member.name].key_id))
                assert bound == member.consensus_key
                assert (bound is None) == (member.name not in VALIDATORS)
    begun.height += 1
    assert list(begun.finalize("core", ()).validator_updates) == []


def test_engines_are_for_all_or_for_none() -> None:
    some = (founder("core", engine=EngineAddress("127.0.0.1:7001", "127.0.0.1:7002")), founder("supplier"))
    with pytest.raises(SettingsMalformed) as refused:
        found(plan(founders=some), randomness(), START)
    assert refused.value.key == "members.engine"


def test_a_consensus_key_without_an_engine_or_an_engine_without_keys_is_refused(laid_with_engines: Path) -> None:
    members = read_directory(laid_with_engines / "nodes" / "core").members
    for chain, changed in ((None, members), ("x", tuple(replace(member, consensus_key=None) for member in members))):
        with pytest.raises(FieldMalformed):
            ledger_of("test.example/receivables", chain, changed)


# ── genesis and blocks ───────────────────────────────────────────────────────────────────────────────────────────────


def init(played: PlayedEngine, **changes: Any) -> pb.RequestInitChain:
    view = played.members.open("core").view
    assert view.directory.engine is not None
    request = pb.RequestInitChain(
        chain_id=view.directory.engine.chain_id,
        initial_height=view.directory.genesis.first_block,
        app_state_bytes=canonical_json({"log_id": view.directory.log_id.hex()}),
    )
    request.time.seconds = view.directory.genesis.genesis_time
    for key in view.directory.engine.validators:
        request.validators.add(power=1).pub_key.secp256k1 = key
    for name, value in changes.items():
        setattr(request, name, value)
    return request


def test_the_engines_genesis_is_compared_with_ours(played: PlayedEngine) -> None:
    application = played.applications["core"]
    first = application.init_chain(init(played))
    assert first == application.init_chain(init(played))  # it may come again
    assert application.info(pb.RequestInfo()).last_block_height == 0
    other, fewer, late = init(played), init(played), init(played)
    other.validators[0].power = 2
    del fewer.validators[0]
    late.time.seconds += 1
    for wrong in (
        init(played, chain_id="another"),
        init(played, initial_height=2),
        init(played, app_state_bytes=b"{}"),
        other,
        fewer,
        late,
    ):
        with pytest.raises(FieldMismatch):
            application.init_chain(wrong)
    with pytest.raises(FieldMalformed):
        application.init_chain(init(played, app_state_bytes=b"no JSON"))


def test_an_embedded_ledger_answers_no_engine(members: Members) -> None:
    with pytest.raises(FieldMismatch):
        EngineApplication(members.open("core").view, []).init_chain(pb.RequestInitChain())


def test_the_first_block_has_the_founders_transactions_whoever_proposes_it(played: PlayedEngine) -> None:
    assert len(played.decide(proposer="bank-b")) == 1
    for name in NAMES:
        view = played.members.open(name).view
        assert (view.progress.tip, view.progress.final) == (1, 1)
        assert len(view.ledger.transactions_of(Height(1))) == len(NAMES) + len(VALIDATORS)  # members, consensus keys
    words = played.members.open("supplier").view.witness.of(played.members.key_id("supplier"), Height(0))
    assert len(words) == 1  # our word for it, for whoever asks


def test_a_first_block_without_the_founders_transactions_is_refused(played: PlayedEngine) -> None:
    founding = [signed.encode() for signed in played.members.founding()]
    played.height += 1
    for wrong in ([], founding[:-1], founding[1:], founding[::-1]):
        assert played.process("core", wrong) == pb.ResponseProcessProposal.REJECT
    assert played.process("core", founding) == pb.ResponseProcessProposal.ACCEPT


def test_a_block_without_a_transaction_leaves_the_state_as_it_was(begun: PlayedEngine) -> None:
    first = begun.decide()
    begun.time += 3 * CADENCE
    assert begun.decide() == first
    status = begun.applications["bank-a"].info(pb.RequestInfo())
    assert (status.last_block_height, {status.last_block_app_hash}) == (3, first)


def test_a_decided_block_may_come_again_and_nothing_is_durable_before_commit(begun: PlayedEngine) -> None:
    begun.height += 1
    once, again = begun.finalize("core", []), begun.finalize("core", [])
    assert once == again
    assert begun.members.open("core").view.progress.tip == 1
    begun.members.reopen("core")  # dead before its commit
    application = begun.open("core")
    assert application.info(pb.RequestInfo()).last_block_height == 1
    assert begun.finalize("core", []) == once
    application.commit(pb.RequestCommit())
    begun.members.reopen("core")  # dead after it
    assert begun.open("core").info(pb.RequestInfo()).last_block_height == 2
    assert begun.members.open("core").view.progress.final == 2  # decided is final, whoever is there to say so


def test_a_block_that_was_judged_is_not_executed_again_when_it_is_decided(
    begun: PlayedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, tried = begun.members.open("core").view.chain, []
    execute = chain.tried

    def counted(height: Height, *rest: Any) -> Any:
        tried.append(height)
        return execute(height, *rest)

    monkeypatch.setattr(chain, "tried", counted)
    begun.pool = waiting(begun, "supplier", 2)
    expected = begun.decide()
    assert (len(expected), tried) == (1, [2])  # the others executed it, too
    begun.decide(txs=[])
    begun.decide(txs=[])  # the same transactions, another height
    assert tried == [2, 3, 4]


def test_of_what_was_judged_only_what_is_decided_counts(begun: PlayedEngine) -> None:
    """Another proposal, another time: executed for itself, also when a judged one is decided after another."""
    mine, others = (waiting(begun, name, 1) for name in ("supplier", "bank-a"))
    begun.height += 1
    alone = begun.finalize("regulator", mine)
    assert begun.process("core", mine) == begun.process("core", others) == pb.ResponseProcessProposal.ACCEPT
    assert begun.finalize("core", mine) == alone
    begun.time += CADENCE
    assert begun.process("core", [b"no transaction"]) == pb.ResponseProcessProposal.REJECT
    later = begun.finalize("core", mine)
    begun.applications["core"].commit(pb.RequestCommit())
    header = begun.members.open("core").view.chain.tip
    assert header is not None
    assert (header.time, later.app_hash == alone.app_hash) == (begun.time, False)


def test_commit_without_a_decision_is_refused(begun: PlayedEngine) -> None:
    with pytest.raises(FieldMismatch):
        begun.applications["core"].commit(pb.RequestCommit())


def test_the_epoch_record_names_the_engines_block(begun: PlayedEngine) -> None:
    begun.time += CADENCE
    begun.decide()
    begun.members.close_epoch("core")
    record = begun.members.open("core").view.logbook.newest
    assert record is not None
    assert (record.end_block, record.last_block_hash) == (2, block_hash(1))


def test_what_two_thirds_decided_against_our_rules_stops_us(begun: PlayedEngine) -> None:
    begun.height += 1
    with pytest.raises(BlockInvalid):
        begun.finalize("core", [b"no transaction"])
    with pytest.raises(BlockInvalid):
        begun.finalize("core", [signed.encode() for signed in begun.members.founding()])  # their numbers are used


# ── the door ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_member_submits_at_its_own_engine_and_gets_its_own_nodes_promise(begun: PlayedEngine) -> None:
    own = desk(begun, "supplier")
    result = own.send(own.draft(registration(begun.members, an_object())), [])
    promise = SignedPromise.decode(result.promise)
    promise.verify(begun.members.open("supplier").view.directory.identities["supplier"])
    assert (result.code, result.height) == (0, 2)
    again = AtEngine(begun.members.open("supplier").view, begun)  # type: ignore[arg-type]
    (data,) = [data for _, data in begun.members.open("supplier").view.ledger.transactions_of(Height(2))]
    assert again.submit([data])[0].height == 2  # it stands already


class Peer:
    """Another member's node, as far as it takes transactions."""

    def __init__(self, submitter: AtEngine | None) -> None:
        self.submitter = submitter

    def submit(self, signed: Sequence[bytes]) -> Any:
        if self.submitter is None:
            raise Unreachable(endpoint="bank-a", call="Submit")
        return answer.SubmitResponse(results=self.submitter.submit(signed))


def test_a_member_that_has_halted_promises_nothing(begun: PlayedEngine) -> None:
    view = begun.members.open("supplier").view
    (data,) = waiting(begun, "supplier", 1)
    view.brake.pull("something is wrong")
    (result,) = AtEngine(view, begun).submit([data])  # type: ignore[arg-type]
    assert (result.fault.name, result.promise) == ("Broken", b"")


def test_a_member_without_a_vote_gets_a_validators_promise(begun: PlayedEngine) -> None:
    view = begun.members.open("regulator").view
    assert [member.name for member in view.directory.orderers(1)] == list(VALIDATORS)
    validator = Peer(AtEngine(begun.members.open("bank-b").view, begun))  # type: ignore[arg-type]
    own = Desk(view, ToOthers(lambda: [Peer(None), validator]))
    with pytest.raises(RuleRejected):  # on the record, and that it is there is promised
        own.send(own.draft(registration(begun.members, an_object())), [])
    ((_, data),) = view.ledger.transactions_of(Height(begun.height))
    promise = view.records.promises.of(SignedTransaction.decode(data).body.transaction_id)
    assert promise is not None
    promise.verify(view.directory.identities["bank-b"])
    with pytest.raises(Unreachable):
        ToOthers(lambda: [Peer(None), Peer(None)]).submit([b"anything"])


def test_a_refusal_stands_on_the_record_with_its_rule(begun: PlayedEngine) -> None:
    supplier, core, first, second = desk(begun, "supplier"), desk(begun, "core"), an_object(), an_object()
    for object_id in (first, second):
        supplier.send(supplier.draft(registration(begun.members, object_id)), [])
    core.send(core.draft(confirmation(first)), [])
    with pytest.raises(RuleRejected) as refused:
        core.send(core.draft(confirmation(second)), [])
    assert refused.value.rule == "L-hard"
    view = begun.members.open("core").view
    ((code, data),) = view.ledger.transactions_of(Height(begun.height))
    transaction_id = SignedTransaction.decode(data).body.transaction_id
    assert code == 1
    begun.members.reopen("core")  # which forgets the rule, not the code
    assert begun.members.open("core").view.chain.refusal(transaction_id, code).rule == "label taken"


def test_garbage_at_the_door_gets_a_code_and_never_an_exception(begun: PlayedEngine) -> None:
    (data,) = waiting(begun, "supplier", 1)
    for noise in (b"", b"\x00", data[:-1], data + b"\x00", b"\xff" * 70_000):
        assert begun.check(noise) == MALFORMED
        assert begun.check(noise, pb.CheckTxType.RECHECK) == MALFORMED
    assert begun.check(data[:-1] + bytes([data[-1] ^ 1])) == WRONG_SIGNATURE
    assert begun.check(data) == 0


def test_several_of_one_submitter_wait_in_a_window(begun: PlayedEngine) -> None:
    transactions = waiting(begun, "supplier", 4)
    assert [begun.check(transaction) for transaction in transactions] == [0] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_waiting, "WINDOW", 2)
        assert [begun.check(transaction) for transaction in transactions] == [0, 0, SEQUENCE, SEQUENCE]
    assert WINDOW > 4
    begun.decide(txs=transactions[:1])
    assert begun.check(transactions[0]) == SEQUENCE
    assert begun.check(transactions[0], pb.CheckTxType.RECHECK) == SEQUENCE
    assert begun.check(transactions[1], pb.CheckTxType.RECHECK) == 0


def test_a_submitter_has_its_part_of_the_engine_s_pool_until_the_next_block(begun: PlayedEngine) -> None:
    mine, theirs = waiting(begun, "supplier", 3), waiting(begun, "bank-a", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_waiting, "SHARE", 2)
        assert [begun.check(transaction) for transaction in mine] == [0, 0, NOT_NOW]
        assert begun.check(theirs[0]) == 0
        assert begun.check(mine[0], pb.CheckTxType.RECHECK) == 0
        begun.decide(txs=mine[:1])
        assert [begun.check(transaction, pb.CheckTxType.RECHECK) for transaction in mine[1:2]] == [0]
        assert begun.check(mine[2]) == 0


def test_a_proposal_takes_one_of_each_submitter_in_turn(begun: PlayedEngine) -> None:
    mine, theirs = waiting(begun, "supplier", 3), waiting(begun, "bank-a", 2)
    begun.height += 1
    begun.pool = [*mine, *theirs, b"garbage"]
    assert begun.propose("core") == [mine[0], theirs[0], mine[1], theirs[1], mine[2]]
    assert begun.propose("core", room=len(mine[0]) + len(theirs[0]) + 100) == [mine[0], theirs[0]]


def test_no_proposal_gives_one_submitter_the_epoch(begun: PlayedEngine) -> None:
    application = begun.applications["core"]
    mine, theirs = waiting(begun, "supplier", 2), waiting(begun, "bank-a", 1)
    flooding = [(SignedTransaction.decode(mine[0]).body.submitter, Cost(1, 1))]
    application._shares.begin(EpochNumber(1))
    with suppress(Throttled):
        while True:
            application._shares.require(flooding)
            application._shares.use(flooding)
    begun.height += 1
    begun.pool = [*mine, *theirs]
    assert begun.propose("core") == theirs
    begun.time += CADENCE
    assert begun.propose("core") == [mine[0], theirs[0], mine[1]]


def test_what_is_another_consortium_s_is_refused_before_the_engine_s_door_asks_the_state(begun: PlayedEngine) -> None:
    signed = SignedTransaction.decode(waiting(begun, "supplier", 1)[0])
    view = begun.members.open("core").view
    foreign = replace(signed, body=replace(signed.body, log_id=bytes(32))).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view.ledger, "state", None)  # whoever asks fails
        patch.setattr(view.ledger, "standing", None)
        assert begun.check(foreign) == WRONG_SIGNATURE
        (result,) = AtEngine(view, begun).submit([foreign])  # type: ignore[arg-type]
    assert result.fault.name == "FieldMismatch"


def test_more_than_may_wait_at_once_may_be_submitted_at_once(
    begun: PlayedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_waiting, "WINDOW", 2)
    view, transactions = begun.members.open("supplier").view, waiting(begun, "supplier", 5)
    offered = threading.Semaphore(0)

    class Later:
        """An engine that takes its time: what waits is decided when two wait, or when all are there."""

        def broadcast(self, transaction: bytes) -> int:
            code = begun.check(transaction, name="supplier")
            begun.pool.append(transaction)
            offered.release()
            return code

    submitter = AtEngine(view, Later())  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(submitter.submit, transactions)
        for count in (2, 2, 1):
            for _ in range(count):
                assert offered.acquire(timeout=60)
            begun.decide()
        results = answers.result()
    assert [(result.height, result.fault.name) for result in results] == [(2, ""), (2, ""), (3, ""), (3, ""), (4, "")]
    alone = submitter.submit(waiting(begun, "supplier", 4)[3:])  # nothing of this call waits: no block would help
    assert [result.fault.name for result in alone] == ["SequenceRejected"]


def test_no_number_waits_for_one_that_nobody_has(begun: PlayedEngine) -> None:
    """It could stand in no block, and while anything waits the engine makes one block after another."""
    first, second, third = waiting(begun, "supplier", 3)
    assert [begun.check(transaction) for transaction in (second, first, third, second, third)] == [
        SEQUENCE, 0, SEQUENCE, 0, 0,
    ]  # fmt: skip
    begun.decide(txs=[])  # the engine then asks again about all that wait, in their order: the first was lost
    assert [begun.check(one, pb.CheckTxType.RECHECK) for one in (second, third)] == [SEQUENCE, SEQUENCE]
    assert [begun.check(one) for one in (first, second, third)] == [0, 0, 0]  # whoever was dropped may come again


def test_what_waited_too_long_is_dropped(begun: PlayedEngine) -> None:
    (data,) = waiting(begun, "supplier", 1)
    begun.time += 500 * CADENCE
    begun.decide()
    assert begun.check(data) == begun.check(data, pb.CheckTxType.RECHECK) == EXPIRED


def test_what_no_proposer_takes_any_more_does_not_wait_till_it_expires(begun: PlayedEngine) -> None:
    """The same entry twice, under two numbers: the second one would keep the numbers after it waiting."""
    package, kept = desk(begun, "supplier").draft(registration(begun.members, an_object())), list[bytes]()
    view = begun.members.open("supplier").view
    for number in range(2):
        own = Desk(view, Keeping(kept))
        own._next = SequenceNumber(number)
        with pytest.raises(NotYet):
            own.send(package, [])
    assert [begun.check(data) for data in kept] == [0, 0]
    begun.decide(txs=kept[:1])
    repeated = refusal_code("entry")
    assert begun.check(kept[1]) == begun.check(kept[1], pb.CheckTxType.RECHECK) == repeated


def test_an_invoice_whose_debtor_is_no_member_does_not_wait_till_it_expires(begun: PlayedEngine) -> None:
    """No proposer takes it; its submitter's next numbers would wait behind it, and the engine make empty blocks."""
    order = registration(begun.members, an_object())
    order = replace(order, fields={**order.fields, "debtor": b64u(bytes(32))})
    kept: list[bytes] = []
    with pytest.raises(NotYet):
        Desk(begun.members.open("supplier").view, Keeping(kept)).send(desk(begun, "supplier").draft(order), [])
    begun.pool = kept[:]
    assert begun.propose("core") == []
    admission = refusal_code("admission")
    assert [begun.check(kept[0], kind) for kind in (pb.CheckTxType.NEW, pb.CheckTxType.RECHECK)] == [admission] * 2


def test_a_full_epoch_closes_the_door_and_turns_nobody_out(begun: PlayedEngine) -> None:
    (data,) = waiting(begun, "supplier", 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_waiting, "knock", full)
        assert begun.check(data) == NOT_NOW
        assert begun.check(data, pb.CheckTxType.RECHECK) == 0


def full(*_: object) -> None:
    raise NotYet(what="room in the next epoch")


def test_a_stranger_is_turned_away(begun: PlayedEngine) -> None:
    transactions = [signed.encode() for signed in begun.members.founding()]
    assert begun.check(transactions[0]) == SEQUENCE


def test_a_stranger_is_turned_away_before_anybody_looks_at_its_signatures(begun: PlayedEngine) -> None:
    """It may bring as many as a validator set has members; a member's own are looked at."""
    (data,) = of_strangers(begun, 1)
    wrong = data[:-1] + bytes([data[-1] ^ 1])
    admission = refusal_code("admission")
    assert (begun.check(data), begun.check(wrong)) == (admission, admission)


def of_strangers(played: PlayedEngine, count: int) -> list[bytes]:
    """Transactions by keys that nobody knows, otherwise as they should be."""
    view, found = played.members.open("supplier").view, list[bytes]()
    record = next(data for _, _, data in view.ledger.governance(0))
    for number in range(count):
        key = PrivateKey.from_seed(hashlib.sha256(b"stranger %d" % number).digest())
        found.append(governed(view.directory.log_id, record, [key], 0).encode())
    return found


def test_under_an_engine_one_member_s_lie_about_blocks_is_kept_and_stops_nobody(begun: PlayedEngine) -> None:
    """Whoever holds the log's key orders no blocks here: its word is one among many."""
    begun.decide()
    view, core = begun.members.open("supplier").view, begun.members.open("core").view
    truth = view.ledger.header(Height(1))
    assert truth is not None
    for height, time in ((1, START + 7), (2, START + 8), (2, START + 9)):
        lie = Countersignature.over(replace(truth, height=Height(height), time=time), core.keys.identity)
        peer = Saying("core", [lie.encode()])
        with suppress(Equivocation):
            Watch(view).ask(peer, 0.0)  # type: ignore[arg-type]
    assert view.brake.reason == ""
    kept = view.witness.kept()
    assert {(evidence.kind, evidence.number) for evidence in kept} == {("stray", 1), ("stray", 2), ("block", 2)}
    assert all(evidence.first for evidence in kept)


# ── proposals ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_proposal_puts_numbers_in_order_and_leaves_out_what_cannot_stand(begun: PlayedEngine) -> None:
    transactions = waiting(begun, "supplier", 4)
    begun.height += 1
    begun.pool = [transactions[2], b"noise", transactions[3], transactions[0], transactions[1], transactions[0]]
    assert begun.propose("core") == transactions
    begun.pool = [transactions[1], transactions[3]]
    assert begun.propose("core") == []
    begun.pool = transactions
    size = len(transactions[0]) + 8
    assert begun.propose("core", room=2 * size + 20) == transactions[:2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node_waiting, "MAX_TRANSACTIONS", 3)
        assert begun.propose("core") == transactions[:3]
    assert begun.process("bank-a", transactions) == pb.ResponseProcessProposal.ACCEPT


def test_another_members_proposal_is_judged(begun: PlayedEngine) -> None:
    transactions = waiting(begun, "supplier", 2)
    begun.height += 1
    for wrong in ([b"noise"], transactions[1:], transactions[::-1], [transactions[0], transactions[0]]):
        assert begun.process("bank-a", wrong) == pb.ResponseProcessProposal.REJECT
    assert begun.process("bank-a", transactions, height=begun.height + 1) == pb.ResponseProcessProposal.REJECT
    begun.time = START - 1
    assert begun.process("bank-a", transactions) == pb.ResponseProcessProposal.REJECT


def test_a_proposal_of_what_no_door_lets_in_is_refused_and_stands_where_two_thirds_decided_it(
    begun: PlayedEngine,
) -> None:
    """Keys cost nothing: strangers' refusals would fill each epoch for everybody, whoever proposes them."""
    strangers, own = of_strangers(begun, 2), waiting(begun, "supplier", 1)
    begun.height += 1
    for wrong in (strangers[:1], own + strangers, strangers + own):
        assert begun.process("bank-a", wrong) == pb.ResponseProcessProposal.REJECT
    begun.pool = [strangers[0], *own, strangers[1]]
    assert begun.propose("core") == own
    assert [one.code for one in begun.finalize("core", strangers).tx_results] == [refusal_code("admission")] * 2


def test_a_proposal_of_an_entry_that_stands_already_is_refused(begun: PlayedEngine) -> None:
    package, kept = desk(begun, "supplier").draft(registration(begun.members, an_object())), list[bytes]()
    for number in range(2):
        own = Desk(begun.members.open("supplier").view, Keeping(kept))
        own._next = SequenceNumber(number)
        with pytest.raises(NotYet):
            own.send(package, [])
    begun.height += 1
    assert begun.process("bank-a", kept) == pb.ResponseProcessProposal.REJECT
    assert begun.process("bank-a", kept[:1]) == pb.ResponseProcessProposal.ACCEPT


def test_a_proposal_of_more_than_a_block_holds_is_refused_before_it_is_read(begun: PlayedEngine) -> None:
    transactions = waiting(begun, "supplier", 3)
    begun.height += 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "MAX_TRANSACTIONS", 2)
        assert begun.process("bank-a", transactions) == pb.ResponseProcessProposal.REJECT
        assert begun.process("bank-a", transactions[:2]) == pb.ResponseProcessProposal.ACCEPT
    assert begun.process("bank-a", transactions) == pb.ResponseProcessProposal.ACCEPT


def test_of_a_vote_against_a_vote_people_are_told_and_nothing_else_follows(
    begun: PlayedEngine, caplog: pytest.LogCaptureFixture
) -> None:
    begun.height += 1
    plain = begun.finalize("core", [])
    request = pb.RequestFinalizeBlock(height=begun.height, hash=block_hash(begun.height))
    request.time.seconds = begun.time
    found = request.misbehavior.add(type=pb.MisbehaviorType.DUPLICATE_VOTE, height=1)
    found.validator.address = b"\xaa" * 20
    assert begun.applications["core"].finalize_block(request) == plain
    assert any(
        "duplicate_vote at height 1" in record.getMessage() and "aa" * 20 in record.getMessage()
        for record in caplog.records
    )


def test_a_store_that_is_broken_is_no_verdict_on_a_proposal(begun: PlayedEngine) -> None:
    (data,) = waiting(begun, "supplier", 1)
    begun.height += 1
    view = begun.members.open("core").view
    with view.ledger.file.write() as connection:
        connection.exec_driver_sql("DELETE FROM state WHERE key = ?", (POSITION,))
    begun.pool = [data]
    for ask in (
        lambda: begun.process("core", [data]),
        lambda: begun.finalize("core", [data]),
        lambda: begun.propose("core"),
        lambda: begun.check(data),
    ):
        with pytest.raises(StoreBroken):
            ask()


def test_a_store_that_is_away_is_no_verdict_on_a_proposal(begun: PlayedEngine, monkeypatch) -> None:
    (data,) = waiting(begun, "supplier", 1)
    begun.height += 1
    begun.pool = [data]

    def away() -> None:
        raise StoreAway(store="ledger", why="no connection")

    monkeypatch.setattr(begun.members.open("core").view.ledger.file, "read", away)
    for ask in (
        lambda: begun.process("core", [data]),
        lambda: begun.finalize("core", [data]),
        lambda: begun.propose("core"),
    ):
        with pytest.raises(StoreAway):
            ask()
    assert begun.check(data) == NOT_NOW


class Patience:
    """Waits so many times; the store is back before the last."""

    def __init__(self, times: int) -> None:
        self.left, self.back = times, lambda: None

    def __call__(self, error: StoreAway) -> bool:
        self.left -= 1
        if self.left <= 1:
            self.back()
        return self.left > 0


@pytest.mark.parametrize("question", ["info", "propose", "process", "finalize"])
def test_a_question_waits_for_a_store_that_is_away(begun: PlayedEngine, question: str) -> None:
    (data,) = waiting(begun, "supplier", 1)
    begun.height += 1
    begun.pool = [data]
    asked = {
        "info": lambda: begun.applications["core"].info(pb.RequestInfo()).last_block_height,
        "propose": lambda: begun.propose("core"),
        "process": lambda: begun.process("core", [data]),
        "finalize": lambda: begun.finalize("core", [data]),
    }[question]
    honest = asked()
    begun.open("core")
    patience, store = Patience(3), begun.members.open("core").view.ledger.file
    with pytest.MonkeyPatch.context() as patch:

        def away() -> None:
            raise StoreAway(store="ledger", why="no connection")

        patience.back = patch.undo
        begun.applications["core"].waits = patience
        patch.setattr(store, "read", away)
        assert asked() == honest
    assert patience.left == 1


@pytest.mark.parametrize("durable", [False, True])
def test_a_block_is_committed_once_though_the_store_was_away_before_or_right_after(
    begun: PlayedEngine, durable: bool
) -> None:
    """After it: the block is there, and who is a member now could not be read."""
    (data,) = waiting(begun, "supplier", 1)
    begun.height += 1
    view, application = begun.members.open("core").view, begun.applications["core"]
    begun.time = START + CADENCE  # a new epoch: the members are looked at again
    assert begun.check(data) == 0
    begun.finalize("core", [data])
    patience = Patience(3)

    def away(*_: object) -> None:
        raise StoreAway(store="ledger", why="no connection")

    with pytest.MonkeyPatch.context() as patch:
        patience.back = patch.undo
        application.waits = patience
        if durable:
            patch.setattr(view.chain, "_governed", away)
        else:
            patch.setattr(view.ledger, "append", away)
        application.commit(pb.RequestCommit())
    assert patience.left == 1
    tip = view.chain.tip
    assert tip is not None
    assert (tip.height, view.progress.final, view.ledger.decided().height) == (begun.height,) * 3  # type: ignore[union-attr]
    begun.require_remembered("core")
    assert begun.check(data, pb.CheckTxType.RECHECK) == SEQUENCE
    begun.height += 1
    assert begun.process("core", []) == pb.ResponseProcessProposal.ACCEPT


def test_a_store_that_is_not_waited_for_ends_the_question(begun: PlayedEngine) -> None:
    begun.height += 1
    patience = Patience(2)
    begun.applications["core"].waits = patience
    with pytest.MonkeyPatch.context() as patch:

        def away() -> None:
            raise StoreAway(store="ledger", why="no connection")

        patch.setattr(begun.members.open("core").view.ledger.file, "read", away)
        with pytest.raises(StoreAway):
            begun.process("core", [])
    assert patience.left == 0


def test_a_store_that_is_away_hands_out_no_snapshot_and_ends_nothing(begun: PlayedEngine) -> None:
    class Shelf:
        def offered(self) -> None:
            raise StoreAway(store="ledger", why="no connection")

        def chunk(self, _height: int, _number: int) -> None:
            self.offered()

    application = EngineApplication(begun.members.open("core").view, (), Shelf())
    assert not application.list_snapshots(pb.RequestListSnapshots()).snapshots
    assert application.load_snapshot_chunk(pb.RequestLoadSnapshotChunk(height=1, format=FORMAT)).chunk == b""


def test_a_ledger_that_stands_takes_no_snapshot_and_tells_its_height_alone(begun: PlayedEngine) -> None:
    application = begun.applications["core"]
    assert application.info(pb.RequestInfo()).last_block_height == 1
    assert not application.list_snapshots(pb.RequestListSnapshots()).snapshots
    assert application.offer_snapshot(pb.RequestOfferSnapshot()).result == pb.ResponseOfferSnapshot.ABORT
    assert application.load_snapshot_chunk(pb.RequestLoadSnapshotChunk()).chunk == b""
    refused = pb.ResponseApplySnapshotChunk.ABORT
    assert application.apply_snapshot_chunk(pb.RequestApplySnapshotChunk()).result == refused


# ── what the application hash binds ──────────────────────────────────────────────────────────────────────────────────


def test_the_application_hash_is_that_of_what_is_stored(begun: PlayedEngine) -> None:
    own = desk(begun, "supplier")
    own.send(own.draft(registration(begun.members, an_object())), [])
    decided = begun.members.open("bank-b").view.ledger.decided()
    assert decided is not None
    parts = decided.chain, decided.governance_size, decided.governance_root, decided.writes
    assert LedgerState(*parts).hash == decided.app_hash
    assert decided.hash == block_hash(2)
