"""Who keeps a log's accounts, as a contract's events say: every validator set, the newest anchors, who signed each.

Several endpoints, one public block that more than half of them call final, and no answer that fewer than these give.
The genesis record proves itself by the log id; a signature proves itself; all else is the contract's word.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import LOG_SPAN, Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.rpc import data_json
from hybrid_bridge.adapters.evm.sight import agreed, endpoints_at, final_block, said
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import Missing, Undecided, UnknownLog
from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock
from hybrid_bridge.units import Address, ChainId, Digest, LogId, PublicBlockNumber, SetId, TreeSize, TxHash

T = TypeVar("T")
REGISTERED: Final = keccak256(b"Registered(bytes32,string,bytes)")
GET_LOGS: Final = "eth_getLogs"
VALIDATOR_SET: Final = keccak256(b"ValidatorSet(bytes32,uint64,bytes32,uint64,bytes)")
MAX_EVENTS: Final = 4_096  # of one kind for one log; each set but the first took a quorum
MAX_CALLDATA: Final = 1 << 17  # bytes; what nodes take of one transaction


@dataclass(frozen=True, slots=True)
class SetEvent:
    """One `ValidatorSet` event, undecoded: what was taken up, from which size on, by which transaction."""

    set_id: SetId
    set_hash: Digest
    from_size: TreeSize
    entries: bytes
    block_number: PublicBlockNumber
    tx_hash: TxHash


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What enough endpoints agree on; `anchors` newest last, `calldata` of their transactions as far as one has it."""

    chain_id: ChainId
    contract: Address
    basis: str
    at: PublicBlock
    head: Head
    origin: str
    genesis: bytes
    sets: tuple[SetEvent, ...]
    anchors: tuple[AnchoredEvent, ...]
    calldata: Mapping[TxHash, bytes]


def keepers_at(
    urls: Sequence[str],
    contract: Address | None,
    log_id: LogId,
    *,
    newest: int,
    since: PublicBlockNumber,
    thresholds: Mapping[int, int],
) -> Kept:
    """Ask the endpoints.

    Args:
        urls: of endpoints of one public chain, each once.
        contract: the registry; None: at its usual address.
        log_id: the log.
        newest: how many of the last anchors are looked at.
        since: the public block to look from, at or before the log's registration.
        thresholds: how many endpoints must agree at least, by chain.

    Raises:
        FieldMalformed, SettingsMalformed: an endpoint twice, or no web address.
        Missing: fewer endpoints agree, or are asked, than must.
        UnknownLog: they agree that the contract does not know the log.
    """
    address = contract or deterministic_address(artefact(REGISTRY).creation_code)
    chains = [Web3Chain(endpoint, address) for endpoint in endpoints_at(urls)]
    majority = len(chains) // 2 + 1
    chain_id = agreed("the chain id", majority, [said(chain.chain_id) for chain in chains])
    needed = max(majority, thresholds.get(chain_id, 0))
    if len(chains) < needed:
        raise Missing(what=f"{needed} endpoints of chain {chain_id}, as the trust file's threshold asks")
    at = final_block(chains, needed)

    def all_say(what: str, ask: Callable[[Web3Chain], T]) -> T:
        return agreed(what, needed, [said(partial(ask, chain)) for chain in chains])

    head = all_say("the log's head", lambda chain: chain.head(log_id, at))
    if head.state == "unknown":
        raise UnknownLog(log_id=Digest(log_id))
    origin, genesis = all_say("the log's registration", lambda chain: _registered(chain, log_id, since, at))
    sets = all_say("the validator sets", lambda chain: _sets(chain, log_id, since, at))
    anchors = all_say("the newest anchors", lambda chain: _anchors(chain, log_id, since, at, newest))
    many = f"{needed} of {len(chains)} endpoints that call" if len(chains) > 1 else "one endpoint that calls"
    return Kept(
        chain_id=chain_id,
        contract=address,
        basis=f"{many} public block {at.number} final",
        at=at,
        head=head,
        origin=origin,
        genesis=genesis,
        sets=sets,
        anchors=anchors,
        calldata=_calldata(chains, {event.tx_hash for event in anchors}),
    )


def _registered(chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock) -> tuple[str, bytes]:
    for entry in _events(chain, REGISTERED, log_id, since, at):
        origin, genesis = _decoded(chain, entry, ["string", "bytes"])
        return origin, genesis
    raise Missing(what=f"the log's registration at or after public block {since} (--from-block)")


def _sets(chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock) -> tuple[SetEvent, ...]:
    found = []
    for entry in _events(chain, VALIDATOR_SET, log_id, since, at):
        set_id, set_hash, from_size, entries = _decoded(chain, entry, ["uint64", "bytes32", "uint64", "bytes"])
        number = chain.rpc.quantity(GET_LOGS, entry.get("blockNumber"))
        tx = chain.rpc.octets(GET_LOGS, entry.get("transactionHash"), 32)
        place = PublicBlockNumber(number), TxHash(tx)
        found.append(SetEvent(SetId(set_id), Digest(set_hash), TreeSize(from_size), entries, *place))
    return tuple(found)


def _anchors(
    chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock, newest: int
) -> tuple[AnchoredEvent, ...]:
    """The last ones, looked for from the newest public block back."""
    found: list[AnchoredEvent] = []
    for last in range(at.number, since - 1, -LOG_SPAN):
        first = PublicBlockNumber(max(since, last - LOG_SPAN + 1))
        found = [*chain.anchored(log_id, first, PublicBlockNumber(last)), *found]
        if len(found) >= newest:
            break
    return tuple(found[-newest:])


def _calldata(chains: Sequence[Web3Chain], wanted: set[TxHash]) -> dict[TxHash, bytes]:
    """From whichever endpoint has it: what counts in it are signatures, and nobody can make one up."""
    found: dict[TxHash, bytes] = {}
    for tx in sorted(wanted):
        answers = (said(partial(_input, chain, tx)) for chain in chains)
        data = next((answer for answer in answers if answer is not None), None)
        if data is not None:
            found[tx] = data
    return found


def _input(chain: Web3Chain, tx: TxHash) -> bytes | None:
    method, rpc = "eth_getTransactionByHash", chain.rpc
    answer = rpc.ask(method, data_json(tx))
    data = b"" if answer is None else rpc.octets(method, rpc.members(method, answer).get("input"))
    return data if 0 < len(data) <= MAX_CALLDATA else None


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _events(
    chain: Web3Chain, topic: Digest, log_id: LogId, since: PublicBlockNumber, at: PublicBlock
) -> list[Mapping[str, Json]]:
    """All of one kind, oldest first."""
    found = [dict(entry) for entry in _asked(chain, [data_json(topic), data_json(log_id)], since, at.number)]
    if len(found) > MAX_EVENTS:
        raise chain.rpc.malformed(GET_LOGS, f"at most {MAX_EVENTS} events of one kind")
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


def _decoded(chain: Web3Chain, entry: Mapping[str, Json], types: list[str]) -> tuple[Any, ...]:
    """The words that are no topics; `setId` is the third topic of its event."""
    rpc, method = chain.rpc, GET_LOGS
    topics = b"".join(rpc.octets(method, topic, 32) for topic in rpc.items(method, entry.get("topics"))[2:])
    try:
        indexed = decode(types[: len(topics) // 32], topics)
        return (*indexed, *decode(types[len(indexed) :], rpc.octets(method, entry.get("data"))))
    except (DecodingError, OverflowError, ValueError):
        raise rpc.malformed(method, "an event of the registry") from None
