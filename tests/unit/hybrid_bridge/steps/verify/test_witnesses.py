"""Cosignatures and post-quantum lines through whole bundles: counted by the verifier's own policy, or not at all."""

from dataclasses import replace

from hybrid_bridge.core.bundle import Bundle, WitnessAnchor
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.evidence import NOT_SHOWN, UNDECIDED, VERIFIED
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import TYPE_COSIGNATURE, TYPE_ED25519, TYPE_MLDSA, NoteLine, VerifierKey, cosign
from hybrid_bridge.errors import FieldMalformed, SignatureWrong
from tests.unit.hybrid_bridge.steps.verify.judging import good, judged, stopped, world

AT = "8 quorums"
TIME = 1_767_950_000
KEYS = {"a": PrivateKey.from_seed(b"a" * 32), "b": PrivateKey.from_seed(b"b" * 32), "q": MldsaKey(b"q" * 32)}


def known(name: str) -> VerifierKey:
    key = KEYS[name]
    if isinstance(key, MldsaKey):
        return VerifierKey(f"{name}.example", TYPE_MLDSA, key.public)
    return VerifierKey(f"{name}.example", TYPE_COSIGNATURE, key.public.spki[-32:])


def policy(names: str, rest: str) -> str:
    return "".join(f"witness {name} {known(name).text()}\n" for name in names) + rest


def line_by(name: str, bundle: Bundle | None = None, position: int = 0) -> NoteLine:
    note = parse_note((bundle or good()).checkpoints[position].note)
    return cosign(f"{name}.example", KEYS[name], TIME, note.body())


def with_lines(bundle: Bundle, *lines: NoteLine, position: int = 0, anchored: bool = True) -> Bundle:
    part = bundle.checkpoints[position]
    note = parse_note(part.note)
    text = replace(note, lines=(*note.lines, *lines)).text()
    parts = list(bundle.checkpoints)
    parts[position] = replace(part, note=text)
    named = [WitnessAnchor(tree_size=note.size, name=name) for name in sorted({line.name for line in lines})] * anchored
    return replace(bundle, checkpoints=tuple(parts), anchors=(*bundle.anchors, *named))


def verdict(bundle: Bundle, tlog_policy: str | None):
    return judged(bundle, tlog_policy=tlog_policy).verdict("witnesses")


def test_a_policy_is_met_by_the_witnesses_it_names():
    bundle = with_lines(good(), line_by("a"), line_by("q"))
    evidence = judged(bundle, tlog_policy=policy("abq", "group g 2 a b q\nquorum g\n"))
    found = evidence.verdict("witnesses")
    assert (found.result, found.detail.split(": ")[0]) == (VERIFIED, "policy met by size 4")
    assert "a at 2026-01-09 09:13:20 UTC" in found.detail
    assert evidence.complete
    assert evidence.unjudged == ()


def test_a_cosignature_of_time_0_says_that_the_log_is_consistent_and_not_when():
    body = parse_note(good().checkpoints[0].note).body()
    bundle = with_lines(good(), cosign("q.example", KEYS["q"], 0, body))
    found = verdict(bundle, policy("q", "quorum q\n"))
    assert (found.result, found.detail) == (VERIFIED, "policy met by size 4: q, without a time")


def test_too_few_do_not_meet_it_and_the_bundle_is_incomplete():
    evidence = judged(with_lines(good(), line_by("a")), tlog_policy=policy("ab", "group g all a b\nquorum g\n"))
    found = evidence.verdict("witnesses")
    assert (found.result, found.detail) == (UNDECIDED, "policy not met: 1 cosignature of its 2 witnesses")
    assert not evidence.complete


def test_witness_unknown_key():
    """anchor/: a name of the policy with another key, and a key nobody named, count for nothing and are listed."""
    strange = cosign("a.example", PrivateKey.from_seed(b"x" * 32), TIME, parse_note(good().checkpoints[0].note).body())
    evidence = judged(with_lines(good(), strange), tlog_policy=policy("a", "quorum a\n"))
    assert evidence.verdict("witnesses").result == UNDECIDED
    assert [item.place for item in evidence.unjudged] == ["line of a.example on size 4"]


def test_cosignature_time_altered():
    """note/: a known witness's line that fails rejects the note, whatever the others say."""
    for name in "aq":
        line = line_by(name)
        altered = replace(line, signature=(TIME + 1).to_bytes(8, "big") + line.signature[8:])
        bundle = with_lines(good(), altered, line_by("b"))
        stopped(bundle, SignatureWrong, AT, tlog_policy=policy("abq", "quorum b\n"))
        assert judged(bundle).complete  # who names no witness lets none refute


def test_a_witness_counts_once():
    bundle = with_lines(good(), line_by("a"), line_by("a"))
    assert stopped(bundle, FieldMalformed, AT, tlog_policy=policy("a", "quorum a\n")).field == "note.lines"


def test_a_line_that_no_anchor_names_is_refused_even_if_the_policy_knows_it():
    bundle = with_lines(good(), line_by("a"), anchored=False)
    assert stopped(bundle, FieldMalformed, AT, tlog_policy=policy("a", "quorum a\n")).field == "note.lines"


def test_any_checkpoint_shown_may_meet_it_but_not_two_together():
    later = with_lines(good("history"), line_by("a", good("history"), 1), position=1)
    assert verdict(later, policy("ab", "quorum a\n")).detail.startswith("policy met by size 6")
    split = with_lines(later, line_by("b", later, 0))
    assert verdict(split, policy("ab", "group g all a b\nquorum g\n")).result == UNDECIDED


def test_quorum_none_needs_nobody():
    assert verdict(good(), "quorum none\n").detail == "policy met by size 4: none needed"


def test_a_policy_of_other_logs_is_not_met():
    ours = VerifierKey(world().origin, TYPE_ED25519, world().genesis.log_key).text()
    other = VerifierKey("other.example/log", TYPE_ED25519, world().genesis.log_key).text()
    assert verdict(good(), f"log {ours}\nquorum none\n").result == VERIFIED
    found = verdict(good(), f"log {other}\nquorum none\n")
    assert (found.result, found.detail) == (UNDECIDED, "policy of other logs")


def test_without_a_policy_cosignatures_are_kept_and_say_nothing():
    evidence = judged(with_lines(good(), line_by("a")))
    found = evidence.verdict("witnesses")
    assert (found.result, found.missing) == (UNDECIDED, "a tlog_policy in the trust file")
    assert len(evidence.unjudged) == 1
    assert verdict(good(), None).result == NOT_SHOWN
