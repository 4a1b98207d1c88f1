import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.adapters.pki import (
    BACKDATED,
    YEAR,
    Authority,
    Holder,
    caller_of,
    found_authority,
    identity_of,
    issue_identity,
    issue_tls,
    request_identity,
    require_tls,
)
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import BridgeError, CertificateMalformed, KeyUnusable
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.units import UnixSeconds

NOW = UnixSeconds(1_800_000_000)
AUTHORITY = found_authority("test.example/log", NOW)
HOLDER = Holder("bank-a", "Bank A Ltd", "LEI:BANKA")
KEY = PrivateKey.from_seed(b"\x01" * 32)


@pytest.mark.parametrize("role", ["member", "owner", "relayer"])
def test_a_tls_certificate_says_name_and_role(role: str) -> None:
    issued = issue_tls(AUTHORITY, HOLDER, role, ["127.0.0.1", "node.example"], NOW)
    assert caller_of(issued.certificate, NOW) == Caller("bank-a", role)


def test_only_members_serve() -> None:
    loaded = {
        role: x509.load_pem_x509_certificate(issue_tls(AUTHORITY, HOLDER, role, (), NOW).certificate)
        for role in ("member", "relayer")
    }
    usages = {
        role: list(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) for role, one in loaded.items()
    }
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usages["member"]
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH not in usages["relayer"]


@pytest.mark.parametrize("moment", [NOW - BACKDATED - 1, NOW - BACKDATED + YEAR + 1])
def test_a_certificate_is_refused_outside_its_time_on_every_call(moment: int) -> None:
    issued = issue_tls(AUTHORITY, HOLDER, "member", (), NOW)
    with pytest.raises(CertificateMalformed):
        caller_of(issued.certificate, UnixSeconds(moment))


def test_an_identity_certificate_opens_no_connection() -> None:
    der = issue_identity(AUTHORITY, HOLDER, KEY.public, NOW)
    pem = x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)
    with pytest.raises(CertificateMalformed):
        caller_of(pem, NOW)


def test_an_identity_certificate_gives_the_key_of_its_holder() -> None:
    der = issue_identity(AUTHORITY, HOLDER, KEY.public, NOW)
    assert identity_of(der, AUTHORITY.certificate, "bank-a") == KEY.public


def test_an_identity_of_another_name_or_authority_is_refused() -> None:
    der = issue_identity(AUTHORITY, HOLDER, KEY.public, NOW)
    with pytest.raises(CertificateMalformed):
        identity_of(der, AUTHORITY.certificate, "bank-b")
    with pytest.raises(CertificateMalformed):
        identity_of(der, found_authority("another", NOW).certificate, "bank-a")


def test_a_tls_certificate_is_no_identity() -> None:
    pem = issue_tls(AUTHORITY, HOLDER, "member", (), NOW).certificate
    der = x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
    with pytest.raises(CertificateMalformed):
        identity_of(der, AUTHORITY.certificate, "bank-a")


@pytest.mark.parametrize("name", ["", "Bank", "bank a", "-bank", "b" * 33, "bank\n", "bänk"])
def test_a_name_that_is_no_dns_label_gets_no_certificate(name: str) -> None:
    with pytest.raises(CertificateMalformed):
        issue_tls(AUTHORITY, Holder(name, "x", "y"), "member", (), NOW)
    with pytest.raises(CertificateMalformed):
        request_identity(Holder(name, "x", "y"), bytes(32))


def test_a_certificate_without_a_role_of_ours_is_refused() -> None:
    with pytest.raises(CertificateMalformed):
        caller_of(AUTHORITY.certificate, NOW)


@given(st.binary(max_size=200))
@settings(max_examples=50)
def test_noise_is_no_certificate(noise: bytes) -> None:
    with pytest.raises(BridgeError):
        caller_of(noise, NOW)
    with pytest.raises(BridgeError):
        identity_of(noise, AUTHORITY.certificate, "bank-a")


def test_an_authority_key_that_cannot_sign_is_named() -> None:
    with pytest.raises(KeyUnusable):
        issue_tls(Authority(AUTHORITY.certificate, b"no key"), HOLDER, "member", (), NOW)
    other = PrivateKey.from_seed(b"\x02" * 32)._key
    assert not isinstance(other, ec.EllipticCurvePrivateKey)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyUnusable):
        issue_tls(Authority(AUTHORITY.certificate, pem), HOLDER, "member", (), NOW)


def test_keys_are_never_shown() -> None:
    issued = issue_tls(AUTHORITY, HOLDER, "member", (), NOW)
    assert "PRIVATE" not in repr(issued) + repr(AUTHORITY)


# ── before TLS is asked ──


def test_a_chain_with_its_key_may_serve() -> None:
    issued = issue_tls(AUTHORITY, HOLDER, "member", (), NOW)
    require_tls(issued.certificate, issued.key, AUTHORITY.certificate)
    require_tls(issued.certificate + AUTHORITY.certificate, issued.key, 2 * AUTHORITY.certificate)


BROKEN = (b"", b"\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize("broken", [*BROKEN, "cut"])
@pytest.mark.parametrize("place", ["tls.pem", "ca.pem"])
def test_a_certificate_that_cannot_be_read_is_named(place: str, broken: bytes | str) -> None:
    issued = issue_tls(AUTHORITY, HOLDER, "member", (), NOW)
    files = {"tls.pem": issued.certificate, "ca.pem": AUTHORITY.certificate}
    files[place] = files[place][:300] if isinstance(broken, str) else broken
    with pytest.raises(CertificateMalformed) as caught:
        require_tls(files["tls.pem"], issued.key, files["ca.pem"])
    assert caught.value.rule == f"{place}: X.509 certificates as PEM"


def test_a_key_that_is_another_s_or_none_is_named() -> None:
    issued, other = (issue_tls(AUTHORITY, HOLDER, "member", (), NOW) for _ in range(2))
    for key in (other.key, b"", issued.key[:100], issued.certificate):
        with pytest.raises(KeyUnusable) as caught:
            require_tls(issued.certificate, key, AUTHORITY.certificate)
        assert caught.value.key == "tls.key"
    assert "of the first certificate" in str(_raised(issued.certificate, other.key))
    assert "of the first certificate" in str(_raised(AUTHORITY.certificate + issued.certificate, issued.key))


def _raised(certificate: bytes, key: bytes) -> KeyUnusable:
    with pytest.raises(KeyUnusable) as caught:
        require_tls(certificate, key, AUTHORITY.certificate)
    return caught.value
