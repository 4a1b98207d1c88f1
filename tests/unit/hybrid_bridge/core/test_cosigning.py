"""The C2SP witness protocol as bytes and as rules."""

import pytest

from hybrid_bridge.core.checkpoint import Note, log_line
from hybrid_bridge.core.cosigning import (
    MAX_REQUEST,
    AddCheckpoint,
    Seen,
    decode_request,
    read_checkpoint,
    require_extension,
    status_of,
)
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import TYPE_ED25519, VerifierKey
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import BridgeError, FieldMismatch, Malformed, RootMismatch, StoreBroken, TooLong

ORIGIN = "example.org/log"
KEY = PrivateKey.from_seed(bytes(32))
LOG = VerifierKey(ORIGIN, TYPE_ED25519, KEY.public.spki[-32:])
TREE = Tree()
TREE.extend([sha256(bytes([n])) for n in range(10)])


def note(size: int, *, root: bytes | None = None, key: PrivateKey = KEY, origin: str = ORIGIN, extensions=()) -> str:
    bare = Note(origin, size, TREE.root(size) if root is None else root, extensions=extensions)
    return Note(origin, size, bare.root, (log_line(origin, key, bare.body()),), extensions).text()


def request(old: int, size: int, path=None, **wrong) -> AddCheckpoint:
    found = tuple(TREE.consistency_path(old, size)) if path is None and 0 < old <= size else tuple(path or ())
    return AddCheckpoint(old, found, note(size, **wrong))


def test_a_request_is_read_back():
    for asked in (request(0, 4), request(3, 9), request(9, 9)):
        assert decode_request(asked.encode()) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"", b"old 0\n", b"old 1\n\n\xff", b"old 01\n\nx", b"old -1\n\nx", b"old\n\nx", b"new 0\n\nx", b"old 0 \n\nx",
        b"old 0\r\n\nx", b"old 1\nAAAA\n\nx", b"old 1\n" + b"A" * 43 + b"\n\nx", b"old 1\n!\n\nx", "old é\n\nx".encode(),
        b"old 1\n" + b"\n".join([b"A" * 43 + b"="] * 64) + b"\n\nx", b"old 12345678901234567\n\nx",
    ],
    ids=lambda body: body[:30].hex() + str(len(body)),
)  # fmt: skip
def test_what_is_no_request_is_malformed(body):
    with pytest.raises(Malformed) as caught:
        decode_request(body)
    assert status_of(caught.value, extending=False) == 400


def test_a_request_too_long_is_refused_before_it_is_read():
    with pytest.raises(TooLong):
        decode_request(bytes(MAX_REQUEST + 1))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (request(0, 4, origin="other.example/log"), 404),
        (request(0, 4, key=PrivateKey.from_seed(b"\x01" * 32)), 403),
        (AddCheckpoint(0, (), note(4).replace(note(4)[-20:-10], "A" * 10)), 403),
        (AddCheckpoint(5, (), note(4)), 400),
        (AddCheckpoint(0, (), note(1).replace("\n1\n", "\n0\n")), 403),
        (request(0, 0, root=ZERO), 400),
        (AddCheckpoint(0, (), "no note"), 400),
    ],
    ids=["origin", "key", "signature", "old", "size", "zero", "note"],
)
def test_what_is_refused_before_the_store_is_asked(asked, status):
    with pytest.raises(BridgeError) as caught:
        read_checkpoint(asked, [LOG])
    assert status_of(caught.value, extending=False) == status


def test_extension_lines_of_other_logs_are_no_hindrance():
    assert read_checkpoint(request(0, 4, extensions=("more",)), [LOG]).extensions == ("more",)


def seen(size: int) -> Seen:
    return Seen(size, TREE.root(size) if size else ZERO)


def judged(asked: AddCheckpoint, known: Seen) -> None:
    require_extension(asked, read_checkpoint(asked, [LOG]), known)


@pytest.mark.parametrize(("old", "size"), [(0, 1), (0, 7), (1, 2), (3, 9), (8, 8)])
def test_a_checkpoint_that_extends_what_was_seen_may_be_cosigned(old, size):
    judged(request(old, size), seen(old))


@pytest.mark.parametrize(
    ("asked", "known", "error", "status"),
    [
        (request(0, 7), seen(3), FieldMismatch, 409),  # the log does not know what the witness knows
        (request(3, 7), seen(0), FieldMismatch, 409),
        (request(3, 7), seen(8), FieldMismatch, 409),  # a rollback
        (request(7, 7, root=bytes(32)), seen(7), FieldMismatch, 409),  # another root for the same size
        (request(3, 7, root=bytes(32)), seen(3), RootMismatch, 422),  # a fork
        (request(3, 7, path=()), seen(3), Malformed, 422),
        (request(3, 7, path=TREE.consistency_path(4, 7)), seen(3), BridgeError, 422),
        (AddCheckpoint(0, (bytes(32),), note(4)), seen(0), Malformed, 422),
        (AddCheckpoint(4, (bytes(32),), note(4)), seen(4), Malformed, 422),
    ],
    ids=["behind", "ahead", "rollback", "split", "fork", "no path", "other path", "path from zero", "path to itself"],
)
def test_a_checkpoint_that_does_not_extend_what_was_seen_is_refused(asked, known, error, status):
    with pytest.raises(error) as caught:
        judged(asked, known)
    assert status_of(caught.value, extending=True) == status


def test_a_fault_of_our_own_is_not_the_log_s():
    assert status_of(StoreBroken(store="x", rule="y"), extending=True) == 500
