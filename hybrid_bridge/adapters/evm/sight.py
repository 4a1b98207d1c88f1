"""What a verifier's own endpoints agree on about one public chain and one contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.evm.abreast import Circle, lacking
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.errors import FieldMalformed, Missing, SettingsMalformed
from hybrid_bridge.ports import Head, PublicBlock
from hybrid_bridge.steps.verify import PublicSight
from hybrid_bridge.units import Address, ChainId, LogId, PublicBlockNumber

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
    nowhere = Circle([Web3Chain(endpoint, Address(bytes(20))) for endpoint in endpoints])
    chain_id = chain_id_of(nowhere, majority)  # one endpoint alone must not choose threshold and contract
    contracts = wanted.contracts.get(chain_id, ()) if wanted.contract is None else (wanted.contract,)
    if not contracts:
        raise Missing(what=f"--contract, or a trust file that names a contract on chain {chain_id}")
    needed = max(majority, wanted.thresholds.get(chain_id, 0))
    if len(endpoints) < needed:
        raise Missing(what=f"{needed} endpoints of chain {chain_id}, as the trust file's threshold asks")
    circles = (Circle([Web3Chain(endpoint, contract) for endpoint in endpoints]) for contract in contracts)
    return tuple(_look(circle, chain_id, wanted, needed) for circle in circles)


def _look(circle: Circle, chain_id: ChainId, wanted: Wanted, needed: int) -> PublicSight:
    """Final public blocks of these numbers and the log's head, as at least `needed` of the endpoints see them.

    A number that is not final yet is left out: it is then undecided, not wrong.

    Raises:
        SettingsMalformed: they agree that no code stands at the contract's address.
        Missing: not so many of the endpoints agree.
    """
    if chain_id_of(circle, needed) != chain_id:
        raise Missing(what=f"endpoints that stay on chain {chain_id}")
    at = final_block(circle, needed)
    final = at.number
    hashes = {
        number: block_at(circle, needed, PublicBlockNumber(number)).hash for number in wanted.numbers if number <= final
    }
    return PublicSight(
        chain_id=chain_id,
        contract=circle.chains[0].contract,
        basis=f"{callers(needed, len(circle.chains))} it final",
        finalized_number=final,
        finalized_hashes=hashes,
        head=_agreed_head(circle, wanted.log_id, at, needed),
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


def chain_id_of(circle: Circle, needed: int) -> ChainId:
    """Of which chain they are.

    Raises:
        Missing: not so many agree.
    """
    return circle.agree("the chain id", needed, lambda chain: chain.chain_id())


def final_block(circle: Circle, needed: int) -> PublicBlock:
    """The newest public block that `needed` of them call final.

    Raises:
        Missing: not so many agree.
    """
    return block_at(circle, needed, _final(circle.all_say(lambda chain: chain.finalized()), needed))


def _final(answers: Sequence[PublicBlock | None], needed: int) -> PublicBlockNumber:
    """The newest number that `needed` of them call final: fewer than those cannot push it up."""
    numbers = sorted((block.number for block in answers if block is not None), reverse=True)
    if len(numbers) < needed:
        raise Missing(what=lacking("what is final", needed, answers))
    return numbers[needed - 1]


def _agreed_head(circle: Circle, log_id: LogId, at: PublicBlock, needed: int) -> Head:
    try:
        return circle.agree("the log's head", needed, lambda chain: chain.head(log_id, at))
    except Missing:
        require_code(circle, at, needed)
        raise


def require_code(circle: Circle, at: PublicBlock, needed: int) -> None:
    """Return unless enough endpoints agree that nothing stands where the contract should.

    Raises:
        SettingsMalformed: they do.
    """
    codes = circle.all_say(lambda chain: chain.code_hash(at.hash))
    if codes.count(_NO_CODE) >= needed:
        rule = f"the address of a contract: there is no code at 0x{circle.chains[0].contract.hex()}"
        raise SettingsMalformed(key="--contract", rule=rule) from None


def block_at(circle: Circle, needed: int, number: PublicBlockNumber) -> PublicBlock:
    """The public block of that number.

    Raises:
        Missing: not so many agree.
    """
    return circle.agree(f"public block {number}", needed, lambda chain: chain.block(number))
