"""Service Desk: what the member's own people may ask, and nobody else."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from hybrid_bridge.adapters.sqlite.records import StoredRecord
from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.encoding import Json, Reader, Writer, parse_b64u, parse_canonical_json, require_digest
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import RecordPayload, SignaturePart
from hybrid_bridge.errors import FieldMalformed, Unknown
from hybrid_bridge.node.bundling import BundleOrder, Bundler, RecordOrder
from hybrid_bridge.node.desk import LIVES_FOR, Desk, DraftOrder
from hybrid_bridge.node.drafts import parse_draft
from hybrid_bridge.node.erasing import Doomed, Eraser, Selection
from hybrid_bridge.node.governing import Governing
from hybrid_bridge.node.noticing import Noticer
from hybrid_bridge.node.promises import Window
from hybrid_bridge.node.regulating import Regulator
from hybrid_bridge.node.sequences import dropped_numbers, numbers_of
from hybrid_bridge.node.standing import standing
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Call, Caller, Method, Service
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs
from hybrid_bridge.units import Digest, EpochNumber, KeyId, TransactionId, TreeSize

MAX_FIELDS: Final = 1 << 20  # bytes of the fields' JSON


class DeskService:
    """Thin: parse, ask the desk, answer."""

    def __init__(
        self,
        view: View,
        desk: Desk,
        bundler: Bundler,
        noticer: Noticer,
        *,
        governing: Governing | None = None,
        regulator: Regulator | None = None,
    ) -> None:
        """`regulator`: where this member is one, whose readings are logged."""
        self._view, self._desk, self._bundler, self._noticer = view, desk, bundler, noticer
        self._governing, self._regulator = governing, regulator

    def service(self) -> Service:
        """For the server; the owner of this node alone."""
        methods: dict[str, Method] = {
            "Key": self.key,
            "Draft": self.draft,
            "Authorise": self.authorise,
            "Send": self.send,
            "Records": self.records,
            "Record": self.record,
            "Bundle": self.bundle,
            "Promises": self.promises,
            "Sequences": self.sequences,
            "Erase": self.erase,
            "Stops": self.stops,
            "Missing": self.missing,
            **({} if self._governing is None else self._governing.methods()),
        }
        return Service("hybrid_bridge.v1.Desk", stubs.add_DeskServicer_to_server, methods, self._entitled)

    def key(self, request: pb.KeyRequest, _call: Call) -> pb.KeyResponse:
        """The public key of one purpose."""
        public = self._desk.key(request.purpose).public
        return pb.KeyResponse(key_id=public.key_id, spki=public.spki)

    def draft(self, request: pb.DraftRequest, _call: Call) -> pb.DraftResponse:
        """Write a record."""
        fields = _fields(request.fields)
        order = DraftOrder(
            schema=request.schema,
            fields=fields,
            labels=_labels(request.labels),
            object_id=request.object_id or str(fields.get("object", "")),
            purposes=tuple(who.purpose for who in request.authorisers if who.purpose),
            others=tuple(KeyId(require_digest(who.key_id, "key_id")) for who in request.authorisers if who.key_id),
            audience=tuple(request.audience),
            lives_for=request.lives_for or LIVES_FOR,
        )
        return pb.DraftResponse(draft=self._desk.draft(order).encode())

    def authorise(self, request: pb.AuthoriseRequest, _call: Call) -> pb.AuthoriseResponse:
        """Consent to a record with keys of this node."""
        parts = self._desk.authorise(parse_draft(request.draft), list(request.purposes))
        return pb.AuthoriseResponse(signatures=[part.write(Writer()).bytes() for part in parts])

    def send(self, request: pb.SendRequest, _call: Call) -> pb.SendResponse:
        """Hand a record over to the ledger."""
        parts = [_signature(data) for data in request.signatures]
        sent = self._desk.send(parse_draft(request.draft), parts)
        entry = sent.body.payload.entry if isinstance(sent.body.payload, RecordPayload) else b""
        return pb.SendResponse(
            transaction_id=sent.body.transaction_id,
            entry=entry,
            entry_leaf=leaf_hash(entry),
            promise=sent.promise,
            height=sent.height,
            code=sent.code,
        )

    def records(self, request: pb.RecordsRequest, _call: Call) -> pb.RecordsResponse:
        """What we hold, without its content."""
        return pb.RecordsResponse(
            records=[self._summary(record) for record in self._view.records.records(request.after)]
        )

    def record(self, request: pb.RecordRequest, call: Call) -> pb.RecordResponse:
        """One document in full.

        Raises:
            Unknown: we do not hold it.
            Erased: we held it.
        """
        record = self._view.records.record(Digest(request.entry_leaf))
        if record is None:
            raise Unknown(what="document of this entry")
        self._note(call, [record.leaf], "record")
        return pb.RecordResponse(document=record.plaintext)

    def bundle(self, request: pb.BundleRequest, call: Call) -> pb.BundleResponse:
        """What an outsider gets."""
        chosen = {bytes(one.entry_leaf): one for one in request.disclosed}
        order = BundleOrder(
            purpose=request.purpose or "record",
            records=tuple(
                _record_order(leaf, chosen.get(bytes(leaf), pb.Disclosed()), transaction=request.transactions)
                for leaf in request.entry_leaves
            ),
            labels=tuple(Label.decode(one.label) for one in request.labels),
            size=TreeSize(request.size),
            label_epoch=EpochNumber(request.label_epoch),
            promised=TransactionId(require_digest(request.promised, "promised")) if request.promised else None,
            receipts=request.receipts,
            cose_receipt=request.cose_receipt,
            presentable=request.presentable,
            newest=request.newest,
            cosigned=request.cosignatures,
            governance=request.governance,
        )
        made = self._bundler.bundle(order).encode()
        self._note(call, [one.leaf for one in order.records], f"bundle {order.purpose}")
        return pb.BundleResponse(bundle=made)

    def missing(self, _request: pb.MissingRequest, _call: Call) -> pb.MissingResponse:
        """Accepted records of which no copy has come.

        Raises:
            Unknown: we are no regulator, and not in every audience.
        """
        if self._regulator is None:
            raise Unknown(what="missing copies: this member is no regulator")
        copies = [
            pb.MissingCopy(entry_leaf=one.leaf, submitter=one.submitter, height=one.height, since=one.since)
            for one in self._regulator.copies.missing()
        ]
        return pb.MissingResponse(copies=copies)

    def _note(self, call: Call, leaves: Sequence[Digest], what: str) -> None:
        """A regulator's reading is durable before what was read leaves."""
        if self._regulator is not None and leaves:
            self._regulator.log.note(call.caller, leaves, what)

    def stops(self, request: pb.StopsRequest, _call: Call) -> pb.StopsResponse:
        """Which brakes are on, and which orders freeze these objects."""
        found = standing(self._view, request.objects)
        return pb.StopsResponse(
            epoch=found.epoch,
            brakes=[pb.Braked(scope=one.scope, until_epoch=one.until, by=one.by) for one in found.brakes],
            freezes=[
                _frozen(object_id, order, row)
                for object_id, orders in found.freezes.items()
                for order, row in sorted(orders.items())
            ],
            policy=self._view.directory.policy.encode(),
        )

    def promises(self, request: pb.PromisesRequest, _call: Call) -> pb.PromisesResponse:
        """What nodes have promised us, and what became of it."""
        rows = []
        for number, sequence, signed in self._view.records.promises.after(request.after):
            standing = Window(signed.promise, self._view.logbook).standing(self._view.ledger)
            rows.append(
                pb.PromiseSummary(
                    number=number,
                    promise=signed.encode(),
                    standing=standing.word,
                    epoch=standing.epoch,
                    sequence=sequence,
                )
            )
        return pb.PromisesResponse(promises=rows)

    def sequences(self, request: pb.SequencesRequest, _call: Call) -> pb.SequencesResponse:
        """Which numbers of each submitter stand in blocks here, and which of ours were promised and do not."""
        view = self._view
        wanted = KeyId(require_digest(request.submitter, "submitter")) if request.submitter else None
        own, dropped = view.keys.identity.public.key_id, dropped_numbers(view.ledger, view.records.promises)
        rows = []
        for submitter, numbers in sorted(numbers_of(view.ledger, view.directory.genesis.first_block, wanted).items()):
            rows.append(
                pb.SequenceSummary(
                    submitter=submitter,
                    name=view.directory.name_of(submitter) or "",
                    seen=[pb.NumberRange(first=first, last=last) for first, last in numbers.ranges],
                    next=numbers.next,
                    height=numbers.height,
                    dropped=dropped if submitter == own else [],
                )
            )
        return pb.SequencesResponse(submitters=rows)

    def erase(self, request: pb.EraseRequest, call: Call) -> pb.EraseResponse:
        """What is meant and, once that is confirmed, its end; the ledger's notice of it follows by itself.

        Raises:
            Unknown: what others have erased is asked for, and there is none.
        """
        eraser, selection = Eraser(self._view), _selection(request)
        if request.noticed:
            asked = self._noticer.asked_for()
            if not asked:
                raise Unknown(what="document here that its submitter has erased")
            selection = replace(selection, leaves=(*selection.leaves, *asked))
        found = eraser.erase(selection, request.reason) if request.confirmed else eraser.chosen(selection)
        if request.matches and not request.confirmed:  # what a field holds was looked at
            self._note(call, [doomed.record.leaf for doomed in found if not doomed.record.erased], "search")
        self._view.progress.nudge()
        return pb.EraseResponse(records=[self._erased(doomed) for doomed in found])

    def _erased(self, doomed: Doomed) -> pb.ErasedRecord:
        told = _erased(doomed)
        told.acknowledged.extend(self._noticer.acknowledged(doomed.record.leaf))
        return told

    def _entitled(self, caller: Caller) -> bool:
        return caller.role == "owner" and caller.name == self._view.name

    def _summary(self, record: StoredRecord) -> pb.RecordSummary:
        height = self._view.ledger.entry_height(record.leaf)
        header = None if height is None else self._view.ledger.header(height)
        standing = self._refused_or_waiting(record) if header is None else "accepted"
        return pb.RecordSummary(
            number=record.number,
            entry_leaf=record.leaf,
            schema=record.schema,
            standing="erased" if record.erased else standing,
            source=record.source,
            epoch=0 if header is None else header.epoch,
        )

    def _refused_or_waiting(self, record: StoredRecord) -> str:
        """What a document is whose entry does not stand; refused may still be sent again."""
        own = record.transaction_id
        standing = None if own is None else self._view.ledger.standing(own)
        return "waiting" if standing is None else "refused"


def _fields(data: bytes) -> dict[str, FieldValue]:
    value = parse_canonical_json(data, "fields", MAX_FIELDS)
    if not isinstance(value, dict):
        raise FieldMalformed(field="fields", rule="an object")
    fields: dict[str, FieldValue] = {}
    for name, inner in value.items():
        if isinstance(inner, dict | list):
            raise FieldMalformed(field=name[:64], rule="string, integer, boolean or null")
        fields[name] = inner
    return fields


def _labels(data: bytes) -> tuple[Label, ...]:
    value = parse_canonical_json(data, "labels", MAX_FIELDS) if data else []
    if not isinstance(value, list):
        raise FieldMalformed(field="labels", rule="an array")
    return tuple(Label.decode(_octets(inner)) for inner in value)


def _selection(request: pb.EraseRequest) -> Selection:
    return Selection(
        leaves=tuple(Digest(require_digest(leaf, "entry_leaf")) for leaf in request.entry_leaves),
        objects=tuple(request.objects),
        matches=tuple((match.name, match.value) for match in request.matches),
    )


def _erased(doomed: Doomed) -> pb.ErasedRecord:
    record, document = doomed.record, doomed.document
    return pb.ErasedRecord(
        entry_leaf=record.leaf,
        schema=record.schema,
        source=record.source,
        disclosures=0 if document is None else len(document.disclosures),
        decoys=0 if document is None else len(document.decoys),
        openings=0 if document is None else len(document.openings),
        owed=[name for name, state in doomed.envelopes.items() if state == "owed"],
        signed=[name for name, state in doomed.envelopes.items() if state == "done"],
        erased_at=record.erased,
        reason=record.reason,
    )


def _octets(value: Json) -> bytes:
    if not isinstance(value, str):
        raise FieldMalformed(field="labels", rule="base64url texts")
    return parse_b64u(value, "labels")


def _signature(data: bytes) -> SignaturePart:
    reader = Reader(data)
    part = SignaturePart.read(reader)
    reader.end("signature")
    return part


def _frozen(object_id: str, order: str, row: Mapping[str, Json]) -> pb.Frozen:
    until = int(str(row["until"]))
    return pb.Frozen(object=object_id, order=order, escrow=row["escrow"] is True, until_epoch=until)


def _record_order(leaf: bytes, chosen: pb.Disclosed, *, transaction: bool) -> RecordOrder:
    return RecordOrder(
        leaf=Digest(require_digest(leaf, "entry_leaf")),
        names=tuple(chosen.names),
        transaction=transaction or chosen.transaction,
    )
