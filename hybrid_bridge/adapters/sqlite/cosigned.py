"""What a witness has cosigned: one root for each log and size, committed before the signature is made.

Never restore it from a backup and cosign: the mark beside it, written after each commit, is ahead then, and the store
refuses to open. Source: SPEC §13; C2SP tlog-witness.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import select
from sqlmodel import Field, SQLModel

from hybrid_bridge.adapters.sqlite.file import STRICT, SqliteFile, blob, sync_path, table_of, text
from hybrid_bridge.core.checkpoint import Note
from hybrid_bridge.core.cosigning import Seen
from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.errors import StoreBroken
from hybrid_bridge.units import Digest, TreeSize

SCHEMA: Final = "1"
T = TypeVar("T")


class Cosigned(SQLModel, table=True):
    """One row for each checkpoint, in the order of cosigning. Insert-only."""

    __table_args__ = STRICT

    number: int = Field(primary_key=True)
    origin: str = text(index=True)
    size: int
    root: bytes = blob()


_ROWS = table_of(Cosigned)


class SqlCosigned:
    """The memory of one witness. `advance` is serial: two clients at once see one another's result."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, "witness")
        self._mark = path.with_suffix(".mark")

    def create(self, vkey: str) -> None:
        """Make the store of the witness with this key."""
        self._file.create([Cosigned], ["cosigned"], _facts(vkey))

    def open(self, vkey: str) -> None:
        """Take the store for this process.

        Raises:
            StoreInUse: another program has it.
            StoreBroken: missing, damaged, of another key, or older than its mark.
        """
        self._file.open(_facts(vkey))
        with self._file.read() as connection:
            newest = connection.execute(select(_ROWS.c.number).order_by(_ROWS.c.number.desc()).limit(1)).scalar()
        marked = self._mark.read_text("ascii") if self._mark.exists() else "0"
        if not marked.isdecimal() or int(marked) > (newest or 0):
            self.close()
            raise StoreBroken(store="witness", rule="at least as new as its mark: it was restored or cut short")

    def close(self) -> None:
        """Give the store up."""
        self._file.close()

    def advance(self, note: Note, require: Callable[[Seen], None], cosign: Callable[[], T]) -> T:
        """Let `require` judge the newest checkpoint of that log, commit this one, then cosign, all in one turn.

        Raises:
            BridgeError: whatever `require` raises; nothing is committed then.
        """
        with self._file.turn():
            with self._file.write_in_turn() as connection:
                where = _ROWS.c.origin == note.origin
                query = select(_ROWS.c.size, _ROWS.c.root).where(where).order_by(_ROWS.c.number.desc()).limit(1)
                row = connection.execute(query).first()
                seen = Seen(TreeSize(0), ZERO) if row is None else Seen(TreeSize(row[0]), Digest(row[1]))
                require(seen)
                number = None
                if note.size != seen.size:
                    values = {"origin": note.origin, "size": note.size, "root": note.root}
                    number = connection.execute(_ROWS.insert(), [values]).lastrowid
            if number is not None:
                self._write_mark(number)
            return cosign()

    def _write_mark(self, number: int) -> None:
        """Durable before anything leaves: whoever restores the database alone is found out."""
        try:
            self._replace_mark(number)
        except OSError:
            raise StoreBroken(store="witness", rule="a mark that can be written") from None

    def _replace_mark(self, number: int) -> None:
        beside = self._mark.with_suffix(".mark-new")
        with beside.open("w", encoding="ascii") as file:
            file.write(str(number))
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._mark)
        sync_path(self._mark.parent)


def _facts(vkey: str) -> dict[str, str]:
    return {"kind": "witness", "schema": SCHEMA, "vkey": vkey}
