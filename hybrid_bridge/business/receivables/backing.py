"""What must be shown of an invoice before an outsider may say that a financing on it is no false one (I12, F-R15).

Validators see that a label is new, never whether it is this invoice's. So the outsider needs the invoice opened, the
labels that follow from it proven, and the transaction that inserted them. Source: SCENARIOS §2.1, S4; SPEC §9.4.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.receivables.review import e_invoice_number, label_spellings, review_labels
from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.labels import IdentityValue, Label
from hybrid_bridge.errors import FieldMismatch, Missing
from hybrid_bridge.units import Digest, RegistryIndex

_AGREED: Final = ("gross", "ccy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Insertion:
    """What the signed transaction behind a record says: who authorised it, which registry indices it inserted."""

    authorisers: frozenset[str]  # key ids as text
    indices: frozenset[RegistryIndex]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRecord:
    """A shown `asset.register` or `asset.confirm`; `insertion` is None while its transaction is not shown."""

    leaf: Digest
    fields: Mapping[str, FieldValue]
    insertion: Insertion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenLabel:
    """An identity label whose index a VRF proof shows; `value` as opened, None where absent or not opened."""

    label: Label
    index: RegistryIndex
    value: IdentityValue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoices:
    """All that a bundle shows of invoices."""

    registrations: Sequence[AssetRecord]
    confirmations: Sequence[AssetRecord]
    labels: Sequence[ProvenLabel]

    def contradictions(self) -> None:
        """Look at every invoice, financed or not.

        Raises:
            FieldMismatch: as `wanting`.
        """
        for record in (*self.registrations, *self.confirmations):
            if "object" in record.fields:
                list(self.wanting(str(record.fields["object"])))

    def wanting(self, asset: str) -> Iterator[str]:
        """What is not shown of the invoice behind `asset`; nothing if it is this invoice that was confirmed (I12).

        Raises:
            FieldMismatch: a label, a sum or a signature is not this invoice's (F-R15, I1, I4).
        """
        invoice = _only(self.registrations, asset, "registered")
        confirmation = _only(self.confirmations, asset, "confirmed")
        if confirmation is None:
            yield f"I12: the debtor's confirmation of asset {asset}"
        elif confirmation.insertion is None:
            yield f"I12: the transaction of the confirmation of asset {asset}, which names the labels that it inserted"
        if invoice is None:
            yield f"I12: the opened invoice of asset {asset}"
            return
        _require_agreement(invoice, confirmation)
        yield from self._unopened(asset, invoice, confirmation)

    def _unopened(self, asset: str, invoice: AssetRecord, confirmation: AssetRecord | None) -> Iterator[str]:
        try:
            _require_numbers(invoice.fields)
            self._require_own_labels(asset, invoice, confirmation)
            if confirmation is not None and confirmation.insertion is not None:
                self._review(asset, invoice, confirmation, confirmation.insertion)
        except Missing as missing:
            yield f"I12: of the invoice of asset {asset}, {missing.what}"

    def _require_own_labels(self, asset: str, invoice: AssetRecord, confirmation: AssetRecord | None) -> None:
        """A label that was opened to this object is one that follows from the opened invoice."""
        # Until the confirmation says `distinct` or not, an ordinal above 1 contradicts nothing.
        is_distinct = confirmation is None or confirmation.fields.get("distinct", True) is True
        own = {form for forms in label_spellings(invoice.fields, is_distinct=is_distinct) for form in forms}
        for shown in self.labels:
            if shown.value is not None and shown.value.object_id == asset and shown.label not in own:
                raise FieldMismatch(
                    field="label", expected="of this invoice", got=f"type {shown.label.type} of another"
                )

    def _review(self, asset: str, invoice: AssetRecord, confirmation: AssetRecord, insertion: Insertion) -> None:
        labels = review_labels(
            invoice.fields,
            is_distinct=confirmation.fields.get("distinct") is True,
            true_index={shown.label: shown.index for shown in self.labels}.get,
            inserted=insertion.indices,
        )
        expected = IdentityValue(confirmation.leaf, asset)
        for label in labels:
            self._require_opened(label, expected)

    def _require_opened(self, label: Label, expected: IdentityValue) -> None:
        """The registry holds the label, and holds it for this object and this confirmation."""
        values = [shown.value for shown in self.labels if shown.label == label and shown.value is not None]
        for value in values:
            if (value.object_id, value.entry_leaf) != (expected.object_id, expected.entry_leaf):
                raise FieldMismatch(field="labels.value", expected="this object and its confirmation", got="another")
        if not values:
            raise Missing(what=f"its label of type {label.type}, present in the registry and opened")


def _only(records: Sequence[AssetRecord], asset: str, what: str) -> AssetRecord | None:
    found = [record for record in records if record.fields.get("object") == asset]
    if len(found) > 1:
        raise FieldMismatch(field="object", expected=f"{what} once", got=f"{len(found)} times")
    return found[0] if found else None


def _require_agreement(invoice: AssetRecord, confirmation: AssetRecord | None) -> None:
    """The debtor confirmed this sum with its own key (I1, I4)."""
    if confirmation is None:
        return
    for name in _AGREED:
        given, confirmed = invoice.fields.get(name), confirmation.fields.get(name)
        if given is not None and confirmed is not None and given != confirmed:
            raise FieldMismatch(field=f"{name} (I4)", expected=str(given), got=str(confirmed))
    debtor = invoice.fields.get("debtor")
    if confirmation.insertion is not None and debtor is not None:
        authorisers = confirmation.insertion.authorisers
        if authorisers != {debtor}:
            raise FieldMismatch(field="authorisers (I1)", expected=str(debtor), got=", ".join(sorted(authorisers)))


def _require_numbers(fields: Mapping[str, FieldValue]) -> None:
    """A private field that is kept back looks like one that does not exist: a number not opened may hide a label."""
    for name in ("jurisdiction", "inv_no", "debtor"):
        if name not in fields:
            raise Missing(what=f"the opened field {name}")
    number = e_invoice_number(str(fields["jurisdiction"]))
    if number not in fields:
        raise Missing(what=f"the opened field {number}")
