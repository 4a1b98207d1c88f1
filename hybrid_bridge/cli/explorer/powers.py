"""Brakes, reports, the end, appointments: what the contract's rare events say, and who signed what made them. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hybrid_bridge.cli.explorer.marks import CHAIN, SIGNATURE, addresses, mark, marked
from hybrid_bridge.core.attestation import signers_within
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Missing
from hybrid_bridge.units import Address

if TYPE_CHECKING:
    from hybrid_bridge.adapters.evm.history import Happening, History
    from hybrid_bridge.adapters.evm.keepers import Kept


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was done by power, and by whom."""

    kept: "Kept"
    history: "History"
    genesis: Genesis
    sets: Sequence[ValidatorSet]

    @property
    def appointed(self) -> "tuple[Happening, ...]":
        """The event of each set, in order."""
        return self.history.of("ValidatorSet")

    def appointers(self, number: int) -> list[Address]:
        """Who of the set before signed for this one; nobody for the first, which the genesis record fixes."""
        return self._signers(self.appointed[number], self.sets[number - 1].addresses) if number else []

    def speakers(self, one: "Happening") -> list[Address]:
        """Who signed that the log is paused, goes on, or ends; the guardian signs nothing."""
        return self._signers(one, self._everybody)

    def members(self, set_id: int, bits: int) -> list[Address]:
        """Those of a set whose bits are set.

        Raises:
            Missing: the event of that set.
        """
        if not 1 <= set_id <= len(self.sets):
            raise Missing(what=f"the event of validator set {set_id}")
        return [address for i, address in enumerate(self.sets[set_id - 1].addresses) if bits >> i & 1]

    @property
    def _everybody(self) -> list[Address]:
        return sorted({address for one in self.sets for address in one.addresses})

    def _signers(self, one: "Happening", among: Collection[Address]) -> list[Address]:
        digest = one.statement(self.kept.chain_id, self.kept.contract, self.genesis.log_id)
        if digest is None:
            return []
        found = signers_within(self.history.calldata.get(one.place.tx_hash, b""), digest, among)
        return [address for address in among if address in found]


# ── brakes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def pauses_json(spoken: Spoken) -> list[Json]:
    """Each pause: from, until, by whom, and what became of it."""
    return list(_pauses(spoken))


def _pauses(spoken: Spoken) -> Iterator[dict[str, Json]]:
    events = spoken.history.of("Paused", "Resumed", "Frozen", "Retired")
    for place, one in enumerate(events):
        if one.kind != "Paused":
            continue
        _, until, reason_hash, by_guardian = one.values
        following = events[place + 1] if place + 1 < len(events) else None
        after = following if following is not None and following.time <= until else None
        lifted = after if after is not None and after.kind == "Resumed" else None
        yield {
            **marked(CHAIN, begins=one.time, until=until, reason_hash=reason_hash, transaction=one.place.tx_hash),
            **marked(CHAIN, by="guardian" if by_guardian else "quorum"),
            "guardian": mark(CHAIN, spoken.genesis.guardian if by_guardian else None),
            "signers": mark(SIGNATURE, addresses(spoken.speakers(one))),
            **marked(CHAIN, outcome=_outcome(after, until, spoken.kept.at.time)),
            **marked(CHAIN, ended_at=_ended(after, until, spoken.kept.at.time)),
            "lifted_by": mark(SIGNATURE, [] if lifted is None else addresses(spoken.speakers(lifted))),
            "lifted_in": mark(CHAIN, None if lifted is None else lifted.place.tx_hash),
            "lifted_reason_hash": mark(CHAIN, None if lifted is None else lifted.values[1]),
        }


def _outcome(after: "Happening | None", until: int, now: int) -> str:
    if after is not None:
        return {"Resumed": "lifted", "Paused": "renewed", "Frozen": "frozen", "Retired": "retired"}[after.kind]
    return "in force" if now < until else "ran out"


def _ended(after: "Happening | None", until: int, now: int) -> int | None:
    if after is not None:
        return after.time
    return None if now < until else until


# ── reports and the end ──────────────────────────────────────────────────────────────────────────────────────────────


def reports_json(spoken: Spoken) -> list[Json]:
    """What anybody proved to the contract against members: two roots signed, or a root that no history joins."""
    told = spoken.history.of("Frozen", "Equivocated", "Inconsistent")
    pairs = zip(told, [*told[1:], None], strict=False)
    return [_report(one, following, spoken) for one, following in pairs if one.kind != "Frozen"]


def _report(one: "Happening", following: "Happening | None", spoken: Spoken) -> dict[str, Json]:
    """The contract freezes right behind the report that shows a quorum: one before or after it changed nothing."""
    is_last = following is not None and following.kind == "Frozen"
    size, root, other, set_id, bits = one.values
    kind = "equivocation" if one.kind == "Equivocated" else "inconsistency"
    return marked(
        CHAIN,
        kind=kind,
        at=one.time,
        size=size,
        root=root,
        other_root=other,
        set_id=set_id,
        members=addresses(spoken.members(set_id, bits)),
        transaction=one.place.tx_hash,
        froze=is_last and following.place.tx_hash == one.place.tx_hash,  # type: ignore[union-attr]  # asked above
    )


def ends_json(spoken: Spoken) -> list[Json]:
    """How the log ended; nothing: it goes on. One that was retired may be frozen, too."""
    return [_end(one, spoken) for one in spoken.history.of("Frozen", "Retired")]


def _end(one: "Happening", spoken: Spoken) -> dict[str, Json]:
    is_retired = one.kind == "Retired"
    successor, size, root = one.values if is_retired else (None, *one.values)
    return {
        **marked(CHAIN, how="retired" if is_retired else "frozen", at=one.time, size=size, root=root),
        **marked(CHAIN, successor=successor, transaction=one.place.tx_hash),
        "signers": mark(SIGNATURE, addresses(spoken.speakers(one)) if is_retired else []),
    }
