"""What a verifier's own endpoints agree on about one public chain and one contract."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.errors import Missing, NotYet
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.steps.verify import PublicSight
from hybrid_bridge.units import Address, LogId, PublicBlockNumber

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to look for: a log in `contract`, or in those of the trust file by chain; hashes of public blocks."""

    log_id: LogId
    contract: Address | None
    contracts: Mapping[int, tuple[Address, ...]]
    numbers: tuple[int, ...]


def look_all(urls: Sequence[str], wanted: Wanted) -> tuple[PublicSight, ...]:
    """One sight for each contract wanted on the endpoints' chain.

    Raises:
        Missing: no contract is wanted there.
    """
    endpoints = [JsonRpc(f"endpoint {i}", url) for i, url in enumerate(urls, start=1)]
    chain_id = Web3Chain(endpoints[0], Address(bytes(20))).chain_id()
    contracts = wanted.contracts.get(chain_id, ()) if wanted.contract is None else (wanted.contract,)
    if not contracts:
        raise Missing(what=f"--contract, or a trust file that names a contract on chain {chain_id}")
    return tuple(look(endpoints, contract, wanted.log_id, wanted.numbers) for contract in contracts)


def look(endpoints: Sequence[JsonRpc], contract: Address, log_id: LogId, numbers: Sequence[int]) -> PublicSight:
    """Final public blocks of these numbers and the log's head, as more than half of the endpoints see them.

    A number that is not final yet is left out: it is then undecided, not wrong.

    Raises:
        Missing: no majority of the endpoints agrees.
        Unreachable, AnswerMalformed: an endpoint fails; name fewer endpoints, or others.
    """
    chains = [Web3Chain(endpoint, contract) for endpoint in endpoints]
    chain_id = _agreed("the chain id", [chain.chain_id() for chain in chains])
    final = PublicBlockNumber(sorted(chain.finalized().number for chain in chains)[(len(chains) - 1) // 2])
    at = _agreed(f"public block {final}", [_block(chain, final) for chain in chains])
    hashes = {
        number: _agreed(f"public block {number}", [_block(chain, PublicBlockNumber(number)) for chain in chains]).hash
        for number in numbers
        if number <= final
    }
    return PublicSight(
        chain_id=chain_id,
        contract=contract,
        basis="finalized at one endpoint"
        if len(chains) == 1
        else f"finalized at more than half of {len(chains)} endpoints",
        finalized_number=final,
        finalized_hashes=hashes,
        head=_agreed("the log's head", [chain.head(log_id, at) for chain in chains]),
    )


def _block(chain: Web3Chain, number: PublicBlockNumber) -> PublicBlock | None:
    try:
        return chain.block(number)
    except NotYet:
        return None


def _agreed(what: str, answers: Sequence[T | None]) -> T:
    """The answer of more than half.

    Raises:
        Missing: there is none.
    """
    value, count = Counter(answers).most_common(1)[0]
    if value is None or 2 * count <= len(answers):
        raise Missing(what=f"a majority of endpoints that agree on {what}")
    return value
