"""What nodes owe this member: a promise is checked when it comes, kept, and looked up until it is kept or broken.

A promise that does not hold is none: it would be worthless on the day it is needed, so who sends must hear at once.
"""

from dataclasses import dataclass

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.absence import Neighbour
from hybrid_bridge.core.batch import Batch
from hybrid_bridge.core.bundle import AbsencePart, NeighbourPart
from hybrid_bridge.core.entry import ENTRY_BYTES, RefusalEntry, entry_leaf
from hybrid_bridge.core.promise import BROKEN, DUE, KEPT, REFUSED, Promise, SignedPromise
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import Body, RecordPayload, SignedTransaction
from hybrid_bridge.errors import AnswerMalformed, BridgeError, FieldMismatch, NotOmitted, NotYet, Unreachable
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.logbook import LogBook
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Digest, EpochNumber, TreeSize, UnixSeconds


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a promise; `epoch` in which it was kept or refused, 0 for none."""

    word: str
    epoch: EpochNumber


def promised(view: View, signed: SignedTransaction, time: UnixSeconds, epoch: EpochNumber) -> bytes:
    """Our promise that what stands in a block of this time will be public; empty where the transaction has no entry.

    Raises:
        NotYet: our own ledger is not proven.
        Unreachable: we are no validator of this epoch, or no more; another one promises for the same bytes.
    """
    body, identity, genesis = signed.body, view.keys.identity, view.directory.genesis
    if not isinstance(body.payload, RecordPayload):
        return b""
    view.brake.require_free()
    if not view.directory.orders(identity.public.key_id, epoch):
        raise Unreachable(endpoint=view.name, call="Submit")
    promise = Promise(
        log_id=body.log_id,
        transaction_id=body.transaction_id,
        entry_leaf=entry_leaf(body.payload.entry),
        accepted_time=time,
        accepted_epoch=epoch,
        by_epoch=EpochNumber(min(epoch + genesis.promise_delay, body.expires_epoch)),
        signer=identity.public.key_id,
    )
    return SignedPromise.over(promise, identity).encode()


def checked_promise(data: bytes, body: Body, directory: Directory, endpoint: str) -> SignedPromise:
    """The promise in a node's answer, if it is one for this transaction that will hold as evidence (SPEC §5).

    Args:
        data: 219 bytes, as the node answered.
        body: the transaction that it accepted.
        directory: whose validators' identity keys count.
        endpoint: the node's name, for the error.

    Raises:
        AnswerMalformed: none, of another transaction, beyond its window, or signed by nobody who could be held to it.
    """
    try:
        signed = SignedPromise.decode(data)
        promise = signed.promise
        _require_same(promise, body)
        promise.verify_window(directory.genesis.promise_delay, body.expires_epoch)
        if not directory.orders(promise.signer, promise.accepted_epoch):
            raise FieldMismatch(field="promise.signer", expected="a validator", got=promise.signer.hex())
        signed.verify(directory.key(promise.signer))
    except BridgeError as error:
        raise AnswerMalformed(endpoint=endpoint, call="Submit", rule=f"a promise: {type(error).__name__}") from None
    return signed


def _require_same(promise: Promise, body: Body) -> None:
    leaf = entry_leaf(body.payload.entry) if isinstance(body.payload, RecordPayload) else b""
    for field, expected, got in (
        ("promise.log_id", body.log_id, promise.log_id),
        ("promise.transaction_id", body.transaction_id, promise.transaction_id),
        ("promise.entry_leaf", leaf, promise.entry_leaf),
    ):
        if expected != got:
            raise FieldMismatch(field=field, expected=expected.hex(), got=got.hex())
    if promise.accepted_epoch < 1:
        raise FieldMismatch(field="promise.accepted_epoch", expected="at least 1", got="0")


class Window:
    """The epochs in which a promise falls due, as this member has closed them."""

    def __init__(self, promise: Promise, logbook: LogBook) -> None:
        self._promise, self._logbook = promise, logbook
        self._owed = {
            promise.entry_leaf: KEPT,
            leaf_hash(RefusalEntry(promise.transaction_id).encode()): REFUSED,
        }

    @property
    def epochs(self) -> range:
        """From the epoch of acceptance to the last one in which it may be kept."""
        return range(self._promise.accepted_epoch, self._promise.by_epoch + 1)

    def standing(self, ledger: SqlLedger) -> Standing:
        """What became of it, once its epoch is closed here. One that comes after the window stays broken."""
        for leaf, word in self._owed.items():
            height = ledger.entry_height(leaf)
            header = None if height is None else ledger.header(height)
            if header is not None and header.epoch < min(self.epochs.stop, self._logbook.size):
                return Standing(word, header.epoch)
        return Standing(BROKEN if self._logbook.size >= self.epochs.stop else DUE, EpochNumber(0))

    def absences(self, size: TreeSize) -> dict[EpochNumber, tuple[AbsencePart, ...]]:
        """Both leaves shown absent from every epoch of the window.

        Raises:
            NotOmitted: one of them is there: the promise was kept.
            NotYet: the window reaches beyond the checkpoint.
        """
        found: dict[EpochNumber, tuple[AbsencePart, ...]] = {}
        for number in map(EpochNumber, self.epochs):
            if number >= size:
                raise NotYet(what=f"epoch {number}: until {self._promise.by_epoch} the promise may still be kept")
            batch = self._batch(number)
            for leaf, word in self._owed.items():
                if leaf in batch.leaves:
                    what = "entry" if word == KEPT else "refusal"
                    raise NotOmitted(epoch=number, what=what, leaf=leaf)
            found[number] = tuple(_part(batch, leaf) for leaf in sorted(self._owed))
        return found

    def _batch(self, epoch: EpochNumber) -> Batch:
        data = self._logbook.closed(epoch).entries
        return Batch(data[at : at + ENTRY_BYTES] for at in range(0, len(data), ENTRY_BYTES))


def _part(batch: Batch, leaf: Digest) -> AbsencePart:
    absence = batch.absence(leaf)
    return AbsencePart(leaf=leaf, left=_neighbour(absence.left), right=_neighbour(absence.right))


def _neighbour(neighbour: Neighbour | None) -> NeighbourPart | None:
    if neighbour is None:
        return None
    return NeighbourPart(leaf=neighbour.leaf, index=neighbour.index, path=neighbour.path)
