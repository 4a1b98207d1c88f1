"""Whatever members and validators do, every proof of every epoch says what the model says, and no changed one does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.absence import Absence, Neighbour, verify_absence
from hybrid_bridge.core.attestation import Checkpoint, verify_quorum
from hybrid_bridge.core.audit import Audit
from hybrid_bridge.core.batch import verify_batch, verify_decoys
from hybrid_bridge.core.epoch import verify_first, verify_next
from hybrid_bridge.core.governance import verify_succession
from hybrid_bridge.core.proof import leaf_hash, verify_consistency, verify_inclusion
from hybrid_bridge.core.registry_proof import verify as registry_says
from hybrid_bridge.errors import BridgeError, GuardRefused
from hybrid_bridge.units import Digest, EpochNumber, LeafIndex, TreeSize
from tests.properties.histories import History, lived, number, registered

ASSETS = st.integers(0, 4)
EVENT = st.one_of(
    st.tuples(st.just("insert"), ASSETS),
    st.tuples(st.just("live"), ASSETS),
    st.tuples(st.just("rotate"), st.integers(1, 5)),
)
EPOCHS = st.lists(st.lists(EVENT, max_size=5), min_size=1, max_size=5)
lives = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


def lived_through(count: int, epochs: Sequence[Sequence[tuple[str, int]]]) -> History:
    history = History(count)
    for events in epochs:
        for what, value in events:
            getattr(history, what)(value)
        history.close()
    return history


histories = st.builds(lived_through, st.integers(1, 5), EPOCHS)


def holds(check: Callable[[], object]) -> bool:
    try:
        check()
    except BridgeError:
        return False
    return True


def flips(data: bytes) -> Iterator[bytes]:
    """Every one-bit change."""
    whole = int.from_bytes(data, "big")
    return ((whole ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data)))


def flips_in(path: Sequence[Digest]) -> Iterator[list[Digest]]:
    for k, sibling in enumerate(path):
        for changed in flips(sibling):
            yield [*path[:k], Digest(changed), *path[k + 1 :]]


# ── every true proof, at every epoch ──


@lives
@given(history=histories)
def test_every_epoch_and_every_older_log_is_proven_at_every_size(history: History) -> None:
    log = history.log
    for size in range(1, log.size + 1):
        root = log.root(TreeSize(size))
        for e in range(size):
            leaf = Digest(history.genesis.log_id) if e == 0 else history.closed[e - 1].record.leaf
            verify_inclusion(leaf, LeafIndex(e), TreeSize(size), log.inclusion_path(LeafIndex(e), TreeSize(size)), root)
        for old in range(1, size + 1):
            path = log.consistency_path(TreeSize(old), TreeSize(size))
            verify_consistency(TreeSize(old), TreeSize(size), path, log.root(TreeSize(old)), root)


@lives
@given(history=histories)
def test_every_entry_stands_in_its_own_batch_and_in_no_other(history: History) -> None:
    everywhere = set().union(*history.leaves.values())
    for e, closed in enumerate(history.closed, 1):
        batch, record = closed.batch, closed.record
        held = verify_batch(batch.entries, record.batch_size, record.batch_root)
        verify_decoys(history.term_of(e + 1).secret, EpochNumber(e), held)
        for leaf in everywhere:
            if leaf in history.leaves[e]:
                at = batch.index_of(leaf)
                verify_inclusion(leaf, at, batch.size, batch.path(at), record.batch_root)
            else:
                verify_absence(batch.absence(leaf), batch.size, record.batch_root)


@lives
@given(history=histories)
def test_the_registry_says_at_every_epoch_what_a_dictionary_says(history: History) -> None:
    asked = [registered(history.genesis, asset) for asset in range(5)]
    asked += [lived(history.genesis, asset, version) for asset in range(5) for version in range(3)]
    for e, closed in enumerate(history.closed, 1):
        for index in {*asked, *history.standing}:
            proof = closed.registry.prove(index)
            said = registry_says(closed.record.registry_root, index, proof.terminal, proof.path)
            assert (said is not None) == (history.standing.get(index, e + 1) <= e)
            if said is not None and index in history.commitments:
                assert said == history.commitments[index]  # the first pledge stands, whatever came after it


@lives
@given(history=histories)
def test_an_auditor_replays_every_epoch_and_no_history_with_a_pair_changed(history: History) -> None:
    steps = history.deltas()
    auditor = Audit(history.genesis)
    for record, delta in steps:
        auditor.take(record, delta)
    auditor.finish(history.log.size, history.log.root())
    for at, (record, delta) in enumerate(steps):
        auditor = Audit(history.genesis)
        for before in steps[:at]:
            auditor.take(*before)
        (index, value), *rest = delta.pairs
        changed = replace(delta, pairs=((index, Digest(next(flips(value)))), *rest))  # type: ignore[arg-type]
        assert not holds(lambda auditor=auditor, record=record, changed=changed: auditor.take(record, changed))


@lives
@given(history=histories)
def test_every_checkpoint_has_its_quorum_and_records_and_sets_follow_one_another(history: History) -> None:
    for e, (checkpoint, signatures) in enumerate(history.checkpoints, 1):
        validators = history.term_of(e + 1).validators
        assert len(verify_quorum(checkpoint, validators, signatures)) == len(validators.entries)
        verify_quorum(checkpoint, validators, signatures[: validators.quorum])
        assert not holds(lambda c=checkpoint, v=validators, s=signatures: verify_quorum(c, v, s[: v.quorum - 1]))
        for other in history.terms:
            if other.validators != validators:
                assert not holds(lambda c=checkpoint, o=other, s=signatures: verify_quorum(c, o.validators, s))
    records = [closed.record for closed in history.closed]
    verify_first(history.genesis, records[0])
    for older, newer in pairwise(records):
        verify_next(history.genesis, older, newer)
    for (update, e), old in zip(history.updates, history.terms, strict=False):
        verify_succession(update, old.validators, EpochNumber(e))
        record = history.closed[e - 1].record
        tree, at = history.governance_tree(record.governance_size), LeafIndex(history.governance.index(update.encode()))
        verify_inclusion(
            leaf_hash(update.encode()), at, tree.size, tree.inclusion_path(at, tree.size), record.governance_root
        )


@lives
@given(history=histories, at=st.integers(0, 4))
def test_no_key_signs_a_second_history(history: History, at: int) -> None:
    """A fork of the log from some epoch on: each guard refuses each size that its key has spoken for, and any after."""
    sizes = range(2, history.log.size + 1)
    size = sizes[at % len(sizes)]
    forked = Digest(number("another epoch"))
    leaves = [Digest(history.genesis.log_id), *(closed.record.leaf for closed in history.closed)]
    true = history.log
    history.log = type(true)()
    history.log.extend([*leaves[: size - 1], *[forked] * (len(leaves) - size + 2)])
    for asked in range(size, history.log.size + 1):
        term = history.term_of(asked)
        checkpoint, _ = history.checkpoints[min(asked, true.size) - 2]
        lied = replace(checkpoint, tree_size=TreeSize(asked), root=history.log.root(TreeSize(asked)))
        lied = replace(lied, set_id=term.validators.set_id, set_hash=term.validators.digest)
        for key in term.keys:
            guard = history.guards.get(key.address())
            if guard is not None and guard.highest()[0] >= size:
                with pytest.raises(GuardRefused):
                    history.attest(lied, term, key)


# ── no changed proof and no changed claim ──

Inclusion = tuple[Digest, int, TreeSize, Sequence[Digest], Digest]


def included(history: History, pick: int) -> Iterator[Inclusion]:
    """An epoch under some size, and an entry of some batch: leaf, index, size, path, root."""
    log = history.log
    size = TreeSize(2 + pick % (log.size - 1))
    e = LeafIndex(1 + pick % (size - 1))
    yield history.closed[e - 1].record.leaf, e, size, log.inclusion_path(e, size), log.root(size)
    batch = history.closed[pick % len(history.closed)].batch
    at = LeafIndex(pick % batch.size)
    yield batch.leaves[at], at, batch.size, batch.path(at), batch.root


@lives
@given(history=histories, pick=st.integers(0, 1000))
def test_no_one_bit_change_of_an_inclusion_verifies(history: History, pick: int) -> None:
    """The size alone is bound elsewhere: by the checkpoint that says it, or the record."""

    def verifies(leaf: bytes, at: int, size: TreeSize, path: Sequence[Digest], root: bytes) -> bool:
        return holds(lambda: verify_inclusion(Digest(leaf), LeafIndex(at), size, path, Digest(root)))

    for leaf, at, size, path, root in included(history, pick):
        assert verifies(leaf, at, size, path, root)
        assert not any(verifies(changed, at, size, path, root) for changed in flips(leaf))
        assert not any(verifies(leaf, at, size, path, changed) for changed in flips(root))
        assert not any(verifies(leaf, at ^ 1 << bit, size, path, root) for bit in range(53))
        assert not any(verifies(leaf, at, size, changed, root) for changed in flips_in(path))
        others = [path[1:], path[:-1], [*path, root]]
        assert not any(verifies(leaf, at, size, changed, root) for changed in others if changed != path)


@lives
@given(history=histories, pick=st.integers(0, 1000))
def test_no_one_bit_change_of_a_consistency_verifies(history: History, pick: int) -> None:
    log = history.log
    new = TreeSize(1 + pick % log.size)
    old = TreeSize(1 + pick // 7 % new)
    path, older, newer = log.consistency_path(old, new), log.root(old), log.root(new)

    def verifies(path: Sequence[Digest], older: bytes, newer: bytes) -> bool:
        return holds(lambda: verify_consistency(old, new, path, Digest(older), Digest(newer)))

    assert verifies(path, older, newer)
    assert not any(verifies(path, changed, newer) for changed in flips(older))
    assert not any(verifies(path, older, changed) for changed in flips(newer))
    assert not any(verifies(changed, older, newer) for changed in flips_in(path))


@lives
@given(history=histories, pick=st.integers(0, 1000))
def test_no_one_bit_change_makes_the_registry_say_what_is_not_so(history: History, pick: int) -> None:
    """An index changed below the path is another index, of which the same proof may speak: then it speaks the truth."""
    indices = [*history.standing, registered(history.genesis, 4), lived(history.genesis, 4, 9)]
    index, e = indices[pick % len(indices)], 1 + pick % len(history.closed)
    tree = history.closed[e - 1].registry
    proof, root = tree.prove(index), history.closed[e - 1].record.registry_root
    terminal, path = proof.terminal, proof.path

    def says(key: bytes, terminal: Sequence[bytes] | None, path: Sequence[Digest], root: bytes) -> object:
        try:
            return registry_says(root, key, terminal, path)
        except BridgeError:
            return "nothing"

    assert says(index, terminal, path, root) == tree.get(index)
    for changed in flips(index):
        assert says(changed, terminal, path, root) in ("nothing", tree.get(changed))  # type: ignore[arg-type]
    assert {says(index, terminal, path, changed) for changed in flips(root)} == {"nothing"}
    assert {says(index, terminal, changed, root) for changed in flips_in(path)} == {"nothing"}
    if terminal is not None:
        assert {says(index, (terminal.key, changed), path, root) for changed in flips(terminal.value)} == {"nothing"}
        assert {says(index, (changed, terminal.value), path, root) for changed in flips(terminal.key)} == {"nothing"}


@lives
@given(history=histories, pick=st.integers(0, 1000))
def test_no_one_bit_change_hides_an_entry(history: History, pick: int) -> None:
    closed = history.closed[pick % len(history.closed)]
    batch, there = closed.batch, set(closed.batch.leaves)
    absence = batch.absence(number(f"a leaf that is not there {pick}"))

    def verifies(changed: Absence) -> bool:
        return holds(lambda: verify_absence(changed, batch.size, batch.root))

    assert verifies(absence)
    for leaf in flips(absence.leaf):
        assert not verifies(replace(absence, leaf=Digest(leaf))) or leaf not in there
    for side in ("left", "right"):
        neighbour: Neighbour | None = getattr(absence, side)
        if neighbour is None:
            continue
        others = [replace(neighbour, leaf=Digest(leaf)) for leaf in flips(neighbour.leaf)]
        others += [replace(neighbour, index=LeafIndex(neighbour.index ^ 1 << bit)) for bit in range(53)]
        others += [replace(neighbour, path=tuple(path)) for path in flips_in(neighbour.path)]
        assert not any(verifies(replace(absence, **{side: other})) for other in others)
    shown = batch.leaves[pick % batch.size]
    assert not verifies(replace(absence, leaf=shown))


@settings(lives, max_examples=6)
@given(history=histories, pick=st.integers(0, 1000))
def test_no_one_bit_change_of_a_checkpoint_or_a_signature_has_a_quorum(history: History, pick: int) -> None:
    e = pick % len(history.checkpoints)
    checkpoint, signatures = history.checkpoints[e]
    validators = history.term_of(e + 2).validators
    needed = signatures[: validators.quorum]

    def verifies(checkpoint: Checkpoint, signatures: Sequence[bytes]) -> bool:
        return holds(lambda: verify_quorum(checkpoint, validators, signatures))  # type: ignore[arg-type]

    assert verifies(checkpoint, needed)
    at = pick % len(needed)
    assert not any(verifies(checkpoint, [*needed[:at], changed, *needed[at + 1 :]]) for changed in flips(needed[at]))
    for name in ("log_id", "root", "set_hash"):
        changes = [replace(checkpoint, **{name: changed}) for changed in flips(getattr(checkpoint, name))]
        assert not any(verifies(changed, needed) for changed in changes)
    for name in ("tree_size", "timestamp", "set_id"):
        for bit in range(53):
            value = getattr(checkpoint, name) ^ 1 << bit
            assert not holds(lambda n=name, v=value: verify_quorum(replace(checkpoint, **{n: v}), validators, needed))
