"""Erasure notices on the ledger: ours when documents are erased here, those of others, and what we do about them.

A member that erases a record of its own says so on the ledger; so every member that holds a copy learns of it, however
long it was away. Only the word of the record's submitter counts: who delivered a document may ask for its end, nobody
else. Whether we follow is this member's own policy (`erasure_notices` in `node.toml`); by default its owner is shown
what is asked for, and decides. Having erased, we say so as well: that is the acknowledgement. SPEC §5; SCENARIOS S7.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from hybrid_bridge.adapters.sqlite.erasing import Tombstone
from hybrid_bridge.business.erasure import NOTICE
from hybrid_bridge.business.schema import ERASURE_CODES, MAX_NOTICED
from hybrid_bridge.core.disclosure import FieldValue
from hybrid_bridge.core.encoding import b64u, parse_b64u
from hybrid_bridge.core.governance import Notice, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction, claims_of
from hybrid_bridge.errors import BridgeError, Broken
from hybrid_bridge.node.desk import IDENTITY, Desk, DraftOrder
from hybrid_bridge.node.erasing import Eraser, Selection
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, Height, KeyId

OWN: Final = "own"  # the source of a record that we submitted
REASON: Final = "noticed"  # in the tombstone of what we erased because its submitter did
OTHER: Final = "OTHER"
PAUSE: Final = 2.0  # seconds between two looks at the ledger
RETRY: Final = 30.0  # seconds before a notice that did not get through is sent again

_log = logging.getLogger(__name__)


class Noticer:
    """Says, hears, follows."""

    def __init__(self, view: View, desk: Desk, *, follows: bool) -> None:
        self._view, self._desk, self._follows = view, desk, follows
        self._turn = threading.Lock()
        self._after = 0  # the genesis record is governance leaf 0
        self._said: defaultdict[Digest, set[KeyId]] = defaultdict(set)

    def run(self) -> None:
        """Follow, if that is the policy, and say what is to be said, until stopped."""
        progress = self._view.progress
        while not progress.stopping:
            seen = progress.tip
            try:
                if self._follows:
                    self.follow()
                self.tell()
            except Broken:
                raise
            except BridgeError as error:
                _log.warning("erasure notice: %s", error)
                progress.wait(lambda: False, RETRY)
            progress.wait_above("tip", seen, PAUSE)

    def asked_for(self) -> list[Digest]:
        """Documents that we hold and that their submitters have erased."""
        with self._turn:
            self._read()
            noticed = list(self._said)
        sources = ((leaf, self._view.records.erasures.source(leaf)) for leaf in noticed)
        return [leaf for leaf, source in sources if source is not None and self._has_said(leaf, source)]

    def acknowledged(self, leaf: Digest) -> list[str]:
        """Members other than us who have said that they erased this document."""
        directory = self._view.directory
        with self._turn:
            self._read()
            said = self._said.get(leaf, set())
        return sorted({name for key in said if (name := directory.name_of(key)) not in (None, self._view.name)})

    def follow(self) -> None:
        """Erase what is asked for.

        Raises:
            NotYet: deleted, but the bytes are not all gone yet.
        """
        leaves = self.asked_for()
        for at in range(0, len(leaves), MAX_NOTICED):
            Eraser(self._view).erase(Selection(leaves=tuple(leaves[at : at + MAX_NOTICED])), REASON)

    def tell(self) -> None:
        """Say what we erased of our own and on the word of others, each once.

        Raises:
            BridgeError: as `Desk.send`; what was not said is said next time.
        """
        with self._turn:
            self._read()
        for code, leaves in self._owed():
            fields: dict[str, FieldValue] = {f"entry.{k}": b64u(leaf) for k, leaf in enumerate(leaves)}
            fields |= {"reason_code": code, "event_time": self._view.clock.now()}
            order = DraftOrder(schema="erasure.notice/1", fields=fields, purposes=(IDENTITY,))
            sent = self._desk.send(self._desk.draft(order), [])
            _log.info("erasure of %d documents noticed at height %d", len(leaves), sent.height)
            progress = self._view.progress
            progress.wait(lambda: progress.tip >= sent.height, RETRY)  # noqa: B023 called before it changes

    def _owed(self) -> Iterator[tuple[str, list[Digest]]]:
        groups: defaultdict[str, list[Digest]] = defaultdict(list)
        for stone in self._view.records.erasures.tombstones():
            if self._is_owed(stone):
                code = stone.reason.upper()
                groups[code if code in ERASURE_CODES else OTHER].append(stone.leaf)
        for code, leaves in groups.items():
            for at in range(0, len(leaves), MAX_NOTICED):
                yield code, leaves[at : at + MAX_NOTICED]

    def _is_owed(self, stone: Tombstone) -> bool:
        if self._has_said(stone.leaf, OWN) or self._view.ledger.entry_height(stone.leaf) is None:
            return False
        return stone.source == OWN or self._has_said(stone.leaf, stone.source)

    def _has_said(self, leaf: Digest, source: str) -> bool:
        """Whether whoever a document came from has said that it erased it."""
        directory = self._view.directory
        name = self._view.name if source == OWN else source
        return not self._said.get(leaf, set()).isdisjoint(directory.key_ids(name))

    # ── the ledger's notices ─────────────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> None:
        """What is new since the last look; each record is read once."""
        for number, height, data in self._view.ledger.governance(self._after):
            record = decode_governance(data)
            if isinstance(record, Notice) and record.notice_type == NOTICE:
                self._take(height, record.entry_leaf)
            self._after = number

    def _take(self, height: Height, entry_leaf: Digest) -> None:
        for code, data in self._view.ledger.transactions_of(height):
            body = SignedTransaction.decode(data).body
            if code or not isinstance(body.payload, RecordPayload):
                continue
            if leaf_hash(body.payload.entry) == entry_leaf:
                for leaf in _entries(claim.value for name, claim in claims_of(body).items() if name[:6] == "entry."):
                    self._said[leaf].add(body.authorisers[0])


def _entries(values: Iterable[FieldValue]) -> Iterator[Digest]:
    return (Digest(parse_b64u(str(value), "entry")) for value in values)
