import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.business.fields import (
    AMOUNT,
    BPS,
    CCY,
    COUNT,
    DATE,
    FLAG,
    ID16,
    KEY,
    TEXT,
    TIME,
    FieldType,
    Schema,
)
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import RecordType

CODE = FieldType("code", ("A", "B"))
SCHEMA = Schema(
    name="test.split/1",
    record_type=RecordType(0x7000),
    authorised_by="anybody",
    claims={"note": ID16, "child.k.note": ID16, "child.k.face": AMOUNT, "event_time": TIME},
    private={"reason": TEXT, "child.k.paper": TEXT, "doc.k.sha256": KEY},
    repeats={"child": 3},
)
ID = "0" * 32


def claims(**more):
    values = {"note": ID, "child.0.note": ID, "child.0.face": "1", "event_time": 1}
    return {**values, **{name.replace("__", "."): value for name, value in more.items()}}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            AMOUNT,
            ["0", "1", "999999999999999999"],
            ["", "01", "-1", "1.0", "1000000000000000000", "\uff11", 1, None, True],
        ),
        (CCY, ["CNY", "USD", "JPY"], ["cny", "RMB", "XXX", "", None]),
        (ID16, [ID, "0123456789abcdef" * 2], [ID[1:], ID + "0", "A" * 32, 0]),
        (KEY, [b64u(bytes(32))], [b64u(bytes(31)), b64u(bytes(33)), b64u(bytes(32)) + "=", "A" * 42 + "B", "", 1]),
        (DATE, ["2026-01-05", "2024-02-29"], ["2026-02-29", "2026-1-5", "20260105", "2026-01-05T00", "2026-W01-1"]),
        (TIME, [0, 2**53 - 1], [-1, 2**53, "1", True, None]),
        (COUNT, [0, 5], [-1, False, "5"]),
        (BPS, [0, 10_000], [10_001, -1, "9000"]),
        (FLAG, [True, False], [0, 1, "true", None]),
        (TEXT, ["", "任意"], [1, None, False]),
        (CODE, ["A", "B"], ["C", "", None, 0]),
    ],
)
def test_a_type_takes_its_values_and_no_others(kind, good, bad):
    for value in good:
        kind.require(value, "field")
    for value in bad:
        with pytest.raises(FieldMalformed) as caught:
            kind.require(value, "field")
        assert caught.value.field == "field"


def test_complete_claims_are_typed_and_counted():
    parsed = SCHEMA.parse_claims(claims(child__1__note=ID, child__1__face="20"))
    assert parsed.column("child.k.face") == ["1", "20"]
    assert parsed.amount("child.1.face") == 20
    assert (parsed.text("note"), parsed.number("event_time")) == (ID, 1)


@pytest.mark.parametrize("name", ["note", "child.0.note", "child.0.face", "event_time"])
def test_a_missing_claim_is_malformed(name):
    values = claims()
    del values[name]
    with pytest.raises(FieldMalformed):
        SCHEMA.parse_claims(values)


@pytest.mark.parametrize(
    "more",
    [
        {"surplus": "1"},
        {"reason": "private"},
        {"child__0__paper": "private"},
        {"child__2__note": ID, "child__2__face": "1"},
        {"child__1__note": ID},
        {"child__01__note": ID, "child__01__face": "1"},
        {"child__x__note": ID},
        {"child__0": "1"},
        {"child__0__face__0": "1"},
    ],
)
def test_an_unknown_private_or_misnumbered_claim_is_malformed(more):
    with pytest.raises(FieldMalformed):
        SCHEMA.parse_claims(claims(**more))


def test_a_group_has_at_least_one_row_and_at_most_so_many():
    rows = {f"child.{k}.{name}": value for k in range(4) for name, value in (("note", ID), ("face", "1"))}
    with pytest.raises(FieldMalformed) as caught:
        SCHEMA.parse_claims({"note": ID, "event_time": 1, **rows})
    assert caught.value.field == "child"
    with pytest.raises(FieldMalformed):
        SCHEMA.parse_claims({"note": ID, "event_time": 1})


def test_a_claim_of_another_type_is_named():
    with pytest.raises(FieldMalformed) as caught:
        SCHEMA.parse_claims(claims(child__0__face="01"))
    assert caught.value.field == "child.0.face"


def test_a_name_stands_in_its_own_half():
    SCHEMA.require_half("child.0.face", is_claim=True)
    SCHEMA.require_half("child.2.paper", is_claim=False)
    SCHEMA.require_half("doc.9999.sha256", is_claim=False)
    for name, is_claim in (
        ("child.0.face", False),
        ("child.3.face", True),
        ("child.3.paper", False),
        ("reason", True),
        ("unknown", True),
    ):
        with pytest.raises(FieldMalformed) as caught:
            SCHEMA.require_half(name, is_claim=is_claim)
        assert caught.value.field == name


def test_private_fields_are_known_and_typed():
    SCHEMA.require_private({"reason": "x", "doc.0.sha256": b64u(bytes(32))})
    for values in ({"note": ID}, {"other": "x"}, {"reason": 1}):
        with pytest.raises(FieldMalformed):
            SCHEMA.require_private(values)


@given(
    st.dictionaries(st.text(max_size=12), st.none() | st.booleans() | st.integers() | st.text(max_size=8), max_size=6)
)
def test_arbitrary_claims_are_refused_with_a_field(values):
    with pytest.raises(FieldMalformed):
        SCHEMA.parse_claims(values)
