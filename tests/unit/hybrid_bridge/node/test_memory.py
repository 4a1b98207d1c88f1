"""What a member keeps in memory does not grow with the blocks that it has seen (`bench/SOAK.md`)."""

import gc
import shutil
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from hybrid_bridge.adapters import sql_registry
from hybrid_bridge.core import transaction
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.errors import NotYet
from hybrid_bridge.node.desk import Desk
from hybrid_bridge.node.founding import found
from tests.unit.hybrid_bridge.node.members import CADENCE, START, Members, randomness
from tests.unit.hybrid_bridge.node.test_engine import Keeping, PlayedEngine, engine_plan, laid_with_engines
from tests.unit.hybrid_bridge.node.trade import an_object, registration

__all__ = ["laid_with_engines"]

BLOCKS = 20


class Alone(PlayedEngine):
    """One member's node; what the engine decides is final without the others."""

    def __post_init__(self) -> None:
        self.open("core")

    def play(self, blocks: int) -> None:
        """Each with a transaction of another member's, two an epoch; epochs are closed and signed."""
        core = self.members.open("core").view
        assert core.keys.log is not None
        for _ in range(blocks):
            self.time += CADENCE // 2
            self.members.clock.moment = self.time
            self.decide(txs=[self.registered()], names=("core",))
            assert [code for code, _ in core.ledger.transactions_of(self.height)] == [0]
            while core.logbook.size < (self.time - START) // CADENCE:
                self.members.close_epoch("core")
                core.logbook.sign_lines(core.keys.log, core.keys.log_mldsa)

    def registered(self) -> bytes:
        """An asset of core's own, accepted."""
        sent: list[bytes] = []
        own, name = Desk(self.members.open("core").view, Keeping(sent)), an_object()
        order = registration(self.members, name)
        key = b64u(own.key(f"creditor/{name}").public.key_id)
        package = own.draft(replace(order, fields=order.fields | {"creditor_key": key}))
        with pytest.raises(NotYet):
            own.send(package, [])
        return sent[0]


def kept() -> Counter[str]:
    """Live objects of ours by their class."""
    gc.collect()
    classes = (type(one) for one in gc.get_objects())
    return Counter(f"{kind.__module__}.{kind.__qualname__}" for kind in classes if f"{kind.__module__}"[:6] == "hybrid")


def test_blocks_epochs_and_transactions_leave_nothing_behind_in_memory(
    laid_with_engines: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sql_registry, "CACHED_NODES", 64)  # bounded caches; here they are full soon
    monkeypatch.setattr(transaction, "_parsed", lru_cache(4)(transaction._parsed.__wrapped__))
    shutil.copytree(laid_with_engines, tmp_path / "out")
    members = Members(tmp_path / "out", found(engine_plan(), randomness(), START))
    with members.stack:
        engine = Alone(members)
        engine.decide(proposer="core", names=("core",))
        engine.play(BLOCKS)
        before = kept()
        engine.play(BLOCKS)
        grown = kept() - before
    for name in [name for name in grown if ".prefix_tree." in name]:
        del grown[name]  # the first of these caches
    assert sum(grown.values()) < BLOCKS, grown.most_common(5)
