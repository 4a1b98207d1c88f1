"""Every way in which this tool weakens a contract: one small change each, found in the source text. Standard library only.

The sources are formatted by `forge fmt` and have neither `require(` nor strings with code in them, so text is enough: an
`if (` with its condition, a call of a `verify…` or `require…` as a statement, the bounds of a word, an assembly guard, a
limit, an effect on storage.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Edit = tuple[int, int, str]  # from, to, what stands there instead


@dataclass(frozen=True)
class Mutant:
    """One change of one source."""

    file: str  # below contracts/
    line: int
    function: str  # the one it lies in; empty outside of any
    kind: str
    before: str
    after: str
    number: int  # among equal changes of the file, from 1
    text: str  # the whole changed source

    @property
    def key(self) -> str:
        """Stays the same when lines move."""
        mark = f" #{self.number}" if self.number > 1 else ""
        return f"{Path(self.file).stem}: {self.before} → {self.after}{mark}"


def mutants_of(file: str, source: str) -> list[Mutant]:
    """All mutants of one source, in the order of their places."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for (start, end, after), kind in sorted(_edits(source)):
        before = source[start:end]
        seen[before, after] += 1
        whole = source[:start] + after + source[end:]
        line = source.count("\n", 0, start) + 1
        names = re.findall(r"\n    function (\w+)\(", source[:start])
        function = names[-1] if names else ""
        found.append(Mutant(file, line, function, kind, _flat(before), _flat(after), seen[before, after], whole))
    return found


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip() or "nothing"


def _edits(source: str) -> Iterator[tuple[Edit, str]]:
    for find, kind in (
        (_conditions, "check"),
        (_calls, "call"),
        (_bounds, "bound"),
        (_guards, "guard"),
        (_limits, "limit"),
        (_arithmetic, "quorum"),
        (_effects, "effect"),
    ):
        for edit in find(source):
            yield edit, kind


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _conditions(source: str) -> Iterator[Edit]:
    """Never true; always true, where no revert follows; one operand less; each comparison one off."""
    for found in re.finditer(r"\b(?:if|while) \(", source):
        start = found.end()
        end = _closing(source, start)
        condition = source[start:end]
        yield start, end, "false"
        if not re.match(r"\)\s*\{?\s*revert ", source[end:]) and found[0].startswith("if"):
            yield start, end, "true"
        for a, b in _operands(condition):
            yield start, end, (condition[:a] + condition[b:]).strip()
        for sign in re.finditer(r" (<=|>=|<|>) ", condition):
            other = sign[1][0] if len(sign[1]) == 2 else sign[1] + "="
            yield start, end, condition[: sign.start(1)] + other + condition[sign.end(1) :]


def _closing(source: str, start: int) -> int:
    """The place of the bracket that closes the one before `start`."""
    depth = 1
    for place in range(start, len(source)):
        depth += {"(": 1, ")": -1}.get(source[place], 0)
        if depth == 0:
            return place
    raise ValueError(source[start - 20 : start])


def _operands(condition: str) -> Iterator[tuple[int, int]]:
    """Each operand of && or || at the top of the condition, with the sign that goes with it."""
    depth, cuts = 0, [0]
    for place, letter in enumerate(condition):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and condition[place : place + 2] in ("&&", "||"):
            cuts += [place, place + 2]
    if len(cuts) == 1:
        return
    cuts.append(len(condition))
    yield 0, cuts[2]
    yield from ((cuts[at - 1], cuts[at + 1]) for at in range(2, len(cuts) - 1, 2))


# ── everything else ──────────────────────────────────────────────────────────────────────────────────────────────────


def _calls(source: str) -> Iterator[Edit]:
    """A check that is a call of its own is left out; a quorum becomes any number of signers."""
    for found in re.finditer(r"(?<=[;{}/)\n]) *(?:else )?(?:return )?((?:\w+\.)?_?(?:require|verify)\w*\()", source):
        end = _closing(source, found.end()) + 1
        if source[end] == ";" and "function" not in found[0]:
            start = found.start(1)
            yield (start, end, "") if "return" in found[0] else (start, end + 1, "{}")  # a lone ; is no statement
    for found in re.finditer(r"bytes memory \w+ = Seals\.requireQuorum\(", source):
        name = found[0].split()[2]
        yield found.start(), found.end(), f"(bytes memory {name},,) = Seals.count("
    for found in re.finditer(r"(?<=[;}/\n]) +Seals\.requireQuorum\(", source):
        yield found.end() - len("requireQuorum("), found.end(), "count("


def _bounds(source: str) -> Iterator[Edit]:
    """A word may be anything; one more than its upper bound; one less than its lower."""
    for found in re.finditer(r"_within\(record, (\d+|index), (\w+), ([^;]*?)\)(?=[;)]| ==)", source):
        yield found.start(), found.end(), f"_word(record, {found[1]})"
        yield found.start(), found.end(), f"_within(record, {found[1]}, {found[2]}, uint256({found[3]}) + 1)"
        if found[2] == "1":
            yield found.start(), found.end(), f"_within(record, {found[1]}, 0, {found[3]})"


def _guards(source: str) -> Iterator[Edit]:
    """What stands guard inside assembly."""
    for found in re.finditer(r"if (?:gt|lt|iszero)\(.*\) \{ (?:break|revert\(0, 0\)) \}", source):
        call = re.search(r"iszero\((staticcall\(.*\))\) \{", found[0])
        yield found.start(), found.end(), f"pop({call[1]})" if call else ""
    for found in re.finditer(r"mstore\(0, 0\)", source):
        yield found.start(), found.end(), ""


def _limits(source: str) -> Iterator[Edit]:
    """A limit that is one larger."""
    for found in re.finditer(r"constant (?:MAX_\w+|ROTATION_HORIZON) = ([^;]+);", source):
        yield found.start(1), found.end(1), f"{found[1]} + 1"
        yield found.start(1), found.end(1), f"{found[1]} - 1"


def _arithmetic(source: str) -> Iterator[Edit]:
    """Other ideas of a quorum."""
    for found in re.finditer(r"2 \* members / 3 \+ 1", source):
        for other in ("2 * members / 3", "(2 * members + 2) / 3", "members / 2 + 1", "1"):
            yield found.start(), found.end(), other


def _effects(source: str) -> Iterator[Edit]:
    """A write that does not happen; a nonce that stays; a flag of the wrong meaning."""
    for found in re.finditer(r"(?<=[\n)]) *(log\.\w+ = [^;]+;|_freeze\(logId, log\);|emit [^;]+;)", source):
        yield found.start(1), found.end(1), "{}"
    for found in re.finditer(r"log\.brake\.nonce\+\+", source):
        yield found.start(), found.end(), "log.brake.nonce"
