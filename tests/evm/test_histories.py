"""Random histories of one log with everything in them: anchors, handovers, brake, reports, an end. Before each call Python says
what must become of it (CONTRACT §3.2, §3.4 to §3.6): the error and its fields, or the new state; then the contract is asked.

Signatures are judged by `core.attestation.quorum_signers`; only that a stranger's signature is `SetMismatch` on chain and
`SignerUnknown` offline is known here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hybrid_bridge import errors
from hybrid_bridge.core.attestation import pause_digest, quorum_signers, resume_digest, retire_digest
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import sign_digest

if TYPE_CHECKING:
    from tests.evm.conftest import Members, World

GENESIS_TIME, CADENCE, PAUSE_MAX, HORIZON = 1_800_000_000, 600, 86_400, 90 * 86_400
SENDER = "0x" + "11" * 20
REASON = keccak256(b"a reason")
UNKNOWN, ACTIVE, PAUSED, FROZEN, RETIRED = range(5)
Verdict = tuple[str, tuple[Any, ...]] | None


def boundary(size: int) -> int:
    return GENESIS_TIME + (size - 1) * CADENCE


@dataclass
class Signing:
    """Who signs in this step: a set that is or is not responsible, a quorum of it or one less, now or an old nonce."""

    who: str  # current, pending, strangers
    enough: bool = True
    stale: bool = False


@dataclass
class Story:
    """A log on chain, and all that Python remembers of it."""

    world: "World"
    members: "Members"
    size: int = 1
    pending: "tuple[int, Members] | None" = None
    paused_until: int = 0
    nonce: int = 0
    frozen: bool = False
    successor: bytes = b""
    told: list[str] = field(default_factory=list)

    @property
    def log_id(self) -> bytes:
        return self.world.log.log_id

    @property
    def power(self) -> dict[str, Any]:
        return {"chain_id": 1, "contract": bytes.fromhex(self.world.registry.address[2:]), "log_id": self.log_id}

    def responsible(self, size: int) -> "Members":
        return self.pending[1] if self.pending and size >= self.pending[0] else self.members

    def braking(self) -> "Members":
        """Once the boundary of a handover is past, brake and end are the new set's."""
        past = self.pending and self.world.time >= boundary(self.pending[0])
        return self.pending[1] if self.pending and past else self.members

    def signers(self, who: str) -> "Members":
        if who == "strangers":
            return type(self.members).of(self.members.set.set_id, range(40, 44))
        return self.pending[1] if who == "pending" and self.pending else self.members

    # ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def closed(self) -> Verdict:
        if self.frozen:
            return "LogFrozen", (self.log_id,)
        return ("LogRetired", (self.successor,)) if self.successor else None

    def paused(self) -> Verdict:
        return ("LogPaused", (self.paused_until,)) if self.world.time < self.paused_until else None

    def signed(self, digest: bytes, how: Signing, wanted: "Members") -> tuple[tuple[Any, ...], Verdict]:
        """Quorum argument, and what is wrong with it if `wanted` must have signed `digest`."""
        by = self.signers(how.who)
        made = digest if not how.stale else keccak256(digest)
        places = range(by.set.quorum - (not how.enough))
        bits, packed = by.seals(made, places)
        offline = verdict_of(lambda: quorum_signers(digest, wanted.set, signatures(by, made, places)))
        if key(by) != key(wanted) or (how.stale and bits):
            assert offline is None or offline[0] in {"SignerUnknown", "BelowQuorum", "FieldMalformed"}
            listed = (key(wanted), key(by)) if not how.stale or not bits else (key(wanted),)
            return (by.set.digest, bits, packed), ("SetMismatch", listed)
        return (by.set.digest, bits, packed), offline

    # ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self, verdict: Verdict, function: str, *arguments: Any) -> bool:
        """Whether the call went through, as foretold."""
        self.told.append(f"{function}: {verdict[0] if verdict else 'done'}")
        if verdict is None:
            self.world.registry.call(function, *arguments)
            return True
        before = self.world.words()
        with pytest.raises(Exception, match=verdict[0]) as refusal:  # Refused is a class of the conftest
            self.world.registry.call(function, *arguments)
        name, got = refusal.value.name, refusal.value.fields  # type: ignore[attr-defined]
        assert (name, got[: len(verdict[1])]) == verdict
        assert self.world.words() == before
        return False

    def anchor(self, ahead: int, how: Signing) -> None:
        size = self.size + ahead
        wanted, by = self.responsible(size), self.signers(how.who)
        places = range(by.set.quorum - (not how.enough))
        call = self.world.log.anchoring(self.size, size, members=by, places=places)
        verdict = self.closed() or self.paused()
        if verdict is None and boundary(size) > self.world.time:
            verdict = "TimestampAhead", (boundary(size), self.world.time)
        if verdict is None and key(by) != key(wanted):
            listed = (key(wanted), key(by)) if by.set.set_id == wanted.set.set_id or not places else (key(wanted),)
            verdict = "SetMismatch", listed
        if verdict is None and not how.enough:
            verdict = "BelowQuorum", (wanted.set.quorum, len(places))
        if self.ask(verdict, "anchor", *call.arguments()):
            self.size = size
            if wanted is not self.members:
                self.members, self.pending = wanted, None

    def rotate(self, ahead: int, first: int, how: Signing) -> None:
        from_size = self.size + ahead
        following = type(self.members).of(self.members.set.set_id + 1, range(first, first + 1 + first % 4))
        self.world.log.members = self.members
        log_id, size, _, entries, newcomers = self.world.rotation(following, from_size)
        digest = self.world.set_update(following, from_size)
        old, verdict = self.signed(digest, how, self.members)
        high = (self.world.time + HORIZON - GENESIS_TIME) // CADENCE + 1
        if not self.size < from_size <= high:
            verdict = "RotationOutOfRange", (from_size, self.size + 1, high)
        if self.pending:
            verdict = "RotationPending", (self.pending[0],)
        if self.ask(self.closed() or verdict, "rotateValidators", log_id, size, old, entries, newcomers):
            self.pending = (from_size, following)

    def out_of_range(self, until: int) -> Verdict:
        low, high = self.world.time + 1, self.world.time + PAUSE_MAX
        return None if low <= until <= high else ("PauseOutOfRange", (until, low, high))

    def pause(self, length: int, how: Signing) -> None:
        until = self.world.time + length
        digest = pause_digest(**self.power, nonce=self.nonce, until=until, reason_hash=REASON)
        by, verdict = self.signed(digest, how, self.braking())
        verdict = self.closed() or self.out_of_range(until) or verdict
        if self.ask(verdict, "pause", self.log_id, until, REASON, by):
            self.paused_until, self.nonce = until, self.nonce + 1

    def pause_by_guardian(self, length: int) -> None:
        until, due = self.world.time + length, self.paused_until + PAUSE_MAX
        early: Verdict = ("PauseTooSoon", (due,)) if self.world.time < due else None
        verdict = self.closed() or self.out_of_range(until) or early
        if self.ask(verdict, "pauseByGuardian", self.log_id, until, REASON):
            self.paused_until, self.nonce = until, self.nonce + 1

    def resume(self, how: Signing) -> None:
        digest = resume_digest(**self.power, nonce=self.nonce, reason_hash=REASON)
        by, verdict = self.signed(digest, how, self.braking())
        verdict = self.closed() or (None if self.paused() else ("NotPaused", ())) or verdict
        if self.ask(verdict, "resume", self.log_id, REASON, by):
            self.paused_until, self.nonce = self.world.time, self.nonce + 1

    def retire(self, how: Signing) -> None:
        root = self.world.log.tree.root(self.size)
        after = type(self.world.log)(1, predecessor=self.log_id, predecessor_size=self.size, predecessor_root=root)
        self.world.registered(after)
        digest = retire_digest(**self.power, successor=after.log_id, tree_size=self.size, root=root)
        by, verdict = self.signed(digest, how, self.braking())
        if self.ask(self.closed() or verdict, "retire", self.log_id, after.genesis, by):
            self.successor = after.log_id

    def equivocate(self, size: int, how: Signing) -> None:
        """Two roots of one size; the second has a quorum, the first as many as `how` says."""
        by, wanted = self.signers(how.who), self.responsible(size)
        many, few = range(by.set.quorum), range(by.set.quorum - (not how.enough))
        a = self.world.log.anchoring(1, size, members=by, places=many, root=sha256(b"one"))
        b = self.world.log.anchoring(1, size, members=by, places=few, root=sha256(b"two"))
        verdict: Verdict = ("NoConflict", ()) if not few else None
        if verdict is None and key(by) != key(wanted):
            verdict = "SetMismatch", (key(wanted),)
        both = [(call.size, call.root, call.set_hash, call.signers) for call in (a, b)]
        if self.ask(verdict, "reportEquivocation", self.log_id, both[0], a.seals, both[1], b.seals):
            self.frozen = self.frozen or how.enough

    def contradict(self, size: int, how: Signing) -> None:
        """A signed checkpoint that the head denies."""
        if self.size < size:
            return
        by, wanted = self.signers(how.who), self.responsible(size)
        places = range(by.set.quorum - (not how.enough))
        a = self.world.log.anchoring(1, size, members=by, places=places, root=sha256(b"another"))
        verdict: Verdict = ("NoConflict", ()) if not places else None
        if verdict is None and key(by) != key(wanted):
            verdict = "SetMismatch", (key(wanted),)
        tree = self.world.log.tree
        signed, proof = (
            (a.size, a.root, a.set_hash, a.signers),
            (tree.root(size), tree.consistency_path(size, self.size)),
        )
        if self.ask(verdict, "reportInconsistent", self.log_id, signed, a.seals, *proof):
            self.frozen = self.frozen or how.enough

    # ── what is remembered ───────────────────────────────────────────────────────────────────────────────────────────

    def require_same(self) -> None:
        """The contract remembers what Python remembers."""
        now = self.world.time
        state = PAUSED if now < self.paused_until else ACTIVE
        state = FROZEN if self.frozen else RETIRED if self.successor else state
        size, root, timestamp, _, set_id, from_size, paused_until, told = self.world.head()
        assert (size, root, timestamp) == (self.size, self.world.log.tree.root(self.size), boundary(self.size))
        assert (set_id, from_size) == (self.members.set.set_id, self.pending[0] if self.pending else 0)
        assert (paused_until, told) == (self.paused_until, state)
        assert self.world.registry.call("setKey", self.log_id) == key(self.members)
        assert self.world.registry.call("brake", self.log_id)[3] == self.nonce
        assert self.world.registry.call("successor", self.log_id) == (self.successor or bytes(32))
        due = GENESIS_TIME + self.size * CADENCE + 1800
        assert self.world.registry.call("overdue", self.log_id) == max(0, now - due)
        fresh = state in (ACTIVE, PAUSED) and now - boundary(self.size) <= 3600
        assert self.world.registry.call("isFresh", self.log_id, 3600) is fresh


def key(members: "Members") -> bytes:
    return keccak256(members.set.digest + b"".join(members.set.addresses))


def signatures(by: "Members", digest: bytes, places: range) -> list[bytes]:
    return [sign_digest(by.keys[place], digest) for place in places]


def verdict_of(call: Callable[[], Any]) -> Verdict:
    try:
        call()
    except errors.BridgeError as refusal:
        return type(refusal).__name__, tuple(getattr(refusal, one.name) for one in fields(refusal))
    return None


SIGNING = st.builds(
    Signing,
    st.sampled_from(["current", "current", "current", "pending", "pending", "strangers"]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([False, False, False, False, True]),
)
LENGTH = st.one_of(st.integers(1, PAUSE_MAX), st.sampled_from([-1, 0, 1, 60, 3600, PAUSE_MAX, PAUSE_MAX + 1]))
STEP = st.one_of(
    st.tuples(st.just("wait"), st.integers(1, 200_000)),
    st.tuples(st.just("anchor"), st.integers(1, 12), SIGNING),
    st.tuples(st.just("anchor"), st.integers(1, 400), st.just(Signing("pending"))),
    st.tuples(st.just("rotate"), st.one_of(st.integers(0, 9), st.just(30_000)), st.integers(1, 9), SIGNING),
    st.tuples(st.just("pause"), LENGTH, SIGNING),
    st.tuples(st.just("pause_by_guardian"), LENGTH),
    st.tuples(st.just("resume"), SIGNING),
    st.tuples(st.sampled_from(["retire", "resume", "resume", "resume", "resume"]), SIGNING),
    st.tuples(
        st.sampled_from(["equivocate", "contradict"]), st.integers(2, 30), st.just(Signing("current", enough=False))
    ),
    st.tuples(st.sampled_from(["equivocate", "contradict"]), st.integers(2, 30), SIGNING),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 5), steps=st.lists(STEP, min_size=4, max_size=20))
def test_any_history_is_the_one_that_python_foretells(world: "World", count: int, steps: list[tuple[Any, ...]]) -> None:
    world = type(world)()  # an example begins with an empty chain
    world.set_time(GENESIS_TIME + 60 * CADENCE)
    world.log = world.registered(type(world.log)(count, guardian=int(SENDER, 16)))
    story = Story(world, world.log.members)
    for name, *arguments in steps:
        if name == "wait":
            world.set_time(world.time + arguments[0])
        else:
            getattr(story, name)(*arguments)
        story.require_same()
    for one in story.told:
        event(one)
