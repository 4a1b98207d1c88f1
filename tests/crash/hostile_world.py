"""One anvil with the contract, and relayers that see it through hostile endpoints. Time passes with `mine` alone."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.proven_chain import ProvenChain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Patience
from hybrid_bridge.ports import UnsignedTransaction
from hybrid_bridge.testing.hostile_endpoint import HostileEndpoint
from hybrid_bridge.testing.memory_members import MemorySigner, key
from hybrid_bridge.testing.public_chain_behaviour import CADENCE, RegistrableLog
from hybrid_bridge.units import PublicBlockNumber, Seconds, TreeSize, UnixSeconds, Wei
from relayers.abreast import Abreast
from relayers.collect import Collector
from relayers.fsck import Finding, fsck
from relayers.journal import JournalDump, Scope
from relayers.log import Log, SetPeriod
from relayers.observe import Observer
from relayers.relay import Relayer, Tick, tick
from relayers.sql_journal import SqlJournal, create_journal
from relayers.views import FeePolicy, LogClock, Policy
from tests import engines
from tests.crash.relay_world import ALONE, ETHER, fees

BY_OTHERS = MemorySigner("somebody who deploys")
FINAL = 8  # public blocks until final: anvil counts two epochs of four


class Anvil:
    """The public chain with the contract on it, shared by a file's cases."""

    def __init__(self, url: str) -> None:
        self.url, self.rpc, self._cases = url, JsonRpc("anvil", url), 0
        self.fund(BY_OTHERS, 1000 * ETHER)
        self.patience = Patience(polls=5, every=0.0, sleep=lambda _: self.mine())
        plan = plan_deployment(self.rpc, artefact(REGISTRY), BY_OTHERS.address())
        self.chain = Web3Chain(self.rpc, deploy(self.rpc, plan, BY_OTHERS, self.patience).address)

    def next_name(self) -> str:
        """Of a case: its key and its log are its own."""
        self._cases += 1
        return f"case.{self._cases}"

    def mine(self, count: int = 1) -> None:
        self.rpc.ask("anvil_mine", hex(count))

    def fund(self, signer: MemorySigner, wei: int) -> None:
        self.rpc.ask("anvil_setBalance", "0x" + signer.address().hex(), hex(wei))

    def reorganise(self, depth: int) -> None:
        """The newest public blocks give way to as many empty ones; what stood in them is forgotten."""
        self.rpc.ask("anvil_reorg", depth, [])

    def next_base_fee(self, wei: int) -> None:
        self.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def delegate(self, name: str) -> None:
        """A set-code transaction, paid by another, that puts a delegation on the key of that name (EIP-7702)."""
        account, account_address = Account.from_key(key(name)), MemorySigner(name).address()
        chain_id, at = self.chain.chain_id(), self.chain.latest()
        permission = account.sign_authorization(
            {"chainId": chain_id, "address": b"\xde" * 20, "nonce": self.chain.nonce(account_address, at)}
        )
        paid = {
            "type": 4,
            "chainId": chain_id,
            "nonce": self.chain.nonce(BY_OTHERS.address(), at),
            "to": BY_OTHERS.address(),
            "value": 0,
            "data": b"",
            "gas": 200_000,
            "maxFeePerGas": 200 * 10**9,
            "maxPriorityFeePerGas": 100 * 10**9,
            "accessList": [],
            "authorizationList": [permission],
        }
        signed = Account.from_key(key("somebody who deploys")).sign_transaction(paid)
        assert self.rpc.ask("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())
        self.mine()

    def anchor(self, log: RegistrableLog, from_size: int, to_size: int) -> None:
        """By another operator, in a public block of its own."""
        at = self.chain.latest()
        unsigned = UnsignedTransaction(
            chain_id=self.chain.chain_id(),
            nonce=self.chain.nonce(BY_OTHERS.address(), at),
            to=self.chain.contract,
            value=Wei(0),
            data=anchor_calldata(log.update(from_size, to_size)),
            gas=300_000,  # type: ignore[arg-type]
            max_fee=Wei(200 * 10**9),
            tip=Wei(100 * 10**9),
        )
        assert self.chain.broadcast(BY_OTHERS.sign(unsigned)).tx_hash is not None
        self.mine()


class Case:
    """One relayer with a log, a key, a journal and hostile endpoints of its own."""

    def __init__(
        self, anvil: Anvil, folder: Path, proxies: Sequence[HostileEndpoint], *, proofs: bool = False, **changes: Any
    ) -> None:
        self.anvil, self.proxies, name = anvil, tuple(proxies), anvil.next_name()
        self.name, self.proofs = name, proofs
        self.seconds = 0.0  # for the bench, and for the patience with slow endpoints: a busy machine changes nothing
        self.signer = MemorySigner(name)
        anvil.fund(self.signer, 10 * ETHER)
        self.log = RegistrableLog(name, UnixSeconds(anvil.chain.latest().time - 7200))
        entries = self.log.validators.encode_entries()
        register(anvil.chain, BY_OTHERS, (self.log.genesis, self.log.origin, entries), anvil.patience)
        anvil.mine(FINAL + 1)
        self.scope = Scope(
            chain_id=anvil.chain.chain_id(),
            genesis_hash=anvil.chain.block(PublicBlockNumber(0)).hash,
            contract=anvil.chain.contract,
            log_id=self.log.log_id,
            signer=self.signer.address(),
        )
        self.fees: FeePolicy = fees(**changes)
        self.path = folder / "journal.db"
        create_journal(self.path, self.scope, self.now())
        self.journal = SqlJournal(self.path, self.scope, "case", self.now())
        self.observer = Observer(
            self.scope,
            tuple(self.chain_at(i, proxy) for i, proxy in enumerate(self.proxies)),
            len(self.proxies) // 2 + 1,
            None,
            PublicBlockNumber(0),
            artefact(REGISTRY).runtime_code_hash,
            is_proven=proofs,
            monotonic=lambda: self.seconds,
            asking=Abreast(60),
        )

    def chain_at(self, index: int, proxy: HostileEndpoint) -> Web3Chain:
        found = ProvenChain if self.proofs else Web3Chain
        return found(JsonRpc(f"endpoint {index}", proxy.url, Seconds(20)), self.anvil.chain.contract)

    def now(self) -> UnixSeconds:
        return self.anvil.chain.latest().time

    def relayer(self) -> Relayer:
        clock = LogClock(genesis_time=self.log.genesis_time, cadence=CADENCE, grace=Seconds(600))
        log = Log(self.log.log_id, clock, (SetPeriod(TreeSize(1), self.log.validators),))
        return Relayer(
            scope=self.scope,
            log=log,
            policy=Policy(clock=clock, fees=self.fees, turns=ALONE),
            journal=self.journal,
            observer=self.observer,
            collector=Collector(log, self.log.members, Seconds(0)),
            signer=self.signer,
            encode_anchor=anchor_calldata,
            encode_rotation=rotate_calldata,
            clock=self,
        )

    def tick(self) -> Tick:
        return tick(self.relayer())

    def epoch(self) -> Tick:
        """An epoch closes, and the tick that sends its anchor."""
        self.log.close_epoch()
        report = self.tick()
        assert report.done[-1] == "Send", report
        return report

    def settle(self) -> Tick:
        """After the last fault: within finality depth + 5 public blocks everything is final (L1)."""
        report = self.tick()
        for blocks in (1, FINAL, 1):
            self.anvil.mine(blocks)
            report = self.tick()
        return report

    def dump(self) -> JournalDump:
        return self.journal.dump()

    def anchored(self) -> list[int]:
        """Sizes of the events that stand."""
        newest = self.anvil.chain.latest().number
        return [e.tree_size for e in self.anvil.chain.anchored(self.log.log_id, PublicBlockNumber(0), newest)]

    def fsck(self) -> list[Finding]:
        relayer = self.relayer()
        return fsck(self.dump(), relayer.log, self.anvil.chain, self.fees)

    def evidence(self) -> list[tuple[str, str]]:
        """Endpoint and method of each row, oldest first."""
        with closing(sqlite3.connect(self.path)) as database:
            return database.execute("SELECT endpoint, method FROM rpc_evidence ORDER BY id").fetchall()

    def halted(self) -> str | None:
        return self.journal.view(self.now()).halted


@contextmanager
def opened(anvil: Anvil, folder: Path, count: int = 1, *, strict: bool = False, **changes: Any) -> Iterator[Case]:
    """A case with so many endpoints, all ended with it."""
    with ExitStack() as stack:
        proxies = [stack.enter_context(HostileEndpoint(anvil.url, strict=strict)) for _ in range(count)]
        case = Case(anvil, folder, proxies, **changes)
        stack.callback(case.journal.close)
        yield case


def started(folder: Path) -> tuple[engines.Child, Anvil]:
    """anvil without a clock of its own."""
    child, url = engines.start_anvil(folder, "--no-mining")
    return child, Anvil(url)


Make = Callable[..., Case]


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    child, anvil = started(tmp_path_factory.mktemp("anvil"))
    yield anvil
    child.stop()


@pytest.fixture
def make(anvil: Anvil, tmp_path: Path) -> Iterator[Make]:
    """Cases with so many endpoints, closed at the end."""
    with ExitStack() as stack:
        yield lambda count=1, **changes: stack.enter_context(opened(anvil, tmp_path, count, **changes))
