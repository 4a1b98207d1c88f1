"""The one-day slice: eight invoices of few suppliers, notes issued, accepted, split and financed, and three frauds."""

from typing import Final

from hybrid_bridge.testing.datasets.invoicing import Asset
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.trade import Note, Trade

ROOTS: Final = 8
LEAST: Final = 5_000_000  # fen
TTL: Final = 24  # epochs; a demonstration's epochs are short
STORY: Final = """# One day of receivables finance

A supplier delivers to a steel group, which confirms eight invoices and issues a note on each. The supplier accepts,
splits two notes, and two banks finance some of them. On the way somebody tries to finance one invoice twice, to split
a note into one fen more than it is worth, and to pledge one note to both banks: each attempt is refused on the record.

A bank that sees only one financed note asks: was this invoice confirmed by its debtor, is the note pledged to nobody
else, does the split add up? The answers are in the bundle, and in no server.
"""


def tell(trade: Trade, total: int) -> None:
    """All events, in order; every one may be carried out at once."""
    story = trade.story
    suppliers = [firm for role, firm in story.firms.items() if role.startswith("supplier-")]
    bank, other = story.firms["bank-1"], story.firms["bank-2"]
    faces = Stream(story.seed, "faces").parts(total, ROOTS, LEAST)
    assets, notes = [], []
    for k, face in enumerate(faces):
        asset = trade.invoice(suppliers[k % len(suppliers)], face)
        trade.register(asset)
        trade.confirm(asset)
        note = trade.note(asset.supplier, face, 90)
        trade.issue(note, [(asset, face)])
        trade.accept(note)
        trade.root_faces.append(face)
        assets.append(asset)
        notes.append(note)
    _invoice_twice(trade, assets[0])
    _splits(trade, notes[0], notes[1])
    _both_banks(trade, notes[2])
    for k, financier in ((3, bank), (4, other)):
        _, key = trade.reserve(financier, [notes[k]], TTL)
        trade.finance(financier, key, [notes[k]])


def _invoice_twice(trade: Trade, asset: Asset) -> None:
    again = trade.invoice(asset.supplier, asset.gross)
    trade.register(again)
    at = trade.confirm(again, labels=trade.labels(asset))
    trade.story.expect(
        "F-R04", "fraud", "submit", at, "rejected:L-hard", [asset.object_id, again.object_id], "one invoice, two assets"
    )


def _splits(trade: Trade, first: Note, second: Note) -> None:
    half = first.face // 2
    at, _ = trade.split(first, [(first.holder, half), (first.holder, first.face - half + 1)])
    trade.story.expect("F-R02", "fraud", "submit", at, "rejected:I2", [first.note_id], "children exceed by one fen")
    _, children = trade.split(first, [(first.holder, half), (first.holder, first.face - half)])
    third = second.face // 3
    _, more = trade.split(
        second, [(second.holder, third), (second.holder, third), (second.holder, second.face - 2 * third)]
    )
    for child in (*children, *more):
        trade.accept(child)
    _, key = trade.reserve(trade.story.firms["bank-1"], children[:1], TTL)
    trade.finance(trade.story.firms["bank-1"], key, children[:1])


def _both_banks(trade: Trade, note: Note) -> None:
    bank, other = trade.story.firms["bank-1"], trade.story.firms["bank-2"]
    _, key = trade.reserve(bank, [note], TTL)
    at, _ = trade.reserve(other, [note], TTL)
    trade.story.expect("F-R05", "fraud", "submit", at, "rejected:I5", [note.note_id], "two banks, one note")
    trade.finance(bank, key, [note])
