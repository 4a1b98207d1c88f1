from collections.abc import Sequence

import pytest

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.guard import Highest, Statement, is_repeat
from hybrid_bridge.core.signing import address_of, public_key_of, recover_address, sign_digest
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import GuardRefused, KeyUnusable
from hybrid_bridge.ports import SigningPermit
from hybrid_bridge.steps.attest import attest, checkpoint_of
from hybrid_bridge.units import Address, Digest, EcdsaSignature, LogId, TreeSize
from tests.unit.hybrid_bridge.core.consortium import GENESIS
from tests.unit.hybrid_bridge.steps.test_batch import VALIDATORS, first

KEY_1 = (1).to_bytes(32, "big")


class MemoryGuard:
    """A guard whose store is a dict; it writes what it did into `story`."""

    def __init__(self, story: list[str]) -> None:
        self._signed: dict[TreeSize, tuple[Digest, Digest]] = {}
        self._signatures: dict[TreeSize, EcdsaSignature] = {}
        self._story = story

    def highest(self) -> tuple[TreeSize, Digest]:
        if not self._signed:
            return TreeSize(1), Digest(GENESIS.log_id)
        size = max(self._signed)
        return size, self._signed[size][0]

    def permit(self, size: TreeSize, root: Digest, digest: Digest, path: Sequence[Digest]) -> SigningPermit:
        standing = self._signed.get(size)
        asked = Statement(size, root, digest)
        if not is_repeat(asked, None if standing is None else standing[1], Highest(*self.highest()), path):
            self._signed[size] = root, digest
        self._story.append(f"permit {size}")
        return SigningPermit(digest, size)

    def signed(self, permit: SigningPermit, signature: EcdsaSignature) -> None:
        self._story.append(f"stored {permit.size}")
        self._signatures[permit.size] = signature

    def stored(self, size: TreeSize) -> EcdsaSignature | None:
        return self._signatures.get(size)


class Key:
    """An attestation key that says when it is used."""

    def __init__(self, story: list[str], private_key: bytes = KEY_1, signs_with: bytes | None = None) -> None:
        self._story, self._signs_with = story, signs_with or private_key
        self._address = address_of(public_key_of(private_key))

    def address(self) -> Address:
        return self._address

    def sign(self, permit: SigningPermit) -> EcdsaSignature:
        self._story.append(f"sign {permit.size}")
        return sign_digest(self._signs_with, permit.digest)


def log(size: int) -> Tree:
    tree = Tree()
    tree.extend([Digest(GENESIS.log_id), first().record.leaf, *(sha256(bytes([i])) for i in range(size - 2))])
    return tree


def checkpoint(tree: Tree, size: int) -> Checkpoint:
    return checkpoint_of(GENESIS, VALIDATORS, tree, TreeSize(size))


def test_the_checkpoint_of_size_two_is_the_known_answer() -> None:
    digest = checkpoint(log(2), 2).digest()
    assert digest.hex() == "71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746"


def test_its_signature_by_key_one_is_the_known_answer() -> None:
    story: list[str] = []
    tree = log(2)
    signature = attest(checkpoint(tree, 2), VALIDATORS, tree, MemoryGuard(story), Key(story))
    assert signature[:32].hex() == "126203ff77f73755ac541ad9131e79c72d3acb99b24cd4fc061cd9a3a6d4812d"
    assert signature[32:64].hex() == "0fcdb252e62c171f96677405c6d57293deee11c6f27bbbaf8f82b25ae71095b7"
    assert signature[64] == 28


def test_the_row_is_durable_before_the_key_is_used() -> None:
    story: list[str] = []
    tree = log(2)
    attest(checkpoint(tree, 2), VALIDATORS, tree, MemoryGuard(story), Key(story))
    assert story == ["permit 2", "sign 2", "stored 2"]


def test_the_same_checkpoint_again_uses_the_stored_signature() -> None:
    story: list[str] = []
    tree, guard, key = log(3), MemoryGuard(story), Key(story)
    first_signature = attest(checkpoint(tree, 3), VALIDATORS, tree, guard, key)
    assert attest(checkpoint(tree, 3), VALIDATORS, tree, guard, key) == first_signature
    assert story.count("sign 3") == 1


def test_every_later_size_extends_the_one_before() -> None:
    story: list[str] = []
    tree, guard, key = log(9), MemoryGuard(story), Key(story)
    for size in (2, 3, 7, 9):
        made = checkpoint(tree, size)
        assert recover_address(made.digest(), attest(made, VALIDATORS, tree, guard, key)) == key.address()


def test_another_history_is_refused_and_never_signed() -> None:
    story: list[str] = []
    tree, guard, key = log(4), MemoryGuard(story), Key(story)
    attest(checkpoint(tree, 4), VALIDATORS, tree, guard, key)
    other = Tree()
    other.extend(sha256(bytes([i, 1])) for i in range(6))
    for size, rule in ((4, "double"), (3, "below_floor"), (6, "not_an_extension")):
        with pytest.raises(GuardRefused) as refused:
            attest(checkpoint(other, size), VALIDATORS, other, guard, key)
        assert refused.value.rule == rule
    assert [line for line in story if line.startswith("sign")] == ["sign 4"]


def test_a_key_outside_the_responsible_set_is_not_asked() -> None:
    story: list[str] = []
    tree = log(2)
    others = ValidatorSet(VALIDATORS.set_id, VALIDATORS.entries[:1])
    key = next(k for k in (Key(story, n.to_bytes(32, "big")) for n in (1, 2)) if k.address() not in others.addresses)
    with pytest.raises(GuardRefused) as refused:
        attest(checkpoint(tree, 2), others, tree, MemoryGuard(story), key)
    assert (refused.value.rule, story) == ("scope", [])


def test_a_key_store_that_signs_with_another_key_is_found_out() -> None:
    story: list[str] = []
    tree = log(2)
    with pytest.raises(KeyUnusable):
        attest(
            checkpoint(tree, 2), VALIDATORS, tree, MemoryGuard(story), Key(story, signs_with=(9).to_bytes(32, "big"))
        )
    assert "stored 2" not in story


def test_the_log_id_is_that_of_the_genesis_record() -> None:
    assert checkpoint(log(2), 2).log_id == LogId(GENESIS.log_id)
