"""What a verifier's own endpoints agree on about one public chain and one contract."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.errors import FieldMalformed, Missing, NotYet
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.steps.verify import PublicSight
from hybrid_bridge.units import Address, ChainId, LogId, PublicBlockNumber

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for: a log in `contract`, or in those of the trust file by chain; hashes of public blocks.

    `thresholds`: how many endpoints must agree at least, by chain; more than half of those asked always must.
    """

    log_id: LogId
    contract: Address | None
    contracts: Mapping[int, tuple[Address, ...]]
    thresholds: Mapping[int, int]
    numbers: tuple[int, ...]


def look_all(urls: Sequence[str], wanted: Wanted) -> tuple[PublicSight, ...]:
    """One sight for each contract wanted on the endpoints' chain.

    Raises:
        FieldMalformed: one endpoint twice.
        Missing: no contract is wanted there, or fewer endpoints are asked than must agree.
    """
    if len(set(urls)) != len(urls):
        raise FieldMalformed(field="--rpc", rule="each endpoint once; one cannot agree with itself")
    endpoints = [JsonRpc(f"endpoint {i}", url) for i, url in enumerate(urls, start=1)]
    majority = len(endpoints) // 2 + 1
    asked = [Web3Chain(endpoint, Address(bytes(20))).chain_id() for endpoint in endpoints]
    chain_id = _agreed("the chain id", majority, asked)  # one endpoint alone must not choose threshold and contract
    contracts = wanted.contracts.get(chain_id, ()) if wanted.contract is None else (wanted.contract,)
    if not contracts:
        raise Missing(what=f"--contract, or a trust file that names a contract on chain {chain_id}")
    needed = max(majority, wanted.thresholds.get(chain_id, 0))
    if len(endpoints) < needed:
        raise Missing(what=f"{needed} endpoints of chain {chain_id}, as the trust file's threshold asks")
    return tuple(_look([Web3Chain(e, contract) for e in endpoints], chain_id, wanted, needed) for contract in contracts)


def _look(chains: Sequence[Web3Chain], chain_id: ChainId, wanted: Wanted, needed: int) -> PublicSight:
    """Final public blocks of these numbers and the log's head, as at least `needed` of the endpoints see them.

    A number that is not final yet is left out: it is then undecided, not wrong.

    Raises:
        Missing: not so many of the endpoints agree.
        Unreachable, AnswerMalformed: an endpoint fails; name fewer endpoints, or others.
    """
    if _agreed("the chain id", needed, [chain.chain_id() for chain in chains]) != chain_id:
        raise Missing(what=f"endpoints that stay on chain {chain_id}")
    # The newest number that `needed` of them call final: fewer than those cannot push it up.
    final = PublicBlockNumber(sorted((chain.finalized().number for chain in chains), reverse=True)[needed - 1])
    at = _agreed(f"public block {final}", needed, [_block(chain, final) for chain in chains])
    hashes = {
        number: _agreed(
            f"public block {number}", needed, [_block(chain, PublicBlockNumber(number)) for chain in chains]
        ).hash
        for number in wanted.numbers
        if number <= final
    }
    many = f"{needed} of {len(chains)} endpoints" if len(chains) > 1 else "one endpoint"
    return PublicSight(
        chain_id=chain_id,
        contract=chains[0].contract,
        basis=f"finalized at {many}",
        finalized_number=final,
        finalized_hashes=hashes,
        head=_agreed("the log's head", needed, [_head(chain, wanted.log_id, at) for chain in chains]),
    )


def _block(chain: Web3Chain, number: PublicBlockNumber) -> PublicBlock | None:
    try:
        return chain.block(number)
    except NotYet:
        return None


def _head(chain: Web3Chain, log_id: LogId, at: PublicBlock) -> Head | None:
    """None of an endpoint that does not have, or no longer keeps, the state of `at`: others may."""
    try:
        return chain.head(log_id, at)
    except NotYet:
        return None


def _agreed(what: str, needed: int, answers: Sequence[T | None]) -> T:
    """The answer of at least `needed`, which are more than half.

    Raises:
        Missing: there is none.
    """
    value, count = next(iter(Counter(answer for answer in answers if answer is not None).most_common(1)), (None, 0))
    if value is None or count < needed:
        silent = ", ".join(f"endpoint {i}" for i, answer in enumerate(answers, start=1) if answer is None)
        raise Missing(what=f"{needed} endpoints that agree on {what}" + (f"; not there at {silent}" if silent else ""))
    return value
