"""Endpoints side by side: who serves us, who lags, who lies; and what a start refuses about them."""

from dataclasses import dataclass, replace
from itertools import count
from types import SimpleNamespace

import pytest

from hybrid_bridge.errors import KeyUnusable, NotYet, SettingsMalformed
from hybrid_bridge.testing.memory_chain import MemoryChain
from hybrid_bridge.units import ChainId
from relayers.comparison import Comparison, compare
from relayers.start import require_hosts, require_undelegated
from tests.crash.relay_world import World, scope_for


@dataclass
class Lying(MemoryChain):
    """An honest endpoint, but for what it is told to say."""

    def __init__(self, network, name: str, **lies) -> None:
        MemoryChain.__init__(self, network, name)
        self.lies = lies

    def chain_id(self):
        return self.lies.get("chain_id", super().chain_id())

    def latest(self):
        return self.network.blocks[-1 - self.lies.get("behind", 0)].block

    def block(self, number):
        found = super().block(number)
        return replace(found, hash=b"\x66" * 32) if number and "hash" in self.lies else found

    def head(self, log, at):
        true = super().head(log, super().block(at.number))
        return replace(true, tree_size=99) if "head" in self.lies else true

    __hash__ = object.__hash__


def compared(*lies: dict, quorum: int = 2) -> Comparison:
    world = World()
    world.network.mine(20)
    chains = [Lying(world.network, f"e{n}", **lie) for n, lie in enumerate(lies)]
    for chain in chains:
        chain.is_down = "down" in chain.lies
    ticks = count()
    return compare(chains, scope_for(world, "operator"), quorum, None, lambda: next(ticks) / 4)


def verdicts(found: Comparison) -> list[tuple[str, str]]:
    return [(answer.verdict, answer.detail) for answer in found.answers]


def test_those_that_agree_are_good_and_timed() -> None:
    found = compared({}, {}, {})
    assert verdicts(found) == [("good", "agrees")] * 3
    assert (found.agreeing, found.pinned, found.exit_code(2)) == (3, 20, 0)
    assert [answer.milliseconds for answer in found.answers] == [250] * 3


@pytest.mark.parametrize(
    ("lie", "verdict", "words", "code"),
    [
        ({"behind": 2}, "note", "2 public blocks behind", 0),
        ({"behind": 9}, "bad", "9 public blocks behind", 3),
        ({"hash": True}, "bad", "has another public block there than the quorum", 4),
        ({"head": True}, "bad", "tells another state there than the quorum", 4),
        ({"chain_id": ChainId(5)}, "bad", "its chain id is not the journal's", 4),
        ({"down": True}, "bad", "Unreachable", 3),
    ],
)
def test_one_that_lags_lies_or_is_silent_is_named_while_the_others_agree(lie, verdict, words, code) -> None:
    found = compared({}, lie, {})
    assert [v for v, _ in verdicts(found)] == ["good", verdict, "good"]
    assert words in found.answers[1].detail
    assert (found.agreeing, found.exit_code(2)) == (2, code)


def test_without_a_quorum_nobody_is_called_a_liar_and_it_is_undecided() -> None:
    found = compared({}, {"head": True})
    assert {detail for _, detail in verdicts(found)} == {"no quorum says the same of the pinned public block"}
    assert (found.agreeing, found.exit_code(2)) == (1, NotYet.exit_code)
    silent = compared({}, {"down": True})
    assert (silent.pinned, silent.exit_code(2)) == (None, NotYet.exit_code)


@pytest.mark.parametrize(
    ("hosts", "quorum", "refused"),
    [
        (["a", "a", "a"], 2, True),
        (["a", "a", "b"], 2, False),
        (["a"], 1, False),
        (["127.0.0.1", "127.0.0.1"], 2, False),
        (["::1", "::1"], 2, False),
        (["localhost", "localhost"], 2, False),
        (["10.0.0.1", "10.0.0.1"], 2, True),
    ],
)
def test_one_host_for_all_is_refused_unless_it_is_this_machine(hosts, quorum, refused) -> None:
    if refused:
        with pytest.raises(SettingsMalformed):
            require_hosts(hosts, quorum)
    else:
        require_hosts(hosts, quorum)


@pytest.mark.parametrize("code", [b"", b"\xef\x01\x00" + b"\xaa" * 20])
def test_a_delegated_account_is_refused_and_named(code: bytes) -> None:
    observer = SimpleNamespace(
        scope=SimpleNamespace(signer=b"\x01" * 20), pin=lambda: None, ask=lambda read: read(None)
    )
    if not code:
        require_undelegated(observer, lambda *_: code)
        return
    with pytest.raises(KeyUnusable, match="aa" * 20):
        require_undelegated(observer, lambda *_: code)
