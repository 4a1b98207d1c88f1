"""Two languages: neither lacks a text, and what `verify` says is put into Chinese whole."""

import re
import string
import unicodedata
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest

from hybrid_bridge import errors
from hybrid_bridge.cli.report import texts
from hybrid_bridge.cli.report.texts import PARTS, TABLE, Words, in_chinese
from hybrid_bridge.cli.report.texts.phrases import PHRASES
from hybrid_bridge.core.evidence import NOT_PROVEN
from hybrid_bridge.core.governance import NOTICE_NAMES
from hybrid_bridge.core.trust import Trust
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.steps.verify.source import RESULTS, RETIRED, TIES
from tests.bundles import NOW, consortium

SOURCES = Path(texts.__file__).parents[1]


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def has_han(text):
    return any(unicodedata.name(c, "").startswith("CJK UNIFIED") for c in text)


def test_every_text_stands_in_both_languages_with_the_same_values():
    for key, (english, chinese) in TABLE.items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert placeholders(english) == placeholders(chinese), key
        assert not has_han(english.replace("法释", "").replace("号", "")), key
        assert has_han(chinese) or not re.search("[a-z]{4}", re.sub(r"{\w+}", "", chinese)), key


def test_each_error_of_verify_is_explained_in_the_words_of_its_class_and_every_field_has_a_name():
    explained = {key.partition(".")[2]: row[0] for key, row in TABLE.items() if key.startswith("because.")}
    for name, english in explained.items():
        error = getattr(errors, name)
        assert english == error.__doc__.strip().splitlines()[0]
        assert all(f"errorfield.{field.name}" in TABLE for field in fields(error)), name
    assert {cls.__name__ for cls in errors.Refuted.__subclasses__()} <= explained.keys()


def test_no_key_stands_twice_and_every_key_that_the_code_names_is_there():
    assert sum(map(len, PARTS)) == len(TABLE)
    code = "\n".join(path.read_text("utf-8") for path in SOURCES.glob("*.py"))
    named = set(re.findall(r'\bt\(\s*"([^"]+)"', code))
    assert len(named) > 60
    assert named <= TABLE.keys()


def test_every_sentence_keeps_its_values():
    for english, chinese in PHRASES:
        assert placeholders(english) == placeholders(chinese), english
        assert has_han(chinese) or not re.search("[a-z]{3}", re.sub(r"{\w+}", "", chinese)), english


def said(evidence):
    """Every sentence that the program itself made."""
    for verdict in evidence.verdicts:
        yield from (verdict.detail, verdict.rests_on, verdict.missing)
    yield from (missing.partition(": ")[2] or missing for missing in evidence.missing)
    yield from evidence.warnings
    yield from evidence.signers
    yield from evidence.not_proven
    yield from (fact.what for fact in evidence.governance)
    yield from (fact.statement for fact in evidence.registry)
    yield from (part.place for part in evidence.unjudged)
    yield from (fact.basis for fact in (*evidence.anchors, *evidence.beacons, *evidence.tokens))


def evidences():
    c = consortium()
    needy = c.trust(
        max_age=1, minimum_level="A3", require=("freshness", "registry", "witnesses", "not before", "names")
    )
    for bundle, trust in product(c.all().values(), (c.trust(), Trust(), c.trust(member_roots=()), needy)):
        for changed in (bundle, replace(bundle, certificates=()), replace(bundle, anchors=())):
            yield from (verify(changed.encode(), trust, now) for now in (NOW, NOW + 10**6))
    yield verify(c.receivable().encode(), c.trust(), NOW - 10**6)


def test_every_sentence_of_verify_over_all_kinds_of_bundles_is_put_into_chinese():
    unknown = {text for evidence in evidences() for text in said(evidence) if text and in_chinese(text) is None}
    assert unknown == set()


def test_a_sentence_is_put_into_chinese_part_by_part_and_values_stay():
    t = Words("zh")
    text = "TEST Bank (USCI:9; self-stated; its certificate names somebody else) promised entry ab in epochs 1 to 3"
    assert t.said(text) == "TEST Bank（USCI:9；自述；其证书载明的是他人）承诺在第 1 期至第 3 期列入条目 ab"
    assert t.said("nobody has said this") == "nobody has said this"
    assert Words("en").said(text) == text
    assert all(in_chinese(name) for name in (*NOTICE_NAMES, *NOT_PROVEN, RESULTS, TIES, RETIRED))
    asked = "an endpoint that tells what is final; no such answer from endpoint 1"
    assert t.said(f"what --rpc was to show: {asked}") == "--rpc 所应示者：告知何者为最终的节点；未作答者 endpoint 1"
    assert t.said("the trust file, 2 of 3 endpoints that call it final") == "信任文件、3 个节点中称其为最终者 2 个"


def test_a_text_without_its_value_is_a_fault_of_the_program():
    with pytest.raises(KeyError):
        Words("en")("tree")
    with pytest.raises(KeyError):
        Words("en")("no such text")


def test_only_what_the_reader_is_asked_to_do_says_you():
    """What was relied on is the maker's choice: no verdict says that its reader made it."""
    t = Words("zh")
    for evidence in evidences():
        assert not any(re.search(r"\byou(r)?\b", Words("en").said(text)) for text in said(evidence))
        assert not any("您" in t.said(text) for text in said(evidence))
    for key, (english, chinese) in TABLE.items():
        assert "reader r" not in english.replace("reader reads", ""), key
        assert "依赖方" not in chinese, key
