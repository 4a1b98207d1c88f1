"""How one validator set handed over to the next, as a bundle shows it: the record, and the epoch and note behind it.

The note is of a size that the old set was responsible for, so nobody's word but its own is needed (SPEC §8.1, §11).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hybrid_bridge.core.bundle import ProvenRecord, RotationPart, ValidatorPart
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Term
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorSet, name_text
from hybrid_bridge.errors import NotYet
from hybrid_bridge.node.directory import Directory, Member
from hybrid_bridge.node.governance_shown import governance_tree
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber, Height, LeafIndex, TreeSize


def holders(directory: Directory, validators: ValidatorSet) -> list[Member]:
    """A set's members, in set order.

    Raises:
        NotYet: nobody has shown us the card of one.
    """
    return [directory.holder(entry) for entry in validators.entries]


def validator_parts(members: list[Member]) -> tuple[ValidatorPart, ...]:
    """What opens a set's entries."""
    return tuple(
        ValidatorPart(
            address=member.address or b"",
            name=name_text(member.legal_id, member.legal_name),
            certificate_hash=sha256(member.certificate),
            key_binding=member.key_binding or b"",
            mldsa_key=member.mldsa_key,
        )
        for member in members
    )


class Handovers:
    """Reads one member's stores."""

    def __init__(self, view: View) -> None:
        self._view = view

    def last_size(self, size: TreeSize) -> TreeSize:
        """The last size of which a bundle on the checkpoint of `size` can show the set: handovers lie before it."""
        pending = [(b, a) for b, a in pairwise(self._view.directory.roll.terms) if size < a.first_size]
        records = list(self._view.ledger.governance()) if pending else []
        for before, after in pending:
            if size < before.first_size or self._appointed(after, records).epoch >= size:
                return TreeSize(after.first_size - 1)
        return TreeSize(2**53 - 1)

    def parts(self, size: TreeSize, newest: TreeSize) -> tuple[RotationPart, ...]:
        """Every handover to a set that is responsible for `newest` or an older size, on the checkpoint of `size`.

        Raises:
            NotYet: no note with a quorum covers one here, or a card is not here.
        """
        wanted = [pair for pair in pairwise(self._view.directory.roll.terms) if pair[1].first_size <= newest]
        if not wanted:
            return ()
        records = list(self._view.ledger.governance())
        tree = governance_tree(self._view.directory.log_id, (record for _, _, record in records))
        return tuple(self._part(before, self._appointed(term, records), size, tree) for before, term in wanted)

    def members(self, newest: TreeSize) -> Iterator[Member]:
        """Everybody in a set that is responsible for `newest` or an older size."""
        for term in self._view.directory.roll.terms:
            if term.first_size <= newest:
                yield from holders(self._view.directory, term.validators)

    def _part(self, before: Term, appointed: "_Appointed", size: TreeSize, tree: Tree) -> RotationPart:
        logbook, term, epoch = self._view.logbook, appointed.term, appointed.epoch
        covering = self._covering(TreeSize(max(epoch + 1, before.first_size)), min(term.first_size - 1, size))
        closed = logbook.record(epoch)
        return RotationPart(
            update=appointed.record,
            index=appointed.index,
            path=tuple(tree.inclusion_path(appointed.index, closed.governance_size)),
            epoch=ProvenRecord(
                record=logbook.closed(epoch).record,
                path=tuple(logbook.inclusion_path(LeafIndex(epoch), covering)),
            ),
            note=logbook.note(covering, cosigned=False),
            consistency=tuple(logbook.consistency_path(covering, size)),
            validators=validator_parts(holders(self._view.directory, term.validators)),
        )

    def _covering(self, first: TreeSize, last: int) -> TreeSize:
        """A size of the old set's that covers the record, with a quorum and the log's line here."""
        for number in range(first, last + 1):
            size = TreeSize(number)
            if self._view.epochs.line(size) is not None and self._view.logbook.has_quorum(size):
                return size
        raise NotYet(what=f"a note with a quorum for a size from {first} to {last}")

    def _appointed(self, term: Term, records: Sequence[tuple[int, Height, bytes]]) -> "_Appointed":
        """Where among these the record stands that appointed a set, and the epoch of its block."""
        for index, height, record in records:
            if leaf_hash(record) == term.leaf and (header := self._view.ledger.header(height)) is not None:
                return _Appointed(term, LeafIndex(index), header.epoch, record)
        raise NotYet(what=f"the block that appointed set {term.validators.set_id}")


@dataclass(frozen=True, slots=True)
class _Appointed:
    """A set's term, and the record that appointed it."""

    term: Term
    index: LeafIndex
    epoch: EpochNumber
    record: bytes
