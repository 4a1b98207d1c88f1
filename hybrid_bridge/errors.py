"""Errors, by who must act (design D13).

::

    BridgeError
    ├── Malformed   the bytes break the specification      → the sender mends them           exit 2
    ├── Refuted     the bytes contradict one another       → keep them: they are evidence    exit 1
    ├── Undecided   cannot say yet, or with what is here   → retry, or bring what is missing exit 3
    ├── Rejected    a rule of ours says no                 → the caller changes the request  exit 2
    └── Broken      our own state is wrong                 → stop, run fsck                  exit 4

Retry loops catch `Undecided` and nothing else. An error is a noun with typed fields; its text is made once, here.
No field ever holds a key, a document, a salt or a URL.
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from hybrid_bridge.units import Address, Digest


@dataclass(kw_only=True, eq=False)
class BridgeError(Exception):
    """Root of everything this library raises on purpose."""

    exit_code: ClassVar[int] = 4
    cites: ClassVar[str] = ""

    def __post_init__(self) -> None:
        super().__init__(str(self))
        self.reached: tuple[str, ...] = ()  # checks of `verify` that were passed before this one
        self.stopped_at = ""  # the check that failed

    def __str__(self) -> str:
        """Class name, fields, what to do (first line of the class docstring), rule."""
        shown = ", ".join(f"{f.name}={_show(getattr(self, f.name))}" for f in fields(self))
        first = (type(self).__doc__ or "").strip().splitlines()[0]
        cites = f" [{self.cites}]" if self.cites else ""
        return f"{type(self).__name__}({shown}): {first}{cites}"


def _show(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


# ── Malformed: the sender ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(kw_only=True, eq=False)
class Malformed(BridgeError):
    """These bytes break the specification; whoever made them must mend them."""

    exit_code: ClassVar[int] = 2


@dataclass(kw_only=True, eq=False)
class FieldMalformed(Malformed):
    """A field is not what the specification says; `rule` names what it must be."""

    field: str
    rule: str


@dataclass(kw_only=True, eq=False)
class TooLong(Malformed):
    """More than the format allows; refused before it is read."""

    field: str
    limit: int
    got: int


@dataclass(kw_only=True, eq=False)
class TrailingBytes(Malformed):
    """Bytes stand after the end of the value."""

    field: str
    count: int


@dataclass(kw_only=True, eq=False)
class Truncated(Malformed):
    """The value ends before it is complete."""

    field: str
    needed: int
    got: int


@dataclass(kw_only=True, eq=False)
class NotCanonical(Malformed):
    """Readable, but not the one encoding this value has."""

    cites: ClassVar[str] = "SPEC §1"
    field: str


@dataclass(kw_only=True, eq=False)
class DigestLength(Malformed):
    """A hash must have exactly 32 bytes."""

    field: str
    got: int


@dataclass(kw_only=True, eq=False)
class PathLength(Malformed):
    """Index and sizes fix the length of a path; this one has another."""

    cites: ClassVar[str] = "SPEC §2"
    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class SizeOrder(Malformed):
    """Sizes must satisfy 1 <= older <= newer <= 2^53-1."""

    cites: ClassVar[str] = "SPEC §2"
    older: int
    newer: int


@dataclass(kw_only=True, eq=False)
class IndexBeyondSize(Malformed):
    """An index must satisfy 0 <= index < size."""

    cites: ClassVar[str] = "SPEC §2"
    index: int
    size: int


@dataclass(kw_only=True, eq=False)
class RecordMalformed(Malformed):
    """A record has another length than its type."""

    expected: int
    got: int


@dataclass(kw_only=True, eq=False)
class WordMalformed(Malformed):
    """A word of a record is out of range or padded wrongly."""

    cites: ClassVar[str] = "SPEC §7"
    index: int


@dataclass(kw_only=True, eq=False)
class EntriesMalformed(Malformed):
    """A validator entry is malformed, zero or out of order."""

    cites: ClassVar[str] = "SPEC §8.1"
    index: int


@dataclass(kw_only=True, eq=False)
class SealsMalformed(Malformed):
    """The list of signatures and addresses is malformed at this member."""

    index: int


@dataclass(kw_only=True, eq=False)
class EntryMalformed(Malformed):
    """A batch entry breaks the 37-byte layout at this offset."""

    cites: ClassVar[str] = "SPEC §3"
    offset: int


@dataclass(kw_only=True, eq=False)
class TerminalMalformed(Malformed):
    """The end of a registry path does not agree with its key."""

    cites: ClassVar[str] = "SPEC §9.1"


@dataclass(kw_only=True, eq=False)
class SettingsMalformed(Malformed):
    """The configuration file has a wrong, missing or unknown entry; mend `key`."""

    key: str
    rule: str


@dataclass(kw_only=True, eq=False)
class CertificateMalformed(Malformed):
    """A certificate cannot be used for what it was given for; `rule` says what it must be."""

    rule: str


@dataclass(kw_only=True, eq=False)
class EnvelopeUnopenable(Malformed):
    """The envelope was sealed for another key, log or entry, or was changed on the way; seal it again."""

    cites: ClassVar[str] = "SPEC §5"
    length: int


@dataclass(kw_only=True, eq=False)
class AnswerMalformed(Malformed):
    """A server's answer is not what its protocol says; ask another endpoint."""

    endpoint: str
    call: str
    rule: str


# ── Refuted: evidence ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(kw_only=True, eq=False)
class Refuted(BridgeError):
    """Well-formed and false. Keep the bytes: they are the evidence."""

    exit_code: ClassVar[int] = 1


@dataclass(kw_only=True, eq=False)
class RootMismatch(Refuted):
    """The path leads to another root than the attested one."""

    cites: ClassVar[str] = "SPEC §2"
    expected: Digest
    calculated: Digest


@dataclass(kw_only=True, eq=False)
class SetMismatch(Refuted):
    """These validators are not the set that is responsible here."""

    cites: ClassVar[str] = "SPEC §8.1"
    expected: Digest
    calculated: Digest


@dataclass(kw_only=True, eq=False)
class BelowQuorum(Refuted):
    """Fewer validators signed than the quorum rule asks for."""

    cites: ClassVar[str] = "SPEC §8.1"
    needed: int
    got: int


@dataclass(kw_only=True, eq=False)
class SignatureWrong(Refuted):
    """A signature does not verify under the named key."""

    signer: str


@dataclass(kw_only=True, eq=False)
class SignerUnknown(Refuted):
    """A signature recovers to an address outside the responsible set."""

    cites: ClassVar[str] = "SPEC §8.2"
    address: Address


@dataclass(kw_only=True, eq=False)
class NewcomerUnproven(Refuted):
    """A new validator has not proven that it holds its key."""

    validator: Address


@dataclass(kw_only=True, eq=False)
class HeadConflict(Refuted):
    """The public chain already holds another root for this size: two histories exist."""

    size: int
    head: Digest
    root: Digest


@dataclass(kw_only=True, eq=False)
class FieldMismatch(Refuted):
    """Two places that must agree do not."""

    field: str
    expected: str
    got: str


@dataclass(kw_only=True, eq=False)
class Equivocation(Refuted):
    """One key signed two contradicting statements; publish both."""

    signer: str
    number: int
    first: Digest
    second: Digest


@dataclass(kw_only=True, eq=False)
class BlockInvalid(Refuted):
    """The sequencer signed a block that our own rules refuse; keep it, countersign nothing."""

    cites: ClassVar[str] = "SPEC §5"
    height: int
    reason: str


# ── Undecided: retry, or bring what is missing ───────────────────────────────────────────────────────────────────────


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
class Unreachable(Undecided):
    """No answer from this endpoint before the deadline; the request may have taken effect."""

    endpoint: str
    call: str


@dataclass(kw_only=True, eq=False)
class EndpointRefused(Unreachable):
    """The endpoint answered with an error of its own; ask again later, or another one."""

    code: int
    reason: str  # its words, shortened, without addresses


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
    """Another process holds this gas key's lease; stand by or stop it."""

    held: int
    current: int


@dataclass(kw_only=True, eq=False)
class SpendCapped(Undecided):
    """A spending limit of the operator does not allow this transaction now; wait, or raise the limit."""

    rule: str
    limit: int
    needed: int


# ── Rejected: the caller ─────────────────────────────────────────────────────────────────────────────────────────────


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
class Unknown(Rejected):
    """There is no such thing here."""

    what: str


@dataclass(kw_only=True, eq=False)
class GuardRefused(Rejected):
    """The attestation guard refuses to sign: `rule` is double, below_floor, not_an_extension or scope."""

    cites: ClassVar[str] = "SPEC §8.2"
    rule: str
    size: int


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
class TransactionRefused(Rejected):
    """The public chain refused the transaction; `reason` is its class of answer."""

    endpoint: str
    reason: str


# ── Broken: stop ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(kw_only=True, eq=False)
class Broken(BridgeError):
    """Our own state is wrong; stop and run fsck."""


@dataclass(kw_only=True, eq=False)
class StoreBroken(Broken):
    """The store contradicts itself, or was changed by others; restore it or run fsck."""

    store: str
    rule: str


@dataclass(kw_only=True, eq=False)
class PrecompileMissing(Broken):
    """The chain lacks a precompile the contract needs; it is not supported."""

    number: int


@dataclass(kw_only=True, eq=False)
class CodeMismatch(Broken):
    """The code at the contract's address is not the code we know."""

    expected: Digest
    got: Digest


@dataclass(kw_only=True, eq=False)
class SignerLied(Broken):
    """The gas key's signer returned other bytes than asked; `field` differs. Stop using it."""

    field: str


@dataclass(kw_only=True, eq=False)
class KeyUnusable(Broken):
    """A key file is missing, readable by others, or does not fit; mend `key`."""

    key: str
    rule: str
