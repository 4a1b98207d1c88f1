"""Undecided: retry, or bring what is missing."""

from dataclasses import dataclass
from typing import ClassVar

from hybrid_bridge.errors.base import BridgeError


@dataclass(kw_only=True, eq=False)
class Undecided(BridgeError):
    """Nothing is known to be wrong; something is missing or not there yet."""

    exit_code: ClassVar[int] = 3


@dataclass(kw_only=True, eq=False)
class Missing(Undecided):
    """The check needs something that was not given; bring `what`."""

    what: str


@dataclass(kw_only=True, eq=False)
class NotYet(Undecided):
    """Not there yet; ask again later."""

    what: str


@dataclass(kw_only=True, eq=False)
class StateForgotten(NotYet):
    """This endpoint no longer keeps the state of that public block; ask for a newer one, or ask an archive node."""

    endpoint: str


@dataclass(kw_only=True, eq=False)
class Unreachable(Undecided):
    """No answer from this endpoint before the deadline; the request may have taken effect."""

    endpoint: str
    call: str


@dataclass(kw_only=True, eq=False)
class TooManyCalls(Undecided):
    """This caller has so many calls at work here; ask again when one has ended."""

    limit: int


@dataclass(kw_only=True, eq=False)
class Throttled(Undecided):
    """This caller has used its part of `limit` (a class of calls, the pool, an epoch); nothing was done, ask later."""

    limit: str
    retry_after: int  # milliseconds; more may still wait by then


@dataclass(kw_only=True, eq=False)
class RevocationsStale(Undecided):
    """A revocation list has ended, and the settings want a current one; bring the authority's newest."""

    since: int


@dataclass(kw_only=True, eq=False)
class EndpointRefused(Unreachable):
    """The endpoint answered with an error of its own; ask again later, or another one."""

    code: int
    reason: str  # its words, shortened, without addresses


@dataclass(kw_only=True, eq=False)
class AnswerAstray(Unreachable):
    """What came names another question, or none: no answer to ours, which may have taken effect; ask again later."""


@dataclass(kw_only=True, eq=False)
class FarSideBroken(Undecided):
    """This endpoint says that its own state is wrong; ask another, and tell its operator."""

    endpoint: str
    call: str
    error: str


@dataclass(kw_only=True, eq=False)
class TimestampAhead(Undecided):
    """The checkpoint's time lies ahead of the public clock; wait."""

    timestamp: int
    public_time: int


@dataclass(kw_only=True, eq=False)
class ClockBehind(Undecided):
    """This machine's clock is behind the public chain's time; set it (NTP), then start again."""

    seconds: int
    public_block: int


@dataclass(kw_only=True, eq=False)
class LogPaused(Undecided):
    """Anchoring is paused by the brake until this time."""

    until: int


@dataclass(kw_only=True, eq=False)
class StaleHead(Undecided):
    """The head moved before this update; make the path from the new head."""

    head_size: int
    from_size: int


@dataclass(kw_only=True, eq=False)
class LeaseLost(Undecided):
    """Another process holds the lease of this gas key or store; stand by or stop it."""

    held: int
    current: int


@dataclass(kw_only=True, eq=False)
class StoreAway(Undecided):
    """The server of our own store cannot do this now; nothing was changed, ask again."""

    store: str
    why: str


@dataclass(kw_only=True, eq=False)
class StoreInUse(Undecided):
    """A store is used by one program at a time, and another has it now; nothing is lost: stop that one, call again."""

    store: str


@dataclass(kw_only=True, eq=False)
class SpendCapped(Undecided):
    """A spending limit of the operator does not allow this transaction now; wait, or raise the limit."""

    rule: str
    limit: int
    needed: int
