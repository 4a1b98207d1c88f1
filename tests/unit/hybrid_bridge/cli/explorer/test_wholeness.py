"""Events that are withheld or made up, each where the contract's state contradicts it."""

from dataclasses import replace
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.events import Place
from hybrid_bridge.adapters.evm.history import Happening, History
from hybrid_bridge.adapters.evm.keepers import SetEvent
from hybrid_bridge.cli.explorer.wholeness import require_whole
from hybrid_bridge.errors import Missing
from tests.unit.hybrid_bridge.cli.explorer.test_powers import HEAD, KEPT

SUCCESSOR = b"s" * 32
NOBODY = bytes(32)
SETS: Any = (SetEvent(1, b"h" * 32, 1, b"e", 1, b"t" * 32),)  # type: ignore[arg-type]


def event(kind: str, at: int, *values: Any, tx: int | None = None) -> Any:
    where = Place(at, bytes([at if tx is None else tx]) * 32, at)  # type: ignore[arg-type]
    return Happening(kind, values, where, 1000 + at)  # type: ignore[arg-type]


LIFE = (
    event("Registered", 1, "origin", b"genesis"),
    event("ValidatorSet", 1, 1, b"h" * 32, 1, b"e"),
    event("Paused", 2, 0, 5000, b"w" * 32, False),
    event("Resumed", 3, 1, b"w" * 32),
    event("Retired", 4, SUCCESSOR, 9, b"r" * 32),
    event("Equivocated", 5, 7, b"a" * 32, b"b" * 32, 1, 15),
    event("Frozen", 6, 9, b"r" * 32, tx=5),
)


def require(events: Any, *, nonce: int = 2, successor: bytes = SUCCESSOR, sets: Any = SETS, **head: Any) -> None:
    shown: Any = {"state": "frozen", "paused_until": 1003, "anchored_at": 1001, **head}
    kept = replace(KEPT, head=replace(HEAD, **shown), sets=sets)
    require_whole(kept, History(happenings=tuple(events), costs={}, calldata={}), nonce, successor)  # type: ignore[arg-type]


def without(*kinds: str) -> list[Any]:
    return [one for one in LIFE if one.kind not in kinds]


def test_a_life_that_the_state_bears_out_lacks_nothing() -> None:
    require(LIFE)
    require(without("Equivocated", "Frozen"), state="retired")
    require(without("Equivocated", "Frozen", "Retired"), state="active", successor=NOBODY)
    require(
        without("Equivocated", "Frozen", "Retired", "Resumed"),
        nonce=1,
        paused_until=5000,
        state="paused",
        successor=NOBODY,
    )
    require(LIFE[:2], nonce=0, paused_until=0, state="active", successor=NOBODY)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (without("Frozen"), {}),
        (without("Frozen", "Equivocated"), {}),
        (without("Equivocated"), {}),
        ([*LIFE[:6], replace(LIFE[6], place=replace(LIFE[6].place, tx_hash=b"x" * 32))], {}),
        ([*LIFE, LIFE[6]], {}),
        (LIFE, {"state": "active"}),
        (LIFE, {"state": "retired"}),
        (without("Retired"), {}),
        (LIFE, {"successor": NOBODY}),
        (without("Frozen", "Equivocated", "Retired"), {"state": "retired"}),
        (without("Paused"), {}),
        (without("Resumed"), {}),
        (without("Paused", "Resumed"), {}),
        (LIFE, {"nonce": 3}),
        (LIFE, {"nonce": 1}),
        (LIFE, {"paused_until": 5000}),
        (LIFE, {"anchored_at": 1002}),
        (without("Registered"), {}),
        ([LIFE[0], *LIFE], {}),
        (without("ValidatorSet"), {}),
        (LIFE, {"sets": (replace(SETS[0], entries=b"x"),)}),
        (LIFE, {"sets": ()}),
    ],
)
def test_what_the_state_contradicts_is_missing(events: Any, state: Any) -> None:
    with pytest.raises(Missing, match="as the contract's state has it"):
        require(events, **state)
