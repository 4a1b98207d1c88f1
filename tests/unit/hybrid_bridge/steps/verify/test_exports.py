"""What an export says, how much less that is than a bundle, and what is wanting."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.disclosure import Disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import RecordEntry
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.exports.cose_receipt import Consistency, Inclusion, Receipt, sign_root
from hybrid_bridge.core.exports.sd_jwt import choose, issue, parse_jwt
from hybrid_bridge.core.exports.tlog_proof import tlog_proof_of
from hybrid_bridge.core.field_tree import build_fields
from hybrid_bridge.core.keys import PrivateKey, key_id_text
from hybrid_bridge.core.proof import inclusion_root, leaf_hash
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Malformed, RootMismatch, SignatureWrong
from hybrid_bridge.steps.verify import exports
from hybrid_bridge.steps.verify.exports import export_kind, verify_export
from hybrid_bridge.units import UnixSeconds
from tests.bundles import NOW, consortium, flip

WORLD = consortium()
GENESIS = WORLD.genesis
LATE = UnixSeconds(NOW + 40 * 365 * 86_400)  # after every certificate's term


def tlog_proof(epoch=1):
    return tlog_proof_of(WORLD.history(), epoch).encode()


def receipt(proof, size, origin=WORLD.origin):
    key_hash = sha256(GENESIS.receipt_key)
    return Receipt(origin=origin, key_hash=key_hash, proof=proof, signature=WORLD.receipt(size)).encode()


def inclusion(index=1, size=4):
    return receipt(Inclusion(size, index, tuple(WORLD.log.inclusion_path(index, size))), size)


def consistency():
    return receipt(Consistency(4, 6, tuple(WORLD.log.consistency_path(4, 6))), 6)


def presentation(*names):
    texts = [part.value for part in WORLD.played[2].draft.delivered().disclosures]
    return choose(parse_jwt(WORLD.jwt(2)), texts, names).encode()


def results(shown):
    return {verdict.name: verdict.result for verdict in shown.verdicts}


def without_genesis():
    return WORLD.trust(logs=(TrustedLog(log_id=GENESIS.log_id),))


# ── which it is ──


def test_an_export_is_known_by_its_content():
    assert export_kind(tlog_proof()) == "tlog-proof"
    assert export_kind(inclusion()) == export_kind(consistency()) == "cose-receipt"
    assert export_kind(presentation()) == "sd-jwt"
    for other in (WORLD.receivable().encode(), b"", b"PK\x03\x04", GENESIS.encode()):
        assert export_kind(other) is None


def test_other_bytes_are_malformed():
    with pytest.raises(FieldMalformed):
        verify_export(b"{}", WORLD.trust(), NOW)


# ── tlog-proof ──


def test_a_tlog_proof_rests_on_the_log_key_and_says_that_no_quorum_is_shown():
    shown = verify_export(tlog_proof(), WORLD.trust(), NOW)
    assert shown.complete
    assert results(shown) == {"integrity": "verified", "log key": "verified", "quorum": "not shown"}
    assert shown.facts["epoch"].startswith("1, closed ")


@pytest.mark.parametrize(
    ("trust", "what"), [(Trust(), "trust in log"), (without_genesis(), "the genesis record of log")]
)
def test_without_the_logs_genesis_record_a_tlog_proof_is_undecided(trust, what):
    shown = verify_export(tlog_proof(), trust, NOW)
    assert not shown.complete
    assert all(what in missing for missing in shown.missing)
    assert results(shown)["log key"] == "undecided"


def test_the_log_is_found_among_several():
    others = consortium("other.example/log").trust().logs
    assert verify_export(tlog_proof(), WORLD.trust(logs=(*others, *WORLD.trust().logs)), NOW).complete
    assert not verify_export(tlog_proof(), WORLD.trust(logs=others), NOW).complete


def test_a_false_path_is_refuted_whatever_the_verifier_trusts():
    proof = tlog_proof_of(WORLD.history(), 2)
    with pytest.raises(RootMismatch):
        verify_export(replace(proof, path=proof.path[::-1]).encode(), Trust(), NOW)


# ── COSE receipts ──


@pytest.mark.parametrize(
    "subject",
    [tlog_proof(), WORLD.closed[0].record.encode(), WORLD.receivable().encode()],
    ids=["tlog-proof", "record", "bundle"],
)
def test_a_receipt_speaks_of_the_record_that_the_verifier_brings(subject):
    shown = verify_export(inclusion(), WORLD.trust(), NOW, subject)
    assert shown.complete
    assert results(shown) == {"receipt": "verified", "quorum": "not shown"}
    assert shown.facts["root"] == WORLD.log.root(4).hex()


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (receipt(Inclusion(3, 1, tuple(WORLD.log.inclusion_path(1, 4))), 4), 3),
        (receipt(Consistency(4, 8, tuple(WORLD.log.consistency_path(4, 6))), 6), 8),
    ],
    ids=["inclusion", "consistency"],
)
def test_a_size_that_nobody_signed_is_told_as_the_receipts_own_word(data, size):
    """The root alone is signed, and paths of neighbouring sizes have one shape: the statement does not rest on it."""
    shown = verify_export(data, WORLD.trust(), NOW, tlog_proof())
    (said,) = (verdict.detail for verdict in shown.verdicts if verdict.name == "receipt")
    assert shown.complete
    assert str(size) not in said.removesuffix(f"size {size} is the receipt's own word")


@pytest.mark.parametrize("data", [inclusion(), consistency()], ids=["inclusion", "consistency"])
def test_a_receipt_without_its_subject_is_undecided(data):
    shown = verify_export(data, WORLD.trust(), NOW)
    assert not shown.complete
    assert "--subject" in shown.missing[0]


@pytest.mark.parametrize("data", [inclusion(), consistency()], ids=["inclusion", "consistency"])
@pytest.mark.parametrize("trust", [Trust(), without_genesis(), consortium("other.example/log").trust()])
def test_a_receipt_of_a_log_that_is_not_known_is_undecided(data, trust):
    shown = verify_export(data, trust, NOW, WORLD.history().encode())
    assert not shown.complete
    assert "a trusted log with this origin and receipt key" in shown.missing[0]


@pytest.mark.parametrize("subject", [tlog_proof(2), flip(WORLD.closed[0].record.encode())], ids=["proof", "record"])
def test_a_receipt_of_another_record_is_refuted(subject):
    with pytest.raises(SignatureWrong):
        verify_export(inclusion(), WORLD.trust(), NOW, subject)


def test_a_signed_leaf_that_is_no_record_of_its_epoch_is_refuted():
    """The log signed a root under which epoch 1 stands at index 2."""
    record = WORLD.closed[0].record.encode()
    key = PrivateKey.from_seed(WORLD._seed("receipt"))
    path = tuple(WORLD.log.inclusion_path(2, 4))
    root = inclusion_root(leaf_hash(record), 2, 4, path)
    lie = Receipt(
        origin=WORLD.origin,
        key_hash=sha256(GENESIS.receipt_key),
        proof=Inclusion(4, 2, path),
        signature=sign_root(key, WORLD.origin, root),
    )
    with pytest.raises(FieldMismatch):
        verify_export(lie.encode(), WORLD.trust(), NOW, record)


@pytest.mark.parametrize(
    "subject",
    [b"", b"{}", bytes(640), WORLD.unregistered().encode()],
    ids=["empty", "no-bundle", "no-record", "bundle-without-that-epoch"],
)
def test_a_subject_that_shows_no_such_record_is_malformed(subject):
    with pytest.raises(Malformed):
        verify_export(inclusion(), WORLD.trust(), NOW, subject)


@pytest.mark.parametrize("subject", [tlog_proof(), WORLD.history().encode()], ids=["tlog-proof", "bundle"])
def test_a_consistency_receipt_extends_the_checkpoint_that_the_verifier_brings(subject):
    shown = verify_export(consistency(), WORLD.trust(), NOW, subject)
    assert shown.complete
    assert shown.facts["root"] == WORLD.log.root(6).hex()


def test_an_older_checkpoint_of_another_size_is_malformed():
    with pytest.raises(FieldMalformed):
        verify_export(consistency(), WORLD.trust(), NOW, WORLD.document().encode())


def test_an_older_checkpoint_with_another_root_is_refuted():
    lie = WORLD.signed(WORLD.checkpoint(4, bytes(32)), WORLD.first)
    forged = replace(tlog_proof_of(WORLD.history(), 1), note=lie)
    with pytest.raises(SignatureWrong):  # the older size is a power of two: its root enters the calculation
        verify_export(consistency(), WORLD.trust(), NOW, forged.encode())


# ── SD-JWT ──


def test_a_presentation_names_its_issuer_and_leaves_the_log_to_a_bundle():
    shown = verify_export(presentation("due_date"), WORLD.trust(), NOW)
    assert shown.complete
    assert results(shown) == {"integrity": "verified", "issuer": "verified", "log": "not shown"}
    assert {field.name for field in shown.fields} == {"_schema", "_origin", "due_date"}


def test_an_issuer_that_nobody_trusted_certified_is_undecided():
    for roots in ((), (WORLD.first[0].certificate,), (consortium("other.example/log").root,)):
        shown = verify_export(presentation(), WORLD.trust(member_roots=roots), NOW)
        assert [missing.split(":")[0] for missing in shown.missing] == ["issuer"]


def test_a_certificates_term_is_compared_with_your_clock_whatever_epoch_the_signer_states():
    """Whoever holds a key whose certificate ran out can still sign: 'this was in epoch 1', when it was good."""
    for trust in (WORLD.trust(), without_genesis()):
        shown = verify_export(presentation(), trust, LATE)
        assert results(shown)["issuer"] == "undecided"
        (missing,) = shown.missing
        assert missing.startswith("issuer: a certificate that is valid now, 2065-12-31")
        assert missing.endswith("when the signature was made is its maker's word")
    early = verify_export(presentation(), WORLD.trust(), UnixSeconds(0))
    assert "a certificate that is valid now" in early.missing[0]


@pytest.mark.parametrize("logs", [(), consortium("other.example/log").trust().logs])
def test_a_log_that_is_not_relied_on_is_named(logs):
    """The same authority may certify members of many logs."""
    shown = verify_export(presentation(), WORLD.trust(logs=logs), NOW)
    assert results(shown)["log"] == "undecided"
    assert shown.missing == (f"log: trust in log {GENESIS.log_id.hex()} (trust file or --log)",)


def test_no_record_stands_in_the_genesis_epoch():
    jwt = parse_jwt(WORLD.jwt(2))
    signed = replace(jwt, epoch=0)
    key = WORLD.keys[WORLD.events[2]["submitter"]]
    signed = replace(signed, signature=key.sign(signed.signing_input()))
    texts = [part.value for part in WORLD.played[2].draft.delivered().disclosures]
    with pytest.raises(FieldMalformed) as caught:
        verify_export(choose(signed, texts, ()).encode(), WORLD.trust(), NOW)
    assert caught.value.field == "sd-jwt.hb.epoch"


def of_schema(name, record_type, *private):
    key = WORLD.keys[WORLD.events[2]["submitter"]]
    claims = [Disclosure(bytes(32), "_schema", name), Disclosure(bytes(32), "_origin", key_id_text(key.public.key_id))]
    hidden = [Disclosure(bytes([i + 1]) * 32, field, "1") for i, field in enumerate(private)]
    tree = build_fields(claims, hidden, [bytes([i]) * 32 for i in range(4 - len(private))])
    entry = RecordEntry(record_type, tree.width, tree.field_root)
    made = issue(tree, entry, GENESIS.log_id, 1, key, parse_jwt(WORLD.jwt(2)).certificate)
    return choose(made, [disclosure.text() for disclosure in (*claims, *hidden)], ()).encode()


def test_a_claim_among_the_private_fields_is_refuted():
    with pytest.raises(FieldMismatch):
        verify_export(of_schema("note.issue/1", 0x0105, "due_date"), WORLD.trust(), NOW)


def test_a_schema_of_another_record_type_is_refuted():
    with pytest.raises(FieldMismatch):
        verify_export(of_schema("note.issue/1", 0x7777), WORLD.trust(), NOW)


def test_of_a_schema_that_is_unknown_only_the_reserved_names_are_judged():
    assert verify_export(of_schema("x/1", 0x8001, "anything"), WORLD.trust(), NOW).complete


def test_an_issuer_without_names_is_told_as_such():
    assert exports._issuer(WORLD.root, WORLD.trust(), NOW)[0] == "unnamed (no identifier)"


def test_an_issuer_whose_certificate_is_not_for_an_identity_key_is_undecided():
    """The same root certifies TLS, owners and relayers; none of them submits records."""
    assert exports._issuer(WORLD.root, WORLD.trust(), NOW)[1] == "a certificate for an identity key"


def test_whom_a_certificate_of_anybody_names_is_not_repeated():
    shown = verify_export(presentation(), WORLD.trust(member_roots=()), NOW)
    issuer = next(verdict for verdict in shown.verdicts if verdict.name == "issuer")
    assert issuer.detail.startswith("the submitter is the holder of key ")


# ── machines ──


def test_json_has_all_of_the_evidence():
    shown = verify_export(presentation("note"), WORLD.trust(), NOW).to_json()
    assert shown["complete"] is True
    assert shown["kind"] == "sd-jwt"
    assert {"name": "note", "value": WORLD.events[2]["fields"]["note"], "is_claim": True} in shown["fields"]
    assert {verdict["name"] for verdict in shown["verdicts"]} == {"integrity", "issuer", "log"}


def test_the_record_is_decoded_as_it_stands():
    assert EpochRecord.decode(WORLD.closed[0].record.encode()).epoch == 1
