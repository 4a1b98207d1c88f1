"""The operator's desk: what a person reads in a journal and orders through it, also while a relayer runs.

A person needs no lease. `Desk` reads; `Orders` writes one row, `control`, that no tick of the plan writes unless it
halts. So these two are beside S6, not against it: nothing they do can put bytes on the public chain.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Select, func, select, update

from hybrid_bridge.errors import SettingsMalformed, StayHalted, StoreBroken
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Nonce, TreeSize, TxHash, UnixSeconds, Wei
from relayers import sql_rows
from relayers.journal import AttemptFinalRow, AttemptRow, Brake, ControlRow, LeaseRow, Scope, SendRow, SlotRow
from relayers.sql_journal import (
    ANCHOR_BEYOND,
    ANCHORED,
    ATTEMPT,
    ATTEMPT_FINAL,
    CONTROL,
    LEASE,
    SENDING,
    SLOT,
    SqlJournalReader,
)


@dataclass(frozen=True, slots=True)
class SlotStory:
    """A nonce with everything that was signed for it."""

    slot: SlotRow
    attempts: tuple[AttemptRow, ...]  # oldest first
    finals: tuple[AttemptFinalRow, ...]


class Desk(SqlJournalReader):
    """Reads what only people ask for."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def control(self) -> ControlRow:
        """Brake and halt."""
        with self._begin() as connection:
            row = connection.execute(select(CONTROL)).mappings().one()
            return ControlRow(Brake(row["brake"]), row["halted_reason"], row["evidence"], row["by"], row["set_at"])

    def lease(self) -> LeaseRow:
        """Who relays."""
        with self._begin() as connection:
            row = connection.execute(select(LEASE)).mappings().one()
            return LeaseRow(row["epoch"], row["holder"], row["until"])

    def covering(self, size: TreeSize) -> AnchoredEvent | None:
        """The final anchor with the smallest size that is at least this one."""
        with self._begin() as connection:
            rows = connection.execute(ANCHOR_BEYOND, {"size": size - 1}).mappings().all()
            return sql_rows.event(rows[0]) if rows else None

    def slots(self, newest: int) -> tuple[SlotStory, ...]:
        """So many slots with the highest nonces, the highest first."""
        return self._stories(select(SLOT).order_by(SLOT.c.nonce.desc()).limit(newest))

    def _stories(self, query: Select[Any]) -> tuple[SlotStory, ...]:
        with self._begin() as connection:
            slots = [sql_rows.slot(row) for row in connection.execute(query).mappings()]
            wanted = ATTEMPT.c.nonce.in_([slot.nonce for slot in slots])
            attempts = select(ATTEMPT).where(wanted).order_by(ATTEMPT.c.max_fee)
            signed = [sql_rows.attempt(row) for row in connection.execute(attempts).mappings()]
            finals = select(ATTEMPT_FINAL).where(ATTEMPT_FINAL.c.hash.in_(select(ATTEMPT.c.hash).where(wanted)))
            ended = {row["hash"]: sql_rows.attempt_final(row) for row in connection.execute(finals).mappings()}
        return tuple(_story(slot, signed, ended) for slot in slots)

    def highest_nonce(self) -> Nonce | None:
        """Of all slots; None without any."""
        with self._begin() as connection:
            nonce: Nonce | None = connection.execute(select(func.max(SLOT.c.nonce))).scalar()
            return nonce

    def slot(self, nonce: Nonce) -> SlotStory | None:
        """This slot; None where there is none."""
        return next((story for story in self._stories(select(SLOT).where(SLOT.c.nonce == nonce))), None)

    def sends(self, hashes: Sequence[TxHash]) -> tuple[SendRow, ...]:
        """What endpoints answered to these bytes, in order."""
        with self._begin() as connection:
            query = select(SENDING).where(SENDING.c.hash.in_(hashes)).order_by(SENDING.c.id)
            return tuple(map(sql_rows.send, connection.execute(query).mappings()))

    def anchors(self, newest: int) -> tuple[AnchoredEvent, ...]:
        """So many final anchors with the largest sizes, the largest first."""
        with self._begin() as connection:
            query = select(ANCHORED).order_by(ANCHORED.c.size.desc()).limit(newest)
            return tuple(map(sql_rows.event, connection.execute(query).mappings()))

    def costs(self, hashes: Sequence[TxHash]) -> dict[bytes, Wei | None]:
        """Those of them that are attempts of ours, with what was paid, where that is known."""
        with self._begin() as connection:
            known = connection.execute(select(ATTEMPT.c.hash).where(ATTEMPT.c.hash.in_(hashes))).scalars()
            return dict.fromkeys(known)

    def backup(self, target: Path) -> int:
        """A whole and consistent copy, also while a relayer writes. Its size in bytes.

        Raises:
            SettingsMalformed: something stands there already, or its folder does not exist.
            StoreBroken: the copy cannot be written, or is not sound.
        """
        if target.exists() or not target.parent.is_dir():
            raise SettingsMalformed(key="FILE", rule="a new file in a folder that exists")
        partial = target.with_name(target.name + ".new")
        try:
            os.close(
                os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            )  # balances and plans: nobody else's
            self._copy(partial)
            Desk(partial, self._scope).close()  # whole, of this schema, of this scope
            with partial.open("rb") as file:
                os.fsync(file.fileno())
            os.link(partial, target)  # never over another file, not even one that came meanwhile
        except (OSError, sqlite3.Error) as error:
            raise StoreBroken(store=target.name, rule=f"a copy that can be written: {error}") from None
        finally:
            for end in ("", "-wal", "-shm", "-journal"):
                partial.with_name(partial.name + end).unlink(missing_ok=True)
        return target.stat().st_size

    def _copy(self, partial: Path) -> None:
        origin = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(origin, uri=True)) as source, closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)  # in one step: a reader's snapshot, which in WAL mode stops no writer


class Orders(Desk):
    """Writes a person's orders. Each is one commit, durable on return; the next action of a tick obeys it."""

    def __init__(self, path: Path, scope: Scope) -> None:
        """Open an existing journal, which another process may hold.

        Raises:
            StoreBroken: as `SqlJournalReader`.
        """
        super().__init__(path, scope, read_only=False)

    def set_brake(self, brake: Brake, by: str, now: UnixSeconds) -> None:
        """From the next action on. What is at work at this moment, one send or one signature, still ends."""
        with self._begin() as connection:
            connection.execute(update(CONTROL).values(brake=brake.value, by=by, set_at=now))

    def lift_halt(self, evidence: str, by: str, now: UnixSeconds) -> None:
        """Let the plan go on. If what it halted for still holds, the next tick halts again.

        Raises:
            StayHalted: this is not the evidence of the halt that stands.
        """
        with self._begin() as connection:
            row = connection.execute(select(CONTROL)).mappings().one()
            if row["halted_reason"] is None or (row["evidence"] or "{}").strip() != evidence.strip():
                raise StayHalted(rule="the evidence of the halt that stands, whole")
            connection.execute(update(CONTROL).values(halted_reason=None, evidence=None, by=by, set_at=now))


def _story(slot: SlotRow, signed: list[AttemptRow], ended: dict[TxHash, AttemptFinalRow]) -> SlotStory:
    attempts = tuple(attempt for attempt in signed if attempt.nonce == slot.nonce)
    return SlotStory(slot, attempts, tuple(ended[a.hash] for a in attempts if a.hash in ended))
