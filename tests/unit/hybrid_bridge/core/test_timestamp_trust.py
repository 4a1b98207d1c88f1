"""Whether a token is to be believed: everything a careless or hostile authority may do otherwise."""

from contextlib import suppress
from dataclasses import replace

import pytest
from asn1crypto import core as asn1_core
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.certificate import read_certificate
from hybrid_bridge.core.timestamp import decode_token
from hybrid_bridge.core.timestamp_trust import trusted_path, verify_token
from hybrid_bridge.errors import CertificateMalformed, FieldMismatch, Malformed, Missing, SignatureWrong
from tests.tsa import Tsa, certificate, der_of, key_of

AT = 1_800_000_000
BODY = b"body"
TSA = Tsa()


def made(tsa: Tsa = TSA, at: float = AT, **wrong):
    return decode_token(tsa.stamp(BODY, at, **wrong))


def path(tsa: Tsa, at: float = AT, roots=None, **wrong):
    token = made(tsa, at, **wrong)
    authority = verify_token(token, BODY)
    return [c.subject.rfc4514_string() for c in trusted_path(token, authority.certificate, roots or [tsa.root])]


@pytest.mark.parametrize("kind", ["ec", "rsa"])
@pytest.mark.parametrize("between", [True, False])
def test_a_token_leads_to_its_root(kind, between):
    tsa = Tsa(name=f"A {kind} {between}", kind=kind, between=between)
    names = [f"CN=A {kind} {between} {part}" for part in ("1", "authority", "root")]
    assert path(tsa) == (names if between else names[::2])


@pytest.mark.parametrize("name", ["sha384", "sha512"])
def test_other_hashes_of_the_signer_are_known(name):
    for kind in ("ec", "rsa"):
        assert path(Tsa(name=kind, kind=kind), digest_name=name)
    assert path(Tsa(name="rsa", kind="rsa"), algorithm={"algorithm": "sha256_rsa"})


@pytest.mark.parametrize("ess", ["v1", "v2-512", "v1+v2"])
def test_each_way_of_naming_the_certificate_is_known(ess):
    assert path(TSA, ess=ess)


def test_tsa_imprint_other():
    """anchor/: a token over something else."""
    with pytest.raises(FieldMismatch) as caught:
        verify_token(made(), b"other")
    assert caught.value.field == "token.imprint"


@pytest.mark.parametrize(
    "leaf",
    [
        {"purposes": (ExtendedKeyUsageOID.SERVER_AUTH,)},
        {"purposes": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING)},
        {"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)},
        {"purposes": ()},
        {"critical": False},
        {"usage": True},
        {"ca": True},
    ],
)
def test_tsa_certificate_not_timestamping(leaf):
    """anchor/: a certificate for other purposes too, for none, not critical, or one that issues certificates."""
    with pytest.raises(FieldMismatch) as caught:
        verify_token(made(Tsa(name="B", leaf=leaf)), BODY)
    assert caught.value.field == "token.certificate"


def test_a_certificate_without_basic_constraints_is_an_end_certificate():
    assert path(Tsa(name="C", leaf={"basic": False}))


def test_a_certificate_that_the_signed_attributes_do_not_name_is_refused():
    with pytest.raises(FieldMismatch) as caught:
        verify_token(made(ess="other"), BODY)
    assert caught.value.field == "token.certificate"


def test_the_signer_s_certificate_must_be_in_the_token():
    for shown in ([], TSA.chain):
        with pytest.raises(FieldMismatch) as caught:
            verify_token(made(certificates=shown), BODY)
        assert caught.value.field == "token.certificates"


def test_a_signature_by_another_key_is_refused():
    """Same issuer, same serial number, same name: but not the key that signed."""
    swapped = certificate("TEST TSA 1", key_of("ec", "thief"), (TSA.chain[0], key_of("ec", "TEST TSA between")),
                          serial=TSA.certificate.serial_number)  # fmt: skip
    token = made()
    token = replace(token, certificates=(der_of(swapped),), certificate_hashes=())
    with pytest.raises(SignatureWrong):
        verify_token(token, BODY)


def test_a_signature_that_is_none_is_refused():
    for wrong in (lambda made: made[:-1], lambda _: b"", lambda made: bytes(len(made))):
        with pytest.raises(SignatureWrong):
            verify_token(made(signature=wrong), BODY)


def test_a_digest_that_is_not_of_the_content_is_refused():
    token = replace(made(), message_digest=bytes(32))
    with pytest.raises(FieldMismatch) as caught:
        verify_token(token, BODY)
    assert caught.value.field == "token.message_digest"


def test_an_algorithm_that_is_not_known_is_missing():
    for tsa, algorithm in (
        (Tsa(name="E", kind="ed25519"), None),
        (TSA, {"algorithm": "sha256_rsa"}),
        (TSA, {"algorithm": "rsassa_pss", "parameters": {"salt_length": 32}}),
    ):
        with pytest.raises(Missing):
            verify_token(made(tsa, algorithm=algorithm), BODY)


def test_certificates_that_cannot_be_read_are_malformed():
    with pytest.raises(CertificateMalformed):
        read_certificate(b"\x30\x00")
    with pytest.raises(CertificateMalformed):
        verify_token(replace(made(), certificates=(b"\x30\x00",)), BODY)


# ── the way to a root ──


def test_a_root_that_is_somebody_else_s_leads_nowhere():
    assert path(TSA, roots=[Tsa(name="other").root]) == []


def test_a_root_of_the_same_name_and_another_key_leads_nowhere():
    assert path(TSA, roots=[certificate("TEST TSA root", key_of("ec", "thief"))]) == []


def test_an_authority_between_that_is_not_shown_leads_nowhere():
    assert path(TSA, certificates=[TSA.certificate]) == []


def test_an_authority_between_is_no_root_unless_named_as_one_and_then_openssl_wants_a_self_signed_one():
    assert path(TSA, roots=TSA.chain) == []


@pytest.mark.parametrize(
    "tsa",
    [
        Tsa(name="F", leaf={"years": 1}),
        Tsa(name="G", middle={"years": 1}),
        Tsa(name="H", leaf={"begin": AT + 1}),
        Tsa(name="I", middle={"ca": False}),
        Tsa(name="J", middle={"basic": False}),
    ],
    ids=lambda tsa: tsa.name,
)
def test_a_certificate_out_of_its_term_or_of_no_authority_leads_nowhere(tsa):
    assert path(tsa) == []


def test_a_token_counts_at_its_own_time_not_ours():
    tsa = Tsa(name="K", leaf={"years": 1})
    assert path(tsa, at=1_700_000_000 + 86_400) != []


def test_a_certificate_signed_by_sha_1_leads_nowhere():
    class Weak:
        signature_hash_algorithm = hashes.SHA1()

        def __init__(self, inner: x509.Certificate) -> None:
            self._inner = inner

        def __getattr__(self, name):
            return getattr(self._inner, name)

    assert trusted_path(made(), Weak(TSA.certificate), [TSA.root]) == ()


def test_a_ladder_longer_than_allowed_leads_nowhere():
    keys = [key_of("ec", f"ladder {n}") for n in range(7)]
    steps = [certificate("ladder 0", keys[0])]
    for n in range(1, 7):
        steps.append(certificate(f"ladder {n}", keys[n], (steps[-1], keys[n - 1]), ca=True))
    tsa = Tsa(name="L")
    tsa.root, tsa.chain = steps[0], steps[1:]
    tsa.certificate = certificate("L 1", tsa.key, (steps[-1], keys[-1]))
    assert path(tsa) == []
    tsa.chain = steps[1:4]
    tsa.certificate = certificate("L 1", tsa.key, (steps[3], keys[3]))
    assert len(path(tsa)) == 5


def test_certificates_that_name_one_another_as_issuers_come_to_an_end():
    a, b = key_of("ec", "loop a"), key_of("ec", "loop b")
    one = certificate("loop a", a, (certificate("loop b", b), b), ca=True)
    two = certificate("loop b", b, (certificate("loop a", a), a), ca=True)
    tsa = Tsa(name="M")
    tsa.certificate, tsa.chain = certificate("M 1", tsa.key, (one, a)), [one, two]
    assert path(tsa) == []


# ── bytes at random ──

GOOD = made()
SERIAL = TSA.certificate.serial_number.to_bytes(TSA.certificate.serial_number.bit_length() // 8 + 1, "big")  # as in DER


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_changed_byte_is_believed_unless_nobody_reads_it(data):
    """The signature covers content and attributes; other certificates than the signer's are covered by the path."""
    good = GOOD.der
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + bytes([good[at] ^ 1 << data.draw(st.integers(0, 7))]) + good[at + 1 :]
    with suppress(Malformed, FieldMismatch, SignatureWrong, Missing):
        token = decode_token(changed)
        authority = verify_token(token, BODY)
        believed = token.generated, token.imprint, authority.certificate
        assert believed == (GOOD.generated, GOOD.imprint, TSA.certificate)


def broken(old: bytes, new: bytes):
    """A token whose certificate has other bytes in one place, and no hash of it."""
    shown = der_of(TSA.certificate)
    assert old in shown
    at = shown.rindex(old)
    return replace(made(), certificates=(shown[:at] + new + shown[at + len(old) :],), certificate_hashes=())


def test_an_authority_between_whose_name_cannot_be_read_leads_nowhere():
    between = der_of(TSA.chain[0])
    at = between.index(b"TEST TSA root")
    shown = between[: at + 12] + b"\xff" + between[at + 13 :]
    token = replace(GOOD, certificates=(der_of(TSA.certificate), shown))
    assert trusted_path(token, TSA.certificate, [TSA.root]) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x55\x1d\x25", b"\x55\x1d\x13"),  # an extension twice
        (bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030122")),  # a curve nobody knows
        (b"TEST TSA 1", b"TEST TSA \xff"),  # a name that is no text
        (SERIAL, bytes([SERIAL[0] | 0x80]) + SERIAL[1:]),  # a serial number below zero
    ],
    ids=["extension", "curve", "name", "serial"],
)
def test_a_certificate_that_can_be_read_in_parts_only_is_malformed(old, new):
    with pytest.raises(CertificateMalformed):
        verify_token(broken(old, new), BODY)


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        (x509.TLSFeature.oid, "3003020107"),  # a feature that nobody knows
        (x509.SubjectAlternativeName.oid, "3002a300"),  # an address of X.400
    ],
    ids=["tls feature", "x400 address"],
)
def test_an_extension_that_the_library_stumbles_over_is_malformed_and_no_crash(oid, value):
    """Anybody may make such a token: what came out of the library was neither ours nor a ValueError."""
    more = [x509.UnrecognizedExtension(oid, bytes.fromhex(value))]
    with pytest.raises(CertificateMalformed):
        verify_token(made(Tsa(name="F", leaf={"more": more})), BODY)


def test_a_certificate_that_ends_in_the_year_0_is_malformed():
    """The library reads dates as late as it can, and then has no such year."""
    year_0 = asn1_core.GeneralizedTime(contents=b"00000101000000Z")
    certificate = asn1_x509.Certificate.load(der_of(TSA.certificate))
    certificate["tbs_certificate"]["validity"]["not_after"] = asn1_x509.Time(name="general_time", value=year_0)
    with pytest.raises(CertificateMalformed):
        read_certificate(certificate.dump(force=True))
