"""Desks and the sequencer's pool in one process: a transaction is ordered the moment somebody waits for it."""

import json
import secrets
from dataclasses import replace

from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.encoding import b64u
from hybrid_bridge.core.labels import creditor_invoice
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.node.desk import Desk, DraftOrder, Sent
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.ordering import Orderer
from hybrid_bridge.node.submitting import AtSequencer
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from tests.unit.hybrid_bridge.node.members import START, Members

PARTY = "LEI:5493001KJTIIGC8Y1R12"
SELLER = "A private name"


class Instant(AtSequencer):
    """The sequencer without its thread: a block is made when a result is asked for."""

    def __init__(self, members: Members, limit: int = 100) -> None:
        view = members.open("core").view
        self.orderer = Orderer(view, lambda: float(members.clock.moment))
        super().__init__(self.orderer, view.directory.log_id, limit)

    def _result(self, waiting: object) -> pb.SubmitResult:
        if not isinstance(waiting, BridgeError):
            self.orderer.make_block()
        return super()._result(waiting)


def desk(members: Members, name: str, submitter: Instant | None = None) -> Desk:
    return Desk(members.open(name).view, submitter or Instant(members))


def registration(members: Members, object_id: str, **changes: object) -> DraftOrder:
    supplier, core = desk(members, "supplier"), desk(members, "core")
    fields: dict[str, object] = {
        "object": object_id,
        "debtor": b64u(core.key("identity").public.key_id),
        "ccy": "CNY",
        "gross": "1000",
        "creditor_key": b64u(supplier.key(f"creditor/{object_id}").public.key_id),
        "seller": SELLER,
        "inv_no": "INV-1",
        "event_time": START + 1,
    }
    order = DraftOrder(
        schema="asset.register/1",
        fields=fields,
        purposes=(f"creditor/{object_id}",),
        audience=("core", "bank-a"),
    )
    return replace(order, **changes)


def confirmation(object_id: str, invoice: str = "INV-1") -> DraftOrder:
    return DraftOrder(
        schema="asset.confirm/1",
        fields={"object": object_id, "gross": "1000", "ccy": "CNY", "distinct": False, "event_time": START + 1},
        labels=(creditor_invoice(PARTY, invoice),),
        object_id=object_id,
        purposes=("identity",),
        audience=("supplier",),
    )


def sent(members: Members, name: str, order: DraftOrder) -> tuple[Sent, DraftPackage]:
    """Drafted and sent at one member, the block executed by all."""
    package = desk(members, name).draft(order)
    result = desk(members, name).send(package, [])
    spread_new(members)
    return result, package


def spread_new(members: Members) -> None:
    """Everybody executes what core has ordered."""
    core = members.open("core").view
    for stored in core.ledger.blocks(members.open("supplier").view.chain.next_height):
        members.spread(StoredBlock(stored.data, stored.sealed))


def an_object() -> str:
    return secrets.token_hex(16)


def tampered(package: DraftPackage, **changes: object) -> DraftPackage:
    """The package with its document's JSON changed."""
    document = json.loads(package.document) | changes
    return replace(package, document=json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
