"""Check 12 of `verify`: did a node break its promise? Its signature, its window, and the absence of what it owes.

A promise names an entry; the node keeps it when that entry, or the refusal of its transaction, stands in a batch of an
epoch up to `by_epoch` (SPEC §5). Shown absent from every epoch of the window it is broken, and the bundle proves it.
Shown present, the claim is refuted. Anything less is a claim that waits for an answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hybrid_bridge.core.entry import RefusalEntry
from hybrid_bridge.core.keys import PublicKey
from hybrid_bridge.core.promise import Promise, SignedPromise
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import FieldMismatch, NotOmitted
from hybrid_bridge.steps.verify.decoded import Decoded
from hybrid_bridge.steps.verify.names import Name, Names, identity_keys
from hybrid_bridge.steps.verify.paths import absences
from hybrid_bridge.steps.verify.signers import KnownSets
from hybrid_bridge.units import Digest, EpochNumber, TreeSize


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """A promise whose window holds nothing of what it owes, as far as the bundle shows that window."""

    promise: Promise
    signer: Name | None  # None: no certificate shown holds the key that signed
    unshown: tuple[EpochNumber, ...]  # of the window, without the absence of both leaves
    late: tuple[EpochNumber, ...]  # after the window, with the entry or the refusal

    @property
    def is_broken(self) -> bool:
        """A node signed, and every epoch of the window was shown to hold neither leaf."""
        return self.signer is not None and not self.unshown

    @property
    def missing(self) -> str:
        """What a proof still needs; "" when there is one."""
        lacks = [] if self.signer else ["the certificate of the validator that signed the promise"]
        if self.unshown:
            first, last = self.unshown[0], self.unshown[-1]
            which = f"epoch {first}" if first == last else f"epochs {first} to {last}"
            lacks.append(f"the absence of entry and refusal in {which}")
        return ", and ".join(lacks)


def verify_promise(d: Decoded, sets: KnownSets, names: Names) -> Promised | None:
    """What the bundle shows of its promise; None without one (SPEC §12 step 12).

    An outsider does not see the transaction, so of the rule by_epoch <= min(accepted_epoch + promiseDelay,
    expires_epoch) he checks the first half; the submitter has checked both when it took the promise.

    Raises:
        FieldMismatch: promised for later than the delay allows, or the signer is no node.
        SignatureWrong: the node did not sign it.
        NotOmitted: the entry or the refusal stands there: nothing was omitted.
    """
    if d.promise is None:
        return None
    promise = d.promise.promise
    promise.verify_window(d.genesis.promise_delay, promise.by_epoch)
    signer = _signer(d, d.promise, sets, names)
    owed = {promise.entry_leaf: "entry", leaf_hash(RefusalEntry(promise.transaction_id).encode()): "refusal"}
    late = []
    for epoch, leaf in _standing(d):
        if leaf not in owed:
            continue
        if epoch <= promise.by_epoch:
            raise NotOmitted(epoch=epoch, what=owed[leaf], leaf=leaf)
        late.append(epoch)
    unshown = tuple(_unshown(d, promise, set(owed)))
    return Promised(promise=promise, signer=signer, unshown=unshown, late=tuple(sorted(set(late))))


def _signer(d: Decoded, signed: SignedPromise, sets: KnownSets, names: Names) -> Name | None:
    """The validator whose certified key signed: one of the set responsible for the epoch in which it accepted.

    The set is known for sizes that the bundle covers; of a later one nobody can say who is not in it.
    """
    size = TreeSize(signed.promise.accepted_epoch + 1)
    validators, keys = sets.responsible(size), identity_keys(d)
    shown: list[PublicKey] = []
    for entry in validators.entries:
        key = keys.get(entry.certificate_hash)
        if key is None:
            continue
        if key.key_id == signed.promise.signer:
            signed.verify(key)
            return names[validators.set_id, entry.address]
        shown.append(key)
    if len(shown) == len(validators.entries) and size <= d.notes[-1].size:
        expected = f"the identity key of a validator of set {validators.set_id}"
        raise FieldMismatch(field="promise.signer", expected=expected, got=signed.promise.signer.hex())
    return None


def _standing(d: Decoded) -> Iterator[tuple[EpochNumber, Digest]]:
    """Every leaf that the bundle shows in a batch: entries, refusals, and neighbours of what is absent."""
    for epoch in d.epochs:
        for part in (*(entry.part for entry in epoch.entries), *epoch.refusals):
            yield epoch.record.epoch, leaf_hash(part.entry)
    for epoch, absence in absences(d):
        for neighbour in (absence.left, absence.right):
            if neighbour is not None:
                yield epoch.record.epoch, neighbour.leaf


def _unshown(d: Decoded, promise: Promise, owed: set[Digest]) -> Iterator[EpochNumber]:
    shown = {epoch.record.epoch: {part.leaf for part in epoch.part.absences} for epoch in d.epochs}
    for number in range(promise.accepted_epoch, promise.by_epoch + 1):
        if not owed <= shown.get(EpochNumber(number), set()):
            yield EpochNumber(number)
