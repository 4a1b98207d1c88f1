"""A ZIP file in one shape: what other readers would tolerate, and read differently from one another, is refused."""

import io
import os
import struct
import zipfile
import zlib

import pytest

from hybrid_bridge.core import zip_container
from hybrid_bridge.core.zip_container import CHUNK, members_of, unpacked
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, TooLong, TrailingBytes, Truncated
from tests.packages import zipped

TWO = {"first": b"one", "second": b"two" * 100}


def unpack(data):
    view = memoryview(data)
    return {m.name: b"".join(unpacked(view, m)) for m in members_of(view)}


def directory_of(data):
    return struct.unpack_from("<L", data, len(data) - 6)[0]


def with_bytes(data, position, new):
    return data[:position] + new + data[position + len(new) :]


def in_both(data, offset, new):
    """Changes the first entry's bytes in front of it and in the directory; `offset` counts from "version needed"."""
    return with_bytes(with_bytes(data, 4 + offset, new), directory_of(data) + 6 + offset, new)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_another_program_packed_unpacks(method):
    files = {"a": b"", "b/c-d_e.f": os.urandom(3 * CHUNK + 1), "c": bytes(5 * CHUNK), "d": b"x"}
    assert unpack(zipped(files, method)) == files


def test_pieces_are_bounded_whatever_they_are_inflated_from():
    data = memoryview(zipped({"zeros": bytes(40 * CHUNK)}, zipfile.ZIP_DEFLATED))
    (member,) = members_of(data)
    assert max(map(len, unpacked(data, member))) <= CHUNK


@pytest.mark.parametrize("more", [1, 10, 100, 258, 600, 2000])
def test_what_the_last_bytes_inflate_to_is_taken_even_beyond_a_piece(more):
    assert unpack(zipped({"zeros": bytes(CHUNK + more)}, zipfile.ZIP_DEFLATED)) == {"zeros": bytes(CHUNK + more)}


# ── the container ──


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", bytes(21)])
def test_less_than_an_end_is_truncated(data):
    with pytest.raises(Truncated):
        members_of(memoryview(data))


OTHER_SHAPES = {
    "something after it": lambda d: d + b"\n",
    "something before it": lambda d: b"#!/bin/sh\n" + d,
    "a comment": lambda d: with_bytes(d, len(d) - 2, b"\x01\x00") + b"x",
    "a comment that is not there": lambda d: with_bytes(d, len(d) - 2, b"\x01\x00"),
    "disk 1": lambda d: with_bytes(d, len(d) - 18, b"\x01\x00"),
    "directory on disk 1": lambda d: with_bytes(d, len(d) - 16, b"\x01\x00"),
    "one of two entries here": lambda d: with_bytes(d, len(d) - 14, b"\x01\x00"),
    "length of the directory": lambda d: with_bytes(d, len(d) - 10, struct.pack("<L", len(d))),
    "offset of the directory": lambda d: with_bytes(d, len(d) - 6, b"\xff\xff"),
    "zeros": lambda d: bytes(22),
}


@pytest.mark.parametrize("change", OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_a_container_of_another_shape_is_refused(change):
    with pytest.raises(FieldMalformed, match=r"package\.end"):
        members_of(memoryview(change(zipped(TWO))))


def test_no_entry_or_more_than_1024_are_refused():
    for files in ({}, {f"f{i}": b"" for i in range(1025)}):
        with pytest.raises(TooLong, match=r"package\.entries"):
            members_of(memoryview(zipped(files)))
    assert len(members_of(memoryview(zipped({f"f{i}": b"" for i in range(1024)})))) == 1024


def test_a_directory_with_fewer_lines_than_it_says_is_truncated_and_one_with_more_trails():
    data = zipped(TWO)
    for count, error in ((3, Truncated), (1, TrailingBytes)):
        both = struct.pack("<HH", count, count)
        with pytest.raises(error, match=r"package\.directory"):
            members_of(memoryview(with_bytes(data, len(data) - 14, both)))


def test_a_file_longer_than_any_package_is_refused_before_it_is_read(monkeypatch):
    monkeypatch.setattr(zip_container, "MAX_PACKED", 100)
    with pytest.raises(TooLong) as caught:
        members_of(memoryview(zipped(TWO)))
    assert caught.value.field == "package"


# ── entries ──


@pytest.mark.parametrize(
    ("position", "new"),
    [
        (0, b"PK\x01\x03"),  # no line of a directory
        (30, b"\x01\x00"),  # extra field
        (32, b"\x01\x00"),  # comment
        (34, b"\x01\x00"),  # another disk
    ],
)
def test_a_line_of_the_directory_with_more_to_it_is_refused(position, new):
    data = zipped(TWO)
    with pytest.raises(FieldMalformed, match="without extra field or comment"):
        members_of(memoryview(with_bytes(data, directory_of(data) + position, new)))


def test_an_extra_field_in_front_of_an_entry_alone_is_refused():
    data = zipped(TWO)
    with pytest.raises(FieldMismatch):
        members_of(memoryview(with_bytes(data, 28, b"\x04\x00")))


def test_zip64_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package, package.open("first", "w", force_zip64=True) as entry:
        entry.write(b"one")
    with pytest.raises(FieldMismatch):
        members_of(memoryview(target.getvalue()))


def test_sizes_behind_an_entry_are_refused():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def seek(self, *_):
            raise OSError

        tell = seek

    target = Pipe()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("first", b"one")
    with pytest.raises(FieldMalformed, match="sizes in front"):
        members_of(memoryview(target.getvalue()))


@pytest.mark.parametrize(
    ("offset", "new"),
    [
        (2, b"\x01\x00"),  # encrypted
        (2, b"\x40\x00"),  # strongly
        (2, b"\x08\x00"),  # sizes behind the entry
        (4, b"\x63\x00"),  # AES
        (4, b"\x0e\x00"),  # LZMA
        (14, b"\x02\x00\x00\x00"),  # stored, and packed in another size
    ],
)
def test_what_is_neither_stored_nor_deflated_in_the_open_is_refused(offset, new):
    with pytest.raises(FieldMalformed, match="stored or deflated"):
        members_of(memoryview(in_both(zipped(TWO), offset, new)))


@pytest.mark.parametrize("kind", [0o120777, 0o040755, 0o010644, 0o060644])
def test_links_folders_pipes_and_devices_are_refused(kind):
    data = zipped(TWO)
    with pytest.raises(FieldMalformed, match="regular files"):
        members_of(memoryview(with_bytes(data, directory_of(data) + 38, struct.pack("<L", kind << 16))))


def test_entries_that_overlap_or_leave_a_gap_are_refused():
    data = zipped(TWO)
    second = directory_of(data) + 46 + len("first")
    for offset in (0, 1, directory_of(data), 0xFFFFFFFF):
        with pytest.raises(FieldMalformed, match="one after the other"):
            members_of(memoryview(with_bytes(data, second + 42, struct.pack("<L", offset))))
    first = struct.pack("<LL", 2, 2)  # a byte of the first entry belongs to none
    with pytest.raises(FieldMalformed, match="one after the other"):
        members_of(memoryview(in_both(data, 14, first)))


def test_an_entry_beyond_the_end_is_truncated():
    huge = struct.pack("<LL", 0xFFFFFFF0, 0xFFFFFFF0)
    with pytest.raises(Truncated):
        members_of(memoryview(in_both(zipped(TWO), 14, huge)))


@pytest.mark.parametrize("position", [8, 10, 12, 14, 18, 22, 30])
def test_an_entry_and_its_line_in_the_directory_must_say_the_same(position):
    """Two readers would take two things from it, one of them perhaps what was signed."""
    data = zipped(TWO)
    changed = with_bytes(data, position - 4 + 4, bytes([data[position] ^ 1]))
    with pytest.raises(FieldMismatch):
        members_of(memoryview(changed))


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd", "../up", "a/../../b", "a//b", "a/", ".", "..", ".hidden", "a/.b", "a\\b", "C:x", "a b", "ä", "a\n",
        "-rf", "dot.", "x" * 129, "/".join(["x" * 100] * 2),
    ],
)  # fmt: skip
def test_names_that_could_lead_out_or_mean_two_things_are_refused(name):
    with pytest.raises(FieldMalformed, match=r"relative names|regular files"):
        members_of(memoryview(zipped({name: b""})))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused_even_in_another_case():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr("name", b"1")
        package.writestr("name", b"2")
    for data in (target.getvalue(), zipped({"name": b"", "NAME": b""})):
        with pytest.raises(FieldMalformed, match="each name once"):
            members_of(memoryview(data))


# ── bombs ──


def test_entries_that_say_that_they_are_more_than_a_gibibyte_together_are_refused_unread():
    data = in_both(zipped(TWO, zipfile.ZIP_DEFLATED), 18, struct.pack("<L", (1 << 30) - 299))
    with pytest.raises(TooLong) as caught:
        members_of(memoryview(data))
    assert (caught.value.field, caught.value.got) == ("package.unpacked", (1 << 30) + 1)


def test_an_entry_that_inflates_to_more_than_it_says_is_stopped_there():
    data = in_both(zipped({"bomb": bytes(100 * CHUNK)}, zipfile.ZIP_DEFLATED), 18, struct.pack("<L", CHUNK + 1))
    view = memoryview(data)
    pieces = unpacked(view, members_of(view)[0])
    assert len(next(pieces)) == CHUNK
    with pytest.raises(TooLong):
        next(pieces)


def deflated(data):
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def entry_of(packed, data):
    """One deflated entry whose packed bytes are these."""
    made = zipped({"e": packed})
    made = in_both(made, 4, b"\x08\x00")
    return in_both(made, 10, struct.pack("<LLL", zlib.crc32(data), len(packed), len(data)))


def test_an_entry_of_packed_bytes_made_by_hand_unpacks():
    assert unpack(entry_of(deflated(b"data"), b"data")) == {"e": b"data"}


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        deflated(b"data")[:-1],
        deflated(b"data") + b"x",
        deflated(b"data") + bytes(2 * CHUNK),
        deflated(b"data") * 2,
    ],
    ids=["nothing", "a byte short", "a byte more", "much more", "two streams"],
)
def test_not_one_whole_deflate_stream_is_refused(packed):
    with pytest.raises((FieldMalformed, TooLong)):
        unpack(entry_of(packed, b"data"))


def test_what_is_no_deflate_stream_is_refused():
    with pytest.raises(FieldMalformed, match="a deflate stream"):
        unpack(entry_of(b"\xff" * 8, b"data"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_another_checksum_or_fewer_bytes_are_refused(method):
    data = zipped({"e": b"data" * 9}, method)
    for changed in (in_both(data, 10, bytes(4)), in_both(data, 18, struct.pack("<L", 37))):
        if method == zipfile.ZIP_DEFLATED or changed[22:26] == data[22:26]:
            with pytest.raises(FieldMismatch):
                unpack(changed)
