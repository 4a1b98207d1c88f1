"""A client's line: nothing but our errors leaves it, whatever becomes of the channel."""

import grpc
import pytest

from hybrid_bridge.errors import Unreachable
from hybrid_bridge.rpc.channel import Line
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.rpc.v1 import bridge_pb2_grpc as stubs


def test_on_a_channel_that_another_thread_has_closed_nobody_is_reached() -> None:
    """A peer that leaves is let go while its loop asks: the loop ends by itself, the node goes on."""
    channel = grpc.insecure_channel("127.0.0.1:1")
    log, ledger = stubs.LogStub(channel), stubs.LedgerStub(channel)
    channel.close()
    line = Line("bank-b", 1.0)
    with pytest.raises(Unreachable) as caught:
        line.ask(log.Checkpoint, pb.CheckpointRequest(size=2))
    assert caught.value.endpoint == "bank-b"
    with pytest.raises(Unreachable):
        list(line.stream(ledger.Blocks, pb.BlocksRequest(first_height=1), 1.0))
