"""Several endpoints of one public chain, held to one public block that enough of them call final."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from hybrid_bridge.adapters.evm.abreast import Circle
from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.sight import callers, chain_id_of, endpoints_at, final_block
from hybrid_bridge.errors import Missing
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Address, ChainId

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Whom to ask, how many must give the same answer, and as of which public block."""

    circle: Circle
    needed: int
    chain_id: ChainId
    at: PublicBlock

    @property
    def chains(self) -> tuple[Web3Chain, ...]:
        """The contract behind each endpoint."""
        return self.circle.chains

    @property
    def contract(self) -> Address:
        """The registry that is asked about."""
        return self.chains[0].contract

    @property
    def basis(self) -> str:
        """What a statement of the contract rests on."""
        return f"{callers(self.needed, len(self.chains))} public block {self.at.number} final"

    def all_say(self, what: str, ask: Callable[[Web3Chain], T | None]) -> T:
        """The answer of enough of them.

        Raises:
            Missing: there is none.
        """
        return self.circle.agree(what, self.needed, ask)


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
    circle = Circle([Web3Chain(endpoint, address) for endpoint in endpoints_at(urls)])
    majority = len(circle.chains) // 2 + 1
    chain_id = chain_id_of(circle, majority)
    needed = max(majority, thresholds.get(chain_id, 0))
    if len(circle.chains) < needed:
        raise Missing(what=f"{needed} endpoints of chain {chain_id}, as the trust file's threshold asks")
    return Agreement(circle=circle, needed=needed, chain_id=chain_id, at=final_block(circle, needed))
