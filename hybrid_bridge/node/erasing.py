"""Erasure at one member: which documents are meant, who else has them, and that they go (SPEC §5).

What is on the ledger stays: entries, claims, registry commitments. Every proof of another record, and the bare
presence of this one, verify as before; no field of it opens here again.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from hybrid_bridge.adapters.sqlite.records import StoredRecord
from hybrid_bridge.core.delivery import DeliveryPlaintext, parse_delivery
from hybrid_bridge.core.disclosure import FieldValue, parse_disclosure
from hybrid_bridge.core.encoding import canonical_json
from hybrid_bridge.errors import FieldMalformed, TooLong, Unknown
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, UnixSeconds

MAX_ERASED: Final = 10_000  # of one call; its list fits one answer
REASON: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
OBJECT: Final = "object"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Records that any of these names: by entry leaf, by the object they are of, by the text of a field."""

    leaves: tuple[Digest, ...] = ()
    objects: tuple[str, ...] = ()
    matches: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # name, value

    def __bool__(self) -> bool:
        return bool(self.leaves or self.objects or self.matches)

    def fits(self, record: StoredRecord) -> bool:
        """Whether a record is meant; of an erased one only its leaf is known."""
        if record.leaf in self.leaves:
            return True
        if record.erased or not (self.objects or self.matches):
            return False
        wanted = {*((OBJECT, value) for value in self.objects), *self.matches}
        parts = map(parse_disclosure, (part.value for part in parse_delivery(record.plaintext).disclosures))
        return any((part.name, value_text(part.value)) in wanted for part in parts)


@dataclass(frozen=True, slots=True)
class Doomed:
    """A record that is meant, how much of it is here, and who has, or was to have, a copy."""

    record: StoredRecord
    document: DeliveryPlaintext | None  # None: erased before
    envelopes: dict[str, str]  # recipient and state

    def buried(self, now: UnixSeconds, reason: str) -> "Doomed":
        """The same once it is erased; what was erased before keeps its own time and reason."""
        if self.record.erased:
            return self
        return replace(self, record=replace(self.record, plaintext=b"", erased=now, reason=reason))


class Eraser:
    """Finds and erases in one member's private file."""

    def __init__(self, view: View) -> None:
        self._view = view

    def chosen(self, selection: Selection) -> list[Doomed]:
        """What the selection means here, those erased before included.

        Raises:
            FieldMalformed: it names nothing.
            Unknown: a leaf of which there is no document, or nothing fits at all.
            TooLong: more than one call may erase.
        """
        if not selection:
            raise FieldMalformed(field="erase", rule="a leaf, an object or a field's value")
        found = []
        for record in self._records():
            if selection.fits(record):
                found.append(self._doomed(record))
            if len(found) > MAX_ERASED:
                raise TooLong(field="erase", limit=MAX_ERASED, got=len(found))
        if not found or set(selection.leaves) - {doomed.record.leaf for doomed in found}:
            raise Unknown(what="document that this names")
        return found

    def erase(self, selection: Selection, reason: str) -> list[Doomed]:
        """Erase what the selection means. Again, or after a crash, is no change and finishes what was begun.

        Raises:
            FieldMalformed: the reason is no code: it stays for ever, so it must not be able to hold content.
            Unknown, TooLong: see `chosen`.
            NotYet: deleted, but the bytes are not all gone yet; ask again.
        """
        if not REASON.fullmatch(reason):
            raise FieldMalformed(field="reason", rule=f"a code: {REASON.pattern}")
        found = self.chosen(selection)
        now = self._view.clock.now()
        self._view.records.erasures.erase([doomed.record.leaf for doomed in found], reason, now)
        for doomed in found:
            _log.info("document of entry %s is erased", doomed.record.leaf.hex())
        return [doomed.buried(now, reason) for doomed in found]

    def _records(self) -> Iterator[StoredRecord]:
        after = 0
        while page := self._view.records.records(after):
            after = page[-1].number
            yield from page

    def _doomed(self, record: StoredRecord) -> Doomed:
        document = None if record.erased else parse_delivery(record.plaintext)
        return Doomed(record, document, self._view.records.erasures.envelopes(record.leaf))


def value_text(value: FieldValue) -> str:
    """A value as its owner types it: a string as it is, else as JSON."""
    return value if isinstance(value, str) else canonical_json(value).decode("utf-8")
