"""`hybrid-bridge tiles`: files written once, served as they are, and nothing else served."""

import http.client
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from hybrid_bridge.cli.tiles import gathered, reply_to, write_tiles
from hybrid_bridge.core.bundle import CheckpointPart
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.errors import BelowQuorum, FieldMismatch, Malformed, NotYet, RootMismatch, StoreBroken
from tests.bundles import consortium
from tests.tile_reader import leaves_under, root_under


def entries(size: int) -> list[bytes]:
    c = consortium()
    return [c.genesis.encode(), *(closed.record.encode() for closed in c.closed)][:size]


def built(folder, size: int, hashes_only: bool = False) -> None:
    write_tiles(folder, consortium().note(size), entries(size), hashes_only=hashes_only)


def reader(folder, hashes_only: bool = False):
    def fetch(path: str) -> bytes | None:
        reply = reply_to(folder, "GET", f"/{path}", hashes_only=hashes_only)
        return reply.body if reply.status == 200 else None

    return fetch


def test_a_log_that_grows_keeps_what_it_said(tmp_path):
    for size in (4, 4, 6):
        built(tmp_path, size)
        note = parse_note(reader(tmp_path)("checkpoint"))
        assert (note.size, root_under(reader(tmp_path), size)) == (size, note.root)
        assert leaves_under(reader(tmp_path), size) == entries(size)
    assert root_under(reader(tmp_path), 4) == consortium().log.root(4)  # of the checkpoint before, still there
    assert not list(tmp_path.rglob("*.new"))


def test_another_history_and_an_older_checkpoint_are_refused_and_nothing_is_written(tmp_path):
    built(tmp_path, 6)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(StoreBroken):
        built(tmp_path, 4)
    with pytest.raises(StoreBroken):
        write_tiles(tmp_path, consortium().note(6), [*entries(5), bytes(640)], hashes_only=False)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_history_that_was_rewritten_before_its_tile_was_full_is_refused(tmp_path):
    """A tile of four and one of six have different names: no tile differs, and the checkpoint that stood there does."""
    built(tmp_path, 4)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    rewritten = [*entries(2), bytes(640), *entries(6)[3:]]
    for hashes_only in (False, True):
        with pytest.raises(StoreBroken):
            write_tiles(tmp_path, consortium().note(6), rewritten, hashes_only=hashes_only)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


# ── from a node ──


def shown(**parts) -> bytes:
    return consortium().bundle(6, purpose="checkpoint", anchors=(), **parts).encode()


class Node:
    """Serves two epochs a call, more than it was asked for, and perhaps not all of them."""

    def __init__(self, *records: bytes, until: int = 6) -> None:
        self.records, self.until, self.asked = [b"", *(records or entries(6)[1:])], until, []

    def epochs(self, first, last):
        self.asked.append((first, last))
        for record in self.records[first : min(first + 2, self.until)]:
            yield SimpleNamespace(record=record)


def test_a_nodes_log_is_read_in_as_many_calls_as_it_takes():
    node = Node()
    assert gathered(entries(1)[0], shown(), node.epochs) == (consortium().note(6), entries(6))
    assert node.asked == [(1, 5), (3, 5), (5, 5)]


def test_no_epoch_is_asked_for_before_a_quorum_is_seen_under_the_checkpoint():
    node, note = Node(), consortium().note(6, 2)
    with pytest.raises(BelowQuorum):
        gathered(entries(1)[0], shown(checkpoints=(CheckpointPart(note=note, consistency=()),)), node.epochs)
    other = consortium("other.example/receivables").bundle(6, purpose="checkpoint", anchors=()).encode()
    with pytest.raises(FieldMismatch):
        gathered(entries(1)[0], other, node.epochs)
    assert node.asked == []


def test_no_more_is_taken_than_the_checkpoint_covers():
    def endless(_first, _last):
        yield from (SimpleNamespace(record=record) for record in entries(6)[1:])
        yield SimpleNamespace(record=entries(6)[1])
        raise AssertionError

    assert gathered(entries(1)[0], shown(), endless)[1] == entries(6)


def test_records_that_are_not_under_the_checkpoint_are_refused():
    liar = consortium().variant(5, stats_commitment=bytes(32)).closed[4].record.encode()
    with pytest.raises(RootMismatch):
        gathered(entries(1)[0], shown(), Node(*entries(5)[1:], liar).epochs)
    with pytest.raises(Malformed):
        gathered(entries(1)[0], shown(), Node(*entries(5)[1:], bytes(1 << 20)).epochs)


def test_an_epoch_that_the_node_does_not_serve_is_not_there_yet():
    with pytest.raises(NotYet):
        gathered(entries(1)[0], shown(), Node(until=4).epochs)


def test_hashes_alone_can_be_published(tmp_path):
    built(tmp_path, 6, hashes_only=True)
    assert not (tmp_path / "tile" / "entries").exists()
    assert root_under(reader(tmp_path), 6) == consortium().log.root(6)
    built(tmp_path, 6)
    assert reader(tmp_path, hashes_only=True)("tile/entries/000.p/6") is None
    assert reader(tmp_path)("tile/entries/000.p/6")


@pytest.mark.parametrize("path", ["/", "/checkpoint/", "//checkpoint", "/../secret", "/secret", "/tile", "/tile/0/000",
                                  "/tile/0/../../secret", "/checkpoint?x", "/tile/0/000.p/6.new", "checkpoint"])  # fmt: skip
def test_nothing_else_is_served(tmp_path, path):
    built(tmp_path, 6)
    (tmp_path / "secret").write_text("s")
    assert reply_to(tmp_path, "GET", path, hashes_only=False).status == 404


def test_reading_is_all_one_can_do(tmp_path):
    built(tmp_path, 6)
    assert reply_to(tmp_path, "POST", "/checkpoint", hashes_only=False).status == 405


def test_tiles_are_cached_for_ever_and_the_checkpoint_hardly(tmp_path):
    built(tmp_path, 6)
    command = [sys.executable, "-m", "hybrid_bridge", "tiles", "serve", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"), timeout=10)
    found = {}
    for method, path in (("GET", "/checkpoint"), ("GET", "/tile/0/000.p/6"), ("HEAD", "/tile/0/000.p/6")):
        connection.request(method, path)
        answer = connection.getresponse()
        found[method, path] = (
            answer.status,
            answer.getheader("Cache-Control"),
            answer.getheader("Content-Type"),
            answer.read(),
        )
        connection.close()
    process.terminate()
    assert process.wait(30) == 0
    process.stdout.close()
    assert found["GET", "/checkpoint"] == (
        200, "public, max-age=5", "text/plain; charset=utf-8", consortium().note(6).encode())  # fmt: skip
    status, cache, media, body = found["GET", "/tile/0/000.p/6"]
    assert (status, cache, media) == (200, "public, max-age=31536000, immutable", "application/octet-stream")
    assert len(body) == 6 * 32
    assert found["HEAD", "/tile/0/000.p/6"] == (status, cache, media, b"")
