import re

import pytest

from hybrid_bridge.business import record_types
from hybrid_bridge.business.rulebook import RULES
from hybrid_bridge.business.schema import (
    SCHEMAS,
    claim_or_private,
    require_half,
    schema_of_name,
    schema_of_type,
)
from hybrid_bridge.core.disclosure import require_name
from hybrid_bridge.core.field_tree import MAX_HALF
from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.testing.datasets.play import read_lines
from hybrid_bridge.testing.datasets.receivables import generate

CLAIM_TYPES = {"scope", "amount", "ccy", "id16", "key", "digest", "date", "time", "code", "bps", "count", "flag"}
PERSONAL = re.compile(r"name|number|seller|buyer|payee$|address|account|phone|mail|reason$|text|reference|inv|decl|doc")


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_a_claim_never_holds_a_name_an_outside_number_or_free_text(schema):
    for name, kind in schema.claims.items():
        assert kind.name in CLAIM_TYPES, name
        assert not PERSONAL.search(name), name


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_a_schema_is_well_formed(schema):
    assert not schema.claims.keys() & schema.private.keys()
    assert "event_time" in schema.claims
    for name in (*schema.claims, *schema.private):
        require_name(name)
        assert name.count(".k") <= 1
    groups = {name.partition(".k")[0] for name in schema.claims if ".k" in name}
    assert groups == schema.repeats.keys()
    most = sum(schema.repeats[name.partition(".k")[0]] if ".k" in name else 1 for name in schema.claims)
    assert most + 2 <= MAX_HALF  # with _schema and _origin


def test_every_record_type_has_one_schema_and_all_but_derived_ones_a_rule():
    types = {value for name, value in vars(record_types).items() if name.isupper()}
    assert {schema.record_type for schema in SCHEMAS.values()} == types
    assert types - RULES.keys() == {record_types.DEBTOR_TOTALS}
    for schema in SCHEMAS.values():
        assert schema_of_type(schema.record_type) is schema_of_name(schema.name) is schema


def test_only_a_confirmation_brings_identity_labels():
    assert [schema.name for schema in SCHEMAS.values() if schema.label_types] == ["asset.confirm/1"]


def test_the_schema_fixes_each_names_half():
    assert claim_or_private("note.issue/1", "face") == "claim"
    assert claim_or_private("note.issue/1", "back.3.allot") == "claim"
    assert claim_or_private("note.issue/1", "payee") == "private"
    assert claim_or_private("note.issue/1", "_schema") == claim_or_private("note.issue/1", "_origin") == "claim"
    assert claim_or_private("note.issue/1", "_chain") == "private"
    require_half("note.issue/1", "face", is_claim=True)
    with pytest.raises(FieldMalformed) as caught:
        require_half("note.issue/1", "face", is_claim=False)
    assert caught.value.field == "face"


def test_unknown_schemas_types_and_fields_are_malformed():
    for call in (
        lambda: schema_of_name("note.issue/2"),
        lambda: schema_of_type(0x7FFF),
        lambda: claim_or_private("nothing/1", "face"),
        lambda: claim_or_private("note.issue/1", "surface"),
        lambda: claim_or_private("note.issue/1", "_label"),
    ):
        with pytest.raises(FieldMalformed):
            call()


def test_the_data_sets_claims_hold_nothing_personal():
    """The same lint over demonstration data: no claim repeats what a private field or a member's name says."""
    files = generate().files
    secret = {
        str(value)
        for event in read_lines(files["events.jsonl"])
        for name, value in event["fields"].items()
        if claim_or_private(event["schema"], name) == "private" and len(str(value)) > 6
    }
    for event in read_lines(files["events.jsonl"]):
        for name, value in event["fields"].items():
            if claim_or_private(event["schema"], name) == "claim" and name not in ("issue_date", "due_date"):
                assert str(value) not in secret - {event["fields"].get("gross"), str(event["at"])}, name


def test_a_registration_has_one_e_invoice_number():
    schema = schema_of_name("asset.register/1")
    schema.require_private({"cn_einv": "1"})
    schema.require_private({"einv_uuid": "1"})
    with pytest.raises(FieldMalformed) as caught:
        schema.require_private({"cn_einv": "1", "einv_uuid": "1"})
    assert caught.value.field == "einv_uuid"
