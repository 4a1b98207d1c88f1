"""Before a bank's key finances: is each invoice behind the note the one whose labels its confirmation inserted?

Validators cannot see that (SCENARIOS S4); the financier is the one who would lose, so its own node looks (I5, F-R15).
"""

from collections.abc import Collection
from typing import Final

from hybrid_bridge.business.outside import numbered
from hybrid_bridge.business.receivables.objects import ASSET, stored_note
from hybrid_bridge.business.receivables.review import review_labels
from hybrid_bridge.business.record_types import ASSET_CONFIRM, ASSET_REGISTER
from hybrid_bridge.core.delivery import DeliveryPlaintext, parse_delivery
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.labels import Label, event_code
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import Missing, NotYet, RuleRejected
from hybrid_bridge.node.documents import Opened, open_document, require_true_labels, true_index
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Height, KeyId, RecordType, RegistryIndex

_FINANCIER: Final = {"fin.finance/1": "fin_key", "fin.refinance/1": "new_fin_key"}  # the claim that names its key


def require_reviewed(view: View, document: Opened, keys: Collection[KeyId]) -> None:
    """Return if none of `keys` is the financier's, or if every invoice behind the notes has its own labels.

    Raises:
        Missing: an invoice or its confirmation was not delivered to us.
        NotYet: our own ledger does not have a note yet.
        FieldMismatch: the labels inserted are another invoice's.
    """
    financier = document.fields.get(_FINANCIER.get(document.schema, ""))
    if financier not in [key_id_text(key) for key in keys]:
        return
    for asset in _assets(view, document):
        _review(view, asset)


def _assets(view: View, document: Opened) -> list[str]:
    """What backs the notes, splits followed to the note that was issued."""
    with view.ledger.state() as state:
        try:
            notes = [stored_note(state, str(note)) for note in numbered(document.fields, "note", "")]
        except RuleRejected as unknown:  # only our own ledger: the block with it may be on its way to us
            raise NotYet(what=f"note {unknown.subject} here") from None
        roots = [stored_note(state, note.root) for note in notes]
    return list(dict.fromkeys(asset for root in roots for asset, _ in root.back))


def _review(view: View, asset: str) -> None:
    vrf_seed, log_id = view.keys.vrf, view.directory.log_id
    _, registered = _document(view, asset, ASSET_REGISTER)
    height, confirmed = _document(view, asset, ASSET_CONFIRM)
    payload = _payload(view, height, confirmed.entry)
    require_true_labels(confirmed, payload, log_id, vrf_seed)

    def index(label: Label) -> RegistryIndex:
        return true_index(label, log_id, vrf_seed)

    review_labels(
        open_document(registered).fields,
        is_distinct=open_document(confirmed).fields["distinct"] is True,
        true_index=index,
        inserted={op.index for op in payload.ops},
    )


def _document(view: View, asset: str, record_type: RecordType) -> tuple[Height, DeliveryPlaintext]:
    """The document of what happened to an asset, and where it stands."""
    for height, event in view.ledger.life_events(ASSET, asset):
        stored = view.records.record(event.entry_leaf) if event.code == event_code(record_type) else None
        if stored is not None:
            return height, parse_delivery(stored.plaintext)
    raise Missing(what=f"the delivered {event_code(record_type)} of asset {asset}, which this key would finance")


def _payload(view: View, height: Height, entry: bytes) -> RecordPayload:
    for _, data in view.ledger.transactions_of(height):
        payload = SignedTransaction.decode(data).body.payload
        if isinstance(payload, RecordPayload) and payload.entry == entry:
            return payload
    raise Missing(what="the block with this entry")
