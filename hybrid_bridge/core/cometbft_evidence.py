"""Consensus evidence of a CometBFT ledger: what a bundle carries as source evidence `cometbft/1`, and what it proves.

The ledger id in the genesis record commits to the first validators; from them the history is walked to the blocks that
are shown. `last` is the block that the epoch record names; each execution shows one transaction in its block, and with
the block after it what became of it. Source: SPEC §5, §11.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from hybrid_bridge.core.cometbft import (
    COMMITTED,
    FLAGS,
    MAX_TOTAL_POWER,
    MAX_VALIDATORS,
    SECP256K1,
    BlockId,
    Commit,
    Header,
    SignedHeader,
    Timestamp,
    Validator,
    ValidatorSet,
    Vote,
)
from hybrid_bridge.core.cometbft_history import Handover, History, Result, result_root, transaction_root, walk
from hybrid_bridge.core.cometbft_seats import Binding, Holders, holders_of, require_named, require_told, signers_of
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import Json, Writer, b64u, canonical_json, context, parse_canonical_json, sha256
from hybrid_bridge.core.epoch import EpochRecord, epoch_of
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.proof import MAX_INCLUSION_PATH
from hybrid_bridge.core.shape import Codec, array, literal, octets, record, text, uint
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RootMismatch
from hybrid_bridge.units import MAX_U64, Digest, Height, KeyId, LeafIndex, TreeSize, UnixSeconds

TYPE: Final = "cometbft/1"
MAX_EVIDENCE: Final = 1 << 20  # bytes
MAX_HANDOVERS: Final = 256
MAX_EXECUTIONS: Final = 64
MAX_BINDINGS: Final = 512  # a member's keys of all time, of at most 64 validators at a time


@dataclass(frozen=True, slots=True)
class LedgerState:
    """What the application hash commits to: order and codes, governance, and every value the state machine wrote."""

    chain: bytes
    governance_size: int
    governance_root: bytes
    writes: bytes

    @property
    def hash(self) -> Digest:
        """H(CTX("engine-state") ‖ chain ‖ u64 governanceSize ‖ governanceRoot ‖ writes) (SPEC §5)."""
        writer = Writer(context("engine-state")).b32(self.chain, "chain").u64(self.governance_size, "governance_size")
        return sha256(writer.b32(self.governance_root, "governance_root").b32(self.writes, "writes").bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a transaction, bound by the header of the block after its own."""

    following: SignedHeader
    code: int
    path: tuple[Digest, ...]
    state: LedgerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A transaction's place in its block; without an outcome its order is shown, and no more."""

    block: SignedHeader
    index: LeafIndex
    count: TreeSize
    path: tuple[Digest, ...]
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the evidence of one epoch proves."""

    history: History
    holders: Holders
    signers: tuple[KeyId, ...]  # of the last block, as far as bindings are shown
    has_outcomes: bool  # of every transaction; else their order alone is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CometbftEvidence:
    """All of it, for one epoch. `executions` stand in the order in which the bundle shows the transactions.

    `bindings` say whose the keys are; None where nothing does: then no set may follow the first.
    """

    chain_id: str
    first: ValidatorSet
    handovers: tuple[Handover, ...]
    last: SignedHeader
    executions: tuple[Execution, ...]
    bindings: tuple[Binding, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse what has a shorter spelling.

        Raises:
            FieldMalformed: bindings, and none.
        """
        if self.bindings == ():
            raise FieldMalformed(field="bindings", rule="left out if there are none")

    def encode(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(_EVIDENCE.write(self))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`.

        Raises:
            Malformed: not canonical, not of this shape, too long, or a value is out of range.
        """
        evidence: Self = _EVIDENCE.parse(parse_canonical_json(data, "source evidence", MAX_EVIDENCE), "source evidence")
        return evidence

    @property
    def signatures(self) -> int:
        """How many must be checked, at most."""
        headers = [handover.signed for handover in self.handovers] + [self.last]
        for execution in self.executions:
            headers += [execution.block] + ([] if execution.outcome is None else [execution.outcome.following])
        return sum(vote.flag == COMMITTED for signed in headers for vote in signed.commit.votes)

    @property
    def heights(self) -> list[Height]:
        """Of every header shown of the epoch's blocks and of the one behind each."""
        followed = [execution.outcome.following for execution in self.executions if execution.outcome is not None]
        headers = [self.last, *(execution.block for execution in self.executions), *followed]
        return [signed.header.height for signed in headers]

    def verify(self, genesis: Genesis, epoch: EpochRecord, transactions: Sequence[bytes]) -> Consensus:
        """What the engine's validators decided, once all that is shown is true.

        NOT CHECKED HERE: that each set of the engine is one of the log, for which see `cometbft_seats.is_tied`.

        Args:
            genesis: the log's genesis record, already believed.
            epoch: the epoch's record, already believed.
            transactions: signed bytes of those that the bundle shows in this epoch, each accepted.

        Raises:
            FieldMismatch: another ledger, block, epoch, place or code than these say; a vote that is no member's.
            RootMismatch: a transaction, result or state that a header does not bind.
            Refuted: a header that the set in charge did not sign.
        """
        _require_equal("ledger id", genesis.ledger_id.hex(), ledger_id(self.chain_id, self.first).hex())
        history = walk(self.chain_id, genesis.first_block, self.first, self.handovers)
        holders = holders_of(self.bindings or (), epoch)
        require_named(history, holders)
        require_told(history, epoch)
        self._verify_last(history, genesis, epoch)
        _require_equal("executions", str(len(transactions)), str(len(self.executions)))
        for transaction, execution in zip(transactions, self.executions, strict=True):
            _verify_execution(history, epoch, transaction, execution)
        has_outcomes = all(execution.outcome is not None for execution in self.executions)
        return Consensus(history, holders, signers_of(history, holders, self.last), has_outcomes)

    def _verify_last(self, history: History, genesis: Genesis, epoch: EpochRecord) -> None:
        header = self.last.header
        history.verify(self.last)
        _require_equal("last block", epoch.last_block_hash.hex(), header.hash.hex())
        _require_equal("height of the last block", str(epoch.end_block - 1), str(header.height))
        at = UnixSeconds(header.time.seconds)
        _require_equal("epoch of the last block", str(epoch.epoch), str(epoch_of(genesis, at)))


def _verify_execution(history: History, epoch: EpochRecord, transaction: bytes, execution: Execution) -> None:
    header = execution.block.header
    history.verify(execution.block)
    if not epoch.first_block <= header.height < epoch.end_block:
        expected = f"from {epoch.first_block}, below {epoch.end_block}"
        raise FieldMismatch(field="height of the transaction", expected=expected, got=str(header.height))
    root = transaction_root(transaction, execution.index, execution.count, execution.path)
    _require_root(header.data_hash, root)
    outcome = execution.outcome
    if outcome is None:
        return
    following = outcome.following.header
    history.verify(outcome.following)
    _require_equal("block before the outcome", header.hash.hex(), following.last_block_id.hash.hex())
    _require_root(
        following.last_results_hash, result_root(Result(outcome.code), execution.index, execution.count, outcome.path)
    )
    _require_equal("code", "0", str(outcome.code))
    _require_root(following.app_hash, outcome.state.hash)


def ledger_id(chain_id: str, first: ValidatorSet) -> Digest:
    """H(CTX("ledger") ‖ "cometbft/1" ‖ 00 ‖ chain id ‖ 00 ‖ u16 n ‖ n compressed keys, ascending) (SPEC §5).

    Raises:
        FieldMalformed: a validator whose key is no secp256k1 key, or whose power is not 1.
    """
    if any(validator.kind != SECP256K1 or validator.power != 1 for validator in first.validators):
        raise FieldMalformed(field="validators", rule="secp256k1 keys of power 1")
    keys = sorted(validator.key for validator in first.validators)
    named = TYPE.encode() + b"\0" + chain_id.encode() + b"\0"
    return sha256(context("ledger") + named + len(keys).to_bytes(2, "big") + b"".join(keys))


def _require_equal(field: str, expected: str, got: str) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=expected, got=got)


def _require_root(expected: bytes, calculated: Digest) -> None:
    if expected != calculated:
        raise RootMismatch(expected=Digest(expected), calculated=calculated)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HASH: Final = octets(32)
_PATH: Final = array(_HASH, MAX_INCLUSION_PATH)
_MOMENT: Final = re.compile(r"(0|-?[1-9][0-9]{0,11})\.([0-9]{9})", re.ASCII)


def _time(value: Json, field: str) -> Timestamp:
    """Seconds, a point, nine digits: text, since the time of an absent vote lies in the year 1."""
    found = _MOMENT.fullmatch(text(23).parse(value, field))
    if found is None:
        raise FieldMalformed(field=field, rule="seconds, a point and nine digits")
    return Timestamp(int(found[1]), int(found[2]))


_TIME: Final = Codec(_time, lambda time: f"{time.seconds}.{time.nanos:09}")
_BLOCK_ID: Final = record(BlockId, {"hash": octets(None, 32), "parts": uint(2**32 - 1), "parts_hash": octets(None, 32)})
_HEADER: Final = record(
    Header,
    {
        "block_version": uint(),
        "app_version": uint(),
        "chain_id": text(50),
        "height": uint(),
        "time": _TIME,
        "last_block_id": _BLOCK_ID,
        "last_commit_hash": _HASH,
        "data_hash": _HASH,
        "validators_hash": _HASH,
        "next_validators_hash": _HASH,
        "consensus_hash": _HASH,
        "app_hash": octets(None, 64),
        "last_results_hash": _HASH,
        "evidence_hash": _HASH,
        "proposer_address": octets(20),
    },
)


def _flag(value: Json, field: str) -> int:
    flag = uint(max(FLAGS)).parse(value, field)
    if flag not in FLAGS:
        raise FieldMalformed(field=field, rule="1, 2 or 3")
    return flag


_FLAG: Final = Codec(_flag, lambda flag: flag)
_VOTE: Final = record(Vote, {"flag": _FLAG, "time": _TIME, "signature": octets(None, 64)})
_COMMIT: Final = record(
    Commit, {"round": uint(2**31 - 1), "block_id": _BLOCK_ID, "votes": array(_VOTE, MAX_VALIDATORS)}
)
_SIGNED: Final = record(SignedHeader, {"header": _HEADER, "commit": _COMMIT})
_VALIDATOR: Final = record(
    Validator,
    {
        "kind": literal("ed25519", SECP256K1),
        "key": octets(None, 33),
        "power": uint(min(MAX_TOTAL_POWER, MAX_U64)),
    },
)
_SET: Final = record(ValidatorSet, {"validators": array(_VALIDATOR, MAX_VALIDATORS)})
_STATE: Final = record(
    LedgerState, {"chain": _HASH, "governance_size": uint(), "governance_root": _HASH, "writes": _HASH}
)
_OUTCOME: Final = record(Outcome, {"following": _SIGNED, "code": uint(2**16 - 1), "path": _PATH, "state": _STATE})
_EXECUTION: Final = record(
    Execution, {"block": _SIGNED, "index": uint(), "count": uint(), "path": _PATH}, {"outcome": _OUTCOME}
)
_BOUND: Final = Codec(
    lambda value, field: ConsensusKey.decode(octets(288).parse(value, field)), lambda bound: b64u(bound.encode())
)
_EVIDENCE: Final[Codec[Any]] = record(
    CometbftEvidence,
    {
        "chain_id": text(50),
        "first": _SET,
        "handovers": array(record(Handover, {"signed": _SIGNED, "following": _SET}), MAX_HANDOVERS),
        "last": _SIGNED,
        "executions": array(_EXECUTION, MAX_EXECUTIONS),
    },
    {"bindings": array(record(Binding, {"index": uint(), "record": _BOUND, "path": _PATH}), MAX_BINDINGS)},
)
