"""Fair shares of what a ledger has room for: who floods waits behind its own transactions, not before the others'.

Three bounds, each a policy of whoever orders and no rule of blocks (ADR 40): how many transactions of one submitter
wait, that submitters take turns, and what one uses of an epoch while the others' parts are kept free. A submitter is
the key that signed; keys cost nothing, so a stranger's transaction is turned away before it waits.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Final, Generic, NamedTuple, TypeAlias, TypeVar

from hybrid_bridge.business.membership import is_validator, roles_of
from hybrid_bridge.core.block import ACCEPTED
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.governance import MEMBER
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ladder import highest
from hybrid_bridge.core.ledger_state import StateReader
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.transaction import RecordPayload, SignedTransaction
from hybrid_bridge.errors import RuleRejected, Throttled
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.commit import TransactionOutcome
from hybrid_bridge.units import Digest, EpochNumber, Height, KeyId

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


class Cost(NamedTuple):
    """What one transaction takes of an epoch's room. Known once it was tried: a freeze of fifty objects has fifty."""

    entries: int  # 1; none of a decision or a beacon that was accepted
    pairs: int  # of the registry: its identity labels, and a life event for each object that it changes


Spent: TypeAlias = tuple[KeyId, Cost]


def spent(outcomes: Iterable[TransactionOutcome]) -> list[Spent]:
    """By whom, and what."""
    return [(one.submitter, Cost(int(one.entry is not None), one.pairs)) for one in outcomes]


class EpochShares:
    """What each submitter has used of the running epoch, in entries and in registry pairs.

    Half of the room is everybody's; of the other half each member has an equal part that nobody else uses.
    """

    def __init__(self, genesis: Genesis, members: Callable[[], int]) -> None:
        """`members`: how many there are, asked as each epoch begins."""
        self._genesis, self._members = genesis, members
        self._epoch = EpochNumber(0)
        self._used: tuple[Counter[KeyId], Counter[KeyId]] = (Counter(), Counter())
        self._own, self._common = self._parts()

    def begin(self, epoch: EpochNumber) -> None:
        """The running epoch; another one than before is empty, and its parts are those of the members of then."""
        if epoch != self._epoch:
            self._epoch, self._used = epoch, (Counter(), Counter())
            self._own, self._common = self._parts()

    def _parts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Of each kind of room what is one member's own, and what is everybody's."""
        room, members = (highest(self._genesis.batch_ladder), highest(self._genesis.registry_ladder)), self._members()
        own = tuple(most // (2 * members) for most in room)
        return own, tuple(most - members * part for most, part in zip(room, own, strict=True))

    def use(self, spent: Iterable[Spent]) -> None:
        """So much stands in the running epoch."""
        for submitter, cost in spent:
            for used, more in zip(self._used, cost, strict=True):
                used[submitter] += more

    def copy(self) -> "EpochShares":
        """For a block that may never stand."""
        return deepcopy(self, {id(self._genesis): self._genesis})  # which is never changed

    def require(self, spent: Iterable[Spent]) -> None:
        """Return if each submitter has room left for what its transaction costs.

        Raises:
            Throttled: it has not, before the next epoch.
        """
        for submitter, cost in spent:
            parts = zip(self._used, self._own, self._common, cost, strict=True)
            if not all(_fits(used, submitter, by, own=own, common=common) for used, own, common, by in parts):
                raise Throttled(limit="epoch", retry_after=1_000 * self._genesis.cadence)


def _fits(used: Mapping[KeyId, int], submitter: KeyId, by: int, *, own: int, common: int) -> bool:
    if by == 0:
        return True
    beyond = sum(max(0, count - own) for key, count in used.items() if key != submitter)
    return beyond + max(0, used[submitter] + by - own) <= common


def shares_of(view: View) -> EpochShares:
    """What the blocks of the epoch that runs have used: a restart forgets nothing."""
    shares = EpochShares(view.directory.genesis, lambda: len(view.directory.members))
    tip = view.chain.tip
    first = None if tip is None else view.ledger.first_height_after(tip.epoch - 1)
    if tip is None or first is None:
        return shares
    shares.begin(tip.epoch)
    events = view.ledger.life_counts(first)
    for height in range(first, tip.height + 1):
        shares.use(_stands(code, data, events) for code, data in view.ledger.transactions_of(Height(height)))
    return shares


def _stands(code: int, data: bytes, events: Mapping[Digest, int]) -> Spent:
    body = SignedTransaction.decode(data).body
    if code != ACCEPTED:
        return body.submitter, Cost(1, 0)  # its refusal
    if not isinstance(body.payload, RecordPayload):
        return body.submitter, Cost(0, 0)
    return body.submitter, Cost(1, len(body.payload.ops) + events.get(leaf_hash(body.payload.entry), 0))


def require_admitted(state: StateReader, submitter: KeyId, epoch: EpochNumber) -> None:
    """Return if this key may submit anything at all.

    Raises:
        RuleRejected: a stranger's.
    """
    if not (roles_of(state, submitter, epoch) & MEMBER or is_validator(state, submitter, epoch)):
        raise RuleRejected(rule="admission", subject=key_id_text(submitter))
