"""Whose revocation list counts, and for whom."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from hybrid_bridge.adapters.crl import MAX_BYTES, issue_revocations, pem_of, read_revocations
from hybrid_bridge.adapters.pki import Authority, Holder, found_authority, issue_tls
from hybrid_bridge.errors import CertificateMalformed, CertificateRevoked, KeyUnusable, RevocationsStale
from hybrid_bridge.units import UnixSeconds

NOW = UnixSeconds(1_800_000_000)
END = UnixSeconds(NOW + 86_400)
OURS, THEIRS = found_authority("ours", NOW), found_authority("theirs", NOW)
HOLDER = Holder("bank-a", "Bank A Ltd", "LEI:BANKA")
BAD, GOOD = (issue_tls(OURS, HOLDER, "member", (), NOW).certificate for _ in range(2))


def listed(by: Authority = OURS, *certificates: bytes, issued: int = NOW, ends: int = END) -> bytes:
    return issue_revocations(by.certificate, by.key, certificates, UnixSeconds(issued), UnixSeconds(ends))


def test_a_list_names_whom_it_names_and_nobody_else() -> None:
    found = read_revocations({"crl.pem": listed(OURS, BAD)}, OURS.certificate, NOW)
    with pytest.raises(CertificateRevoked) as refused:
        found.require_good(BAD)
    assert refused.value.serial == f"{x509.load_pem_x509_certificate(BAD).serial_number:x}"
    found.require_good(GOOD)


def test_der_is_read_as_pem_is_and_a_chain_is_judged_by_its_first() -> None:
    der = x509.load_pem_x509_crl(listed(OURS, BAD)).public_bytes(Encoding.DER)
    found = read_revocations({"crl.der": der}, OURS.certificate, NOW)
    with pytest.raises(CertificateRevoked):
        found.require_good(BAD + GOOD)
    found.require_good(GOOD + BAD)


def test_one_authority_s_list_says_nothing_about_another_s_serial_numbers() -> None:
    roots = OURS.certificate + THEIRS.certificate
    found = read_revocations({"a": listed(OURS, BAD), "b": listed(THEIRS)}, roots, NOW)
    stranger = issue_tls(THEIRS, HOLDER, "member", (), NOW).certificate
    found.require_good(stranger)
    assert len(found.lists) == 2
    both = read_revocations({"one": listed(OURS, BAD) + listed(THEIRS, stranger)}, roots, NOW)
    for certificate in (BAD, stranger):
        with pytest.raises(CertificateRevoked):
            both.require_good(certificate)


def test_of_two_lists_of_one_authority_the_newer_counts() -> None:
    old, new = listed(OURS, BAD, issued=NOW - 10), listed(OURS, issued=NOW)
    for files in ({"a": old, "b": new}, {"a": new, "b": old}):
        read_revocations(files, OURS.certificate, NOW).require_good(BAD)


def test_the_first_end_is_the_end() -> None:
    roots = OURS.certificate + THEIRS.certificate
    found = read_revocations({"a": listed(ends=END), "b": listed(THEIRS, ends=END + 5)}, roots, NOW)
    assert found.ends == END
    found.require_current(END)
    with pytest.raises(RevocationsStale) as refused:
        found.require_current(UnixSeconds(END + 1))
    assert refused.value.since == END


@pytest.mark.parametrize(
    "data",
    [
        listed(THEIRS, BAD),
        b"",
        b"-----BEGIN X509 CRL-----",
        listed()[:-40],
        BAD,
        bytes(MAX_BYTES + 1),
        listed(issued=NOW + 10_000, ends=NOW + 20_000),
    ],
    ids=["another authority's", "empty", "a head", "cut", "a certificate", "too long", "not begun"],
)
def test_what_is_no_list_of_ours_is_refused(data: bytes) -> None:
    with pytest.raises(CertificateMalformed):
        read_revocations({"crl.pem": data}, OURS.certificate, NOW)


def test_a_list_of_another_key_with_our_authority_s_name_is_refused() -> None:
    twin = found_authority("ours", NOW)
    with pytest.raises(CertificateMalformed):
        read_revocations({"crl.pem": listed(twin, BAD)}, OURS.certificate, NOW)


def test_a_list_that_is_not_the_whole_is_refused() -> None:
    root = x509.load_pem_x509_certificate(OURS.certificate)
    key = load_pem_private_key(OURS.key, None)
    begin = datetime.fromtimestamp(NOW, UTC)
    whole = x509.CertificateRevocationListBuilder(root.subject, begin, begin + timedelta(1))
    for extension in (
        x509.DeltaCRLIndicator(1),
        x509.IssuingDistributionPoint(
            full_name=None,
            relative_name=None,
            only_contains_user_certs=True,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        ),
    ):
        part = whole.add_extension(extension, critical=True).sign(key, hashes.SHA256())  # type: ignore[arg-type]
        with pytest.raises(CertificateMalformed):
            read_revocations({"crl.pem": part.public_bytes(Encoding.PEM)}, OURS.certificate, NOW)


def test_nothing_is_made_of_garbage() -> None:
    with pytest.raises(CertificateMalformed):
        read_revocations({"crl.pem": listed()}, b"garbage", NOW)
    with pytest.raises(CertificateMalformed):
        read_revocations({"crl.pem": listed()}, OURS.certificate, NOW).require_good(b"garbage")
    with pytest.raises(CertificateMalformed):
        pem_of(b"garbage")
    with pytest.raises(KeyUnusable):
        issue_revocations(OURS.certificate, b"garbage", (), NOW, END)


def test_a_renewed_authority_s_list_leaves_the_one_before_in_force() -> None:
    renewed = found_authority("ours", NOW)
    files = {"old": listed(OURS, BAD, issued=NOW - 10), "new": listed(renewed, issued=NOW)}
    found = read_revocations(files, OURS.certificate + renewed.certificate, NOW)
    assert len(found.lists) == 2
    with pytest.raises(CertificateRevoked):
        found.require_good(BAD)
    found.require_good(GOOD)
