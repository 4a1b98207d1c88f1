"""A witness's memory: forward only, one root for each size, through crashes, restores and two callers at once."""

import shutil
import threading

import pytest

from hybrid_bridge.adapters.sqlite.cosigned import SqlCosigned
from hybrid_bridge.core.checkpoint import Note
from hybrid_bridge.core.cosigning import Seen
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.errors import GuardRefused, StoreBroken
from hybrid_bridge.testing.crashing import Killed

VKEY = "w+00000000+key"


@pytest.fixture
def path(tmp_path):
    store = SqlCosigned(tmp_path / "witness.db")
    store.create(VKEY)
    store.close()
    return tmp_path / "witness.db"


@pytest.fixture
def opened(path):
    stores = []

    def again() -> SqlCosigned:
        for store in stores:
            store.close()
        stores[:] = [SqlCosigned(path)]
        stores[0].open(VKEY)
        return stores[0]

    yield again
    for store in stores:
        store.close()


def note(size: int, root: str = "", origin: str = "o.example/log") -> Note:
    return Note(origin, size, sha256(f"{root}{size}".encode()))


def forward(store: SqlCosigned, wanted: Note, cosign=lambda: "signed"):
    """As a witness does: from what was seen, and never to another root of the same size."""

    def require(seen: Seen) -> None:
        if wanted.size < seen.size or (wanted.size == seen.size and wanted.root != seen.root):
            raise GuardRefused(rule="double", size=wanted.size)

    return store.advance(wanted, require, cosign)


def seen(store: SqlCosigned, origin: str = "o.example/log") -> Seen:
    found = []

    def look(newest: Seen) -> None:
        found.append(newest)
        raise GuardRefused(rule="look", size=0)

    with pytest.raises(GuardRefused):
        store.advance(note(1, origin=origin), look, lambda: None)
    return found[0]


def test_the_newest_checkpoint_of_each_log_is_remembered_by_the_next_process(opened):
    store = opened()
    assert seen(store) == Seen(0, ZERO)
    assert forward(store, note(3)) == "signed"
    forward(store, note(5, origin="other.example/log"))
    forward(store, note(7))
    forward(store, note(7))
    store = opened()
    assert (seen(store).size, seen(store, "other.example/log").size) == (7, 5)


def test_another_root_of_the_same_size_and_a_smaller_size_are_refused(opened):
    store = opened()
    forward(store, note(7))
    for wrong in (note(7, "fork"), note(6)):
        with pytest.raises(GuardRefused):
            forward(store, wrong)


def dying(*_: object) -> None:
    raise Killed


@pytest.mark.parametrize("write", ["before the commit", "after the commit", "after the mark"])
def test_a_witness_killed_at_any_write_goes_on_and_never_signs_a_fork(opened, monkeypatch, write):
    store = opened()
    forward(store, note(3))
    with monkeypatch.context() as patch:
        if write == "after the commit":
            patch.setattr(SqlCosigned, "_write_mark", dying)
        cosign, require = {
            "before the commit": (lambda: "signed", dying),
            "after the commit": (lambda: "signed", lambda _: None),
            "after the mark": (dying, lambda _: None),
        }[write]
        with pytest.raises(Killed):
            store.advance(note(7), require, cosign)
    store = opened()
    if write == "before the commit":
        assert seen(store).size == 3
    else:
        with pytest.raises(GuardRefused):
            forward(store, note(7, "fork"))
    assert forward(store, note(7)) == "signed"
    assert forward(opened(), note(8)) == "signed"


def test_nothing_is_signed_before_the_commit_is_durable(opened, path):
    store = opened()

    def look() -> int:
        with SqlCosigned(path)._file.read() as connection:
            return connection.exec_driver_sql("SELECT max(size) FROM cosigned").scalar()

    assert forward(store, note(7), cosign=look) == 7
    assert path.with_suffix(".mark").read_text() == "1"


def test_a_database_restored_from_a_backup_is_refused(opened, path, tmp_path):
    store = opened()
    forward(store, note(3))
    store.close()
    shutil.copy(path, tmp_path / "backup")
    forward(opened(), note(7))
    opened().close()
    for leftover in path.parent.glob("witness.db-*"):
        leftover.unlink()
    shutil.copy(tmp_path / "backup", path)
    with pytest.raises(StoreBroken) as caught:
        opened()
    assert "restored" in caught.value.rule
    path.with_suffix(".mark").write_text("x")
    with pytest.raises(StoreBroken):
        opened()


def test_a_mark_that_cannot_be_written_stops_the_witness(opened, path):
    store = opened()
    path.with_suffix(".mark-new").mkdir()
    with pytest.raises(StoreBroken):
        forward(store, note(3))


def test_another_witness_s_store_is_refused(path):
    with pytest.raises(StoreBroken):
        SqlCosigned(path).open("v+00000000+key")


def test_two_callers_at_once_with_two_histories_get_one(opened):
    store, done, start = opened(), [], threading.Barrier(8)

    def call(root: str) -> None:
        start.wait()
        try:
            done.append((root, forward(store, note(7, root))))
        except GuardRefused:
            done.append((root, None))

    threads = [threading.Thread(target=call, args=(root,)) for root in ("left", "right") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    signed = {root for root, lines in done if lines}
    assert (len(done), len(signed)) == (8, 1)
    assert seen(store).root == note(7, signed.pop()).root
