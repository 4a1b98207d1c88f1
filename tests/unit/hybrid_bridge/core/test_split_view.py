"""Two bundles in one file."""

import json
from dataclasses import replace

import pytest

from hybrid_bridge.core.split_view import Between, SplitView
from hybrid_bridge.errors import Malformed
from tests.bundles import consortium


@pytest.fixture(scope="module")
def view():
    made = consortium()
    return SplitView(made.bundle(4), made.bundle(3))


def test_it_is_read_as_it_was_written(view):
    assert SplitView.decode(view.encode()) == view
    tied = replace(view, between=Between(bytes(32), (bytes(32), b"\x01" * 32)))
    assert SplitView.decode(tied.encode()) == tied


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("one", []),
        ("one", {}),
        ("one", "{}"),
        ("one", ""),
        ("other", None),
        ("other", 7),
        ("format", "hybrid-bridge/split-view/v2"),
    ],
)
def test_what_is_no_bundle_is_refused(view, member, value):
    members = json.loads(view.encode()) | {member: value}
    with pytest.raises(Malformed):
        SplitView.decode(json.dumps(members, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode())


def test_a_member_more_or_less_or_another_spelling_is_refused(view):
    data = view.encode()
    for other in (data + b"\n", data.replace(b'"format"', b'"format" ', 1), b'{"extra":1,' + data[1:], b"", b"{}"):
        with pytest.raises(Malformed):
            SplitView.decode(other)
