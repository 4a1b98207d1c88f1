"""Whose the keys of a CometBFT chain are, and which set of the log each set of the engine is. Offline and pure.

The engine's set is the log's: the members of the responsible validator set, each with the consensus key that a
governance record binds to its identity key (SPEC §7.3, §8.1). Here the one is read off the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hybrid_bridge.core.cometbft import COMMITTED, SECP256K1, SignedHeader, ValidatorSet
from hybrid_bridge.core.cometbft_history import History
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.epoch import EpochRecord
from hybrid_bridge.core.proof import inclusion_root, leaf_hash
from hybrid_bridge.errors import FieldMalformed, FieldMismatch, RootMismatch
from hybrid_bridge.units import Digest, Height, KeyId, LeafIndex, TreeSize

Holders: TypeAlias = Mapping[bytes, KeyId]  # whose a consensus key is
Seats: TypeAlias = frozenset[KeyId]  # the identity keys of a set


@dataclass(frozen=True, slots=True)
class Binding:
    """A ConsensusKey record, and its path in the governance tree of an epoch."""

    index: LeafIndex
    record: ConsensusKey
    path: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A validator set of the log: the first size it is responsible for, and who sits in it, as far as that is shown."""

    first_size: TreeSize
    seats: Seats | None  # None: not every certificate is shown


@dataclass(frozen=True, slots=True)
class Before:
    """The epoch before the one shown: its set, and how many blocks it has."""

    seats: Seats | None  # None: not every certificate is shown
    blocks: int | None  # None: its record is not shown


def holders_of(bindings: Sequence[Binding], epoch: EpochRecord) -> Holders:
    """Whose the keys are, by records that stand in the epoch's governance tree.

    Raises:
        FieldMalformed: indices that do not ascend.
        FieldMismatch: a record of another log, or a key of two members.
        RootMismatch, Malformed: a record that does not stand there.
    """
    holders: dict[bytes, KeyId] = {}
    before = -1
    for binding in bindings:
        record = binding.record
        if binding.index <= before:
            raise FieldMalformed(field="bindings", rule="strictly ascending by index")
        before = binding.index
        _require("binding.log_id", epoch.log_id, record.log_id)
        root = inclusion_root(leaf_hash(record.encode()), binding.index, epoch.governance_size, binding.path)
        if root != epoch.governance_root:
            raise RootMismatch(expected=epoch.governance_root, calculated=root)
        _require("holder of a consensus key", holders.setdefault(record.key, record.key_id), record.key_id)
    return holders


def seats_of(validators: ValidatorSet, holders: Holders) -> Seats | None:
    """Who votes in a set of the engine; None if a record is missing.

    Raises:
        FieldMismatch: a vote that the log gives nobody: of another kind or power, or a second one of a member.
    """
    found = [holders.get(validator.key) for validator in validators.validators]
    seats = frozenset(key for key in found if key is not None)
    if len(seats) < len(found):
        if None in found:
            return None
        raise FieldMismatch(field="engine's validators", expected="one vote a member", got=f"{len(found)} votes")
    if any(validator.kind != SECP256K1 or validator.power != 1 for validator in validators.validators):
        raise FieldMismatch(field="engine's validators", expected="secp256k1 keys of power 1", got="another vote")
    return seats


def require_named(history: History, holders: Holders) -> None:
    """Every vote behind the first set's is a member's, by a record that is shown.

    Raises:
        FieldMismatch: it is not.
    """
    for _, validators in history.periods[1:]:
        if seats_of(validators, holders) is None:
            got = next(one.key.hex() for one in validators.validators if one.key not in holders)
            raise FieldMismatch(field="consensus key", expected="a member's by a governance record", got=got)


def require_told(history: History, epoch: EpochRecord) -> None:
    """Within the epoch, the engine's set changes by its first block alone: the next header names it (SPEC §8.1).

    Raises:
        FieldMismatch: it changes elsewhere.
    """
    for start, _ in history.periods[1:]:
        told = start - 2  # its effect begins two blocks later
        if epoch.first_block < told < epoch.end_block:
            raise FieldMismatch(field="block of a change", expected=str(epoch.first_block), got=str(told))


# ── which set of the log ─────────────────────────────────────────────────────────────────────────────────────────────


def is_tied(history: History, holders: Holders, sizes: Sequence[int], terms: Sequence[Term]) -> bool:
    """Whether each set of the engine is a set of the log: the first the first, each later one none before its turn.

    Args:
        history: walked from genesis.
        holders: whose the keys are.
        sizes: for each change, size of the checkpoint that the epoch of its header closes: no later set is due.
        terms: the log's sets from the first on.

    Returns:
        False where a certificate or a record is missing that would tell.

    Raises:
        FieldMismatch: one that is none of them, or out of turn.
    """
    at, known = 0, True
    for (start, validators), size in zip(history.periods, (terms[0].first_size, *sizes), strict=True):
        seats = seats_of(validators, holders)
        due = [k for k in range(at, len(terms)) if terms[k].first_size <= size]
        found = next((k for k in due if seats is not None and terms[k].seats == seats), None)
        if found is not None:
            at = found
        elif seats is None or any(terms[k].seats is None for k in due):
            known = False
        else:
            raise FieldMismatch(
                field=f"engine's validators from block {start} on",
                expected="a set of the log in its turn",
                got="others",
            )
    return known


def is_own(
    history: History, holders: Holders, heights: Sequence[Height], epoch: EpochRecord, own: Seats, *, before: Before
) -> bool:
    """Whether each header is signed by the set that votes at its height, and no older one.

    An epoch's set votes from the third block of the epoch on; in the first two still does the set of the last epoch
    whose first block lies two blocks back: the one before, if it has so many blocks (SPEC §8.1).

    Args:
        history: walked from genesis.
        holders: whose the keys are.
        heights: of the headers, none before the epoch.
        epoch: whose blocks they are, or which the block behind them follows.
        own: the epoch's set.
        before: the epoch before it.

    Returns:
        False where an older set signs one of the first two blocks, and it is not shown that it could not.

    Raises:
        FieldMismatch: another set signs than can.
    """
    known = True
    for height in heights:
        lacking = epoch.first_block + 2 - height  # blocks that lie between the first one of its set's epoch and here
        seats, expected = seats_of(history.in_charge(height), holders), own if lacking <= 0 else before.seats
        if seats is None or expected is None:
            known = False
        elif seats != expected:
            if lacking > 0 and (before.blocks is None or before.blocks < lacking):
                known = False
                continue
            its = f"the log's set of epoch {epoch.epoch if lacking <= 0 else epoch.epoch - 1}"
            raise FieldMismatch(field=f"engine's validators at block {height}", expected=its, got="others")
    return known


def signers_of(history: History, holders: Holders, signed: SignedHeader) -> tuple[KeyId, ...]:
    """Whose votes stand under a header, in the engine's order, as far as that is known."""
    slots = zip(history.in_charge(signed.header.height).validators, signed.commit.votes, strict=True)
    voted = [validator.key for validator, vote in slots if vote.flag == COMMITTED]
    return tuple(holders[key] for key in voted if key in holders)


def _require(field: str, expected: bytes, got: bytes) -> None:
    if expected != got:
        raise FieldMismatch(field=field, expected=expected.hex(), got=got.hex())
