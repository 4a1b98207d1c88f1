"""Reports to the contract: sent, seen in its state by as many endpoints as must agree, and sent anew where not.

Whoever takes a transaction may forge its receipt. So no receipt counts, and the next try begins at another endpoint.
Nor is the word of a sole endpoint the last one: what it shows is asked again, and sent again where it shows it no more.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Final

import click

from hybrid_bridge.adapters.evm.history import EQUIVOCATED
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.copies import write_tiles
from hybrid_bridge.cli.watch.evidence import as_kept
from hybrid_bridge.cli.watch.findings import HELD, ChainSight, Contradiction, CopySight, Finding, Signed, Signers
from hybrid_bridge.cli.watch.reporter import Reporter
from hybrid_bridge.errors import BridgeError, Missing, SpendCapped, TooLong
from hybrid_bridge.units import Address, ChainId, Digest, TreeSize, UnixSeconds

DONE, ASKED = "reported.txt", "asked.txt"
SETTLED: Final = 900  # seconds of the public chain after which what was sent is final, or was never there
MAX_SLOWER: Final = 8  # doublings of that
MAX_ASKED: Final = 1 << 16  # bytes
TURN: Final = 600  # seconds after which no report is begun: looks come first
TRIES: Final = 4  # folders of one claim that are tried in a turn until one of them is taken
SOLE: Final = 1  # whose word is asked for again
_FIRST: Final = re.compile(rb"([0-9]{1,12}) ([0-9]{1,6})\n")
_DONE: Final = re.compile(
    rb"stands at public block [0-9]{1,16}, by ([0-9]{1,4}) of the endpoints, seen ([0-9]{1,12})\n"
)


Fresh = Callable[[], Path | None]  # a folder of tiles


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
class Accusation:
    """What a report says that was looked for: a checkpoint that fewer than a quorum signed, and who signed."""

    few: Signed
    members: frozenset[Address]


@dataclass(frozen=True, slots=True)
class Asked:
    """When a report was sent last, and how often."""

    at: UnixSeconds
    tries: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What was done and what could not be, for people; by claim, reports that wait for the budget."""

    lines: list[str] = field(default_factory=list)
    held: dict[str, Finding] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filing:
    """What becomes of contradictions. `told`: whether reports stand in the contract that say these things, or Missing.

    `fruitless`: by folder, how often nothing could be made of it; kept from turn to turn. `chain_id`: of the public
    chain that is watched.
    """

    reporter: Reporter
    signers: Signers
    told: Callable[[Sequence[Accusation]], Sequence[bool]]
    fruitless: Counter[Path] = field(default_factory=Counter)
    chain_id: ChainId | None = None

    def turn(
        self, wanted: Sequence[tuple[Contradiction, Path]], chain: ChainSight, honest: CopySight | None = None
    ) -> Turn:
        """Send what does not stand there and is not on its way. `honest`: a copy of what is anchored."""
        kept = [(as_kept(one, place), place) for one, place in wanted]
        opened = [(one, place) for one, place in kept if not _is_settled(place, chain.voices)]
        done = Turn()
        done.lines.extend(_set_right([place for _, place in kept], max(int(time.time()), chain.at.time)))
        asked = _newest(kept)
        shown = dict(zip((place for _, place in opened), self._shown(opened, chain, done), strict=True))
        end, tried = monotonic() + TURN, Counter[str]()
        with _fresh(honest) as fresh:
            for one, place in sorted(opened, key=partial(self._order, asked)):
                try:
                    is_open = _written_down(place, chain, done, shown[place])
                    claim = _claim(one)
                    if not is_open or tried[claim] >= TRIES or monotonic() > end:
                        continue
                    if _is_due(asked.get(claim), chain.at.time):
                        is_sent = self._sent((one, place), asked.get(claim), chain.at.time, fresh, done)
                        tried[claim] += TRIES if is_sent else 1
                        if is_sent:
                            done.held.pop(claim, None)  # another folder's report was cheaper
                except OSError as error:
                    done.lines.append(f"a report could not be made or written down: {error.strerror}")
        return done

    def _order(
        self, asked: Mapping[str, Asked], pair: tuple[Contradiction, Path]
    ) -> tuple[bool, int, int, bool, bool, str]:
        """What ends the log comes first; then whatever came to nothing least often, so that nothing waits for ever.

        Two roots of one size by the same members come before what names one side alone.
        """
        one, place = pair
        last = asked.get(_claim(one))
        tries = self.fruitless[place], 0 if last is None else last.tries
        return bool(one.few), *tries, not one.both, one.signed.size != one.ours.size, place.name

    def _shown(
        self, opened: Sequence[tuple[Contradiction, Path]], chain: ChainSight, done: Turn
    ) -> Iterator[bool | None]:
        """Of each whether the contract shows it; None if too few endpoints agree.

        A quorum's contradiction stands once it has ended the log: with fewer signatures it ends nothing.
        """
        sought = [[Accusation(few, one.both or self.signers(few.note)) for few in one.few] for one, _ in opened]
        told: Iterator[bool | None] = repeat(None)
        try:
            told = iter(self.told([one for each in sought for one in each])) if any(sought) else told
        except Missing as error:
            done.lines.append(f"whether a report stands in the contract is not known now: {error.what}")
        for each in sought:
            answers = [next(told) for _ in each]
            yield chain.head.state == "frozen" if not each else None if None in answers else any(answers)

    def _sent(
        self, pair: tuple[Contradiction, Path], last: Asked | None, seen: UnixSeconds, fresh: Fresh, done: Turn
    ) -> bool:
        """Whether anything may have left. What is not written down first is not sent: it would be sent at each look.

        Raises:
            OSError: it cannot be written down.
        """
        one, place = pair
        tries = 0 if last is None else last.tries
        at = max(int(time.time()), seen)  # whichever clock is ahead: one try too late is cheaper than one too many
        words, left = f"{at} {tries + 1}\n", []

        def before() -> None:
            write_whole(place / ASKED, words.encode())
            left.append(place)

        try:
            said = self.reporter.report(place, tries, before, ends=not one.few, fresh=fresh(), chain_id=self.chain_id)
        except SpendCapped as error:
            detail = f"{error.rule}: {error.limit} at most, and {error.needed} would be needed: {place}"
            done.held.setdefault(_claim(one), Finding(kind=HELD, about=_about(one), detail=detail))
            done.lines.append(f"not reported yet, the budget does not allow it: {place}")
        except (BridgeError, click.ClickException) as error:
            done.lines.append(f"not reported yet: {error}")
        else:
            if left:
                write_whole(place / ASKED, f"{words}{said}".encode())
                done.lines.append(f"report sent, and not seen in the contract yet: {place}")
                return True
            done.lines.append(f"nothing that the contract takes, while so much is anchored: {place}")
        if not left:
            self.fruitless[place] += 1
        return bool(left)


@contextmanager
def _fresh(honest: CopySight | None) -> Iterator[Fresh]:
    """Tiles up to the newest anchor, written when they are asked for: those beside the evidence grow old."""
    with ExitStack() as stack:

        @cache
        def fresh() -> Path | None:
            if honest is None or honest.tree is None or honest.signed is None:
                return None
            try:
                folder = Path(stack.enter_context(TemporaryDirectory(prefix="watch-")))
                write_tiles(folder, honest.signed.note, honest.tree, honest.signed.size)
            except OSError:
                return None  # what is beside the evidence may do
            return folder

        yield fresh


def _written_down(place: Path, chain: ChainSight, done: Turn, shown: bool | None) -> bool:
    """Whether there is something to send: the contract does not show it, and still takes reports.

    Raises:
        OSError: what becomes of it cannot be written down.
    """
    if shown:
        is_news = not (place / DONE).exists()
        words = f"stands at public block {chain.at.number}, by {chain.voices} of the endpoints, seen {int(time.time())}"
        write_whole(place / DONE, f"{words}\n".encode())
        if is_news:
            done.lines.append(f"reported: {place}")
    elif shown is not None and (place / DONE).exists():
        (place / DONE).unlink()
        done.lines.append(f"reported by the word of one endpoint, and not to be seen any more: {place}")
    return shown is False and chain.head.state != "frozen"


def _is_settled(place: Path, voices: int) -> bool:
    """Whether nothing has to be asked: several endpoints have shown it, or the sole one has just done so."""
    match = _DONE.fullmatch(_bytes(place / DONE))
    if match is None or int(match[1]) > SOLE:
        return match is not None
    return voices == SOLE and 0 <= int(time.time()) - int(match[2]) < SETTLED


def _set_right(places: Sequence[Path], now: int) -> Iterator[str]:
    """A try at a moment that has not come is of a clock that went wrong: it waits from now. What cannot be done."""
    for place in places:
        asked = _asked(place / ASKED)
        if asked is None or asked.at <= now:
            continue
        try:
            write_whole(place / ASKED, f"{now} {asked.tries}\n".encode())
        except OSError as error:
            yield f"a report's time could not be set right: {error.strerror}"


def _is_due(last: Asked | None, now: UnixSeconds) -> bool:
    """Ever more slowly: whatever keeps a report from being seen, it costs little."""
    return last is None or last.at + (SETTLED << min(last.tries - 1, MAX_SLOWER)) <= now


def _bytes(path: Path) -> bytes:
    try:
        return read_bounded(path, MAX_ASKED)
    except (OSError, TooLong):
        return b""


def _claim(one: Contradiction) -> str:
    """What a report is about: one that is on its way serves all that show the same."""
    return "frozen" if not one.few else " ".join(sorted(f"{few.size}:{few.root.hex()}" for few in one.few))


def _about(one: Contradiction) -> str:
    """What a report would say: the same, whichever folder it is made of."""
    if not one.few:
        return "the end of the log"
    return "two histories, one of " + " and ".join(f"size {few.size}, root {few.root.hex()[:16]}…" for few in one.few)


def _newest(wanted: Sequence[tuple[Contradiction, Path]]) -> dict[str, Asked]:
    """By claim, what was sent last."""
    found: dict[str, Asked] = {}
    for one, place in wanted:
        if (asked := _asked(place / ASKED)) is not None:
            found[_claim(one)] = max(found.get(_claim(one), asked), asked, key=lambda each: (each.at, each.tries))
    return found


def _asked(path: Path) -> Asked | None:
    """None too for what nobody wrote so: a report is then sent once more, which costs gas and nothing else."""
    match = _FIRST.match(_bytes(path))
    return None if match is None else Asked(UnixSeconds(int(match[1])), int(match[2]))
