"""Fair shares of what a ledger has room for: who floods waits behind its own transactions, not before the others'.

Three bounds, each a policy of whoever orders and no rule of blocks (ADR 40): how many transactions of one submitter
wait, that submitters take turns, and what one uses of an epoch while the others' parts are kept free. A submitter is
the key that signed; keys cost nothing, so a stranger's transaction is turned away before it waits.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Final, Generic, NamedTuple, TypeVar

from hybrid_bridge.business.membership import is_validator, roles_of
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import MEMBER
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ladder import highest
from hybrid_bridge.core.ledger_state import StateReader
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import RuleRejected, Throttled
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber, Height, KeyId

SOON: Final = 1_000  # ms until one who has too much waiting may ask again: a block is made by then

T = TypeVar("T")


class _Item(NamedTuple, Generic[T]):
    thing: T
    length: int


class Pool(Generic[T]):
    """What waits, by submitter. Not for two threads at once."""

    def __init__(self) -> None:
        self._queues: OrderedDict[KeyId, deque[_Item[T]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, submitter: KeyId, thing: T, length: int, share: int) -> None:
        """Behind what waits of this submitter.

        Raises:
            Throttled: `share` of its transactions wait already.
        """
        queue = self._queues.get(submitter)
        if queue is not None and len(queue) >= share:
            raise Throttled(limit="pool", retry_after=SOON)
        self._queues.setdefault(submitter, deque()).append(_Item(thing, length))
        self._count += 1

    def take(self, most: int, room: int) -> list[T]:
        """At most so many, of at most `room` bytes together: one of each submitter in turn, its own in order.

        One whose next does not fit waits for the next block; whoever is served goes behind the others.
        """
        taken: list[T] = []
        turn = deque(self._queues)
        while turn and len(taken) < most:
            submitter = turn.popleft()
            queue = self._queues[submitter]
            if queue[0].length > room:
                continue
            item = queue.popleft()
            taken.append(item.thing)
            room -= item.length
            self._count -= 1
            if queue:
                self._queues.move_to_end(submitter)
                turn.append(submitter)
            else:
                del self._queues[submitter]
        return taken

    def drain(self) -> list[T]:
        """All of it."""
        things = [item.thing for queue in self._queues.values() for item in queue]
        self._queues.clear()
        self._count = 0
        return things


def in_turns(transactions: Iterable[tuple[KeyId, T]]) -> list[T]:
    """One of each submitter in turn, each submitter's own in the order given."""
    pool: Pool[T] = Pool()
    count = 0
    for submitter, thing in transactions:
        count += 1
        pool.put(submitter, thing, 0, count)
    return pool.take(count, 0)


class EpochShares:
    """What each submitter has used of the running epoch, in entries and in registry pairs.

    Half of the room is everybody's; of the other half each member has an equal part that nobody else uses.
    """

    def __init__(self, genesis: Genesis, members: int) -> None:
        self._genesis, self._members = genesis, members
        room: Final = highest(genesis.batch_ladder), highest(genesis.registry_ladder)
        self._own: Final = tuple(most // (2 * members) for most in room)
        self._common: Final = tuple(most - members * own for most, own in zip(room, self._own, strict=True))
        self._epoch = EpochNumber(0)
        self._used: tuple[Counter[KeyId], Counter[KeyId]] = (Counter(), Counter())

    def begin(self, epoch: EpochNumber) -> None:
        """The running epoch; another one than before is empty."""
        if epoch != self._epoch:
            self._epoch, self._used = epoch, (Counter(), Counter())

    def use(self, transactions: Iterable[SignedTransaction]) -> None:
        """These stand in the running epoch."""
        for signed in transactions:
            for used, more in zip(self._used, weight(signed), strict=True):
                used[signed.body.submitter] += more

    def copy(self) -> "EpochShares":
        """For a block that may never stand."""
        return deepcopy(self, {id(self._genesis): self._genesis})  # which is never changed

    def require(self, signed: SignedTransaction) -> None:
        """Return if its submitter has room left.

        Raises:
            Throttled: it has not, before the next epoch.
        """
        submitter = signed.body.submitter
        parts = zip(self._used, self._own, self._common, weight(signed), strict=True)
        if not all(_fits(used, submitter, by, own=own, common=common) for used, own, common, by in parts):
            raise Throttled(limit="epoch", retry_after=1_000 * self._genesis.cadence)


def _fits(used: Mapping[KeyId, int], submitter: KeyId, by: int, *, own: int, common: int) -> bool:
    beyond = sum(max(0, count - own) for key, count in used.items() if key != submitter)
    return beyond + max(0, used[submitter] + by - own) <= common


def weight(signed: SignedTransaction) -> tuple[int, int]:
    """Entries and registry pairs of a transaction, as far as it shows: a life event each, and its identity labels.

    A decision or a beacon has an entry if it is refused, so it counts as if it were.
    """
    payload = signed.body.payload
    return (1, 1 + len(payload.ops)) if isinstance(payload, RecordPayload) else (1, 0)


def shares_of(view: View) -> EpochShares:
    """What the blocks of the epoch that runs have used: a restart forgets nothing."""
    shares = EpochShares(view.directory.genesis, len(view.directory.members))
    tip = view.chain.tip
    first = None if tip is None else view.ledger.first_height_after(tip.epoch - 1)
    if tip is None or first is None:
        return shares
    shares.begin(tip.epoch)
    for height in range(first, tip.height + 1):
        shares.use(SignedTransaction.decode(data) for _, data in view.ledger.transactions_of(Height(height)))
    return shares


def require_admitted(state: StateReader, submitter: KeyId, epoch: EpochNumber) -> None:
    """Return if this key may submit anything at all.

    Raises:
        RuleRejected: a stranger's.
    """
    if not (roles_of(state, submitter, epoch) & MEMBER or is_validator(state, submitter, epoch)):
        raise RuleRejected(rule="admission", subject=key_id_text(submitter))
