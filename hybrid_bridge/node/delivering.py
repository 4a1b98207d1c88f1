"""Private documents between members: sealed, kept until signed for, opened and checked on arrival (design D9).

An envelope leaves when its transaction stands here, accepted; it is offered again, ever more slowly, until the
recipient's signed acknowledgement is stored. The receiver checks the document against its entry before it signs.
It stores one document for each entry that stands in its own ledger, and from its submitter alone: what peers can leave
here is bounded by what they wrote on the record, and by a quota for each. What comes too early is asked for again.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from time import monotonic
from typing import Final

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.hpke_sealer import open_envelope, seal
from hybrid_bridge.adapters.sqlite.records import Owed, StoredRecord
from hybrid_bridge.core.delivery import (
    MAX_PLAINTEXT,
    Acknowledgement,
    DeliveryPlaintext,
    SignedAcknowledgement,
    delivery_info,
    parse_delivery,
)
from hybrid_bridge.core.disclosure import ORIGIN
from hybrid_bridge.core.encoding import require_digest, sha256
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.errors import (
    AdmissionRejected,
    BridgeError,
    Erased,
    FieldMismatch,
    NotYet,
    Throttled,
    TooLong,
    Unreachable,
)
from hybrid_bridge.node.directory import Member
from hybrid_bridge.node.documents import open_document
from hybrid_bridge.node.stores import OUR_OWN
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, LogId, UnixSeconds

PAUSE: Final = 2.0  # seconds between two looks at the outbox
LAG: Final = 1.5  # seconds that a delivery waits for our ledger to show its entry, before it is sent away
MAX_ENVELOPE: Final = MAX_PLAINTEXT + 48  # encapsulated key and tag
TURN: Final = 5.0  # seconds that the answers of one recipient may take of one look
LONGEST_BACKOFF: Final = 64  # seconds between two attempts

_log = logging.getLogger(__name__)


def sealed_for(member: Member, log_id: LogId, plaintext: DeliveryPlaintext) -> bytes:
    """The envelope of a document for one member."""
    info = delivery_info(log_id, sha256(member.sealing_key), entry_leaf(plaintext.entry))
    return seal(member.sealing_key, info, plaintext.encode())


class Receiver:
    """Opens, checks, stores, signs."""

    def __init__(self, view: View, lag: float = LAG) -> None:
        self._view, self._lag = view, lag
        self._key_hash = sha256(view.directory.member(view.name).sealing_key)

    def receive(self, sender: str, leaf: Digest, envelope: bytes) -> bytes:
        """Take one envelope; 203 bytes of signed acknowledgement. The same envelope again is acknowledged again.

        Raises:
            EnvelopeUnopenable, Malformed, Refuted: nothing is stored.
            AdmissionRejected: the sender is not the submitter of the entry; nothing is stored.
            NotYet: the entry stands not here, the sender has no room, nothing is signed here yet; nothing is stored.
            Erased: we had this document and erased it; nothing is stored.
        """
        view = self._view
        view.brake.require_free()
        log_id = view.directory.log_id
        info = delivery_info(log_id, self._key_hash, require_digest(leaf, "entry_leaf"))
        if len(envelope) > MAX_ENVELOPE:
            raise TooLong(field="envelope", limit=MAX_ENVELOPE, got=len(envelope))
        plaintext = parse_delivery(open_envelope(view.keys.sealing, info, envelope))
        if entry_leaf(plaintext.entry) != leaf:
            raise FieldMismatch(field="entry", expected=leaf.hex(), got=entry_leaf(plaintext.entry).hex())
        opened = open_document(plaintext)
        if str(opened.fields[ORIGIN]) not in map(key_id_text, view.directory.key_ids(sender)):
            raise AdmissionRejected(rule="the submitter of the entry, to deliver its document")
        self._require_standing(leaf)
        now = view.clock.now()
        record = StoredRecord(
            number=0, leaf=leaf, schema=opened.schema, source=sender, transaction_id=None, plaintext=plaintext.encode()
        )
        view.records.keep_received(record, now)  # Durable: we have it. Dead here? Offered again, signed for then.
        _log.info("document of entry %s received from %s", leaf.hex(), sender)
        acknowledgement = Acknowledgement(
            log_id=log_id,
            entry_leaf=leaf,
            envelope_hash=sha256(envelope),
            received_time=now,
            receiver=view.keys.identity.public.key_id,
        )
        return SignedAcknowledgement.over(acknowledgement, view.keys.identity).encode()

    def _require_standing(self, leaf: Digest) -> None:
        """Wait a moment for a block that is on its way: the sender may have it before us."""
        progress, end = self._view.progress, monotonic() + self._lag
        while True:
            seen = progress.tip
            if self._view.ledger.entry_height(leaf) is not None:
                return
            if not progress.wait_above("tip", seen, end - monotonic()):
                raise NotYet(what="the entry in a block here")


class Deliverer:
    """The thread that empties the outbox."""

    def __init__(self, view: View, peers: Mapping[str, GrpcPeer]) -> None:
        self._view, self._peers = view, peers
        self._unreached: defaultdict[str, set[int]] = defaultdict(set)  # what waits for nothing but its recipient
        self._hastened: dict[str, UnixSeconds] = {}

    def run(self) -> None:
        """Deliver until stopped."""
        progress = self._view.progress
        while not progress.stopping:
            seen = progress.tip
            self.deliver_due()
            progress.wait_above("tip", seen, PAUSE)

    def settle(self) -> set[Digest]:
        """See which of our waiting documents stand, and forget those that never can, by our own ledger's word.

        A refusal on the record decides nothing: the same draft may be sent again until its last epoch has passed.
        Returns those that do not stand.
        """
        records, tip = self._view.records, self._view.chain.tip  # the tip first: what is committed later is younger
        waiting = dict(records.waiting())
        standing = [leaf for leaf in waiting if self._view.ledger.entry_height(leaf) is not None]
        records.stand(standing)
        absent = waiting.keys() - set(standing)
        for leaf in absent:
            if tip is not None and tip.epoch > waiting[leaf]:
                records.forget(leaf)
                _log.info("document of entry %s forgotten: it can never stand", leaf.hex())
        return absent

    def deliver_due(self) -> None:
        """Offer every envelope that is due and whose transaction stands.

        One recipient that says nothing is waited for once, however much it is owed, and one that is slow has its turn
        and goes on at the next look: the others want theirs, and whoever looks in between sees what stands now.
        """
        view, taken = self._view, defaultdict[str, float](float)
        absent = self.settle()  # each asked for once, not for each recipient: what was refused waits for long
        now, done, after = view.clock.now(), set[str](), 0
        while found := view.records.owed(now, after, done):
            for owed in found:
                if view.progress.stopping:
                    return
                if owed.recipient in done or owed.leaf in absent or view.ledger.entry_height(owed.leaf) is None:
                    continue
                began = monotonic()
                is_there = self._deliver(owed, now)
                taken[owed.recipient] += monotonic() - began
                if not is_there or taken[owed.recipient] > TURN:
                    done.add(owed.recipient)
            after = found[-1].number

    def _deliver(self, owed: Owed, now: UnixSeconds) -> bool:
        """Offer it. False if nobody answered."""
        try:
            peer = self._peers.get(owed.recipient)
            if peer is None:  # it has left; it may come back
                raise NotYet(what=f"{owed.recipient} among the members")
            data = peer.deliver(owed.leaf, owed.envelope)
            self._require_signed(owed, data)
        except OUR_OWN:
            raise
        except Erased:
            self._view.records.decline(owed.number)  # Durable: its loss alone, should it lie.
            self._is_back(owed, now)
            _log.info("%s has erased %s and takes it no more", owed.recipient, owed.leaf.hex())
        except BridgeError as error:
            wait = min(2**owed.attempts, LONGEST_BACKOFF)
            if isinstance(error, Throttled):
                wait = max(wait, min(error.retry_after // 1_000, LONGEST_BACKOFF))
            self._view.records.postpone(owed.number, UnixSeconds(now + wait))
            _log.info("%s has not taken %s: %s", owed.recipient, owed.leaf.hex(), type(error).__name__)
            if isinstance(error, Unreachable):
                self._unreached[owed.recipient].add(owed.number)
                return False
            self._unreached[owed.recipient].discard(owed.number)
        else:
            self._view.records.settle(owed.number, data)  # Durable: they have it, and signed.
            self._is_back(owed, now)
            _log.info("%s signed for %s", owed.recipient, owed.leaf.hex())
        return True

    def _is_back(self, owed: Owed, now: UnixSeconds) -> None:
        """Who takes one document may have the others: each would wait for a moment of its own, up to a minute.

        Once in a minute: a recipient that takes one and lets the next wait holds nobody else up for longer than before.
        """
        waiting = self._unreached[owed.recipient]
        waiting.discard(owed.number)
        if waiting and self._hastened.get(owed.recipient, 0) + LONGEST_BACKOFF <= now:
            self._hastened[owed.recipient] = now
            self._view.records.hasten(waiting, now)
            waiting.clear()

    def _require_signed(self, owed: Owed, data: bytes) -> None:
        signed = SignedAcknowledgement.decode(data)
        said = signed.acknowledgement
        if said.receiver not in self._view.directory.key_ids(owed.recipient):
            raise FieldMismatch(field="receiver", expected=owed.recipient, got=said.receiver.hex())
        signed.verify(self._view.directory.key(said.receiver))
        expected = (self._view.directory.log_id, owed.leaf, sha256(owed.envelope))
        if (said.log_id, said.entry_leaf, said.envelope_hash) != expected:
            raise FieldMismatch(field="acknowledgement", expected="for this envelope", got="for another")
