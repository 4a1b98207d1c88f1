"""A regulator's node: what it read is logged where the member concerned can see it, and what it lacks is listed.

The policy puts every regulator in every audience, but no rule of a ledger can make bytes travel: a submitter that does
not deliver is found by who misses its copy, and answers with the regulator's signed acknowledgement, or not at all.
Source: SPEC §5, SCENARIOS S7.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from secrets import token_bytes
from typing import Final, Protocol

from hybrid_bridge.adapters.sqlite.readings import SqlReadings
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.entry import decode_record_entry, entry_leaf
from hybrid_bridge.core.event_chain import EMPTY, Head
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.reading import SALT, Reading, Statement, page_after
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import FieldMismatch, Malformed
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.metrics import Metrics
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.service import Caller
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Digest, Height, KeyId, UnixSeconds

REGULATOR: Final = "regulator"  # the role in `members.json`
OWN: Final = "own"
PERIOD: Final = 60.0  # seconds between two counts
LATE: Final = 3_600  # seconds after which a copy that is missing is counted
MAX_MISSING: Final = 256  # of one answer
SPAN: Final = 256  # blocks looked at in one query

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that was accepted, and of which this regulator has no copy."""

    leaf: Digest
    submitter: str  # a member's name, or its key id
    height: Height
    since: UnixSeconds  # time of its block


class ReadLog:
    """What was read here."""

    def __init__(self, view: View, store: SqlReadings) -> None:
        self._view, self._store = view, store

    def note(self, caller: Caller, leaves: Sequence[Digest], what: str) -> None:
        """Log a reading of each; durable when this returns, and only then may the document leave."""
        now, view = self._view.clock.now(), self._view
        readings = []
        for leaf in leaves:
            record = view.records.record(leaf)
            if record is not None:
                source = view.name if record.source == OWN else record.source
                who = f"{caller.role}:{caller.name}"
                reading = Reading(
                    entry_leaf=leaf, submitter=source, reader=who, what=what, time=now, salt=token_bytes(SALT)
                )
                readings.append(reading)
        self._store.append(readings)

    def shown(self, asker: str, after: int) -> pb.ReadingsResponse:
        """Some events behind `after`; whole those that concern this member. Signed.

        Raises:
            NotYet: our own ledger is not proven.
        """
        view = self._view
        view.brake.require_free()
        start, rows = self._store.page(after)
        page = [(body, reading.encode() if reading.submitter == asker else b"") for body, reading in rows]
        end, revealed = page_after(start, page)
        statement = Statement(
            log_id=view.directory.log_id,
            asker=view.directory.identities[asker].key_id,
            time=view.clock.now(),
            start=start,
            end=end,
            shown=tuple(number for number, _ in revealed),
        )
        return pb.ReadingsResponse(
            events=[pb.ReadingEvent(body=body, reading=data) for body, data in page],
            start=start.seq,
            previous=start.digest,
            time=statement.time,
            signature=view.keys.identity.sign(statement.message),
        )


class Asked(Protocol):
    """`GrpcPeer`, as far as it is needed here."""

    def readings(self, after: int) -> pb.ReadingsResponse:
        """One page."""


def gather_readings(peer: Asked, directory: Directory, regulator: str, asker: str) -> tuple[Head, list[Reading]]:
    """What a regulator read of this member's entries, and the head of its chain, to be kept: none may be older later.

    Raises:
        SignatureWrong: a page is not signed by the regulator's identity key.
        FieldMismatch, Malformed: the chain is none, or tells another member's reading.
    """
    head, found = EMPTY, list[Reading]()
    while True:
        answer = peer.readings(head.seq)
        page = [(event.body, event.reading) for event in answer.events]
        _require_next(Head(answer.start, as_digest(answer.previous, "previous")), head)
        end, shown = page_after(head, page)
        statement = Statement(
            log_id=directory.log_id,
            asker=directory.identities[asker].key_id,
            time=answer.time,
            start=head,
            end=end,
            shown=tuple(number for number, _ in shown),
        )
        directory.identities[regulator].verify(statement.message, answer.signature)
        found += [reading for _, reading in shown]
        if any(reading.submitter != asker for _, reading in shown):
            raise FieldMismatch(field="submitter", expected=asker, got="another")
        if not page:
            return end, found
        head = end


def _require_next(start: Head, head: Head) -> None:
    if start != head:
        raise FieldMismatch(field="previous", expected=f"{head.seq} {head.digest.hex()}", got=f"{start.seq}")


class Copies:
    """Which accepted records no copy has come of. Every block is looked at once; what it lacked is asked for again."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._turn = threading.Lock()
        self._seen = Height(0)  # up to it, each block was looked at
        self._lacking: dict[Digest, Missing] = {}  # ascending by height; whole blocks, until there are so many

    def missing(self) -> list[Missing]:
        """The oldest of them."""
        with self._turn:
            here = self._view.records.known(list(self._lacking)) if self._lacking else set()
            self._lacking = {leaf: one for leaf, one in self._lacking.items() if leaf not in here}
            self._look()
            return list(self._lacking.values())[:MAX_MISSING]

    def _look(self) -> None:
        """Into new blocks, while there is room for what they lack: only then is one passed."""
        tip = self._view.progress.tip
        while self._seen < tip and len(self._lacking) < MAX_MISSING:
            last = Height(min(self._seen + SPAN, tip))
            for height, found in groupby(self._within(Height(self._seen + 1), last), lambda one: one.height):
                if len(self._lacking) >= MAX_MISSING:
                    last = Height(height - 1)
                    break
                self._lacking |= {one.leaf: one for one in found}
            self._seen = last

    def run(self, metrics: Metrics) -> None:
        """Count those that are late, until stopped."""
        progress = self._view.progress
        while not progress.stopping:
            metrics.missing(self.late())
            progress.wait(lambda: False, PERIOD)

    def late(self) -> int:
        """How many should have come by now, as far as one answer goes."""
        due = self._view.clock.now() - LATE
        count = sum(one.since <= due for one in self.missing())
        if count:
            _log.warning("no copy of %d records that were accepted more than %d s ago", count, LATE)
        return count

    def _within(self, first: Height, last: Height) -> Iterator[Missing]:
        view = self._view
        entries = {leaf: height for leaf, height, entry in view.ledger.entries(first, last) if _is_record(entry)}
        for leaf in sorted(entries.keys() - view.records.known(list(entries)), key=lambda leaf: (entries[leaf], leaf)):
            header, submitter = view.ledger.header(entries[leaf]), self._submitter(leaf, entries[leaf])
            if submitter != view.name and header is not None:
                yield Missing(leaf, submitter, entries[leaf], header.time)

    def _submitter(self, leaf: Digest, height: Height) -> str:
        """Whose record stands there."""
        key = KeyId(ZERO)
        for _, data in self._view.ledger.transactions_of(height):
            body = SignedTransaction.decode(data).body
            if isinstance(body.payload, RecordPayload) and entry_leaf(body.payload.entry) == leaf:
                key = body.submitter
        names = [name for name, public in self._view.directory.identities.items() if public.key_id == key]
        return names[0] if names else key.hex()


@dataclass(frozen=True, slots=True)
class Regulator:
    """What a regulator's desk has more than another's."""

    log: ReadLog
    copies: Copies


def _is_record(entry: bytes) -> bool:
    """A refusal's entry has no document."""
    try:
        decode_record_entry(entry)
    except Malformed:
        return False
    return True
