"""What the journal has on record, for people: nonces, everything about one of them, anchors. Wiring only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from hybrid_bridge.errors import BridgeError, Unknown
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.units import Nonce, Wei
from relayers import wiring
from relayers.answers import ether, gwei, moment
from relayers.desk import Desk, SlotStory
from relayers.journal import AttemptFinalRow, AttemptRow, SendRow, SightingRow, SlotRow
from relayers.observe import EVENT_RANGE
from relayers.settings import Settings
from relayers.terminal import config_option, json_option, one_chain, show, show_table

GOOD: Final = 0
MAX_NONCE: Final = (1 << 53) - 1
FINAL, SAFE, MINED = "finalized", "safe", "mined"


@click.command()
@config_option
@click.option("--last", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many nonces.")
@json_option
def slots(config: Path, last: int, *, as_json: bool) -> int:
    """The newest nonces of the gas key, and what was signed for each."""
    settings = one_chain(config)
    with _desk(settings) as desk:
        rows = [row for story in desk.slots(last) for row in _slot_rows(story)]
    show_table("slots", rows, as_json=as_json)
    return GOOD


@click.command()
@config_option
@click.argument("nonce", type=click.IntRange(0, MAX_NONCE))
@json_option
def tx(config: Path, nonce: int, *, as_json: bool) -> int:
    """Everything about one nonce.

    Each attempt, each endpoint's answer to it, where it was seen, what became of it, what people wished.
    """
    settings = one_chain(config)
    with _desk(settings) as desk:
        story = desk.slot(Nonce(nonce))
        if story is None:
            raise Unknown(what=f"nonce {nonce} in the journal; `slots` shows the newest ones")
        hashes = [attempt.hash for attempt in story.attempts]
        sends, sightings = desk.sends(hashes), desk.sightings(hashes)
    wishes = [f"{wish.kind} by {wish.by}, {moment(wish.wished_at)}" for wish in story.wishes]
    top = {"nonce": nonce, "state": _state(story.slot), "wishes": wishes}
    rows = [_attempt_row(attempt, story) for attempt in story.attempts]
    told = [_send_row(send, story) for send in sends]
    seen = [_sighting_row(sighting, story) for sighting in sightings]
    if as_json:
        show(top | {"attempts": rows, "sends": told, "seen": seen}, as_json=True)
        return GOOD
    show(top, as_json=False)
    show_table("attempts", rows, as_json=False)
    show_table("sends", told, as_json=False)
    if seen:
        show_table("seen", seen, as_json=False)
    return GOOD


@click.command()
@config_option
@click.option("--last", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@click.option("--offline", is_flag=True, help="The journal alone: finalized ones.")
@json_option
def anchors(config: Path, last: int, *, offline: bool, as_json: bool) -> int:
    """The newest anchors of the log, everybody's.

    How far each is on its way to finality, whose it is, and what ours cost where the journal knows it.
    """
    settings = one_chain(config)
    with _desk(settings) as desk:
        final = desk.anchors(last)
        newer = [] if offline else _newer(settings, final[0] if final else None)
        ours = desk.costs([event.tx_hash for event in (*final, *(event for event, _ in newer))])
    levels = [*((event, level) for event, level in reversed(newer)), *((event, FINAL) for event in final)]
    rows = [_anchor_row(event, level, ours) for event, level in levels[:last]]
    show_table("anchors", rows, as_json=as_json)
    return GOOD


COMMANDS: Final = (slots, tx, anchors)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _desk(settings: Settings) -> Desk:
    return Desk(settings.journal, wiring.scope_of(settings))


def _newer(settings: Settings, final: AnchoredEvent | None) -> list[tuple[AnchoredEvent, str]]:
    """Anchors that the journal does not hold as final, in order, each with its level by a quorum of endpoints."""
    observer, _ = wiring.observer_of(settings).serving()
    pinned = observer.pin()
    limit = observer.final(pinned).number
    first = max(observer.first_number, pinned.number - EVENT_RANGE + 1, 0 if final is None else final.block.number + 1)
    try:
        safe = min(pinned.number, observer.reached(lambda chain: wiring.safe_of(chain).number))
    except BridgeError:  # chains without the tag
        safe = limit
    events = observer.anchored(first, pinned.number) if first <= pinned.number else ()
    return [(event, _level(event, limit, safe)) for event in events]


def _level(event: AnchoredEvent, final: int, safe: int) -> str:
    return FINAL if event.block.number <= final else SAFE if event.block.number <= safe else MINED


def _anchor_row(event: AnchoredEvent, level: str, ours: Mapping[bytes, Wei | None]) -> dict[str, Any]:
    cost = ours.get(event.tx_hash)
    return {
        "size": event.tree_size,
        "level": level,
        "public_block": event.block.number,
        "at": moment(event.block.time),
        "whose": "ours" if event.tx_hash in ours else "another's",
        "cost_ether": None if cost is None else ether(cost),
        "transaction": f"0x{event.tx_hash.hex()}",
    }


def _state(slot: SlotRow) -> str:
    return "OPEN" if slot.closed_hash is None else "CLOSED by a stranger" if slot.is_foreign else "CLOSED"


def _slot_rows(story: SlotStory) -> list[dict[str, Any]]:
    """One row for each attempt; one for a nonce without any."""
    slot, finals = story.slot, {final.hash: final for final in story.finals}
    if not story.attempts:
        return [{"nonce": slot.nonce, "state": _state(slot), "carries": None, "wish": _wish(story)}]
    return [
        {
            "nonce": slot.nonce,
            "state": _state(slot),
            "carries": _carries(attempt),
            "max_fee_gwei": gwei(attempt.max_fee),
            "tip_gwei": gwei(attempt.tip),
            "signed": moment(attempt.created_at),
            "wish": _wish(story) if attempt == story.attempts[-1] else None,
            "outcome": _outcome(finals.get(attempt.hash)),
            "public_block": None if attempt.hash not in finals else finals[attempt.hash].block_number,
            "transaction": f"0x{attempt.hash.hex()}",
        }
        for attempt in story.attempts
    ]


def _attempt_row(attempt: AttemptRow, story: SlotStory) -> dict[str, Any]:
    final = next((final for final in story.finals if final.hash == attempt.hash), None)
    return {
        "attempt": _number(attempt.hash, story),
        "carries": _carries(attempt),
        "from_size": attempt.from_size,
        "max_fee_gwei": gwei(attempt.max_fee),
        "tip_gwei": gwei(attempt.tip),
        "gas_limit": attempt.gas,
        "signed": moment(attempt.created_at),
        "seen_at": attempt.pinned_number,
        "epoch": attempt.epoch,
        "outcome": _outcome(final),
        "public_block": None if final is None else final.block_number,
        "transaction": f"0x{attempt.hash.hex()}",
    }


def _send_row(send: SendRow, story: SlotStory) -> dict[str, Any]:
    is_other = send.returned_hash not in {None, send.hash}
    accepted = "another hash" if is_other else "accepted" if send.returned_hash is not None else None
    return {
        "attempt": _number(send.hash, story),
        "at": moment(send.sent_at),
        "endpoint": send.endpoint,
        "answer": accepted or send.message or "none",
        "code": send.code,
    }


def _sighting_row(seen: SightingRow, story: SlotStory) -> dict[str, Any]:
    return {
        "attempt": _number(seen.hash, story),
        "at": moment(seen.seen_at),
        "in_block": seen.block_number,
        "block_hash": f"0x{seen.block_hash.hex()}",
        "result": "succeeded" if seen.status else "reverted",
    }


def _wish(story: SlotStory) -> str | None:
    """The one that still waits: made against the dearest attempt of an open nonce."""
    dearest = story.attempts[-1].hash if story.attempts else None
    waiting = [wish for wish in story.wishes if wish.against == dearest and story.slot.closed_hash is None]
    return f"{waiting[-1].kind} since {moment(waiting[-1].wished_at)}" if waiting else None


def _number(tx_hash: bytes, story: SlotStory) -> int:
    return next(number for number, attempt in enumerate(story.attempts, 1) if attempt.hash == tx_hash)


def _carries(attempt: AttemptRow) -> str | int:
    if attempt.is_rotation:
        return "rotation"
    return "cancel" if attempt.is_cancel else attempt.to_size


def _outcome(final: AttemptFinalRow | None) -> str | None:
    return None if final is None else " ".join(filter(None, (final.outcome.value, final.reason)))
