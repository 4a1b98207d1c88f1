"""The course of `verify`: which verdicts good bundles give, in which order the checks come, what they cost."""

import hashlib
from dataclasses import replace

import pytest

import hybrid_bridge.core.checkpoint
import hybrid_bridge.core.keys
import hybrid_bridge.core.proof
import hybrid_bridge.core.signing
from hybrid_bridge.core.evidence import NOT_PROVEN, NOT_SHOWN, UNDECIDED, VERIFIED
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.errors import BelowQuorum, Missing, RootMismatch, TooLong
from hybrid_bridge.steps.verify import decoded as step_three
from hybrid_bridge.steps.verify import verify
from tests.bundles import CONTRACT, NOW, consortium, edit, flip
from tests.unit.hybrid_bridge.steps.verify.judging import ALL, changed, good, judged, stopped, world

CHECKS = (
    "1 shape", "2 format", "3 structs", "4 arithmetic", "5 identity", "6 hash paths", "7 validator sets", "8 quorums",
    "9 names", "9 transactions", "10 registry", "11 public anchor", "12 promise", "13 renewals", "13 rules",
    "13 brakes", "13 source evidence",
)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_every_good_bundle_is_verified_by_a_verifier_who_trusts_its_log(name):
    evidence = judged(good(name))
    assert evidence.complete
    assert evidence.missing == ()
    for verdict in ("integrity", "quorum", "names", "public anchor", "not after"):
        assert evidence.verdict(verdict).result == VERIFIED
    assert evidence.verdict("level").result == "A1"
    assert tuple(f"{check.number} {check.name}" for check in evidence.checks) == CHECKS
    assert evidence.not_proven == NOT_PROVEN
    assert evidence.unjudged == ()


def test_a_receivable_shows_its_due_date_and_keeps_the_rest():
    evidence = judged(good())
    (record,) = evidence.records
    event = world().events[2]
    shown = {field.name: field.value for field in record.fields}
    assert shown["due_date"] == event["fields"]["due_date"]
    assert set(shown) == {"_schema", "_origin", "note", "due_date"}
    assert record.undisclosed == 28
    assert (record.epoch, record.record_type, record.schema) == (1, "0x0105", "note.issue/1")
    assert record.by == world().closed[0].record.closed_at
    assert evidence.purpose == "record"


def test_a_financing_names_the_invoices_object_and_the_notes_state():
    evidence = judged(good("financing"))
    *identities, life = evidence.registry
    note = world().events[14]["fields"]["note"]
    assert [fact.statement for fact in identities] == [f"object {world().events[13]['fields']['object']}"] * 4
    assert life.statement == "state FINANCED after event 3"
    assert (life.label, life.versions) == (f"life note {note}", (0, 1, 2, 3, 4))
    assert evidence.verdict("registry").result == VERIFIED


def test_an_invoice_that_nobody_brought_is_not_registered():
    (fact,) = judged(good("unregistered")).registry
    assert (fact.epoch, fact.statement) == (3, "not registered")


def test_a_history_lists_what_the_validators_did_in_between():
    evidence = judged(good("history"))
    assert [fact.what.split(" ")[0] for fact in evidence.governance] == ["validator", "freeze"]
    assert evidence.verdict("governance since").detail == "2 records from epoch 1 to 3"
    assert evidence.verdict("not before").detail == "epoch 2 was finished after 2026-01-06 01:00:00 UTC"
    assert [absence.epoch for absence in evidence.absences] == [1]
    assert evidence.anchors[0].tree_size == 6


def test_a_document_is_named_with_the_digest_that_the_record_holds():
    (artefact,) = judged(good("document")).artefacts
    assert artefact.name == world().events[0]["fields"]["doc.0.name"]
    assert hashlib.sha256(world().files[f"documents/{artefact.name}"]).digest() == artefact.sha256


def test_the_same_bundle_and_trust_give_the_same_evidence():
    assert judged(good("financing")) == judged(good("financing"))


def test_without_trust_all_is_checked_and_what_is_missing_is_named():
    evidence = verify(good("financing").encode(), Trust(), NOW)
    log = f"trust in log {world().genesis.log_id.hex()} (trust file or --log)"
    contract = f"trust in contract 0x{CONTRACT.hex()} on chain 31337 (trust file or --contract)"
    assert evidence.missing == (f"integrity, quorum: {log}", f"public anchor: {contract}")
    assert not evidence.complete
    assert len(evidence.checks) == len(CHECKS)
    results = {verdict.name: verdict.result for verdict in evidence.verdicts}
    assert results == {
        "integrity": UNDECIDED,
        "quorum": UNDECIDED,
        "names": UNDECIDED,
        "level": "A0",
        "public anchor": UNDECIDED,
        "witnesses": NOT_SHOWN,
        "not after": NOT_SHOWN,
        "not before": NOT_SHOWN,
        "freshness": UNDECIDED,
        "registry": UNDECIDED,
        "omission": NOT_SHOWN,
        "governance since": NOT_SHOWN,
    }


def test_a_log_of_somebody_else_is_never_complete():
    other = consortium("other.example/receivables")
    bundle = other.receivable(anchors=())
    evidence = judged(bundle)
    assert not evidence.complete
    assert evidence.verdict("integrity").result == UNDECIDED
    assert evidence.missing[0].startswith(f"integrity, quorum: trust in log {other.genesis.log_id.hex()}")
    assert not judged(bundle, require=()).complete
    assert verify(bundle.encode(), other.trust(require=()), NOW).complete


def test_an_error_carries_the_checks_that_were_passed_before_it():
    error = stopped(changed("receivable", "epochs.0.entries.0.entry", flip), RootMismatch, "6 hash paths")
    assert error.reached == CHECKS[:5]
    assert "path of entry at index" in error.__notes__[0]
    assert error.__notes__[1:] == ["failed at check 6: hash paths", f"passed before it: {', '.join(CHECKS[:5])}"]


def test_unknown_critical():
    bundle = replace(good(), critical=("colour",), extensions={"colour": "red"})
    error = stopped(bundle, Missing, "2 format")
    assert error.what == "a verifier that understands the extension colour"


# ── what it costs (SPEC §15) ──


class Counter:
    """Counts calls of hash functions and of signature checks, and forgets what came before `start`."""

    def __init__(self, patch):
        self.hashes = self.signatures = 0
        patch.setattr(hashlib, "sha256", self.hashing(hashlib.sha256))
        patch.setattr(hashlib, "sha512", self.hashing(hashlib.sha512))
        self.standard = hybrid_bridge.core.proof.STANDARD, hybrid_bridge.core.registry_proof.OURS
        self.new = [hashing.new for hashing in self.standard]
        for hashing in self.standard:
            object.__setattr__(hashing, "new", hashlib.sha256)
        for module in ("hybrid_bridge.core.keccak", "hybrid_bridge.core.attestation", "hybrid_bridge.core.signing"):
            patch.setattr(f"{module}.keccak256", self.hashing(hybrid_bridge.core.keccak.keccak256))
        for module in (hybrid_bridge.core.checkpoint, hybrid_bridge.core.signing):
            patch.setattr(module, "recover_address", self.signing(hybrid_bridge.core.signing.recover_address))
        patch.setattr(
            hybrid_bridge.core.keys.PublicKey, "verify", self.signing(hybrid_bridge.core.keys.PublicKey.verify)
        )

    def restore(self):
        for hashing, new in zip(self.standard, self.new, strict=True):
            object.__setattr__(hashing, "new", new)

    def hashing(self, function):
        def count(*args, **kwargs):
            self.hashes += 1
            return function(*args, **kwargs)

        return count

    def signing(self, function):
        def count(*args):
            self.signatures += 1
            return function(*args)

        return count


@pytest.fixture
def counter(monkeypatch):
    good("financing"), good("history")
    counter = Counter(monkeypatch)
    yield counter
    counter.restore()


def hashes_before_check_4(counter, monkeypatch, name):
    """How often anything was hashed when check 4 begins."""
    data, trust, seen = good(name).encode(), world().trust(), []

    def begin(_):
        seen.append(counter.hashes)
        raise Missing(what="the rest")

    monkeypatch.setattr("hybrid_bridge.steps.verify.require_arithmetic", begin)
    counter.hashes = 0
    with pytest.raises(Missing):
        verify(data, trust, NOW)
    return seen[0]


@pytest.mark.parametrize("name", ["receivable", "split", "financing", "unregistered"])
def test_nothing_is_hashed_before_check_4(counter, monkeypatch, name):
    assert hashes_before_check_4(counter, monkeypatch, name) == 0


def test_a_set_update_is_the_one_thing_that_is_hashed_while_it_is_decoded(counter, monkeypatch):
    """Its own class compares its entries with its hash; at most 64 and 256 of them fit a bundle."""
    twice_two = hashes_before_check_4(counter, monkeypatch, "history")
    assert twice_two == 4  # type string and entries, in `rotations` and in `governance`


def test_no_signature_is_looked_at_before_every_path_holds(counter):
    data = changed("history", "governance.records.0.path.0", flip).encode()
    counter.signatures = 0
    with pytest.raises(RootMismatch) as caught:
        judged(data)
    assert caught.value.stopped_at == "6 hash paths"
    assert counter.signatures == 0


def test_each_signature_is_checked_once(counter):
    data = good("history").encode()
    counter.signatures = 0
    assert judged(data).complete
    assert counter.signatures == 3 * (3 + 1) + 5  # lines of three notes; key bindings of four members, one renewed


def test_a_quorum_is_counted_before_a_signature_is_checked(counter):
    thin = world().note(4, 2)
    data = changed("receivable", "checkpoints.0.note", thin).encode()
    counter.signatures = 0
    with pytest.raises(BelowQuorum) as caught:
        judged(data)
    assert (caught.value.needed, caught.value.got) == (3, 2)
    assert counter.signatures == 0


@pytest.mark.parametrize(
    ("limit", "field", "got"), [("MAX_SIGNATURES", "bundle.signatures", 16), ("MAX_VRF_PROOFS", "bundle.labels", 9)]
)
def test_a_bundle_that_asks_for_too_much_is_refused_before_anything_is_checked(monkeypatch, limit, field, got):
    """1,024 of each; here the limit comes down to the bundle: 4 lines, 4 signatures, 4 certificates, 4 key bindings."""
    bundle = good("financing")
    monkeypatch.setattr(step_three, limit, got)
    assert judged(bundle).complete
    monkeypatch.setattr(step_three, limit, got - 1)
    error = stopped(bundle, TooLong, "3 structs")
    assert (error.field, error.limit, error.got) == (field, got - 1, got)


def test_thousands_of_labels_are_refused_before_the_first_proof():
    label = good("unregistered").epochs[0].labels[0]
    part = replace(good("unregistered").epochs[0], labels=(label,) * 210)  # more would be too many bytes, at times
    bundle = replace(good("unregistered"), epochs=(part,) * 5)
    error = stopped(bundle, TooLong, "3 structs")
    assert (error.field, error.limit, error.got) == ("bundle.labels", 1024, 1050)


def test_without_certificates_no_key_binding_is_counted():
    bundle = edit(good(), "certificates", lambda _: ())
    assert judged(bundle).complete
