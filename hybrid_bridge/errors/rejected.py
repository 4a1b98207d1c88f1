"""Rejected: the caller changes the request."""

from dataclasses import dataclass
from typing import ClassVar

from hybrid_bridge.errors.base import BridgeError
from hybrid_bridge.units import Address, Digest, UnixSeconds


@dataclass(kw_only=True, eq=False)
class Rejected(BridgeError):
    """A rule of ours says no; the request must change."""

    exit_code: ClassVar[int] = 2


@dataclass(kw_only=True, eq=False)
class RuleRejected(Rejected):
    """A business rule refuses the transaction; `rule` is its name in SCENARIOS."""

    rule: str
    subject: str


@dataclass(kw_only=True, eq=False)
class AdmissionRejected(Rejected):
    """The submitter or an authoriser is not admitted for this."""

    rule: str


@dataclass(kw_only=True, eq=False)
class SequencerStays(Rejected):
    """Nobody else is known to hold the log's keys: give them to another validator, or found a log that continues this.

    Where no engine orders, the holder is the sequencer and stays.
    """

    cites: ClassVar[str] = "SPEC §7.1"
    name: str


@dataclass(kw_only=True, eq=False)
class CertificateRefused(Rejected):
    """This consortium does not take the certificate: `rule` is issuer, validity, usage or name; bring another."""

    cites: ClassVar[str] = "SPEC §8.1"
    certificate: Digest
    rule: str


@dataclass(kw_only=True, eq=False)
class SequenceRejected(Rejected):
    """The submitter's next transaction must carry this sequence number."""

    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class Expired(Rejected):
    """The transaction may no longer stand in a block; make a new one."""

    expires_epoch: int
    epoch: int


@dataclass(kw_only=True, eq=False)
class NotEntitled(Rejected):
    """This caller may not ask this."""

    caller: str
    call: str


@dataclass(kw_only=True, eq=False)
class CertificateRevoked(Rejected):
    """The consortium's authority has revoked this certificate; its holder asks for another one."""

    serial: str  # hex


@dataclass(kw_only=True, eq=False)
class Unknown(Rejected):
    """There is no such thing here."""

    what: str


@dataclass(kw_only=True, eq=False)
class OtherDocument(Rejected):
    """This file is none of the bundle's documents; the bundle holds. Give the one that has the digest wanted, or none.

    `wanted` names the digests in hex, each with the disclosed field that holds it.
    """

    file: str
    wanted: str
    got: Digest


@dataclass(kw_only=True, eq=False)
class Erased(Rejected):
    """The document of this entry was erased here at this time, and is neither shown nor taken again."""

    cites: ClassVar[str] = "SPEC §5"
    entry_leaf: Digest
    since: UnixSeconds


@dataclass(kw_only=True, eq=False)
class GuardRefused(Rejected):
    """The attestation guard refuses to sign: `rule` is double, below_floor, not_an_extension or scope."""

    cites: ClassVar[str] = "SPEC §8.2"
    rule: str
    size: int


@dataclass(kw_only=True, eq=False)
class StayHalted(Rejected):
    """The relayer stays halted; `rule` is what it wants before it goes on."""

    cites: ClassVar[str] = "RELAYER §4.6"
    rule: str


@dataclass(kw_only=True, eq=False)
class PowerStale(Rejected):
    """The contract waits for another statement: its nonce, or the log's size, moved on; draft and sign anew."""

    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class ChainUnsuitable(Rejected):
    """This public chain cannot carry the contract: `rule` is what it must do (CONTRACT §7); choose another."""

    rule: str


@dataclass(kw_only=True, eq=False)
class WrongChain(Rejected):
    """The endpoint serves another public chain than asked for; nothing was sent. Mend the address or the number."""

    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class UnknownLog(Rejected):
    """The contract knows no log of this id; register it first."""

    log_id: Digest


@dataclass(kw_only=True, eq=False)
class LogFrozen(Rejected):
    """A quorum of this log contradicted itself; it is frozen for good."""

    log_id: Digest


@dataclass(kw_only=True, eq=False)
class LogRetired(Rejected):
    """This log has ended; its successor goes on."""

    successor: Digest


@dataclass(kw_only=True, eq=False)
class RotationPending(Rejected):
    """A rotation is already pending from this size on."""

    from_size: int


@dataclass(kw_only=True, eq=False)
class RotationOutOfRange(Rejected):
    """A rotation must take effect between these sizes."""

    from_size: int
    low: int
    high: int


@dataclass(kw_only=True, eq=False)
class PauseOutOfRange(Rejected):
    """A pause of the contract must end between these times."""

    until: int
    low: int
    high: int


@dataclass(kw_only=True, eq=False)
class PauseTooSoon(Rejected):
    """The guardian has used his half of the time; he may pause again at this time."""

    not_before: int


@dataclass(kw_only=True, eq=False)
class NotGuardian(Rejected):
    """Only the log's guardian may pause alone."""

    caller: Address


@dataclass(kw_only=True, eq=False)
class NotPaused(Rejected):
    """There is no pause to resume from."""


@dataclass(kw_only=True, eq=False)
class SuccessorMismatch(Rejected):
    """The successor's genesis record does not continue this log's head; write one that does."""

    expected: Digest
    got: Digest


@dataclass(kw_only=True, eq=False)
class NoConflict(Rejected):
    """The two statements do not contradict one another; there is nothing to report."""


@dataclass(kw_only=True, eq=False)
class TransactionRefused(Rejected):
    """The public chain refused the transaction; `reason` is its class of answer."""

    endpoint: str
    reason: str
