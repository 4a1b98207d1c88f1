"""Step 6's input: gather what an outsider needs of this member's records, without anchors, which whoever asks adds.

Everything stands on one checkpoint with a quorum: genesis, epochs, entries, the fields that the owner chose, labels
with their VRF proofs and openings. Nothing is shown that was not asked for, save `_schema` and `_origin` (SPEC §3).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hybrid_bridge.business.ruling import LifeEvent
from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.block import ACCEPTED
from hybrid_bridge.core.bundle import (
    AbsencePart,
    Bundle,
    CheckpointPart,
    DisclosurePart,
    EntryPart,
    EpochPart,
    GenesisPart,
    LabelPart,
    TerminalPart,
    WitnessAnchor,
)
from hybrid_bridge.core.checkpoint import parse_note, quorum_name
from hybrid_bridge.core.delivery import DeliveryPlaintext, parse_delivery
from hybrid_bridge.core.disclosure import ORIGIN, SCHEMA, parse_disclosure
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.entry import ENTRY_BYTES
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.exports.cose_receipt import verify_root
from hybrid_bridge.core.labels import LIFE, Label
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import Missing, NotYet, TooLong, Unknown
from hybrid_bridge.node.handovers import Handovers, holders, validator_parts
from hybrid_bridge.node.presenting import is_ours, issuer_jwt
from hybrid_bridge.node.promises import Window
from hybrid_bridge.node.sourcing import Sourcer
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.batch import label_index, life_event_value
from hybrid_bridge.units import Digest, EpochNumber, Height, LeafIndex, RegistryIndex, TransactionId, TreeSize

ALWAYS: Final = frozenset({SCHEMA, ORIGIN})  # disclosed whenever anything is
EVERYTHING: Final = "*"
MAX_EPOCHS: Final = 64  # of a bundle (SPEC §11)


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """A record to show, which of its fields (names, or `*` for all), and whether its signed transaction too."""

    leaf: Digest
    names: tuple[str, ...]
    transaction: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOrder:
    """What to show. Zero for size or epoch means the newest."""

    purpose: str
    records: tuple[RecordOrder, ...]
    labels: tuple[Label, ...]  # of a life label the whole story is shown
    size: TreeSize
    label_epoch: EpochNumber
    promised: TransactionId | None = None  # whose promise was broken
    promise: SignedPromise | None = None  # or the promise itself, somebody else's
    indices: tuple[RegistryIndex, ...] = ()  # of labels that we are not told
    receipts: bool = False  # of each identity label: absent in the epoch before it was inserted, present in that one
    cose_receipt: bool = False  # with the receipt key's word over the checkpoint
    presentable: bool = False  # with our JWT over each record that we submitted
    newest: bool = False  # with the newest checkpoint too
    cosigned: bool = False  # with the lines of members and witnesses under each checkpoint


class Bundler:
    """Makes bundles from one member's stores."""

    def __init__(self, view: View, receipt_of: Callable[[TreeSize], bytes], sourcer: Sourcer | None = None) -> None:
        """Reads alone.

        Args:
            view: our stores.
            receipt_of: the receipt key's word over a checkpoint of ours, from whoever holds the key.
            sourcer: makes evidence of the consensus engine, if there is one.
        """
        self._view, self._receipt_of, self._sourcer = view, receipt_of, sourcer
        self._handovers = Handovers(view)

    def bundle(self, order: BundleOrder) -> Bundle:
        """The bundle, on the checkpoint asked for or the newest with a quorum.

        Raises:
            NotYet: no quorum, or a record lies beyond that checkpoint.
            Unknown: a record that we do not hold, or a field that it does not have.
            Erased: a record that we held.
            Missing: JWTs, when no record is ours; a receipt of epoch 1.
            FieldMalformed: a receipt, of a log without a receipt key.
            NotOmitted: what was promised is there.
        """
        newest = min(self._view.progress.quorum, self._view.progress.line)
        size = order.size or newest
        if not 2 <= size <= self._view.progress.line:
            raise NotYet(what="a checkpoint with a quorum and the log's line")
        checkpoints = [self._checkpoint(order, size, None)]
        newest = min(newest, self._handovers.last_size(size))
        if order.newest and newest > size:
            checkpoints.append(self._checkpoint(order, newest, size))
        parts = _Gathered()
        for wanted in order.records:
            epoch, entry = self._entry(wanted, size, order)
            parts.entries[epoch].append(entry)
        if order.presentable and not any(entry.issuer_jwt for entries in parts.entries.values() for entry in entries):
            raise Missing(what="a record that this member submitted: ask the submitter")
        for label in order.labels:
            for epoch in self._label_epochs(label, order, size):
                parts.labels[epoch] += (self._label(label, version, epoch) for version in self._versions(label, epoch))
        for index in order.indices:
            parts.labels[EpochNumber(size - 1)].append(self._standing(index, EpochNumber(size - 1)))
        signed = order.promise if order.promised is None else self._promise(order.promised)
        if signed is not None:
            parts.absences |= self._absences(signed.promise, size)
        last = parse_note(checkpoints[-1].note).size
        certificates = {sha256(m.certificate): m.certificate for m in self._handovers.members(last)}
        return Bundle(
            purpose=order.purpose,
            genesis=self._genesis(size),
            rotations=self._handovers.parts(size, last),
            checkpoints=tuple(checkpoints),
            epochs=tuple(self._epoch(epoch, size, parts) for epoch in parts.epochs()),
            source_evidence=() if self._sourcer is None else tuple(self._sourcer.parts(self._shown(parts))),
            certificates=tuple(certificates[digest] for digest in sorted(certificates)),
            promise=None if signed is None else signed.encode(),
            anchors=self._cosigners(checkpoints),
        )

    def _shown(self, parts: "_Gathered") -> Iterator[tuple[EpochRecord, list[bytes]]]:
        """Each epoch of which a transaction is shown, with those."""
        for epoch in parts.epochs():
            entries = sorted(parts.entries[epoch], key=lambda entry: entry.index)
            shown = [entry.transaction for entry in entries if entry.transaction is not None]
            if shown:
                yield EpochRecord.decode(self._view.logbook.closed(epoch).record), shown

    def _cosigners(self, checkpoints: Sequence[CheckpointPart]) -> tuple[WitnessAnchor, ...]:
        """Who put a line under a note beside log and validators: a bundle has no line of a name it does not give."""
        origin = self._view.directory.origin
        anchors = []
        for note in (parse_note(part.note) for part in checkpoints):
            addresses = self._view.directory.responsible(note.size).addresses
            ours = {origin, *(quorum_name(origin, address) for address in addresses)}
            names = dict.fromkeys(line.name for line in note.lines if line.name not in ours)
            anchors += [WitnessAnchor(tree_size=note.size, name=name) for name in names]
        return tuple(anchors)

    def _checkpoint(self, order: BundleOrder, size: TreeSize, older: TreeSize | None) -> CheckpointPart:
        logbook = self._view.logbook
        return CheckpointPart(
            note=logbook.note(size, cosigned=order.cosigned),
            consistency=() if older is None else tuple(logbook.consistency_path(older, size)),
            receipt=self._receipt(order, size),
        )

    def _receipt(self, order: BundleOrder, size: TreeSize) -> bytes | None:
        """Verified before anybody gets it: the holder of the key may be another member."""
        if not order.cose_receipt:
            return None
        directory = self._view.directory
        signature = self._receipt_of(size) if any(directory.genesis.receipt_key) else b""
        verify_root(directory.genesis, directory.origin, self._view.logbook.root(size), signature)
        return signature

    def _absences(self, promise: Promise, size: TreeSize) -> dict[EpochNumber, tuple[AbsencePart, ...]]:
        """Every epoch of the window without the entry and without its refusal.

        Raises:
            TooLong: its window has more epochs than a bundle.
            NotOmitted, NotYet: as `Window.absences`.
        """
        length = promise.by_epoch - promise.accepted_epoch + 1
        if length > MAX_EPOCHS:
            raise TooLong(field="promise.window", limit=MAX_EPOCHS, got=length)
        return Window(promise, self._view.logbook).absences(size)

    def _promise(self, transaction_id: TransactionId) -> SignedPromise:
        """The promise that we were given.

        Raises:
            Unknown: we hold none.
        """
        signed = self._view.records.promises.of(transaction_id)
        if signed is None:
            raise Unknown(what="promise for this transaction")
        return signed

    def _genesis(self, size: TreeSize) -> GenesisPart:
        directory = self._view.directory
        return GenesisPart(
            origin=directory.origin,
            record=directory.genesis.encode(),
            path=tuple(self._view.logbook.inclusion_path(LeafIndex(0), size)),
            validators=validator_parts(holders(directory, directory.validators)),
            mldsa_key=directory.log_mldsa_key,
        )

    def _epoch(self, epoch: EpochNumber, size: TreeSize, parts: "_Gathered") -> EpochPart:
        return EpochPart(
            record=self._view.logbook.closed(epoch).record,
            path=tuple(self._view.logbook.inclusion_path(LeafIndex(epoch), size)),
            entries=tuple(sorted(parts.entries[epoch], key=lambda entry: entry.index)),
            absences=parts.absences.get(epoch, ()),
            labels=tuple(parts.labels[epoch]),
        )

    # ── a record ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(self, wanted: RecordOrder, size: TreeSize, order: BundleOrder) -> tuple[EpochNumber, EntryPart]:
        record = self._view.records.record(wanted.leaf)
        height = self._view.ledger.entry_height(wanted.leaf)
        header = None if height is None else self._view.ledger.header(height)
        if record is None:
            raise Unknown(what="document of this entry")
        if header is None or header.epoch >= size:
            raise NotYet(what="the record in the epochs of this checkpoint")
        plaintext = parse_delivery(record.plaintext)
        data = self._view.logbook.closed(header.epoch).entries
        presentable = order.presentable and is_ours(self._view, plaintext)
        batch = Batch(data[at : at + ENTRY_BYTES] for at in range(0, len(data), ENTRY_BYTES))
        index = batch.index_of(wanted.leaf)
        part = EntryPart(
            entry=plaintext.entry,
            index=index,
            path=batch.path(index),
            disclosures=_chosen(plaintext, wanted.names or tuple(ALWAYS) * order.presentable),
            transaction=self._transaction(header.height, plaintext.entry) if wanted.transaction else None,
            issuer_jwt=issuer_jwt(self._view, plaintext, header.epoch) if presentable else None,
        )
        return header.epoch, part

    def _transaction(self, height: Height, entry: bytes) -> bytes | None:
        for code, data in self._view.ledger.transactions_of(height):
            payload = SignedTransaction.decode(data).body.payload
            if code == ACCEPTED and isinstance(payload, RecordPayload) and payload.entry == entry:
                return data
        return None

    # ── a label ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _label_epochs(self, label: Label, order: BundleOrder, size: TreeSize) -> tuple[EpochNumber, ...]:
        """Where a label is shown: at one epoch, or for a receipt before and after its insertion.

        Raises:
            NotYet: a receipt of what is not registered under this checkpoint.
            Missing: a receipt of epoch 1: before it stands only the founding, whose root the genesis record has.
        """
        last = order.label_epoch or EpochNumber(size - 1)
        if not order.receipts or label.type == LIFE:
            return (last,)
        index, _ = label_index(self._view.directory.genesis, self._view.keys.vrf, label, 0)
        height = self._view.ledger.label_height(index)
        header = None if height is None else self._view.ledger.header(height)
        if header is None or header.epoch > last:
            raise NotYet(what=f"the label of type {label.type} in the epochs of this checkpoint")
        if header.epoch == 1:
            raise Missing(what="an epoch before epoch 1: the registry was founded with dummies alone")
        return EpochNumber(header.epoch - 1), header.epoch

    def _versions(self, label: Label, epoch: EpochNumber) -> range:
        """An identity label has one; of a life label all that happened by `epoch` are shown, and that no more did."""
        if label.type != LIFE:
            return range(1)
        return range(len(self._life_until(label, epoch)) + 1)

    def _life_until(self, label: Label, epoch: EpochNumber) -> list[tuple[EpochNumber, LifeEvent]]:
        """The events of an object up to the end of `epoch`, each with its epoch."""
        object_type, object_id = label.parts
        events = []
        for height, event in self._view.ledger.life_events(object_type, object_id):
            header = self._view.ledger.header(height)
            if header is not None and header.epoch <= epoch:
                events.append((header.epoch, event))
        return events

    def _label(self, label: Label, version: int, epoch: EpochNumber) -> LabelPart:
        """Present or absent at `epoch`; opened, if it is present and we can."""
        index, proof = label_index(self._view.directory.genesis, self._view.keys.vrf, label, version)
        part = replace(self._standing(index, epoch), label=label.encode(), version=version, proof=proof)
        if part.terminal is None or part.terminal.index != index:
            return part
        is_life = label.type == LIFE
        opened = self._life_opening(label, version, epoch) if is_life else self._identity_opening(label)
        return part if opened is None else replace(part, value=opened[0], opening=opened[1])

    def _standing(self, index: RegistryIndex, epoch: EpochNumber) -> LabelPart:
        """What stands at an index, or in its place."""
        shown = self._view.logbook.registry(epoch).prove(index)
        found = shown.terminal
        terminal = None if found is None else TerminalPart(index=found.key, commitment=found.value)
        return LabelPart(index=index, terminal=terminal, path=shown.path)

    def _life_opening(self, label: Label, version: int, epoch: EpochNumber) -> tuple[str, bytes] | None:
        """Validators derive it from their set's secret; where it is not held it stays closed: present, use unknown."""
        happened, event = self._life_until(label, epoch)[version]
        secret = self._view.keys.secret_of(self._view.directory.responsible(happened + 1).set_id)
        if secret is None:
            return None
        opening = secret.life_opening(happened, label.encode(), version)
        return life_event_value(event).decode("utf-8"), opening

    def _identity_opening(self, label: Label) -> tuple[str, bytes] | None:
        """It came with the document of the record that inserted it, if we hold that."""
        encoded = label.encode()
        for plaintext in self._view.records.plaintexts():
            for opening in parse_delivery(plaintext).openings:
                if opening.label == encoded:
                    return opening.value, opening.opening
        return None


@dataclass(slots=True)
class _Gathered:
    entries: defaultdict[EpochNumber, list[EntryPart]] = field(default_factory=lambda: defaultdict(list))
    labels: defaultdict[EpochNumber, list[LabelPart]] = field(default_factory=lambda: defaultdict(list))
    absences: dict[EpochNumber, tuple[AbsencePart, ...]] = field(default_factory=dict)

    def epochs(self) -> list[EpochNumber]:
        """Ascending."""
        return sorted({*self.entries, *self.labels, *self.absences})


def _chosen(plaintext: DeliveryPlaintext, names: Sequence[str]) -> tuple[DisclosurePart, ...]:
    """The fields asked for, and those that always go with them.

    Raises:
        Unknown: the record has no such field.
    """
    named = {parse_disclosure(part.value).name: part for part in plaintext.disclosures}
    if not names:
        return ()
    wanted = set(named) if EVERYTHING in names else ALWAYS.union(names)
    if missing := wanted - named.keys():
        raise Unknown(what=f"field {min(missing)[:64]} of this record")
    parts = sorted((named[name] for name in wanted), key=lambda part: part.index)
    return tuple(DisclosurePart(value=part.value, index=part.index, path=part.path) for part in parts)
