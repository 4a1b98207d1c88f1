"""The relayer against the real contract in a real EVM, through JSON-RPC: what the demo does, without its clock."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.calls import rotate_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Patience
from hybrid_bridge.core.power import SignedPower
from hybrid_bridge.custody.places import parse_place
from hybrid_bridge.custody.signers import open_gas_key
from hybrid_bridge.errors import CodeMismatch, StoreBroken
from hybrid_bridge.testing.memory_members import MemorySigner, key
from hybrid_bridge.testing.public_chain_behaviour import CADENCE, RegistrableLog
from hybrid_bridge.units import Digest, PublicBlockNumber, Seconds, TreeSize, UnixSeconds, Wei
from relayers.appointing import appointment
from relayers.collect import Collector
from relayers.daemon import Daemon, Served
from relayers.fsck import fsck
from relayers.health import State
from relayers.journal import IntentKind, IntentState, Outcome, Scope
from relayers.log import Log, SetPeriod
from relayers.metrics import PREFIX, Instruments, Metrics, Subject
from relayers.observe import Observer
from relayers.relay import Relayer, tick
from relayers.sql_journal import SqlJournal, create_journal
from relayers.views import LogClock, Policy
from tests.crash.relay_world import ALONE, DEPTH, ETHER, anchor_calldata, fees
from tests.engines import SoftHsm, rpc_of, softhsm

pytestmark = pytest.mark.evm
BORN = UnixSeconds(1_800_000_000)
GAS = "a gas key"
SIGNER = MemorySigner(GAS)
BY_OTHERS = MemorySigner("somebody who deploys")


class World:
    """Contract and log are there; time passes with `mine` alone."""

    def __init__(self, rpc: JsonRpc, log: RegistrableLog | None = None) -> None:
        self.rpc, self.log = rpc, log or RegistrableLog("relayer", UnixSeconds(BORN - 3600))
        patience = Patience(polls=5, every=0.0, sleep=lambda _: self.mine())
        plan = plan_deployment(rpc, artefact(REGISTRY), BY_OTHERS.address())
        self.chain = Web3Chain(rpc, deploy(rpc, plan, BY_OTHERS, patience).address)
        register(
            self.chain,
            BY_OTHERS,
            (self.log.genesis, self.log.origin, self.log.validators.encode_entries()),
            patience,
        )
        self.updates: list[SignedPower] = []
        self.scope = Scope(
            chain_id=self.chain.chain_id(),
            genesis_hash=self.chain.block(PublicBlockNumber(0)).hash,
            contract=self.chain.contract,
            log_id=self.log.log_id,
            signer=SIGNER.address(),
        )

    def scope_of(self, signer: MemorySigner) -> Scope:
        return replace(self.scope, signer=signer.address())

    def mine(self, count: int = 1) -> None:
        for _ in range(count):
            self.rpc.ask("evm_mine")

    def now(self) -> UnixSeconds:
        return self.chain.latest().time

    def served(self) -> Log:
        clock = LogClock(genesis_time=self.log.genesis_time, cadence=CADENCE, grace=Seconds(600))
        return Log(self.log.log_id, clock, tuple(SetPeriod(*each) for each in self.log.sets))

    def relayer(self, journal: SqlJournal, signer: MemorySigner = SIGNER) -> Relayer:
        code, scope = artefact(REGISTRY).runtime_code_hash, self.scope_of(signer)
        return Relayer(
            scope=scope,
            log=self.served(),
            policy=Policy(clock=self.served().clock, fees=fees(), turns=ALONE),
            journal=journal,
            observer=Observer(scope, (self.chain,), 1, None, PublicBlockNumber(0), code),
            collector=Collector(
                self.served(),
                self.log.members,
                Seconds(0),
                appoint=lambda seen: appointment(self.served(), scope, seen, self.updates),
            ),
            signer=signer,
            encode_anchor=anchor_calldata,
            encode_rotation=rotate_calldata,
            clock=self,
        )


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    funds = ((SIGNER.address(), Wei(10 * ETHER)), (BY_OTHERS.address(), Wei(10 * ETHER)))
    clock = iter(range(BORN, BORN + 10**6))
    with Devnet(
        DevnetSettings(period=0, finality_depth=DEPTH, funds=funds), lambda: UnixSeconds(next(clock))
    ) as devnet:
        yield World(rpc_of(devnet.url))


def test_checkpoints_become_final_anchors_and_journal_and_chain_agree(world: World, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    create_journal(path, world.scope, world.now())
    for _ in range(3):
        world.log.close_epoch()
        with SqlJournal(path, world.scope, "test", world.now()) as journal:  # each time a new process
            relayer = world.relayer(journal)
            assert relayer.observer.admitted() == relayer.observer
            assert relayer.observer.serving() == (relayer.observer, ())
            report = tick(relayer)
        assert not report.blind, report
        assert report.done[-3:] == ("OpenSlot", "MakeAttempt", "Send")
        world.mine()
        assert world.chain.head(world.log.log_id, world.chain.latest()).tree_size == world.log.size
    world.mine(DEPTH)
    with SqlJournal(path, world.scope, "test", world.now()) as journal:
        tick(world.relayer(journal))
        dump = journal.dump()
    assert [intent.state for intent in dump.intents] == [IntentState.FINALIZED] * 3
    assert [anchor.tree_size for anchor in dump.anchors] == [2, 3, 4]
    assert fsck(dump, world.served(), world.chain, fees()) == []


def test_two_operators_race_for_a_rotation_and_the_new_set_anchors(world: World, tmp_path: Path) -> None:
    town = World(world.rpc, RegistrableLog("rotating", UnixSeconds(BORN - 3600)))
    journals = {}
    for signer in (SIGNER, BY_OTHERS):
        journals[signer] = tmp_path / f"{signer.address().hex()}.db"
        create_journal(journals[signer], town.scope_of(signer), town.now())

    def turn() -> list[tuple[str, ...]]:
        done = []
        for signer, path in journals.items():
            with SqlJournal(path, town.scope_of(signer), "test", town.now()) as journal:
                done.append(tick(town.relayer(journal, signer)).done)
        town.mine()
        return done

    town.log.exchange("newcomer", TreeSize(3))
    town.updates += town.log.appointed(town.scope.chain_id, town.scope.contract, (0, 1, 2, 4))
    assert [done[-4:] for done in turn()] == [("OpenRotation", "OpenSlot", "MakeAttempt", "Send")] * 2
    assert town.chain.head(town.log.log_id, town.chain.latest()).next_from_size == 3
    for _ in range(2):
        town.log.close_epoch()
        turn()
    for _ in range(DEPTH + 1):
        turn()
    head = town.chain.head(town.log.log_id, town.chain.latest())
    assert (head.tree_size, head.set_id, head.next_from_size) == (3, 2, 0)
    rotations, outcomes = [], []
    for signer, path in journals.items():
        with SqlJournal(path, town.scope_of(signer), "test", town.now()) as journal:
            dump = journal.dump()
        assert fsck(dump, town.served(), town.chain, fees()) == []
        rotations += [intent.state for intent in dump.intents if intent.kind is IntentKind.ROTATE]
        carried = {attempt.hash for attempt in dump.attempts if attempt.is_rotation}
        outcomes += [(final.outcome, final.reason) for final in dump.finals if final.hash in carried]
    assert set(rotations) == {IntentState.FINALIZED, IntentState.SUPERSEDED}
    assert set(outcomes) == {(Outcome.OK, ""), (Outcome.REVERTED, "stale")}


@pytest.mark.engine
def test_an_anchor_that_an_hsm_signed_stands_in_the_contract(world: World, tmp_path: Path) -> None:
    (tmp_path / "pin").touch(mode=0o600)
    (tmp_path / "pin").write_text(SoftHsm.PIN)
    (tmp_path / "hsm").mkdir()
    create_journal(tmp_path / "journal.db", world.scope, world.now())
    with softhsm(tmp_path / "hsm", "relayer") as hsm:
        hsm.bring_key("relayer", "gas", key(GAS))
        text = f"pkcs11:token=relayer;object=gas?module-path={hsm.module}&pin-source=file:pin"
        signer = open_gas_key(parse_place(text, tmp_path, "chain.signer"), "chain.signer", SIGNER.address())
        world.log.close_epoch()
        with SqlJournal(tmp_path / "journal.db", world.scope, "test", world.now()) as journal:
            report = tick(replace(world.relayer(journal), signer=signer))
            (attempt,) = journal.dump().attempts
    assert report.done[-3:] == ("OpenSlot", "MakeAttempt", "Send")
    world.mine()
    assert world.chain.head(world.log.log_id, world.chain.latest()).tree_size == world.log.size
    found = world.chain.receipt_status(attempt.hash)
    assert found is not None
    assert found[1]


def test_another_chain_or_other_code_is_refused_at_the_start(world: World) -> None:
    observer = Observer(world.scope, (world.chain,), 1, None, PublicBlockNumber(0), Digest(bytes(32)))
    with pytest.raises(CodeMismatch):
        observer.admitted()
    elsewhere = replace(world.scope, genesis_hash=bytes(32))
    with pytest.raises(StoreBroken):
        replace(observer, scope=elsewhere).admitted()
    with pytest.raises(CodeMismatch):
        replace(observer, endpoints=(Web3Chain(world.rpc, SIGNER.address()),), code_hash=None).admitted()


def test_one_chain_of_two_may_be_dead_for_a_while(world: World, tmp_path: Path) -> None:
    """One process, one log, two public chains: what k chains have final is anchored, and no chain waits for another."""
    log = RegistrableLog("two-chains", UnixSeconds(1_700_000_000))
    side_net = ExitStack()
    side_port = side_net.enter_context(side_chain(tmp_path, 0))
    main, side = World(world.rpc, log), World(JsonRpc("side", f"http://127.0.0.1:{side_port}"), log)
    instruments = Instruments()
    with side_net, ExitStack() as stack:
        served = [
            served_on(name, chain, main, instruments, stack, tmp_path)
            for name, chain in (("main", main), ("side", side))
        ]
        daemon = Daemon(served, Seconds(3600), anchored_when=2)

        def turn(*alive: World) -> dict[int, TreeSize]:
            for go in daemon.ticker._ticks.values():
                go()
            for chain in alive:
                chain.mine()
            return {when: daemon._board.verdict(when).size for when in (1, 2)}

        def settled(*alive: World) -> dict[int, TreeSize]:
            return [turn(*alive) for _ in range(DEPTH + 3)][-1]

        log.close_epoch()
        assert settled(main, side) == {1: 2, 2: 2}
        side_net.close()
        log.close_epoch()
        assert settled(main) == {1: 3, 2: 2}
        assert {name: health.state for name, health in daemon._board._health.items()} == {
            "main": State.READY,
            "side": State.DEGRADED,
        }
        told = instruments.text().decode()
        assert sample(told, "anchored_size", 'chain="all"', 'level="k_of_m"') == 2
        assert sample(told, "anchored_size", 'chain="main"', 'level="finalized"') == 3
        assert Daemon(served, Seconds(3600), anchored_when=2)._board.verdict(2).size == 2  # known before the first tick
        stack.enter_context(side_chain(tmp_path, side_port))
        assert settled(main, side) == {1: 3, 2: 3}


@contextmanager
def side_chain(folder: Path, port: int) -> Iterator[int]:
    """The port of a devnet in a process of its own, whose public blocks outlive it."""
    funds = (f"--fund=0x{owner.hex()}=10" for owner in (SIGNER.address(), BY_OTHERS.address()))
    command = [sys.executable, "-m", "hybrid_bridge", "devnet", "--chain-id=5", "--period=0", f"--port={port}", *funds]
    command += [f"--finality-depth={DEPTH}", f"--state-file={folder / 'side.chain'}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(json.loads(process.stdout.readline())["port"])
    finally:
        process.kill()
        process.communicate()


def served_on(
    name: str, world: World, clock: World, instruments: Instruments, stack: ExitStack, folder: Path
) -> Served:
    create_journal(folder / f"{name}.db", world.scope, world.now())
    journal = stack.enter_context(SqlJournal(folder / f"{name}.db", world.scope, "test", world.now()))
    relayer = replace(world.relayer(journal), clock=clock)
    subject = Subject(
        chain=name,
        scope=relayer.scope,
        log=relayer.log,
        policy=relayer.policy,
        endpoints=(world.rpc.name,),
        quorum=1,
        members=(),
        certificate_ends=None,
        version="1",
        schema=1,
        backend="keystore",
    )
    return Served(name, relayer, Metrics(subject, journal.epoch, instruments), lambda: None)


def sample(text: str, name: str, *labels: str) -> float:
    lines = (line for line in text.splitlines() if line.startswith(f"{PREFIX}{name}{{"))
    (found,) = (line for line in lines if all(label in line for label in labels))
    return float(found.split()[-1])
