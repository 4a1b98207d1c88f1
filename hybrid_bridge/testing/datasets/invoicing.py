"""Invoices as supplier and debtor would handle them: write, register, confirm, amend, cancel.

Each verb appends one event and keeps what the parties would remember. Nothing here checks a rule: cheats use the same
verbs with other arguments.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.testing.datasets.story import Fields, Firm, Story
from hybrid_bridge.testing.datasets.stream import Stream
from hybrid_bridge.testing.datasets.synthetic import e_invoice
from hybrid_bridge.testing.datasets.ubl import VAT_PERCENT, Invoice, Line, Party

GOODS = (
    ("Hot-rolled coil", "TNE"),
    ("Cold-rolled sheet", "TNE"),
    ("Refractory brick", "H87"),
    ("Conveyor roller", "H87"),
    ("Coking coal", "TNE"),
    ("Hydraulic seal", "H87"),
    ("Graphite electrode", "TNE"),
    ("Limestone", "TNE"),
)
CORE = "core"
OPERATOR = "operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An invoice as its supplier remembers it."""

    object_id: str
    supplier: Firm
    key: str
    gross: int
    invoice_number: str
    e_invoice: str
    issue_date: str


@dataclass
class Invoicing:
    """A supplier's and its debtor's verbs about invoices."""

    story: Story
    next_party_key: int = 1
    next_invoice: int = 1
    root_faces: list[int] = field(default_factory=list)  # of accepted root notes

    def __post_init__(self) -> None:
        self.details = Stream(self.story.seed, "details")

    def party_key(self, firm: Firm, purpose: str) -> str:
        """A name for a fresh key of a firm."""
        name = f"{firm.role}/{purpose}-{self.next_party_key:04d}"
        self.next_party_key += 1
        return name

    def certificate(self, firm: Firm, key: str) -> Fields:
        """The private field that says whose a party key is."""
        return {"party_cert": self.story.party_certificate(firm, key)}

    # ── assets ──

    def invoice(self, supplier: Firm, gross: int) -> Asset:
        """The supplier has delivered and writes an invoice; nothing is on the ledger yet."""
        number = self.next_invoice
        self.next_invoice += 1
        return Asset(
            object_id=self.story.ids.id16(),
            supplier=supplier,
            key=self.party_key(supplier, "invoice"),
            gross=gross,
            invoice_number=f"INV-{self.story.today().year}/{number:04d}",
            e_invoice=e_invoice(self.details, self.story.today().year),
            issue_date=self.story.today().isoformat(),
        )

    def register(self, asset: Asset) -> int:
        """0x0101, with the invoice as a UBL document."""
        core = self.story.firms[CORE]
        net = (asset.gross * 100 + (100 + VAT_PERCENT) // 2) // (100 + VAT_PERCENT)
        document = self._document(asset, net)
        fields: Fields = {
            "object": asset.object_id,
            "debtor": f"@{CORE}",
            "ccy": "CNY",
            "gross": str(asset.gross),
            "creditor_key": f"@{asset.key}",
            "seller": asset.supplier.party,
            "buyer": core.party,
            "jurisdiction": "CN",
            "cn_einv": asset.e_invoice,
            "inv_no": asset.invoice_number,
            "issue_date": asset.issue_date,
            "net": str(net),
            "tax": str(asset.gross - net),
            **self.story.document(f"{asset.object_id}.xml", document.xml()),
            **self.certificate(asset.supplier, asset.key),
        }
        return self.submit("asset.register", [asset.key], fields, [CORE])

    def _document(self, asset: Asset, net: int) -> Invoice:
        core, stem = self.story.firms[CORE], asset.invoice_number[-4:]
        item, unit = self.details.choice(GOODS)
        first = net * self.details.between(20, 80) // 100
        lines = (
            Line(item=item, quantity=self.details.between(2, 60), unit=unit, net=first),
            Line(item="Freight and handling", quantity=1, unit="C62", net=net - first),
        )
        due = datetime.date.fromisoformat(asset.issue_date) + datetime.timedelta(days=60)
        return Invoice(
            number=asset.invoice_number,
            e_invoice=asset.e_invoice,
            issue_date=asset.issue_date,
            due_date=due.isoformat(),
            order=f"PO-{stem}",
            despatch=f"DN-{stem}",
            receipt=f"GR-{stem}",
            contract=f"FC-{asset.supplier.role[-1]}-2026",
            seller=Party(name=asset.supplier.name, uscc=asset.supplier.uscc, city="Test City"),
            buyer=Party(name=core.name, uscc=core.uscc, city="Test City"),
            lines=lines,
            net=net,
            tax=asset.gross - net,
        )

    def labels(self, asset: Asset, ordinal: int = 1) -> list[Json]:
        """The outside numbers of an invoice as people write them; whoever submits normalises (SPEC §9.2)."""
        debtor, party = self.story.firms[CORE].party, asset.supplier.party
        return [
            {"type": 2, "parts": ["CN", asset.e_invoice]},
            {"type": 3, "parts": [party, asset.invoice_number]},
            {"type": 4, "parts": [party, asset.invoice_number, "1"]},
            {"type": 5, "parts": [debtor, "CNY", str(asset.gross), asset.issue_date, str(ordinal)]},
        ]

    def confirm(self, asset: Asset, *, ordinal: int = 1, labels: list[Json] | None = None) -> int:
        """0x0102, with the identity labels."""
        fields: Fields = {
            "object": asset.object_id,
            "gross": str(asset.gross),
            "ccy": "CNY",
            "distinct": ordinal > 1,
            "order_number": f"PO-{asset.invoice_number[-4:]}",
            "receipt_number": f"GR-{asset.invoice_number[-4:]}",
            "acceptance_date": self.story.today().isoformat(),
        }
        shown = self.labels(asset, ordinal) if labels is None else labels
        more: Fields = {"labels": shown, "object": asset.object_id}
        return self.submit("asset.confirm", [CORE], fields, [CORE], more=more)

    def amend(self, asset: Asset, gross: int) -> Asset:
        """0x0103."""
        fields: Fields = {"object": asset.object_id, "gross": str(gross), "reason": "price corrected by agreement"}
        self.submit("asset.amend", [asset.key, CORE], fields, [CORE])
        return replace(asset, gross=gross)

    def cancel(self, asset: Asset) -> int:
        """0x0104."""
        fields: Fields = {"object": asset.object_id, "reason": "goods returned"}
        return self.submit("asset.cancel", [asset.key, CORE], fields, [CORE])

    def submit(
        self,
        schema: str,
        authorisers: Sequence[str],
        fields: Fields,
        audience: Sequence[str],
        *,
        submitter: str | None = None,
        more: Fields | None = None,
    ) -> int:
        """Core and banks submit for themselves; the operator, a neutral member, for everybody else."""
        who = submitter or (CORE if list(authorisers) == [CORE] else OPERATOR)
        return self.story.event(
            f"{schema}/1",
            submitter=who,
            authorisers=authorisers,
            fields=fields,
            audience=[*audience, who],
            more=more or {},
        )
