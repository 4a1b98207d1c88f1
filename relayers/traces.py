"""What the endpoints show of our key and of the log, for whoever has lost the journal. Nothing is judged here.

Endpoints may hide transactions; they can invent none, for every byte is believed by its hash and signature.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from hybrid_bridge.core.public_transaction import SignedPublicTransaction, decode_signed
from hybrid_bridge.errors import BridgeError, Undecided
from hybrid_bridge.ports import AnchoredEvent, PublicBlock, Update
from hybrid_bridge.units import Address, LogId, Nonce, PublicBlockNumber, RawTransaction, TxHash
from relayers.observe import EVENT_RANGE, Observer

MAX_POOLED: Final = 1 << 10  # transactions of one account that a pool is believed to hold; pools keep some 64
MAX_UNFINAL: Final = 512  # newest public blocks that are read whole, for what is mined and not final

T = TypeVar("T")


class Sent(Protocol):
    """One endpoint's view of what accounts have sent. It may hide; it cannot invent."""

    def by_hash(self, tx: TxHash) -> RawTransaction | None:
        """These bytes; None where they are unknown, or of another type than ours."""

    def in_block(self, number: PublicBlockNumber, sender: Address) -> Sequence[RawTransaction]:
        """All of this account in one public block."""

    def pooled(self, sender: Address) -> Sequence[RawTransaction]:
        """All of this account in the pool."""

    def set_updates(
        self, contract: Address, log: LogId, first: PublicBlockNumber, last: PublicBlockNumber
    ) -> Sequence[TxHash]:
        """The transactions, anybody's, that exchanged this log's validators."""

    def nonce_with_pool(self, sender: Address) -> Nonce:
        """The nonce after everything the endpoint knows of. A hint."""


@dataclass(frozen=True, slots=True)
class Own:
    """One transaction of our key: its bytes, and the public block it stands in, if it does."""

    raw: RawTransaction
    signed: SignedPublicTransaction
    block: PublicBlock | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What the endpoints show of our key and of the log."""

    pinned: PublicBlock
    final: PublicBlock
    used: Nonce  # at the pinned public block
    final_used: Nonce  # at least so many are used for good
    calls: tuple[Update, ...]  # every anchor's calldata that could be read, in order
    own: tuple[Own, ...]  # ascending by nonce
    hidden: Nonce  # below this one the endpoints know of more than they show


def traces(
    observer: Observer, views: Sequence[Sent], decode: Callable[[bytes], Update], since: PublicBlockNumber
) -> Traces:
    """Ask everything. Long: each anchor since `since` costs a question, and each public block that is not final.

    Args:
        observer: the endpoints that serve us.
        views: what they show of transactions.
        decode: the contract's calldata of an anchor.
        since: the first public block whose anchors may be unknown.

    Raises:
        Undecided: too few endpoints agree.
    """
    signer, pinned = observer.scope.signer, observer.pin()
    final = observer.final(pinned)
    raws: dict[bytes, RawTransaction] = {}
    events = list(_events(observer, since, pinned.number))
    for event in events:
        raw = _bytes_of(views, event.tx_hash)
        if raw is not None:
            raws[event.tx_hash] = raw
    for tx in _set_updates(observer, views, since, pinned.number):  # these move no head, so no anchor shows them
        if (raw := _bytes_of(views, tx)) is not None:
            raws[tx] = raw
    found = [raw for raw in raws.values() if decode_signed(raw).sender == signer]
    for number in range(max(final.number + 1, pinned.number - MAX_UNFINAL), pinned.number + 1):
        found += _mined(views, PublicBlockNumber(number), signer)
    for pooled in _told(views, lambda view: view.pooled(signer)):
        found += pooled
    own = tuple(_placed(observer, dict.fromkeys(found)))
    used = observer.ask(lambda chain: chain.nonce(signer, pinned))
    return Traces(
        pinned=pinned,
        final=final,
        used=used,
        final_used=_final_used(observer, final, own),
        calls=tuple(_calls(events, raws, decode)),
        own=own,
        hidden=min(
            max(_told(views, lambda view: view.nonce_with_pool(signer)), default=used), Nonce(used + MAX_POOLED)
        ),
    )


def _events(observer: Observer, first: int, last: int) -> Iterator[AnchoredEvent]:
    for start in range(first, last + 1, EVENT_RANGE):
        yield from observer.anchored(start, min(start + EVENT_RANGE - 1, last))


def _set_updates(observer: Observer, views: Sequence[Sent], first: int, last: int) -> Iterator[TxHash]:
    """By every endpoint that tells; their bytes decide."""
    scope = observer.scope
    for start in range(first, last + 1, EVENT_RANGE):
        ends = PublicBlockNumber(start), PublicBlockNumber(min(start + EVENT_RANGE - 1, last))
        told = _told(views, lambda view, ends=ends: view.set_updates(scope.contract, scope.log_id, *ends))  # type: ignore[misc]
        yield from dict.fromkeys(tx for found in told for tx in found)


def _told(views: Sequence[Sent], ask: Callable[[Sent], T]) -> Iterator[T]:
    """Each view's answer; one that is silent or talks nonsense has none, and the others may show it."""
    for view in views:
        try:
            yield ask(view)
        except BridgeError:
            continue


def _bytes_of(views: Sequence[Sent], tx: TxHash) -> RawTransaction | None:
    return next((raw for raw in _told(views, lambda view: view.by_hash(tx)) if raw is not None), None)


def _mined(views: Sequence[Sent], number: PublicBlockNumber, signer: Address) -> Sequence[RawTransaction]:
    return next(iter(_told(views, lambda view: view.in_block(number, signer))), ())


def _placed(observer: Observer, raws: Iterable[RawTransaction]) -> Iterator[Own]:
    """Each with the public block it stands in, by a quorum; ascending by nonce."""
    for raw in sorted(raws, key=lambda raw: decode_signed(raw).transaction.nonce):
        signed = decode_signed(raw)
        status = observer.ask(lambda chain, tx=signed.hash: chain.receipt_status(tx))  # type: ignore[misc]
        yield Own(raw, signed, None if status is None else status[0])


def _final_used(observer: Observer, final: PublicBlock, own: Sequence[Own]) -> Nonce:
    """By the final state, or, where it is forgotten, by what stands."""
    try:
        return observer.ask(lambda chain: chain.nonce(observer.scope.signer, final))
    except Undecided:
        standing = (o.signed.transaction.nonce for o in own if o.block is not None and o.block.number <= final.number)
        return Nonce(max((nonce + 1 for nonce in standing), default=0))


def _calls(
    events: Sequence[AnchoredEvent], raws: Mapping[bytes, RawTransaction], decode: Callable[[bytes], Update]
) -> Iterator[Update]:
    for event in events:
        if event.tx_hash in raws:
            try:
                yield decode(decode_signed(raws[event.tx_hash]).transaction.data)
            except BridgeError:  # several logs in one call, or by another contract: its checkpoint is not in reach
                continue
