"""The label table is data: complete, committed to by its hash, and it says what the code does."""

import re

from hybrid_bridge.core import identifiers as ids
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.label_table import LABEL_TABLE, LIFE, TABLE_VERSION, label_table, label_table_hash


def test_the_types_are_those_of_the_specification() -> None:
    kinds = {number: row.kind for number, row in LABEL_TABLE.items()}
    assert list(kinds) == list(range(1, 15))
    assert [number for number, kind in kinds.items() if kind == "life"] == [LIFE]
    assert [number for number, kind in kinds.items() if kind == "soft"] == [4, 5, 9]


def test_a_soft_label_ends_in_an_ordinal_and_no_other_does() -> None:
    for row in LABEL_TABLE.values():
        assert ("ordinal" in row.parts) == (row.kind == "soft")
        assert "ordinal" not in row.parts[:-1]


def test_every_part_is_a_form_of_the_table() -> None:
    known = {form.name for form in ids.FORMS} | {"party", "UETR"}
    for row in LABEL_TABLE.values():
        for part in row.parts:
            assert set(re.split(r" \| ", part)) <= known


def test_the_hash_is_that_of_the_tables_canonical_text() -> None:
    text = canonical_json(label_table())
    assert parse_canonical_json(text, "table", 2**16) == label_table()
    assert label_table_hash() == sha256(text)
    assert f'"version":"{TABLE_VERSION}"'.encode() in text


def test_a_change_of_the_table_is_a_decision() -> None:
    """A ledger's labels mean what its table says. Whoever changes it changes TABLE_VERSION and this line."""
    assert label_table_hash().hex() == "3ecf83fa0e08ed87e7b3deb619a6acaff33b1c7f7ab3e66909ed548930ed27b4"
