"""Who keeps a log's accounts, as a contract's events say: every validator set, the newest anchors, who signed each.

Several endpoints, one public block that more than half of them call final, and no answer that fewer than these give.
The genesis record proves itself by the log id; a signature proves itself; all else is the contract's word.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from hybrid_bridge.adapters.evm.abreast import said
from hybrid_bridge.adapters.evm.agreement import Agreement, agreement_of
from hybrid_bridge.adapters.evm.chain import LOG_SPAN, Web3Chain
from hybrid_bridge.adapters.evm.events import GET_LOGS, MAX_EVENTS, decoded, events_among, events_of, place_of
from hybrid_bridge.adapters.evm.rpc import data_json
from hybrid_bridge.core.attestation import Checkpoint, signers_within
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import Malformed, Missing, UnknownLog
from hybrid_bridge.ports import AnchoredEvent, Head, PublicBlock
from hybrid_bridge.units import Address, ChainId, Digest, LogId, PublicBlockNumber, SetId, TreeSize, TxHash

REGISTERED: Final = keccak256(b"Registered(bytes32,string,bytes)")
NAMED: Final = keccak256(b"ValidatorNamed(bytes32,uint64,address,string)")
VALIDATOR_SET: Final = keccak256(b"ValidatorSet(bytes32,uint64,bytes32,uint64,bytes)")
MAX_CALLDATA: Final = 1 << 17  # bytes; what nodes take of one transaction
WAIT: Final = 1.0  # seconds; an endpoint that serves shows a transaction in less
MAX_WAITS: Final = 8  # for an endpoint, in one reading of hundreds of transactions


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
class Founded:
    """What a log began with, where, and the sets that have been taken up since."""

    begins: PublicBlockNumber
    origin: str
    genesis: bytes
    sets: tuple[SetEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What enough endpoints agree on; `anchors` newest last, `calldata` of their transactions as far as any has it."""

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
    return kept_at(agreement_of(urls, contract, thresholds), log_id, newest=newest, since=since)


def kept_at(
    asked: Agreement,
    log_id: LogId,
    *,
    newest: int,
    since: PublicBlockNumber,
    known: Mapping[TxHash, bytes] | None = None,
) -> Kept:
    """As `keepers_at`, of endpoints that have agreed on a public block; `known`: calldata of an earlier look.

    Raises:
        Missing, UnknownLog: see `keepers_at`.
    """
    at = asked.at
    head = asked.all_say("the log's head", lambda chain: chain.head(log_id, at))
    if head.state == "unknown":
        raise UnknownLog(log_id=Digest(log_id))
    founded = founded_at(asked, log_id, since)
    begins, sets = founded.begins, founded.sets
    anchors = asked.all_say("the newest anchors", lambda chain: _anchors(chain, log_id, begins, at, newest))
    known_sets = readable(sets)
    spoken = all_of((event.tx_hash, _has_named(event, known_sets.get(event.set_id))) for event in anchors)
    return Kept(
        chain_id=asked.chain_id,
        contract=asked.contract,
        basis=asked.basis,
        at=at,
        head=head,
        origin=founded.origin,
        genesis=founded.genesis,
        sets=sets,
        anchors=anchors,
        calldata=calldata_of(asked.chains, spoken, known or {}),
    )


def founded_at(asked: Agreement, log_id: LogId, since: PublicBlockNumber) -> Founded:
    """The part of `kept_at` that changes with the sets alone.

    Raises:
        Missing: see `keepers_at`.
    """
    at = asked.at
    begins, origin, genesis = asked.all_say(
        "the log's registration", lambda chain: _registered(chain, log_id, since, at)
    )
    sets = asked.all_say("the validator sets", lambda chain: _sets(chain, log_id, since, at))
    return Founded(begins=begins, origin=origin, genesis=genesis, sets=sets)


Registered = tuple[PublicBlockNumber, str, bytes]  # where, the origin, the genesis record


def _registered(chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock) -> Registered:
    for entry in events_of(chain, REGISTERED, log_id, since, at):
        origin, genesis = decoded(chain, entry, ["string", "bytes"])
        return place_of(chain, entry).block_number, origin, genesis
    raise Missing(what=f"the log's registration at or after public block {since} (--from-block)")


def _sets(chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock) -> tuple[SetEvent, ...]:
    found = []
    for entry in events_of(chain, VALIDATOR_SET, log_id, since, at):
        set_id, set_hash, from_size, entries = decoded(chain, entry, ["uint64", "bytes32", "uint64", "bytes"])
        place = place_of(chain, entry)
        what = SetId(set_id), Digest(set_hash), TreeSize(from_size), entries
        found.append(SetEvent(*what, place.block_number, place.tx_hash))
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


def published_at(asked: Agreement, log_id: LogId, since: PublicBlockNumber) -> tuple[tuple[Address, bytes], ...]:
    """Attestation keys and the texts that anybody showed to the contract for them, each once: it hashed them.

    Raises:
        Missing: fewer endpoints agree than must.
    """
    return asked.all_say("published names", lambda chain: published(chain, log_id, since, asked.at))


def published(
    chain: Web3Chain, log_id: LogId, since: PublicBlockNumber, at: PublicBlock
) -> tuple[tuple[Address, bytes], ...]:
    """As `published_at`, of one endpoint. A text need not be UTF-8.

    Raises:
        AnswerMalformed: not the logs asked for, or more names than a log's sets have.
    """
    found: dict[tuple[Address, bytes], None] = {}
    for _, entry in events_among(chain, [NAMED], log_id, since, at):
        _, address, text = decoded(chain, entry, ["uint64", "address", "bytes"])
        found[Address(bytes.fromhex(address[2:])), text] = None
        if len(found) > MAX_EVENTS:
            raise chain.rpc.malformed(GET_LOGS, f"at most {MAX_EVENTS} names")
    return tuple(found)


Enough = Callable[[bytes], bool]  # whether in this calldata stands all that a transaction must have shown


def calldata_of(
    chains: Sequence[Web3Chain], wanted: Mapping[TxHash, Enough], known: Mapping[TxHash, bytes]
) -> dict[TxHash, bytes]:
    """What endpoints show, one after the other until it is enough.

    What counts in it are signatures, and nobody can make one up. So an endpoint that cuts or changes it hides nothing
    that another one shows; one that lets us wait for what is not enough is asked so often and no more. Of `known`, an
    earlier look, only what was enough is not asked for again.
    """
    found: dict[TxHash, bytes] = {}
    waits = Counter[int]()  # by the endpoint's place
    for tx, is_enough in sorted(wanted.items()):
        if tx in known and is_enough(known[tx]):
            found[tx] = known[tx]
            continue
        shown: list[bytes] = []
        for place, chain in enumerate(chains):
            if waits[place] == MAX_WAITS:
                continue
            begun = time.monotonic()
            data = said(partial(_input, chain, tx))
            lasted = time.monotonic() - begun
            if data is not None and data not in shown:
                shown.append(data)
                found[tx] = b"".join(part + bytes(-len(part) % 4) for part in shown)  # signatures stand at whole words
                if is_enough(found[tx]):
                    break
            waits[place] += lasted >= WAIT
    return found


def all_of(judges: Iterable[tuple[TxHash, Enough]]) -> dict[TxHash, Enough]:
    """Of a transaction that did several things, all that was shown for each of them."""
    found: dict[TxHash, list[Enough]] = {}
    for tx, is_enough in judges:
        found.setdefault(tx, []).append(is_enough)
    return {tx: partial(_every, several) for tx, several in found.items()}


def _every(several: Sequence[Enough], data: bytes) -> bool:
    return all(is_enough(data) for is_enough in several)


def readable(sets: Iterable[SetEvent]) -> dict[SetId, ValidatorSet]:
    """The sets of these events. One that cannot be read is left out here: it is refused where sets are judged."""
    found = {}
    for event in sets:
        with suppress(Malformed):
            found[event.set_id] = ValidatorSet.decode_entries(event.set_id, event.entries)
    return found


def _has_named(event: AnchoredEvent, validators: ValidatorSet | None) -> Enough:
    """The signatures of all whom the event names. Of a set that is not known there is nothing more to look for."""
    if validators is None:
        return lambda _: True
    named = frozenset(address for i, address in enumerate(validators.addresses) if event.signers >> i & 1)
    digest = Checkpoint(
        log_id=event.log_id,
        tree_size=event.tree_size,
        root=event.root,
        timestamp=event.timestamp,
        set_id=event.set_id,
        set_hash=validators.digest,
    ).digest()
    return lambda data: named <= signers_within(data, digest, named)


def _input(chain: Web3Chain, tx: TxHash) -> bytes | None:
    method, rpc = "eth_getTransactionByHash", chain.rpc
    answer = rpc.ask(method, data_json(tx))
    data = b"" if answer is None else rpc.octets(method, rpc.members(method, answer).get("input"))
    return data if 0 < len(data) <= MAX_CALLDATA else None
