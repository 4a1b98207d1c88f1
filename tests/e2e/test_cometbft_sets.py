"""Changes of the validators in the middle of outages, and a validator whose folder is of before one: real engines."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_bridge.cli.demo.stage import free_ports
from hybrid_bridge.core.cometbft import COMMITTED
from hybrid_bridge.node.cards import parse_card
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Height
from tests.e2e.engine_network import EngineNetwork, await_height, founded, hashes, require_one_chain
from tests.e2e.membership import decided, done, newcomer, newest_set
from tests.e2e.network import NAMES, PATIENCE, running, until

FIVE = (*NAMES[:4], "bank-c")
AHEAD = 5  # epochs from a proposal to its effect; doubled where this machine was too slow


@pytest.fixture(scope="module")
def network() -> Iterator[EngineNetwork]:
    with founded() as made:
        yield from running(made)  # type: ignore[misc]


@pytest.fixture(scope="module")
def yesterday(network: EngineNetwork) -> Path:
    """bank-a's whole folder before anything was decided."""
    await_height(network, NAMES, 3)
    network.kill("bank-a")
    copy = network.root / "yesterday"
    shutil.copytree(network.folder("bank-a"), copy, ignore=shutil.ignore_patterns("*.sock"))
    network.start("bank-a")
    network.await_status("bank-a", "up", lambda status: status.height > 0)
    return copy


def epoch_by_the_clock(network: EngineNetwork) -> int:
    genesis = network.directory.genesis
    return (int(time.time()) - genesis.genesis_time) // genesis.cadence + 1


def voting(network: EngineNetwork) -> list[bytes]:
    rpc = network.rpc("core")
    return [one.key for one in rpc.validators(Height(network.status("core").height)).validators]


def has_voted(network: EngineNetwork, key: bytes) -> bool:
    rpc, height = network.rpc("core"), Height(network.status("core").height - 1)
    keys = [one.key for one in rpc.validators(height).validators]
    return key in keys and rpc.signed_header(height).commit.votes[keys.index(key)].flag == COMMITTED


def test_a_set_that_is_to_begin_while_nobody_can_make_a_block_begins_with_the_next_one(
    network: EngineNetwork, yesterday: Path
) -> None:
    """One of four is down as it is decided, a second one right after; the date passes, and the newcomer waits."""
    assert yesterday.exists()
    peers, rpc = (f"127.0.0.1:{port}" for port in free_ports(2))
    card = newcomer(network, "bank-c", "--engine", peers, "--engine-rpc", rpc)
    network.kill("bank-b")
    three = ("core", "supplier", "bank-a")
    request = pb.ProposeRequest(kind="admit", card=card.read_bytes(), approvers=three)
    proposal = decided(network, request, three, ahead=AHEAD, patience=PATIENCE)
    network.kill("bank-a")
    (network.root / "admitted.json").write_bytes(proposal)
    done("member", "join", str(network.root / "admitted.json"), "--dir", str(network.folder("bank-c")))
    network.start("bank-c")
    until("the date", lambda: epoch_by_the_clock(network) > request.from_epoch)
    stands = network.status("core").height
    network.start("bank-a")
    key = parse_card(card.read_bytes()).member.consensus_key or b""
    until("five votes", lambda: len(voting(network)) == 5 and has_voted(network, key))
    network.start("bank-b")
    height = network.status("core").height
    assert height > stands
    await_height(network, (*NAMES, "bank-c"), height + 1)
    assert len(hashes(network, (*NAMES, "bank-c"), height)) == 1
    require_one_chain(network, (*NAMES, "bank-c"), height)
    first = newest_set(network).first_size
    until("the newcomer attests", lambda: network.status("bank-c").attested_size >= first)


def test_a_validator_of_before_the_set_changed_comes_back_by_the_guides_commands(
    network: EngineNetwork, yesterday: Path
) -> None:
    """Its guard asks by the sets of today; its engine, which has forgotten its votes, comes with another key."""
    network.kill("bank-a")
    folder = network.folder("bank-a")
    folder.rename(network.root / "today")
    shutil.copytree(yesterday, folder)
    told = done("guard", "import", "--floor-from-network", "--dir", str(folder), "--yes")
    assert "bank-c" in told.partition("told by")[2].splitlines()[0]  # who came since
    card = network.root / "bank-a.card"
    done("member", "new-key", "consensus", "--dir", str(folder))
    done("member", "card", "--dir", str(folder), "--out", str(card))
    done("member", "use-key", "consensus", "--dir", str(folder))
    network.start("bank-a")
    others = tuple(name for name in FIVE if name != "bank-a")
    rotating = pb.ProposeRequest(kind="rotate-key", card=card.read_bytes(), approvers=others)
    decided(network, rotating, others, ahead=AHEAD, patience=PATIENCE)
    key = parse_card(card.read_bytes()).member.consensus_key or b""
    until("its vote by the new key", lambda: has_voted(network, key))
    size = network.status("core").quorum_size
    until("it attests again", lambda: network.status("bank-a").attested_size > size)
    height = network.status("core").height
    await_height(network, (*FIVE, "regulator"), height + 1)
    require_one_chain(network, FIVE, height)
    assert network.status("bank-a").halted == ""
