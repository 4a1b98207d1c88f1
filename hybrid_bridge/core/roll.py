"""The roll: what the governance records say of who may attest from which size, and whose certificate is whose.

A fold over the records in their order, for whoever has them all. Roles are not here: they depend on the epoch and are
a matter of the state (`business.membership`). Source: SPEC §7.3, §8.1.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Final, Self

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.governance import MemberUpdate, SetUpdate, decode_governance
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.units import MAX_U64, Address, Digest, EpochNumber, KeyId, SetId, TreeSize

FIRST_SIZE: Final = TreeSize(1)


@dataclass(frozen=True, slots=True)
class Term:
    """A validator set, the first size it is responsible for, and what it commits its shared secret to."""

    first_size: TreeSize
    validators: ValidatorSet
    decoy_key_hash: Digest
    leaf: Digest | None = None  # of the record that appointed it; None for set 1


@dataclass(frozen=True, slots=True)
class Named:
    """A card that a record named: whose, from when it counts, and by which record."""

    key_id: KeyId
    card_hash: Digest
    from_epoch: EpochNumber
    leaf: Digest
    counts: bool = True  # False: another record of the key took its place before it counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Every set so far, and for each identity key the certificate that it was named with last."""

    terms: tuple[Term, ...]  # ascending, the first from size 1 on
    owners: Mapping[Digest, KeyId] = field(default_factory=dict)  # by certificate hash, of every certificate ever named
    certificates: Mapping[KeyId, Digest] = field(default_factory=dict)  # the newest of each, in the order of arrival
    named: tuple[Named, ...] = ()  # in the order of the ledger, also those that never count

    @classmethod
    def founded(cls, validators: ValidatorSet, decoy_key_hash: Digest, owners: Mapping[Digest, KeyId]) -> Self:
        """Before any record: set 1, and the founders' certificates."""
        return cls(terms=(Term(FIRST_SIZE, validators, decoy_key_hash),), owners=dict(owners))

    def extended(self, records: Iterable[bytes], epochs: Iterable[int] | None = None) -> Self:
        """The roll after more records.

        A set that was replaced before it took charge is as if it had never been named. A card whose record was before
        it counted never counts; but a set may sit by it, so it is known.

        Args:
            records: in the order of the ledger.
            epochs: of their blocks; without them every card is taken for one that has counted.

        Raises:
            Malformed, SetMismatch: one is no governance record.
        """
        terms, owners = [*self.terms], dict(self.owners)
        certificates, named = dict(self.certificates), [*self.named]
        for data, epoch in zip(records, repeat(MAX_U64) if epochs is None else epochs, strict=False):
            record = decode_governance(data)
            if isinstance(record, SetUpdate):
                terms = [term for term in terms if term.leaf != record.replaces]
                terms.append(
                    Term(record.effective_from_size, record.validators, record.decoy_key_hash, leaf_hash(data))
                )
            elif isinstance(record, MemberUpdate):
                owners[record.certificate_hash] = record.key_id
                certificates[record.key_id] = record.certificate_hash
                named = [
                    replace(one, counts=False) if one.leaf == record.replaces and one.from_epoch > epoch else one
                    for one in named
                ]
                if record.card_hash != ZERO:
                    named.append(Named(record.key_id, record.card_hash, record.from_epoch, leaf_hash(data)))
        return replace(self, terms=tuple(terms), owners=owners, certificates=certificates, named=tuple(named))

    @property
    def cards(self) -> tuple[Named, ...]:
        """Those that count, now or later."""
        return tuple(one for one in self.named if one.counts)

    def cards_of(self, key_id: KeyId, epoch: int) -> list[Named]:
        """The cards of an identity key that count by this epoch, the newest first: the ledger's order decides."""
        return [one for one in reversed(self.cards) if one.key_id == key_id and one.from_epoch <= epoch]

    def term(self, size: int) -> Term:
        """The set responsible for a checkpoint of this size: size decides, never a clock (SPEC §8.1)."""
        return [term for term in self.terms if term.first_size <= max(size, FIRST_SIZE)][-1]

    def term_of(self, set_id: SetId) -> Term | None:
        """A set by its number."""
        return next((term for term in self.terms if term.validators.set_id == set_id), None)

    def end(self, term: Term) -> TreeSize | None:
        """The first size of the set after this one; None while there is none."""
        following = [other.first_size for other in self.terms if other.first_size > term.first_size]
        return following[0] if following else None

    def sizes_of(self, address: Address, after: int, last: TreeSize) -> Iterator[TreeSize]:
        """The sizes after + 1 … last of which this key is a validator, ascending."""
        for term in self.terms:
            if address in term.validators.addresses:
                end = self.end(term)
                stop = last + 1 if end is None else min(end, last + 1)
                yield from map(TreeSize, range(max(term.first_size, after + 1), stop))

    def signers(self, validators: ValidatorSet) -> tuple[KeyId, ...]:
        """The identity keys of a set's validators, in its order, as far as their certificates were named."""
        found = (self.owners.get(entry.certificate_hash) for entry in validators.entries)
        return tuple(key for key in found if key is not None)
