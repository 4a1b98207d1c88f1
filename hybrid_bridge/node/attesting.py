"""Step 4 at work: sign each checkpoint once it is computed, through the guard, and never after the brake was pulled.

Before the first signature after each start enough peers have told what they saw signed by our key (`hearing`).
"""

import logging
from typing import Final, Protocol

from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.errors import GuardRefused, Undecided
from hybrid_bridge.node.cosigning import mldsa_line
from hybrid_bridge.node.halting import Brake
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.progress import Progress
from hybrid_bridge.ports import AttestationSigner
from hybrid_bridge.steps.attest import attest
from hybrid_bridge.units import TreeSize

_log: Final = logging.getLogger(__name__)
PAUSE: Final = 5.0  # seconds; a log that does not grow is looked at again


class Counts(Protocol):
    """Who counts what the guard says: `node.metrics`."""

    def signed(self) -> None:
        """Permitted, and signed."""

    def refused(self, rule: str) -> None:
        """Not permitted."""


class Attester:
    """The thread that signs."""

    def __init__(
        self,
        logbook: LogBook,
        guard: SqlGuard,
        key: AttestationSigner,
        brake: Brake,
        mldsa: MldsaKey | None = None,
        *,
        counts: Counts | None = None,
    ) -> None:
        self._logbook, self._guard, self._key, self._brake = logbook, guard, key, brake
        self._mldsa, self._counts = mldsa, counts

    def run(self, progress: Progress) -> None:
        """Sign until stopped or braked."""
        progress.await_heard()
        while not progress.stopping and not self._brake.reason:
            try:
                self.sign_all(progress)
            except GuardRefused as refusal:
                if self._counts is not None:
                    self._counts.refused(refusal.rule)
                self._brake.pull(f"the guard refused size {refusal.size}: {refusal.rule}")
            except Undecided as error:  # an HSM that is away: permitted already, so the same digest is signed later
                _log.warning("not attested yet: %s", error)
                progress.wait(lambda: False, PAUSE)
            progress.wait(lambda: progress.size > progress.attested, PAUSE)

    def sign_all(self, progress: Progress) -> None:
        """Sign every size that is closed and not signed yet, in order.

        A guard that was imported may have gaps: what lies below its highest and has no row it would refuse, so that is
        not asked for. Each checkpoint stands by itself; the later ones are signed.

        Raises:
            GuardRefused: our log is not what it was when we signed before; a person must look.
        """
        newest = self._logbook.newest_attested(self._key.address())
        highest, _ = self._guard.highest()
        for number in range(max(newest, self._guard.floor()) + 1, self._logbook.size + 1):
            size = TreeSize(number)
            if size < highest and self._guard.said(size) is None:
                continue
            checkpoint = self._logbook.checkpoint(size)
            signature = attest(checkpoint, self._logbook.validators, self._logbook, self._guard, self._key)
            if self._counts is not None:
                self._counts.signed()
            # The guard's row is durable: for this size this root alone, so the second key may say the same.
            if self._mldsa is not None:
                note = self._logbook.checkpoint_note(size)
                self._logbook.cosign(size, mldsa_line(self._mldsa, self._key.address(), note))
            self._logbook.take_attestation(self._key.address(), SizedSignature(size, checkpoint.root, signature))
            progress.raised("attested", size)
        progress.raised("attested", newest)
