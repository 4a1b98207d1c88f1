"""Which validator sets followed those that our own files know, by the word of nobody: shown, and verified, set by set.

A bundle of a member's newest checkpoint has every SetUpdate under a note of the set before it (SPEC §12 step 7). So
whoever begins with the genesis record, or was away since the set changed, knows whose signatures count now.
Source: ADR 45.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.core.trust import Trust, TrustedLog
from hybrid_bridge.errors import Equivocation, FieldMismatch
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.steps.verify import verify
from hybrid_bridge.units import Digest, LogId, SetId, TreeSize, UnixSeconds

FIRST_SHOWN: Final = TreeSize(2)  # the genesis record alone has no quorum's note


class LogPeer(Protocol):
    """A member's log, as `GrpcMember` asks it."""

    def newest_quorum_size(self) -> TreeSize:
        """Zero for none."""

    def checkpoint(self, size: TreeSize) -> NotedCheckpoint:
        """The note with its quorum."""

    def consistency_path(self, old: TreeSize, new: TreeSize) -> Sequence[Digest]:
        """From one size to another."""


class ProvingPeer(Protocol):
    """Another member, as `GrpcPeer` asks it."""

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        """A bundle of one checkpoint."""


def knowing_sets(directory: Directory, peer: ProvingPeer, newest: TreeSize, now: UnixSeconds) -> Directory:
    """The directory with every set up to the one responsible for `newest`, each appointed under the one before it.

    What the directory itself knows of later sets is left out.

    Raises:
        FieldMismatch: a bundle of another log or size.
        Malformed, Refuted: as `verify`.
    """
    known = replace(directory)  # with set 1 alone
    if newest < FIRST_SHOWN:
        return known
    data = peer.proven_checkpoint(newest)
    verify(data, Trust(logs=(TrustedLog(log_id=directory.log_id),)), now)
    bundle = decode_bundle(data)
    log_id, size = LogId(leaf_hash(bundle.genesis.record)), parse_note(bundle.checkpoints[0].note).size
    if (log_id, size) != (directory.log_id, newest):
        raise FieldMismatch(field="checkpoint", expected=f"size {newest} of our log", got=f"{size} of {log_id.hex()}")
    known.roll = known.roll.extended(rotation.update for rotation in bundle.rotations)
    return known


def require_one_history(rolls: Sequence[Roll]) -> None:
    """Return if no set has two successors. Keys that left may be in anybody's hands later, and sign another one.

    Raises:
        Equivocation: one has.
    """
    known: dict[SetId, Digest] = {}
    for term in (term for roll in rolls for term in roll.terms[1:]):
        number, leaf = term.validators.set_id, term.leaf or term.validators.digest
        if (first := known.setdefault(number, leaf)) != leaf:
            raise Equivocation(signer=f"a quorum of set {number - 1}", number=number, first=first, second=leaf)
