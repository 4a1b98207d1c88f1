"""Two bundles in one file."""

import json

import pytest

from hybrid_bridge.core.split_view import SplitView, is_split_view
from hybrid_bridge.errors import Malformed
from tests.bundles import consortium


@pytest.fixture(scope="module")
def view():
    made = consortium()
    return SplitView(made.bundle(4), made.bundle(3))


def test_it_is_read_as_it_was_written_and_known_by_its_first_bytes(view):
    data = view.encode()
    assert SplitView.decode(data) == view
    assert (is_split_view(data), is_split_view(view.one.encode()), is_split_view(b"")) == (True, False, False)


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
