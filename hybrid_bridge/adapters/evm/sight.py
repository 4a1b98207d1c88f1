"""What a verifier's own endpoints agree on about one public chain and one contract."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import AnswerMalformed, FieldMalformed, Missing, SettingsMalformed, Undecided
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.steps.verify import PublicSight
from hybrid_bridge.units import Address, ChainId, LogId, PublicBlockNumber

T = TypeVar("T")
_NO_CODE: Final = keccak256(b"")


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
    """One sight for each contract wanted on the endpoints' chain. An endpoint that fails has said nothing.

    Raises:
        FieldMalformed: one endpoint twice.
        SettingsMalformed: one that is no web address, or no contract at the address wanted.
        Missing: no contract is wanted there, or fewer endpoints agree, or are asked, than must.
    """
    endpoints = endpoints_at(urls)
    majority = len(endpoints) // 2 + 1
    asked = [said(Web3Chain(endpoint, Address(bytes(20))).chain_id) for endpoint in endpoints]
    chain_id = agreed("the chain id", majority, asked)  # one endpoint alone must not choose threshold and contract
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
        SettingsMalformed: they agree that no code stands at the contract's address.
        Missing: not so many of the endpoints agree.
    """
    if agreed("the chain id", needed, [said(chain.chain_id) for chain in chains]) != chain_id:
        raise Missing(what=f"endpoints that stay on chain {chain_id}")
    at = final_block(chains, needed)
    final = at.number
    hashes = {
        number: agreed(
            f"public block {number}", needed, [block_of(chain, PublicBlockNumber(number)) for chain in chains]
        ).hash
        for number in wanted.numbers
        if number <= final
    }
    return PublicSight(
        chain_id=chain_id,
        contract=chains[0].contract,
        basis=f"{callers(needed, len(chains))} it final",
        finalized_number=final,
        finalized_hashes=hashes,
        head=_agreed_head(chains, wanted.log_id, at, needed),
    )


def callers(needed: int, asked: int) -> str:
    """Whose word a statement is, up to what they call final."""
    return f"{needed} of {asked} endpoints that call" if asked > 1 else "one endpoint that calls"


def endpoints_at(urls: Sequence[str]) -> list[JsonRpc]:
    """The endpoints, each asked about once.

    Raises:
        FieldMalformed: one endpoint twice.
        SettingsMalformed: one that is no web address.
    """
    if len(set(urls)) != len(urls):
        raise FieldMalformed(field="--rpc", rule="each endpoint once; one cannot agree with itself")
    return [JsonRpc(f"endpoint {i}", url) for i, url in enumerate(urls, start=1)]


def final_block(chains: Sequence[Web3Chain], needed: int) -> PublicBlock:
    """The newest public block that `needed` of them call final.

    Raises:
        Missing: not so many agree.
    """
    final = _final([said(chain.finalized) for chain in chains], needed)
    return agreed(f"public block {final}", needed, [block_of(chain, final) for chain in chains])


def _final(answers: Sequence[PublicBlock | None], needed: int) -> PublicBlockNumber:
    """The newest number that `needed` of them call final: fewer than those cannot push it up."""
    numbers = sorted((block.number for block in answers if block is not None), reverse=True)
    if len(numbers) < needed:
        raise Missing(what=_lacking("what is final", needed, answers))
    return numbers[needed - 1]


def _agreed_head(chains: Sequence[Web3Chain], log_id: LogId, at: PublicBlock, needed: int) -> Head:
    try:
        return agreed("the log's head", needed, [said(partial(chain.head, log_id, at)) for chain in chains])
    except Missing:
        require_code(chains, at, needed)
        raise


def require_code(chains: Sequence[Web3Chain], at: PublicBlock, needed: int) -> None:
    """Return unless enough endpoints agree that nothing stands where the contract should.

    Raises:
        SettingsMalformed: they do.
    """
    codes = [said(partial(chain.code_hash, at.hash)) for chain in chains]
    if codes.count(_NO_CODE) >= needed:
        rule = f"the address of a contract: there is no code at 0x{chains[0].contract.hex()}"
        raise SettingsMalformed(key="--contract", rule=rule) from None


def block_of(chain: Web3Chain, number: PublicBlockNumber) -> PublicBlock | None:
    """The public block of that number, if the endpoint tells."""
    return said(partial(chain.block, number))


def said(ask: Callable[[], T]) -> T | None:
    """An endpoint's answer; None if it is away, refuses, lacks or no longer keeps it, or answers nonsense."""
    try:
        return ask()
    except (Undecided, AnswerMalformed):
        return None


def agreed(what: str, needed: int, answers: Sequence[T | None]) -> T:
    """The answer of at least `needed`, which are more than half.

    Raises:
        Missing: there is none.
    """
    value, count = next(iter(Counter(answer for answer in answers if answer is not None).most_common(1)), (None, 0))
    if value is None or count < needed:
        raise Missing(what=_lacking(what, needed, answers))
    return value


def _lacking(what: str, needed: int, answers: Sequence[object | None]) -> str:
    silent = ", ".join(f"endpoint {i}" for i, answer in enumerate(answers, start=1) if answer is None)
    agreeing = f"{needed} endpoints that agree on" if len(answers) > 1 else "an endpoint that tells"
    return f"{agreeing} {what}" + (f"; no such answer from {silent}" if silent else "")
