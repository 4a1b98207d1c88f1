"""ML-DSA-44 and the lines of cosigners, Ed25519 and post-quantum."""

from dataclasses import replace

import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from hybrid_bridge.core import mldsa
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey, verify_mldsa
from hybrid_bridge.core.note import TYPE_COSIGNATURE, TYPE_MLDSA, VerifierKey, cosign, cosigned_at, verify_line
from hybrid_bridge.errors import FieldMalformed, Malformed, Missing, SignatureWrong
from tests.bundles import flip

KEY = MldsaKey(bytes(32))
BODY = b"example.org/log\n7\n" + b"A" * 43 + b"=\n"
ED25519 = PrivateKey.from_seed(bytes(32))


def test_a_signature_is_hedged_and_verifies():
    first, second = KEY.sign(b"m"), KEY.sign(b"m")
    assert first != second
    for signature in (first, second):
        verify_mldsa(KEY.public, b"m", signature)


def test_a_signature_over_something_else_or_by_another_key_is_wrong():
    signature = KEY.sign(b"m")
    for public, message, made in ((KEY.public, b"n", signature), (MldsaKey(b"\x01" * 32).public, b"m", signature),
                                  (KEY.public, b"m", flip(signature, 9_000))):  # fmt: skip
        with pytest.raises(SignatureWrong):
            verify_mldsa(public, message, made)


def test_other_lengths_are_malformed():
    signature = KEY.sign(b"m")
    for public, made in ((KEY.public, signature[:-1]), (KEY.public[:-1], signature)):
        with pytest.raises(FieldMalformed):
            verify_mldsa(public, b"m", made)
    with pytest.raises(FieldMalformed):
        MldsaKey(bytes(31))


def test_a_library_without_the_algorithm_is_missing_and_refutes_nothing(monkeypatch):
    def unsupported(_):
        raise UnsupportedAlgorithm("none")  # noqa: EM101

    monkeypatch.setattr(mldsa, "_load", unsupported)
    with pytest.raises(Missing):
        verify_mldsa(KEY.public, b"m", KEY.sign(b"m"))


def test_a_key_shows_nothing_of_itself():
    assert repr(KEY).startswith("MldsaKey(")
    assert bytes(32).hex() not in repr(KEY)


@pytest.mark.parametrize(
    ("key", "kind", "raw"),
    [(ED25519, TYPE_COSIGNATURE, ED25519.public.spki[-32:]), (KEY, TYPE_MLDSA, KEY.public)],
    ids=["04", "06"],
)
def test_a_cosigner_s_line_holds_for_its_time_body_and_name(key, kind, raw):
    known = VerifierKey("w", kind, raw)
    line = cosign("w", key, 1_800_000_000, BODY)
    assert (line.key_id, cosigned_at(line)) == (known.key_id, 1_800_000_000)
    verify_line(known, line, BODY)
    altered = replace(line, signature=(1_800_000_001).to_bytes(8, "big") + line.signature[8:])
    for wrong, body in ((altered, BODY), (line, BODY.replace(b"7", b"8")), (line, BODY.replace(b"A", b"B", 4))):
        with pytest.raises(SignatureWrong):
            verify_line(known, wrong, body)
    with pytest.raises(FieldMalformed):
        verify_line(known, replace(line, signature=line.signature[:8]), BODY)


def test_a_post_quantum_line_is_bound_to_the_cosigner_s_name_and_not_to_extension_lines():
    line = cosign("w", KEY, 5, BODY)
    verify_line(VerifierKey("w", TYPE_MLDSA, KEY.public), line, BODY + b"extension\n")
    with pytest.raises(SignatureWrong):
        verify_line(VerifierKey("v", TYPE_MLDSA, KEY.public), line, BODY)


def test_the_message_is_that_of_c2sp():
    """tlog-cosignature v1.1: label, name, time, origin, start 0, end, hash."""
    signed = cosign("w", KEY, 5, BODY).signature[8:]
    message = (
        b"subtree/v1\n\x00" + b"\x01w" + bytes(7) + b"\x05" + b"\x0fexample.org/log" + bytes(15) + b"\x07" + bytes(32)
    )
    verify_mldsa(KEY.public, message, signed)


@pytest.mark.parametrize(
    "body", [b"", b"o\n", b"\n7\n" + b"A" * 44, b"o\nx\nAAAA\n", b"o" * 256 + b"\n7\nAAAA\n", b"o\n7\n!\n"]
)
def test_what_is_no_checkpoint_has_no_post_quantum_line(body):
    with pytest.raises(Malformed):
        cosign("w", KEY, 5, body)


def test_a_name_too_long_and_a_time_that_is_none_are_refused():
    with pytest.raises(FieldMalformed):
        cosign("w" * 256, KEY, 5, BODY)
    for time in (-1, 2**63):
        with pytest.raises(FieldMalformed):
            cosign("w", ED25519, time, BODY)
