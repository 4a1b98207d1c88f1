"""The explorer's files over HTTP: two names, strict headers, and no path of a caller that reaches the disk."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest

from hybrid_bridge.adapters.web.serving import Reply
from hybrid_bridge.cli.explorer import serving
from hybrid_bridge.cli.explorer.serving import beside, reply_to
from hybrid_bridge.cli.tiles import reply_to as tile_reply


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (out := tmp_path / "out").mkdir()
    (out / "index.html").write_text("<p>page</p>")
    (out / "explorer.json").write_text("{}")
    (out / "index.html.new").write_text("half a page")
    (tmp_path / "secret.txt").write_text("secret")
    return out


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<p>page</p>"),
        ("/index.html", "text/html; charset=utf-8", b"<p>page</p>"),
        ("/?lang=zh", "text/html; charset=utf-8", b"<p>page</p>"),
        ("/explorer.json", "application/json", b"{}"),
    ],
)
def test_the_page_and_its_values_are_served_with_strict_headers(
    folder: Path, path: str, kind: str, body: bytes
) -> None:
    reply = reply_to(folder, "GET", path)
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, body, kind)
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert ("default-src 'none'" in reply.headers["Content-Security-Policy"]) == (body == b"{}")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "//etc/passwd", "/index.html/../../secret.txt",
        "/index.html.new", "/out/", "/.", "", "index.html", "/INDEX.HTML", "/index.html%00", "/\\..\\secret.txt",
        "http://elsewhere/index.html",
    ],
)  # fmt: skip
def test_nothing_else_is_there_and_no_folder_is_listed(folder: Path, path: str) -> None:
    reply = reply_to(folder, "GET", path)
    assert (reply.status, reply.body) == (404, b"")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_it_is_read_only(folder: Path, method: str) -> None:
    assert reply_to(folder, method, "/").status == 405


def test_beside_tiles_each_has_its_own_names(folder: Path, tmp_path: Path) -> None:
    (tiles := tmp_path / "tiles").mkdir()
    (tiles / "checkpoint").write_text("a note")
    (tiles / "index.html").write_text("not a tile")

    def handle_tiles(method: str, path: str, _: bytes) -> Reply:
        return tile_reply(tiles, method, path, hashes_only=True)

    handle = beside(folder, handle_tiles)
    names = ("/", "/index.html", "/explorer.json", "/checkpoint", "/tile/0/000", "/../secret.txt")
    assert [(reply.status, reply.body) for reply in (handle("GET", name, b"") for name in names)] == [
        (200, b"<p>page</p>"),
        (200, b"<p>page</p>"),
        (200, b"{}"),
        (200, b"a note"),
        (404, b""),
        (404, b""),
    ]
    assert handle("GET", "/", b"").headers["X-Content-Type-Options"] == "nosniff"
    assert handle("POST", "/", b"").status == 405


def test_a_page_that_is_too_large_is_not_served_by_halves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_FILE", 10)
    assert [reply_to(folder, "GET", path).status for path in ("/", "/explorer.json")] == [500, 200]


def test_before_the_first_build_there_is_nothing(tmp_path: Path) -> None:
    assert reply_to(tmp_path, "GET", "/").status == 404


def test_the_command_listens_on_loopback_and_ends_when_told(folder: Path) -> None:
    given = [sys.executable, "-m", "hybrid_bridge", "explorer", "serve", str(folder)]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            host, port = told["url"].removeprefix("http://").rstrip("/").split(":")
            assert (host, told["pid"]) == ("127.0.0.1", process.pid)
            connection = HTTPConnection(host, int(port), timeout=30)
            connection.request("GET", "/")
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b"<p>page</p>")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
