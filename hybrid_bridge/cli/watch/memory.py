"""What a watcher remembers between two looks and two starts: signed checkpoints, what is wrong, what was not told yet.

One file, replaced whole. Who deletes it forgets what members once signed, and with it the evidence against them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.cli.verify import read_bounded
from hybrid_bridge.cli.watch.findings import KEPT, KINDS, LYING, NEVER, Finding, Remembered, Signed
from hybrid_bridge.core.bundle import MAX_NOTE
from hybrid_bridge.core.encoding import Json, parse_json
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text, uint
from hybrid_bridge.errors import Malformed, StoreBroken
from hybrid_bridge.units import LogId, SetId

FORMAT: Final = "hybrid-bridge/watcher/v1"
FILE: Final = "watcher.json"
MAX_FILE: Final = 1 << 28  # bytes
MAX_SEEN: Final = 512 * KEPT  # checkpoints of all sources: each copy is two, of a quorum and of few
MAX_ACTIVE: Final = 1 << 14
MAX_TEXT: Final = 4096  # characters of a detail
MAX_UNTOLD: Final = 1000  # notices that nobody took; the oldest go first
RAISED, CLEARED = "raised", "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A finding that came or went."""

    what: str  # raised or cleared
    at: int  # Unix seconds
    finding: Finding
    evidence: str = ""  # a folder

    def to_json(self) -> dict[str, Json]:
        """For whoever is told."""
        return {"what": self.what, "at": self.at, **self.finding.to_json(), "evidence": self.evidence}


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """A finding that is so, and since when."""

    finding: Finding
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A signed checkpoint of one source."""

    source: str
    signed: Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A notice, and a target that has not taken it."""

    target: str
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of it."""

    log_id: LogId
    seen: tuple[Seen, ...] = ()
    set_id: int = NEVER
    active: tuple[Active, ...] = ()
    untold: tuple[Untold, ...] = ()
    format: str = FORMAT

    @property
    def remembered(self) -> Remembered:
        """For judging."""
        signed: dict[str, tuple[Signed, ...]] = {}
        for one in self.seen:
            signed[one.source] = (*signed.get(one.source, ()), one.signed)
        return Remembered(signed=signed, set_id=SetId(self.set_id))

    def turned(
        self, remembered: Remembered, findings: list[Finding], evidence: Mapping[str, str], now: int
    ) -> tuple["State", list[Notice]]:
        """The state after a look, and what came and went."""
        before = {one.finding.name: one for one in self.active}
        after = {finding.name: replace(finding, detail=finding.detail[:MAX_TEXT]) for finding in findings}
        notices = [
            Notice(what=RAISED, at=now, finding=finding, evidence=evidence.get(name, ""))
            for name, finding in after.items()
            if name not in before
        ]
        notices += [Notice(what=CLEARED, at=now, finding=before[name].finding) for name in before if name not in after]
        active = tuple(
            Active(finding=finding, since=before[name].since if name in before else now)
            for name, finding in sorted(after.items())
        )
        seen = tuple(
            Seen(source=name, signed=one) for name, those in sorted(remembered.signed.items()) for one in those
        )
        return replace(self, seen=seen, set_id=int(remembered.set_id), active=active), notices

    def owing(self, targets: list[str], notices: list[Notice]) -> "State":
        """With these notices to be told to these targets."""
        untold = (*self.untold, *(Untold(target=t, notice=notice) for notice in notices for t in targets))
        excess = max(0, len(untold) - MAX_UNTOLD)
        worst = [one for one in untold if one.notice.finding.severity == LYING]
        others = [one for one in untold if one.notice.finding.severity != LYING]
        return replace(self, untold=tuple([*others[excess:], *worst][-MAX_UNTOLD:]) if excess else untold)


def read_state(folder: Path, log_id: LogId) -> State:
    """What was kept there; an empty one where nothing was.

    Raises:
        StoreBroken: it cannot be read, or is of another log.
    """
    path = folder / FILE
    if not path.exists():
        return State(log_id=log_id)
    try:
        state = _STATE.parse(parse_json(read_bounded(path, MAX_FILE), "state", MAX_FILE), "state")
    except OSError as error:
        raise StoreBroken(store=str(path), rule=f"a file that can be read ({error.strerror})") from None
    except Malformed as error:
        raise StoreBroken(store=str(path), rule=f"as it was written ({error})") from None
    if state.log_id != log_id:
        raise StoreBroken(store=str(path), rule="of the log that is watched; each log has a folder of its own")
    return state


def write_state(folder: Path, state: State) -> None:
    """Durable when it returns.

    Raises:
        OSError: the disk does not take it; what was there before stays.
    """
    write_whole(folder / FILE, json.dumps(_STATE.write(state), indent=1, ensure_ascii=False).encode("utf-8"), 0o600)


_LONG: Final = text(MAX_TEXT)
_FINDING: Final = record(Finding, {"kind": literal(*KINDS), "about": text(256), "detail": _LONG})
_NOTICE: Final = record(
    Notice,
    {
        "what": literal(RAISED, CLEARED),
        "at": uint(),
        "finding": _FINDING,
        "evidence": _LONG,
    },
)
_SEEN: Final = record(
    Seen, {"source": text(256), "signed": record(Signed, {"size": uint(), "root": octets(32), "note": text(MAX_NOTE)})}
)
_STATE: Final[Codec[State]] = record(
    State,
    {
        "format": literal(FORMAT),
        "log_id": octets(32),
        "seen": array(_SEEN, MAX_SEEN),
        "set_id": uint(),
        "active": array(record(Active, {"finding": _FINDING, "since": uint()}), MAX_ACTIVE),
        "untold": array(record(Untold, {"target": text(256), "notice": _NOTICE}), MAX_UNTOLD),
    },
)
