"""A journal that is read and never written: what a look at the members admits stays in memory."""

from collections.abc import Sequence

from hybrid_bridge.units import TreeSize
from relayers.journal import AttestationRow, CheckpointRow, JournalReader


class Unwritten:
    """The checkpoints of a journal, and beside them those admitted here."""

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self._admitted: dict[TreeSize, CheckpointRow] = {}
        self._attestations: dict[TreeSize, Sequence[AttestationRow]] = {}

    def checkpoint(self, size: TreeSize) -> CheckpointRow | None:
        """See `Checkpoints`."""
        return self._admitted.get(size) or self._journal.checkpoint(size)

    def neighbours(self, size: TreeSize) -> tuple[CheckpointRow | None, CheckpointRow | None]:
        """See `Checkpoints`."""
        below, above = self._journal.neighbours(size)
        held = [*self._admitted.values(), *(row for row in (below, above) if row is not None)]
        return (
            max((row for row in held if row.size < size), key=lambda row: row.size, default=None),
            min((row for row in held if row.size > size), key=lambda row: row.size, default=None),
        )

    def newest_checkpoint(self) -> CheckpointRow | None:
        """See `Checkpoints`."""
        stored = self._journal.newest_checkpoint()
        held = [*self._admitted.values(), *([] if stored is None else [stored])]
        return max(held, key=lambda row: row.size, default=None)

    def admit(self, checkpoint: CheckpointRow, attestations: Sequence[AttestationRow]) -> None:
        """See `Checkpoints`."""
        self._admitted[checkpoint.size] = checkpoint
        self._attestations[checkpoint.size] = attestations

    def attestations(self, size: TreeSize) -> Sequence[AttestationRow]:
        """See `JournalReader`."""
        return self._attestations[size] if size in self._attestations else self._journal.attestations(size)
