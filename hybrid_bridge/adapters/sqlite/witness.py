"""What members said about blocks, what contradicts, and whether this member still signs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, func, select

from hybrid_bridge.adapters.sqlite import tables
from hybrid_bridge.adapters.sqlite.file import table_of
from hybrid_bridge.adapters.sqlite.ledger import countersigned_row
from hybrid_bridge.adapters.sqlite.store import Store, insert_new
from hybrid_bridge.core.block import Countersignature
from hybrid_bridge.units import Height, KeyId, UnixSeconds

MAX_ROWS: Final = 256  # of one answer
MAX_EVIDENCE: Final = 256  # of one kind against one key: more proves no more

_BLOCK, _COUNTERSIGNED = table_of(tables.Block), table_of(tables.Countersigned)
_CONFLICT, _HALT = table_of(tables.Conflict), table_of(tables.Halt)
_KEEP, _PULL = insert_new(_CONFLICT), insert_new(_HALT)

# Built once: every member asks each of these several times a block, and building one takes longer than asking it.
_ITS, _ABOVE = _COUNTERSIGNED.c.signer == bindparam("key"), _COUNTERSIGNED.c.height > bindparam("after")
_SAME_HEIGHT = _BLOCK.c.height == _COUNTERSIGNED.c.height
_STANDING = select(_COUNTERSIGNED.c.data).where(_ITS, _COUNTERSIGNED.c.height.in_(bindparam("at", expanding=True)))
_OF = select(_COUNTERSIGNED.c.data).where(_ITS, _ABOVE).order_by(_COUNTERSIGNED.c.height).limit(MAX_ROWS)
_NEWEST_OF = select(func.max(_COUNTERSIGNED.c.height)).where(_ITS)
_AGREED = (  # by names, or every word that was ever said would be read
    select(_COUNTERSIGNED.c.signer, func.max(_COUNTERSIGNED.c.height))
    .join(_BLOCK, _SAME_HEIGHT & (_BLOCK.c.hash == _COUNTERSIGNED.c.block_hash))
    .where(
        _COUNTERSIGNED.c.signer.in_(bindparam("keys", expanding=True)), _COUNTERSIGNED.c.height >= bindparam("floor")
    )
    .group_by(_COUNTERSIGNED.c.signer)
)
_DISAGREEING = (
    select(_COUNTERSIGNED.c.data)
    .join(_BLOCK, _SAME_HEIGHT & (_BLOCK.c.hash != _COUNTERSIGNED.c.block_hash))
    .where(_ITS, _ABOVE, _COUNTERSIGNED.c.height <= bindparam("up_to"))
    .order_by(_COUNTERSIGNED.c.height)
    .limit(MAX_ROWS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Two statements of one key that contradict each other, in their own encodings."""

    kind: str  # block or checkpoint
    signer: bytes
    number: int  # height or size
    first: bytes
    second: bytes


class SqlWitness:
    """The part of the ledger's store that remembers who said what."""

    def __init__(self, file: Store) -> None:
        self._file = file

    def add(self, word: Countersignature) -> Countersignature | None:
        """As `add_all` with one; what stands already if it says something else."""
        return next((standing for standing, _ in self.add_all([word])), None)

    def add_all(self, words: Sequence[Countersignature]) -> list[tuple[Countersignature, Countersignature]]:
        """Keep verified countersignatures, in one commit; of one key and height the first stays.

        Returns:
            What stands and what was said against it, in the order of `words`.
        """
        against = []
        with self._file.write() as connection:
            standing, new = _standing(connection, words), []
            for word in words:
                before = standing.get((word.signer, word.height))
                if before is None:
                    standing[word.signer, word.height] = word
                    new.append(countersigned_row(word))
                elif before.block_hash != word.block_hash:
                    against.append((before, word))
            if new:
                connection.execute(_COUNTERSIGNED.insert(), new)
        return against

    def of(self, signer: KeyId, after: Height) -> list[bytes]:
        """One member's countersignatures above a height, ascending."""
        with self._file.read() as connection:
            return list(connection.execute(_OF, {"key": signer, "after": after}).scalars())

    def newest_of(self, signer: KeyId) -> Height:
        """The highest height one member countersigned; zero for none."""
        with self._file.read() as connection:
            return Height(connection.execute(_NEWEST_OF, {"key": signer}).scalar() or 0)

    def newest_word(self, signer: KeyId) -> bytes:
        """One member's word for the highest block that it ordered or countersigned; empty for none."""
        query = select(_COUNTERSIGNED.c.data).where(_COUNTERSIGNED.c.signer == signer)
        with self._file.read() as connection:
            return connection.execute(query.order_by(_COUNTERSIGNED.c.height.desc()).limit(1)).scalar() or b""

    def agreed(self, signers: Iterable[KeyId], floor: Height) -> dict[KeyId, Height]:
        """For each of these the highest height from `floor` on at which it countersigned the very block we hold."""
        asked = {"keys": list(signers), "floor": floor}
        with self._file.read() as connection:
            return {KeyId(signer): Height(height) for signer, height in connection.execute(_AGREED, asked)}

    def disagreeing(self, signer: KeyId, after: Height, up_to: Height) -> list[Countersignature]:
        """One member's words for other blocks than ours, at heights that we have, ascending, at most `MAX_ROWS`."""
        asked = {"key": signer, "after": after, "up_to": up_to}
        with self._file.read() as connection:
            return [Countersignature.decode(data) for data in connection.execute(_DISAGREEING, asked).scalars()]

    # ── what contradicts ─────────────────────────────────────────────────────────────────────────────────────────────

    def keep(self, evidence: Evidence, seen_at: UnixSeconds) -> None:
        """Keep evidence; the first of a key and number stays, and no more than `MAX_EVIDENCE` of a kind and key."""
        names = ("kind", "signer", "number", "first", "second")
        row = {name: getattr(evidence, name) for name in names} | {"seen_at": seen_at}
        same = (_CONFLICT.c.kind == evidence.kind) & (_CONFLICT.c.signer == evidence.signer)
        with self._file.write() as connection:
            if connection.execute(select(func.count()).select_from(_CONFLICT).where(same)).scalar_one() < MAX_EVIDENCE:
                connection.execute(_KEEP, [row])

    def kept(self) -> list[Evidence]:
        """All evidence."""
        with self._file.read() as connection:
            rows = connection.execute(select(_CONFLICT)).all()
        return [
            Evidence(kind=row.kind, signer=row.signer, number=row.number, first=row.first, second=row.second)
            for row in rows
        ]

    def halt(self, reason: str, since: UnixSeconds) -> None:
        """Sign nothing more until a person has looked; the first reason stays."""
        with self._file.write() as connection:
            row = {"id": 1, "reason": reason, "since": since}
            connection.execute(_PULL, [row])

    def halted(self) -> str:
        """Why this member signs no more; empty while it does."""
        with self._file.read() as connection:
            return connection.execute(select(_HALT.c.reason)).scalar() or ""


def _standing(
    connection: Connection, words: Iterable[Countersignature]
) -> dict[tuple[KeyId, Height], Countersignature]:
    """What their keys have said at their heights."""
    heights: dict[KeyId, list[Height]] = {}
    for word in words:
        heights.setdefault(word.signer, []).append(word.height)
    found: dict[tuple[KeyId, Height], Countersignature] = {}
    for key, its in heights.items():
        rows = connection.execute(_STANDING, {"key": key, "at": its})
        for one in map(Countersignature.decode, rows.scalars()):
            found[one.signer, one.height] = one
    return found
