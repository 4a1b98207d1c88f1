"""The same bytes on chains of other years: London and Paris have no PUSH0, Osaka is today's. From commands to an anchor.

The pinned geth serves no clique chain ("only supports PoS networks"): its oldest rules here are those of the merge, and
London is anvil's. Where `./infra/install.sh geth-clique` has built an older geth, a clique chain is one case more. That
the code has no newer instruction is a test of its own (`test_code`).
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm import keystore_signer
from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import deterministic_address
from hybrid_bridge.adapters.evm.keystore import open_keystore
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.adapters.evm.transact import Patience, transact
from hybrid_bridge.errors import ChainUnsuitable, StaleHead
from hybrid_bridge.testing.public_chain_behaviour import RegistrableLog
from hybrid_bridge.units import Address, UnixSeconds
from tests import engines
from tests.evm.terminal import User

pytestmark = [pytest.mark.evm, pytest.mark.engine]

NO_FACTORY = "--disable-default-create2-deployer"
QUICK = Patience(polls=40, every=0.25, sleep=time.sleep)


def london(folder: Path, _: Address) -> tuple[engines.Child, str]:
    return engines.start_anvil(folder, NO_FACTORY, hardfork="london")


def paris(folder: Path, rich: Address) -> tuple[engines.Child, str]:
    """The first rules after the merge, of geth: no PUSH0 yet."""
    old = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin")
    config = {f"{name}Block": 0 for name in (*old, "london", "mergeNetsplit")}
    return engines.start_geth(
        folder,
        genesis={
            "config": {"chainId": 7, "terminalTotalDifficulty": 0, **config},
            "difficulty": "0x0",
            "gasLimit": hex(30_000_000),
            "alloc": {"0x" + rich.hex(): {"balance": hex(10**19)}},
        },
    )


def osaka(folder: Path, _: Address) -> tuple[engines.Child, str]:
    return engines.start_anvil(folder, hardfork="osaka")


def clique(folder: Path, rich: Address) -> tuple[engines.Child, str]:
    return engines.start_clique(folder, rich)


CHAINS = [london, paris, osaka, *([clique] if engines.place("geth-clique").exists() else [])]


@pytest.fixture(params=CHAINS, ids=lambda start: start.__name__)
def outsider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[User]:
    made = User(tmp_path_factory.mktemp(request.param.__name__))
    private = open_keystore(made.key, lambda: "secret")  # scrypt once, not in each command
    monkeypatch.setattr(keystore_signer, "open_keystore", lambda *_: private)
    child, made.url = request.param(made.folder, made.address)
    if request.param in (london, osaka):
        engines.rpc(made.url, "anvil_setBalance", "0x" + made.address.hex(), hex(10**19))
    yield made
    child.stop()


def test_deployed_verified_registered_and_anchored(outsider: User, request: pytest.FixtureRequest) -> None:
    made = outsider.json("deploy", *outsider.paying, "--yes", "--out", outsider.deployments)
    rules = request.node.callspec.id
    seen = {"paris": "london", "clique": "london"}.get(rules, rules)  # the merge brought no instruction of its own
    assert (made["chain"]["rules"], made["chain"]["factory"]) == (seen, rules == "osaka")
    usual = ["0x" + deterministic_address(artefact(name).creation_code).hex() for name in (REGISTRY, VERIFIER)]
    assert ([one["address"] for one in made["contracts"]] == usual) == (rules == "osaka")
    checked = outsider.json("verify", "--rpc", outsider.url, "--deployments", outsider.deployments)
    assert [one["code_hash"] for one in checked["contracts"]] == [one["code_hash"] for one in made["contracts"]]

    log = RegistrableLog(rules, UnixSeconds(int(time.time()) - 7200))
    genesis, entries = outsider.folder / "genesis.bin", outsider.folder / "entries.bin"
    genesis.write_bytes(log.genesis)
    entries.write_bytes(log.validators.encode_entries())
    what = ("--genesis", genesis, "--origin", log.origin, "--entries", entries, "--yes")
    where = ("--deployments", outsider.deployments)
    outsider.run("register", *outsider.paying, *where, *what)

    chain = Web3Chain(JsonRpc("chain", outsider.url), Address(bytes.fromhex(made["contracts"][0]["address"][2:])))
    signer = keystore_signer.KeystoreTransactionSigner.open(outsider.key, lambda: "secret")
    for older, newer in ((1, 5), (5, 6)):
        transact(chain, signer, chain.contract, anchor_calldata(log.update(older, newer)), QUICK)
    with pytest.raises(StaleHead):
        transact(chain, signer, chain.contract, anchor_calldata(log.update(5, 7)), QUICK)
    shown = outsider.json("status", "--rpc", outsider.url, *where, "--log", log.log_id.hex())
    assert (shown["heads"]["latest"]["tree_size"], shown["heads"]["latest"]["state"]) == (6, "active")
    assert (shown["finalized"] is None) == (rules == "clique")


def test_a_chain_without_a_base_fee_is_refused_before_anything_is_paid(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    user = User(tmp_path_factory.mktemp("berlin"))
    child, user.url = engines.start_anvil(user.folder, hardfork="berlin")
    user.run("deploy", *user.paying, "--yes", refused=ChainUnsuitable)
    assert engines.rpc(user.url, "eth_blockNumber") == "0x0"
    child.stop()
