"""Timestamps and renewals through whole bundles: what they are over, in which order, and on whose root they stand."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from hybrid_bridge.core.bundle import Bundle, RenewalPart, TokenAnchor
from hybrid_bridge.core.evidence import NOT_SHOWN, UNDECIDED, VERIFIED
from hybrid_bridge.core.timestamp import decode_token
from hybrid_bridge.errors import (
    BridgeError,
    CertificateMalformed,
    FieldMalformed,
    FieldMismatch,
    SignatureWrong,
    TooLong,
)
from tests.bundles import NOW, flip
from tests.tsa import YEAR, Tsa
from tests.unit.hybrid_bridge.steps.verify.judging import good, judged, stopped, world

TSA = Tsa()
SHORT = Tsa(name="SHORT", leaf={"begin": NOW - 300 * 86_400, "years": 1})
AT = "11 public anchor"
RENEWALS = "13 renewals"


def body(size: int = 4) -> bytes:
    return world().note(size).split("\n\n")[0].encode() + b"\n"


def stamped(at: float = NOW, tsa: Tsa = TSA, data: bytes | None = None, anchors=(), **wrong) -> Bundle:
    token = TokenAnchor(tree_size=4, token=tsa.stamp(body() if data is None else data, at, **wrong))
    return replace(good(), anchors=(*anchors, token))


def renewed(bundle: Bundle, at: float, tsa: Tsa = TSA, data: bytes | None = None, **wrong) -> Bundle:
    covered = bundle.covered(len(bundle.renewals)) if data is None else data
    token = tsa.stamp(covered, at, **wrong)
    return replace(bundle, renewals=(*bundle.renewals, RenewalPart(hash=decode_token(token).hash, token=token)))


def roots(*tsas: Tsa):
    return {"tsa_roots": tuple(tsa.root_der for tsa in tsas)}


# ── tokens over checkpoints ──


def test_a_token_of_a_trusted_authority_gives_a_time():
    evidence = judged(stamped(at=NOW + 0.5, accuracy={"seconds": 2}), **roots(TSA))
    (fact,) = evidence.tokens
    assert (fact.place, fact.authority, fact.time) == ("size 4", "CN=TEST TSA 1", NOW + 3)
    assert fact.basis == "CN=TEST TSA root, one of your tsa_roots"
    verdict = evidence.verdict("not after")
    assert verdict.result == VERIFIED
    assert "a timestamp of CN=TEST TSA 1" in verdict.detail
    assert verdict.rests_on == "that authority's clock and key; revocation is not checked"


def test_without_its_root_a_token_gives_none_and_says_what_is_missing():
    for trust in ({}, roots(Tsa(name="other"))):
        evidence = judged(stamped(), **trust)
        verdict = evidence.verdict("not after")
        assert (verdict.result, verdict.detail) == (UNDECIDED, "no time")
        assert verdict.missing == "the root of this authority under tsa_roots in the trust file"
        assert evidence.tokens[0].basis == ""


def test_the_earliest_of_public_block_and_token_counts():
    block = judged(good()).anchors[0].block_time
    for at, source in ((block - 10, "timestamp"), (block + 10, "public block")):
        verdict = judged(stamped(at=at, anchors=good().anchors), **roots(TSA)).verdict("not after")
        assert source in verdict.detail
    unknown = judged(stamped(at=block - 10, anchors=good().anchors)).verdict("not after")
    assert "public block" in unknown.detail


def test_tsa_imprint_other():
    """anchor/: over the whole note, over another note, over nothing."""
    for data in (world().note(4).encode(), body(6), b""):
        assert stopped(stamped(data=data), FieldMismatch, AT).field == "token.imprint"


def test_tsa_certificate_not_timestamping():
    """anchor/"""
    bundle = stamped(tsa=Tsa(name="N", leaf={"purposes": ()}))
    assert stopped(bundle, FieldMismatch, AT, **roots(Tsa(name="N"))).field == "token.certificate"


def test_tsa_before_genesis():
    """anchor/: nobody can have stamped a checkpoint before its log began."""
    genesis = world().genesis.genesis_time
    assert stopped(stamped(at=genesis - 1), FieldMismatch, AT).field == "anchors.token.time"
    assert judged(stamped(at=genesis)).tokens


def test_a_token_older_than_its_checkpoint_is_odd():
    at = world().genesis.checkpoint_timestamp(4)
    assert any("5 s older than the checkpoint's own time" in w for w in judged(stamped(at=at - 5)).warnings)
    assert not judged(stamped(at=at)).warnings


def test_a_token_that_its_certificate_did_not_sign_refutes_whoever_is_trusted():
    bundle = stamped(signature=flip)
    assert stopped(bundle, SignatureWrong, AT).signer == "timestamping authority"


def test_a_token_that_is_none_is_malformed():
    bundle = replace(good(), anchors=(TokenAnchor(tree_size=4, token=b"token"),))
    stopped(bundle, FieldMalformed, AT)


def test_a_token_by_an_algorithm_nobody_knows_here_says_nothing():
    evidence = judged(stamped(tsa=Tsa(name="E", kind="ed25519")), **roots(TSA))
    (fact,) = evidence.tokens
    assert (fact.authority, fact.basis) == ("unknown", "")
    assert fact.missing.startswith("a verifier that knows signature algorithm 1.3.101.112")
    assert evidence.verdict("not after").result == UNDECIDED


def test_a_root_in_the_trust_file_that_is_none_is_malformed():
    stopped(stamped(), CertificateMalformed, "9 names", tsa_roots=(b"root",))


def test_a_token_counts_at_its_own_time_and_its_end_is_told():
    bundle = stamped(tsa=SHORT)
    assert not judged(bundle, **roots(SHORT)).warnings
    late = judged(bundle, now=NOW + YEAR, **roots(SHORT))
    assert late.verdict("not after").result == VERIFIED
    assert any("over size 4 ran out on" in warning for warning in late.warnings)
    assert not judged(bundle, now=NOW + YEAR).warnings  # who is not trusted is not worth renewing


# ── renewals ──


def test_each_renewal_covers_what_stood_before_it():
    bundle = renewed(renewed(stamped(), NOW + 10), NOW + 20, hash="sha512")
    evidence = judged(bundle, **roots(TSA))
    assert [fact.place for fact in evidence.tokens] == ["size 4", "renewal 0", "renewal 1"]
    assert all(fact.basis for fact in evidence.tokens)
    assert evidence.complete is False  # no public anchor in it
    assert "renewals" in {check.name for check in evidence.checks}


def test_a_renewal_alone_gives_a_time_too():
    evidence = judged(renewed(replace(good(), anchors=()), NOW), **roots(TSA))
    assert evidence.verdict("not after").result == VERIFIED
    assert judged(replace(good(), anchors=())).verdict("not after").result == NOT_SHOWN


@pytest.mark.parametrize("seconds", [0, -1])
def test_renewal_out_of_order(seconds):
    """anchor/: not later than what it covers, be it a token over a checkpoint or a renewal."""
    error = stopped(renewed(stamped(), NOW + seconds), FieldMismatch, RENEWALS)
    assert error.field == "renewals[0].time"
    twice = renewed(renewed(stamped(), NOW + 10), NOW + 10 + seconds)
    assert stopped(twice, FieldMismatch, RENEWALS).field == "renewals[1].time"
    swapped = renewed(renewed(stamped(), NOW + 10), NOW + 20)
    swapped = replace(swapped, renewals=swapped.renewals[::-1])
    assert stopped(swapped, FieldMismatch, RENEWALS).field == "token.imprint"


def test_renewal_covers_other_bytes():
    """anchor/: over the bundle before an anchor was added, over its own renewal too, over nothing of it."""
    before = replace(stamped(), anchors=())
    for data in (before.covered(0), stamped().encode() + b"\n", b""):
        error = stopped(renewed(stamped(), NOW + 10, data=data), FieldMismatch, RENEWALS)
        assert error.field == "token.imprint"
    first = renewed(stamped(), NOW + 10)
    skipping = renewed(first, NOW + 20, data=first.covered(0))
    assert stopped(skipping, FieldMismatch, RENEWALS).field == "token.imprint"


def test_whatever_changes_under_a_renewal_is_seen():
    bundle = renewed(stamped(), NOW + 10)
    for changed in (replace(bundle, purpose="governance"), replace(bundle, extensions={"x": 1})):
        assert stopped(changed, FieldMismatch, RENEWALS).field == "token.imprint"


def test_the_hash_is_the_one_it_says():
    bundle = renewed(stamped(), NOW + 10)
    bundle = replace(bundle, renewals=(replace(bundle.renewals[0], hash="sha-512"),))
    assert stopped(bundle, FieldMismatch, RENEWALS).field == "renewals[0].hash"


def test_a_renewal_made_after_the_one_before_had_run_out_is_too_late():
    first = renewed(stamped(), NOW + 10, tsa=SHORT)
    in_time, late = renewed(first, NOW + 20), renewed(first, NOW + YEAR)
    assert judged(in_time, **roots(TSA, SHORT)).tokens[2].basis
    assert stopped(late, FieldMismatch, RENEWALS).field == "renewals[1].time"
    assert stopped(late, FieldMismatch, RENEWALS, **roots(TSA, SHORT)).field == "renewals[1].time"


def test_a_token_over_a_checkpoint_that_ran_out_before_the_first_renewal_is_told():
    bundle = renewed(stamped(tsa=SHORT), NOW + YEAR)
    evidence = judged(bundle, now=NOW + YEAR, **roots(TSA, SHORT))
    assert any("over size 4 ran out on" in warning for warning in evidence.warnings)
    assert not judged(renewed(stamped(tsa=SHORT), NOW + 5), now=NOW + YEAR, **roots(TSA, SHORT)).warnings[1:]


def test_a_renewal_by_nobody_one_trusts_renews_nothing():
    bundle = renewed(stamped(tsa=SHORT), NOW + 5)
    evidence = judged(bundle, now=NOW + YEAR, **roots(SHORT))
    assert any("over size 4 ran out on" in warning for warning in evidence.warnings)


def test_a_renewal_by_an_algorithm_nobody_knows_here_says_nothing_and_the_next_is_judged():
    bundle = renewed(renewed(stamped(), NOW + 1, tsa=Tsa(name="E", kind="ed25519")), NOW + 2)
    assert [bool(fact.basis) for fact in judged(bundle, **roots(TSA)).tokens] == [True, False, True]


def test_too_many_tokens_are_refused_before_a_signature_is_checked():
    token = stamped().anchors[0].token
    signed = world().split()
    bundle = replace(signed, renewals=(RenewalPart(hash="sha-256", token=token),) * 64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hybrid_bridge.steps.verify.decoded.MAX_SIGNATURES", 64 * 8)
        assert stopped(bundle, TooLong, "3 structs").field == "bundle.signatures"


def test_no_changed_character_of_a_token_or_renewal_leaves_the_evidence_as_it_was():
    bundle = renewed(stamped(), NOW + 10)
    before = judged(bundle, **roots(TSA))
    anchor, renewal = bundle.anchors[0], bundle.renewals[0]
    changes = (
        *(replace(bundle, anchors=(replace(anchor, token=token),)) for token in _every_211th_bit(anchor.token)),
        *(replace(bundle, renewals=(replace(renewal, token=token),)) for token in _every_211th_bit(renewal.token)),
    )
    for changed in changes:
        try:
            after = judged(changed, **roots(TSA))
        except BridgeError:
            continue
        assert after != before


def _every_211th_bit(token: bytes) -> Iterator[bytes]:
    """Each with a length of its own: a signature in DER has one of several."""
    return (flip(token, bit) for bit in range(0, 8 * len(token), 211))
