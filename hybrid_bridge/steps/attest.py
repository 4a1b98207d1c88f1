"""Step 4 of 6. The next checkpoint in, one validator's attestation out. After `batch`, before `relayers.relay`.

Who: each validator, alone, with its own key and its own guard.
Guarantees: what is signed is the checkpoint this validator computed itself, at the scheduled time, under the set
responsible for its size (G1); it extends everything the key signed before (G2 to G4); the guard's row is durable
before the key is used (G5); what the key hands back recovers to its address. SPEC §8.2; RELAYER §5.4.
Does not: compute a root, gather peers' signatures, decide that a block is final, read a clock.
"""

from collections.abc import Sequence
from typing import Protocol

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.attestation import checkpoint_of as checkpoint_with
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.signing import recover_address
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import GuardRefused, KeyUnusable
from hybrid_bridge.ports import AttestationSigner, Guard
from hybrid_bridge.units import Digest, EcdsaSignature, TreeSize


class LogTree(Protocol):
    """The log as this validator computed it: `core.tree.Tree` is one."""

    def root(self, size: TreeSize | None = None) -> Digest:
        """Root of the first `size` leaves."""

    def consistency_path(self, old_size: TreeSize, new_size: TreeSize) -> Sequence[Digest]:
        """RFC 6962 consistency path."""


def checkpoint_of(genesis: Genesis, validators: ValidatorSet, tree: LogTree, size: TreeSize) -> Checkpoint:
    """The one checkpoint of this size: root from our own tree, time from the schedule (SPEC §8.2).

    Args:
        genesis: leaf 0.
        validators: the set responsible for `size`.
        tree: at least `size` leaves.
        size: at least 2; size 1 is the log id itself and needs no signature.
    """
    return checkpoint_with(genesis, validators, size, tree.root(size))


def attest(
    checkpoint: Checkpoint, validators: ValidatorSet, tree: LogTree, guard: Guard, signer: AttestationSigner
) -> EcdsaSignature:
    """This validator's signature on `checkpoint`, made once and found again ever after.

    Raises:
        GuardRefused: scope (our key is not in the responsible set), double, below_floor, not_an_extension.
        KeyUnusable: what the key handed back is not its signature over this digest.
    """
    size, digest = checkpoint.tree_size, checkpoint.digest()
    if signer.address() not in validators.addresses:
        raise GuardRefused(rule="scope", size=size)
    highest, _ = guard.highest()
    path = tree.consistency_path(highest, size) if highest < size else ()
    permit = guard.permit(size, checkpoint.root, digest, path)  # Durable: we say this, once. Dead here? Said again.
    signature = guard.stored(size)
    if signature is None:
        signature = signer.sign(permit)
        if recover_address(digest, signature) != signer.address():
            raise KeyUnusable(key="attestation", rule="signs what it is asked to")
        guard.signed(permit, signature)  # Durable: found again, not made again.
    return signature
