"""Headers that our own engine lacks, since it began with a snapshot: other engines may have them.

What they say is evidence for nobody until it was verified (`node.sourcing`), so any of them may be asked.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from hybrid_bridge.core.cometbft import SignedHeader, ValidatorSet
from hybrid_bridge.errors import AnswerMalformed, Missing, Undecided
from hybrid_bridge.units import Height

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Headers(Protocol):
    """What an engine tells of its chain. `Missing`: from before it began."""

    def signed_header(self, height: Height) -> SignedHeader:
        """A header with the votes for it."""

    def validators(self, height: Height) -> ValidatorSet:
        """The set in charge."""


class Archives:
    """Our own engine first; others for what is older than that."""

    def __init__(self, own: Headers, others: Sequence[Headers]) -> None:
        self._own, self._others = own, others

    def signed_header(self, height: Height) -> SignedHeader:
        """As `Headers`."""
        return self._first(lambda engine: engine.signed_header(height))

    def validators(self, height: Height) -> ValidatorSet:
        """As `Headers`."""
        return self._first(lambda engine: engine.validators(height))

    def _first(self, ask: Callable[[Headers], T]) -> T:
        try:
            return ask(self._own)
        except Missing as error:
            missing = error
        for number, engine in enumerate(self._others):
            try:
                return ask(engine)
            except (Undecided, AnswerMalformed) as error:
                _log.info("engine archive %d has no answer: %s", number, error)
        raise missing
