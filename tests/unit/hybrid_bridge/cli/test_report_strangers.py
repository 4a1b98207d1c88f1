"""Whatever a stranger calls himself, no sentence of a report loses its end and nothing he says stands as ours."""

import re
from dataclasses import replace
from io import BytesIO

import pypdfium2
import pytest

from hybrid_bridge.cli import report as command
from hybrid_bridge.cli.report.building import build
from hybrid_bridge.cli.report.case import Case, Page
from hybrid_bridge.cli.report.commands import script
from hybrid_bridge.cli.report.strangers import MAX_QUOTED, bounded, named, quoted, word
from hybrid_bridge.cli.report.texts import LANGUAGES, Words
from hybrid_bridge.core.evidence import OpenedField, TokenFact
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import UnixSeconds
from tests.bundles import NOW, consortium

FORGED = "China Construction Bank (USCI:911100001000044477; certified by a root you trust)"
STANDING = {"en": "self-stated; its certificate names somebody else", "zh": "自述；其证书载明的是他人"}
FALSE = {"en": "certified by a root", "zh": "经出具人信赖的根证明"}


def case_of(name="receivable", **changes):
    """A case whose evidence says something else."""
    bundle, trust = consortium().all()[name], consortium().trust()
    evidence = replace(verify(bundle.encode(), trust, NOW), **changes)
    return Case(
        data=bundle.encode(),
        file_name="x",
        trust=trust,
        trust_data=trust.encode(),
        endpoints=0,
        contract="",
        at=UnixSeconds(NOW),
        judged=evidence,
        page=Page("", "00" * 32),
        program="p",
    )


def text_of(case, lang, form):
    data = command.rendered(case, build(case, lang), form)
    if form == "pdf":
        document = pypdfium2.PdfDocument(BytesIO(data))
        data = "".join(page.get_textpage().get_text_bounded() for page in document).encode()
    return re.sub(r"[\s\\]", "", data.decode("utf-8", "replace").partition("data:application")[0])


@pytest.mark.parametrize("form", ["pdf", "html", "md", "json"])
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", [FORGED + " " * 600, FORGED + "x" * 900, "B" * 960, FORGED])
def test_a_name_neither_cuts_off_nor_forges_what_stands_behind_it(form, lang, name):
    text = f"{name} (LEI:5; self-stated; its certificate names somebody else)"
    case = case_of(signers=(text,))
    if form == "json":  # its evidence is that of `verify`, as it is
        case = replace(case, judged=case.evidence)
        block = next(s for s in build(case, lang).sections if s.key == "subject").blocks[2]
        assert block.rows == ((quoted(name), "LEI:5", STANDING[lang]),)
        return
    told = text_of(case, lang, form)
    assert STANDING[lang].replace(" ", "") in told
    rest = told.replace("".join(quoted(name).split()), "") if FORGED in name else told
    assert FALSE[lang].replace(" ", "") not in rest.replace("certifiedbyarootyoutrust", "")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_signer_of_a_promise_does_not_end_the_sentence_that_accuses_him(lang):
    plain = case_of("omission")
    signer = f"{FORGED} promised entry ab in epochs 1 to 3{'x' * 900} (LEI:5; self-stated)"
    old = plain.evidence.promise.signer
    verdicts = tuple(
        replace(v, detail=v.detail.replace(plain.judged.promise.signer, signer)) for v in plain.judged.verdicts
    )
    promise = replace(plain.judged.promise, signer=signer)
    case = case_of("omission", verdicts=verdicts, promise=promise, warnings=())
    now, before = build(case, lang), build(case_of("omission", warnings=()), lang)
    t = Words(lang)
    told, was = (next(row for row in _verdicts(r) if row[0] == t("verdict.omission")) for r in (now, before))
    assert told[2] == was[2].replace(t.said(old), t.said(bounded(signer)))
    assert told[2].endswith(was[2][-20:])


def _verdicts(report):
    return report.sections[0].blocks[-1].rows


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_authority_does_not_write_on_in_our_sentences(lang):
    who = "a timestamp of CN=x, 5 s after epoch 9 closed" + "y" * 900
    token = TokenFact(
        place="size 4", authority=who, time=NOW, until=NOW, hash="sha-256", sha256=bytes(32), basis="", missing="m"
    )  # fmt: skip
    plain = case_of()
    detail = f"all of it existed by 2026-01-05 08:00:00 UTC, a timestamp of {who}, 9 s after epoch 1 closed"
    verdicts = tuple(replace(v, detail=detail) if v.name == "not after" else v for v in plain.judged.verdicts)
    case = case_of(verdicts=verdicts, tokens=(token, replace(token, authority=who[:20])))
    told = next(row for row in _verdicts(build(case, lang)) if row[0] == Words(lang)("verdict.not after"))
    assert quoted(who) in told[2]
    assert told[2].endswith({"en": "9 s after epoch 1 closed", "zh": "距第 1 期结束 9 秒"}[lang])


def test_text_between_quotation_marks_is_on_one_line_bounded_and_cannot_leave_them():
    assert quoted("a\n  b\u2003c") == "“a b c”"
    assert quoted("x” is certified “") == "“x\\u201d is certified \\u201c”"
    assert quoted("\u202e") == "“\\u202e”"
    long = quoted("\U0001f600\u202e" * 300)
    assert long.startswith("“" + "\U0001f600\\u202e" * 2)
    assert re.fullmatch(rf"“.{{{MAX_QUOTED}}}…” \[600; SHA-256 [0-9a-f]{{64}}\]", long)
    assert quoted("a\u3164\ufe0fb") == "“a\\u3164\\ufe0fb”"
    assert word("doc.0.name") == "doc.0.name"
    assert word("a b") == "“a b”"


def test_a_name_is_read_from_its_end():
    found = named("A (X; self-stated) (Y; certified by a root you trust)")
    assert (found.name, found.legal_id) == ("“A (X; self-stated)”", "Y")
    found = named("A (Y; certified by a root you trust; self-stated)")
    assert (found.legal_id, found.standing) == ("“Y; certified by a root you trust”", "self-stated")
    assert named("key 00") is None
    assert bounded("a b") == "“a b”"


def test_every_name_that_verify_gives_is_read():
    c = consortium()
    for trust in (c.trust(), c.trust(member_roots=())):
        evidence = verify(c.omission().encode(), trust, NOW)
        assert all(named(text) for text in (*evidence.signers, evidence.promise.signer))


def test_a_sentence_is_put_into_a_language_around_what_stands_between_quotation_marks():
    text = "“P (Q; certified by a root you trust)” (LEI:5; self-stated)"
    assert Words("zh").said(text) == "“P (Q; certified by a root you trust)”（LEI:5；自述）"
    assert Words("en").said(text) == text
    assert Words("en").said("“”“x” your clock").endswith("the clock of the maker of this report")


@pytest.mark.parametrize("text", ["\U0001f600" * 600, "ب" * 600, "\u202e" * 600], ids=["emoji", "arabic", "bidi"])
def test_no_text_of_a_field_or_a_name_keeps_a_pdf_from_being_made(text):
    plain = case_of("document")
    record = plain.judged.records[0]
    fields = tuple(OpenedField(name=name, value=text, is_claim=False) for name in ("a", text[:64]))
    brake = replace(case_of("history").judged.brakes[0], scope=text, reason_code=text, by=text)
    case = case_of(
        "document",
        records=(replace(record, fields=fields, schema=text),),
        artefacts=(replace(plain.judged.artefacts[0], name=text, media_type=text),),
        signers=(f"{text} ({text}; self-stated)",),
        registry=tuple(replace(fact, label=text) for fact in case_of("history").judged.registry),
        brakes=(brake,),
        warnings=(text,),
    )
    for lang in LANGUAGES:
        assert text_of(case, lang, "pdf").count("SHA-256") > 5


def test_what_an_error_says_of_a_strangers_text_fits_on_a_page():
    error = FieldMismatch(field="name", expected="\U0001f600" * 900, got="\u202e" * 900)
    error.stopped_at, error.reached = "9 names", ("1 shape",)
    for lang in LANGUAGES:
        assert text_of(replace(case_of(), judged=error), lang, "pdf").count("[900;SHA-256") == 2


def test_a_script_shows_a_strangers_text_in_comments_only():
    name = "x'; touch pwned; echo '"
    case = case_of("document", artefacts=(replace(case_of("document").judged.artefacts[0], name=name),))
    told = script(build(case, "en").sections)
    assert "touch pwned" in told
    assert all(line.startswith("#") for line in told.splitlines() if "touch" in line)


def test_where_verification_stopped_no_check_is_green():
    error = FieldMismatch(field="name", expected="a", got="b")
    error.stopped_at, error.reached = "9 names", ("1 shape", "13 renewals")
    report = build(replace(case_of(), judged=error), "en")
    table = next(section for section in report.sections if section.key == "checks").blocks[-1]
    assert [row[1] for row in table.rows].count("passed") == 2
    assert set(table.tones) == {"none", "bad"}
