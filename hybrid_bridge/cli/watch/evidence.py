"""Evidence of a split view as files that `contract report` takes. Of each tree one copy, whomever it contradicts."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.sqlite.file import sync_path, write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.copies import Responsible, responsible, write_tiles
from hybrid_bridge.cli.watch.findings import CHAIN, FEW, ChainSight, Contradiction, CopySight, Signed
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.errors import TooLong
from hybrid_bridge.ports import Head
from hybrid_bridge.units import Address, Digest, TreeSize

ONE, OTHER, SHOWN, ANCHORED, ENTRIES = "one.note", "other.note", "tiles", "anchored-tiles", ".entries.bin"
FINDING: Final = "finding.json"
GENESIS, ORIGIN = "genesis.bin", "origin.txt"  # of the log: whoever knows its id can prove its first set by them
TREES: Final = "trees"  # beside the findings: each by size and root, which no two trees share
MAX_FINDING: Final = 1 << 16  # bytes
_SUFFIXES: Final = {"few_contradict": "~unclear"}  # what names nobody keeps no place from what does


def keep(
    folder: Path,
    contradiction: Contradiction,
    copies: Mapping[str, CopySight],
    chain: ChainSight | None,
    sets: Sequence[Responsible],
    *,
    log: tuple[bytes, str] = (b"", ""),
) -> Path:
    """Write it once; what is there already stays as it is. `log`: its genesis record and origin."""
    found = contradiction
    place = folder / ("~".join(sorted(map(_plain, (found.copy, found.source)))) + _SUFFIXES.get(found.kind, ""))
    if (place / FINDING).exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    trees = {}
    for name, signed in ((ONE, found.signed), (OTHER, found.ours)):
        if signed.note:
            (place / name).write_text(signed.note, encoding="utf-8")
            (place / f"{name}{ENTRIES}").write_bytes(_entries(sets, signed.size))
    if all(log):
        (place / GENESIS).write_bytes(log[0])
        (place / ORIGIN).write_text(f"{log[1]}\n", encoding="utf-8")
    shown = copies[found.copy].tree
    if shown is not None and found.ours.size <= shown.size:
        trees[SHOWN] = _kept(folder / TREES, found.ours, shown)
    honest = None if chain is None else anchored(copies, chain.head)
    if honest is not None and honest.tree is not None and honest.signed is not None:
        trees[ANCHORED] = _kept(folder / TREES, honest.signed, honest.tree)
    for name, tree in trees.items():
        _link(place / name, tree)
    pair = [
        [side, signed.size, signed.root.hex()]
        for side, signed in zip(found.sides, (found.signed, found.ours), strict=True)
    ]
    words = {
        "kind": found.finding.kind,
        "about": found.finding.about,
        "detail": found.finding.detail,
        "shows": pair,
        "both": sorted(address.hex() for address in found.both),
        "trees": trees,
    }
    for path in place.rglob("*"):
        sync_path(path)
    write_whole(place / FINDING, json.dumps(words, indent=2).encode("utf-8"))  # last: now it is whole
    return place


def _kept(trees: Path, under: Signed, tree: Tree) -> str:
    """Its name among the trees. The checkpoint in it is whosever came first: who signed stands beside each finding."""
    place = trees / f"{under.size}-{tree.root(under.size).hex()}"
    if not place.exists():
        made = place.with_name(f"{place.name}.new")
        shutil.rmtree(made, ignore_errors=True)  # of one who died over it
        made.mkdir(parents=True)
        write_tiles(made, under.note, tree, under.size)
        for path in (made, *made.rglob("*")):
            sync_path(path)
        made.replace(place)
        sync_path(trees)
    return place.name


def _link(place: Path, tree: str) -> None:
    if place.is_symlink():
        place.unlink()
    elif place.exists():  # begun when each finding had trees of its own
        shutil.rmtree(place)
    place.symlink_to(Path("..", TREES, tree))


def as_kept(found: Contradiction, place: Path) -> Contradiction:
    """The two checkpoints that a folder shows: those that a later look sees of the same fork are others.

    What was there before folders said so, or is no such file any more, is taken for what is seen now.
    """
    try:
        words = json.loads(read_bounded(place / FINDING, MAX_FINDING))
        (source, *one), (copy, *other) = words["shows"]
        both = frozenset(Address(bytes.fromhex(text)) for text in words["both"])
        signed, ours = (
            Signed(size=TreeSize(int(size)), root=Digest(bytes.fromhex(root)), note=_note(place / name))
            for name, (size, root) in ((ONE, one), (OTHER, other))
        )
    except (OSError, ValueError, KeyError, TypeError, TooLong):
        return found
    return replace(found, source=str(source), copy=str(copy), signed=signed, ours=ours, both=both)


def _note(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _entries(sets: Sequence[Responsible], size: TreeSize) -> bytes:
    """Of the set that is responsible for this size."""
    validators = responsible(sets, size)
    return b"" if validators is None else validators.encode_entries()


def anchored(copies: Mapping[str, CopySight], head: Head) -> CopySight | None:
    """A copy of the history that is anchored."""
    of_quorum = (s for name, s in copies.items() if not name.startswith(FEW))
    reaching = (s for s in of_quorum if s.signed is not None and s.signed.size >= head.tree_size)
    return next((s for s in reaching if s.tree is not None and s.tree.root(head.tree_size) == head.root), None)


def _plain(name: str) -> str:
    return "chain" if name == CHAIN else name
