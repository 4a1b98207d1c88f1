"""Is it alive, is it ready, and if not, why. Pure: a tick in, a state with its reasons out.

HALTED is live and not ready: starting it again would not help, a person must read the evidence (RELAYER §4.6, §9).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hybrid_bridge.units import PublicBlockNumber, TreeSize, UnixSeconds
from relayers.journal import Brake, JournalView
from relayers.relay import Tick
from relayers.views import ChainView

UNEXPLAINED: Final = ("nonce_ahead", "nonce_gap", "nonce_behind")  # nonces that the journal does not bear out
SHORT_OF_MONEY: Final = ("fee_capped", "low_balance", "budget_spent")
DRAINED: Final = "drained"


class State(StrEnum):
    """Of the process (RELAYER §3)."""

    STARTING = "STARTING"
    READY = "READY"
    DEGRADED = "DEGRADED"
    BRAKED = "BRAKED"
    DRAINED = "DRAINED"
    HALTED = "HALTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the relayer stood when its last tick ended."""

    state: State
    reasons: tuple[str, ...]  # why it is not ready; empty if it is
    ticked_at: UnixSeconds | None = None
    waits_for: str = ""
    notes: tuple[str, ...] = ()
    pinned: PublicBlockNumber | None = None
    anchored_mined: TreeSize | None = None
    anchored_final: TreeSize | None = None


STARTING: Final = Health(state=State.STARTING, reasons=("no tick has finished yet",))


def health_of(tick: Tick, now: UnixSeconds) -> Health:
    """What the tick that has just finished says about the relayer."""
    journal, chain = tick.journal, None if tick.sight is None else tick.sight.chain
    reasons = tuple(_obstacles(tick, journal, chain))
    newest = None if journal is None else journal.newest_anchor
    return Health(
        state=_state(tick, journal, reasons),
        reasons=reasons,
        ticked_at=now,
        waits_for=tick.reason,
        notes=tick.notes,
        pinned=None if chain is None else chain.pinned.number,
        anchored_mined=None if chain is None else chain.head.tree_size,
        anchored_final=None if newest is None else newest.tree_size,
    )


def _obstacles(tick: Tick, journal: JournalView | None, chain: ChainView | None) -> list[str]:
    found: list[str] = []
    if journal is None:
        found.append(f"the tick could not look: {tick.reason}")
    else:
        if journal.halted is not None:
            found.append(f"halted: {journal.halted}")
        if journal.brake is not Brake.RUN:
            found.append(f"brake: {journal.brake.value}")
        if chain is None:
            found.append(f"no quorum of endpoints: {tick.blind}")
    if tick.reason in (*SHORT_OF_MONEY, *UNEXPLAINED):
        found.append(tick.reason)
    elif ": " in tick.reason and journal is not None:
        found.append(f"undecided: {tick.reason}")  # an action that a signer or an endpoint did not answer
    return found


def _state(tick: Tick, journal: JournalView | None, reasons: tuple[str, ...]) -> State:
    if journal is not None and journal.halted is not None:
        return State.HALTED
    if tick.reason == DRAINED:
        return State.DRAINED
    if journal is not None and journal.brake is not Brake.RUN:
        return State.BRAKED
    return State.DEGRADED if reasons else State.READY
