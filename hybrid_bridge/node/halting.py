"""Evidence against others, and the decision to sign no more: both durable, both for a person to look at.

Beside it what ends by itself: a member whose ledger was taken from a snapshot signs nothing whatever until others have
signed that ledger (`node.proving`, ADR 41). Whoever uses a key of this member asks here first.
"""

import logging
from collections.abc import Callable

from hybrid_bridge.adapters.sqlite.witness import Evidence, SqlWitness
from hybrid_bridge.errors import NotYet
from hybrid_bridge.ports import Clock

_log = logging.getLogger(__name__)


class Brake:
    """Stops this member's own signatures for good. Blocks and questions go on being served."""

    def __init__(self, witness: SqlWitness, clock: Clock) -> None:
        self._witness, self._clock = witness, clock
        self._reason = witness.halted()
        self._awaited = ""
        self._told: list[Callable[[str], None]] = []
        self._shown: list[Callable[[Evidence], None]] = []

    @property
    def reason(self) -> str:
        """Why nothing is signed; empty while it is."""
        return self._reason

    @property
    def stops(self) -> bool:
        """Whether nothing is signed, for good or for now."""
        return bool(self._reason or self._awaited)

    @property
    def awaited(self) -> str:
        """What has to come before anything is signed; empty where nothing has to."""
        return self._awaited

    def hold(self, awaited: str) -> None:
        """Sign nothing for now; `awaited`: what has to come first."""
        self._awaited = awaited

    def release(self) -> None:
        """It has come."""
        self._awaited = ""

    def require_free(self) -> None:
        """Return unless something has to come first.

        Raises:
            NotYet: nothing is signed before.
        """
        if self._awaited:
            raise NotYet(what=self._awaited)

    def when_pulled(self, tell: Callable[[str], None]) -> None:
        """Call `tell` with the reason when the brake is pulled, or now if it was."""
        self._told.append(tell)
        if self._reason:
            tell(self._reason)

    def when_kept(self, tell: Callable[[Evidence], None]) -> None:
        """Call `tell` with each piece of evidence, those that were kept before first."""
        for evidence in self._witness.kept():
            tell(evidence)
        self._shown.append(tell)

    def keep(self, evidence: Evidence) -> None:
        """Keep evidence that does not concern our own signatures."""
        self._witness.keep(evidence, self._clock.now())
        for tell in self._shown:
            tell(evidence)
        _log.error("evidence kept: %s at %d by %s", evidence.kind, evidence.number, evidence.signer.hex()[:16])

    def pull(self, reason: str, evidence: Evidence | None = None) -> None:
        """Keep the evidence, then sign nothing more, across restarts, until a person decides."""
        if evidence is not None:
            self.keep(evidence)
        self._witness.halt(reason, self._clock.now())
        if not self._reason:
            self._reason = reason
            _log.critical("no more signatures: %s", reason)
            for tell in self._told:
                tell(reason)
