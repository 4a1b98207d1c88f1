"""Which validators a CometBFT chain had when, and what one of its headers binds. Offline and pure.

Trust starts at genesis: from the first set on, each change is named by a header that the set before it signed.
Source: CometBFT v0.38, spec/light-client/verification and spec/core/data_structures.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_bridge.core import protobuf as pb
from hybrid_bridge.core.cometbft import SignedHeader, ValidatorSet
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.proof import inclusion_root, leaf_hash
from hybrid_bridge.errors import FieldMismatch, SetMismatch
from hybrid_bridge.units import Digest, Height, LeafIndex, TreeSize


@dataclass(frozen=True, slots=True)
class Handover:
    """A header whose next validators are others, and who they are."""

    signed: SignedHeader
    following: ValidatorSet


@dataclass(frozen=True, slots=True)
class History:
    """Every validator set from genesis on, and from which height each is in charge."""

    chain_id: str
    periods: tuple[tuple[Height, ValidatorSet], ...]

    def verify(self, signed: SignedHeader) -> None:
        """Return if the set in charge at its height signed this header of this chain.

        Raises:
            FieldMismatch: another chain, or a height before the first.
            Refuted: as `SignedHeader.verify`.
        """
        header = signed.header
        if header.chain_id != self.chain_id:
            raise FieldMismatch(field="chain_id", expected=self.chain_id, got=header.chain_id)
        signed.verify(self.in_charge(header.height))

    def in_charge(self, height: Height) -> ValidatorSet:
        """The set that signs at a height.

        Raises:
            FieldMismatch: before the first.
        """
        found = [validators for start, validators in self.periods if start <= height]
        if not found:
            raise FieldMismatch(field="height", expected=f"from {self.periods[0][0]}", got=str(height))
        return found[-1]


def walk(chain_id: str, initial_height: Height, first: ValidatorSet, handovers: Sequence[Handover]) -> History:
    """The history from the set at genesis: each change is named by a header that the set before it signed.

    Headers without a change are not needed: a set stays in charge until a signed header names another one.

    Raises:
        FieldMismatch: another chain, or heights that do not rise.
        SetMismatch: a header names another next set than the one that is shown.
        Refuted: as `SignedHeader.verify`.
    """
    history = History(chain_id, ((initial_height, first),))
    for handover in handovers:
        header, start = handover.signed.header, history.periods[-1][0]
        if header.height < start:
            raise FieldMismatch(field="height", expected=f"from {start}", got=str(header.height))
        history.verify(handover.signed)
        if handover.following.hash != header.next_validators_hash:
            raise SetMismatch(expected=Digest(header.next_validators_hash), calculated=handover.following.hash)
        history = History(chain_id, (*history.periods, (Height(header.height + 1), handover.following)))
    return history


# ── what a header binds ──────────────────────────────────────────────────────────────────────────────────────────────


def transaction_root(transaction: bytes, index: LeafIndex, count: TreeSize, path: Sequence[Digest]) -> Digest:
    """The `data_hash` in whose block the transaction stands at `index`: a leaf's data is the transaction's hash.

    Raises:
        Malformed: as `inclusion_root`.
    """
    return inclusion_root(leaf_hash(sha256(transaction)), index, count, path)


@dataclass(frozen=True, slots=True)
class Result:
    """What a block's `ExecTxResult` binds of one transaction; log, info and events are under no hash."""

    code: int
    data: bytes = b""
    gas_wanted: int = 0
    gas_used: int = 0

    def encode(self) -> bytes:
        """A leaf's data."""
        gas = pb.number(5, self.gas_wanted) + pb.number(6, self.gas_used)
        return pb.number(1, self.code) + pb.octets(2, self.data) + gas


def result_root(result: Result, index: LeafIndex, count: TreeSize, path: Sequence[Digest]) -> Digest:
    """The `last_results_hash` of the *next* header, if the transaction at `index` had this result.

    Raises:
        Malformed: as `inclusion_root`.
    """
    return inclusion_root(leaf_hash(result.encode()), index, count, path)
