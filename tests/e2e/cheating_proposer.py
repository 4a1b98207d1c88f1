"""A node of the real parts that proposes transactions of keys which nobody knows, and votes for what it proposes: FOLDER.

Each key is new, each signature true. The ids of what was proposed stand in the folder's file `strangers`.
"""

import secrets
import sys
from pathlib import Path

from hybrid_bridge.core.keys import PrivateKey
from hybrid_bridge.core.transaction import SignedTransaction
from hybrid_bridge.node import engine, running
from hybrid_bridge.rpc.cometbft.tendermint.abci import types_pb2 as pb
from tests.governing import governed

STRANGERS = 3
FILE = "strangers"


class Cheating(engine.EngineApplication):
    """Everything real but its proposals and its eye on them."""

    def prepare_proposal(self, request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        honest, view = super().prepare_proposal(request), self._view
        record = next(data for _, _, data in view.ledger.governance(0))
        made: list[SignedTransaction] = []
        for _ in range(STRANGERS):
            key = PrivateKey.from_seed(secrets.token_bytes(32))
            made.append(governed(view.directory.log_id, record, [key], 0))
        with (Path(sys.argv[1]) / FILE).open("a") as file:
            file.writelines(f"{one.body.transaction_id.hex()}\n" for one in made)
        return pb.ResponsePrepareProposal(txs=[*honest.txs, *(one.encode() for one in made)])

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        super().process_proposal(request)
        return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.ACCEPT)


if __name__ == "__main__":
    running.EngineApplication = Cheating  # type: ignore[misc]
    running.run_node(Path(sys.argv[1]), lambda _port: None)
