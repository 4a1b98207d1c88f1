"""The claims in a record's transaction against the table of record types: one rule for validators and outsiders.

Source: SCENARIOS S1; SPEC §3, §4.
"""

from hybrid_bridge.business.fields import Claims, Schema
from hybrid_bridge.business.schema import schema_of_type
from hybrid_bridge.core.disclosure import RESERVED, SCHEMA
from hybrid_bridge.core.transaction import Body, RecordPayload, claims_of
from hybrid_bridge.errors import FieldMalformed


def typed_claims(body: Body, payload: RecordPayload) -> tuple[Schema, Claims]:
    """The schema of the record's type, and its claims: all of them, none unknown, each of its type.

    Raises:
        FieldMalformed: there is no such record type, `_schema` names another one, or a claim breaks the schema.
    """
    schema = schema_of_type(payload.record.record_type)
    values = {name: claim.value for name, claim in claims_of(body).items()}
    if values[SCHEMA] != schema.name:
        raise FieldMalformed(field=SCHEMA, rule=f"{schema.name}, as the record type says")
    return schema, schema.parse_claims({name: value for name, value in values.items() if name not in RESERVED})
