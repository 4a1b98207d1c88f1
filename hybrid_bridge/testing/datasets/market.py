"""The small set's scenes: two hundred days of trade among eight suppliers and three banks, with the labelled frauds.

Root notes by number: 0 and 1 equal deliveries · 2 forged, then split · 3 amended · 4 financed, released, financed again ·
5 and 6 on one invoice, refinanced · 7 a long tenor · 8 declined first · 9 a hidden second face · 10 a false label ·
11 tenor and date frauds · 12 and 13 unpaid · 14 frozen · 15 split fifty ways · 16 to 18 split · 19 reserved, lapsed ·
20 advanced too much · 21 paid in parts · 22 paid, then pledged · 23 issued once the default is cleared.
"""

from dataclasses import replace
from typing import Final

from hybrid_bridge.testing.datasets.invoicing import Asset
from hybrid_bridge.testing.datasets.story import DAY, Fields, Firm
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.trade import Note, Trade

ROOTS: Final = 24
LEAST: Final = 2_000_000  # fen
DAYS: Final = {7: 200, 12: 30, 13: 30}  # tenors that are not 90 days
WIDE: Final = 50
STORY: Final = """# Two hundred days of receivables finance

Longhe Special Steel buys from three tiers of suppliers. It confirms their invoices and issues notes that together are
exactly ¥1,600,000.00; suppliers pass parts of them on to their own suppliers, three banks finance some. Two notes are
not paid in time: one is paid under recourse, one is written off, and meanwhile the debtor can issue nothing. A court
freezes one note and lifts the freeze.

Fourteen frauds are tried, from a note that its debtor never signed to an invoice number written in full-width digits
so that it looks like another. `expected.jsonl` says which must be refused, by which rule, and which only a bank or an
outsider with opened fields can find. A refinancing bank abroad checks the last holder of a note that was split three
deep: the note's root is the debtor's own promise, every split adds up to the fen, and no other bank holds it.
"""


def tell(trade: Trade, total: int) -> None:
    """All scenes in order."""
    _Market(trade, total).tell()


class _Market:
    def __init__(self, trade: Trade, total: int) -> None:
        self.t = trade
        self.story = trade.story
        self.suppliers = [firm for role, firm in self.story.firms.items() if role.startswith("supplier-")]
        self.banks = [self.story.firms[f"bank-{k}"] for k in (1, 2, 3)]
        self.faces = Stream(self.story.seed, "faces").parts(total, ROOTS, LEAST)
        self.faces[-1] += self.faces[1] - self.faces[0]
        self.faces[1] = self.faces[0]
        self.assets: dict[int, Asset] = {}
        self.notes: dict[int, Note] = {}

    def tell(self) -> None:
        self.equal_deliveries()
        self.forged_note()
        self.amended_and_shared()
        self.long_tenor_and_decline()
        self.hidden_face_and_false_label()
        self.wrong_dates()
        for k in range(12, 23):
            if k in (16, 20):
                self.story.skip_days(2)
            self.root(k)
        self.invoice_twice()
        self.cancelled()
        self.splits()
        self.frozen()
        self.financings()
        self.lapsed_reservation()
        self.advanced_too_much()
        self.unpaid()
        self.maturity()

    def fraud(self, case: str, at: int, expect: str, objects: list[str], note: str, stage: str = "submit") -> None:
        self.story.expect(case, "fraud", stage, at, expect, objects, note)

    def benign(self, case: str, at: int, expect: str, objects: list[str], note: str, stage: str = "submit") -> None:
        self.story.expect(case, "benign", stage, at, expect, objects, note)

    # ── roots ──

    def supplier(self, k: int) -> Firm:
        """Roots go to the first tier: suppliers 1 to 3."""
        return self.suppliers[k % 3]

    def asset(self, k: int, gross: int | None = None) -> Asset:
        asset = self.t.invoice(self.supplier(k), self.faces[k] if gross is None else gross)
        self.t.register(asset)
        self.assets[k] = asset
        return asset

    def root(self, k: int, *, confirm: bool = True, hidden: Fields | None = None) -> int:
        if k not in self.assets:
            self.asset(k)
        if confirm:
            self.t.confirm(self.assets[k])
        return self.issue(k, [(self.assets[k], self.faces[k])], hidden)

    def issue(self, k: int, back: list[tuple[Asset, int]], hidden: Fields | None = None) -> int:
        note = self.t.note(self.supplier(k), self.faces[k], DAYS.get(k, 90))
        at = self.t.issue(note, back, hidden=hidden)
        self.t.accept(note)
        self.t.root_faces.append(note.face)
        self.notes[k] = note
        return at

    def equal_deliveries(self) -> None:
        """The same goods twice on one day: the second label of terms has ordinal 2, and the debtor says distinct."""
        self.root(0)
        first = self.assets[0]
        second = replace(self.t.invoice(first.supplier, self.faces[1]), issue_date=first.issue_date)
        self.t.register(second)
        self.assets[1] = second
        at = self.t.confirm(second, ordinal=2)
        self.benign("B-R01", at, "accepted", [first.object_id, second.object_id], "two equal deliveries on one day")
        self.issue(1, [(second, self.faces[1])])

    def forged_note(self) -> None:
        self.story.skip_days(1)
        asset = self.asset(2)
        self.t.confirm(asset)
        forged = self.t.note(asset.supplier, self.faces[2], 90)
        at = self.t.issue(forged, [(asset, self.faces[2])], authoriser=asset.key)
        self.fraud("F-R01", at, "rejected:I1", [forged.note_id], "a note that the debtor did not sign")
        self.issue(2, [(asset, self.faces[2])])

    def amended_and_shared(self) -> None:
        """Root 3 after an amendment; root 4 on two invoices; roots 5 and 6 on one."""
        asset = self.asset(3, self.faces[3] - 12_300)
        self.t.confirm(asset)
        self.assets[3] = self.t.amend(asset, self.faces[3])
        self.issue(3, [(self.assets[3], self.faces[3])])
        half = self.faces[4] // 2 - 1_111  # equal halves would need distinct terms
        one, other = self.asset(4, half), self.asset(4, self.faces[4] - half)
        self.t.confirm(one)
        self.t.confirm(other)
        self.issue(4, [(one, half), (other, self.faces[4] - half)])
        self.story.skip_days(1)
        shared = self.asset(5, self.faces[5] + self.faces[6])
        self.t.confirm(shared)
        for k in (5, 6):
            self.issue(k, [(shared, self.faces[k])])

    def long_tenor_and_decline(self) -> None:
        at = self.root(7)
        self.benign("B-R04", at, "verified+warn:tenor", [self.notes[7].note_id], "a tenor of 200 days", "verify")
        asset = self.asset(8)
        self.t.confirm(asset)
        declined = self.t.note(asset.supplier, self.faces[8], 150)
        self.t.issue(declined, [(asset, self.faces[8])])
        self.t.decline(declined)
        self.issue(8, [(asset, self.faces[8])])

    def hidden_face_and_false_label(self) -> None:
        self.story.skip_days(1)
        at = self.root(9, hidden={"face": str(self.faces[9] * 2)})
        self.fraud("F-R16", at, "malformed:face", [self.notes[9].note_id], "a second face among the private", "verify")
        asset = self.asset(10)
        stranger = self.t.invoice(asset.supplier, asset.gross)
        labels = self.t.labels(asset)
        labels[0] = self.t.labels(stranger)[0]
        at = self.t.confirm(asset, labels=labels)
        self.fraud("F-R15", at, "refuted:label", [asset.object_id], "label index of another e-invoice", "party")
        self.fraud("F-R15b", at, "refuted:label", [asset.object_id], "the same, seen by an outsider", "verify")
        self.issue(10, [(asset, self.faces[10])])

    def wrong_dates(self) -> None:
        asset = self.asset(11)
        self.t.confirm(asset)
        back = [(asset, self.faces[11])]
        long = self.t.note(asset.supplier, self.faces[11], 400)
        self.fraud("F-R07", self.t.issue(long, back), "rejected:I6", [long.note_id], "a tenor of 400 days")
        late = self.t.note(asset.supplier, self.faces[11], 90)
        at = self.t.issue(late, back, event_time=self.story.now - 10 * DAY)
        self.fraud("F-R08", at, "rejected:I9", [late.note_id], "an event dated ten days back")
        self.issue(11, back)

    # ── invoices ──

    def invoice_twice(self) -> None:
        asset = self.assets[2]
        again = self.t.invoice(asset.supplier, asset.gross)
        self.t.register(again)
        at = self.t.confirm(again, labels=self.t.labels(asset))
        self.fraud("F-R04", at, "rejected:L-hard", [asset.object_id, again.object_id], "one e-invoice, two assets")
        disguised = self.t.invoice(asset.supplier, asset.gross + 100)
        self.t.register(disguised)
        labels = self.t.labels(disguised)
        labels[0] = {"type": 2, "parts": ["CN", _disguise(asset.e_invoice)]}
        at = self.t.confirm(disguised, labels=labels)
        objects: list[str] = [asset.object_id, disguised.object_id]
        self.fraud("F-R13", at, "rejected:L-hard", objects, "full-width digits, spaces and dashes")

    def cancelled(self) -> None:
        asset = self.t.invoice(self.suppliers[1], 3_300_000)
        self.t.register(asset)
        self.t.confirm(asset)
        self.t.cancel(asset)

    # ── splits ──

    def shares(self, note: Note, firms: list[Firm]) -> list[tuple[Firm, int]]:
        sizes = Stream(self.story.seed, f"split/{note.note_id}").parts(note.face, len(firms), 1_000)
        return list(zip(firms, sizes, strict=True))

    def split(self, note: Note, *numbers: int) -> list[Note]:
        _, children = self.t.split(note, self.shares(note, [self.suppliers[n - 1] for n in numbers]))
        return children

    def split_and_accept(self, note: Note, *numbers: int) -> list[Note]:
        children = self.split(note, *numbers)
        for child in children:
            self.t.accept(child)
        return children

    def splits(self) -> None:
        self.story.skip_days(1)
        second_tier = self.split_and_accept(self.notes[0], 4, 5, 6)
        third_tier = self.split_and_accept(second_tier[0], 7, 8)
        self.split_and_accept(third_tier[0], 8)
        note = self.notes[2]
        shares = self.shares(note, self.suppliers[3:5])
        at, _ = self.t.split(note, [shares[0], (shares[1][0], shares[1][1] + 1)])
        self.fraud("F-R02", at, "rejected:I2", [note.note_id], "children exceed their parent by one fen")
        self.split_and_accept(note, 4, 5)
        at, _ = self.t.split(note, shares)
        self.fraud("F-R03", at, "rejected:I2", [note.note_id], "a parent split twice")
        taken, returned = self.split(self.notes[3], 5, 6)
        self.t.accept(taken)
        self.t.decline(returned)
        self.split_and_accept(replace(returned, key=self.notes[3].key), 4)
        at, wide = self.t.split(self.notes[15], self.shares(self.notes[15], [self.suppliers[7]] * WIDE))
        self.benign("B-R03", at, "accepted", [self.notes[15].note_id], f"an exact split into {len(wide)}")
        self.story.skip_days(1)
        self.split_and_accept(self.notes[16], 4, 5, 6, 7)
        self.split_and_accept(self.notes[17], 4, 5, 6, 7, 8)
        self.split_and_accept(self.notes[18], 5, 6, 7, 8)

    def frozen(self) -> None:
        note, order = self.notes[14], self.story.ids.id16()
        at = self.t.freeze("freeze.order", order, [note.note_id])
        self.benign("B-R05", at, "accepted", [note.note_id], "a court freezes a note and lifts it")
        at, _ = self.t.split(note, [(self.suppliers[3], note.face)])
        self.fraud("F-R09", at, "rejected:I8", [note.note_id], "a transfer while frozen")
        self.story.skip_days(3)
        self.t.freeze("freeze.lift", order, [note.note_id])
        self.split_and_accept(note, 4)

    # ── financing ──

    def financed(self, bank: Firm, *notes: Note, rate_bps: int = 8_500) -> tuple[int, str]:
        _, key = self.t.reserve(bank, notes)
        return self.t.finance(bank, key, notes, rate_bps), key

    def financings(self) -> None:
        first, second, third = self.banks
        note = self.notes[4]
        _, key = self.t.reserve(first, [note])
        at, _ = self.t.reserve(second, [note])
        self.fraud("F-R05", at, "rejected:I5", [note.note_id], "two banks reserve one note")
        self.t.finance(first, key, [note])
        self.story.skip_days(2)
        self.t.release(first, key, [note])
        at, self.key_4 = self.financed(third, note)
        self.benign("B-R02", at, "accepted", [note.note_id], "released, then financed by another bank")
        pair = [self.notes[5], self.notes[6]]
        _, key = self.t.reserve(second, pair)
        self.t.finance(second, key, pair)
        at, _ = self.t.refinance(key, third, pair)
        self.benign("B-R02b", at, "accepted", [n.note_id for n in pair], "refinanced with both banks' keys")

    def lapsed_reservation(self) -> None:
        first, second, _ = self.banks
        note = self.notes[19]
        self.t.reserve(first, [note], 2)
        self.story.skip_days(4)
        _, self.key_19 = self.financed(second, note)

    def advanced_too_much(self) -> None:
        at, _ = self.financed(self.banks[1], self.notes[20], rate_bps=9_500)
        self.fraud(
            "F-R14", at, "refuted:I6b", [self.notes[20].note_id], "95 % advanced where 90 % is the most", "verify"
        )

    # ── what comes due ──

    def unpaid(self) -> None:
        """Two notes are in default; nothing is issued until one is paid and the other written off."""
        one, other = self.notes[12], self.notes[13]
        self.story.skip_past(max(one.due, other.due))
        self.story.skip_days(4)
        for note in (one, other):
            self.t.overdue("note.default", note, note.face)
        asset = self.asset(23)
        self.t.confirm(asset)
        refused = self.t.note(asset.supplier, self.faces[23], 90)
        at = self.t.issue(refused, [(asset, self.faces[23])])
        self.fraud("F-R17", at, "rejected:I11", [refused.note_id], "a debtor in default issues")
        for note in (one, other):
            self.t.overdue("note.recourse", note, note.face)
        self.t.settle(one, one.face)
        self.t.overdue("note.writeoff", other, other.face)
        self.story.skip_days(1)
        self.root(23, confirm=False)

    def maturity(self) -> None:
        part, paid = self.notes[21], self.notes[22]
        self.story.skip_past(paid.due)
        self.t.settle(self.notes[4], self.notes[4].face, self.key_4)
        self.t.settle(self.notes[19], self.notes[19].face, self.key_19)
        self.t.pay(part, part.face // 3)
        at = self.t.acknowledge(part, part.face // 3)
        self.benign("B-R06", at, "accepted", [part.note_id], "paid in two parts")
        self.t.settle(paid, paid.face)
        at, _ = self.t.reserve(self.banks[0], [paid])
        self.fraud("F-R10", at, "rejected:I10", [paid.note_id], "financing after payment")
        self.story.skip_days(2)
        self.t.settle(part, part.face - part.face // 3)


def _disguise(number: str) -> str:
    """The same digits, full-width, with a space and a dash of another script."""
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    return f" {wide[:6]} {wide[6:13]}\u2014{wide[13:]}"
