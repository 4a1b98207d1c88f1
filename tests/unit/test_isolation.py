"""The guard of `conftest.py` stands in the way."""

import socket

import pytest


def test_no_unit_test_leaves_this_machine() -> None:
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(pytest.fail.Exception):
        socket.create_connection(("example.org", 80))
