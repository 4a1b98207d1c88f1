"""A consortium of which two members have their stores in PostgreSQL: nobody can tell, whatever happens to the server."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hybrid_bridge.cli.main import main
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, StoreAway, StoreBroken, StoreInUse
from hybrid_bridge.node import stores
from hybrid_bridge.node.founding import found
from hybrid_bridge.node.laying import lay
from hybrid_bridge.node.moving import MOVED, move
from hybrid_bridge.node.opening import open_folder
from hybrid_bridge.node.ordering import Orderer
from hybrid_bridge.node.settings import FILE, read_settings
from tests import engines
from tests.unit.hybrid_bridge.node.members import (
    CADENCE,
    NAMES,
    START,
    VALIDATORS,
    FixedClock,
    Members,
    plan,
    randomness,
    started,
)

ROLE = {"a": "validator+sequencer"}
IN_DATABASES = {"core": "made_1", "bank-a": "made_2"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[engines.Postgresql]:
    with engines.postgresql() as server:
        for _ in IN_DATABASES:
            server.database()
        yield server


@pytest.fixture(scope="module")
def laid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("laid") / "out"
    lay(found(plan(), randomness(), START), root)
    return root


@pytest.fixture
def members(laid: Path, tmp_path: Path, cluster: engines.Postgresql) -> Iterator[Members]:
    shutil.copytree(laid, tmp_path / "out")
    members = Members(tmp_path / "out", found(plan(), randomness(), START))
    for name, database in IN_DATABASES.items():
        empty(cluster, database)
        move(read_settings(members.folder(name)), place(members.folder(name), cluster, database))
    with members.stack:
        yield members


def empty(cluster: engines.Postgresql, database: str) -> None:
    cluster.ask("DROP SCHEMA IF EXISTS ledger, records CASCADE", database)


def place(folder: Path, cluster: engines.Postgresql, database: str) -> str:
    secret = folder / "database.password"
    secret.write_text(cluster.password + "\n")
    secret.chmod(0o600)
    return f"postgresql://bridge@127.0.0.1:{cluster.port}/{database}?password=file:database.password"


def close_an_epoch(members: Members, number: int) -> None:
    members.spread(members.order(START + number * CADENCE))
    for name in VALIDATORS:
        members.close_epoch(name)


def test_all_members_have_the_same_state_and_the_same_log(members: Members) -> None:
    started(members)
    for number in (1, 2):
        close_an_epoch(members, number)
    tips = {members.open(name).view.chain.tip.block_hash for name in NAMES}
    roots = {members.open(name).view.logbook.root() for name in VALIDATORS}
    assert (len(tips), len(roots), members.open("bank-a").view.logbook.size) == (1, 1, 3)
    for name in IN_DATABASES:
        members.reopen(name)
    close_an_epoch(members, 3)
    assert len({members.open(name).view.logbook.root() for name in VALIDATORS}) == 1


def test_a_move_takes_what_stands_and_leaves_no_second_store(members: Members, cluster: engines.Postgresql) -> None:
    started(members)
    folder, database = members.folder("bank-b"), "made_2"
    before = members.open("bank-b").view.chain.tip
    with pytest.raises(StoreInUse):
        move(read_settings(folder), place(folder, cluster, database))
    members.opened.pop("bank-b").close()
    members.opened.pop("bank-a").close()
    with pytest.raises(StoreBroken, match="made once, never over another"):
        move(read_settings(folder), place(folder, cluster, database))  # bank-a's
    assert read_settings(folder).database == ""
    empty(cluster, database)
    counted = move(read_settings(folder), place(folder, cluster, database))
    assert (counted["ledger"] > 30, counted["records"]) == (True, 0)
    assert sorted(path.name for path in folder.glob("*.db*")) == [
        "guard.db",
        f"ledger.db{MOVED}",
        f"records.db{MOVED}",
        "registry.db",
    ]
    assert members.open("bank-b").view.chain.tip == before
    with pytest.raises(SettingsMalformed, match="not there before a move"):
        move(read_settings(folder), place(folder, cluster, database))


def test_a_move_that_died_before_the_settings_said_so_is_made_again(
    members: Members, cluster: engines.Postgresql, monkeypatch
) -> None:
    folder = members.folder("bank-b")
    empty(cluster, "made_2")
    with monkeypatch.context() as patch:
        patch.setattr("hybrid_bridge.node.moving._switch", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(read_settings(folder), place(folder, cluster, "made_2"))
    assert members.open("bank-b").settings.database == ""
    members.opened.pop("bank-b").close()
    move(read_settings(folder), place(folder, cluster, "made_2"))
    assert members.open("bank-b").settings.database.startswith("postgresql://")


def test_a_block_that_could_not_be_executed_for_want_of_the_server_is_nobodys_fault(
    members: Members, cluster: engines.Postgresql
) -> None:
    started(members)
    block = members.order(START + 1)
    members.open("bank-a")
    cluster.stop()
    with pytest.raises(StoreAway):
        members.accept("bank-a", block)
    cluster.start()
    view = members.open("bank-a").view
    assert (view.brake.reason, view.witness.kept()) == ("", [])
    members.accept("bank-a", block)
    assert view.chain.tip == members.open("core").view.chain.tip


def leases(cluster: engines.Postgresql) -> list[int]:
    """Until when both leases of bank-a's stores are held."""
    connection = cluster.connect("made_2")
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT until FROM ledger.lease UNION ALL SELECT until FROM records.lease")
        return [row[0] for row in cursor.fetchall()]
    finally:
        connection.close()


def test_a_start_that_outlasts_its_leases_keeps_them(
    members: Members, cluster: engines.Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run out while the registry catches up; another host must find them held all the same."""
    started(members)
    members.opened.pop("bank-a").close()
    kept: list[bool] = []

    def slow(*_: object) -> None:
        for store in ("ledger", "records"):
            cluster.ask(f"UPDATE {store}.lease SET until = 0", "made_2")
        deadline = time.monotonic() + 20
        while not kept and time.monotonic() < deadline:
            kept.extend([True] * (min(leases(cluster)) > 0))

    with monkeypatch.context() as patch:
        patch.setattr(stores, "RENEW_EVERY", 0.1)
        patch.setattr("hybrid_bridge.node.opening.catch_up", slow)
        members.open("bank-a")
    assert kept


def test_a_start_that_fails_gives_its_leases_back_and_keeps_none(
    members: Members, cluster: engines.Postgresql, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(members)
    members.opened.pop("bank-a").close()
    before = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr("hybrid_bridge.node.opening.catch_up", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            members.open("bank-a")
    assert threading.active_count() == before
    assert leases(cluster) == [0, 0]


def test_who_waits_at_a_sequencer_without_its_server_is_told_so(members: Members, cluster: engines.Postgresql) -> None:
    core = members.open("core").view
    orderer = Orderer(core, lambda: float(START))
    waiting = [orderer.submit(signed, 99) for signed in members.founding()]
    cluster.stop()
    with pytest.raises(StoreAway):
        orderer.make_block()
    for one in waiting:
        with pytest.raises(StoreAway):
            one.result(0)
    cluster.start()
    again = [orderer.submit(signed, 99) for signed in members.founding()]
    orderer.make_block()
    assert [one.result(0).code for one in again] == [0] * len(again)


def test_no_node_starts_without_its_server_or_its_password(members: Members, cluster: engines.Postgresql) -> None:
    cluster.stop()
    with pytest.raises(StoreAway):
        members.open("bank-a")
    cluster.start()
    (members.folder("bank-a") / "database.password").write_text("not the password\n")
    with pytest.raises(KeyUnusable) as caught:
        members.open("bank-a")
    assert "not the password" not in str(caught.value)
    assert "not the password" not in (members.folder("bank-a") / FILE).read_text()


def init(*options: str) -> Result:
    members = [
        part
        for name in ("a", "b", "c", "d")
        for part in ("--member", f"{name},LEI:{name},{ROLE.get(name, 'validator')}")
    ]
    return CliRunner().invoke(main, ["consortium", "init", *members, "--no-receipts", *options])


def test_a_consortium_is_founded_with_a_member_in_a_database(cluster: engines.Postgresql, tmp_path: Path) -> None:
    empty(cluster, "made_2")
    in_it = place(tmp_path, cluster, "made_2").replace("file:", f"file:{tmp_path}/")
    done = init("--out", str(tmp_path / "out"), "--database", f"b={in_it}", "--json")
    assert done.exit_code == 0
    folder = tmp_path / "out" / "nodes" / "b"
    assert read_settings(folder).database == in_it
    assert cluster.password not in (folder / FILE).read_text() + done.output
    opened = open_folder(read_settings(folder), FixedClock())
    assert opened.view.chain.next_height == 1
    assert [store.name for store in opened.leased] == ["ledger", "records"]
    opened.close()
    assert read_settings(tmp_path / "out" / "nodes" / "c").database == ""


@pytest.mark.parametrize("named", ["e=", "b", "b=sqlite:///x", "e=postgresql://u@h/d?password=file:/p"])
def test_a_database_of_nobody_or_of_another_kind_is_refused_before_anything_is_made(tmp_path: Path, named: str) -> None:
    done = init("--out", str(tmp_path / "out"), "--database", named)
    assert isinstance(done.exception, SettingsMalformed)
    assert done.exception.key == "--database"
    assert not (tmp_path / "out").exists()
