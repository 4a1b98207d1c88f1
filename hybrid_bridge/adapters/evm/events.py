"""Events of one log in one contract, whatever their kind: asked for in ranges, checked to be those asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from hybrid_bridge.adapters.evm.chain import LOG_SPAN, Web3Chain
from hybrid_bridge.adapters.evm.rpc import data_json
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import Undecided
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Digest, LogId, PublicBlockNumber, TxHash

GET_LOGS: Final = "eth_getLogs"
MAX_EVENTS: Final = 4_096  # of one kind for one log; each set but the first took a quorum


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands."""

    block_number: PublicBlockNumber
    tx_hash: TxHash
    log_index: int


def events_of(  # noqa: PLR0917 whom, what, whose, and the range
    chain: Web3Chain,
    topic: Digest,
    log_id: LogId,
    since: PublicBlockNumber,
    at: PublicBlock,
    limit: int | None = MAX_EVENTS,
) -> list[Mapping[str, Json]]:
    """All of one kind, oldest first.

    Raises:
        AnswerMalformed: not the logs asked for, or more than `limit`.
    """
    found = [dict(entry) for entry in _asked(chain, [data_json(topic), data_json(log_id)], since, at.number)]
    if limit is not None and len(found) > limit:
        raise chain.rpc.malformed(GET_LOGS, f"at most {limit} events of one kind")
    places = [tuple(chain.rpc.quantity(GET_LOGS, e.get(name)) for name in ("blockNumber", "logIndex")) for e in found]
    if any(not since <= number <= at.number for number, _ in places):
        raise chain.rpc.malformed(GET_LOGS, "logs of the range asked for")
    return [entry for _, entry in sorted(zip(places, found, strict=True), key=lambda pair: pair[0])]


def _asked(chain: Web3Chain, topics: list[Json], first: int, last: int) -> Iterator[Mapping[str, Json]]:
    """One question for the whole range; where that is refused, two for its halves, down to what everybody answers."""
    wanted: Json = {
        "address": data_json(chain.contract),
        "topics": topics,
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
        shown = chain.rpc.items(GET_LOGS, members.get("topics"))
        if shown[:2] != topics or chain.rpc.octets(GET_LOGS, members.get("address")) != chain.contract:
            raise chain.rpc.malformed(GET_LOGS, "the logs asked for")
        yield members


def decoded(chain: Web3Chain, entry: Mapping[str, Json], types: list[str]) -> tuple[Any, ...]:
    """The words that are no topics; `setId` is the third topic of its event."""
    rpc, method = chain.rpc, GET_LOGS
    topics = b"".join(rpc.octets(method, topic, 32) for topic in rpc.items(method, entry.get("topics"))[2:])
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
