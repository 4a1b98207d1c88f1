"""Checkpoints as notes: ours strictly, anybody's when asked, the log key's line, the validators' lines."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.attestation import Checkpoint, verify_quorum
from hybrid_bridge.core.checkpoint import (
    Note,
    checkpoint_digest,
    for_other_readers,
    format_note,
    has_log_line,
    log_line,
    parse_note,
    quorum_line,
    quorum_name,
    quorum_signatures,
    require_origin,
    stated_time,
    verify_log_line,
    verify_note,
    vkey,
)
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import NoteLine
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    BelowQuorum,
    BridgeError,
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    Missing,
    SignatureWrong,
    TrailingBytes,
    Truncated,
)
from hybrid_bridge.units import Address, Digest, LogId, SetId, TreeSize, UnixSeconds

ORIGIN = "example.org/receivables"
ROOT = sha256(b"root")
LOG = LogId(sha256(b"log"))
TIME = UnixSeconds(1240)
SEED = bytes(range(32))
LOG_KEY = PrivateKey.from_seed(SEED).public.spki[-32:]
KEYS = {address_of(public_key_of(k.to_bytes(32, "big"))): k.to_bytes(32, "big") for k in range(1, 5)}
SET = ValidatorSet(SetId(3), tuple(ValidatorEntry(a, ROOT, ROOT, ROOT) for a in sorted(KEYS)))
STATEMENT = Checkpoint(
    log_id=LOG, tree_size=TreeSize(5), root=ROOT, timestamp=TIME, set_id=SET.set_id, set_hash=SET.digest
)
BODY = Note(ORIGIN, TreeSize(5), ROOT).body()
LOG_LINE = log_line(ORIGIN, SEED, BODY)


def validator_line(place: int, statement: Checkpoint = STATEMENT, origin: str = ORIGIN) -> NoteLine:
    address = SET.addresses[place]
    signature = sign_digest(KEYS[address], statement.digest())
    return quorum_line(origin, address, statement.timestamp, statement.set_id, signature)


LINES = tuple(validator_line(place) for place in range(4))


def note(*lines: NoteLine) -> Note:
    return Note(ORIGIN, TreeSize(5), ROOT, lines)


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    st.from_regex(r"[a-z0-9.-]{1,9}(/[A-Za-z0-9._-]{1,9}){0,3}", fullmatch=True),
    st.integers(1, 2**53 - 1),
    st.binary(min_size=32, max_size=32),
)
@settings(max_examples=60)
def test_a_checkpoint_is_read_back_as_it_was_written(origin: str, size: int, root: bytes) -> None:
    text = format_note(origin, TreeSize(size), Digest(root), [LOG_LINE, *LINES])
    parsed = parse_note(text)
    assert (
        parsed == parse_note(text.encode(), origin=origin) == Note(origin, TreeSize(size), Digest(root), parsed.lines)
    )
    assert parsed.text() == text
    assert text.encode().startswith(parsed.body() + b"\n")


@given(st.one_of(st.text(), st.binary(), st.none()), st.booleans())
@settings(max_examples=200)
def test_only_bridge_errors_leave_the_parser(text: Any, extensions: bool) -> None:
    try:
        assert parse_note(text, extensions=extensions).text() == text
    except BridgeError:
        return


@given(st.data())
@settings(max_examples=300)
def test_one_changed_byte_is_refused_or_another_text(data: st.DataObject) -> None:
    text = note(LOG_LINE, *LINES[:3]).text().encode()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + bytes([text[at] ^ 1 << data.draw(st.integers(0, 7))]) + text[at + 1 :]
    try:
        parsed = parse_note(changed, extensions=True)
    except BridgeError:
        return
    assert parsed.text().encode() == changed


FOREIGN = f"go.sum database tree\n0\n{'A' * 43}=\nextension one\ntwo\n\n— x AAAAAAA=\n"


def test_other_logs_checkpoints_are_read_when_asked_and_refused_otherwise() -> None:
    parsed = parse_note(FOREIGN, extensions=True)
    assert (parsed.origin, parsed.size, parsed.extensions) == ("go.sum database tree", 0, ("extension one", "two"))
    assert parsed.text() == FOREIGN
    with pytest.raises(FieldMalformed):
        parse_note(FOREIGN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\nextension one", "\n"),
        ("\n0\n", "\n00\n"),
        ("\n0\n", "\n9007199254740992\n"),
        ("\n0\n", "\n99999999999999999\n"),
        ("A=\nextension", "=\nextension"),
        ("A=\nextension", "AA\nextension"),
        ("go.sum database tree\n0\n", "\n"),
        ("go.sum database tree", ""),
        ("go.sum database tree\n0\n" + "A" * 43 + "=\nextension one\ntwo", "one line"),
    ],
    ids=["blank", "zeros", "2^53", "17-digits", "42", "33-bytes", "two-lines", "no-origin", "one-line"],
)
def test_what_no_log_may_write_is_refused_even_when_asked(old: str, new: str) -> None:
    with pytest.raises((FieldMalformed, DigestLength)):
        parse_note(FOREIGN.replace(old, new), extensions=True)


@pytest.mark.parametrize(
    ("origin", "size", "root"),
    [("Upper.example", 5, ROOT), ("", 5, ROOT), ("a/", 5, ROOT), ("a" * 201, 5, ROOT), (None, 5, ROOT), ("a", 0, ROOT),
     ("a", 2**53, ROOT), ("a", True, ROOT), ("a", 5, None), ("a\n", 5, ROOT)],
    ids=range(10),
)  # fmt: skip
def test_what_we_may_not_write_is_not_written(origin: Any, size: Any, root: Any) -> None:
    with pytest.raises(FieldMalformed):
        format_note(origin, size, root, LINES)


def test_the_root_has_32_bytes() -> None:
    with pytest.raises(DigestLength):
        format_note(ORIGIN, TreeSize(5), Digest(bytes(31)), LINES)


def test_a_note_without_signature_has_a_body_and_no_text() -> None:
    assert note().body() == BODY
    with pytest.raises(FieldMalformed):
        note().text()


def test_extension_lines_are_signed_but_never_ours() -> None:
    extended = Note(ORIGIN, TreeSize(5), ROOT, LINES, ("extra",))
    assert extended.body() == BODY + b"extra\n"
    with pytest.raises(FieldMalformed):
        parse_note(extended.text())


def test_another_origin_than_expected_is_refused() -> None:
    with pytest.raises(FieldMismatch) as caught:
        parse_note(note(*LINES).text(), origin="example.org/other")
    assert (caught.value.expected, caught.value.got) == ("example.org/other", ORIGIN)


def test_an_origin_has_at_most_200_characters() -> None:
    assert require_origin("a" * 200) == "a" * 200
    with pytest.raises(FieldMalformed):
        require_origin("a" * 201)


# ── the log key's line ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_key_signs_and_every_log_tool_can_check_it() -> None:
    verify_log_line(note(LOG_LINE, *LINES), LOG_KEY)
    assert log_line(ORIGIN, PrivateKey.from_seed(SEED), BODY) == LOG_LINE
    text = note(LOG_LINE).text()
    assert verify_note(text, [vkey(ORIGIN, 1, LOG_KEY)]).text() == text
    assert verify_note(text, [vkey(ORIGIN, 1, LOG_KEY)], extensions=False).size == 5


def test_foreign_checkpoints_verify_by_their_own_keys_unless_ours_are_asked_for() -> None:
    body = Note("go.sum database tree", TreeSize(5), ROOT, (), ("extension",)).body()
    line = log_line("sum.example", SEED, body)
    text = Note("go.sum database tree", TreeSize(5), ROOT, (line,), ("extension",)).text()
    key = vkey("sum.example", 1, LOG_KEY)
    assert verify_note(text, [key]).extensions == ("extension",)
    with pytest.raises(FieldMalformed):
        verify_note(text, [key], extensions=False)


def test_a_wrong_log_line_is_refused_and_a_missing_one_is_said_to_be_missing() -> None:
    wrong = NoteLine(ORIGIN, LOG_LINE.key_id, log_line(ORIGIN, SEED, b"other").signature)
    assert has_log_line(note(wrong), LOG_KEY)
    for lines in ((wrong,), (LOG_LINE, wrong), (wrong, *LINES)):
        with pytest.raises(SignatureWrong):
            verify_log_line(note(*lines), LOG_KEY)
    assert not has_log_line(note(*LINES), LOG_KEY)
    with pytest.raises(Missing):
        verify_log_line(note(*LINES), LOG_KEY)


def test_a_seed_of_another_length_signs_nothing() -> None:
    with pytest.raises(FieldMalformed):
        log_line(ORIGIN, bytes(31), BODY)


# ── the validators' lines ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_lines_of_the_set_are_the_signatures_of_a_quorum() -> None:
    signatures = quorum_signatures(note(LOG_LINE, LINES[0], LINES[2], LINES[3]), SET, LOG, TIME)
    assert verify_quorum(STATEMENT, SET, signatures) == [SET.addresses[place] for place in (0, 2, 3)]
    assert quorum_signatures(note(LOG_LINE), SET, LOG, TIME) == []


def test_lines_of_strangers_count_for_nothing() -> None:
    stranger = NoteLine(quorum_name(ORIGIN, Address(bytes(20))), bytes(4), bytes(81))
    collision = NoteLine(LINES[2].name.replace("/v/", "/w/"), LINES[2].key_id, LINES[2].signature)
    signatures = quorum_signatures(note(LINES[0], stranger, LINES[1], collision), SET, LOG, TIME)
    with pytest.raises(BelowQuorum):
        verify_quorum(STATEMENT, SET, signatures)


def test_the_time_that_members_signed_over_stands_in_their_lines() -> None:
    assert stated_time(note(LOG_LINE, LINES[2], LINES[3]), SET) == TIME
    with pytest.raises(Missing):
        stated_time(note(LOG_LINE), SET)
    with pytest.raises(Truncated):
        stated_time(note(NoteLine(LINES[0].name, LINES[0].key_id, bytes(7))), SET)


@pytest.mark.parametrize("places", [(0, 0, 1, 2), (1, 0, 2), (0, 1, 2, 2)])
def test_the_same_validator_twice_or_out_of_order_rejects_the_note(places: tuple[int, ...]) -> None:
    with pytest.raises(FieldMalformed) as caught:
        quorum_signatures(note(*(LINES[place] for place in places)), SET, LOG, TIME)
    assert caught.value.field == "note.lines"


def test_a_line_for_another_time_or_set_rejects_the_note() -> None:
    for offset, field in ((7, "note.line.timestamp"), (15, "note.line.set_id")):
        signature = bytearray(LINES[1].signature)
        signature[offset] ^= 1
        with pytest.raises(FieldMismatch) as caught:
            quorum_signatures(
                note(LINES[0], NoteLine(LINES[1].name, LINES[1].key_id, bytes(signature))), SET, LOG, TIME
            )
        assert caught.value.field == field


def test_a_line_over_another_checkpoint_rejects_the_note() -> None:
    other = Checkpoint(
        log_id=LOG, tree_size=TreeSize(6), root=ROOT, timestamp=TIME, set_id=SET.set_id, set_hash=SET.digest
    )
    with pytest.raises(SignatureWrong) as caught:
        quorum_signatures(note(LINES[0], validator_line(1, other)), SET, LOG, TIME)
    assert caught.value.signer == f"0x{SET.addresses[1].hex()}"
    with pytest.raises(SignatureWrong):
        quorum_signatures(note(*LINES), SET, LogId(sha256(b"other log")), TIME)


def test_a_line_of_another_layout_rejects_the_note() -> None:
    name, key, signature = LINES[3].name, LINES[3].key_id, LINES[3].signature
    for bad, error in (
        (signature[:-1], Truncated),
        (signature[:3], Truncated),
        (signature + b"\x00", TrailingBytes),
        (signature[:-1] + b"\x00", FieldMalformed),
        (b"\xff" + signature[1:], FieldMalformed),
    ):
        with pytest.raises(error):
            quorum_signatures(note(*LINES[:3], NoteLine(name, key, bad)), SET, LOG, TIME)


def test_a_line_needs_an_address_and_a_strict_signature() -> None:
    signature = sign_digest(KEYS[SET.addresses[0]], STATEMENT.digest())
    with pytest.raises(FieldMalformed):
        quorum_line(ORIGIN, Address(bytes(19)), TIME, SetId(1), signature)
    with pytest.raises(FieldMalformed):
        quorum_line(ORIGIN, SET.addresses[0], UnixSeconds(-1), SetId(1), signature)
    loose: Any = signature[:64] + b"\x00"
    with pytest.raises(FieldMalformed):
        quorum_line(ORIGIN, SET.addresses[0], TIME, SetId(1), loose)


def test_the_digest_function_is_the_checkpoints_digest() -> None:
    assert checkpoint_digest(LOG, TreeSize(5), ROOT, TIME, SET.set_id, SET.digest) == STATEMENT.digest()


# ── readers of other logs ──


def crowded(validators: int) -> str:
    """A note as 64 validators with post-quantum keys make it: the log's lines, two of each validator, a witness's."""
    names = [quorum_name("example.org/log", Address(bytes([i]) * 20)) for i in range(1, validators + 1)]
    lines = [NoteLine("example.org/log", b"log1", bytes(64)), NoteLine("example.org/log", b"log6", bytes(2428))]
    lines += [NoteLine(name, kind, bytes(size)) for name in names for kind, size in ((b"quor", 81), (b"mlds", 2428))]
    return format_note("example.org/log", TreeSize(2), Digest(bytes(32)), [*lines, NoteLine("w/1", b"witn", bytes(72))])


def test_a_note_of_many_lines_goes_to_other_readers_without_the_validators_post_quantum_ones():
    text = crowded(64)
    note, fewer = parse_note(text), parse_note(for_other_readers(text))
    assert (len(note.lines), len(fewer.lines)) == (131, 67)
    assert fewer.lines == tuple(line for line in note.lines if line.key_id != b"mlds")
    assert fewer.body() == note.body()


def test_a_note_that_every_reader_takes_stays_as_it_is():
    assert for_other_readers(crowded(48)) == crowded(48)  # 99 lines
    assert len(parse_note(for_other_readers(crowded(49))).lines) == 52
