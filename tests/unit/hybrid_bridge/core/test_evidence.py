import json
from dataclasses import replace

import pytest

from hybrid_bridge.core.evidence import (
    NOT_PROVEN,
    AbsenceFact,
    Check,
    Evidence,
    OpenedField,
    RecordFact,
    Verdict,
    span,
    utc,
)

EVIDENCE = Evidence(
    log_id=b"\x01" * 32,
    origin="example.org/log",
    purpose="record",
    tree_size=4,
    verdicts=(Verdict(name="integrity", result="verified", detail="d", rests_on="r"),),
    checks=(Check(number=1, name="shape", count=1),),
    records=(
        RecordFact(
            epoch=1,
            by=1_767_657_600,
            record_type="0x0105",
            schema="note.issue/1",
            leaf=b"\x02" * 32,
            fields=(
                OpenedField(name="face", value="14527896", is_claim=True),
                OpenedField(name="flag", value=True, is_claim=True),
                OpenedField(name="none", value=None, is_claim=False),
            ),
            undisclosed=5,
            transaction=None,
        ),
    ),
    registry=(),
    absences=(AbsenceFact(epoch=1, leaf=b"\x03" * 32),),
    promise=None,
    governance=(),
    blocks=(),
    brakes=(),
    anchors=(),
    tokens=(),
    beacons=(),
    artefacts=(),
    signers=("A (LEI:1; self-stated)",),
    warnings=(),
    missing=(),
    unjudged=(),
)


def test_nothing_missing_is_complete():
    assert EVIDENCE.complete
    assert not replace(EVIDENCE, missing=("names: certificates",)).complete


def test_a_verdict_is_found_by_its_name():
    assert EVIDENCE.verdict("integrity").detail == "d"
    with pytest.raises(KeyError):
        EVIDENCE.verdict("luck")


@pytest.mark.parametrize(
    ("result", "is_open"),
    [("verified", False), ("undecided", True), ("not shown", True), ("A0", False), ("60 s", False)],
)
def test_a_verdict_is_open_while_nothing_can_be_said(result, is_open):
    assert Verdict(name="v", result=result, detail="", rests_on="").is_open == is_open


def test_machines_get_all_of_it():
    members = json.loads(json.dumps(EVIDENCE.to_json()))
    assert members["format"] == "hybrid-bridge/evidence/v1"
    assert members["complete"] is True
    assert members["log_id"] == "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
    assert members["not_proven"] == list(NOT_PROVEN)
    (record,) = members["records"]
    assert record["fields"][0] == {"name": "face", "value": "14527896", "is_claim": True}
    assert [field["value"] for field in record["fields"]] == ["14527896", True, None]
    assert record["transaction"] is None
    assert members["absences"] == [{"epoch": 1, "leaf": "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"}]
    assert len(members) == len(EVIDENCE.__slots__) + 2


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_767_571_200, "2026-01-05 00:00:00 UTC"),
        (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        (253_402_300_800, "second 253402300800"),
        (2**53 - 1, "second 9007199254740991"),
        (-1, "second -1"),
    ],
)
def test_a_moment_for_people(moment, text):
    assert utc(moment) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "-5 s"),
        (172_799, "172799 s"),
        (172_800, "2.0 days"),
        (510_692, "5.9 days"),
        (8_639_999, "99.9 days"),
        (-510_692, "-5.9 days"),
    ],
)
def test_long_spans_are_told_in_days(seconds, text):
    assert span(seconds) == text
