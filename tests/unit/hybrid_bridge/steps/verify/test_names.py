"""Check 9 through whole bundles: who the keys belong to, and whose transactions are shown."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from hybrid_bridge.adapters import pki
from hybrid_bridge.adapters.pki import Holder, found_authority, issue_identity
from hybrid_bridge.core import certificate
from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import EntryPart
from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.evidence import UNDECIDED, VERIFIED
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import RecordPayload, SignaturePart
from hybrid_bridge.core.validators import SignedKeyBinding, name_text
from hybrid_bridge.errors import (
    CertificateMalformed,
    FieldMalformed,
    FieldMismatch,
    SignatureWrong,
)
from hybrid_bridge.steps.submit import finish
from hybrid_bridge.steps.verify import names, rules, verify
from hybrid_bridge.steps.verify.names import CERTIFIED, Name, members_among
from hybrid_bridge.units import UnixSeconds
from tests.bundles import CADENCE, NOW, START, Consortium, Validator, consortium, edit, flip, make_validator
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
        wrong = self.wrong["certificate"](self, name, legal_name, legal_id) if "certificate" in self.wrong else None
        return der if wrong is None else wrong

    def _validator(self, row, generation):
        made = super()._validator(row, generation)
        if "binding" not in self.wrong:
            return made
        changed_binding = self.wrong["binding"](SignedKeyBinding.decode(made.part.key_binding).binding)
        key = PrivateKey.from_seed(bytes(32)) if self.wrong.get("stranger") else self.keys[row["key"]]
        signed = SignedKeyBinding(changed_binding, key.public.scheme, key.sign(changed_binding.message()))
        return Validator(made.name, made.attestation, replace(made.part, key_binding=signed.encode()), made.certificate)


def one_has(der):
    """One validator has this for a certificate; all of them cannot, a certificate is for one key."""
    return lambda _, name, *__: der if name == "core" else None


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
        error = stopped(changed("receivable", "certificates", change), FieldMalformed, "4 arithmetic")
        assert error.field == "certificates"


def test_a_certificate_of_nobody_shown_is_refused():
    stranger = consortium("other.example/receivables").first[0].certificate
    certificates = tuple(sorted((*good().certificates, stranger), key=sha256))
    error = stopped(changed("receivable", "certificates", certificates), FieldMismatch, NAMES)
    assert error.got == sha256(stranger).hex()


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"no certificate"])
def test_what_is_no_certificate_is_malformed(data):
    error = stopped_there(CertificateMalformed, certificate=one_has(data))
    assert error.rule == "a DER X.509 certificate"


def other_certificate(key, digest=None):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    start = x509.CertificateBuilder(name, name, key.public_key(), 1)
    dated = start.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2030, 1, 1, tzinfo=UTC))
    return dated.sign(key, digest).public_bytes(Encoding.DER)


def test_a_certificate_of_a_key_of_another_kind_is_malformed():
    der = other_certificate(rsa.generate_private_key(65537, 1024), SHA256())
    assert stopped_there(FieldMalformed, certificate=one_has(der)).field == "spki"


def test_a_certificate_that_holds_another_key_binds_nothing():
    der = other_certificate(ed25519.Ed25519PrivateKey.generate())
    stopped_there(SignatureWrong, certificate=one_has(der))


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


def test_a_name_beyond_what_a_certificate_has_room_for_is_shown_as_far_as_it_goes():
    """Two firms whose names begin alike are told apart by their legal ids, and no longer name is called certified."""
    long = "L" * 64

    class Long(Founded):
        def _validator(self, row, generation):
            return super()._validator({**row, "name": long + row["name"]}, generation)

    world = Long()
    evidence = names_of(world.receivable(anchors=()), world.trust(require=()))
    assert {signer.split(" (")[0] for signer in evidence.signers} == {long + "…"}
    assert evidence.verdict("level").result == "A1"


@pytest.mark.parametrize("role", ["member", "owner", "relayer", None])
def test_a_certificate_for_another_purpose_lends_no_name(role):
    """The authority issues certificates for TLS, owners and relayers too; whoever holds such a key is no signer."""

    def other(world, name, legal_name, legal_id):
        holder = Holder(name, legal_name, legal_id)
        kind = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"urn:hybrid-bridge:{role}:{name}")])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pki, "_names", lambda *_: kind if role else x509.IssuerAlternativeName(kind))
            return issued(world.keys[name], holder, world.authority, START)

    assert reason(*founded(certificate=other)) == "its certificate is not for an identity key"


@pytest.mark.parametrize("at", [START + 100 * CADENCE, START - 20 * 365 * CADENCE])
def test_a_certificate_that_was_not_valid_then_lends_no_name(at):
    assert reason(*by_authority(at=at)) == "its certificate was not valid at the checkpoint's time"


@pytest.mark.parametrize("roots", ["member_roots", "tsa_roots"])
def test_a_root_that_nobody_can_read_is_said_whether_or_not_it_is_needed(roots):
    """A mistyped trust file must not pass for a cautious one."""
    bare = changed("receivable", "certificates", ())
    assert stopped(bare, CertificateMalformed, NAMES, **{roots: (b"junk",)}).rule == "a DER X.509 certificate"


def test_a_certificate_is_tried_once_on_each_root_however_many_sets_it_stands_in(monkeypatch):
    bundle, tried = good("history"), []
    real = certificate._issued_by
    monkeypatch.setattr(certificate, "_issued_by", lambda *pair: tried.append(pair) or real(*pair))
    assert judged(bundle).verdict("level").result == "A1"
    assert len(tried) == len(bundle.certificates)


def test_level_a1_takes_a_quorum_of_certified_names_and_no_more():
    """Four signed; the fourth has no certificate. Three named members are a quorum of four."""
    bundle = changed("receivable", "checkpoints.0.note", world().note(4, 4))
    hidden = world().first[3].certificate
    bundle = edit(bundle, "certificates", lambda ders: tuple(der for der in ders if der != hidden))
    evidence = judged(bundle)
    assert evidence.verdict("names").result == UNDECIDED
    assert evidence.verdict("level").result == "A1"
    assert "certified names of 3 different members" not in str(evidence)
    hidden = world().first[0].certificate
    bundle = edit(good(), "certificates", lambda ders: tuple(der for der in ders if der != hidden))
    assert judged(bundle).verdict("level").result == "A0"
    assert judged(bundle, minimum_level="A1").missing == ("level: A1; A0 was reached",)


class Alone(Founded):
    """One legal entity stands behind every validator; `alike` says what else is the same."""

    def _validator(self, row, generation):
        first = next(r for r in json.loads(self.files["members.json"]) if "node" in r["roles"])
        other = {**row, **{part: first[part] for part in self.wrong["alike"]}}
        return super()._validator(other, generation) if self.wrong["alike"] != ("key",) else self._one_key(row, first)

    def _one_key(self, row, first):
        """Another name and certificate for each; the identity key is the same."""
        holder, key = Holder(row["key"], row["name"], row["id"]), self.keys[first["key"]]
        certificate = issue_identity(self.authority, holder, key.public, UnixSeconds(START))
        return make_validator(self.origin, row, key, certificate, self._seed(row["key"]))


@pytest.mark.parametrize("alike", [("name", "id"), ("key",)])
def test_one_entity_with_many_keys_is_one_member(alike):
    world = Alone(alike=alike)
    bundle = world.receivable(anchors=())
    evidence = names_of(bundle, world.trust(require=(), minimum_level="A1"))
    assert evidence.missing == ("level: A1; A0 was reached",)
    assert evidence.verdict("level").missing == "certified names of 3 different members; 1 are shown"
    assert evidence.verdict("names").detail == "all 3 signers are named by certificates, of 1 member"
    assert len(evidence.signers) == (1 if alike == ("name", "id") else 3)


@pytest.mark.parametrize(
    ("marks", "members"),
    [
        ([], 0),
        (["a 1 x", "b 2 y", "c 3 z"], 3),
        (["a 1 x", "a 2 y", "b 3 z"], 2),
        (["a 1 x", "b 2 x", "c 3 y", "c 4 z"], 2),
        (["a 1 x", "b 2 y", "b 3 x"], 1),
        (["a 1 x", "b 1 x", "c 2 y"], 2),
    ],
)
def test_who_shares_id_certificate_or_key_is_one_member(marks, members):
    """Three ids, certificates and keys can still be two: one key for a and b, two for c."""
    found = [Name("n", legal, CERTIFIED, paper.encode(), key.encode()) for legal, paper, key in map(str.split, marks)]
    assert members_among(found) == members
    assert members_among([replace(name, basis=UNNAMED) for name in found]) == 0


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


def resigned(event, claims=None, **changes):
    """An event's record with other claims, or its transaction with other terms; signed by whoever signed, in a batch."""
    w, played = world(), world().played[event]
    payload, tree = played.draft.body.payload, played.draft.tree
    if claims is not None:
        width = 4 * tree.width
        decoys = [sha256(bytes([k % 256, k // 256])) for k in range(width // 2 - len(tree.private))]
        tree = build_fields(claims, tree.private, decoys, width)
        record = RecordEntry(payload.record.record_type, width, tree.field_root).encode()
        payload = RecordPayload(record, tree.private_root, tuple(claim.text() for claim in tree.claims), payload.ops)
    body = replace(played.draft.body, payload=payload, **changes)
    own = SignaturePart.over(body.message, w.keys[w.events[event]["submitter"]])
    consents = [SignaturePart.over(body.consent, w.keys[name]) for name in w.events[event]["authorisers"]]
    kept = [entry for entry in w.closed[0].batch.entries if entry != played.draft.entry]
    batch = Batch(sorted([*kept, payload.entry], key=leaf_hash))
    liar, index = w.variant(1, batch=batch, batch_root=batch.root), batch.index_of(leaf_hash(payload.entry))
    signed = finish(body, own, consents).encode()
    part = EntryPart(entry=payload.entry, index=index, path=batch.path(index), disclosures=(), transaction=signed)
    return liar.bundle(4, liar.epoch_part(1, 4, entries=(part,)), anchors=())


def claims_of_split(without="", **more):
    """Of event 35, which splits a note into three."""
    kept = [claim for claim in world().played[35].draft.tree.claims if claim.name not in (without, *more)]
    return [*kept, *(Disclosure(sha256(name.encode()), name, value) for name, value in more.items())]


def test_a_transaction_resigned_as_it_was_holds():
    assert judged(resigned(35, claims_of_split()), require=()).complete


@pytest.mark.parametrize(
    ("claims", "field"),
    [
        ({"child.2.note": "ee" * 16}, "child.2.face"),
        ({"child.250.note": "ee" * 16, "child.250.face": "999999999"}, "child.250.face"),
        ({"child.4.note": "ee" * 16, "child.4.face": "1", "child.4.payee_key": "x"}, "child.4.face"),
        ({"anything": "x"}, "anything"),
        ({"event_time": None}, "event_time"),
        ({"child.0.face": "1.5"}, "child.0.face"),
        ({"without": "event_time"}, "event_time"),
        ({"_schema": "note.issue/1"}, "_schema"),
    ],
)
def test_a_shown_transaction_whose_claims_break_its_schema_is_malformed(claims, field):
    """A row beyond the group's last, or one that its record cannot have, would hide from every sum (I2)."""
    error = stopped(resigned(35, claims_of_split(**claims)), FieldMalformed, TRANSACTIONS)
    assert error.field == field


def test_expired():
    """tx/: it may stand in the epoch in which it expires, and in no later one."""
    assert judged(resigned(35, expires_epoch=1), require=()).complete
    error = stopped(resigned(35, expires_epoch=0), FieldMismatch, TRANSACTIONS)
    assert (error.field, error.expected, error.got) == ("transaction.expires_epoch", ">= 1", "0")


def test_the_claims_of_a_record_type_that_nobody_here_knows_are_missing_and_not_judged(monkeypatch):
    known = names.RECORD_TYPES - {0x0108}
    for module in (names, rules):
        monkeypatch.setattr(module, "RECORD_TYPES", known)
    evidence = judged(resigned(35, claims_of_split(anything="x")), require=())
    assert evidence.missing == ("a verifier that knows the record type 0x0108",)
