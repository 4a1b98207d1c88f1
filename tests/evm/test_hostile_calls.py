"""Whole calls that somebody cut, soiled or starved of gas: done as they were meant, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.attestation import pause_digest
from hybrid_bridge.core.encoding import sha256
from tests.evm.test_proofs import EPOCH, HEAD, proof_of

if TYPE_CHECKING:
    from tests.evm.conftest import Contract, Members, RecordedLog, World

Call = tuple["Contract", str, tuple[Any, ...]]
SENDER = "0x" + "99" * 20
WORD = 32


@dataclass(frozen=True)
class Outcome:
    """What a call answered (None: refused), and what it left behind before it was undone."""

    answer: bytes | None
    states: list[list[int]]  # the six words of each log looked at
    events: int
    gas: int


def tried(
    world: "World", contract: "Contract", calldata: bytes, gas: int | None = None, logs: Sequence[bytes] = ()
) -> Outcome:
    """One call, and back."""
    start = world.evm.snapshot()
    try:
        answer = bytes(world.evm.message_call(SENDER, contract.address, calldata=calldata, gas=gas))
    except RuntimeError:
        answer = None
    states = [world.words(log) for log in (logs or (world.log.log_id,))]
    events, used = (0, 0) if answer is None else (len(world.evm.result.logs), world.evm.result.gas_used)
    world.evm.revert(start)
    return Outcome(answer, states, events, used)


# ── the calls ────────────────────────────────────────────────────────────────────────────────────────────────────────


def anchoring(world: "World") -> Call:
    return world.registry, "anchor", world.log.anchoring(1, 9).arguments()


def batch(world: "World") -> Call:
    return world.registry, "anchorBatch", ([world.log.anchoring(1, 9).arguments()],)


def rotation(world: "World") -> Call:
    members: Members = type(world.log.members).of(2, (2, 3, 4, 5))
    return world.registry, "rotateValidators", world.rotation(members, 16)


def pausing(world: "World") -> Call:
    until, reason = world.time + 60, sha256(b"reason")
    contract = bytes.fromhex(world.registry.address[2:])
    digest = pause_digest(1, contract, world.log.log_id, 0, until, reason)
    quorum = (world.log.members.set.digest, *world.log.members.seals(digest))
    return world.registry, "pause", (world.log.log_id, until, reason, quorum)


def equivocation(world: "World") -> Call:
    a, b = world.log.anchoring(1, 9), world.log.anchoring(1, 9, root=sha256(b"another"))
    parts = [part for one in (a, b) for part in ((one.size, one.root, one.set_hash, one.signers), one.seals)]
    return world.registry, "reportEquivocation", (world.log.log_id, *parts)


def entry(world: "World") -> Call:
    log: RecordedLog = world.log  # type: ignore[assignment]
    proof = proof_of(world, log, EPOCH)
    return world.proofs, "verifyEntry", (*proof.epoch(), proof.entry)


CALLS = (anchoring, batch, rotation, pausing, equivocation, entry)


@pytest.fixture(params=CALLS, ids=lambda call: call.__name__)
def call(request: pytest.FixtureRequest, world: "World", recorded: "RecordedLog") -> Call:
    if request.param is entry:
        world.log = world.registered(recorded)
        world.advanced(7, HEAD)
    make: Callable[[World], Call] = request.param
    return make(world)


# ── cut, soiled ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_calldata_cut_at_any_length_does_nothing(world: "World", call: Call) -> None:
    """Zeros that pad the last bytes to a word are nobody's: a call without them is the same call."""
    contract, name, arguments = call
    calldata, before = contract.calldata(name, *arguments), [world.words()]
    whole = tried(world, contract, calldata)
    assert whole.answer is not None
    for length in range(len(calldata)):
        cut = tried(world, contract, calldata[:length])
        if cut.answer is None:
            assert cut.states == before
        else:
            assert calldata[length:] == bytes(len(calldata) - length)
            assert len(calldata) - length < WORD
            assert (cut.answer, cut.states) == (whole.answer, whole.states)


def padding(calldata: bytes, arguments: Any) -> set[int]:
    """Where bytes are filled up to a word, which nobody reads."""
    if isinstance(arguments, bytes) and len(arguments) % WORD:
        at = calldata.index(len(arguments).to_bytes(WORD, "big") + arguments) + WORD + len(arguments)
        return set(range(at, at + -len(arguments) % WORD))
    parts = arguments if isinstance(arguments, tuple | list) else ()
    return set().union(*(padding(calldata, part) for part in parts))


def test_no_number_has_a_second_spelling(world: "World", call: Call) -> None:
    """Bits beyond a number's width, and offsets and lengths near 2^256, change the meaning or are refused, in any word."""
    contract, name, arguments = call
    calldata, before = contract.calldata(name, *arguments), [world.words()]
    whole, unread = tried(world, contract, calldata), padding(calldata, arguments)
    for place in range(4, len(calldata), WORD):
        for mask in (1 << 255, 1 << 64, (1 << 256) - 1):
            word = int.from_bytes(calldata[place : place + WORD], "big") ^ mask
            soiled = calldata[:place] + word.to_bytes(WORD, "big") + calldata[place + WORD :]
            got = tried(world, contract, soiled)
            if got.answer is None or (name == "anchorBatch" and not any(got.answer)):  # an item refused
                assert got.states == before
            else:
                changed = {k for k in range(place, place + WORD) if soiled[k] != calldata[k]}
                assert changed <= unread
                assert (got.answer, got.states) == (whole.answer, whole.states)


# ── starved ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [c for c in CALLS if c is not entry], ids=lambda make: make.__name__)
def test_with_too_little_gas_nothing_happens_in_part(world: "World", make: Callable[["World"], Call]) -> None:
    """A precompile that gets too little gas answers nothing: neither a hash nor a signature may come of that."""
    contract, name, arguments = make(world)
    calldata, before = contract.calldata(name, *arguments), [world.words()]
    whole, seen = tried(world, contract, calldata), set()
    for gas in range(21_000, whole.gas * 5 // 4, 97):
        got = tried(world, contract, calldata, gas)
        if got.answer == whole.answer:
            assert (got.states, got.events) == (whole.states, whole.events)
        else:
            assert got.states == before
            assert got.answer is None or (name, got.answer) == ("anchorBatch", bytes(WORD))
        seen.add(got.answer)
    assert {None, whole.answer} <= seen


def test_a_starved_batch_moves_whole_logs_and_says_which(world: "World") -> None:
    other = world.registered(type(world.log)(7))
    logs = (world.log.log_id, other.log_id)
    calldata = world.registry.calldata("anchorBatch", [one.anchoring(1, 9).arguments() for one in (world.log, other)])
    before, whole = [world.words(log) for log in logs], tried(world, world.registry, calldata, logs=logs)
    assert whole.answer == (0b11).to_bytes(WORD, "big")
    seen = set()
    for gas in range(21_000, whole.gas * 5 // 4, 197):
        got = tried(world, world.registry, calldata, gas, logs)
        bits = 0 if got.answer is None else int.from_bytes(got.answer, "big")
        for k in range(2):
            assert got.states[k] == (whole if bits >> k & 1 else Outcome(None, before, 0, 0)).states[k]
        seen.add(got.answer)
    assert {None, whole.answer} <= seen
