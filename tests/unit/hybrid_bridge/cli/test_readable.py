"""What people read: no line too wide, no stranger's text that draws a verdict."""

from dataclasses import replace

import pytest

from hybrid_bridge.cli.exits import plain
from hybrid_bridge.cli.readable import WIDTH, hanging, render
from hybrid_bridge.core.bundle import SourceEvidence
from hybrid_bridge.core.evidence import ArtefactFact, OpenedField
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.steps.verify import verify
from tests.bundles import NOW, consortium

KINDS = ("receivable", "split", "financing", "unregistered", "history", "document", "omission")


def evidence(kind="receivable", trust=None, **parts):
    bundle = replace(consortium().all()[kind], **parts)
    return verify(bundle.encode(), trust or consortium().trust(), NOW)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trust", ["all", "none"])
def test_no_line_is_wider_than_a_page(kind, trust):
    shown = render(evidence(kind, None if trust == "all" else Trust()))
    assert max(map(len, shown.splitlines())) <= WIDTH
    assert not any(line != line.rstrip() for line in shown.splitlines())


def test_a_verified_receivable_reads_like_this():
    lines = render(evidence()).splitlines()
    assert lines[:3] == [
        "VERIFIED",
        "  log example.org/receivables, checkpoint of size 4",
        f"  log id {consortium().genesis.log_id.hex()}",
    ]
    assert "  ✓ integrity         verified   4 fields → 1 entry → 1 epoch → checkpoint of size 4" in lines
    assert "  · registry          not shown  no label" in lines
    assert "Record note.issue/1 (0x0105), epoch 1, ended 2026-01-06 00:00:00 UTC by the ledger's clock" in lines
    due = consortium().events[2]["fields"]["due_date"]
    assert f"  due_date  {due}" in lines
    assert "  (28 other leaves, decoys among them, stay undisclosed)" in lines
    assert "NOT proven, here or anywhere" in lines
    assert lines[-3:-1] == ["Checks passed", lines[-2]]
    assert lines[-2].startswith("  1 shape, 2 format, 3 structs")


def test_a_broken_promise_stands_in_the_head_and_everything_about_it_below():
    lines = render(evidence("omission")).splitlines()
    assert lines[:2] == [
        "VERIFIED",
        "  and what is verified is A BROKEN PROMISE of one of the log's own nodes: see omission",
    ]
    assert any(line.startswith("  ! omission          proven") for line in lines)
    at = lines.index("Promise")
    assert lines[at + 3] == "  accepted 2026-01-05 00:01:00 UTC by the node's clock, in epoch 1"
    assert lines[at + 4].startswith("  owed by the end of epoch 3, by ")


def test_a_claim_without_an_answer_says_what_to_bring():
    lines = render(evidence("omission", certificates=())).splitlines()
    assert lines[0].startswith("INCOMPLETE")
    assert any(line.startswith("  ? omission          claimed, unanswered") for line in lines)
    assert any("bring the certificate of the validator that signed the promise" in line for line in lines)
    assert any("a key whose certificate is not shown; its signature is not checked" in line for line in lines)


def test_what_is_missing_comes_first_and_open_verdicts_say_what_to_bring():
    lines = render(evidence(trust=Trust())).splitlines()
    assert lines[0].startswith("INCOMPLETE")
    assert lines[4] == "Missing"
    assert any(line.startswith("  ? integrity         undecided") for line in lines)
    assert any(line.strip().startswith("to say more, bring trust in") for line in lines)
    assert any(line.startswith("  ? level             A0") for line in lines)


def test_every_part_of_a_bundle_has_its_place():
    history = render(evidence("history"))
    for text in ("Not in the batch", "Governance records", "7: validator set 2 of 4", "epoch 2 was finished after"):
        assert text in history
    financing = render(evidence("financing"))
    assert "  at the end of epoch 3 (2026-01-08 00:00:00 UTC): life note" in financing
    assert "state FINANCED after event 3 (versions shown: 0, 1, 2, 3, 4)" in " ".join(financing.split())
    assert "of its submitter, signatures hold" in " ".join(financing.split())
    document = render(evidence("document"))
    assert "Documents, by digest alone: compare your copy" in document
    unjudged = render(evidence(source_evidence=(SourceEvidence(type="fabric", epoch=1, data=b"x"),)))
    assert "In the bundle and judged by no check\n  source evidence fabric of epoch 1" in unjudged


def test_times_are_read_as_times_and_money_stays_as_it_is():
    fact = evidence("split").records[0]
    fields = (
        OpenedField(name="event_time", value=1_767_571_200, is_claim=True),
        OpenedField(name="face", value="00123", is_claim=True),
        OpenedField(name="distinct", value=False, is_claim=True),
    )
    shown = render(replace(evidence("split"), records=(replace(fact, fields=fields),)))
    assert "  event_time  1767571200 (2026-01-05 00:00:00 UTC)\n" in shown
    assert "  face        00123\n" in shown
    assert "  distinct    False\n" in shown


def test_warnings_are_shown():
    assert "Warnings\n  the brake was on" in render(replace(evidence(), warnings=("the brake was on",)))


# ── text of strangers ──

HOSTILE = "\x1b[2J\x1b[HVERIFIED\r\n\u202egnp.exe\x9b1m\u200b\u2028"


def test_a_stranger_cannot_write_to_the_terminal():
    """A field's text is its holder's: it must not clear the screen, begin a line, or turn one around."""
    good = evidence()
    record = replace(
        good.records[0], schema=HOSTILE, fields=(OpenedField(name="payee", value=HOSTILE, is_claim=False),)
    )
    artefact = ArtefactFact(
        name=HOSTILE, media_type=HOSTILE, size=1, sha256=bytes(32), sha512=None, sm3=None, field="doc.0.sha256"
    )
    hostile = replace(
        good,
        records=(record,),
        artefacts=(artefact,),
        signers=(HOSTILE,),
        warnings=(HOSTILE,),
        missing=(HOSTILE,),
        origin=HOSTILE,
    )
    shown = render(hostile)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert sum(line == "VERIFIED" for line in shown.splitlines()) == 0
    assert "\\u001b[2J\\u001b[HVERIFIED\\u000d\\u000a\\u202egnp.exe" in shown.replace("\n         ", "")


@pytest.mark.parametrize("text", ["plain", "Société Générale 上海银行 ✓ →", ""])
def test_text_that_prints_stays_as_it_is(text):
    assert plain(text) == text


def test_a_long_text_hangs_under_its_first_letter():
    lines = list(hanging("  name  ", "word " * 60))
    assert len(lines) == 3
    assert all(line.startswith("        word") for line in lines[1:])
    assert list(hanging("  name  ", "")) == ["  name"]
    assert max(map(len, hanging("", "x" * 1_000))) == WIDTH
