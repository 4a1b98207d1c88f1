"""A draft on its way between those who authorise it: the unsigned body and the whole document behind it.

Consent covers neither submitter nor sequence number, so it is gathered before the transaction is finished (SPEC §4).
Whoever is asked opens the whole document first: what he cannot read he does not sign.
"""

from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.core.delivery import MAX_PLAINTEXT, DeliveryPlaintext, parse_delivery
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json
from hybrid_bridge.core.payload import MAX_BODY
from hybrid_bridge.core.shape import array, literal, octets, record, text
from hybrid_bridge.core.transaction import Body, RecordPayload
from hybrid_bridge.errors import FieldMalformed, FieldMismatch
from hybrid_bridge.node.documents import open_document

FORMAT: Final = "hybrid-bridge/draft/v1"
MAX_DRAFT: Final = 2 * MAX_PLAINTEXT
MAX_AUDIENCE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPackage:
    """What one authoriser hands to the next. Private: never log it."""

    format: str = FORMAT
    body: bytes  # sequence number zero
    document: bytes = field(repr=False)  # as it will be delivered
    audience: tuple[str, ...]

    def encode(self) -> bytes:
        """JCS."""
        return canonical_json(_CODEC.write(self))

    def opened(self) -> tuple[Body, RecordPayload, DeliveryPlaintext]:
        """Body and document, once they are seen to be of one record.

        Raises:
            Malformed, Refuted: the document is not the whole of what the body commits to.
        """
        body, document = Body.decode(self.body), parse_delivery(self.document)
        if not isinstance(body.payload, RecordPayload):
            raise FieldMalformed(field="draft.body", rule="a record")
        if document.entry != body.payload.entry:
            raise FieldMismatch(field="entry", expected=body.payload.entry.hex(), got=document.entry.hex())
        open_document(document)
        claims = [part.value for part in document.disclosures if part.index < body.payload.record.width // 2]
        if sorted(claims) != sorted(body.payload.claims):
            raise FieldMismatch(field="claims", expected="those of the document", got="others")
        return body, body.payload, document


def parse_draft(data: bytes) -> DraftPackage:
    """The inverse of `DraftPackage.encode`.

    Raises:
        Malformed: not the shape of a draft.
    """
    return _CODEC.parse(parse_canonical_json(data, "draft", MAX_DRAFT), "draft")


_CODEC: Final = record(
    DraftPackage,
    {
        "format": literal(FORMAT),
        "body": octets(None, MAX_BODY),
        "document": octets(None, MAX_PLAINTEXT),
        "audience": array(text(32), MAX_AUDIENCE),
    },
)
