"""Events of one log in one contract, whatever their kind: asked for in ranges, checked to be those asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from hybrid_bridge.adapters.evm.chain import LOG_SPAN, Web3Chain
from hybrid_bridge.adapters.evm.rpc import data_json
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import Undecided
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Digest, LogId, PublicBlockNumber, TreeSize, TxHash

GET_LOGS: Final = "eth_getLogs"
MAX_EVENTS: Final = 4_096  # of one kind for one log; each set but the first took a quorum


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands."""

    block_number: PublicBlockNumber
    tx_hash: TxHash
    log_index: int


def events_of(
    chain: Web3Chain, topic: Digest, log_id: LogId, since: PublicBlockNumber, at: PublicBlock
) -> list[Mapping[str, Json]]:
    """All of one kind, oldest first.

    Raises:
        AnswerMalformed: not the logs asked for, or more than one log has.
    """
    found = [entry for _, entry in events_among(chain, [topic], log_id, since, at)]
    if len(found) > MAX_EVENTS:
        raise chain.rpc.malformed(GET_LOGS, f"at most {MAX_EVENTS} events of one kind")
    return found


def events_among(
    chain: Web3Chain, topics: Sequence[Digest], log_id: LogId, since: PublicBlockNumber, at: PublicBlock
) -> list[tuple[Digest, Mapping[str, Json]]]:
    """As `each_among`, oldest first.

    Raises:
        AnswerMalformed: not the logs asked for.
    """
    found = list(each_among(chain, topics, log_id, since, at))
    places = [tuple(_number(chain, entry, name) for name in ("blockNumber", "logIndex")) for _, entry in found]
    return [one for _, one in sorted(zip(places, found, strict=True), key=lambda pair: pair[0])]


def each_among(
    chain: Web3Chain,
    topics: Sequence[Digest],
    log_id: LogId,
    since: PublicBlockNumber,
    at: PublicBlock,
    *,
    sizes: Sequence[TreeSize] = (),
) -> Iterator[tuple[Digest, Mapping[str, Json]]]:
    """All of several kinds, each with its own: as many questions as for one. No more is held than one answer.

    Args:
        chain: whom to ask.
        topics: the kinds.
        log_id: of this log.
        since: the first public block.
        at: the last one.
        sizes: if any, of events about these alone; of kinds whose first value after the log id is a size.

    Raises:
        AnswerMalformed: not the logs asked for.
    """
    wanted = [[data_json(topic) for topic in topics], [data_json(log_id)]]
    if sizes:
        wanted.append([data_json(size.to_bytes(32, "big")) for size in sizes])
    for entry in _asked(chain, wanted, since, at.number):
        if not since <= _number(chain, entry, "blockNumber") <= at.number:
            raise chain.rpc.malformed(GET_LOGS, "logs of the range asked for")
        _number(chain, entry, "logIndex")
        yield Digest(chain.rpc.octets(GET_LOGS, _topics(chain, entry)[0], 32)), entry


def _number(chain: Web3Chain, entry: Mapping[str, Json], name: str) -> int:
    return chain.rpc.quantity(GET_LOGS, entry.get(name))


def _topics(chain: Web3Chain, entry: Mapping[str, Json]) -> list[Json]:
    return chain.rpc.items(GET_LOGS, entry.get("topics"))


def _asked(chain: Web3Chain, topics: list[list[str]], first: int, last: int) -> Iterator[Mapping[str, Json]]:
    """One question for the whole range; where that is refused, two for its halves, down to what everybody answers."""
    wanted: Json = {
        "address": data_json(chain.contract),
        "topics": [list[Json](these) for these in topics],
        "fromBlock": hex(first),
        "toBlock": hex(last),
    }
    try:
        answer = chain.rpc.items(GET_LOGS, chain.rpc.ask(GET_LOGS, wanted))
    except Undecided:
        if last - first < LOG_SPAN:
            raise
        middle = (first + last) // 2
        yield from _asked(chain, topics, first, middle)
        yield from _asked(chain, topics, middle + 1, last)
        return
    for entry in answer:
        members = chain.rpc.members(GET_LOGS, entry)
        got = _topics(chain, members)[: len(topics)]
        fits = len(got) == len(topics) and all(one in these for one, these in zip(got, topics, strict=True))
        if not fits or chain.rpc.octets(GET_LOGS, members.get("address")) != chain.contract:
            raise chain.rpc.malformed(GET_LOGS, "the logs asked for")
        yield members


def decoded(chain: Web3Chain, entry: Mapping[str, Json], types: list[str]) -> tuple[Any, ...]:
    """The words that are no topics; `setId` is the third topic of its event."""
    rpc, method = chain.rpc, GET_LOGS
    topics = b"".join(rpc.octets(method, topic, 32) for topic in _topics(chain, entry)[2:])
    try:
        indexed = decode(types[: len(topics) // 32], topics)
        return (*indexed, *decode(types[len(indexed) :], rpc.octets(method, entry.get("data"))))
    except (DecodingError, OverflowError, ValueError):
        raise rpc.malformed(method, "an event of the registry") from None


def place_of(chain: Web3Chain, entry: Mapping[str, Json]) -> Place:
    """Where it stands."""
    rpc = chain.rpc
    return Place(
        PublicBlockNumber(rpc.quantity(GET_LOGS, entry.get("blockNumber"))),
        TxHash(rpc.octets(GET_LOGS, entry.get("transactionHash"), 32)),
        rpc.quantity(GET_LOGS, entry.get("logIndex")),
    )
