from dataclasses import dataclass

import pytest

from hybrid_bridge.core.shape import array, literal, nullable, octets, record, tagged, text, uint
from hybrid_bridge.errors import FieldMalformed, Malformed, NotCanonical, TooLong


@dataclass(frozen=True)
class Point:
    x: int
    name: str | None = None


@dataclass(frozen=True)
class Kind:
    n: int
    type: str = "kind"


POINT = record(Point, {"x": uint(9)}, {"name": text(3)})
CODECS = [
    (text(3), "abc"),
    (literal("a", "b"), "b"),
    (uint(9), 9),
    (octets(2), "AAE"),
    (octets(None, 4), ""),
    (array(uint(), 2), [1, 2]),
    (nullable(uint()), None),
    (nullable(uint()), 3),
    (POINT, {"x": 1}),
    (POINT, {"x": 1, "name": "ab"}),
    (tagged({"kind": record(Kind, {"n": uint()})}), {"type": "kind", "n": 1}),
]
REFUSED = [
    (text(3), 1),
    (text(3), "abcd"),
    (literal("a"), "c"),
    (literal("a"), None),
    (uint(9), 10),
    (uint(9), -1),
    (uint(9), True),
    (uint(9), "1"),
    (octets(2), "AAEB"),
    (octets(2), "AAF="),
    (octets(2), "AAF"),
    (octets(2), "AA"),
    (octets(2), 5),
    (octets(None, 2), "AAAAAAAA"),
    (array(uint(), 2), [1, 2, 3]),
    (array(uint(), 2), {"0": 1}),
    (array(uint(), 2), ["1"]),
    (POINT, []),
    (POINT, {}),
    (POINT, {"x": 1, "y": 2}),
    (POINT, {"x": 1, "name": None}),
    (tagged({"kind": record(Kind, {"n": uint()})}), {"type": "other", "n": 1}),
    (tagged({"kind": record(Kind, {"n": uint()})}), {"n": 1}),
    (tagged({"kind": record(Kind, {"n": uint()})}), [1]),
]


@pytest.mark.parametrize(("codec", "value"), CODECS)
def test_what_is_parsed_is_written_back_the_same(codec, value):
    assert codec.write(codec.parse(value, "here")) == value


@pytest.mark.parametrize(("codec", "value"), REFUSED)
def test_another_shape_is_malformed(codec, value):
    with pytest.raises(Malformed):
        codec.parse(value, "here")


def test_the_error_names_the_place():
    with pytest.raises(FieldMalformed) as caught:
        record(Point, {"x": array(uint(), 3)}).parse({"x": [0, "1"]}, "bundle")
    assert caught.value.field == "bundle.x[1]"


def test_a_long_text_is_refused_before_it_is_decoded():
    with pytest.raises(TooLong) as caught:
        octets(32).parse("*" * 1_000_000, "here")
    assert (caught.value.limit, caught.value.field) == (32, "here")
    with pytest.raises(NotCanonical):
        octets(3).parse("****", "here")
