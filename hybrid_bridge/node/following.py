"""A member's part of step 2: pull the sequencer's blocks, execute them, fall behind only while nobody answers.

Blocks carry the sequencer's countersignature, so any member may hand them on: the sequencer is asked first, the others
when it is silent. A member that was away catches up by the same loop.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Final

from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.adapters.sqlite.ledger import StoredBlock
from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.errors import BlockInvalid, BridgeError, Broken, Equivocation
from hybrid_bridge.node.chain import Chain
from hybrid_bridge.node.progress import Progress

STREAM_SECONDS: Final = 60.0  # a stream is opened anew, so that a silent break is noticed
PAUSE: Final = 0.5  # seconds before the next member is asked
LONG_PAUSE: Final = 5.0  # after a block that we refuse for good

_log = logging.getLogger(__name__)


class Follower:
    """The thread that pulls blocks."""

    def __init__(
        self, chain: Chain, sources: Callable[[], Sequence[GrpcPeer]], signer: PrivateKey | None, progress: Progress
    ) -> None:
        """`sources`: as they are now, the sequencer first; a peer whose endpoint changed is another object."""
        self._chain, self._sources = chain, sources
        self._signer, self._progress = signer, progress

    def run(self) -> None:
        """Pull until stopped."""
        turn = 0
        while not self._progress.stopping:
            sources = self._sources()
            if not sources:  # all were let go; the next that comes is asked
                self._progress.wait(lambda: False, PAUSE)
                continue
            source = sources[turn % len(sources)]
            try:
                taken = self.pull(source, STREAM_SECONDS, follow=turn == 0)
            except Broken:
                raise
            except BridgeError as error:
                _log.info("no blocks from %s: %s", source.name, type(error).__name__)
                refused = isinstance(error, BlockInvalid | Equivocation)
                turn = turn + 1
                self._progress.wait(lambda: False, LONG_PAUSE if refused else PAUSE)
            else:
                turn = 0 if turn or not taken else turn  # somebody else helped, or all is quiet: the sequencer again
                if source is not sources[0]:
                    self._progress.wait(lambda: False, PAUSE)

    def pull(self, source: GrpcPeer, seconds: float, *, follow: bool) -> int:
        """Take blocks from one member; how many it sent.

        Raises:
            BridgeError: it is silent, or sent what we do not take.
        """
        count = 0
        for message in source.blocks(self._chain.next_height, seconds, follow=follow):
            self._chain.accept(StoredBlock(message.block, message.order), self._signer)
            count += 1
            if self._progress.stopping:
                break
        return count
