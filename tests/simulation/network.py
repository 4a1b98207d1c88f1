"""The simulated public chain: a pool with geth's rules whose public blocks a schedule fills, empties and exchanges."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from random import Random

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.testing.memory_chain import MemoryBlock, MemoryNetwork
from hybrid_bridge.testing.memory_contract import MemoryLog
from hybrid_bridge.units import Address, LogId, PublicBlockHash, TxHash, UnixSeconds, Wei
from tests.simulation.consortium import CADENCE, CHAIN, CONTRACT, GENESIS, whole

FIRST_HASH = PublicBlockHash(keccak256(b"first"))


@cache
def _registered() -> MemoryLog:
    consortium = whole()
    return MemoryLog.registered(consortium.log_id, consortium.validators, GENESIS, CADENCE)


class Network(MemoryNetwork):
    """A public chain whose log is registered."""

    def __init__(self, age: int) -> None:
        super().__init__(CHAIN, CONTRACT, UnixSeconds(GENESIS + age * CADENCE))
        self.ever: dict[PublicBlockHash, MemoryBlock] = {}  # every public block there ever was, also those exchanged
        self.put_log(whole().log_id, _registered())
        self.was_braked = False
        self.wallets: set[bytes] = set()  # hashes of what somebody else sent with an operator's key

    def put_log(self, log_id: LogId, log: MemoryLog) -> None:
        if len(self.blocks) > 1:
            self.mine(1, only=())  # nobody has seen it yet
        super().put_log(log_id, log)
        self.ever[self.newest.block.hash] = self.newest

    def fund(self, address: Address, balance: Wei) -> None:
        if len(self.blocks) > 1:
            self.mine(1, only=())  # nobody has seen it yet: a state never changes under one hash
        super().fund(address, balance)
        self.ever[self.newest.block.hash] = self.newest

    def mine(self, count: int = 1, only: Iterable[TxHash] | None = None) -> MemoryBlock:
        for _ in range(count):
            super().mine(1, only)
            self.ever[self.newest.block.hash] = self.newest
        return self.newest

    def exchange(self, depth: int, random: Random, *, forget: bool) -> None:
        """Other public blocks in the place of the newest `depth`; each takes what it likes from the pool."""
        removed = self.blocks[-depth:]
        del self.blocks[-depth:]
        self._forks += 1
        if forget:
            self._pool = {key: tx for key, tx in self._pool.items() if random.random() < 0.7}
        else:
            for transaction in (tx for block in removed for tx in block.transactions):
                self._pool.setdefault((transaction.sender, transaction.transaction.nonce), transaction)
        for _ in range(depth):
            self.mine_some(random)

    def mine_some(self, random: Random) -> None:
        """A public block with none, some or all of what could stand in it."""
        share = random.choice((0.0, 0.5, 1.0))
        self.mine(1, only=[tx.hash for tx in self.pending if random.random() < share])

    @property
    def log(self) -> MemoryLog:
        """As it stands now."""
        return self.newest.logs[whole().log_id]

    def brake(self, public_blocks: int) -> None:
        """The guardian pauses the log for so many public blocks from now on; 0: a quorum of validators resumes it."""
        self.was_braked = True
        until = UnixSeconds(self.newest.block.time + (1 + public_blocks) * self.interval)
        self.put_log(whole().log_id, replace(self.log, paused_until=until if public_blocks else UnixSeconds(0)))

    def nonce_of(self, account: Address) -> int:
        return self.newest.nonces.get(account, 0)

    def evict_some(self, random: Random) -> None:
        for transaction in self.pending:
            if random.random() < 0.7:
                self.evict(transaction.hash)
