"""Step 4 at work: sign each checkpoint once it is computed, through the guard, and never after the brake was pulled.

Before the first signature after each start every peer is asked what it has seen signed by our key: a statement that our
guard does not know means that another process holds the key, and this one stops (RELAYER §5.4).
"""

import logging
from collections.abc import Sequence
from typing import Final

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.proof import as_digest
from hybrid_bridge.core.signing import recover_address, require_signature
from hybrid_bridge.errors import BridgeError, GuardRefused
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.keys import AttestationKey
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.steps.attest import attest
from hybrid_bridge.units import TreeSize

PAUSE: Final = 5.0  # seconds; a log that does not grow is looked at again

_log = logging.getLogger(__name__)


class Attester:
    """The thread that signs."""

    def __init__(self, logbook: LogBook, guard: SqlGuard, key: AttestationKey, brake: Brake) -> None:
        self._logbook, self._guard, self._key, self._brake = logbook, guard, key, brake

    def run(self, peers: Sequence[GrpcPeer], progress: Progress) -> None:
        """Sign until stopped or braked."""
        self.look_for_double(peers)
        while not progress.stopping and not self._brake.reason:
            try:
                self.sign_all(progress)
            except GuardRefused as refusal:
                self._brake.pull(f"the guard refused size {refusal.size}: {refusal.rule}")
            progress.wait(lambda: progress.size > progress.attested, PAUSE)

    def sign_all(self, progress: Progress) -> None:
        """Sign every size that is closed and not signed yet, in order.

        Raises:
            GuardRefused: our log is not what it was when we signed before; a person must look.
        """
        newest = self._logbook.newest_attested(self._key.address())
        for number in range(max(newest, self._guard.floor()) + 1, self._logbook.size + 1):
            size = TreeSize(number)
            checkpoint = self._logbook.checkpoint(size)
            signature = attest(checkpoint, self._logbook.validators, self._logbook, self._guard, self._key)
            self._logbook.take_attestation(self._key.address(), SizedSignature(size, checkpoint.root, signature))
            progress.raised("attested", size)
        progress.raised("attested", newest)

    def look_for_double(self, peers: Sequence[GrpcPeer]) -> None:
        """Ask every peer for signatures of our key; pull the brake if our guard does not know one of them."""
        for peer in peers:
            try:
                for seen in peer.signatures(self._key.address()):
                    size = TreeSize(seen.size)
                    if not self._guard.knows(size) and self._is_ours(size, seen.root, seen.signature):
                        self._brake.pull(f"our key signed size {size} in another process (seen by {peer.name})")
            except BridgeError as error:
                _log.info("%s says nothing about our key: %s", peer.name, type(error).__name__)

    def _is_ours(self, size: TreeSize, root: bytes, signature: bytes) -> bool:
        """Whether our key made this signature: a peer may say anything."""
        claimed = self._logbook.checkpoint_with(size, as_digest(root, "root"))
        return recover_address(claimed.digest(), require_signature(signature)) == self._key.address()
