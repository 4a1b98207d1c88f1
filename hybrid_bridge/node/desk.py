"""Step 1 at work: the owner's desk. Draft a record, authorise one, send it, see what one holds.

The node holds the keys: its identity, and party keys made from one seed, each for one purpose. A document is durable
before its transaction is sent; its envelopes leave when the transaction stands. What the sequencer says of it is told
to the owner and changes nothing here: only our own ledger can show that a document will never stand (`delivering`).
"""

import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn, TypeVar

from hybrid_bridge.adapters.sqlite.records import StoredRecord
from hybrid_bridge.core.delivery import DeliveryPlaintext
from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.encoding import context
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.labels import Label
from hybrid_bridge.core.ledger_state import get_number, sequence_key
from hybrid_bridge.core.transaction import Body, SignaturePart, SignedTransaction
from hybrid_bridge.errors import (
    AdmissionRejected,
    BridgeError,
    Expired,
    FieldMalformed,
    NotYet,
    RuleRejected,
    SequenceRejected,
)
from hybrid_bridge.node.delivering import sealed_for
from hybrid_bridge.node.documents import open_document, require_true_labels
from hybrid_bridge.node.drafts import DraftPackage
from hybrid_bridge.node.promises import checked_promise
from hybrid_bridge.node.reviewing import require_reviewed
from hybrid_bridge.node.submitting import Submitter
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.faults import unpack
from hybrid_bridge.steps.submit import Document, Submission, build_record, finish
from hybrid_bridge.units import EpochNumber, Height, KeyId, UnixSeconds
from hybrid_bridge.units import Sequence as SequenceNumber

T = TypeVar("T")

IDENTITY: Final = "identity"
LIVES_FOR: Final = 24  # epochs in which a draft may stand in a block, unless the owner says otherwise
MAX_PURPOSE: Final = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOrder:
    """What the owner wants written."""

    schema: str
    fields: dict[str, FieldValue] = field(repr=False)
    labels: tuple[Label, ...] = field(default=(), repr=False)
    object_id: str = ""
    purposes: tuple[str, ...] = ()  # keys of this node that will authorise
    others: tuple[KeyId, ...] = ()  # keys of others that will
    audience: tuple[str, ...] = ()
    lives_for: int = LIVES_FOR


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction that stands in a durable block."""

    body: Body
    height: Height
    code: int
    promise: bytes  # 219; empty when it stood already


class Desk:
    """One owner's keys and documents at work."""

    def __init__(self, view: View, submitter: Submitter) -> None:
        self._view, self._submitter = view, submitter
        self._turn = threading.Lock()
        self._next = 0

    def key(self, purpose: str) -> PrivateKey:
        """The identity key, or the party key of this purpose: the same purpose gives the same key.

        Raises:
            FieldMalformed: no purpose, or too long a one.
        """
        if not 0 < len(purpose) <= MAX_PURPOSE:
            raise FieldMalformed(field="purpose", rule=f"1 to {MAX_PURPOSE} characters")
        if purpose == IDENTITY:
            return self._view.keys.identity
        data = context("party-key") + self._view.directory.log_id + purpose.encode("utf-8")
        key = PrivateKey.from_seed(hmac.digest(self._view.keys.party, data, "sha256"))
        self._view.records.keep_purpose(key.public.key_id, purpose)
        return key

    def draft(self, order: DraftOrder) -> DraftPackage:
        """Write a record: fields salted, labels opened, nothing signed and nothing kept yet.

        Raises:
            Malformed: the fields are not those of the schema.
            Unknown: nobody of that name.
        """
        view = self._view
        authorisers = {self.key(purpose).public.key_id for purpose in order.purposes} | set(order.others)
        submission = Submission(
            log_id=view.directory.log_id,
            submitter=view.keys.identity.public.key_id,
            sequence=SequenceNumber(0),
            expires_epoch=EpochNumber(self._epoch() + order.lives_for),
            authorisers=tuple(authorisers),
        )
        document = Document(schema=order.schema, fields=order.fields, labels=order.labels, object_id=order.object_id)
        drafted = build_record(document, submission, view.keys.vrf, secrets.token_bytes)
        return DraftPackage(
            body=drafted.body.encode(),
            document=drafted.delivered().encode(),
            audience=self._audience(order.audience),
        )

    def authorise(self, package: DraftPackage, purposes: Iterable[str]) -> list[SignaturePart]:
        """Consent with keys of ours to a record that we have read in full.

        Raises:
            Malformed, Refuted: the document is not what the body commits to, or a label is not the true one.
            Missing: our key would finance an invoice that was not delivered to us.
            AdmissionRejected: a key that the body does not name, or a draft that would pass a regulator by.
        """
        body, _, _ = package.opened()
        self._require_regulators(package, body.submitter)
        return self._authorised(package, purposes)

    def send(self, package: DraftPackage, consents: Sequence[SignaturePart]) -> Sent:
        """Sign as submitter, and as every authoriser whose key is ours; hand over. Again is no change.

        Once it stands its audience gets the document.

        Raises:
            Missing: a consent is not there.
            Rejected, Undecided: what the ledger says; after an Undecided ask again with the same draft.
            Expired: our own ledger is past its last epoch, and it does not stand there: a new draft repeats nothing.
        """
        body, _, document = package.opened()
        if body.submitter != self._view.keys.identity.public.key_id:
            raise AdmissionRejected(rule="drafted at this node")
        if (sent := self._found_standing(body, package, document)) is not None:
            return sent
        parts = [*consents, *self._authorised(package, self._own_purposes(body))]
        try:
            return self._in_turn(lambda: self._send(body, package, document, parts))
        except Expired:
            self._require_passed(body)
            if (sent := self._found_standing(body, package, document)) is None:
                raise
            return sent

    def govern(self, body: Body, consents: Sequence[SignaturePart]) -> Height:
        """Sign a governance transaction as its submitter and hand it over; where it stands then.

        Raises:
            Missing: a consent is not there.
            Rejected, Undecided: what the ledger says; after an Undecided ask again.
        """
        self._view.brake.require_free()
        try:
            return self._in_turn(lambda: self._govern(body, consents))
        except Expired:
            self._require_passed(body)
            raise

    def epoch(self) -> EpochNumber:
        """Of the clock, or of our newest block where that is later."""
        tip = self._view.chain.tip
        return EpochNumber(max(self._epoch(), 0 if tip is None else tip.epoch))

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _authorised(self, package: DraftPackage, purposes: Iterable[str]) -> list[SignaturePart]:
        """See `authorise`. The audience of what is sent here is made anew from the directory, whatever a draft says."""
        self._view.brake.require_free()
        body, payload, document = package.opened()
        if payload.ops:
            require_true_labels(document, payload, body.log_id, self._view.keys.vrf)
        keys = [self.key(purpose) for purpose in purposes]
        if any(key.public.key_id not in body.authorisers for key in keys):
            raise AdmissionRejected(rule="named as authoriser in the draft")
        require_reviewed(self._view, open_document(document), [key.public.key_id for key in keys])
        return [SignaturePart.over(body.consent, key) for key in keys]

    def _in_turn(self, send: Callable[[], T]) -> T:
        with self._turn:
            try:
                return send()
            except SequenceRejected as rejected:  # another of ours came first; nothing stood in a block
                self._next = rejected.expected
                return send()

    def _require_passed(self, body: Body) -> None:
        """Return if our own ledger is past the last epoch in which it may stand; before that nobody's word ends it.

        Whoever orders may have it in a block that has not come here, sent before under another number: its owner would
        write the same deed a second time.
        """
        tip = self._view.chain.tip
        if tip is None or tip.epoch <= body.expires_epoch:
            raise NotYet(
                what=f"a block beyond epoch {body.expires_epoch} here: it may stand in one that has not come yet"
            )

    def _send(
        self, body: Body, package: DraftPackage, document: DeliveryPlaintext, consents: Sequence[SignaturePart]
    ) -> Sent:
        view, body = self._view, replace(body, sequence=self._sequence())
        signed = finish(body, SignaturePart.over(body.message, view.keys.identity), consents)
        self._keep(body, package, document)
        # Durable: document, salts, envelopes. Dead here? The same draft is sent again; what stands is delivered.
        result = self._submitter.submit([signed.encode()])[0]
        if result.height:
            self._next = body.sequence + 1
            promise = checked_promise(result.promise, body, view.directory, view.directory.sequencer.name)
            view.records.promises.keep(promise, body.sequence, view.clock.now())
            # Durable: what the node owes us. Dead here? The entry stands, or the promise in the file says that it must.
        if result.fault.name:
            self._failed(unpack(result.fault.name, result.fault.fields))
        _log.info("transaction %s stands at height %d", body.transaction_id.hex(), result.height)
        return Sent(body, Height(result.height), result.code, result.promise)

    def _govern(self, body: Body, consents: Sequence[SignaturePart]) -> Height:
        identity = self._view.keys.identity
        body = replace(body, submitter=identity.public.key_id, sequence=self._sequence())
        signed = finish(body, SignaturePart.over(body.message, identity), consents)
        result = self._submitter.submit([signed.encode()])[0]
        if result.height:
            self._next = body.sequence + 1
        if result.fault.name:
            self._failed(unpack(result.fault.name, result.fault.fields))
        _log.info("governance transaction %s stands at height %d", body.transaction_id.hex(), result.height)
        return Height(result.height)

    def _keep(self, body: Body, package: DraftPackage, document: DeliveryPlaintext) -> None:
        """The document and an envelope for each of its audience, as it is now: nobody signed the draft's list."""
        view = self._view
        record = StoredRecord(
            number=0,
            leaf=entry_leaf(document.entry),
            schema=open_document(document).schema,
            source="own",
            transaction_id=body.transaction_id,
            plaintext=package.document,
        )
        members = [view.directory.member(name) for name in self._audience(package.audience)]
        envelopes = [(member.name, sealed_for(member, body.log_id, document)) for member in members]
        view.records.keep_own(record, envelopes, body.expires_epoch, view.clock.now())

    @staticmethod
    def _failed(error: BridgeError) -> NoReturn:
        if isinstance(error, RuleRejected) and error.rule == "entry":
            raise NotYet(what="the block with this entry here: it stands already, ask again")
        raise error

    def _found_standing(self, body: Body, package: DraftPackage, document: DeliveryPlaintext) -> Sent | None:
        """As `_standing`, with its document kept: our records may be younger than our ledger."""
        if (sent := self._standing(body, document)) is not None:
            self._keep(sent.body, package, document)
        return sent

    def _standing(self, body: Body, document: DeliveryPlaintext) -> Sent | None:
        """The transaction with this entry, if it stands here already."""
        height = self._view.ledger.entry_height(entry_leaf(document.entry))
        if height is None:
            return None
        for code, data in self._view.ledger.transactions_of(height):
            standing = SignedTransaction.decode(data).body
            if standing.payload == body.payload:
                return Sent(standing, height, code, b"")
        return None

    def _own_purposes(self, body: Body) -> list[str]:
        """Those of the authorisers that are keys of this node."""
        own = [IDENTITY] * (self._view.keys.identity.public.key_id in body.authorisers)
        return own + [purpose for key in body.authorisers if (purpose := self._view.records.purpose(key)) is not None]

    def _sequence(self) -> SequenceNumber:
        """Our next number: what the ledger says, or one more than we sent."""
        with self._view.ledger.state() as state:
            stands = get_number(state, sequence_key(self._view.keys.identity.public.key_id))
        return SequenceNumber(max(stands, self._next))

    def _audience(self, names: Iterable[str]) -> tuple[str, ...]:
        """The members named and every regulator, ourselves left out: we have it."""
        directory = self._view.directory
        named = {directory.member(name).name for name in names}
        regulators = {member.name for member in directory.members if "regulator" in member.roles}
        return tuple(sorted((named | regulators) - {self._view.name}))

    def _require_regulators(self, package: DraftPackage, submitter: KeyId) -> None:
        """The policy names them: what would not reach every one of them is not signed here."""
        directory = self._view.directory
        for member in directory.members:
            is_sender = directory.identities[member.name].key_id == submitter
            if "regulator" in member.roles and not is_sender and member.name not in package.audience:
                raise AdmissionRejected(rule=f"the regulator {member.name} in the audience")

    def _epoch(self) -> EpochNumber:
        genesis = self._view.directory.genesis
        return epoch_of(genesis, UnixSeconds(max(self._view.clock.now(), genesis.genesis_time)))
