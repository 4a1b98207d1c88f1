"""A ledger that was taken from a snapshot signs nothing before others' signatures have shown that it is theirs.

The application hash, which the engine's validators signed, binds order, codes and every value written. It does not bind
times within an epoch, empty blocks, and what the engine calls a block. So, beside it: q − 1 other validators (with us a
quorum; q, if we are none) have countersigned a block of ours at or above the snapshot, whose hash reaches back to the
first; and as many have attested a checkpoint of ours that covers it, whose records hold the engine's hashes. At least
one of so many is honest (ADR 13). If more than may be faulty say something else, the ledger is false: no signature,
and a person looks.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.node.submitting import Submitter
from hybrid_bridge.node.syncing import read_mark, remove_mark
from hybrid_bridge.node.view import View
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, EpochNumber, Height, KeyId, TreeSize

PAUSE: Final = 1.0  # seconds between two looks
REMINDER: Final = 30  # looks between two lines in the log
LOOKED: Final = 64  # newest checkpoints that are looked at
FALSE: Final = "the ledger that was taken from a snapshot is not the one that others signed"

_log = logging.getLogger(__name__)


class Proving:
    """What others' signatures say of a ledger that nobody here has watched grow."""

    def __init__(self, view: View, taken: Height) -> None:
        """`taken`: the height of the snapshot."""
        self._view, self._taken, self._directory = view, taken, view.directory

    def is_proven(self) -> bool:
        """Whether enough others signed blocks and records of ours."""
        newest = self._view.logbook.size
        names = self._names(self._directory.responsible(newest))
        keys = [key for name in names for key in self._directory.key_ids(name)]
        return self._are_enough(self._view.witness.agreed(keys, self._taken), newest) and any(
            self._are_enough(self._view.epochs.signatures(size, self._view.logbook.root(size)), size)
            for size in self._covering()
        )

    def is_false(self) -> bool:
        """Whether more than may be faulty signed other blocks or other records."""
        validators = self._directory.responsible(self._view.logbook.size)
        signed = self._others((evidence.signer for evidence in self._view.witness.kept()), validators)
        return len(signed) > len(validators.addresses) - validators.quorum

    def _are_enough(self, signers: Iterable[bytes], size: TreeSize) -> bool:
        """Whether, with us if we are one, they are a quorum of the set responsible for this size."""
        validators = self._directory.responsible(size)
        return len(self._others(signers, validators)) >= self.needed(validators)

    def needed(self, validators: ValidatorSet) -> int:
        """How many others of a set must have signed: with us, if we attest in it, they are a quorum."""
        return validators.quorum - any(address in validators.addresses for address in self._view.addresses)

    def _others(self, signers: Iterable[bytes], validators: ValidatorSet) -> set[str]:
        """Other validators of this set among them."""
        return ({self._name_of(signer) for signer in signers} & self._names(validators)) - {self._view.name}

    def _names(self, validators: ValidatorSet) -> set[str]:
        """Of those whose cards we have."""
        found = map(self._directory.by_address, validators.addresses)
        return {member.name for member in found if member is not None}

    def _name_of(self, signer: bytes) -> str:
        """Whose identity key or attestation key it is; empty for a stranger's."""
        member = self._directory.by_address(Address(signer))
        return member.name if member is not None else self._directory.name_of(KeyId(signer)) or ""

    def _covering(self) -> Iterable[TreeSize]:
        """The newest checkpoints of ours that cover the snapshot, newest first."""
        newest = self._view.logbook.size
        for number in range(newest, max(newest - LOOKED, 1), -1):
            if self._view.logbook.record(EpochNumber(number - 1)).end_block <= self._taken:
                return
            yield TreeSize(number)


class ProvenFirst:
    """A promise names a block and its time: until ours are proven, other validators promise."""

    def __init__(self, own: Submitter, others: Submitter, folder: Path) -> None:
        self._own, self._others, self._folder = own, others, folder

    def submit(self, signed: Sequence[bytes]) -> list[pb.SubmitResult]:
        """See `Submitter`."""
        return (self._own if read_mark(self._folder) is None else self._others).submit(signed)


def prove(view: View, folder: Path) -> bool:
    """Wait until the ledger is proven; at once where none was taken. False: nothing may be signed."""
    mark = read_mark(folder)
    if mark is None:
        return True
    proving, looks = Proving(view, mark.taken), 0
    while not view.progress.stopping:
        if proving.is_proven():
            remove_mark(folder)
            # Durable: a member like the others. Dead before? Proven again.
            view.brake.release()
            _log.info("others have signed the ledger that was taken up to block %d", mark.taken)
            return True
        if proving.is_false():
            view.brake.pull(FALSE)
            return False
        if looks % REMINDER == 0:
            _log.warning("nothing is signed yet: too few others have signed the ledger that was taken")
        looks += 1
        view.progress.wait(lambda: False, PAUSE)
    return False
