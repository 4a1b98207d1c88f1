"""Whatever becomes of a package's bytes on the way: it is refused by name, or says exactly what it said before."""

import io
import struct
import zipfile
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.package import MANIFEST, Package, derived, read_package
from hybrid_bridge.core.zip_container import Member, members_of, unpacked
from hybrid_bridge.errors import BridgeError
from tests.bundles import consortium, edit
from tests.packages import MEDIA_TYPE, manifest, zipped

SMALL = settings(max_examples=150, deadline=None)


@cache
def contents() -> dict[str, bytes]:
    bundle = edit(
        consortium("one.example/receivables", 1).receivable(), "certificates", lambda parts: parts[:1]
    ).encode()
    files = {"mimetype": MEDIA_TYPE, "bundle.json": bundle, **derived(decode_bundle(bundle)), "artefacts/x": b"x" * 99}
    return {**files, MANIFEST: manifest(files)}


@cache
def good(method: int = zipfile.ZIP_STORED) -> bytes:
    return zipped(contents(), method)


@cache
def sound(method: int = zipfile.ZIP_STORED) -> Package:
    return read_package(memoryview(good(method)))


def read(data: bytes) -> Package | None:
    """What is read of it; None if it is refused. Anything but our own errors is a fault."""
    try:
        return read_package(memoryview(data))
    except BridgeError:
        return None


def flipped(data: bytes, position: int, bit: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1 << bit]) + data[position + 1 :]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_bytes_flipped_are_refused_or_change_nothing_that_is_read(method):
    data = good(method)
    for position in range(0, len(data), 3):
        assert read(flipped(data, position, position % 8)) in (None, sound(method)), position


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_no_content_changes_unseen(method):
    """Bytes between a header and the next, flipped: nothing is read. Deflate has bits that nobody reads: unchanged."""
    data, unread = good(method), () if method == zipfile.ZIP_STORED else (sound(method),)
    for member in members_of(memoryview(data)):
        for position in range(member.start, member.start + member.packed, 7):
            assert read(flipped(data, position, position % 8)) in (None, *unread), (member.name, position)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_cut_off_anywhere_it_is_refused(method):
    data = good(method)
    for length in (*range(0, len(data), 37), len(data) - 1):
        assert read(data[:length]) is None


@SMALL
@given(st.binary(max_size=400))
def test_bytes_of_no_sense_are_refused(data):
    assert read(data) is None
    assert read(b"PK\x03\x04" + data) is None


@SMALL
@given(st.data())
def test_bytes_put_in_taken_out_or_moved_are_refused(data):
    whole = good(data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
    first, last = sorted(data.draw(st.lists(st.integers(0, len(whole)), min_size=2, max_size=2, unique=True)))
    changed = data.draw(
        st.sampled_from(
            [
                whole[:first] + whole[last:],
                whole[:last] + whole[first:],
                whole[last:] + whole[first:last] + whole[:first],
            ]
        )
    )
    assert read(changed) is None or changed == whole


@SMALL
@given(st.data())
def test_numbers_of_headers_and_directory_changed_are_refused_or_change_nothing(data):
    """The places where other readers are led astray: offsets, lengths, counts, flags."""
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    whole = bytearray(good(method))
    start = struct.unpack_from("<L", whole, len(whole) - 6)[0]
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.one_of(st.integers(start, len(whole) - 4), st.integers(0, 29)))
        number = data.draw(
            st.sampled_from([0, 1, 8, 0x7FFFFFFF, 0xFFFFFFFF, start, len(whole)]) | st.integers(0, 2**32 - 1)
        )
        struct.pack_into("<L", whole, place, number)
    assert read(bytes(whole)) in (None, sound(method))


NAMES = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}[A-Za-z0-9_]", fullmatch=True)


@SMALL
@given(
    st.dictionaries(NAMES.map(str.lower), st.binary(max_size=300), min_size=1, max_size=8),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
)
def test_what_is_packed_is_unpacked(files, method):
    data = memoryview(zipped(files, method))
    found: dict[str, Member] = {member.name: member for member in members_of(data)}
    assert {name: b"".join(unpacked(data, member)) for name, member in found.items()} == files


@SMALL
@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
            st.binary(max_size=20),
        ),
        max_size=4,
    ),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_files_of_any_name_beside_the_right_ones_are_refused(more, listed):
    target = io.BytesIO()
    files = {name: data for name, data in contents().items() if name != MANIFEST}
    with zipfile.ZipFile(target, "w") as package:
        for name, data in [*files.items(), *more]:
            package.writestr(name, data)
        package.writestr(MANIFEST, manifest({**files, **dict(more)} if listed else files))
    assert (read(target.getvalue()) is None) == bool(more)
