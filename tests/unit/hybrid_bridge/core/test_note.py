"""Signed notes of anybody: strict text, keys, Ed25519 with and without a time."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.note import (
    MAX_NOTE,
    TYPE_COSIGNATURE,
    TYPE_ED25519,
    TYPE_QUORUM,
    NoteLine,
    SignedNote,
    VerifierKey,
    ed25519_key,
    key_id,
    parse_b64,
    parse_line,
    parse_signed_note,
    parse_vkey,
    verify_line,
    verify_signed_note,
    vkey,
)
from hybrid_bridge.errors import BridgeError, FieldMalformed, Missing, NotCanonical, SignatureWrong, TooLong

NAME = "log.example/one"
KEY = PrivateKey.from_seed(bytes(range(32)))
RAW = KEY.public.spki[-32:]
PLAIN, TIMED = VerifierKey(NAME, TYPE_ED25519, RAW), VerifierKey(NAME, TYPE_COSIGNATURE, RAW)
MESSAGE = "It is text,\n\nand may have empty lines.\n"

names = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="+"), min_size=1, max_size=12)
lines = st.builds(NoteLine, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=90))
texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)


def signed(message: str = MESSAGE) -> NoteLine:
    return NoteLine(NAME, PLAIN.key_id, KEY.sign(message.encode()))


def cosigned(message: str = MESSAGE, time: int = 1679315147) -> NoteLine:
    signature = KEY.sign(f"cosignature/v1\ntime {time}\n{message}".encode())
    return NoteLine(NAME, TIMED.key_id, time.to_bytes(8, "big") + signature)


def note(*under: NoteLine, message: str = MESSAGE) -> str:
    return SignedNote(message, under).text()


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.lists(texts, min_size=1, max_size=4), st.lists(lines, min_size=1, max_size=5))
@settings(max_examples=100)
def test_a_note_is_read_back_as_it_was_written(message: list[str], under: list[NoteLine]) -> None:
    written = SignedNote("".join(f"{line}\n" for line in message), tuple(under))
    assert parse_signed_note(written.text()) == written
    assert parse_signed_note(written.text().encode()) == written


@given(lines)
def test_a_line_is_read_back_as_it_was_written(line: NoteLine) -> None:
    assert parse_line(line.text()) == line


@given(st.one_of(st.text(), st.binary(), st.integers(), st.none(), st.text("— \n+aQ=", max_size=40)))
@settings(max_examples=300)
def test_only_bridge_errors_leave_the_parsers(text: Any) -> None:
    for parse in (parse_signed_note, parse_vkey):
        try:
            assert parse(text).text() == text
        except BridgeError:
            continue


@given(st.data())
@settings(max_examples=200)
def test_whatever_is_accepted_after_a_change_is_written_back_to_the_same_text(data: st.DataObject) -> None:
    text = note(signed(), cosigned())
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from(["", "\n", " ", "A", "=", "—", "\x00", "é"])) + text[at + 1 :]
    try:
        assert parse_signed_note(changed).text() == changed
    except BridgeError:
        return


@pytest.mark.parametrize("bad", ["\x00", "\t", "\r", "\x7f", "\x85", "\x9f"])
def test_a_control_character_is_refused_anywhere(bad: str) -> None:
    for text in (note(signed(), message=f"te{bad}xt\n"), note(signed()).replace("— log", f"— l{bad}og")):
        with pytest.raises(FieldMalformed):
            parse_signed_note(text)


def test_what_is_not_utf_8_is_refused() -> None:
    for bad in (b"\xff" + note(signed()).encode(), "\ud800" + note(signed())):
        with pytest.raises(NotCanonical):
            parse_signed_note(bad)


def test_a_note_has_bounds() -> None:
    parse_signed_note(note(*[signed()] * 156))
    with pytest.raises(TooLong) as caught:
        parse_signed_note(note(*[signed()] * 157))
    assert (caught.value.limit, caught.value.got) == (160, 161)
    with pytest.raises(TooLong):
        parse_signed_note("x" * MAX_NOTE + note(signed()))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "\ud800", None, 7])
def test_a_name_that_no_key_may_have_is_refused(name: Any) -> None:
    for make in (lambda: NoteLine(name, bytes(4), b"x"), lambda: key_id(name, 1, RAW)):
        with pytest.raises(FieldMalformed):
            make()


@pytest.mark.parametrize(("identifier", "signature"), [(b"", b"x"), (bytes(3), b"x"), (bytes(4), b""), (None, b"x")])
def test_a_line_has_a_key_id_and_a_signature(identifier: Any, signature: Any) -> None:
    with pytest.raises(FieldMalformed):
        NoteLine(NAME, identifier, signature)


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "width"), [(TYPE_ED25519, 32), (TYPE_COSIGNATURE, 32), (TYPE_QUORUM, 20)])
def test_a_verifier_key_is_read_back_as_it_was_written(kind: bytes, width: int) -> None:
    key = VerifierKey(NAME, kind, bytes(range(width)))
    assert parse_vkey(key.text()) == key
    assert vkey(NAME, kind, key.key) == key.text()
    assert key_id(NAME, kind, key.key) == key.key_id == sha256(NAME.encode() + b"\n" + kind + key.key)[:4]


def test_a_type_may_be_given_as_a_number() -> None:
    assert vkey(NAME, 1, RAW) == PLAIN.text()
    assert key_id(NAME, 4, RAW) == TIMED.key_id


def test_base64_in_a_key_may_hold_plus_signs() -> None:
    key = VerifierKey(NAME, TYPE_ED25519, b"\xfb" * 32)
    assert key.text().count("+") > 2
    assert parse_vkey(key.text()) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        NAME,
        f"{NAME}+00000000",
        PLAIN.text()[:-4],
        PLAIN.text() + "AAAA",
        PLAIN.text().replace("+" + PLAIN.key_id.hex(), "+00000000"),
        PLAIN.text().replace(PLAIN.key_id.hex(), PLAIN.key_id.hex().upper()),
        "+" + PLAIN.text().split("+", 1)[1],
        f"{NAME}+00000000+!",
        f"{NAME}+00000000+Ag==",
        PLAIN.text() + "\n",
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises((FieldMalformed, NotCanonical)):
        parse_vkey(text)


@pytest.mark.parametrize(("kind", "key"), [(1, bytes(31)), (2, RAW), (6, bytes(1311)), (b"", RAW), (b"\xff", RAW)])
def test_a_key_of_another_type_or_length_is_refused(kind: int | bytes, key: bytes) -> None:
    with pytest.raises(FieldMalformed):
        vkey(NAME, kind, key)


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_note_signed_by_a_known_key_verifies() -> None:
    for under in ((signed(),), (cosigned(),), (signed(), cosigned()), (cosigned(time=0),), (cosigned(time=2**63 - 1),)):
        text = note(*under)
        assert verify_signed_note(text, [PLAIN.text(), TIMED]).text() == text


def test_lines_of_unknown_keys_are_ignored_but_one_must_be_known() -> None:
    strangers = NoteLine("somebody", PLAIN.key_id, b"x"), NoteLine(NAME, bytes(4), b"x")
    verify_signed_note(note(*strangers, signed()), [PLAIN])
    for under, keys in ((strangers, [PLAIN]), ((signed(),), []), ((signed(),), [TIMED])):
        with pytest.raises(Missing):
            verify_signed_note(note(*under), keys)


def test_one_bad_line_of_a_known_key_rejects_the_note() -> None:
    other = NoteLine(NAME, PLAIN.key_id, signed("other\n").signature)
    for under in ((other,), (signed(), other), (other, signed())):
        with pytest.raises(SignatureWrong):
            verify_signed_note(note(*under), [PLAIN])


def test_a_cosignature_with_another_time_or_without_time_is_refused() -> None:
    good = cosigned()
    for signature, error in (
        (bytes(8) + good.signature[8:], SignatureWrong),
        (b"\x80" + good.signature[1:], FieldMalformed),
        (good.signature[:8], FieldMalformed),
        (good.signature[8:], FieldMalformed),
    ):
        with pytest.raises(error):
            verify_signed_note(note(NoteLine(NAME, TIMED.key_id, signature)), [TIMED])


def test_a_validators_key_checks_no_ordinary_note() -> None:
    key = VerifierKey(NAME, TYPE_QUORUM, bytes(20))
    with pytest.raises(FieldMalformed):
        verify_line(key, NoteLine(NAME, key.key_id, bytes(81)), b"")


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(32), b"\xff" * 32, None])
def test_what_is_no_point_is_no_key(raw: Any) -> None:
    with pytest.raises(FieldMalformed):
        ed25519_key(raw)


@pytest.mark.parametrize("kind", [-255, -1, 256, 257, 1 << 70])
def test_a_type_beyond_a_byte_is_no_type(kind):
    """Else 257 would name the key that 1 names."""
    for make in (key_id, vkey):
        with pytest.raises(FieldMalformed) as caught:
            make(NAME, kind, RAW)
        assert caught.value.field == "type"


def test_keys_that_are_no_sequence_are_malformed():
    for keys in (None, 5):
        with pytest.raises(FieldMalformed) as caught:
            verify_signed_note(f"x\n\n{NoteLine(NAME, bytes(4), b'x').text()}\n", keys)
        assert caught.value.field == "vkeys"


def test_base64_with_stray_bits_is_not_canonical():
    assert parse_b64("QQ==", "b") == b"A"
    for text in ("QR==", "QQ", "QQ==\n", "é"):
        with pytest.raises(NotCanonical):
            parse_b64(text, "b")
