"""Check 9 through whole bundles: who the keys belong to, and whose transactions are shown."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hybrid_bridge.adapters.pki import Holder, found_authority, issue_identity
from hybrid_bridge.core.certificate import load_certificate, spki_of
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.evidence import UNDECIDED, VERIFIED
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.validators import SignedKeyBinding, name_text
from hybrid_bridge.errors import (
    CertificateMalformed,
    FieldMalformed,
    FieldMismatch,
    SignatureWrong,
)
from hybrid_bridge.steps.verify import names, verify
from hybrid_bridge.units import UnixSeconds
from tests.bundles import CADENCE, NOW, START, Consortium, Validator, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.judging import changed, good, judged, stopped, world

NAMES, TRANSACTIONS = "9 names", "9 transactions"
ENTRY = "epochs.0.entries.0"
UNNAMED = "self-stated"


class Founded(Consortium):
    """A consortium founded with something wrong in its validators' papers: everything else is in order."""

    def __init__(self, **wrong):
        self.wrong = wrong
        super().__init__(origin="wrong.example/receivables")

    def _live(self):
        self.events = self.events[:5]  # as many as a receivable and the freeze need
        super()._live()

    def certificate_of(self, name, legal_name, legal_id):
        der = super().certificate_of(name, legal_name, legal_id)
        return self.wrong["certificate"](self, name, legal_name, legal_id) if "certificate" in self.wrong else der

    def _validator(self, row, generation):
        made = super()._validator(row, generation)
        if "binding" not in self.wrong:
            return made
        changed_binding = self.wrong["binding"](SignedKeyBinding.decode(made.part.key_binding).binding)
        key = PrivateKey.from_seed(bytes(32)) if self.wrong.get("stranger") else self.keys[row["key"]]
        signed = SignedKeyBinding(changed_binding, key.public.scheme, key.sign(changed_binding.message()))
        return Validator(made.name, made.attestation, replace(made.part, key_binding=signed.encode()), made.certificate)


def founded(**wrong):
    world = Founded(**wrong)
    return world.receivable(anchors=()), world.trust(require=())


def stopped_there(error, at=NAMES, **wrong):
    bundle, trust = founded(**wrong)
    with pytest.raises(error) as caught:
        names_of(bundle, trust)
    assert type(caught.value) is error
    assert caught.value.stopped_at == at
    return caught.value


def names_of(bundle, trust):
    return verify(bundle.encode(), trust, NOW)


def issued(row_key: PrivateKey, holder: Holder, authority, at=START):
    return issue_identity(authority, holder, row_key.public, UnixSeconds(at))


# ── key bindings ──


def test_key_binding_of_other_origin():
    """replay/: the set commits to a binding that speaks of another log."""
    error = stopped_there(FieldMismatch, binding=lambda b: replace(b, origin_hash=sha256(b"other")))
    assert error.field == "key_binding.origin_hash"


def test_a_binding_of_another_certificate():
    error = stopped_there(FieldMismatch, binding=lambda b: replace(b, certificate_hash=sha256(b"other")))
    assert error.field == "key_binding.certificate_hash"


def test_a_binding_of_another_address():
    error = stopped_there(FieldMismatch, binding=lambda b: replace(b, address=bytes(20)))
    assert error.field == "key_binding.address"


def test_a_binding_that_the_certified_key_did_not_sign():
    stopped_there(SignatureWrong, binding=lambda b: b, stranger=True)
    path = "genesis.validators.0.key_binding"
    stopped(
        changed("receivable", path, lambda data: data[:150] + flip(data[150:182]) + data[182:]), SignatureWrong, NAMES
    )


def test_an_mldsa_key_is_the_one_that_the_binding_names():
    path = "genesis.validators.0.mldsa_key"
    assert stopped(changed("receivable", path, bytes(1312)), FieldMismatch, NAMES).field == "validator.mldsa_key"
    key = bytes(range(256)) * 5 + bytes(32)
    bundle, trust = founded(binding=lambda b: replace(b, mldsa_key_hash=sha256(key)))
    shown = edit(bundle, path, lambda _: key)
    assert names_of(shown, trust).complete
    assert names_of(bundle, trust).complete


def test_without_a_certificate_the_signature_of_a_binding_is_listed_as_unjudged():
    bundle = changed("receivable", "certificates", lambda der: der[1:])
    evidence = judged(bundle)
    assert evidence.complete
    assert len(evidence.unjudged) == 1
    assert evidence.unjudged[0].place.startswith("signature of the key binding of 0x")
    missing = {sha256(der) for der in good().certificates[:1]}
    (at,) = [k for k, v in enumerate(good().genesis.validators) if v.certificate_hash in missing]
    forged = edit(bundle, f"genesis.validators.{at}.key_binding", lambda d: d[:150] + flip(d[150:182]) + d[182:])
    assert judged(forged).unjudged != evidence.unjudged


# ── certificates ──


def test_certificates_stand_in_order_each_once():
    for change in (lambda c: c[::-1], lambda c: (c[0], *c)):
        assert stopped(changed("receivable", "certificates", change), FieldMalformed, NAMES).field == "certificates"


def test_a_certificate_of_nobody_shown_is_refused():
    stranger = consortium("other.example/receivables").first[0].certificate
    certificates = tuple(sorted((*good().certificates, stranger), key=sha256))
    error = stopped(changed("receivable", "certificates", certificates), FieldMismatch, NAMES)
    assert error.got == sha256(stranger).hex()


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"no certificate"])
def test_what_is_no_certificate_is_malformed(data):
    error = stopped_there(CertificateMalformed, certificate=lambda *_: data)
    assert error.rule == "a DER X.509 certificate"


def other_certificate(key, digest=None):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    start = x509.CertificateBuilder(name, name, key.public_key(), 1)
    dated = start.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    return dated.sign(key, digest).public_bytes(Encoding.DER)


def test_a_certificate_of_a_key_of_another_kind_is_malformed():
    der = other_certificate(rsa.generate_private_key(65537, 1024), SHA256())
    assert stopped_there(FieldMalformed, certificate=lambda *_: der).field == "spki"


def test_a_certificate_that_holds_another_key_binds_nothing():
    der = other_certificate(ed25519.Ed25519PrivateKey.generate())
    stopped_there(SignatureWrong, certificate=lambda *_: der)


@pytest.mark.filterwarnings("ignore")  # the library's own, about serial numbers
def test_an_unreadable_certificate_is_malformed():
    """Bits flipped anywhere in a certificate: only our errors leave these functions."""
    der = world().first[0].certificate
    root = load_certificate(world().root)
    unreadable = 0
    for position in range(len(der)):
        broken = der[:position] + bytes([der[position] ^ 1 << position % 8]) + der[position + 1 :]
        try:
            certificate = load_certificate(broken)
            spki_of(certificate)
            assert names._basis(certificate, [root], Named(), UnixSeconds(START)) != names.CERTIFIED
        except CertificateMalformed:
            unreadable += 1
    assert unreadable > 50


class Named:
    """Somebody whose name no certificate has."""

    name, legal_id = "nobody", "LEI:nobody"


# ── names ──


def reason(bundle, trust):
    evidence = names_of(bundle, trust)
    verdict = evidence.verdict("names")
    assert (verdict.result, evidence.verdict("level").result) == (UNDECIDED, "A0")
    assert verdict.detail.startswith("0 of 3 signers are named by certificates; the others: self-stated")
    return verdict.detail.partition("self-stated; ")[2]


def test_names_are_self_stated_while_nobody_is_trusted_to_name_them():
    """A certificate that anybody could have made raises no level (SPEC §12 step 9)."""
    for roots in ((), (found_authority("other", UnixSeconds(START)).certificate,)):
        der = tuple(x509.load_pem_x509_certificate(root).public_bytes(Encoding.DER) for root in roots)
        assert reason(good(), world().trust(member_roots=der)) == "its certificate is of an issuer you did not name"


def test_without_certificates_names_are_self_stated():
    evidence = judged(changed("receivable", "certificates", ()))
    assert evidence.verdict("names").detail == "0 of 3 signers are named by certificates; the others: self-stated"
    assert evidence.signers[0].endswith("; self-stated)")
    assert evidence.verdict("level").result == "A0"


def by_authority(change=lambda holder: holder, at=START):
    """The consortium's own authority issues a certificate that is right but for one thing."""

    def certificate(world, name, legal_name, legal_id):
        return issued(world.keys[name], change(Holder(name, legal_name, legal_id)), world.authority, at)

    return founded(certificate=certificate)


@pytest.mark.parametrize(
    "change",
    [
        lambda holder: replace(holder, legal_name="Somebody else Ltd."),
        lambda holder: replace(holder, legal_id="LEI:5493001KJTIIGC8Y1R12"),
    ],
    ids=["name", "legal-id"],
)
def test_a_trusted_certificate_of_somebody_else_lends_no_name(change):
    """The set commits to a bank's name; the certificate behind the key is a shell company's."""
    assert reason(*by_authority(change)) == "its certificate names somebody else"


@pytest.mark.parametrize("at", [START + 100 * CADENCE, START - 20 * 365 * CADENCE])
def test_a_certificate_that_was_not_valid_then_lends_no_name(at):
    assert reason(*by_authority(at=at)) == "its certificate was not valid at the checkpoint's time"


def test_level_a1_takes_a_quorum_of_certified_names_and_no_more():
    """Four signed; the fourth has no certificate. Three named members are a quorum of four."""
    bundle = changed("receivable", "checkpoints.0.note", world().note(4, 4))
    hidden = world().first[3].certificate
    bundle = edit(bundle, "certificates", lambda ders: tuple(der for der in ders if der != hidden))
    evidence = judged(bundle)
    assert evidence.verdict("names").result == UNDECIDED
    assert evidence.verdict("level").result == "A1"
    hidden = world().first[0].certificate
    bundle = edit(good(), "certificates", lambda ders: tuple(der for der in ders if der != hidden))
    assert judged(bundle).verdict("level").result == "A0"
    assert judged(bundle, minimum_level="A1").missing == ("level: A1; A0 was reached",)


class Renamed(Founded):
    """In set 2 the rotated validator keeps its attestation key and bears another name."""

    def _validator(self, row, generation):
        made = super()._validator(row, 1)
        name = row["name"] if generation == 1 else "Somebody else Ltd."
        return replace(made, part=replace(made.part, name=name_text(row["id"], name)))


def test_an_address_bears_the_name_of_the_set_it_signed_for():
    """Else the newest name shown for an address would stand under what it signed before."""
    world = Renamed()
    note = replace(world.receivable().checkpoints[0], note=world.note(4, 4))
    bundle = world.receivable(anchors=(), checkpoints=(note,), rotations=(world.rotation(4),))
    evidence = names_of(bundle, world.trust(require=()))
    assert evidence.verdict("names").result == VERIFIED
    assert not any("Somebody else" in signer for signer in evidence.signers)
    later = names_of(world.bundle(6, rotations=(world.rotation(6),), anchors=()), world.trust(require=()))
    by_name = [signer for signer in later.signers if signer.startswith("Somebody else Ltd.")]
    assert all("its certificate names somebody else" in signer for signer in by_name)


# ── transactions ──


def test_transaction_of_other_entry():
    other = world().played[4].signed.encode()
    assert (
        stopped(changed("document", f"{ENTRY}.transaction", other), FieldMismatch, TRANSACTIONS).field
        == "transaction.entry"
    )


def test_a_governance_transaction_is_behind_no_entry():
    signed = world().ledger.governance(world().set_update.encode()).encode()
    error = stopped(changed("document", f"{ENTRY}.transaction", signed), FieldMismatch, TRANSACTIONS)
    assert error.field == "transaction.entry"


def test_a_transactions_signatures_hold():
    path = f"{ENTRY}.transaction"
    stopped(changed("document", path, lambda data: data[:-1] + b"\xff"), FieldMalformed, TRANSACTIONS)  # S not reduced
    stopped(
        changed("document", path, lambda data: data[:-64] + flip(data[-64:-34]) + data[-34:]),
        SignatureWrong,
        TRANSACTIONS,
    )
    stopped(changed("document", path, lambda data: flip_byte(data, 66)), FieldMismatch, TRANSACTIONS)  # the submitter
    stopped(changed("document", path, lambda data: flip_byte(data, 73)), SignatureWrong, TRANSACTIONS)  # the sequence


def flip_byte(data, position):
    return data[: position - 1] + flip(data[position - 1 : position]) + data[position:]
