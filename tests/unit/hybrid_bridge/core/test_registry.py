"""The registry against a dict and against a recursive reference. Names follow SPEC §15, family registry/."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.registry import (
    OURS,
    Delta,
    Pair,
    PrefixTree,
    Rules,
    apply_delta,
    dummies,
    genesis_tree,
    pad_insertions,
    tree_root,
    verify,
)
from hybrid_bridge.errors import (
    BridgeError,
    DigestLength,
    FieldMalformed,
    FieldMismatch,
    RootMismatch,
    TerminalMalformed,
    TooLong,
)
from hybrid_bridge.units import Commitment, EpochNumber, RegistryIndex
from tests.unit.hybrid_bridge.core.consortium import GENESIS, REGISTRY_ROOT_0, SECRET

JMT = Rules(b"JMT::LeafNode", b"JMT::IntrnalNode", b"SPARSE_MERKLE_PLACEHOLDER_HASH__")
SMT = Rules(b"\x00", b"\x01", ZERO)
OTHER_HASH = Rules(new=hashlib.blake2s)
FAMILIES = st.sampled_from([OURS, JMT, SMT, OTHER_HASH])
SIX = EpochNumber(6)

# Few different bytes at both ends, so that prefixes are shared early and late.
INDICES = st.builds(
    lambda head, tail: RegistryIndex(bytes([head]) + bytes(30) + bytes([tail])),
    st.sampled_from([0, 1, 0x80, 0xFF]),
    st.integers(0, 255),
)
COMMITMENTS = st.binary(min_size=32, max_size=32).map(Commitment)
PAIRS = st.dictionaries(INDICES, COMMITMENTS, max_size=24)


def slow_root(pairs: dict[RegistryIndex, Commitment], rules: Rules = OURS, depth: int = 0) -> bytes:
    """SPEC §9.1 word for word."""
    if not pairs:
        return rules.empty
    if len(pairs) == 1:
        [(index, commitment)] = pairs.items()
        return rules.new(rules.leaf_tag + index + commitment).digest()
    sides: list[dict[RegistryIndex, Commitment]] = [{}, {}]
    for index, commitment in pairs.items():
        sides[int(f"{int.from_bytes(index, 'big'):0256b}"[depth])][index] = commitment
    left, right = (slow_root(side, rules, depth + 1) for side in sides)
    return rules.new(rules.inner_tag + left + right).digest()


def index(number: int) -> RegistryIndex:
    return RegistryIndex(sha256(number.to_bytes(4, "big")))


def commitment(number: int) -> Commitment:
    return Commitment(sha256(b"c" + number.to_bytes(4, "big")))


FIFTY: dict[RegistryIndex, Commitment] = {index(i): commitment(i) for i in range(50)}
TREE = PrefixTree().insert(FIFTY.items())


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(PAIRS, PAIRS, FAMILIES)
@settings(deadline=None)
def test_the_root_is_that_of_the_reference_whatever_came_first(
    first: dict[RegistryIndex, Commitment], second: dict[RegistryIndex, Commitment], rules: Rules
) -> None:
    later = {i: c for i, c in second.items() if i not in first}
    older = PrefixTree(rules).insert(first.items())
    newer = older.insert(later.items())
    assert newer.root == slow_root(first | later, rules)
    assert newer.root == tree_root((later | first).items(), rules) == tree_root(first | later, rules)
    assert older.root == slow_root(first, rules)
    assert (older.size, newer.size) == (len(first), len(first | later))


@given(PAIRS, INDICES, FAMILIES)
@settings(deadline=None)
def test_the_tree_answers_like_a_dict_and_proves_it(
    pairs: dict[RegistryIndex, Commitment], asked: RegistryIndex, rules: Rules
) -> None:
    tree = PrefixTree(rules).insert(pairs.items())
    assert dict(tree.pairs()) == pairs
    assert [i for i, _ in tree.pairs()] == sorted(pairs)
    for queried in (asked, *pairs):
        assert tree.get(queried) == pairs.get(queried)
        proof = tree.prove(queried)
        assert verify(tree.root, queried, proof.terminal, proof.path, rules) == pairs.get(queried)


@given(st.dictionaries(INDICES, COMMITMENTS, min_size=2, max_size=12), st.data(), FAMILIES)
@settings(deadline=None)
def test_a_proof_says_the_same_of_every_key_that_ends_where_it_ends_and_nothing_of_others(
    pairs: dict[RegistryIndex, Commitment], data: st.DataObject, rules: Rules
) -> None:
    """A hostile member has all honest proofs at hand and asks about one key: he can say the truth only."""
    tree = PrefixTree(rules).insert(pairs.items())
    asked = data.draw(st.one_of(st.sampled_from(sorted(pairs)), INDICES))
    for other in pairs:
        proof = tree.prove(other)
        for terminal in (proof.terminal, None):
            try:
                said = verify(tree.root, asked, terminal, proof.path, rules)
            except BridgeError:
                continue
            assert said == pairs.get(asked)


@given(PAIRS.filter(bool), st.data())
@settings(max_examples=50, deadline=None)
def test_a_flipped_bit_of_a_path_is_refused(pairs: dict[RegistryIndex, Commitment], data: st.DataObject) -> None:
    tree = PrefixTree().insert(pairs.items())
    queried = data.draw(st.sampled_from(sorted(pairs)))
    path = list(tree.prove(queried).path)
    if not path:
        return
    at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    path[at] = (int.from_bytes(path[at], "big") ^ 1 << bit).to_bytes(32, "big")  # type: ignore[call-overload]
    with pytest.raises((RootMismatch, TerminalMalformed)):
        verify(tree.root, queried, (queried, pairs[queried]), path)


def test_an_older_epoch_stays_provable_after_later_insertions() -> None:
    newer = TREE.insert([(index(50), commitment(50))])
    old_proof, new_proof = TREE.prove(index(50)), newer.prove(index(50))
    assert verify(TREE.root, index(50), old_proof.terminal, old_proof.path) is None
    assert verify(newer.root, index(50), new_proof.terminal, new_proof.path) == commitment(50)


@pytest.mark.parametrize(
    "pairs", [[(index(7), commitment(1))], [(index(99), commitment(1)), (index(99), commitment(1))]]
)
def test_an_index_is_inserted_once(pairs: list[Pair]) -> None:
    with pytest.raises(FieldMismatch) as caught:
        TREE.insert(pairs)
    assert caught.value.got == pairs[0][0].hex()
    assert TREE.size == 50


@given(st.binary(max_size=40).filter(lambda short: len(short) != 32))
def test_an_index_and_a_commitment_have_32_bytes(wrong: bytes) -> None:
    with pytest.raises(DigestLength):
        TREE.insert([(RegistryIndex(wrong), commitment(1))])
    with pytest.raises(DigestLength):
        TREE.insert([(index(60), Commitment(wrong))])
    with pytest.raises(DigestLength):
        TREE.prove(RegistryIndex(wrong))


def test_two_indices_that_differ_in_their_last_bit_have_paths_of_256() -> None:
    pair: list[Pair] = [(RegistryIndex(bytes(32)), commitment(1)), (RegistryIndex(bytes(31) + b"\x01"), commitment(2))]
    tree = PrefixTree().insert(pair)
    path = tree.prove(pair[0][0]).path
    assert len(path) == 256
    assert verify(tree.root, pair[0][0], pair[0], path) == commitment(1)


def test_a_key_is_given_once_to_a_root_too() -> None:
    with pytest.raises(FieldMismatch):
        tree_root([(index(1), commitment(1)), (index(1), commitment(1))])


# ── an epoch's insertions and the delta ──────────────────────────────────────────────────────────────────────────────


def test_the_genesis_tree_holds_one_lowest_rung_of_dummies() -> None:
    tree = genesis_tree(SECRET, GENESIS.registry_ladder)
    assert tree.size == 4
    assert tree.root == REGISTRY_ROOT_0


@pytest.mark.parametrize(("real", "padded"), [(0, 4), (2, 4), (4, 4), (5, 16), (16, 16)])
def test_insertions_are_padded_to_a_rung(real: int, padded: int) -> None:
    pairs = list(FIFTY.items())[:real]
    inserted = pad_insertions(SECRET, SIX, pairs, 0x14)
    assert inserted == sorted([*pairs, *dummies(SECRET, SIX, padded - real)])


def test_more_labels_than_the_highest_rung_are_refused() -> None:
    with pytest.raises(TooLong):
        pad_insertions(SECRET, SIX, list(FIFTY.items())[:17], 0x14)


ADDED = tuple(pad_insertions(SECRET, SIX, [(index(70), commitment(70))], 0x14))
DELTA = Delta(log_id=GENESIS.log_id, epoch=SIX, old_root=TREE.root, new_root=TREE.insert(ADDED).root, pairs=ADDED)


def test_an_auditor_replays_a_delta() -> None:
    assert apply_delta(TREE, Delta.decode(DELTA.encode()), 0x14).root == DELTA.new_root


@given(st.integers(0), st.integers(1, 255))
def test_a_delta_has_one_encoding(at: int, change: int) -> None:
    data = bytearray(DELTA.encode())
    data[at % len(data)] ^= change
    try:
        other = Delta.decode(bytes(data))
    except BridgeError:
        return
    assert other.encode() == data
    assert other != DELTA


@given(st.binary(max_size=300))
def test_random_bytes_are_no_delta(data: bytes) -> None:
    with pytest.raises(BridgeError):
        Delta.decode(data)


def test_a_delta_that_announces_too_many_pairs_is_refused_before_it_is_read() -> None:
    data = bytearray(DELTA.encode())
    at = len(data) - 64 * len(ADDED) - 4
    data[at : at + 4] = (2**20 + 1).to_bytes(4, "big")
    with pytest.raises(TooLong):
        Delta.decode(bytes(data))


def test_pairs_of_a_delta_ascend() -> None:
    with pytest.raises(FieldMalformed):
        replace(DELTA, pairs=tuple(reversed(ADDED)))


def test_delta_removes_key() -> None:
    without = {i: c for i, c in FIFTY.items() if i != index(3)}
    cheated = PrefixTree().insert(without.items()).insert(ADDED)
    with pytest.raises(RootMismatch):
        apply_delta(TREE, replace(DELTA, new_root=cheated.root), 0x14)
    replacing = tuple(sorted([*ADDED[1:], (index(3), commitment(99))]))
    with pytest.raises(FieldMismatch):
        apply_delta(TREE, replace(DELTA, pairs=replacing), 0x14)


@pytest.mark.parametrize("pairs", [(), ADDED[:3], tuple(sorted((index(i), commitment(i)) for i in range(100, 132)))])
def test_delta_off_ladder(pairs: tuple[Pair, ...]) -> None:
    with pytest.raises(FieldMalformed):
        apply_delta(TREE, replace(DELTA, pairs=pairs, new_root=TREE.insert(pairs).root), 0x14)


def test_a_delta_starts_from_the_tree_it_names() -> None:
    with pytest.raises(RootMismatch):
        apply_delta(PrefixTree(), DELTA, 0x14)
