"""What a bank checks before its key authorises, and an outsider with opened fields: that the labels are the true ones.

The chain refuses a repeated label; that an index is the label's own only a reader of the document can see, and the
financier is the one who would lose (SCENARIOS S4). Source: SCENARIOS §2.1 "Labels"; SPEC §9.2.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.identifiers import JURISDICTION
from hybrid_bridge.core.label_table import CREDITOR_INVOICE, CREDITOR_INVOICE_LOOSE, E_INVOICE, INVOICE_TERMS
from hybrid_bridge.core.labels import Label, normalised
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, Missing
from hybrid_bridge.units import RegistryIndex

E_INVOICE_NUMBERS: Final = ("cn_einv", "einv_uuid")  # in China, and abroad
MAX_TWINS: Final = 8  # ordinals tried for a soft label; more equal deliveries on one day are looked up by hand


def mandatory_labels(fields: Mapping[str, FieldValue], ordinal: int = 1) -> tuple[Label, ...]:
    """The identity labels of an invoice, from the opened fields of its `asset.register`.

    All that the numbers on it allow: an e-invoice number makes one, the seller's own number two more.

    Raises:
        Missing: a field that every invoice has is not opened.
        FieldMalformed: a number has no normal form; two e-invoice numbers, of which one would be forgotten.
    """
    seller, buyer = _opened(fields, "seller"), _opened(fields, "buyer")
    numbers = [str(fields[name]) for name in E_INVOICE_NUMBERS if name in fields]
    if len(numbers) > 1:
        raise FieldMalformed(field=E_INVOICE_NUMBERS[1], rule=f"not beside {E_INVOICE_NUMBERS[0]}: one of the two")
    labels = [normalised(E_INVOICE, _opened(fields, "jurisdiction"), number) for number in numbers]
    if "inv_no" in fields:
        invoice = _opened(fields, "inv_no")
        labels.append(normalised(CREDITOR_INVOICE, seller, invoice))
        labels.append(normalised(CREDITOR_INVOICE_LOOSE, seller, invoice, str(ordinal)))
    terms = [_opened(fields, name) for name in ("ccy", "gross", "issue_date")]
    labels.append(normalised(INVOICE_TERMS, buyer, *terms, str(ordinal)))
    return tuple(labels)


def e_invoice_number(jurisdiction: str) -> str:
    """The field that holds the e-invoice number there.

    Raises:
        FieldMalformed, TooLong: no jurisdiction.
    """
    return E_INVOICE_NUMBERS[JURISDICTION.normalise(jurisdiction) != "CN"]


def review_labels(
    fields: Mapping[str, FieldValue],
    *,
    is_distinct: bool,
    true_index: Callable[[Label], RegistryIndex | None],
    inserted: Collection[RegistryIndex],
) -> tuple[Label, ...]:
    """The mandatory labels of the opened invoice, each among the indices that its confirmation inserted.

    Args:
        fields: opened fields of the `asset.register`.
        is_distinct: the confirmation's claim `distinct`; only then may a soft label have an ordinal above 1.
        true_index: of a label: a member computes it, an outsider knows it by a VRF proof, else it is None.
        inserted: the indices in the transaction that confirmed.

    Raises:
        Missing: a field is not opened, or the index of a label is not known.
        FieldMismatch: a label of this invoice was not inserted: another one was.
    """
    found, unknown = [], []
    for spellings in label_spellings(fields, is_distinct=is_distinct):
        indices = [true_index(spelling) for spelling in spellings]
        standing = [s for s, index in zip(spellings, indices, strict=True) if index is not None and index in inserted]
        if standing:
            found.append(standing[0])
        elif None in indices:
            unknown.append(str(spellings[0].type))
        else:
            rule = f"type {spellings[0].type} of this invoice"
            raise FieldMismatch(field="label", expected=rule, got="another index")
    if unknown:
        raise Missing(what=f"the VRF proofs of its labels of type {', '.join(unknown)}")
    return tuple(found)


def label_spellings(fields: Mapping[str, FieldValue], *, is_distinct: bool) -> tuple[tuple[Label, ...], ...]:
    """Of each mandatory label all forms that count: a soft one of a `distinct` invoice may have a higher ordinal.

    Raises:
        Missing, FieldMalformed: as `mandatory_labels`.
    """
    twins = [mandatory_labels(fields, ordinal) for ordinal in range(1, (MAX_TWINS if is_distinct else 1) + 1)]
    return tuple(tuple(dict.fromkeys(spellings)) for spellings in zip(*twins, strict=True))


def _opened(fields: Mapping[str, FieldValue], name: str) -> str:
    if name not in fields:
        raise Missing(what=f"the opened field {name}")
    return str(fields[name])
