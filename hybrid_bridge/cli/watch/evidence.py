"""Evidence of a split view as files that `contract report` takes, and the report itself where the owner wants it."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.sqlite.file import sync_path, write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.copies import Responsible, write_tiles
from hybrid_bridge.cli.watch.findings import CHAIN, FEW, ChainSight, Contradiction, CopySight, Signed
from hybrid_bridge.errors import BridgeError, NoConflict, TooLong
from hybrid_bridge.ports import Head
from hybrid_bridge.units import Address, Digest, TreeSize

ONE, OTHER, SHOWN, ANCHORED, ENTRIES = "one.note", "other.note", "tiles", "anchored-tiles", ".entries.bin"
FINDING: Final = "finding.json"
MAX_FINDING: Final = 1 << 16  # bytes
_SUFFIXES: Final = {"few_contradict": "~unclear"}  # what names nobody keeps no place from what does


def keep(
    folder: Path,
    contradiction: Contradiction,
    copies: Mapping[str, CopySight],
    chain: ChainSight | None,
    sets: Sequence[Responsible],
) -> Path:
    """Write it once; what is there already stays as it is."""
    found = contradiction
    place = folder / ("~".join(sorted(map(_plain, (found.copy, found.source)))) + _SUFFIXES.get(found.kind, ""))
    if (place / FINDING).exists():
        return place
    place.mkdir(parents=True, exist_ok=True)
    for name, signed in ((ONE, found.signed), (OTHER, found.ours)):
        if signed.note:
            (place / name).write_text(signed.note, encoding="utf-8")
            (place / f"{name}{ENTRIES}").write_bytes(_entries(sets, signed.size))
    shown = copies[found.copy].tree
    if shown is not None and found.ours.size <= shown.size:
        write_tiles(place / SHOWN, found.ours.note, shown, found.ours.size)
    honest = None if chain is None else _anchored(copies, chain.head)
    if honest is not None and honest.tree is not None and honest.signed is not None:
        write_tiles(place / ANCHORED, honest.signed.note, honest.tree, honest.signed.size)
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
    }
    for path in place.rglob("*"):
        sync_path(path)
    write_whole(place / FINDING, json.dumps(words, indent=2).encode("utf-8"))  # last: now it is whole
    return place


@dataclass(frozen=True, slots=True)
class Reporter:
    """Shows the contract what was kept, by the first endpoint that takes it. `options`: contract, log, and who pays."""

    endpoints: tuple[str, ...]
    options: tuple[str, ...]

    def report(self, place: Path, skip: int = 0) -> str:
        """The first report that the contract takes; what it said. Empty: none of them is a contradiction for it.

        Args:
            place: a folder of evidence.
            skip: how many endpoints are asked last, after all others: earlier tries came to nothing there.

        Raises:
            BridgeError: a refusal, where all were refused.
            ClickException: a file that the options name is gone.
        """
        from hybrid_bridge.cli.contract.reporting import report  # noqa: PLC0415 only who pays needs it

        refusal: BridgeError | None = None
        first = skip % len(self.endpoints)
        for url, words in product(self.endpoints[first:] + self.endpoints[:first], list(_reports(place))):
            said = io.StringIO()
            try:
                with redirect_stdout(said):
                    report.main([*words, "--rpc", url, *self.options], standalone_mode=False)
            except BridgeError as error:
                refusal = error if refusal is None or not isinstance(error, NoConflict) else refusal
            else:
                return said.getvalue()
        if refusal is not None and not isinstance(refusal, NoConflict):
            raise refusal
        return ""


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


def _reports(place: Path) -> Iterator[list[str]]:
    notes = [str(place / name) for name in (ONE, OTHER) if (place / name).exists()]
    if len(notes) == 2:
        yield ["equivocation", *notes, "--entries", f"{notes[0]}{ENTRIES}"]
    for note in notes:
        for name in (ANCHORED, SHOWN):
            if (place / name).is_dir():
                yield ["inconsistency", note, "--history", str(place / name), "--entries", f"{note}{ENTRIES}"]


def _entries(sets: Sequence[Responsible], size: int) -> bytes:
    """Of the set that is responsible for this size."""
    responsible = [known.validators for known in sets if known.from_size <= size]
    return responsible[-1].encode_entries() if responsible else b""


def _anchored(copies: Mapping[str, CopySight], head: Head) -> CopySight | None:
    """A copy of the history that is anchored."""
    of_quorum = (s for name, s in copies.items() if not name.startswith(FEW))
    reaching = (s for s in of_quorum if s.signed is not None and s.signed.size >= head.tree_size)
    return next((s for s in reaching if s.tree is not None and s.tree.root(head.tree_size) == head.root), None)


def _plain(name: str) -> str:
    return "chain" if name == CHAIN else name
