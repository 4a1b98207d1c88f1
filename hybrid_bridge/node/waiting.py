"""Transactions that wait for a block of the consensus engine: who may, and which go into a block that we propose."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from hybrid_bridge.adapters.sqlite.ledger import SqlLedger
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.core.ledger_state import Overlay, StateReader, Write, get_number, put_number, sequence_key
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.errors import FieldMismatch, Malformed, SequenceRejected, Throttled
from hybrid_bridge.node.ordering import MAX_TRANSACTIONS
from hybrid_bridge.node.sharing import SOON, EpochShares, in_turns, require_admitted, spent
from hybrid_bridge.node.view import View
from hybrid_bridge.steps.commit import Rules, knock, preview
from hybrid_bridge.units import KeyId, UnixSeconds

WINDOW: Final = 64  # sequence numbers that a submitter may be ahead of its last block
SHARE: Final = 2 * WINDOW  # transactions of one submitter in an engine's pool: a number may have a second try
MAX_REMEMBERED: Final = 1 << 14  # keys; an engine's pool holds fewer transactions
_OVERHEAD: Final = 8  # bytes around a transaction in a block, at most


def require_ours(view: View, signed: SignedTransaction) -> None:
    """Return if the transaction is for this consortium's log: nobody's state is asked about another's.

    Raises:
        FieldMismatch: another's.
    """
    log_id = view.directory.log_id
    if signed.body.log_id != log_id:
        raise FieldMismatch(field="log_id", expected=log_id.hex(), got=signed.body.log_id.hex())


@dataclass(slots=True)
class Line:
    """The numbers that wait in our engine's pool, since the newest block: no number waits for one that nobody has.

    It could stand in no block, and while anything waits the engine makes one block after another.
    """

    _following: dict[KeyId, int] = field(default_factory=dict)

    def following(self, submitter: KeyId, expected: int) -> int:
        """The first number of a submitter that does not wait; `expected` is the one that no block has."""
        return max(expected, self._following.get(submitter, 0))

    def join(self, signed: SignedTransaction) -> None:
        """It waits now."""
        submitter, number = signed.body.submitter, signed.body.sequence
        self._following[submitter] = self.following(submitter, number + 1)

    def clear(self) -> None:
        """Nothing waits, or all that waits is asked about again, in its order."""
        self._following.clear()


class Remembered:
    """The committed state as far as the engine's door has asked for it: it asks again for all that waits at each block.

    True as long as `follow` is told of every block and nobody else writes. One thread at a time.
    """

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._known: dict[bytes, bytes | None] = {}

    def get(self, key: bytes, /) -> bytes | None:
        """The value after the newest block."""
        if key not in self._known:
            if len(self._known) >= MAX_REMEMBERED:
                self._known.clear()
            with self._ledger.state() as state:
                self._known[key] = state.get(key)
        return self._known[key]

    def follow(self, writes: Iterable[Write]) -> None:
        """A block stands, which wrote this."""
        self._known.update((key, value) for key, value in writes if key in self._known)


def require_waits(view: View, state: StateReader, signed: SignedTransaction, line: Line | None = None) -> None:
    """Return if the transaction may wait for a block, where a business rule may still refuse it on the record.

    The committed state is behind what waits before it, so rules are for the block to judge; only strangers, debtors
    among them, and entries that stand already are turned away here, as at a sequencer's door. Without a line any number
    of the window may come.

    Raises:
        FieldMismatch: another consortium's; no state is looked at.
        BridgeError: as `knock`.
    """
    require_ours(view, signed)
    epoch = epoch_of(view.directory.genesis, _tip_time(view))
    require_admitted(state, signed.body.submitter, epoch)  # before its signatures: a stranger's may be many
    knock(_in_turn(state, signed, line), view.chain.rules, signed, _tip_time(view))


class Door:
    """How many transactions of each submitter came in since the newest block: the engine's pool is one for all."""

    def __init__(self) -> None:
        self._inside: Counter[KeyId] = Counter()

    def enter(self, signed: SignedTransaction, *, again: bool) -> None:
        """Count it; one that is inside already, and is asked about again, stays.

        Raises:
            Throttled: so many of its submitter are inside as may be.
        """
        submitter = signed.body.submitter
        if not again and self._inside[submitter] >= SHARE:
            raise Throttled(limit="pool", retry_after=SOON)
        self._inside[submitter] += 1

    def renew(self) -> None:
        """A block stands: the engine asks about each that is still inside."""
        self._inside.clear()


def by_turns(transactions: Iterable[bytes]) -> list[bytes]:
    """What waits in the engine's pool, one of each submitter in turn; what is no transaction is left out."""

    def decoded() -> Iterator[tuple[KeyId, bytes]]:
        for transaction in transactions:
            try:
                yield SignedTransaction.decode(transaction).body.submitter, transaction
            except Malformed:
                continue

    return in_turns(decoded())


def _tip_time(view: View) -> UnixSeconds:
    """Of the newest block: the time of the next one is not known yet, and no clock may decide."""
    tip = view.chain.tip
    return view.directory.genesis.genesis_time if tip is None else tip.time


def _in_turn(state: StateReader, signed: SignedTransaction, line: Line | None) -> Overlay:
    """The state in which the transaction's number is the next one, if it is not far ahead: several may wait at once."""
    body, overlay = signed.body, Overlay(state)
    expected = get_number(state, sequence_key(body.submitter))
    last = expected + WINDOW - 1
    if line is not None:
        last = min(last, line.following(body.submitter, expected))
    if expected < body.sequence <= last:
        put_number(overlay, sequence_key(body.submitter), body.sequence)
    return overlay


@dataclass(slots=True)
class Proposal:
    """The transactions of a block that we propose, each tried on the state after those before it."""

    view: Overlay
    rules: Rules
    time: UnixSeconds
    room: int  # bytes left
    shares: EpochShares  # of the epoch, before this block
    chosen: list[bytes] = field(default_factory=list)
    early: dict[tuple[KeyId, int], tuple[bytes, SignedTransaction]] = field(default_factory=dict)

    def offer(self, transaction: bytes) -> None:
        """Take it if it may stand here; one whose number is not next waits for the numbers before it."""
        signed: SignedTransaction | None = SignedTransaction.decode(transaction)
        while signed is not None and self._take(transaction, signed):
            following = self.early.pop((signed.body.submitter, signed.body.sequence + 1), None)
            transaction, signed = following or (b"", None)

    def _take(self, transaction: bytes, signed: SignedTransaction) -> bool:
        body, size = signed.body, len(transaction) + _OVERHEAD
        if size > self.room or len(self.chosen) == MAX_TRANSACTIONS:
            return False
        try:
            after, outcome = preview(self.view, self.rules, signed, self.time)
        except SequenceRejected as error:
            if error.got > error.expected:
                self.early[body.submitter, body.sequence] = transaction, signed
            return False
        if outcome.is_turned_away:
            return False
        self.shares.require(spent([outcome]))
        self.view.absorb(after)
        self.shares.use(spent([outcome]))
        self.chosen.append(transaction)
        self.room -= size
        return True
