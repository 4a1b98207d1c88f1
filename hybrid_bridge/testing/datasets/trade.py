"""Notes as parties would handle them: issue, accept, split, reserve, finance, pay; freezes by the court. See `invoicing`."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.testing.datasets.invoicing import CORE, OPERATOR, Asset, Invoicing
from hybrid_bridge.testing.datasets.story import Fields, Firm


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note as its holder remembers it."""

    note_id: str
    holder: Firm
    key: str
    face: int
    due: datetime.date


class Trade(Invoicing):
    """All verbs: what parties do with notes, beside `Invoicing`."""

    # ── notes ──

    def note(self, holder: Firm, face: int, days: int) -> Note:
        """A note that somebody means to make."""
        due = self.story.today() + datetime.timedelta(days=days)
        return Note(
            note_id=self.story.ids.id16(), holder=holder, key=self.party_key(holder, "note"), face=face, due=due
        )

    def issue(
        self,
        note: Note,
        back: Sequence[tuple[Asset, int]],
        *,
        authoriser: str = CORE,
        hidden: Fields | None = None,
        event_time: int | None = None,
    ) -> int:
        """0x0105, on the assets in `back`."""
        issued = self.story.today()
        fields: Fields = {
            "note": note.note_id,
            "debtor": f"@{CORE}",
            "ccy": "CNY",
            "face": str(note.face),
            "issue_date": issued.isoformat(),
            "due_date": note.due.isoformat(),
            "payee_key": f"@{note.key}",
            "payee": note.holder.party,
            "contract_number": f"FC-{note.holder.role[-1]}-2026",
        }
        for k, (asset, allot) in enumerate(back):
            fields |= {f"back.{k}.object": asset.object_id, f"back.{k}.allot": str(allot)}
        if event_time is not None:
            fields["event_time"] = event_time
        more: Fields | None = None if hidden is None else {"hidden": hidden}
        return self.submit("note.issue", [authoriser], fields, [CORE, OPERATOR], more=more)

    def accept(self, note: Note) -> int:
        """0x0106."""
        fields: Fields = {"note": note.note_id, **self.certificate(note.holder, note.key)}
        return self.submit("note.accept", [note.key], fields, [OPERATOR])

    def decline(self, note: Note) -> int:
        """0x0107."""
        fields: Fields = {
            "note": note.note_id,
            "reason": "terms not as agreed",
            **self.certificate(note.holder, note.key),
        }
        return self.submit("note.decline", [note.key], fields, [OPERATOR])

    def split(self, parent: Note, shares: Sequence[tuple[Firm, int]]) -> tuple[int, list[Note]]:
        """0x0108, among others or to one; the children are offered."""
        children = [
            Note(
                note_id=self.story.ids.id16(),
                holder=firm,
                key=self.party_key(firm, "note"),
                face=face,
                due=parent.due,
            )
            for firm, face in shares
        ]
        fields: Fields = {"note": parent.note_id}
        for k, child in enumerate(children):
            fields |= {
                f"child.{k}.note": child.note_id,
                f"child.{k}.face": str(child.face),
                f"child.{k}.payee_key": f"@{child.key}",
                f"child.{k}.payee": child.holder.party,
                f"child.{k}.trade_document": f"PO-{child.holder.role}-{self.details.below(10**6):06d}",
            }
        return self.submit("note.split", [parent.key], fields, [OPERATOR]), children

    # ── financing ──

    def reserve(self, bank: Firm, notes: Sequence[Note], ttl: int = 5) -> tuple[int, str]:
        """0x0109; the event and the fin key."""
        key = self.party_key(bank, "fin")
        fields: Fields = {
            "fin_key": f"@{key}",
            "ttl_epochs": ttl,
            "bank": bank.party,
            "application": f"APP-{self.details.below(10**6):06d}",
            **self.certificate(bank, key),
            **_listed(notes),
        }
        holders = [note.key for note in notes]
        return self.submit("fin.reserve", [*holders, key], fields, [bank.role], submitter=bank.role), key

    def finance(self, bank: Firm, key: str, notes: Sequence[Note], rate_bps: int = 8_500) -> int:
        """0x010A; `rate_bps` of the faces is advanced."""
        fields: Fields = {
            "fin_key": f"@{key}",
            "check_epoch": self.story.epoch(),
            **_listed(notes),
            **self._loan(bank, notes, rate_bps),
        }
        return self.submit("fin.finance", [key], fields, [bank.role], submitter=bank.role)

    def _loan(self, bank: Firm, notes: Sequence[Note], rate_bps: int) -> Fields:
        return {
            "bank": bank.party,
            "advance": str(sum(note.face for note in notes) * rate_bps // 10_000),
            "rate": self.details.between(280, 460),
            "advance_rate": min(rate_bps, 10_000),
            "registry_number": f"{self.details.below(10**14):014d}",
            "registry_time": self.story.now,
            "payment_reference": f"E2E{self.details.below(10**12):012d}",
        }

    def release(self, bank: Firm, key: str, notes: Sequence[Note]) -> int:
        """0x010B."""
        fields: Fields = {"reason_code": "REPAID", **_listed(notes)}
        return self.submit("fin.release", [key], fields, [bank.role], submitter=bank.role)

    def refinance(self, old_key: str, bank: Firm, notes: Sequence[Note]) -> tuple[int, str]:
        """0x010C; the event and the new fin key."""
        key = self.party_key(bank, "fin")
        fields: Fields = {
            "new_fin_key": f"@{key}",
            "check_epoch": self.story.epoch(),
            **_listed(notes),
            **self._loan(bank, notes, 8_000),
            **self.certificate(bank, key),
        }
        return self.submit("fin.refinance", [old_key, key], fields, [bank.role], submitter=bank.role), key

    # ── payment ──

    def pay(self, note: Note, amount: int) -> int:
        """0x010D."""
        return self._money("note.pay", CORE, note, "paid", amount)

    def acknowledge(self, note: Note, amount: int, key: str | None = None) -> int:
        """0x010E, by the holder or the given fin key."""
        return self._money("note.pay_ack", key or note.key, note, "paid", amount)

    def settle(self, note: Note, amount: int, key: str | None = None) -> None:
        """Pay and acknowledge."""
        self.pay(note, amount)
        self.acknowledge(note, amount, key)

    def overdue(self, schema: str, note: Note, amount: int, key: str | None = None) -> int:
        """0x010F to 0x0111."""
        return self._money(schema, key or note.key, note, "amount", amount)

    def _money(self, schema: str, authoriser: str, note: Note, name: str, amount: int) -> int:
        fields: Fields = {"note": note.note_id, name: str(amount)}
        if name == "paid":
            fields["payment_reference"] = f"E2E{self.details.below(10**12):012d}"
        return self.submit(schema, [authoriser], fields, [CORE, OPERATOR])

    # ── authorities ──

    def freeze(self, schema: str, order: str, objects: Sequence[str], *, escrow: bool = False) -> int:
        """0x0011 and 0x0012, by the court."""
        fields: Fields = {
            "order": order,
            "reason_code": "COURT_ORDER" if schema == "freeze.order" else "ORDER_REVOKED",
            "escrow": escrow,
            "authority": self.story.firms["court"].name,
            "case_number": f"TEST (2026) No. {self.details.below(10**4):04d}",
        }
        if schema == "freeze.order":
            fields["until_epoch"] = 0
        fields |= {f"object.{k}": object_id for k, object_id in enumerate(objects)}
        return self.submit(schema, ["court"], fields, [CORE, OPERATOR], submitter="court")


def _listed(notes: Sequence[Note]) -> Fields:
    return {f"note.{k}": note.note_id for k, note in enumerate(notes)}
