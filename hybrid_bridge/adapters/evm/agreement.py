"""Several endpoints of one public chain, held to one public block that enough of them call final."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.sight import agreed, callers, endpoints_at, final_block, said
from hybrid_bridge.errors import Missing
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Address, ChainId

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whom to ask, how many must give the same answer, and as of which public block."""

    chains: tuple[Web3Chain, ...]
    needed: int
    chain_id: ChainId
    at: PublicBlock

    @property
    def contract(self) -> Address:
        """The registry that is asked about."""
        return self.chains[0].contract

    @property
    def basis(self) -> str:
        """What a statement of the contract rests on."""
        return f"{callers(self.needed, len(self.chains))} public block {self.at.number} final"

    def all_say(self, what: str, ask: Callable[[Web3Chain], T]) -> T:
        """The answer of enough of them.

        Raises:
            Missing: there is none.
        """
        return agreed(what, self.needed, [said(partial(ask, chain)) for chain in self.chains])


def agreement_of(urls: Sequence[str], contract: Address | None, thresholds: Mapping[int, int]) -> Agreement:
    """Ask the endpoints which chain they are of, and what is final.

    Args:
        urls: of endpoints of one public chain, each once.
        contract: the registry; None: at its usual address.
        thresholds: how many endpoints must agree at least, by chain; more than half always must.

    Raises:
        FieldMalformed, SettingsMalformed: an endpoint twice, or no web address.
        Missing: fewer endpoints agree, or are asked, than must.
    """
    address = contract or deterministic_address(artefact(REGISTRY).creation_code)
    chains = tuple(Web3Chain(endpoint, address) for endpoint in endpoints_at(urls))
    majority = len(chains) // 2 + 1
    chain_id = agreed("the chain id", majority, [said(chain.chain_id) for chain in chains])
    needed = max(majority, thresholds.get(chain_id, 0))
    if len(chains) < needed:
        raise Missing(what=f"{needed} endpoints of chain {chain_id}, as the trust file's threshold asks")
    return Agreement(chains=chains, needed=needed, chain_id=chain_id, at=final_block(chains, needed))
