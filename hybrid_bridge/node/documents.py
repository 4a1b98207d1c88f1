"""A record's document in full: what a delivery or a draft must be before anybody stores or signs it.

Every field opened at its place and in the half its schema gives it, every other leaf of the private half a shown decoy,
every label the true one: a second `face`, or the index of another's invoice, is found by the first honest reader.
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.schema import claim_or_private
from hybrid_bridge.core import vrf
from hybrid_bridge.core.delivery import DeliveryPlaintext
from hybrid_bridge.core.disclosure import SCHEMA, FieldValue, open_fields
from hybrid_bridge.core.entry import decode_record_entry, entry_leaf
from hybrid_bridge.core.field_tree import FieldTree, check_full_opening
from hybrid_bridge.core.labels import IdentityValue, Label, alpha, commitment
from hybrid_bridge.core.transaction import RecordPayload
from hybrid_bridge.errors import FieldMismatch
from hybrid_bridge.units import LogId, RegistryIndex

IDENTITY_VERSION: Final = 0


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that fits its entry. `fields` are private: never log them."""

    schema: str
    fields: dict[str, FieldValue]

    def __repr__(self) -> str:
        return f"Opened({self.schema!r})"


def open_document(plaintext: DeliveryPlaintext) -> Opened:
    """The fields of a whole document, each checked against the entry.

    Raises:
        Malformed, Refuted: a field does not stand there, is in the wrong half, or something is kept back.
    """
    tree = open_tree(plaintext)
    fields = {disclosure.name: disclosure.value for disclosure in (*tree.claims, *tree.private)}
    return Opened(str(fields[SCHEMA]), fields)


def open_tree(plaintext: DeliveryPlaintext) -> FieldTree:
    """The field tree of a whole document, checked against the entry.

    Raises:
        Malformed, Refuted: as `open_document`.
    """
    entry = decode_record_entry(plaintext.entry)
    opened = open_fields(entry, plaintext.disclosures, claim_or_private)
    claims = [part.disclosure for part in opened if part.is_claim]
    private = [part.disclosure for part in opened if not part.is_claim]
    return check_full_opening(entry, claims, private, plaintext.decoys)


def require_true_labels(plaintext: DeliveryPlaintext, payload: RecordPayload, log_id: LogId, vrf_seed: bytes) -> None:
    """Return if every label that the transaction inserts is opened, stands at its one true index, and is this record's.

    Raises:
        Malformed: a value or a label that is none.
        FieldMismatch: a label is kept back, or index, commitment or value are another's.
    """
    given = {(op.label_type, op.index): op.commitment for op in payload.ops}
    shown = {}
    for opening in plaintext.openings:
        label, value = Label.decode(opening.label), opening.value.encode("utf-8")
        if IdentityValue.decode(value) != IdentityValue(entry_leaf(plaintext.entry), _object_of(plaintext)):
            raise FieldMismatch(field="labels.value", expected="this record and its object", got="another")
        index = true_index(label, log_id, vrf_seed)
        shown[label.type, index] = commitment(opening.opening, log_id, label, IDENTITY_VERSION, value)
    if given != shown:
        raise FieldMismatch(field="labels", expected="the true index and commitment of each label", got="others")


def true_index(label: Label, log_id: LogId, vrf_seed: bytes) -> RegistryIndex:
    """Where an identity label stands, if it does: only a holder of the VRF key can say (SPEC §9.3)."""
    proof = vrf.prove(vrf_seed, alpha(log_id, label, IDENTITY_VERSION))
    return vrf.index_of(vrf.proof_output(proof))


def _object_of(plaintext: DeliveryPlaintext) -> str:
    return str(open_document(plaintext).fields["object"])
