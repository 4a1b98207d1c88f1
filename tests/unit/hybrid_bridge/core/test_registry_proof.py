"""What a cheat may show of a registry, and why it is refused. Names follow SPEC §15, family registry/."""

from typing import Any

import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.registry import OURS, PrefixTree, Rules, Terminal, tree_root, verify
from hybrid_bridge.errors import BridgeError, DigestLength, FieldMalformed, PathLength, RootMismatch, TerminalMalformed
from hybrid_bridge.units import Commitment, RegistryIndex

JMT = Rules(b"JMT::LeafNode", b"JMT::IntrnalNode", b"SPARSE_MERKLE_PLACEHOLDER_HASH__")
SMT = Rules(b"\x00", b"\x01", ZERO)
FAMILIES = pytest.mark.parametrize("rules", [OURS, JMT, SMT], ids=["ours", "JMT", "SMT"])


def index(number: int) -> RegistryIndex:
    return RegistryIndex(sha256(number.to_bytes(4, "big")))


def commitment(number: int) -> Commitment:
    return Commitment(sha256(b"c" + number.to_bytes(4, "big")))


FIFTY: dict[RegistryIndex, Commitment] = {index(i): commitment(i) for i in range(50)}
TREE = PrefixTree().insert(FIFTY.items())
HERE, NOWHERE = index(7), index(1000)


def test_absence_terminal_equals_key() -> None:
    """A pair shown for its own key is presence, whatever its teller calls it: the value comes back."""
    proof = TREE.prove(HERE)
    assert verify(TREE.root, HERE, proof.terminal, proof.path) == commitment(7)
    with pytest.raises(RootMismatch):
        verify(TREE.root, HERE, (HERE, commitment(8)), proof.path)


def test_absence_terminal_off_prefix() -> None:
    foreign = TREE.prove(next(i for i in FIFTY if i[0] >> 7 != HERE[0] >> 7))
    with pytest.raises(TerminalMalformed):
        verify(TREE.root, HERE, foreign.terminal, foreign.path)


def test_presence_of_neighbour() -> None:
    queried = next(index(i) for i in range(1000, 2000) if TREE.prove(index(i)).terminal is not None)
    proof = TREE.prove(queried)
    assert proof.terminal is not None
    assert verify(TREE.root, queried, proof.terminal, proof.path) is None
    with pytest.raises(RootMismatch):
        verify(TREE.root, queried, (queried, proof.terminal.value), proof.path)


def test_hole_with_wrong_root() -> None:
    proof = TREE.prove(HERE)
    with pytest.raises(RootMismatch):
        verify(TREE.root, HERE, None, proof.path)


def test_hole_above_the_pair() -> None:
    """Cutting a path does not help: what stands higher up is a node, and no hole."""
    path = TREE.prove(HERE).path
    for cut in range(1, len(path)):
        if path[cut] != ZERO:
            with pytest.raises(RootMismatch):
                verify(TREE.root, HERE, None, path[cut:])


@FAMILIES
def test_deepest_sibling_empty(rules: Rules) -> None:
    """One key has one depth: neither a pair nor a hole may stand deeper than the least shape has it."""
    lonely = (HERE, commitment(7))
    for other, terminal in ((HERE, lonely), (NOWHERE, lonely), (NOWHERE, None)):
        value = rules.empty if terminal is None else rules.leaf(*terminal)
        deeper = rules.node(value, rules.empty) if other[0] < 128 else rules.node(rules.empty, value)
        with pytest.raises(TerminalMalformed):
            verify(deeper, other, terminal, [rules.empty], rules)


@FAMILIES
def test_a_tree_of_one_key_is_a_bare_leaf(rules: Rules) -> None:
    lonely = (HERE, commitment(7))
    root = tree_root([lonely], rules)
    assert root == rules.leaf(*lonely)
    assert verify(root, HERE, lonely, [], rules) == commitment(7)
    assert verify(root, NOWHERE, lonely, [], rules) is None
    with pytest.raises(RootMismatch):
        verify(root, NOWHERE, None, [], rules)


@FAMILIES
def test_a_tree_without_keys_is_a_hole(rules: Rules) -> None:
    root = tree_root({}, rules)
    assert root == rules.empty
    assert verify(root, HERE, None, [], rules) is None
    with pytest.raises(RootMismatch):
        verify(root, HERE, (HERE, commitment(7)), [], rules)
    with pytest.raises(RootMismatch):
        verify(TREE.root, HERE, None, [])


@pytest.mark.parametrize("mine", [JMT, SMT])
def test_a_proof_speaks_under_its_own_rules_only(mine: Rules) -> None:
    proof = TREE.prove(HERE)
    with pytest.raises(RootMismatch):
        verify(TREE.root, HERE, proof.terminal, proof.path, mine)


def test_path_257() -> None:
    with pytest.raises(PathLength) as caught:
        verify(TREE.root, HERE, (HERE, commitment(7)), [commitment(0)] * 257)
    assert (caught.value.expected, caught.value.got) == (256, 257)


def test_registry_leaf_as_node() -> None:
    """A leaf's 64 bytes taken for an inner node's lead nowhere: the tags differ (SPEC §15, cross/)."""
    assert OURS.leaf(HERE, commitment(7)) != OURS.node(HERE, commitment(7))


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_hashes_of_another_length_are_refused(wrong: bytes) -> None:
    pair, path = (HERE, commitment(7)), TREE.prove(HERE).path
    for call in (
        lambda: verify(wrong, HERE, pair, path),
        lambda: verify(TREE.root, HERE, pair, [wrong, *path[1:]]),
        lambda: verify(TREE.root, HERE, (HERE, wrong), path),
        lambda: verify(TREE.root, NOWHERE, (wrong, commitment(7)), path),
        lambda: verify(TREE.root, wrong, None, path),
        lambda: Rules(empty=wrong),
    ):
        with pytest.raises(DigestLength):
            call()


@pytest.mark.parametrize("wrong", [(), (HERE,), (HERE, commitment(7), commitment(7))])
def test_a_terminal_is_a_pair(wrong: tuple[bytes, ...]) -> None:
    with pytest.raises(TerminalMalformed):
        verify(TREE.root, HERE, wrong, TREE.prove(HERE).path)


def test_a_terminal_is_read_from_any_pair_of_byte_strings() -> None:
    proof = TREE.prove(HERE)
    for terminal in (proof.terminal, [HERE, commitment(7)], Terminal(HERE, commitment(7))):
        assert verify(TREE.root, HERE, terminal, list(proof.path)) == commitment(7)


def test_an_inner_node_is_no_pair_under_any_rules() -> None:
    """With one tag for both, the two halves of a node would be a key and its value."""
    with pytest.raises(FieldMalformed):
        Rules(b"\x00", b"\x00", ZERO)
    for tag in (None, "\x00", 1):
        for given in ((tag, b"\x01"), (b"\x00", tag)):
            with pytest.raises(FieldMalformed):
                Rules(*given)  # type: ignore[arg-type]


@FAMILIES
def test_other_byte_strings_are_read_as_what_they_hold(rules: Rules) -> None:
    mine = Rules(bytearray(rules.leaf_tag), memoryview(rules.inner_tag), bytearray(rules.empty))  # type: ignore[arg-type]
    pairs = [[bytearray(key), memoryview(value)] for key, value in FIFTY.items()]
    assert tree_root(iter(pairs), mine) == tree_root(FIFTY, rules) == PrefixTree(rules).insert(FIFTY.items()).root  # type: ignore[arg-type]
    proof = PrefixTree(rules).insert(FIFTY.items()).prove(HERE)
    found = verify(
        bytearray(tree_root(FIFTY, rules)), bytearray(HERE), [bytearray(HERE), commitment(7)], proof.path, mine
    )
    assert (found, type(found)) == (commitment(7), bytes)


NO_PAIRS = [None, 0, True, 1.5, "x", b"x", object(), [None], [()]]
GARBAGE = [None, 0, True, 1.5, "x" * 32, b"", bytes(31), [], [None], {}, object(), iter(()), [b"x" * 32]]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_leaves_our_errors_alone(garbage: Any) -> None:
    proof = TREE.prove(HERE)
    for call in (
        lambda: verify(garbage, HERE, proof.terminal, proof.path),
        lambda: verify(TREE.root, garbage, proof.terminal, proof.path),
        lambda: verify(TREE.root, HERE, garbage, proof.path),
        lambda: verify(TREE.root, HERE, (garbage, garbage), proof.path),
        lambda: verify(TREE.root, HERE, proof.terminal, garbage),
        lambda: verify(TREE.root, HERE, proof.terminal, [garbage] * len(proof.path)),
        lambda: tree_root([garbage]),
        lambda: tree_root([(garbage, garbage)]),
        lambda: TREE.prove(garbage),
    ):
        with pytest.raises(BridgeError):
            call()


@pytest.mark.parametrize("garbage", NO_PAIRS, ids=range(len(NO_PAIRS)))
def test_what_holds_no_pairs_has_no_root(garbage: Any) -> None:
    with pytest.raises(FieldMalformed):
        tree_root(garbage)
