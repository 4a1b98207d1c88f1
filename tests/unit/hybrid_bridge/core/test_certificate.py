"""Certificates as far as verifiers look into them."""

import pytest

from hybrid_bridge.core.certificate import (
    certified_key,
    is_issued_by,
    is_valid_at,
    load_certificate,
    spki_of,
    subject_of,
)
from hybrid_bridge.errors import CertificateMalformed, Malformed
from tests.bundles import START, consortium

WORLD = consortium()
DER = WORLD.first[0].certificate


def test_the_key_the_term_the_issuer_and_the_names_are_read():
    certificate, root = load_certificate(DER), load_certificate(WORLD.root)
    assert certified_key(DER) == WORLD.keys[WORLD.first[0].name].public
    assert is_issued_by(certificate, root)
    assert not is_issued_by(root, certificate)
    assert is_valid_at(certificate, START)
    assert not is_valid_at(certificate, START + 40 * 365 * 86_400)
    names, ids = subject_of(certificate)
    assert len(names) == len(ids) == 1


def test_bytes_that_are_no_certificate_are_malformed():
    for data in (b"", b"\x30\x00", DER[:-1], DER + b"\x00"):
        with pytest.raises(CertificateMalformed):
            load_certificate(data)


@pytest.mark.filterwarnings("ignore")  # the library's own, about serial numbers
def test_bits_flipped_anywhere_leave_only_our_errors_and_no_issued_certificate():
    root, unreadable, nameless = load_certificate(WORLD.root), 0, 0
    for position in range(len(DER)):
        broken = DER[:position] + bytes([DER[position] ^ 1 << position % 8]) + DER[position + 1 :]
        try:
            certificate = load_certificate(broken)
            spki_of(certificate)
            nameless += subject_of(certificate) == (frozenset(), frozenset())
            assert not is_issued_by(certificate, root)
            certified_key(broken)
        except Malformed:
            unreadable += 1
    assert unreadable > 50
    assert nameless > 0
