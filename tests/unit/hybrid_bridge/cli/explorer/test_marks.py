"""Values with their sources: what JSON cannot hold exactly is a text, and what nobody showed is nobody's."""

import json
from typing import Any

import pytest

from hybrid_bridge.cli.explorer.marks import CHAIN, NOBODY, SOURCES, mark, mark_if


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"", "0x"),
        (b"\x01\xff", "0x01ff"),
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (True, True),
        (None, None),
        ("text", "text"),
        (["a"], ["a"]),
    ],
)
def test_a_value_is_what_every_reader_of_json_has_exactly(value: Any, shown: Any) -> None:
    assert mark(CHAIN, value) == {"value": shown, "source": "chain"}
    assert json.loads(json.dumps(mark(CHAIN, value)), parse_int=float)["value"] == shown


@pytest.mark.parametrize("value", [None, ""])
def test_what_nobody_showed_is_nobodys_and_zero_is_a_value(value: Any) -> None:
    assert mark_if(CHAIN, value) == {"value": value, "source": NOBODY}
    assert mark_if(CHAIN, 0) == {"value": 0, "source": CHAIN}


def test_every_source_has_words_and_one_names_the_endpoints() -> None:
    assert all(SOURCES.values())
    assert [name for name, text in SOURCES.items() if "{basis}" in text] == [CHAIN]
