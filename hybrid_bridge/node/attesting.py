"""Step 4 at work: sign each checkpoint once it is computed, through the guard, and never after the brake was pulled.

Before the first signature after each start enough peers have told what they saw signed by our key (`hearing`).
"""

import logging
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from hybrid_bridge.adapters.sqlite.epochs import SizedSignature
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import GuardRefused, NotYet, Undecided
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


def _always(_validators: ValidatorSet) -> bool:
    return True


class Attester:
    """The thread that signs with one key, for the sets that have it."""

    def __init__(
        self,
        logbook: LogBook,
        guard: SqlGuard,
        key: AttestationSigner,
        brake: Brake,
        mldsa: MldsaKey | None = None,
        *,
        counts: Counts | None = None,
        permits: Callable[[ValidatorSet], bool] = _always,
    ) -> None:
        """`permits`: whether enough of a set have told what they heard of our keys (ADR 13, ADR 35)."""
        self._logbook, self._guard, self._key, self._brake = logbook, guard, key, brake
        self._mldsa, self._counts, self._permits = mldsa, counts, permits

    def run(self, progress: Progress) -> None:
        """Sign until stopped or braked."""
        progress.await_heard()
        while not progress.stopping and not self._brake.reason:
            seen = progress.size  # not what we signed: a key outside the set signs nothing, and waits all the same
            try:
                self.sign_all(progress)
            except GuardRefused as refusal:
                if self._counts is not None:
                    self._counts.refused(refusal.rule)
                self._brake.pull(f"the guard refused size {refusal.size}: {refusal.rule}")
            except Undecided as error:  # an HSM that is away: permitted already, so the same digest is signed later
                _log.warning("not attested yet: %s", error)
                progress.wait(lambda: False, PAUSE)
            else:
                progress.wait_above("size", seen, PAUSE)

    def sign_all(self, progress: Progress) -> None:
        """Sign every size that is closed, that a set with our key is responsible for, and that is not signed yet.

        A guard that was imported may have gaps: what lies below its highest and has no row it would refuse, so that is
        not asked for. Each checkpoint stands by itself; the later ones are signed.

        Raises:
            GuardRefused: our log is not what it was when we signed before; a person must look.
            NotYet: too few of every such size's set have told what they heard of us, or our ledger is not proven.
        """
        self._brake.require_free()  # before the guard writes down what may be false
        newest = self._logbook.newest_attested(self._key.address())
        for size in self._permitted(newest):
            checkpoint, validators = self._logbook.checkpoint(size), self._logbook.validators(size)
            signature = attest(checkpoint, validators, self._logbook, self._guard, self._key)
            if self._counts is not None:
                self._counts.signed()
            # The guard's row is durable: for this size this root alone, so the second key may say the same.
            if self._mldsa is not None:
                note = self._logbook.checkpoint_note(size)
                self._logbook.cosign(size, mldsa_line(self._mldsa, self._key.address(), note))
            self._logbook.take_attestation(self._key.address(), SizedSignature(size, checkpoint.root, signature))
            progress.raised("attested", size)
        progress.raised("attested", newest)

    def _permitted(self, newest: TreeSize) -> list[TreeSize]:
        """The sizes to sign now.

        A set that has retired may never answer again: its sizes are passed over once a later set permits its own. Each
        set is asked once, so that an answer that comes meanwhile lets nothing of the same set be passed over.
        """
        waiting = list(self._unsigned(newest))
        sets = {size: self._logbook.validators(size) for size in waiting}
        distinct = {validators.set_id: validators for validators in sets.values()}
        permits = {set_id: self._permits(validators) for set_id, validators in distinct.items()}
        found = [size for size in waiting if permits[sets[size].set_id]]
        if waiting and not found:
            raise NotYet(what=f"word from enough members of set {sets[waiting[-1]].set_id} after a start")
        return found

    def _unsigned(self, newest: TreeSize) -> Iterator[TreeSize]:
        highest, _ = self._guard.highest()
        for size in self._logbook.sizes_of(self._key.address(), max(newest, self._guard.floor())):
            if size >= highest or self._guard.said(size) is not None:
                yield size
