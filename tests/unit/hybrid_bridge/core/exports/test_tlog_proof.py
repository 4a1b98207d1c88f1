"""tlog-proof: written, read back, verified; every named mutation is refused."""

import base64
from dataclasses import replace

import pytest

from hybrid_bridge.core.exports.tlog_proof import (
    MAX_HEAD,
    MAX_TLOG_PROOF,
    TlogProof,
    parse_tlog_proof,
    tlog_proof_of,
    verify_tlog_proof,
)
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import (
    BridgeError,
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    Missing,
    NotCanonical,
    PathLength,
    RecordMalformed,
    RootMismatch,
    SignatureWrong,
    TooLong,
    Unknown,
)
from tests.bundles import consortium, flip

WORLD = consortium()


def proof() -> TlogProof:
    return tlog_proof_of(WORLD.history(), 2)


def text() -> bytes:
    return proof().encode()


def lines(change):
    """The file with its lines changed; the note begins after the first empty line."""
    head, note = text().split(b"\n\n", 1)
    changed = head.split(b"\n")
    change(changed)
    return b"\n".join(changed) + b"\n\n" + note


def test_the_file_is_the_text_of_the_specification():
    p = proof()
    b64 = lambda data: base64.b64encode(data).decode()  # noqa: E731
    head = ["c2sp.org/tlog-proof@v1", f"extra {b64(p.record)}", "index 2", *map(b64, p.path), ""]
    assert text() == "".join(f"{line}\n" for line in head).encode() + WORLD.note(4).encode()
    assert len(p.path) == 2
    assert leaf_hash(p.record) == WORLD.log.leaf(2)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_what_is_written_is_read_back_and_verifies(epoch):
    made = tlog_proof_of(WORLD.history(), epoch)
    assert parse_tlog_proof(made.encode()) == made
    assert verify_tlog_proof(made, WORLD.genesis).epoch == epoch


def test_an_epoch_that_the_bundle_does_not_show_is_unknown():
    with pytest.raises(Unknown):
        tlog_proof_of(WORLD.receivable(), 2)


MALFORMED = {
    "other-version": (lines(lambda at: at.__setitem__(0, b"c2sp.org/tlog-proof@v2")), FieldMalformed),
    "no-extra": (lines(lambda at: at.pop(1)), FieldMalformed),
    "no-index": (lines(lambda at: at.pop(2)), FieldMalformed),
    "header-only": (b"c2sp.org/tlog-proof@v1\n\n" + WORLD.note(4).encode(), FieldMalformed),
    "index-leading-zero": (lines(lambda at: at.__setitem__(2, b"index 02")), FieldMalformed),
    "index-negative": (lines(lambda at: at.__setitem__(2, b"index -2")), FieldMalformed),
    "index-over-2^53": (lines(lambda at: at.__setitem__(2, b"index 9007199254740992")), FieldMalformed),
    "extra-not-canonical": (lines(lambda at: at.__setitem__(1, at[1] + b"=")), NotCanonical),
    "extra-no-record": (lines(lambda at: at.__setitem__(1, b"extra AAAA")), RecordMalformed),
    "path-31-bytes": (lines(lambda at: at.__setitem__(3, base64.b64encode(bytes(31)))), DigestLength),
    "path-trailing-bits": (lines(lambda at: at.__setitem__(3, at[3][:-2] + b"9=")), NotCanonical),
    "path-54-hashes": (lines(lambda at: at.extend([at[3]] * 52)), TooLong),
    "head-too-long": (lines(lambda at: at.extend([b"A" * MAX_HEAD])), FieldMalformed),
    "not-ascii": (lines(lambda at: at.__setitem__(0, "\uff432sp.org/tlog-proof@v1".encode())), FieldMalformed),
    "no-empty-line": (text().replace(b"\n\n", b"\n", 1), Malformed),
    "carriage-returns": (text().replace(b"\n", b"\r\n"), FieldMalformed),
    "note-cut": (text()[:-1], FieldMalformed),
    "note-doubled": (text() + WORLD.note(4).encode(), Malformed),
    "too-long": (text() + bytes(MAX_TLOG_PROOF), TooLong),
    "empty": (b"", FieldMalformed),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_other_bytes_are_malformed(name):
    data, error = MALFORMED[name]
    with pytest.raises(error):
        parse_tlog_proof(data)


def other_note(size):
    return replace(proof(), note=WORLD.note(size))


REFUTED = {
    "path-one-short": (lambda: replace(proof(), path=proof().path[:-1]), PathLength),
    "path-one-long": (lambda: replace(proof(), path=(*proof().path, bytes(32))), PathLength),
    "siblings-reversed": (lambda: replace(proof(), path=proof().path[::-1]), RootMismatch),
    "record-changed": (lambda: replace(proof(), record=flip(proof().record)), RootMismatch),
    "index-of-neighbour": (lambda: replace(proof(), index=3), FieldMismatch),
    "other-checkpoint": (lambda: other_note(6), PathLength),
    "epoch-of-other-log": (lambda: tlog_proof_of(consortium("other.example/log").receivable(), 1), FieldMismatch),
    "note-of-other-log": (
        lambda: replace(proof(), note=consortium("other.example/log").note(4)),
        FieldMismatch,
    ),
    "log-line-by-another-key": (lambda: replace(proof(), note=forged_line()), SignatureWrong),
    "no-log-line": (lambda: replace(proof(), note=without_log_line()), Missing),
}


def forged_line():
    head, rest = WORLD.note(4).split("\n\n")
    first, *others = rest.splitlines()
    dash, name, signature = first.split(" ")
    raw = base64.b64decode(signature)
    wrong = base64.b64encode(raw[:4] + raw[4:36] + bytes(32)).decode()
    return "\n".join([head, "", f"{dash} {name} {wrong}", *others, ""])


def without_log_line():
    head, rest = WORLD.note(4).split("\n\n")
    return "\n".join([head, "", *rest.splitlines()[1:], ""])


@pytest.mark.parametrize("name", REFUTED)
def test_a_proof_that_is_false_is_refused(name):
    make, error = REFUTED[name]
    with pytest.raises(error):
        verify_tlog_proof(make(), WORLD.genesis)


def test_only_the_one_text_of_a_proof_is_written():
    with pytest.raises(Malformed):
        replace(proof(), index=-1).encode()
    with pytest.raises(Malformed):
        replace(proof(), note="").encode()
    with pytest.raises(NotCanonical):
        replace(proof(), path=list(proof().path)).encode()


def test_no_flipped_byte_outside_the_validators_lines_verifies():
    """The validators' lines are carried and not judged here: the format does not say who they are."""
    data = text()
    judged = data.rindex(b"\n", 0, data.index(b"/v/"))
    for position in range(judged):
        broken = data[:position] + bytes([data[position] ^ 1 << position % 8]) + data[position + 1 :]
        with pytest.raises(BridgeError):
            verify_tlog_proof(parse_tlog_proof(broken), WORLD.genesis)
