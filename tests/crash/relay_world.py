"""The world a relayer lives in, for tests: consortium, public chain and journals that survive a crash."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hybrid_bridge.adapters.evm.calls import anchor_calldata, rotate_calldata
from hybrid_bridge.core.power import SignedPower
from hybrid_bridge.ports import PublicChain, TransactionSigner
from hybrid_bridge.testing.crashing import Crashing, CrashPlan, Killed, methods_of
from hybrid_bridge.testing.memory_chain import GWEI, MemoryChain, MemoryNetwork
from hybrid_bridge.testing.memory_contract import MemoryLog
from hybrid_bridge.testing.memory_members import MemoryConsortium, MemorySigner, address
from hybrid_bridge.units import ChainId, Gas, PublicBlockNumber, Seconds, TreeSize, UnixSeconds, Wei
from relayers.appointing import appointment
from relayers.collect import Collector
from relayers.desk import Orders
from relayers.fsck import Finding, fsck
from relayers.journal import Journal, JournalReader, Scope
from relayers.log import Log, SetPeriod
from relayers.observe import Observer
from relayers.relay import Relayer, Tick, tick
from relayers.sql_journal import SqlJournal, create_journal
from relayers.views import FeePolicy, LogClock, Policy, TurnPolicy

BORN = UnixSeconds(1_700_000_000)
CADENCE = Seconds(12)
DEPTH = 4
ETHER = 10**18
CONTRACT = address("the contract")
JOURNAL_WRITES = methods_of(Journal) - methods_of(JournalReader)
NOT_ON_THE_HAPPY_PATH = {"halt", "keep_evidence", "open_rotation"}
CHAIN_EFFECTS = frozenset({"broadcast"})
SIGNER_EFFECTS = frozenset({"sign"})
CHAIN_READS = methods_of(PublicChain) - CHAIN_EFFECTS
SIGNER_READS = methods_of(TransactionSigner) - SIGNER_EFFECTS
_EMPTY: dict[Scope, bytes] = {}
ALONE = TurnPolicy(operators=1, my_index=0, grace_blocks=2, anchor_every=1, delay=Seconds(0))


def fees(**changes: Any) -> FeePolicy:
    values: dict[str, Any] = {
        "max_fee": Wei(100 * GWEI),
        "tip": Wei(GWEI),
        "max_cost_per_anchor": Wei(ETHER // 10),
        "daily_budget": Wei(100 * ETHER),
        "max_gas": Gas(1_500_000),
        "usual_gas": Gas(300_000),
        "bump_blocks": 10,
    }
    return FeePolicy(**values | changes)


@dataclass
class World:
    """One consortium, one public chain. Public blocks and epochs tick together, by hand."""

    network: MemoryNetwork = field(default_factory=lambda: MemoryNetwork(ChainId(1337), CONTRACT, BORN))
    consortium: MemoryConsortium = field(
        default_factory=lambda: MemoryConsortium(4, UnixSeconds(BORN - 100 * CADENCE), CADENCE)
    )

    updates: list[SignedPower] = field(default_factory=list)  # signed set updates, as the operators hold them

    def __post_init__(self) -> None:
        consortium = self.consortium
        log = MemoryLog.registered(
            consortium.log_id, consortium.validators, consortium.genesis_time, consortium.cadence
        )
        self.network.put_log(consortium.log_id, log)

    def now(self) -> UnixSeconds:
        return self.network.newest.block.time

    @property
    def log(self) -> Log:
        clock = LogClock(genesis_time=self.consortium.genesis_time, cadence=CADENCE, grace=Seconds(3600))
        return Log(self.consortium.log_id, clock, tuple(SetPeriod(*each) for each in self.consortium.sets))

    def appoint(self, in_sizes: int, signers: Sequence[int] = (0, 1, 2, 4)) -> None:
        """From so many sizes on another member signs; whoever stays, and the newcomer, have signed the update."""
        self.consortium.exchange("newcomer", TreeSize(self.consortium.size + in_sizes))
        self.updates += self.consortium.appointed(self.network.chain_id, CONTRACT, signers)

    def signer(self, name: str) -> MemorySigner:
        return MemorySigner(name)


def scope_for(world: World, operator: str) -> Scope:
    return Scope(
        chain_id=world.network.chain_id,
        genesis_hash=world.network.blocks[0].block.hash,
        contract=CONTRACT,
        log_id=world.consortium.log_id,
        signer=address(operator),
    )


def empty_journal(path: Path, scope: Scope) -> None:
    """A new journal; the same bytes for the same scope, made once."""
    if scope not in _EMPTY:
        create_journal(path, scope, BORN)
        _EMPTY[scope] = path.read_bytes()
    path.write_bytes(_EMPTY[scope])


def relayer_for(
    world: World,
    *,
    journal: Any,
    chain: Any,
    signer: Any,
    clock: Any,
    turns: TurnPolicy = ALONE,
    fee_policy: FeePolicy | None = None,
) -> Relayer:
    scope = replace(scope_for(world, ""), signer=signer.address())
    return Relayer(
        scope=scope,
        log=world.log,
        policy=Policy(clock=world.log.clock, fees=fee_policy or fees(), turns=turns),
        journal=journal,
        observer=Observer(scope, (chain,), 1, None, PublicBlockNumber(0)),
        collector=Collector(
            world.log,
            world.consortium.members,
            Seconds(0),
            appoint=lambda seen: appointment(world.log, scope, seen, world.updates),
        ),
        signer=signer,
        encode_anchor=anchor_calldata,
        encode_rotation=rotate_calldata,
        clock=clock,
    )


@dataclass
class Operator:
    """One relayer: a gas key, a journal file, and a process that may die."""

    world: World
    path: Path
    name: str = "operator 0"
    index: int = 0
    operators: int = 1
    fee_policy: FeePolicy = field(default_factory=fees)
    plan: CrashPlan = field(default_factory=lambda: CrashPlan({}))
    journal: SqlJournal | None = None
    deaths: int = 0

    def __post_init__(self) -> None:
        self.signer = self.world.signer(self.name)
        self.endpoint = MemoryChain(self.world.network, final_depth=DEPTH)
        self.world.network.fund(self.signer.address(), Wei(50 * ETHER))
        self.scope = scope_for(self.world, self.name)
        empty_journal(self.path, self.scope)

    def relayer(self) -> Relayer:
        """As a process builds it when it starts; everything it had in memory is gone."""
        if self.journal is None:
            self.journal = SqlJournal(self.path, self.scope, self.name, self.world.now())
        return relayer_for(
            self.world,
            journal=Crashing(self.journal, JOURNAL_WRITES, self.plan),
            chain=Crashing(self.endpoint, CHAIN_EFFECTS, self.plan),
            signer=Crashing(self.signer, SIGNER_EFFECTS, self.plan),
            clock=self.world,
            turns=replace(ALONE, operators=self.operators, my_index=self.index),
            fee_policy=self.fee_policy,
        )

    def tick(self) -> Tick | None:
        """One tick; None if the process died in it. The next one starts from the disk."""
        try:
            return tick(self.relayer())
        except Killed:
            self.deaths += 1
            self.close()
            return None

    def close(self) -> None:
        if self.journal is not None:
            self.journal.close()
            self.journal = None

    def fsck(self) -> list[Finding]:
        self.close()
        with SqlJournal(self.path, self.scope, "fsck", self.world.now()) as journal:
            return fsck(journal.dump(), self.world.log, self.endpoint)


def lift_halt(operator: Operator) -> None:
    """A person has read the evidence."""
    with Orders(operator.path, operator.scope) as orders:
        orders.lift_halt(orders.control().evidence or "", "a person", operator.world.now())


def run(operators: list[Operator], blocks: int, before: Callable[[int], None] = lambda number: None) -> None:
    """Each operator ticks once between two public blocks."""
    world = operators[0].world
    for number in range(blocks):
        before(number)
        for operator in operators:
            operator.tick()
        world.network.mine()


def settle(operators: list[Operator]) -> None:
    """After the last fault: within finality depth + 5 public blocks everything is final (L1)."""
    run(operators, DEPTH + 5)
