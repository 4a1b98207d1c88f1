"""What a cheat may show of a registry, and why it is refused. Names follow SPEC §15, family registry/."""

import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.registry import PrefixTree
from hybrid_bridge.core.registry_proof import (
    PrefixHashing,
    Terminal,
    registry_root,
    verify_absence,
    verify_presence,
)
from hybrid_bridge.errors import DigestLength, PathLength, RootMismatch, TerminalMalformed
from hybrid_bridge.units import Commitment, RegistryIndex

OURS = PrefixHashing()


def index(number: int) -> RegistryIndex:
    return RegistryIndex(sha256(number.to_bytes(4, "big")))


def commitment(number: int) -> Commitment:
    return Commitment(sha256(b"c" + number.to_bytes(4, "big")))


FIFTY: dict[RegistryIndex, Commitment] = {index(i): commitment(i) for i in range(50)}
TREE = PrefixTree().insert(FIFTY.items())
HERE, NOWHERE = index(7), index(1000)


def test_absence_terminal_equals_key() -> None:
    proof = TREE.prove(HERE)
    with pytest.raises(TerminalMalformed):
        verify_absence(TREE.root, HERE, proof.terminal, proof.path)


def test_absence_terminal_off_prefix() -> None:
    foreign = TREE.prove(next(i for i in FIFTY if i[0] >> 7 != HERE[0] >> 7))
    with pytest.raises(TerminalMalformed):
        verify_absence(TREE.root, HERE, foreign.terminal, foreign.path)


def test_presence_of_neighbour() -> None:
    proof = next(p for i in range(1000, 2000) if (p := TREE.prove(index(i))).terminal is not None)
    queried = next(index(i) for i in range(1000, 2000) if TREE.prove(index(i)) == proof)
    assert proof.terminal is not None
    with pytest.raises(RootMismatch):
        verify_presence(TREE.root, queried, proof.terminal.commitment, proof.path)


def test_hole_with_wrong_root() -> None:
    proof = TREE.prove(HERE)
    with pytest.raises(RootMismatch):
        verify_absence(TREE.root, HERE, None, proof.path)


def test_deepest_sibling_empty() -> None:
    lonely = PrefixTree().insert([(HERE, commitment(7))])
    deeper = registry_root(HERE, Terminal(HERE, commitment(7)), [], hashing=OURS)
    assert deeper == lonely.root
    with pytest.raises(TerminalMalformed):
        verify_presence(lonely.root, HERE, commitment(7), [ZERO])


def test_path_257() -> None:
    with pytest.raises(PathLength) as caught:
        verify_presence(TREE.root, HERE, commitment(7), [commitment(0)] * 257)  # type: ignore[list-item]
    assert (caught.value.expected, caught.value.got) == (256, 257)


def test_registry_leaf_as_node() -> None:
    """A leaf's 64 bytes taken for an inner node's lead nowhere: the tags differ (SPEC §15, cross/)."""
    assert OURS.leaf(HERE, commitment(7)) != OURS.node(HERE, commitment(7))


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_hashes_of_another_length_are_refused(wrong: bytes) -> None:
    proof = TREE.prove(HERE)
    for call in (
        lambda: verify_presence(wrong, HERE, commitment(7), proof.path),  # type: ignore[arg-type]
        lambda: verify_presence(TREE.root, HERE, commitment(7), [wrong, *proof.path[1:]]),  # type: ignore[list-item]
        lambda: verify_presence(TREE.root, HERE, wrong, proof.path),  # type: ignore[arg-type]
        lambda: verify_absence(TREE.root, NOWHERE, Terminal(wrong, commitment(7)), proof.path),  # type: ignore[arg-type]
        lambda: verify_absence(TREE.root, wrong, None, proof.path),  # type: ignore[arg-type]
    ):
        with pytest.raises(DigestLength):
            call()
