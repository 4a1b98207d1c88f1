"""Random histories, honest and spoilt: the contract and Python give the same verdict, the same error, the same fields.

`expected` below is CONTRACT §3.2 in Python, on top of `core.proof` and `core.attestation`; it is asked before each call.
"""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hybrid_bridge import errors
from hybrid_bridge.core.attestation import Checkpoint, boundary, quorum, verify_quorum
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import (
    consistency_length,
    consistency_roots,
    inclusion_length,
    inclusion_root,
    verify_consistency,
    verify_inclusion,
)
from hybrid_bridge.core.signing import HALF_ORDER, from_compact, recover_address
from hybrid_bridge.core.tree import Tree

if TYPE_CHECKING:
    from tests.evm.conftest import Anchoring, Members, World

GENESIS_TIME, CADENCE = 1_800_000_000, 600
PLAIN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Verdict = tuple[str, tuple[Any, ...]]


@dataclass
class Model:
    """What the contract must remember of one log."""

    log_id: bytes
    members: "Members"
    size: int = 1
    root: bytes = b""
    pending: "tuple[int, Members] | None" = None

    def responsible(self, size: int) -> "Members":
        return self.pending[1] if self.pending and size >= self.pending[0] else self.members

    def advance(self, size: int, root: bytes) -> None:
        if self.responsible(size) is not self.members:
            self.members, self.pending = self.responsible(size), None
        self.size, self.root = size, root


def refusal(error: errors.BridgeError) -> Verdict:
    return type(error).__name__, tuple(getattr(error, one.name) for one in fields(error))


def expected(model: Model, call: "Anchoring", now: int) -> Verdict | None:
    """CONTRACT §3.2, row by row; None if the head moves."""
    if (call.size, call.root) == (model.size, model.root):
        return "no-op", ()
    if call.size == model.size:
        return "HeadConflict", (model.size, model.root, call.root)
    if call.from_size != model.size or call.size < model.size:
        return "StaleHead", (model.size, call.from_size)
    timestamp = GENESIS_TIME + (call.size - 1) * CADENCE
    if timestamp > now:
        return "TimestampAhead", (timestamp, now)
    try:
        verify_consistency(model.size, call.size, call.path, model.root, call.root)
    except errors.BridgeError as error:
        return refusal(error)
    return expected_quorum(model, call)


def expected_quorum(model: Model, call: "Anchoring") -> Verdict | None:
    members = model.responsible(call.size).set
    checkpoint = Checkpoint(
        log_id=model.log_id,
        tree_size=call.size,
        root=call.root,
        timestamp=boundary(GENESIS_TIME, CADENCE, call.size),
        set_id=members.set_id,
        set_hash=call.set_hash,
    )
    verdict, signatures = walk(checkpoint.digest(), members, call)
    if verdict is None:  # what the contract takes, the offline verifier takes; it knows no list of seals
        assert len(verify_quorum(checkpoint, members, [from_compact(one) for one in signatures])) >= quorum(
            len(members.entries)
        )
    return verdict


def walk(digest: bytes, members: Any, call: "Anchoring") -> tuple[Verdict | None, list[bytes]]:
    """The quorum check of CONTRACT §3.1, plainly."""
    listed, signatures, rest, n = call.set_hash, [], call.seals, 0
    while rest:
        width = 64 if call.signers >> n & 1 else 20
        if len(rest) < width or (width == 64 and int.from_bytes(rest[32:64], "big") % 2**255 > HALF_ORDER):
            return ("SealsMalformed", (n,)), signatures
        if width == 64:
            signatures.append(rest[:64])
        listed += signer(digest, rest[:64]) if width == 64 else rest[:20]
        rest, n = rest[width:], n + 1
    if call.signers >> n:
        return ("SealsMalformed", (n,)), signatures
    key = keccak256(members.digest + b"".join(members.addresses))
    if keccak256(listed) != key:
        return ("SetMismatch", (key, keccak256(listed))), signatures
    if len(signatures) < quorum(n):
        return ("BelowQuorum", (quorum(n), len(signatures))), signatures
    return None, signatures


def signer(digest: bytes, seal: bytes) -> bytes:
    try:
        return recover_address(digest, from_compact(seal))
    except errors.BridgeError:
        return bytes(20)


# ── spoiling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def flipped(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "big") ^ 1 << bit % (8 * len(data))).to_bytes(len(data), "big") if data else data


def spoil(call: "Anchoring", kind: int, n: int) -> "Anchoring":
    """One change; kinds beyond the list leave the call as it is."""
    place = n % len(call.path) if call.path else 0
    changed_path = (
        [*call.path[:place], flipped(call.path[place], n), *call.path[place + 1 :]] if call.path else [bytes(32)]
    )
    changes: list[dict[str, Any]] = [
        {"path": changed_path},
        {"path": call.path[:-1] if n & 1 else [*call.path, bytes(32)]},
        {"path": call.path[::-1]},
        {"root": flipped(call.root, n)},
        {"size": call.size + 1 + n % 3},
        {"size": max(call.size - 1 - n % 3, 0)},
        {"from_size": max(call.from_size + n % 5 - 2, 0)},
        {"set_hash": flipped(call.set_hash, n)},
        {"seals": flipped(call.seals, n)},
        {"seals": call.seals[: n % (len(call.seals) + 1)]},
        {"seals": call.seals + bytes(1 + n % 30)},
        {"signers": call.signers ^ 1 << n % 64},
    ]
    return replace(call, **changes[kind]) if kind < len(changes) else call


STEP = st.tuples(
    st.integers(-2, 12),  # how much the new size differs from the head's
    st.integers(0, 20),  # how it is spoilt; from 12 on not at all
    st.integers(0, 2**16),
    st.sampled_from([None, "responsible", "responsible", "responsible", "other"]),  # who signs
    st.one_of(st.none(), st.none(), st.integers(1, 10)),  # a rotation before it, so many sizes ahead
)


@settings(PLAIN, max_examples=150)
@given(count=st.integers(1, 7), steps=st.lists(STEP, min_size=1, max_size=12), late=st.integers(0, 40))
def test_any_history_has_the_verdicts_that_python_gives_it(
    world: "World", count: int, steps: list[tuple[Any, ...]], late: int
) -> None:
    world = type(world)()  # an example begins with an empty chain
    world.set_time(GENESIS_TIME + (60 - late) * CADENCE)
    world.log = world.registered(type(world.log)(count))
    model = Model(world.log.log_id, world.log.members, *world.head()[:2])
    for ahead, kind, n, who, rotation in steps:
        if rotation and not model.pending:
            rotate(world, model, model.size + rotation, n)
        play(world, model, max(model.size + ahead, 2), (kind, n, who))


def rotate(world: "World", model: Model, from_size: int, n: int) -> None:
    following = type(model.members).of(model.members.set.set_id + 1, range(1 + n % 5, 2 + n % 5 + n % 7))
    world.log.members = model.members
    world.registry.call("rotateValidators", *world.rotation(following, from_size))
    model.pending = (from_size, following)


def play(world: "World", model: Model, size: int, how: tuple[int, int, str | None]) -> None:
    kind, n, who = how
    signers = model.responsible(size) if who == "responsible" else model.members
    places = sorted({(n + i) % len(signers.keys) for i in range(n % 9)}) if who is None else None
    world.log.grow(max(size, model.size))
    call = world.log.anchoring(min(model.size, size), size, members=signers, places=places)
    call = spoil(replace(call, from_size=model.size), kind, n)
    verdict, before = expected(model, call, world.time), world.words(model.log_id)
    event(verdict[0] if verdict else "advanced")
    if verdict and verdict[0] != "no-op":
        with world.refuses(verdict[0], *verdict[1]):
            world.anchor(call)
    else:
        assert world.anchor(call) is (verdict is None)
        assert len(world.registry.logs) == (verdict is None)
    if verdict is None:
        model.advance(call.size, call.root)
    else:
        assert world.words(model.log_id) == before
    assert world.head()[:2] == (model.size, model.root)
    assert world.head()[4:6] == (model.members.set.set_id, model.pending[0] if model.pending else 0)


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def both(world: "World", function: str, verify: Any, arguments: tuple[Any, ...]) -> None:
    try:
        verify(*arguments)
    except errors.BridgeError as error:
        name, values = refusal(error)
        with world.refuses(name, *values):
            world.proofs.call(function, *arguments)
    else:
        world.proofs.call(function, *arguments)


SIZE = st.one_of(
    st.integers(0, 70), st.integers(0, 2**64 - 1), st.sampled_from([2**53 - 1, 2**53, 2**52, 2**63, 2**64 - 1])
)
PATH = st.lists(st.binary(min_size=32, max_size=32), max_size=60)


@settings(PLAIN, max_examples=300)
@given(a=SIZE, b=SIZE, path=PATH, first=st.binary(min_size=32, max_size=32))
def test_any_sizes_and_any_path_have_python_s_verdict(
    world: "World", a: int, b: int, path: list[bytes], first: bytes
) -> None:
    both(world, "verifyConsistency", verify_consistency, (a, b, path, first, bytes(32)))
    both(world, "verifyInclusion", verify_inclusion, (first, a, b, path, bytes(32)))


@settings(PLAIN, max_examples=150)
@given(data=st.data(), new=st.one_of(st.integers(1, 40), st.integers(1, 2**53 - 1)))
def test_a_path_of_the_right_length_has_python_s_roots(world: "World", data: st.DataObject, new: int) -> None:
    """Every branch of the walk, up to the largest tree; the roots that Python calculates are what the contract wants."""

    old, index = data.draw(st.integers(1, new)), data.draw(st.integers(0, new - 1))
    seed = data.draw(st.binary(min_size=32, max_size=32))
    path = [keccak256(seed + bytes([k])) for k in range(60)]
    siblings = path[: consistency_length(old, new)]
    for _ in range(2):  # a power of two is its own seed: the older root enters the path
        older, newer = consistency_roots(old, new, siblings, seed)
        seed = older
    both(world, "verifyConsistency", verify_consistency, (old, new, siblings, older, newer))
    both(world, "verifyConsistency", verify_consistency, (old, new, siblings, older, keccak256(newer)))
    root = inclusion_root(seed, index, new, path[: inclusion_length(index, new)])
    both(world, "verifyInclusion", verify_inclusion, (seed, index, new, path[: inclusion_length(index, new)], root))


def test_every_leaf_and_every_pair_of_small_trees(world: "World") -> None:
    tree = Tree()
    tree.extend([keccak256(bytes([i])) for i in range(33)])
    for size in range(1, 34):
        for other in range(size):
            path = tree.inclusion_path(other, size)
            world.proofs.call("verifyInclusion", tree.leaf(other), other, size, path, tree.root(size))
            consistency = tree.consistency_path(other + 1, size)
            arguments = (other + 1, size, consistency, tree.root(other + 1), tree.root(size))
            world.proofs.call("verifyConsistency", *arguments)
