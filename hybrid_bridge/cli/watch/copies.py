"""One member's public copy of the log: a checkpoint and tiles, fetched over HTTP, believed as far as a quorum signed.

Leaves stay in memory between two looks, 32 bytes each; fetched is what is new. Source: C2SP tlog-tiles; SPEC §8.3, §14.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.web.exchange import Service
from hybrid_bridge.cli.watch.findings import CopySight, Signed
from hybrid_bridge.core.attestation import checkpoint_of
from hybrid_bridge.core.checkpoint import Note, parse_note, quorum_signatures
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.tiles import CHECKPOINT, WIDTH, hash_tiles, tile_path
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import (
    AnswerMalformed,
    BelowQuorum,
    FieldMismatch,
    Malformed,
    Refuted,
    TooLong,
    Unreachable,
)
from hybrid_bridge.units import Digest, TreeSize

BUDGET: Final = 60  # seconds of one look at one copy
MAX_LEAVES: Final = 1 << 22  # 128 MiB: eighty years of epochs of ten minutes
HASH: Final = 32


@dataclass(frozen=True, slots=True)
class Responsible:
    """A set, and the first size that it signs."""

    from_size: TreeSize
    validators: ValidatorSet


@dataclass(slots=True)
class Copy:
    """What stands at one URL."""

    name: str
    service: Service
    tree: Tree = field(default_factory=Tree)

    def look(self, genesis: Genesis, origin: str, sets: Sequence[Responsible]) -> CopySight:
        """The newest checkpoint and the tree under it, or what is wrong with them: whatever a server does, no error.

        One look has a minute: what is not there by then is fetched by the next.
        """
        end = time.monotonic() + BUDGET
        try:
            text = self._fetched(CHECKPOINT)
            note = parse_note(text)
            require_quorum(note, genesis, origin, sets)
        except Unreachable as error:
            return CopySight(trouble="copy_silent", detail=str(error))
        except (AnswerMalformed, Malformed, Refuted) as error:
            return CopySight(trouble="copy_unsigned", detail=str(error))
        signed = Signed(size=note.size, root=note.root, note=text.decode("utf-8"))
        try:
            self._follow(note, end)
        except Unreachable as error:
            return CopySight(trouble="copy_silent", detail=f"a tile: {error}", signed=signed)
        except (AnswerMalformed, Malformed) as error:
            return CopySight(trouble="copy_untrue", detail=str(error), signed=signed)
        if self.tree.root(note.size) != note.root:
            self.tree = Tree()
            return CopySight(trouble="copy_untrue", detail=f"another root at size {note.size}", signed=signed)
        return CopySight(signed=signed, tree=self.tree)

    def _follow(self, note: Note, end: float) -> None:
        """The leaves that we have, and those behind them; all of them anew where ours do not give the root."""
        if note.size > MAX_LEAVES:
            raise TooLong(field="size of the copy", limit=MAX_LEAVES, got=note.size)
        had = self.tree.size
        self._extend(note.size, end)
        if had and (self.tree.size < note.size or self.tree.root(note.size) != note.root):
            self.tree = Tree()
            self._extend(note.size, end)

    def _extend(self, size: TreeSize, end: float) -> None:
        for start in range(self.tree.size // WIDTH * WIDTH, size, WIDTH):
            if time.monotonic() > end:
                raise Unreachable(endpoint=self.name, call=f"leaves from {start} on: not within {BUDGET} s")
            hashes = self._tile(start // WIDTH, min(WIDTH, size - start))
            self.tree.extend(hashes[self.tree.size - start :])

    def _tile(self, index: int, count: int) -> list[Digest]:
        """So many hashes; a server may have thrown a tile away that was not full, once it was (C2SP tlog-tiles)."""
        try:
            tile = self._fetched(tile_path(0, index, count))
        except Unreachable:
            if count == WIDTH:
                raise
            tile = self._fetched(tile_path(0, index, WIDTH))[: HASH * count]
        if len(tile) != HASH * count:
            raise AnswerMalformed(endpoint=self.name, call="tile", rule=f"{count} hashes of 32 bytes")
        return [Digest(tile[at : at + HASH]) for at in range(0, len(tile), HASH)]

    def _fetched(self, name: str) -> bytes:
        """What stands there. A server that says it has nothing accuses nobody: it is away.

        Raises:
            Unreachable: no answer, or another status than 200.
        """
        answer = self.service.get(f"/{name}")
        if answer.status != HTTPStatus.OK:
            raise Unreachable(endpoint=self.name, call=f"{name} (HTTP {answer.status})")
        return answer.body


def require_quorum(note: Note, genesis: Genesis, origin: str, sets: Sequence[Responsible]) -> None:
    """Return if a quorum of the set that is responsible by size signed this note of this log.

    Raises:
        FieldMismatch: of another log.
        BelowQuorum: too few signed, or no set is known for the size.
        Malformed, SignatureWrong: see `quorum_signatures`.
    """
    if note.origin != origin:
        raise FieldMismatch(field="checkpoint.origin", expected=origin, got=note.origin)
    responsible = [known.validators for known in sets if known.from_size <= note.size]
    if not responsible:
        raise BelowQuorum(needed=1, got=0)
    validators = responsible[-1]
    checkpoint = checkpoint_of(genesis, validators, note.size, note.root)
    got = len(quorum_signatures(note, validators, genesis.log_id, checkpoint.timestamp))
    if got < validators.quorum:
        raise BelowQuorum(needed=validators.quorum, got=got)


def write_tiles(folder: Path, note: str, tree: Tree, size: TreeSize) -> None:
    """A copy as files, as `contract report inconsistency --history` reads it."""
    leaves = [tree.leaf(index) for index in range(size)]  # type: ignore[arg-type]  # 0 <= index < size
    for path, data in hash_tiles(leaves):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / CHECKPOINT).write_text(note, encoding="utf-8")
