"""`pause`, `pauseByGuardian`, `resume`, CONTRACT §3.5: each check broken alone, then what a good call does."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.attestation import pause_digest, resume_digest
from hybrid_bridge.core.keccak import keccak256

if TYPE_CHECKING:
    from tests.evm.conftest import World

FROZEN, RETIRED, NONCE = 1 << 248, 1 << 249, 1 << 224
REASON = keccak256(b"keys of two members may be stolen")
PAUSE_MAX = 86_400
FROM_SIZE = 9_000
BOUNDARY = 1_800_000_000 + (FROM_SIZE - 1) * 600
GUARDIAN = "0x" + "22" * 20
SENDER = "0x" + "11" * 20


def quorum(world: "World", digest: bytes, places: Sequence[int] | None = None) -> tuple[Any, ...]:
    return world.log.members.set.digest, *world.log.members.seals(digest, places)


def contract(world: "World") -> bytes:
    return bytes.fromhex(world.registry.address[2:])


def pausing(world: "World", until: int, /, nonce: int = 0, **spoilt: Any) -> tuple[Any, ...]:
    """The arguments of `pause`; a member given by name is signed instead of the honest one."""
    signed = {"chain_id": 1, "contract": contract(world), "log_id": world.log.log_id}
    signed |= {"until": until, "nonce": nonce, "reason_hash": REASON}
    places = spoilt.pop("places", None)
    return world.log.log_id, until, REASON, quorum(world, pause_digest(**signed | spoilt), places)


def resuming(world: "World", nonce: int = 1, **spoilt: Any) -> tuple[Any, ...]:
    signed = {"chain_id": 1, "contract": contract(world), "log_id": world.log.log_id, "nonce": nonce}
    places = spoilt.pop("places", None)
    digest = resume_digest(**signed | {"reason_hash": REASON} | spoilt)
    return world.log.log_id, REASON, quorum(world, digest, places)


def pause(world: "World", arguments: tuple[Any, ...]) -> None:
    world.registry.call("pause", *arguments)


def resume(world: "World", arguments: tuple[Any, ...]) -> None:
    world.registry.call("resume", *arguments)


def by_guardian(world: "World", until: int) -> None:
    world.registry.call("pauseByGuardian", world.log.log_id, until, REASON)


@pytest.fixture
def guarded(world: "World") -> "World":
    """Its log names whoever calls as its guardian."""
    world.log = world.registered(type(world.log)(guardian=int(SENDER, 16)))
    return world


CALLS: dict[str, Callable[["World"], None]] = {
    "pause": lambda world: pause(world, pausing(world, world.time + 60)),
    "resume": lambda world: resume(world, resuming(world)),
    "pauseByGuardian": lambda world: by_guardian(world, world.time + 60),
}


# ── the state of the log ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("call", CALLS)
def test_an_unknown_a_frozen_and_a_retired_log_have_no_brake(guarded: "World", call: str) -> None:
    known, guarded.log = guarded.log, type(guarded.log)(7)
    with guarded.refuses("UnknownLog", guarded.log.log_id):
        CALLS[call](guarded)
    guarded.log = known
    meta = guarded.words()[0]
    guarded.set_word(0, meta | FROZEN | RETIRED)
    with guarded.refuses("LogFrozen", known.log_id):
        CALLS[call](guarded)
    guarded.set_word(0, meta | RETIRED)
    guarded.set_word(5, 5)
    with guarded.refuses("LogRetired", (5).to_bytes(32, "big")):
        CALLS[call](guarded)


# ── pause ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("after", [-1, 0, PAUSE_MAX + 1, 2**52])
def test_a_pause_ends_later_and_not_too_late(world: "World", after: int) -> None:
    with world.refuses("PauseOutOfRange", world.time + after, world.time + 1, world.time + PAUSE_MAX):
        pause(world, pausing(world, world.time + after))


def test_a_log_without_pauses_is_never_paused(world: "World") -> None:
    world.log = world.registered(type(world.log)(pause=0))
    with world.refuses("PauseOutOfRange", world.time + 1, world.time + 1, world.time):
        pause(world, pausing(world, world.time + 1))


@pytest.mark.parametrize(
    "spoilt",
    [{"chain_id": 5}, {"contract": bytes(20)}, {"log_id": bytes(32)}, {"nonce": 1}, {"until": 7}, {"reason_hash": bytes(32)}],
    ids=lambda spoilt: next(iter(spoilt)),
)  # fmt: skip
def test_a_pause_of_another_chain_contract_log_turn_time_or_reason_is_none(world: "World", spoilt: Any) -> None:
    with pytest.raises(Exception, match="SetMismatch"):
        pause(world, pausing(world, world.time + 60, **spoilt))
    assert world.words()[3] >> 224 == 0


def test_too_few_do_not_pause(world: "World") -> None:
    with world.refuses("BelowQuorum", 3, 2):
        pause(world, pausing(world, world.time + 60, places=(0, 3)))


def test_a_pause_stops_new_anchors_and_ends_by_itself(world: "World") -> None:
    world.advanced(5)
    before, until = world.words(), world.time + 60
    pause(world, pausing(world, until))
    assert world.registry.logs == [("Paused", (world.log.log_id, 0, until, REASON, False))]
    assert world.words() == [before[0] | until << 120, *before[1:3], before[3] + NONCE, 0, 0]
    assert world.head()[6:] == (until, 2)
    with world.refuses("LogPaused", until):
        world.anchor(world.log.anchoring(5, 7))
    assert world.anchor(world.log.anchoring(1, 5)) is False, "the head again is the head, paused or not"
    world.set_time(until - 1)
    with world.refuses("LogPaused", until):
        world.anchor(world.log.anchoring(5, 7))
    world.set_time(until)
    assert world.head()[7] == 1
    assert world.anchor(world.log.anchoring(5, 7))


def test_the_longest_pause_is_granted(world: "World") -> None:
    pause(world, pausing(world, world.time + PAUSE_MAX))
    assert world.head()[6] == world.time + PAUSE_MAX


def test_a_quorum_may_prolong_and_shorten_and_each_word_counts_once(world: "World") -> None:
    first = pausing(world, world.time + 60)
    pause(world, first)
    pause(world, pausing(world, world.time + 90, nonce=1))
    pause(world, pausing(world, world.time + 30, nonce=2))
    assert world.head()[6] == world.time + 30
    with pytest.raises(Exception, match="SetMismatch"):
        pause(world, first)


def test_a_pause_does_not_stop_the_public_clock(world: "World") -> None:
    before = world.registry.call("overdue", world.log.log_id)
    pause(world, pausing(world, world.time + 60))
    world.set_time(world.time + 50)
    assert world.registry.call("overdue", world.log.log_id) == before + 50


# ── resume ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_not_paused_cannot_resume(world: "World") -> None:
    with world.refuses("NotPaused"):
        resume(world, resuming(world, nonce=0))
    pause(world, pausing(world, world.time + 60))
    world.set_time(world.time + 60)
    with world.refuses("NotPaused"):
        resume(world, resuming(world))


@pytest.mark.parametrize(
    "spoilt",
    [{"chain_id": 5}, {"contract": bytes(20)}, {"log_id": bytes(32)}, {"nonce": 0}, {"reason_hash": bytes(32)}],
    ids=lambda spoilt: next(iter(spoilt)),
)
def test_a_resume_of_another_chain_contract_log_turn_or_reason_is_none(world: "World", spoilt: Any) -> None:
    pause(world, pausing(world, world.time + 60))
    with pytest.raises(Exception, match="SetMismatch"):
        resume(world, resuming(world, **spoilt))
    assert world.head()[7] == 2


def test_too_few_do_not_resume(world: "World") -> None:
    pause(world, pausing(world, world.time + 60))
    with world.refuses("BelowQuorum", 3, 2):
        resume(world, resuming(world, places=(1, 2)))


def test_a_resume_ends_the_pause_at_once_and_lifts_no_later_one(world: "World") -> None:
    pause(world, pausing(world, world.time + 60))
    kept = resuming(world)
    resume(world, kept)
    assert world.registry.logs == [("Resumed", (world.log.log_id, 1, REASON))]
    assert world.head()[6:] == (world.time, 1)
    assert world.anchor(world.log.anchoring(1, 5))
    pause(world, pausing(world, world.time + 60, nonce=2))
    with pytest.raises(Exception, match="SetMismatch"):
        resume(world, kept)


# ── the guardian ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_the_guardian_pauses_alone(world: "World") -> None:
    with world.refuses("NotGuardian", SENDER):  # nobody is guardian here, not even address zero
        by_guardian(world, world.time + 60)
    world.log = world.registered(type(world.log)(guardian=int(GUARDIAN, 16)))
    with world.refuses("NotGuardian", SENDER):
        by_guardian(world, world.time + 60)


def test_a_call_in_the_name_of_address_zero_is_no_guardian_s(world: "World") -> None:
    """No transaction has that sender; a simulated call may."""
    calldata = world.registry.calldata("pauseByGuardian", world.log.log_id, world.time + 60, REASON)
    with pytest.raises(RuntimeError, match=keccak256(b"NotGuardian(address)")[:4].hex() + "00" * 32):
        world.evm.message_call("0x" + "00" * 20, world.registry.address, calldata=calldata)


@pytest.mark.parametrize("after", [0, PAUSE_MAX + 1])
def test_the_guardian_has_the_same_bounds(guarded: "World", after: int) -> None:
    with guarded.refuses("PauseOutOfRange", guarded.time + after, guarded.time + 1, guarded.time + PAUSE_MAX):
        by_guardian(guarded, guarded.time + after)


def test_half_of_the_time_is_the_guardians_at_most(guarded: "World") -> None:
    until = guarded.time + PAUSE_MAX
    by_guardian(guarded, until)
    assert guarded.registry.logs == [("Paused", (guarded.log.log_id, 0, until, REASON, True))]
    for time in (guarded.time + 1, until, until + PAUSE_MAX - 1):
        guarded.set_time(time)
        with guarded.refuses("PauseTooSoon", until + PAUSE_MAX):
            by_guardian(guarded, time + 60)
    guarded.set_time(until + PAUSE_MAX)
    by_guardian(guarded, guarded.time + PAUSE_MAX)
    assert guarded.head()[6] == guarded.time + PAUSE_MAX


def test_a_quorum_overrules_the_guardian_who_must_then_wait(guarded: "World") -> None:
    by_guardian(guarded, guarded.time + PAUSE_MAX)
    resume(guarded, resuming(guarded))
    assert guarded.anchor(guarded.log.anchoring(1, 5))
    with guarded.refuses("PauseTooSoon", guarded.time + PAUSE_MAX):
        by_guardian(guarded, guarded.time + 60)


# ── at a handover ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dismissed_keys_cannot_hold_off_the_handover(world: "World") -> None:
    """A pause from before ends when the new set says so; after the boundary the old one's word is none."""
    world.set_time(BOUNDARY - 100)
    old, new = world.log.members, type(world.log.members).of(2, (2, 3, 4, 5, 6))
    world.registry.call("rotateValidators", *world.rotation(new, FROM_SIZE))
    world.log.members = new
    with pytest.raises(Exception, match="SetMismatch"):
        pause(world, pausing(world, world.time + 60))
    world.log.members = old
    pause(world, pausing(world, world.time + PAUSE_MAX))
    world.set_time(BOUNDARY)
    with pytest.raises(Exception, match="SetMismatch"):
        pause(world, pausing(world, world.time + PAUSE_MAX, nonce=1))
    world.log.members = new
    resume(world, resuming(world))
    assert world.anchor(world.log.anchoring(1, FROM_SIZE, members=new))


def test_the_brake_of_one_log_is_not_that_of_another(world: "World") -> None:
    other = world.registered(type(world.log)(7))
    before = world.words(other.log_id)
    pause(world, pausing(world, world.time + 60))
    assert world.words(other.log_id) == before
