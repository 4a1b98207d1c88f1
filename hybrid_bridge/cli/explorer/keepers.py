"""Who keeps the accounts, as the explorer shows it: sets and rotations, legal entities, independence. Pure."""

from collections.abc import Sequence

from hybrid_bridge.cli.explorer.marks import (
    CERTIFICATE,
    CERTIFIED,
    CHAIN,
    LOG_ID,
    SIGNATURE,
    WORD,
    addresses,
    mark,
    mark_if,
    marked,
)
from hybrid_bridge.cli.explorer.powers import Spoken
from hybrid_bridge.cli.keepers import BY_ROOTS, KeptSet, Report
from hybrid_bridge.cli.openings import NOT_OPENED, Keeper
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.steps.verify.names import CERTIFIED as BY_A_ROOT
from hybrid_bridge.units import SetId


def keepers_json(report: Report, spoken: Spoken, anchors: Sequence[AnchoredEvent], *, is_all: bool) -> list[Json]:
    """The sets, oldest first."""
    return [_set(kept, spoken, _first_anchor(kept.set_id, anchors, is_all=is_all)) for kept in report.sets]


def _first_anchor(set_id: SetId, anchors: Sequence[AnchoredEvent], *, is_all: bool) -> AnchoredEvent | None:
    """None where an older one may be, that was not read."""
    if not is_all and not any(event.set_id < set_id for event in anchors):
        return None
    return next((event for event in anchors if event.set_id == set_id), None)


def _set(kept: KeptSet, spoken: Spoken, first: AnchoredEvent | None) -> dict[str, Json]:
    of_set = LOG_ID if kept.set_id == 1 else CHAIN  # the genesis record fixes the first
    number = int(kept.set_id) - 1
    counted = CERTIFIED if kept.counted == BY_ROOTS else WORD
    found = kept.independence
    return {
        **marked(of_set, set_id=kept.set_id, from_size=kept.from_size, n=found.n, q=found.q),
        **marked(CHAIN, to_size=kept.to_size, state=kept.state, transaction=kept.transaction),
        **marked(CHAIN, announced_at=spoken.appointed[number].time),
        "first_anchor": mark_if(CHAIN, None if first is None else first.tree_size),
        "first_anchored_at": mark_if(CHAIN, None if first is None else first.block.time),
        "appointed_by": mark(LOG_ID if number == 0 else SIGNATURE, addresses(spoken.appointers(number))),
        **marked(counted, entities=found.entities, unknown=found.unknown),
        **marked(counted, to_sign=found.to_sign, to_block=found.to_block),
        "keepers": [_keeper(keeper, of_set) for keeper in kept.keepers],
    }


def _keeper(keeper: Keeper, of_set: str) -> dict[str, Json]:
    is_opened = keeper.basis != NOT_OPENED
    named = CERTIFIED if keeper.basis == BY_A_ROOT else WORD
    said = keeper.name if is_opened else None, keeper.legal_id if is_opened else None
    return {
        **marked(of_set, address=keeper.address, name_hash=keeper.name_hash),
        **marked(of_set, certificate_hash=keeper.certificate_hash),
        "name": mark_if(named, said[0]),
        "legal_id": mark_if(named, said[1]),
        "basis": mark(named if is_opened else CHAIN, keeper.basis),
        "issuer": mark_if(CERTIFICATE, keeper.issuer or None),
        "valid_from": mark_if(CERTIFICATE, keeper.valid_from),
        "valid_until": mark_if(CERTIFICATE, keeper.valid_until),
        "keys": _keys(keeper),
    }


def _keys(keeper: Keeper) -> list[Json]:
    """The keys that this name had, each with the set that brought it."""
    had = set(keeper.history)
    return [
        marked(CHAIN, set_id=set_id, address=address)
        for set_id, address in keeper.history
        if (SetId(set_id - 1), address) not in had
    ]
