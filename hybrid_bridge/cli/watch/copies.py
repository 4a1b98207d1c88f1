"""One member's public copy of the log: a checkpoint and tiles, fetched over HTTP, believed as far as a quorum signed.

Leaves stay in memory between two looks, 32 bytes each; fetched is what is new. Source: C2SP tlog-tiles; SPEC §8.3, §14.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.web.exchange import TIMEOUT, Service
from hybrid_bridge.cli.watch.findings import AHEAD, CopySight, Signed
from hybrid_bridge.core.attestation import checkpoint_of
from hybrid_bridge.core.checkpoint import Note, parse_note, quorum_signatures
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.signing import recover_address
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
from hybrid_bridge.units import Address, Digest, EcdsaSignature, Seconds, TreeSize

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
    _shown: CopySight = field(default_factory=CopySight)  # of the look that runs, before any tile

    def look(self, genesis: Genesis, origin: str, sets: Sequence[Responsible], clock: int, end: float) -> CopySight:
        """The newest checkpoint and the tree under it, or what is wrong with them: whatever a server does, no error.

        What is not there by `end` (of `time.monotonic`) is fetched by the next look. `clock`: Unix seconds.
        """
        self._shown = CopySight()
        try:
            text = self._fetched(CHECKPOINT, end)
            note = parse_note(text)
            few = _lacking(note, genesis, origin, sets)
        except Unreachable as error:
            return CopySight(trouble="copy_silent", detail=str(error))
        except (AnswerMalformed, Malformed, Refuted) as error:
            return CopySight(trouble="copy_unsigned", detail=str(error))
        signed = Signed(size=note.size, root=note.root, note=text.decode("utf-8"))
        if few:
            self._shown = CopySight(trouble="copy_unsigned", detail=few, few=signed)
            if genesis.checkpoint_timestamp(note.size) > clock + AHEAD:
                return self._shown  # for times to come one member alone may sign any size: no such tree is fetched
        else:
            self._shown = CopySight(signed=signed)
        trouble, detail = self._tree_under(note, end)
        if not trouble:
            return replace(self._shown, tree=self.tree)
        return self._shown if few else replace(self._shown, trouble=trouble, detail=detail)

    def late(self, detail: str) -> CopySight:
        """What a look that is not over has seen so far, but no tiles: they may still come."""
        shown = self._shown
        return shown if shown.trouble else replace(shown, trouble="copy_silent", detail=detail)

    def _tree_under(self, note: Note, end: float) -> tuple[str, str]:
        """Let our tree be the one under this note; else what is wrong."""
        try:
            self._follow(note, end)
        except Unreachable as error:
            return "copy_silent", f"a tile: {error}"
        except (AnswerMalformed, Malformed) as error:
            return "copy_untrue", str(error)
        if self.tree.root(note.size) != note.root:
            self.tree = Tree()
            return "copy_untrue", f"another root at size {note.size}"
        return "", ""

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
            hashes = self._tile(start // WIDTH, min(WIDTH, size - start), end)
            self.tree.extend(hashes[self.tree.size - start :])

    def _tile(self, index: int, count: int, end: float) -> list[Digest]:
        """So many hashes; a server may have thrown a tile away that was not full, once it was (C2SP tlog-tiles)."""
        try:
            tile = self._fetched(tile_path(0, index, count), end)
        except Unreachable:
            if count == WIDTH:
                raise
            tile = self._fetched(tile_path(0, index, WIDTH), end)[: HASH * count]
        if len(tile) != HASH * count:
            raise AnswerMalformed(endpoint=self.name, call="tile", rule=f"{count} hashes of 32 bytes")
        return [Digest(tile[at : at + HASH]) for at in range(0, len(tile), HASH)]

    def _fetched(self, name: str, end: float) -> bytes:
        """What stands there. A server that says it has nothing accuses nobody: it is away.

        Raises:
            Unreachable: no answer before the end of the look, or another status than 200.
        """
        left = end - time.monotonic()
        if left <= 0:
            raise Unreachable(endpoint=self.name, call=f"{name} (no time left in this look)")
        answer = replace(self.service, timeout=Seconds(max(1, min(TIMEOUT, int(left))))).get(f"/{name}")
        if answer.status != HTTPStatus.OK:
            raise Unreachable(endpoint=self.name, call=f"{name} (HTTP {answer.status})")
        return answer.body


def _lacking(note: Note, genesis: Genesis, origin: str, sets: Sequence[Responsible]) -> str:
    """Empty if a quorum signed this note; what is missing if fewer did.

    Raises:
        BelowQuorum: nobody did.
        FieldMismatch, Malformed, SignatureWrong: see `require_quorum`.
    """
    try:
        require_quorum(note, genesis, origin, sets)
    except BelowQuorum as error:
        if error.got < 1:
            raise
        return str(error)
    return ""


def require_quorum(note: Note, genesis: Genesis, origin: str, sets: Sequence[Responsible]) -> None:
    """Return if a quorum of the set that is responsible by size signed this note of this log.

    Raises:
        FieldMismatch: of another log.
        BelowQuorum: too few signed, or no set is known for the size.
        Malformed, SignatureWrong: see `quorum_signatures`.
    """
    validators, _, signatures = _seals(note, genesis, origin, sets)
    if len(signatures) < validators.quorum:
        raise BelowQuorum(needed=validators.quorum, got=len(signatures))


def signers_of(text: str, genesis: Genesis, origin: str, sets: Sequence[Responsible]) -> frozenset[Address]:
    """Whose signatures stand under this note; nobody's where it is none of this log's, or of a set that is unknown."""
    try:
        _, digest, signatures = _seals(parse_note(text), genesis, origin, sets)
    except (Malformed, Refuted):
        return frozenset()
    return frozenset(recover_address(digest, signature) for signature in signatures)


def responsible(sets: Sequence[Responsible], size: TreeSize) -> ValidatorSet | None:
    """The set that signs this size, of sets in order; None before the first."""
    return next((known.validators for known in reversed(sets) if known.from_size <= size), None)


def _seals(
    note: Note, genesis: Genesis, origin: str, sets: Sequence[Responsible]
) -> tuple[ValidatorSet, Digest, list[EcdsaSignature]]:
    """The set that is responsible for a note, what it signs, and the signatures of its members that are there."""
    if note.origin != origin:
        raise FieldMismatch(field="checkpoint.origin", expected=origin, got=note.origin)
    validators = responsible(sets, note.size)
    if validators is None:
        raise BelowQuorum(needed=1, got=0)
    checkpoint = checkpoint_of(genesis, validators, note.size, note.root)
    signatures = quorum_signatures(note, validators, genesis.log_id, checkpoint.timestamp)
    return validators, checkpoint.digest(), signatures


def write_tiles(folder: Path, note: str, tree: Tree, size: TreeSize) -> None:
    """A copy as files, as `contract report inconsistency --history` reads it."""
    leaves = [tree.leaf(index) for index in range(size)]  # type: ignore[arg-type]  # 0 <= index < size
    for path, data in hash_tiles(leaves):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / CHECKPOINT).write_text(note, encoding="utf-8")
