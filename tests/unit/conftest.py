"""Unit tests reach no network: only this machine's own loopback answers."""

import socket
from typing import Any

import pytest

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOOPBACK:
            pytest.fail(f"a unit test reached for {address[0]}")
        connect(self, address)

    def resolve_here(host: Any, *arguments: Any, **named: Any) -> Any:
        if host not in (*LOOPBACK, None, ""):
            pytest.fail(f"a unit test looked up {host}")
        return resolve(host, *arguments, **named)

    monkeypatch.setattr(socket.socket, "connect", connect_here)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_here)
