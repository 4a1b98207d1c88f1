"""The frauds at the public contract: what it answers does not depend on what relayers do meanwhile."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from hybrid_bridge.cli.demo.cheating import refusal
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.errors import BelowQuorum, FieldMismatch, RootMismatch, TimestampAhead
from hybrid_bridge.ports import Head, Update
from hybrid_bridge.testing.memory_chain import MemoryChain, MemoryNetwork
from hybrid_bridge.testing.memory_contract import MemoryLog
from hybrid_bridge.testing.public_chain_behaviour import CADENCE, RegistrableLog
from hybrid_bridge.units import Address, ChainId, UnixSeconds

BORN = UnixSeconds(1_700_000_000)


class Scene:
    """One log at size 3 on a public chain."""

    def __init__(self) -> None:
        self.log = RegistrableLog("cheating", UnixSeconds(BORN - 20 * CADENCE))
        self.network = MemoryNetwork(ChainId(1337), Address(bytes(20)), BORN)
        self.anchor(3)

    def anchor(self, size: int) -> None:
        """A relayer did it, in the next public block."""
        self.log.update(1, size)
        log = MemoryLog.registered(self.log.log_id, self.log.validators, self.log.genesis_time, CADENCE)
        self.network.mine()
        self.network.put_log(self.log.log_id, replace(log, size=size, root=self.log.tree.root(size)))

    def refused(self, forge: Callable[[Head], Update]) -> Exception:
        return refusal(MemoryChain(self.network), self.log.log_id, forge)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("anchored", [0, 5, 7])
@pytest.mark.parametrize(("signers", "kind"), [((0, 1, 2), RootMismatch), ((0, 1), BelowQuorum)])
def test_an_anchor_between_reading_the_head_and_asking_changes_no_refusal(
    scene: Scene, anchored: int, signers: tuple[int, ...], kind: type[Exception]
) -> None:
    def forge(head: Head) -> Update:
        update = scene.log.update(head.tree_size, 5, signers)
        if anchored:
            scene.anchor(anchored)
        return replace(update, root=sha256(b"another history")) if kind is RootMismatch else update

    assert isinstance(scene.refused(forge), kind)


def test_a_checkpoint_of_the_future_is_asked_for_again_later(scene: Scene) -> None:
    with pytest.raises(TimestampAhead):
        scene.refused(lambda head: scene.log.update(head.tree_size, 30, signers=(0, 1)))


def test_an_honest_update_is_no_fraud_that_was_caught(scene: Scene) -> None:
    with pytest.raises(FieldMismatch) as caught:
        scene.refused(lambda head: scene.log.update(head.tree_size, 5))
    assert caught.value.got == "acceptance"
