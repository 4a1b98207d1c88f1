"""One member's public copy of the log: a checkpoint and tiles, fetched over HTTP, believed as far as a quorum signed.

Leaves stay in memory between two looks, 32 bytes each; fetched is what is new. Source: C2SP tlog-tiles; SPEC §8.3, §14.
"""

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
        """The newest checkpoint and the tree under it, or what is wrong with them: whatever a server does, no error."""
        try:
            text = self._fetched(CHECKPOINT)
            note = parse_note(text)
            require_quorum(note, genesis, origin, sets)
        except Unreachable as error:
            return CopySight(trouble="copy_silent", detail=type(error).__name__)
        except (AnswerMalformed, Malformed, Refuted) as error:
            return CopySight(trouble="copy_unsigned", detail=str(error))
        try:
            tree = self._tree(note)
        except Unreachable as error:
            return CopySight(trouble="copy_silent", detail=f"{type(error).__name__}, of a tile")
        except (AnswerMalformed, Malformed) as error:
            return CopySight(trouble="copy_untrue", detail=str(error))
        if tree.root(note.size) != note.root:
            self.tree = Tree()
            return CopySight(trouble="copy_untrue", detail=f"another root at size {note.size}")
        signed = Signed(size=note.size, root=note.root, note=text.decode("utf-8"))
        return CopySight(note=note, signed=signed, tree=tree)

    def _tree(self, note: Note) -> Tree:
        """The leaves that we have, and those behind them; all of them anew where that does not give the root."""
        if note.size > MAX_LEAVES:
            raise TooLong(field="size of the copy", limit=MAX_LEAVES, got=note.size)
        if note.size >= self.tree.size:
            self._extend(self.tree, note.size)
            if self.tree.root(note.size) == note.root:
                return self.tree
        fresh = Tree()
        self._extend(fresh, note.size)
        self.tree = fresh
        return fresh

    def _extend(self, tree: Tree, size: TreeSize) -> None:
        for start in range(tree.size // WIDTH * WIDTH, size, WIDTH):
            count = min(WIDTH, size - start)
            tile = self._fetched(tile_path(0, start // WIDTH, count))
            if len(tile) != HASH * count:
                raise AnswerMalformed(endpoint=self.name, call="tile", rule=f"{count} hashes of 32 bytes")
            hashes = [Digest(tile[at : at + HASH]) for at in range(0, len(tile), HASH)]
            tree.extend(hashes[tree.size - start :])

    def _fetched(self, name: str) -> bytes:
        answer = self.service.get(f"/{name}")
        if answer.status != HTTPStatus.OK:
            raise AnswerMalformed(endpoint=self.name, call=name, rule=f"HTTP 200, not {answer.status}")
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
