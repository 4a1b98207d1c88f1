"""A devnet in this process with the registry deployed and one log anchored, asked without HTTP and lied about at will."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hybrid_bridge.adapters.evm.artefact import REGISTRY, artefact
from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.deploy import deploy, plan_deployment, register
from hybrid_bridge.adapters.evm.devnet import Devnet, DevnetSettings
from hybrid_bridge.adapters.evm.keystore_signer import KeystoreTransactionSigner
from hybrid_bridge.adapters.evm.rpc import JsonRpc, RpcError
from hybrid_bridge.adapters.evm.transact import Included, Patience, transact
from hybrid_bridge.core.encoding import Json, sha256
from hybrid_bridge.ports import AnchoredEvent
from hybrid_bridge.testing.public_chain_behaviour import RegistrableLog
from hybrid_bridge.units import PublicBlockNumber, UnixSeconds, Wei

NOW = 1_800_000_000
GAS_KEY = KeystoreTransactionSigner(sha256(b"a gas key for tests"))
Lie = Callable[[str, Any], Any]


class Direct(JsonRpc):
    """An endpoint that is a function call away. `lie` may change any result; `missing` methods do not exist."""

    def __init__(self, devnet: Devnet) -> None:
        super().__init__("direct", "http://127.0.0.1:9")
        self.devnet = devnet
        self.lie: Lie = lambda _, result: result
        self.missing: set[str] = set()

    def ask_raw(self, method: str, *params: Json) -> Json:
        name = "no_such_method" if method in self.missing else method
        request = {"jsonrpc": "2.0", "id": 1, "method": name, "params": params}
        answer = json.loads(self.devnet.serve(json.dumps(request).encode()))
        if "error" in answer:
            error = answer["error"]
            raise RpcError(error["code"], error["message"], bytes.fromhex(error.get("data", "0x")[2:]))
        result: Json = self.lie(method, answer["result"])
        return result


@dataclass
class World:
    """Registry, log, helpers to move both."""

    funds: int = 10**19
    clock: list[int] = field(default_factory=lambda: [NOW])

    def __post_init__(self) -> None:
        settings = DevnetSettings(period=0, funds=((GAS_KEY.address(), Wei(self.funds)),))
        self.devnet = Devnet(settings, lambda: UnixSeconds(self.clock[0]))  # never started: it is asked directly
        self.rpc = Direct(self.devnet)
        self.patience = Patience(polls=3, every=0.0, sleep=lambda _: self.mine())

    def mine(self) -> None:
        self.devnet.serve(b'{"id": 1, "method": "evm_mine", "params": []}')

    def deployed(self) -> "World":
        plan = plan_deployment(self.rpc, artefact(REGISTRY), GAS_KEY.address())
        self.chain = Web3Chain(self.rpc, deploy(self.rpc, plan, GAS_KEY, self.patience).address)
        self.log = RegistrableLog("world", UnixSeconds(NOW - 7200))
        register(
            self.chain,
            GAS_KEY,
            (self.log.genesis, self.log.origin, self.log.validators.encode_entries()),
            self.patience,
        )
        return self

    def anchor(self, older: int, newer: int) -> Included:
        data = anchor_calldata(self.log.update(older, newer))
        return transact(self.chain, GAS_KEY, self.chain.contract, data, self.patience)

    def event(self) -> AnchoredEvent:
        return self.chain.anchored(self.log.log_id, PublicBlockNumber(0), self.chain.latest().number)[-1]

    def close(self) -> None:
        self.devnet.stop()
