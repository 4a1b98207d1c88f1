"""Reports to the contract: sent, seen in its state by as many endpoints as must agree, and sent anew where not.

Whoever takes a transaction may forge its receipt. So no receipt counts, and the next try begins at another endpoint.
"""

import re
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

from hybrid_bridge.adapters.evm.history import EQUIVOCATED
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.evidence import Reporter, as_kept
from hybrid_bridge.cli.watch.findings import ChainSight, Contradiction, Signed, Signers
from hybrid_bridge.errors import BridgeError, Missing, TooLong, Undecided
from hybrid_bridge.units import Address, Digest, TreeSize, UnixSeconds

DONE, ASKED = "reported.txt", "asked.txt"
SETTLED: Final = 900  # seconds of the public chain after which what was sent is final, or was never there
MAX_SLOWER: Final = 8  # doublings of that
MAX_ASKED: Final = 1 << 16  # bytes
_FIRST: Final = re.compile(rb"([0-9]{1,12}) ([0-9]{1,6})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A report that stands in the contract's events: the roots it shows, and whom it names."""

    kind: str
    size: TreeSize
    root: Digest
    other: Digest
    members: frozenset[Address]

    def tells(self, few: Signed, members: frozenset[Address]) -> bool:
        """Whether it shows this checkpoint, and names all of these: anybody may report fewer, first."""
        roots = (self.root, self.other) if self.kind == EQUIVOCATED else (self.root,)
        return self.size == few.size and few.root in roots and bool(members) and members <= self.members


@dataclass(frozen=True, slots=True)
class Asked:
    """When a report was sent last, and how often."""

    at: UnixSeconds
    tries: int


@dataclass(frozen=True, slots=True)
class Filing:
    """`told` asks the contract for the reports that stand, and may raise Missing."""

    reporter: Reporter
    signers: Signers
    told: Callable[[], Collection[Told]]

    def turn(self, wanted: Sequence[tuple[Contradiction, Path]], chain: ChainSight) -> list[str]:
        """Send what does not stand there and is not on its way; what was done, and what could not be."""
        kept = [(as_kept(one, place), place) for one, place in wanted]
        opened = [(one, place) for one, place in kept if not (place / DONE).exists()]
        asked, now = _newest(kept), set[str]()
        told, lines = self._told_of(opened)
        for one, place in sorted(opened, key=_named_first):
            claim, is_frozen = _claim(one), chain.head.state == "frozen"
            try:
                if one.few and told is None:
                    continue
                if self._stands(one, told or (), is_frozen=is_frozen):
                    write_whole(place / DONE, f"stands at public block {chain.at.number}\n".encode())
                    lines.append(f"reported: {place}")
                elif not is_frozen and claim not in now and _is_due(asked.get(claim), chain.at.time):
                    now.add(claim)
                    lines.append(self._sent(place, asked.get(claim), chain.at.time))
            except OSError as error:
                lines.append(f"what becomes of a report could not be written: {error.strerror}")
        return lines

    def _told_of(self, opened: Sequence[tuple[Contradiction, Path]]) -> tuple[Collection[Told] | None, list[str]]:
        """The reports that stand, where anybody asks for them; None if too few endpoints agree on them."""
        try:
            return (self.told() if any(one.few for one, _ in opened) else ()), []
        except Missing as error:
            return None, [f"whether a report stands in the contract is not known now: {error.what}"]

    def _stands(self, one: Contradiction, told: Collection[Told], *, is_frozen: bool) -> bool:
        """A quorum's contradiction stands once it has ended the log: with fewer signatures it ends nothing."""
        if not one.few:
            return is_frozen
        wanted = [(few, one.both or self.signers(few.note)) for few in one.few]
        return any(report.tells(few, members) for report in told for few, members in wanted)

    def _sent(self, place: Path, last: Asked | None, seen: UnixSeconds) -> str:
        """What is not written down first is not sent: it would be sent at each look.

        Raises:
            OSError: it cannot be written down.
        """
        tries = 0 if last is None else last.tries
        at = max(int(time.time()), seen)  # whichever clock is ahead: one try too late is cheaper than one too many
        before = _bytes(place / ASKED)
        write_whole(place / ASKED, f"{at} {tries + 1}\n".encode())
        try:
            said = self.reporter.report(place, tries)
        except (Undecided, OSError) as error:  # perhaps it was sent
            return f"not reported yet: {error}"
        except (BridgeError, click.ClickException) as error:
            _put_back(place / ASKED, before)
            return f"not reported yet: {error}"
        if not said:
            _put_back(place / ASKED, before)
            return f"nothing that the contract takes, while so much is anchored: {place}"
        write_whole(place / ASKED, f"{at} {tries + 1}\n{said}".encode())
        return f"report sent, and not seen in the contract yet: {place}"


def _is_due(last: Asked | None, now: UnixSeconds) -> bool:
    """Ever more slowly: whatever keeps a report from being seen, it costs little."""
    return last is None or last.at + (SETTLED << min(last.tries - 1, MAX_SLOWER)) <= now


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _put_back(path: Path, before: bytes) -> None:
    """Nothing was sent."""
    if before:
        write_whole(path, before)
    else:
        path.unlink()


def _named_first(pair: tuple[Contradiction, Path]) -> tuple[bool, bool, str]:
    """Two roots of one size by the same members before what names one side alone."""
    one, place = pair
    return not one.both, one.signed.size != one.ours.size, place.name


def _claim(one: Contradiction) -> str:
    """What a report is about: one that is on its way serves all that show the same."""
    return "frozen" if not one.few else " ".join(sorted(f"{few.size}:{few.root.hex()}" for few in one.few))


def _newest(wanted: Sequence[tuple[Contradiction, Path]]) -> dict[str, Asked]:
    """By claim, what was sent last."""
    found: dict[str, Asked] = {}
    for one, place in wanted:
        if (asked := _asked(place / ASKED)) is not None:
            found[_claim(one)] = max(found.get(_claim(one), asked), asked, key=lambda each: (each.at, each.tries))
    return found


def _asked(path: Path) -> Asked | None:
    """None too for what nobody wrote so: a report is then sent once more, which costs gas and nothing else."""
    try:
        match = _FIRST.match(read_bounded(path, MAX_ASKED))
    except (OSError, TooLong):
        return None
    return None if match is None else Asked(UnixSeconds(int(match[1])), int(match[2]))
