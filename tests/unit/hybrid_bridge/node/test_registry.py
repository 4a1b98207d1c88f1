"""The registry's store beside the ledger: never read whole, made again when lost, one step ahead after a crash."""

import os

import pytest

from hybrid_bridge.adapters.sql_registry import SqlRegistry
from hybrid_bridge.adapters.sqlite.epochs import ClosedEpoch, SqlEpochs
from hybrid_bridge.core.registry import verify
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed, StoreBroken
from hybrid_bridge.node.logbook import split_pairs
from hybrid_bridge.node.registry import FILE
from hybrid_bridge.testing.registry_store_behaviour import pair
from hybrid_bridge.units import EpochNumber
from tests import engines
from tests.unit.hybrid_bridge.node.members import CADENCE, START, Members, started


def with_epochs(members: Members, count: int) -> dict[bytes, bytes]:
    """`count` epochs closed by core; all pairs that they and epoch 0 inserted."""
    started(members)
    for number in range(1, count + 1):
        members.spread(members.order(START + number * CADENCE))
        members.close_epoch("core")
    return inserted(members, count)


def inserted(members: Members, last: int) -> dict[bytes, bytes]:
    rows = members.open("core").view.epochs.epochs(EpochNumber(0), EpochNumber(last))
    return dict(one for row in rows for one in split_pairs(row.pairs))


def require_history(members: Members, count: int) -> None:
    """Every epoch has the root of its record, and proves its own dummies present, later ones absent."""
    logbook = members.open("core").view.logbook
    for number in range(1, count + 1):
        root = logbook.record(EpochNumber(number)).registry_root
        tree, held = logbook.registry(EpochNumber(number)), inserted(members, number)
        assert tree.root == root
        for index in inserted(members, count):
            proof = tree.prove(index)
            assert verify(root, index, proof.terminal, proof.path) == held.get(index)


def test_every_closed_epoch_is_provable_after_a_start(members: Members) -> None:
    with_epochs(members, 3)
    members.reopen("core")
    require_history(members, 3)


def test_a_start_reads_no_node_of_the_registry(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    with_epochs(members, 2)
    loads: list[int] = []
    monkeypatch.setattr(SqlRegistry, "load", lambda _, number: loads.append(number))
    assert members.reopen("core").view.logbook.size == 3
    assert loads == []


def test_a_registry_that_was_deleted_is_made_again(members: Members) -> None:
    with_epochs(members, 2)
    members.opened.pop("core").close()
    for path in members.folder("core").glob("registry.*"):
        path.unlink()
    require_history(members, 2)


def test_a_registry_restored_from_last_week_gets_the_epochs_since(
    members: Members, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_epochs(members, 1)
    members.opened.pop("core").close()
    old = (members.folder("core") / FILE).read_bytes()
    members.spread(members.order(START + 2 * CADENCE))
    members.close_epoch("core")
    members.opened.pop("core").close()
    for path in members.folder("core").glob("registry.db*"):
        path.unlink()
    (members.folder("core") / FILE).write_bytes(old)
    kept: list[int] = []
    real = SqlRegistry.keep
    monkeypatch.setattr(SqlRegistry, "keep", lambda store, epoch, tree: (kept.append(epoch), real(store, epoch, tree)))
    require_history(members, 2)
    assert kept == [2]


class Killed(BaseException):
    """The process ends here."""


def test_a_crash_between_registry_and_epoch_costs_nothing(members: Members, monkeypatch: pytest.MonkeyPatch) -> None:
    with_epochs(members, 1)
    members.spread(members.order(START + 2 * CADENCE))

    def die(_store: SqlEpochs, _epoch: ClosedEpoch) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(SqlEpochs, "add", die)
        with pytest.raises(Killed):
            members.close_epoch("core")
    opened = members.reopen("core")
    assert (opened.view.logbook.size, opened.registry.newest()) == (2, 2)
    members.spread(members.order(START + 2 * CADENCE + 1))
    members.close_epoch("core")
    require_history(members, 2)


def test_what_a_crashed_close_kept_gives_way_to_what_is_closed(members: Members) -> None:
    """Before the crash other blocks may have been in sight: what was kept and never closed must not stay."""
    with_epochs(members, 1)
    opened = members.open("core")
    stray = pair(1)
    opened.registry.keep(EpochNumber(2), opened.registry.at(EpochNumber(1)).insert([stray]))
    members.reopen("core")
    members.spread(members.order(START + 2 * CADENCE))
    members.close_epoch("core")
    require_history(members, 2)
    assert members.open("core").view.logbook.registry(EpochNumber(2)).get(stray[0]) is None


def test_a_registry_that_contradicts_the_newest_record_stops_the_start(members: Members) -> None:
    with_epochs(members, 1)
    opened = members.open("core")
    opened.registry.keep(EpochNumber(1), opened.registry.at(EpochNumber(0)).insert([pair(1)]))
    with pytest.raises(StoreBroken) as caught:
        members.reopen("core")
    assert caught.value.store == "registry"


def test_a_registry_of_another_member_is_refused(members: Members) -> None:
    with_epochs(members, 1)
    for name in ("core", "bank-a"):
        members.open(name)
        members.opened.pop(name).close()
    (members.folder("core") / FILE).write_bytes((members.folder("bank-a") / FILE).read_bytes())
    with pytest.raises(StoreBroken) as caught:
        members.open("core")
    assert caught.value.rule == "owner core"


# ── in PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────────────


def point_at(members: Members, url: bytes, mode: int = 0o600) -> None:
    folder = members.folder("core")
    (folder / "keys" / "registry.url").write_bytes(url)
    os.chmod(folder / "keys" / "registry.url", mode)  # noqa: PTH101
    settings = folder / "node.toml"
    settings.write_text(settings.read_text() + 'registry = "file:keys/registry.url"\n')


def test_a_member_keeps_its_registry_in_postgresql(members: Members) -> None:
    with engines.postgresql() as server, members.stack:
        point_at(members, server.database().encode() + b"\n")
        with_epochs(members, 2)
        members.reopen("core")
        require_history(members, 2)
        assert not (members.folder("core") / FILE).exists()


@pytest.mark.parametrize(
    ("url", "mode", "error"),
    [
        (b"postgresql://me:secret@127.0.0.1:1/db", 0o640, KeyUnusable),
        ("postgresql://ich:schlüssel@127.0.0.1:1/db".encode(), 0o600, KeyUnusable),
        (b"mysql://me:secret@127.0.0.1:1/db", 0o600, SettingsMalformed),
    ],
)
def test_a_url_is_a_secret_and_names_postgresql(
    members: Members, url: bytes, mode: int, error: type[Exception]
) -> None:
    point_at(members, url, mode)
    with pytest.raises(error) as caught:
        members.open("core")
    assert "secret" not in str(caught.value).replace("secrets.registry", "")
