"""What a contract's events say of a log's life beside its anchors: brakes, reports, its end, names; and costs.

As in `keepers`: no answer that fewer endpoints give than must agree. Names and reports may be sent by anybody, and
again and again: each stands here once, with the place where it stood first.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from hybrid_bridge.adapters.evm.agreement import Agreement
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.events import GET_LOGS, MAX_EVENTS, Place, decoded, each_among, events_among, place_of
from hybrid_bridge.adapters.evm.keepers import Enough, Kept, all_of, calldata_of, readable
from hybrid_bridge.core.attestation import pause_digest, resume_digest, retire_digest, set_update_digest, signers_within
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Missing
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    Gas,
    LogId,
    PublicBlockHash,
    PublicBlockNumber,
    TreeSize,
    TxHash,
    UnixSeconds,
    Wei,
)

MAX_DISTINCT: Final = 256  # reports of one kind; beyond them only whoever was not accused before
REGISTERED: Final = "Registered"
APPOINTED: Final = "ValidatorSet"
PAUSED: Final = "Paused"
RESUMED: Final = "Resumed"
RETIRED: Final = "Retired"
FROZEN: Final = "Frozen"
EQUIVOCATED: Final = "Equivocated"
INCONSISTENT: Final = "Inconsistent"
NAMED: Final = "ValidatorNamed"

KINDS: Final[Mapping[str, tuple[str, ...]]] = {  # the event's values behind the log id, indexed ones first
    REGISTERED: ("string", "bytes"),
    APPOINTED: ("uint64", "bytes32", "uint64", "bytes"),
    PAUSED: ("uint64", "uint64", "bytes32", "bool"),
    RESUMED: ("uint64", "bytes32"),
    RETIRED: ("bytes32", "uint64", "bytes32"),
    FROZEN: ("uint64", "bytes32"),
    EQUIVOCATED: ("uint64", "bytes32", "bytes32", "uint64", "uint64"),
    INCONSISTENT: ("uint64", "bytes32", "bytes32", "uint64", "uint64"),
    NAMED: ("uint64", "address", "string"),
}
REPORTS: Final = (EQUIVOCATED, INCONSISTENT)
_TOPICS: Final[Mapping[Digest, str]] = {
    keccak256(f"{kind}({','.join(['bytes32', *types])})".encode()): kind for kind, types in KINDS.items()
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One event: its values in the order of `KINDS`, where it stands, and the time of that public block."""

    kind: str
    values: tuple[Any, ...]
    place: Place
    time: UnixSeconds

    def statement(self, chain_id: ChainId, contract: Address, log_id: LogId) -> Digest | None:
        """What a quorum signed for it; None: nobody signed, as for a pause by the guardian or the first set."""
        where = chain_id, contract, log_id
        if self.kind == APPOINTED and self.values[0] != 1:
            return set_update_digest(*where, *self.values[:3])
        if self.kind == PAUSED and not self.values[3]:
            return pause_digest(*where, *self.values[:3])
        if self.kind == RESUMED:
            return resume_digest(*where, *self.values)
        return retire_digest(*where, *self.values) if self.kind == RETIRED else None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a transaction's receipt says that it cost."""

    gas_used: Gas
    price: Wei  # for each gas, as it was paid


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All of it, oldest first; `costs` as far as enough endpoints still tell, `calldata` as in `Kept`."""

    happenings: tuple[Happening, ...]
    costs: Mapping[TxHash, Cost]
    calldata: Mapping[TxHash, bytes]
    left_out: int = 0  # reports that are not among the happenings: more than anybody reads

    def of(self, *kinds: str) -> tuple[Happening, ...]:
        """Those of these kinds, oldest first."""
        return tuple(one for one in self.happenings if one.kind in kinds)


def history_at(
    asked: Agreement, kept: Kept, log_id: LogId, since: PublicBlockNumber, known: History | None = None
) -> History:
    """Ask the endpoints; of `known`, an earlier answer, what is final stays as it is: receipts and calldata.

    Raises:
        Missing: fewer agree than must.
    """
    found, left_out = asked.all_say("the log's events", partial(_events, log_id, since, asked.at))
    times = _times(asked, {place.block_number for _, _, place in found})
    happenings = [Happening(kind, values, place, times[place.block_number]) for kind, values, place in found]
    happenings.sort(key=lambda one: (one.place.block_number, one.place.log_index))
    digests = [(one.place.tx_hash, one.statement(kept.chain_id, kept.contract, log_id)) for one in happenings]
    sets = readable(kept.sets).values()
    spoken = all_of((tx, _has_quorum(digest, sets)) for tx, digest in digests if digest is not None)
    return History(
        happenings=tuple(happenings),
        left_out=left_out,
        costs=_costs(asked, {event.tx_hash: event.block.hash for event in kept.anchors}, known.costs if known else {}),
        calldata=calldata_of(asked.chains, spoken, known.calldata if known else {}),
    )


def stand_at(
    asked: Agreement,
    log_id: LogId,
    since: PublicBlockNumber,
    wanted: Sequence[tuple[TreeSize, Callable[[str, tuple[Any, ...]], bool]]],
) -> tuple[bool, ...]:
    """Of each thing wanted whether a report that stands says it, however many others stand beside that.

    Args:
        asked: whom to ask.
        log_id: of this log.
        since: the public block to look from.
        wanted: the size that a report is about, and whether one of this kind with values in the order of `KINDS` is it.

    Raises:
        Missing: fewer endpoints agree than must.
    """
    topics = [topic for topic, kind in _TOPICS.items() if kind in REPORTS]
    sizes = sorted({size for size, _ in wanted})

    def ask(chain: Web3Chain) -> tuple[bool, ...]:
        stands = [False] * len(wanted)
        for topic, entry in each_among(chain, topics, log_id, since, asked.at, sizes=sizes):
            kind = _TOPICS[topic]
            values = decoded(chain, entry, list(KINDS[kind]))
            stands = [was or says(kind, values) for was, (_, says) in zip(stands, wanted, strict=True)]
        return tuple(stands)

    return asked.all_say("the log's reports", ask) if wanted else ()


def _has_quorum(digest: Digest, sets: Collection[ValidatorSet]) -> Enough:
    """The signatures of a quorum of some set: the contract asked for no less."""
    return lambda data: any(len(signers_within(data, digest, one.addresses)) >= one.quorum for one in sets)


Found = tuple[str, tuple[Any, ...], Place]


def _events(
    log_id: LogId, since: PublicBlockNumber, at: PublicBlock, chain: Web3Chain
) -> tuple[tuple[Found, ...], int]:
    """Of every kind, oldest first; of kinds that anybody may send, each once; and how many reports were left out.

    A name is told once by its text alone: the contract takes no text that it cannot hash to an entry of a set.

    Raises:
        AnswerMalformed: not the logs asked for, or more of one kind than a log has.
    """
    first: dict[tuple[object, ...], Found] = {}
    counts = dict.fromkeys(KINDS, 0)
    for topic, entry in events_among(chain, list(_TOPICS), log_id, since, at):
        kind, place = _TOPICS[topic], place_of(chain, entry)
        shapes = ["bytes" if shape == "string" else shape for shape in KINDS[kind]]  # a name need not be UTF-8
        values = decoded(chain, entry, shapes)
        what = {NAMED: values[2:], **dict.fromkeys(REPORTS, values)}.get(kind, (place,))
        counts[kind] += (kind, what) not in first
        if kind not in REPORTS and counts[kind] > MAX_EVENTS:
            raise chain.rpc.malformed(GET_LOGS, f"at most {MAX_EVENTS} events of one kind")
        first.setdefault((kind, what), (kind, values, place))
    return _bounded(list(first.values()))


def _bounded(found: Sequence[Found]) -> tuple[tuple[Found, ...], int]:
    """The first reports; beyond them the first of each kind against the same members, and what froze the log."""
    froze = {place.tx_hash for kind, _, place in found if kind == FROZEN}
    kept: list[Found] = []
    accused: set[tuple[object, ...]] = set()
    counts: Counter[str] = Counter()
    for kind, values, place in found:
        who = kind, *values[3:]
        most = MAX_DISTINCT if who in accused else MAX_EVENTS
        if kind in REPORTS and counts[kind] >= most and place.tx_hash not in froze:
            continue
        accused.add(who)
        counts[kind] += 1
        kept.append((kind, values, place))
    return tuple(kept), len(found) - len(kept)


def _times(asked: Agreement, numbers: Iterable[PublicBlockNumber]) -> dict[PublicBlockNumber, UnixSeconds]:
    return {
        number: asked.all_say(f"public block {number}", lambda chain, number=number: chain.block(number)).time  # type: ignore[misc]  # bound here, of its type
        for number in sorted(numbers)
    }


def _costs(
    asked: Agreement, wanted: Mapping[TxHash, PublicBlockHash], known: Mapping[TxHash, Cost]
) -> dict[TxHash, Cost]:
    """What enough endpoints say; a receipt that they no longer keep is left out, and no error."""
    found = {tx: known[tx] for tx in wanted if tx in known}
    for tx, block in sorted((tx, block) for tx, block in wanted.items() if tx not in known):
        try:
            found[tx] = asked.all_say("a receipt", partial(_cost, tx, block))
        except Missing:
            continue
    return found


def _cost(tx: TxHash, block: PublicBlockHash, chain: Web3Chain) -> Cost | None:
    receipt = chain.receipt(tx)
    if receipt is None or receipt.price is None or receipt.block_hash != block:
        return None
    return Cost(receipt.gas_used, receipt.price)
