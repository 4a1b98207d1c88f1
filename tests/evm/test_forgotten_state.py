"""geth as it comes: it keeps some 128 states. What a relayer sees of it when the final one is no longer among them."""

from collections.abc import Iterator
from typing import Any

import pytest

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.errors import StateForgotten
from hybrid_bridge.units import Address, LogId, PublicBlockNumber
from relayers.journal import Scope
from relayers.observe import Observer
from tests import engines
from tests.unit.relayers.builders import journal

pytestmark = [pytest.mark.evm, pytest.mark.engine, pytest.mark.slow]
KEPT = 128


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a geth with 140 public blocks, made as fast as it takes transactions, and the account that sent them."""
    child, url = engines.start_geth(tmp_path_factory.mktemp("geth"), period=0)
    account = engines.rpc(url, "eth_accounts")[0]
    for _ in range(KEPT + 12):
        sent = engines.rpc(url, "eth_sendTransaction", {"from": account, "to": account})
        child.until(lambda sent=sent: engines.rpc(url, "eth_getTransactionReceipt", sent), "a public block")
    yield url, account
    child.stop()


class Registry(Web3Chain):
    """As if a registry stood there with no log in it: the state asked for is that of the real node."""

    def head(self, log: LogId, at: Any) -> Any:
        self.nonce(self.contract, at)
        return "a head"


def test_an_observation_stands_without_the_final_state_and_names_the_endpoint(rich: tuple[str, str]) -> None:
    url, account = rich
    owner = Address(bytes.fromhex(account[2:]))
    chain = Registry(JsonRpc("ordinary", url), owner)
    with pytest.raises(StateForgotten) as caught:
        chain.nonce(owner, chain.block(PublicBlockNumber(chain.latest().number - KEPT - 2)))
    assert caught.value.endpoint == "ordinary"

    scope = Scope(
        chain_id=chain.chain_id(),
        genesis_hash=chain.block(PublicBlockNumber(0)).hash,
        contract=owner,
        log_id=LogId(bytes(32)),
        signer=owner,
    )
    observer = Observer(scope, (chain,), 1, KEPT + 5, PublicBlockNumber(0))
    view = observer.observe(journal(final_header=None))
    assert view.nonce >= KEPT
    assert (view.final.number, view.final_nonce) == (view.pinned.number - KEPT - 5, 0)
    assert "ordinary" in view.notes[0]
