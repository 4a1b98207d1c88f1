"""Members are killed at any time, the sequencer too; the network recovers by its ordinary paths, nothing is lost."""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest

from hybrid_bridge.errors import Undecided
from hybrid_bridge.units import TreeSize
from tests import engines
from tests.e2e.network import NAMES, Network, register, registration, running_network, until

T = TypeVar("T")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    yield from running_network(tmp_path_factory.mktemp("crashing") / "out")


def test_a_member_killed_and_started_again_catches_up(network: Network) -> None:
    network.kill("bank-b")
    sent = register(network, secrets.token_hex(16)).sent
    network.await_status("core", "final without it", lambda status: status.final_height >= sent.height)
    network.start("bank-b")
    target = network.status("core").size
    network.await_status("bank-b", "caught up", lambda status: status.size >= target and status.attested_size >= target)


def test_the_sequencer_killed_and_started_again_goes_on(network: Network) -> None:
    before = network.status("supplier").height
    network.kill("core")
    with pytest.raises(Undecided):
        register(network, secrets.token_hex(16))
    network.start("core")
    object_id = secrets.token_hex(16)
    network.await_status("core", "up", lambda status: status.height >= before)
    sent = until("a transaction to stand", lambda: register(network, object_id)).sent
    for name in ("core", "supplier", "bank-a", "bank-b"):
        status = network.await_status(name, "final", lambda status: status.final_height >= sent.height)
        assert status.halted == ""


def test_epochs_missed_by_everybody_are_written_later(network: Network) -> None:
    size = network.status("core").size
    network.kill("core")
    for name in ("supplier", "bank-a", "bank-b"):
        network.kill(name)
    for name in ("core", "supplier", "bank-a", "bank-b"):
        network.start(name)
    for name in ("core", "supplier", "bank-a", "bank-b", "regulator"):
        network.await_status(name, "a longer log", lambda status: status.quorum_size > size + 3)


def test_a_sequencer_with_too_few_around_orders_nothing_and_goes_on_when_they_are_there(network: Network) -> None:
    for name in ("core", "supplier", "bank-a", "bank-b"):
        network.kill(name)
    network.start("core")
    network.start("supplier")
    alone = network.await_status("core", "up", lambda status: status.height > 0)
    later = network.await_status("core", "three epochs on", lambda status: status.epoch > alone.epoch + 3)
    assert later.height == alone.height
    assert network.status("supplier").height <= alone.height
    network.start("bank-a")
    for name in ("core", "supplier", "bank-a"):
        network.await_status(name, "final", lambda status: status.final_height > alone.height)
    network.start("bank-b")
    network.await_status("bank-b", "attesting", lambda status: status.attested_size > alone.size)


def test_a_validator_that_lost_its_guard_gets_what_it_has_said_from_the_others(network: Network) -> None:
    network.await_status("bank-b", "attesting", lambda status: status.attested_size > 1)
    network.kill("bank-b")
    folder, ends = network.folder("bank-b"), (".db", ".db-wal", ".db-shm")
    lost = _guard(network, "bank-b", "status")
    for end in ends:
        (folder / f"guard{end}").unlink(missing_ok=True)
    told = _guard(network, "bank-b", "import", "--floor-from-network", "--new", "--yes")
    assert {"core", "supplier", "bank-a"} <= {*told["answered"]}

    def raised() -> int:  # the others go on, and what it said last need not have reached them yet
        _guard(network, "bank-b", "import", "--floor-from-network", "--yes")
        known: int = _guard(network, "bank-b", "status")["highest"]["size"]
        return known if known >= lost["highest"]["size"] else 0

    known = until("all that it had said", lambda: raised() or None)
    network.start("bank-b")
    after = network.await_status("bank-b", "attesting", lambda status: status.attested_size > known)
    assert after.halted == ""


def _guard(network: Network, name: str, command: str, *options: str) -> Any:
    """A command on the guard of a validator that does not run."""
    return _told("guard", command, "--dir", str(network.folder(name)), *options, "--json")


def _told(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "hybrid_bridge", *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def test_an_envelope_outlives_sender_and_recipient(network: Network) -> None:
    network.kill("bank-a")
    asset = register(network, secrets.token_hex(16))
    assert network.await_status("supplier", "owing", lambda status: status.undelivered > 0)
    network.kill("supplier")
    network.start("supplier")
    network.start("bank-a")
    network.await_status("supplier", "delivered", lambda status: status.undelivered == 0)
    assert network.desk("bank-a").record(asset.entry_leaf)


def test_a_draft_whose_sender_died_can_be_sent_again(network: Network) -> None:
    supplier, object_id = network.desk("supplier"), secrets.token_hex(16)
    draft = supplier.draft(registration(network, object_id)).draft
    network.kill("core")
    with pytest.raises(Undecided):
        supplier.send(draft)
    network.start("core")
    sent = until("the same draft to stand", lambda: supplier.send(draft))
    assert sent.height > 0


def test_a_node_stops_cleanly_when_asked(network: Network) -> None:
    assert network.stop("regulator") == 0
    network.start("regulator")
    network.await_status("regulator", "up again", lambda status: status.height > 0)


def test_a_folder_is_for_one_process(network: Network, tmp_path: Path) -> None:
    first = network.running["bank-b"]
    network.start("bank-b")
    second, network.running["bank-b"] = network.running["bank-b"], first
    assert second.wait(30) == 3
    assert network.status("bank-b").height > 0


# ── two members in PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def server() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def moved(network: Network, server: engines.Postgresql) -> Network:
    """The sequencer and a bank have their ledger and records in databases from now on; the others do not."""
    for name in ("core", "bank-b"):
        database = server.database().rpartition("/")[2]
        assert network.stop(name) == 0
        secret = network.folder(name) / "database.password"
        secret.write_text(server.password + "\n")
        secret.chmod(0o600)
        place = f"postgresql://bridge@127.0.0.1:{server.port}/{database}?password=file:database.password"
        rows = _told("node", "move", "--dir", str(network.folder(name)), "--to", place, "--json")["rows"]
        assert rows["ledger"] > 0
        network.start(name)
        assert server.password not in _command_line(network.running[name].pid)
    for name in ("core", "bank-b"):
        network.await_status(name, "up again", lambda status: status.height > 0)
    return network


def test_a_consortium_of_files_and_databases_agrees_on_every_block_and_note(moved: Network) -> None:
    before = moved.status("supplier").quorum_size
    asset = until("a transaction to stand", lambda: register(moved, secrets.token_hex(16)))
    for name in NAMES:  # final: a quorum has found the same block, state hash and all
        moved.await_status(name, "final", lambda status: status.final_height >= asset.sent.height)
    for name in NAMES:
        moved.await_status(name, "a note later", lambda status: status.quorum_size > before)
    notes = {moved.relayed(name).checkpoint(TreeSize(before + 1)).note.split("\n\n")[0] for name in NAMES}
    assert len(notes) == 1


def test_connections_cut_under_load_lose_and_double_nothing(moved: Network, server: engines.Postgresql) -> None:
    sent = []
    for _ in range(4):
        draft = moved.desk("supplier").draft(registration(moved, secrets.token_hex(16))).draft
        cutting = Thread(target=server.cut_connections)
        cutting.start()
        sent.append(until("the same draft to stand", lambda draft=draft: moved.desk("supplier").send(draft)))
        cutting.join()
    tip = moved.status("core").height
    for name in NAMES:
        status = moved.await_status(name, "as far", lambda status: status.height >= tip)
        assert status.halted == ""
    for one in sent:
        assert moved.desk("supplier").transaction(one.transaction_id).code == 0
    assert [moved.running[name].poll() for name in NAMES] == [None] * len(NAMES)


def test_a_member_killed_and_one_whose_server_was_away_go_on(moved: Network, server: engines.Postgresql) -> None:
    moved.kill("bank-b")
    moved.start("bank-b")  # no other process holds its lease: it waits for nobody
    before = moved.await_status("bank-b", "up", lambda status: status.height > 0).height
    server.stop()
    with pytest.raises(Undecided):
        register(moved, secrets.token_hex(16))
    server.start()

    def tended(ask: Callable[[], T]) -> Callable[[], T]:
        """By whoever starts again what ended: one whose commit was under way when the server fell, soon or late."""

        def asked() -> T:
            for name in ("core", "bank-b"):
                if moved.running[name].poll() is not None:
                    assert moved.running[name].returncode == Undecided.exit_code
                    moved.start(name)
            return ask()

        return asked

    def is_final() -> bool:
        return all(moved.status(name).final_height >= asset.sent.height for name in ("core", "supplier", "bank-a"))

    def is_on() -> bool:
        status = moved.status("bank-b")
        return status.height > before and not status.halted

    asset = until("a transaction to stand", tended(lambda: register(moved, secrets.token_hex(16))))
    until("it to be final", tended(is_final))
    until("bank-b to be on", tended(is_on))
    for name in ("core", "bank-b"):
        assert server.password not in (moved.folder(name) / "node.log").read_text()


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
