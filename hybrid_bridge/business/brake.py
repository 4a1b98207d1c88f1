"""The brake: it stops all record types, one type, or one member; by a record, with a reason, until an epoch.

It expires by itself, and each change is a notice (SPEC §7.3). One object is stopped by a freeze. Whoever acts alone
has a share of his own, of time on each scope and of scopes: nobody's depends on what another did (ADR 47).
Source: SCENARIOS S7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from hybrid_bridge.business.policy import QUORUM
from hybrid_bridge.business.powers import holder_of
from hybrid_bridge.business.ruling import Act, refuse
from hybrid_bridge.business.scopes import OFF_NOTICE, ON_NOTICE, PASSING, TYPE, power_over, scopes_of
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.ledger_state import BRAKE, Overlay, StateReader, get_json, put_json
from hybrid_bridge.units import EpochNumber, RecordType, UnixSeconds

MAX_BRAKES: Final = 64  # scopes that a quorum stops at once; a consortium that needs more should stop everything
MAX_ALONE: Final = 8  # scopes that each holder stops alone, or waits for; all of them together bound what is remembered
NEVER: Final = EpochNumber(0)


@dataclass(frozen=True, slots=True)
class Braked:
    """The brake on one scope, as far as anybody has to remember it."""

    scope: str
    until: EpochNumber  # the last epoch in which it is on; 0: taken off
    by: str  # `quorum`, or the key that pulled it alone
    alone: Mapping[str, EpochNumber]  # the last epoch in which each who pulled it alone kept it on, as far as it counts

    def is_on(self, epoch: EpochNumber) -> bool:
        """Whether it stops what it is for in `epoch`."""
        return epoch <= self.until

    def counting(self, epoch: EpochNumber, pause: int) -> "Braked":
        """Without those who have left it alone for so many epochs."""
        return replace(self, alone={holder: last for holder, last in self.alone.items() if epoch <= last + pause})


def brakes(state: StateReader) -> Iterator[Braked]:
    """Every brake that is remembered, by scope."""
    rows = {scope: row for scope, row in (get_json(state, BRAKE) or {}).items() if isinstance(row, dict)}
    for scope, row in sorted(rows.items()):
        alone = row["alone"]
        waiting = {holder: EpochNumber(_int(last)) for holder, last in alone.items()} if isinstance(alone, dict) else {}
        yield Braked(scope, EpochNumber(_int(row["until"])), str(row["by"]), waiting)


def brake_until(state: StateReader) -> EpochNumber:
    """The last epoch in which any brake is on, as far as the state knows; flag bit 0 of its record (SPEC §7.2)."""
    return max((braked.until for braked in brakes(state)), default=NEVER)


def require_unbraked(act: Act) -> None:
    """Records that a brake stops are refused with a code of their own; the subject is the scope that stops them.

    Raises:
        RuleRejected: brake.
    """
    standing = {braked.scope for braked in brakes(act.view) if braked.is_on(act.moment.epoch)}
    if standing:
        for scope in scopes_of(act.record_type, [act.submitter, *sorted(act.authorisers)]):
            if scope in standing:
                refuse("brake", scope)


def on(act: Act) -> None:
    """0x0013. On from now until the end of an epoch; again on the same scope: until another one.

    Raises:
        RuleRejected: authority, scope, brake_max, brake_again (one holder alone, too soon), brakes (too many).
    """
    scope, until, epoch = act.claims.text("scope"), act.claims.number("until_epoch"), act.moment.epoch
    holder, known = _holder(act, scope), _remembered(act)
    before = known.get(scope, Braked(scope, NEVER, QUORUM, {}))
    if scope.partition(":")[0] == TYPE and RecordType(int(scope[-4:], 16)) in PASSING:
        refuse("scope", scope)
    last = epoch + act.pack.brake_max
    if holder != QUORUM:
        last = min(last, epoch + act.pack.powers.alone_max - 1)
        if before.is_on(epoch):
            refuse("authority" if before.by == QUORUM else "brake_again", scope)
        if holder in before.alone:
            refuse("brake_again", scope)
    if not epoch <= until <= last:
        refuse("brake_max", str(until))
    _require_room(known, holder, scope, epoch)
    alone = before.alone if holder == QUORUM else {**before.alone, holder: EpochNumber(until)}
    known[scope] = Braked(scope, EpochNumber(until), holder, alone)
    _store(act.view, known)
    _notify(act, ON_NOTICE, act.closes(EpochNumber(until)), {"by": holder, "until_epoch": until})


def off(act: Act) -> None:
    """0x0014. Off at once: the quorum any brake, whoever acts alone those it pulled itself.

    Raises:
        RuleRejected: authority, unknown (none is on there).
    """
    scope, epoch = act.claims.text("scope"), act.moment.epoch
    holder, known = _holder(act, scope), _remembered(act)
    before = known.get(scope)
    if before is None or not before.is_on(epoch):
        refuse("unknown", scope)
    if holder not in (QUORUM, before.by):
        refuse("authority", scope)
    alone = {other: min(last, epoch) for other, last in before.alone.items()}
    known[scope] = Braked(scope, NEVER, holder, alone)
    _store(act.view, known)
    _notify(act, OFF_NOTICE, UnixSeconds(0), {"by": holder})


def _holder(act: Act, scope: str) -> str:
    return holder_of(act, power_over(scope), scope)


def _remembered(act: Act) -> dict[str, Braked]:
    """What is on, or was so lately kept on by somebody alone that he must wait as long again as it may be on."""
    epoch, pause = act.moment.epoch, act.pack.powers.alone_max
    rows = {braked.scope: braked.counting(epoch, pause) for braked in brakes(act.view)}
    return {scope: braked for scope, braked in rows.items() if braked.is_on(epoch) or braked.alone}


def _require_room(known: Mapping[str, Braked], holder: str, scope: str, epoch: EpochNumber) -> None:
    """Each holder's own: what others stop, or wait for, takes none of it."""
    if holder == QUORUM:
        most, held = MAX_BRAKES, [one.scope for one in known.values() if one.by == QUORUM and one.is_on(epoch)]
    else:
        most, held = MAX_ALONE, [one.scope for one in known.values() if holder in one.alone]
    if scope not in held and len(held) >= most:
        refuse("brakes", str(most))


def _store(view: Overlay, known: dict[str, Braked]) -> None:
    rows: dict[str, Json] = {
        scope: {"until": braked.until, "by": braked.by, "alone": dict(braked.alone)} for scope, braked in known.items()
    }
    put_json(view, BRAKE, rows)


def _notify(act: Act, notice: int, until: UnixSeconds, detail: dict[str, Json]) -> None:
    """What an outsider can open by trying: the scope, who did it, and one of a few reasons."""
    act.notify(notice, until, act.claims.text("scope"), detail | {"reason_code": act.claims.text("reason_code")})


def _int(value: Json) -> int:
    return int(str(value))
