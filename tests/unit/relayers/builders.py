"""Frozen values for the tests of the pure files: a quiet relayer at public block 100, final at 96."""

from dataclasses import replace
from typing import Any

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock, Rotation
from relayers.journal import (
    AttemptRow,
    Brake,
    CheckpointRow,
    HeaderRow,
    IntentKind,
    IntentRow,
    IntentState,
    JournalView,
)
from relayers.views import Appointment, ChainView, FeePolicy, LogClock, Policy, QuorumView, TurnPolicy

GWEI = 10**9
ETHER = 10**18
T0 = 1_700_000_000
LOG_ID = sha256(b"log")
PINNED, FINAL = 100, 96


def number_hash(number: int, fork: int = 0) -> bytes:
    return sha256(b"public block %d %d" % (number, fork))


def public_block(number: int) -> PublicBlock:
    return PublicBlock(number, number_hash(number), number_hash(number - 1), T0 + 12 * number)


def root(size: int) -> bytes:
    return LOG_ID if size == 1 else sha256(b"root %d" % size)


def head(size: int = 1, **changes: Any) -> Head:
    values: dict[str, Any] = {
        "tree_size": size,
        "root": root(size),
        "timestamp": T0,
        "anchored_at": T0,
        "set_id": 1,
        "next_from_size": 0,
        "paused_until": 0,
        "state": "active",
    }
    return Head(**values | changes)


def checkpoint(size: int, **changes: Any) -> CheckpointRow:
    values: dict[str, Any] = {
        "size": size,
        "root": root(size),
        "timestamp": T0 + 12 * size,
        "set_id": 1,
        "digest": sha256(b"digest %d" % size),
        "previous_size": 1,
        "consistency": (),
        "held_number": 90,
        "received_at": T0,
    }
    return CheckpointRow(**values | changes)


def intent(size: int, **changes: Any) -> IntentRow:
    values: dict[str, Any] = {
        "id": size,
        "size": size,
        "root": root(size),
        "digest": sha256(b"digest %d" % size),
        "state": IntentState.OPEN,
        "opened_at": T0,
    }
    return IntentRow(**values | changes)


def appointment(set_id: int = 2, from_size: int = 8) -> Appointment:
    call = Rotation(
        log_id=LOG_ID,
        effective_from_size=from_size,
        set_hash=sha256(b"set 1"),
        signers=7,
        seals=b"seals",
        entries=b"entries",
        newcomers=b"",
    )
    return Appointment(set_id=set_id, set_hash=sha256(b"set %d" % set_id), digest=sha256(b"update"), call=call)


def rotation(set_id: int = 2, **changes: Any) -> IntentRow:
    values = {"id": 100 + set_id, "set_id": set_id, "kind": IntentKind.ROTATE, "root": sha256(b"set %d" % set_id)}
    return intent(0, **values | changes)


def attempt(nonce: int, to_size: int = 2, **changes: Any) -> AttemptRow:
    values: dict[str, Any] = {
        "nonce": nonce,
        "intent_id": to_size or None,
        "from_size": 1,
        "to_size": to_size,
        "max_fee": 3 * GWEI,
        "tip": GWEI,
        "gas": 90_000,
        "raw": b"raw",
        "pinned_number": PINNED,
        "created_at": T0,
        "epoch": 1,
    }
    values |= changes
    values.setdefault("hash", sha256(b"attempt %d %d" % (nonce, values["max_fee"])))
    return AttemptRow(**values)


def event(size: int, number: int = FINAL, **changes: Any) -> AnchoredEvent:
    values: dict[str, Any] = {
        "log_id": LOG_ID,
        "tree_size": size,
        "root": root(size),
        "timestamp": T0,
        "set_id": 1,
        "signers": 7,
        "block": public_block(number),
        "tx_hash": sha256(b"tx %d" % size),
        "log_index": 0,
    }
    return AnchoredEvent(**values | changes)


def journal(**changes: Any) -> JournalView:
    values: dict[str, Any] = {
        "halted": None,
        "brake": Brake.RUN,
        "final_header": HeaderRow(FINAL, number_hash(FINAL), number_hash(FINAL - 1)),
        "open_nonces": (),
        "attempts": (),
        "open_intents": (),
        "anchors": {},
        "newest_anchor": None,
        "head_spans": {},
        "unexplained_reverts": 0,
        "usual_gas": 90_000,
        "today": {},
    }
    return JournalView(**values | changes)


def chain(**changes: Any) -> ChainView:
    values: dict[str, Any] = {
        "pinned": public_block(PINNED),
        "final": public_block(FINAL),
        "base_fee": GWEI,
        "usual_base_fee": GWEI,
        "head": head(),
        "nonce": 5,
        "balance": 10 * ETHER,
        "final_head": head(),
        "final_nonce": 5,
        "known_final_hash": number_hash(FINAL),
        "new_anchors": (),
        "standings": {},
    }
    return ChainView(**values | changes)


def quorum(*sizes: int, **changes: Any) -> QuorumView:
    values: dict[str, Any] = {
        "log_id": LOG_ID,
        "checkpoints": tuple(checkpoint(size) for size in sizes),
        "paths": {size: (sha256(b"path %d" % size),) for size in sizes},
    }
    return QuorumView(**values | changes)


FEES = FeePolicy(
    max_fee=100 * GWEI,
    tip=GWEI,
    max_cost_per_anchor=ETHER // 20,
    daily_budget=ETHER,
    max_gas=1_500_000,
    usual_gas=300_000,
    bump_blocks=10,
)
TURNS = TurnPolicy(operators=1, my_index=0, grace_blocks=6, anchor_every=1, delay=0)
POLICY = Policy(clock=LogClock(genesis_time=T0, cadence=12, grace=3600), fees=FEES, turns=TURNS)


def policy(fees: dict[str, Any] | None = None, turns: dict[str, Any] | None = None) -> Policy:
    return replace(POLICY, fees=replace(FEES, **fees or {}), turns=replace(TURNS, **turns or {}))
