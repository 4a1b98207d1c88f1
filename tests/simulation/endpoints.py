"""One endpoint of a simulated public chain: honest, dead, stuck on what it saw once, or lying in one way.

A lie is a function of the question alone, so that the same question twice has one answer.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock, PublicChain, SendAnswer
from hybrid_bridge.testing.memory_chain import MemoryBlock, MemoryChain, MemoryNetwork
from hybrid_bridge.units import (
    Address,
    Gas,
    LogId,
    Nonce,
    PublicBlockHash,
    PublicBlockNumber,
    RawTransaction,
    TxHash,
    Wei,
)
from tests.simulation.consortium import LARGEST, root, whole

DEPTH = 4  # public blocks until final
FAR = 400  # nonces, of a lie that would fill every tick of a long day
LIES = (
    "head ahead",
    "head behind",
    "nonce up",
    "nonce down",
    "receipt none",
    "receipt good",
    "final ahead",
    "final forged",
    "events forged",
    "events hidden",
    "latest ahead",
    "block forged",
    "rich",
    "poor",
    "free",
    "gas low",
    "gas high",
    "swallows",
    "other hash",
)


FAR_UP = (
    "nonce far up",
    "far up pinned",
)  # everywhere, and at public blocks that are not final; seeds do not draw them


class Snapshot:
    """What an endpoint that is stuck still shows; what it is sent it passes on."""

    def __init__(self, network: MemoryNetwork) -> None:
        self.blocks: list[MemoryBlock] = list(network.blocks)
        self.newest, self.chain_id, self.interval = network.newest, network.chain_id, network.interval
        self.contract, self.offer, self.pending = network.contract, network.offer, network.pending


class Endpoint(MemoryChain):
    """`state` is "honest", "dead", "stuck" or one of LIES or FAR_UP."""

    def __init__(self, network: MemoryNetwork, name: str, keeps: int) -> None:
        super().__init__(network, name, DEPTH, keeps)
        self._world, self.state = network, "honest"

    def become(self, state: str) -> None:
        self.state, self.is_down = state, state == "dead"
        self.network: Any = Snapshot(self._world) if state == "stuck" else self._world

    @property
    def is_lying(self) -> bool:
        return self.state in (*LIES, *FAR_UP)

    def latest(self) -> PublicBlock:
        honest = super().latest()
        return _beyond(honest) if self.state == "latest ahead" else honest

    def finalized(self) -> PublicBlock:
        if self.state == "final ahead":
            return super().latest()
        honest = super().finalized()
        return replace(honest, hash=PublicBlockHash(b"\x66" * 32)) if self.state == "final forged" else honest

    def block(self, number: PublicBlockNumber) -> PublicBlock:
        honest = super().block(number)
        return (
            replace(honest, hash=PublicBlockHash(b"\x67" * 32)) if self.state == "block forged" and number else honest
        )

    def base_fee(self, at: PublicBlock) -> Wei:
        honest = super().base_fee(at)
        return Wei(1) if self.state == "free" else honest

    def head(self, log: LogId, at: PublicBlock) -> Head:
        honest = super().head(log, at)
        if self.state == "head ahead":
            return replace(honest, tree_size=honest.tree_size + 3, root=root(min(LARGEST, honest.tree_size + 3)))
        if self.state == "head behind" and honest.tree_size > 1:
            return replace(honest, tree_size=1, root=whole().log_id)
        return honest

    def nonce(self, address: Address, at: PublicBlock) -> Nonce:
        honest = super().nonce(address, at)
        if self.state == "nonce far up" or (self.state == "far up pinned" and at != super().finalized()):
            return Nonce(honest + FAR)
        return Nonce(max(0, honest + {"nonce up": 2, "nonce down": -1}.get(self.state, 0)))

    def balance(self, address: Address, at: PublicBlock) -> Wei:
        honest = super().balance(address, at)
        return {"rich": Wei(10**24), "poor": Wei(0)}.get(self.state, honest)

    def anchored(self, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber) -> Sequence[AnchoredEvent]:
        honest = super().anchored(log, first, last)
        if self.state == "events hidden":
            return []
        return [_forged(super().block(last)), *honest] if self.state == "events forged" else honest

    def simulate(self, sender: Address, data: bytes, at: PublicBlock) -> Gas:
        honest = super().simulate(sender, data, at)
        return {"gas low": Gas(21_000), "gas high": Gas(10**9)}.get(self.state, honest)

    def broadcast(self, raw: RawTransaction) -> SendAnswer:
        if self.state == "swallows":
            return SendAnswer(None, "", TxHash(b"\x68" * 32))
        honest = super().broadcast(raw)
        return replace(honest, tx_hash=TxHash(b"\x69" * 32)) if self.state == "other hash" else honest

    def receipt_status(self, tx: TxHash) -> tuple[PublicBlock, bool] | None:
        honest = super().receipt_status(tx)
        if self.state == "receipt none":
            return None
        return (super().finalized(), honest is None) if self.state == "receipt good" else honest


def _beyond(block: PublicBlock) -> PublicBlock:
    return replace(block, number=PublicBlockNumber(block.number + 1_000))


def _forged(block: PublicBlock) -> AnchoredEvent:
    size = LARGEST
    return AnchoredEvent(
        log_id=whole().log_id,
        tree_size=size,
        root=root(size),
        timestamp=block.time,
        set_id=whole().validators.set_id,
        signers=7,
        block=block,
        tx_hash=TxHash(b"\x70" * 32),
        log_index=0,
    )


_conforms: type[PublicChain] = Endpoint
