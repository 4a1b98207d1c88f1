"""What a consortium on CometBFT stands: partitions, one-way losses, and kill -9 at any instant of member or engine.

Each member has a host of its own (a network namespace) where this machine lets us make them; elsewhere only the tests of
kills run. The seed of the random instants is printed when a test fails; HYBRID_BRIDGE_SEED plays it again.
"""

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event

import pytest

from hybrid_bridge.errors import NotYet, Undecided, Unknown
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from tests.e2e.doomed_node import POINTS
from tests.e2e.engine_network import EngineNetwork, await_height, founded, hashes, require_one_chain
from tests.e2e.namespaces import Lan, NotPermitted, lan, refused
from tests.e2e.network import NAMES, register, registration, running, until

VALIDATORS = NAMES[:4]
ENGINE_POINTS = 10  # places of CometBFT that FAIL_TEST_INDEX counts: two blocks reach them all
KILLS = 4


@pytest.fixture(scope="module")
def hosts() -> Iterator[Lan | NotPermitted]:
    with ExitStack() as held:
        made: Lan | NotPermitted
        try:
            made = held.enter_context(lan(NAMES))
        except NotPermitted as error:
            made = error
        yield made


@pytest.fixture(scope="module")
def network(hosts: Lan | NotPermitted) -> Iterator[EngineNetwork]:
    with founded(lan=hosts if isinstance(hosts, Lan) else None) as made:
        yield from running(made)  # type: ignore[misc]


@pytest.fixture
def cable(hosts: Lan | NotPermitted) -> Iterator[Lan]:
    """The links between members, whole again afterwards."""
    if isinstance(hosts, NotPermitted):
        refused(hosts)
    else:
        yield hosts
        hosts.heal()


def require_agreement(network: EngineNetwork, height: int) -> None:
    """Everybody is beyond this height, with one state and one history."""
    await_height(network, NAMES, height + 1)
    assert len(hashes(network, NAMES, height)) == 1
    require_one_chain(network, NAMES, height)


def sent_by(network: EngineNetwork, name: str) -> pb.SendResponse:
    """A registration of this member's own, against the core enterprise."""
    desk = network.desk(name)
    drafted = desk.draft(registration(network, secrets.token_hex(16)))
    return desk.send(drafted.draft)


# ── partitions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_against_two_halt_and_fork_nothing_and_agree_when_healed(network: EngineNetwork, cable: Lan) -> None:
    before = register(network, secrets.token_hex(16)).sent.height
    await_height(network, NAMES, before)
    cable.partition(("core", "supplier"), ("bank-a", "bank-b", "regulator"))
    with pytest.raises(Undecided):
        register(network, secrets.token_hex(16))
    heights = [network.status(name).height for name in VALIDATORS]
    assert max(heights) - min(heights) <= 1
    with pytest.raises(Undecided):
        sent_by(network, "bank-a")  # of the other side
    assert [network.status(name).height for name in VALIDATORS] == heights
    cable.heal()
    sent = until("business to go on", lambda: register(network, secrets.token_hex(16)).sent)
    require_agreement(network, sent.height)


def test_one_cut_off_stands_still_and_catches_up_also_with_what_members_sent_it(
    network: EngineNetwork, cable: Lan
) -> None:
    cable.partition(("bank-a",), ("core", "supplier", "bank-b", "regulator"))
    stands = network.status("bank-a").height
    asset = register(network, secrets.token_hex(16))  # bank-a is to read it
    await_height(network, ("core", "supplier", "bank-b"), max(asset.sent.height, stands + 2))
    assert network.status("bank-a").height <= stands + 1
    assert network.status("supplier").undelivered > 0
    cable.heal()
    require_agreement(network, asset.sent.height)

    def delivered() -> bool | None:
        try:
            return bool(network.desk("bank-a").record(asset.entry_leaf))
        except Unknown:
            return None

    until("the document at bank-a", delivered)
    size = network.status("core").size
    network.await_status("bank-a", "attesting", lambda status: status.attested_size >= size)


def test_links_that_carry_one_way_only_stop_nobody_while_a_path_is_left(network: EngineNetwork, cable: Lan) -> None:
    for sender, receiver in (("core", "supplier"), ("supplier", "bank-a"), ("bank-a", "core")):
        cable.cut(sender, receiver)
    sent = until("business to go on", lambda: register(network, secrets.token_hex(16)).sent)
    await_height(network, VALIDATORS, sent.height)
    cable.heal()
    require_agreement(network, sent.height)


# ── kill -9 ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def supervised(network: EngineNetwork, name: str) -> None:
    """What a supervisor does once a half of a member has ended: the other is ended too, both are started, node first."""
    for process in (network.running.pop(name), network.engines.pop(name)):
        process.kill()
        process.wait()
    network.start(name)


def traded(network: EngineNetwork, enough: Event) -> list[pb.SendResponse]:
    """Registrations one after another; each is asked for again until it stands."""
    sent = []
    while not enough.is_set():
        draft = until("a draft", lambda: network.desk("supplier").draft(registration(network, secrets.token_hex(16))))
        sent.append(until("it to stand", lambda draft=draft: network.desk("supplier").send(draft.draft)))  # type: ignore[misc]
    return sent


def require_promises_kept(network: EngineNetwork, name: str) -> None:
    """Of everything that a node promised to this member, nothing is broken, and all of it is decided in the end."""

    def standings() -> list[str] | None:
        found: list[str] = []
        after = 0
        while page := network.desk(name).promises(after):
            after = page[-1].number
            found += [row.standing for row in page]
        assert "broken" not in found
        return None if "due" in found else found

    assert until("every promise decided", standings)


def test_killed_at_any_instant_under_load_nothing_promised_is_lost(network: EngineNetwork) -> None:
    seed = int(os.environ.get("HYBRID_BRIDGE_SEED", secrets.randbelow(1 << 32)))
    print(f"HYBRID_BRIDGE_SEED={seed}")
    chance, enough = random.Random(seed), Event()
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(traded, network, enough)
        try:
            for _ in range(KILLS):
                time.sleep(chance.uniform(0, 1.5))  # an instant, not a condition
                victims = chance.sample(VALIDATORS, chance.choice((1, 1, 2)))
                for name in victims:
                    halves = {"node": network.running, "engine": network.engines}
                    for half in chance.choice((("node",), ("engine",), ("node", "engine"))):
                        halves[half][name].kill()
                for name in victims:
                    supervised(network, name)
                heights = [network.await_status(name, "up", lambda _: True).height for name in VALIDATORS]
                await_height(network, VALIDATORS, max(heights) + 1)
        finally:
            enough.set()
        sent = load.result()
    require_agreement(network, max(one.height for one in sent))
    require_promises_kept(network, "supplier")


@pytest.mark.parametrize("point", POINTS)
def test_a_node_that_dies_around_its_commit_comes_back_to_the_engines_height(
    network: EngineNetwork, point: str
) -> None:
    network.kill("bank-a")
    command = [sys.executable, "-m", "tests.e2e.doomed_node", str(network.folder("bank-a")), point]
    with (network.root / "bank-a.doomed.out").open("ab") as output:
        doomed = subprocess.Popen(network.on_host("bank-a", command), stdout=output, stderr=output, cwd=Path.cwd())
    network.start_engine("bank-a")
    sent = register(network, secrets.token_hex(16)).sent
    assert doomed.wait(120) == -signal.SIGKILL
    assert network.engines.pop("bank-a").wait(60) == 0  # without its application it ends, and calls that no fault
    network.start("bank-a")
    await_height(network, NAMES, sent.height + 1)
    assert len(hashes(network, NAMES, sent.height)) == 1


def test_an_engine_that_dies_at_any_of_its_own_points_goes_on_with_the_node_that_lived(network: EngineNetwork) -> None:
    """The node may have executed, even committed, what its engine asks again."""
    for point in range(ENGINE_POINTS):
        network.kill_engine("bank-a")
        network.start_engine("bank-a", {**os.environ, "FAIL_TEST_INDEX": str(point)})
        sent = register(network, secrets.token_hex(16)).sent
        assert network.engines.pop("bank-a").wait(120) == 1, f"point {point}"
        network.start_engine("bank-a")
        await_height(network, ("bank-a",), sent.height + 1)
    require_agreement(network, sent.height)
    require_promises_kept(network, "supplier")


# ── one that lies ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_proposer_makes_of_strangers_is_voted_down_and_takes_nobodys_room(network: EngineNetwork) -> None:
    network.kill("bank-a")
    command = [sys.executable, "-m", "tests.e2e.cheating_proposer", str(network.folder("bank-a"))]
    with (network.root / "bank-a.cheating.out").open("ab") as output:
        cheating = subprocess.Popen(network.on_host("bank-a", command), stdout=output, stderr=output, cwd=Path.cwd())
    network.running["bank-a"] = cheating
    network.start_engine("bank-a")
    log = network.folder("core") / "node.log"
    before = len(log.read_text())
    sent = []

    def voted_down() -> bool:
        sent.append(register(network, secrets.token_hex(16)).sent)
        return "refused: RuleRejected" in log.read_text()[before:]

    until("its turn", voted_down)
    network.kill("bank-a")
    network.start("bank-a")
    require_agreement(network, sent[-1].height)
    proposed = (network.folder("bank-a") / "strangers").read_text().split()
    assert proposed
    for transaction_id in proposed:
        with pytest.raises(NotYet):  # in no block
            network.desk("core").transaction(bytes.fromhex(transaction_id))
    require_promises_kept(network, "supplier")
