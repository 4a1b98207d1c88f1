"""A validator behind CometBFT whose stores are in PostgreSQL: the server dies, node and engine wait, and go on."""

import os
import secrets
import signal
from collections.abc import Iterator

import pytest

from tests import engines
from tests.e2e.engine_network import EngineNetwork, await_height, founded, hashes
from tests.e2e.membership import done
from tests.e2e.network import NAMES, Network, register, running, until

OUTAGE = 4  # blocks that the others make meanwhile


@pytest.fixture(scope="module")
def server() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def network(server: engines.Postgresql) -> Iterator[EngineNetwork]:
    """bank-a's ledger and records are in a database."""
    with founded() as made:
        database, folder = server.database().rpartition("/")[2], made.folder("bank-a")
        secret = folder / "database.password"
        secret.write_text(server.password + "\n")
        secret.chmod(0o600)
        place = f"postgresql://bridge@127.0.0.1:{server.port}/{database}?password=file:database.password"
        done("node", "move", "--dir", str(folder), "--to", place)
        yield from running(made)  # type: ignore[misc]


@pytest.mark.parametrize("death", [signal.SIGQUIT, signal.SIGKILL])
def test_neither_node_nor_engine_ends_with_their_database_and_both_catch_up(
    network: EngineNetwork, server: engines.Postgresql, death: signal.Signals
) -> None:
    first = register(network, secrets.token_hex(16)).sent
    await_height(network, ("bank-a",), first.height)
    os.kill(server.child.process.pid, death)
    server.child.process.wait()
    log = (network.folder("bank-a") / "node.log").read_text
    seen = len(log())
    sent = register(network, secrets.token_hex(16)).sent  # three of four
    await_height(network, ("core", "supplier", "bank-b"), sent.height + OUTAGE)
    until("its engine waits", lambda: "the engine waits for an answer" in log()[seen:])
    if death == signal.SIGKILL:
        (server.data / "postmaster.pid").unlink(missing_ok=True)
    server.start()
    await_height(network, NAMES, sent.height + OUTAGE)
    assert len(hashes(network, NAMES, sent.height)) == 1
    assert (network.running["bank-a"].poll(), network.engines["bank-a"].poll()) == (None, None)


AMID_A_COMMIT = 3  # exit code: whether it stands nobody could say for half a minute, so the node ended by itself


def test_a_node_that_is_told_to_stop_while_its_database_is_away_stops(
    network: EngineNetwork, server: engines.Postgresql
) -> None:
    for _ in range(3):  # the server stops when it stops; once it may be amid a commit
        code = stopped_without_its_database(network, server)
        network.kill_engine("bank-a")
        server.start()
        network.start("bank-a")
        height = register(network, secrets.token_hex(16)).sent.height
        await_height(network, NAMES, height)
        if code != AMID_A_COMMIT:
            break
    assert code == 0, (network.root / "bank-a.out").read_text("utf-8")


def stopped_without_its_database(network: EngineNetwork, server: engines.Postgresql) -> int:
    """The exit code of the node that was waiting for it."""
    server.stop()
    log = (network.folder("bank-a") / "node.log").read_text
    seen = len(log())
    until("its engine waits", lambda: "the engine waits for an answer" in log()[seen:])
    return Network.stop(network, "bank-a")
