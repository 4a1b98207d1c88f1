"""A validator's guard, restored, beside the public chain: `guard import --floor-from-network --rpc`."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.record import MAX_CALLDATA, PublicRecord
from hybrid_bridge.adapters.grpc_member.log import NotedCheckpoint
from hybrid_bridge.adapters.grpc_member.peer import GrpcPeer
from hybrid_bridge.cli.guard import command as guard_command
from hybrid_bridge.core.attestation import signature_within
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.errors import Missing, NotYet, RootMismatch, TooLong, UnknownLog
from hybrid_bridge.ports import Head
from hybrid_bridge.rpc.v1 import bridge_pb2 as pb
from hybrid_bridge.units import Address, Digest, KeyId, LogId, SetId, TreeSize, TxHash, UnixSeconds
from tests.evm.town import Town

pytestmark = pytest.mark.evm

UNREGISTERED = Head(
    tree_size=TreeSize(0), root=Digest(bytes(32)), timestamp=UnixSeconds(0), anchored_at=UnixSeconds(0),
    set_id=SetId(0), next_from_size=TreeSize(0), paused_until=UnixSeconds(0), state="unknown",
)  # fmt: skip


class Member:
    """Another member of the town over no wire: it knows the log up to a size."""

    def __init__(self, town: Town, name: str, size: int) -> None:
        self.name, self._town, self._size = name, town, size

    @property
    def log(self) -> "Member":
        return self

    def __enter__(self) -> "Member":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def proven_checkpoint(self, size: TreeSize) -> bytes:
        raise NotYet(what=f"a bundle of size {size}")  # none that shows another set

    def signatures(self, _address: Address, _signer: KeyId) -> pb.SignaturesResponse:
        return pb.SignaturesResponse()

    def newest_quorum_size(self) -> TreeSize:
        return TreeSize(self._size)

    def checkpoint(self, _size: TreeSize) -> NotedCheckpoint:
        return NotedCheckpoint(TreeSize(self._size), self._town.note(self._size).read_text(), ())

    def consistency_path(self, old: TreeSize, new: TreeSize) -> list[Digest]:
        return self._town.tree(new).consistency_path(old, new)


def guard_import(town: Town, size: int, patched: pytest.MonkeyPatch) -> Any:
    """Validator `a` asks the public chain, and the others, who know the log up to a size."""
    patched.setattr(GrpcPeer, "at", lambda name, _endpoint, _tls: Member(town, name, size))
    chain = ("--rpc", town.terminal.devnet.url, "--contract", town.chain.contract.hex())
    folder = ("--dir", town.folder / "nodes" / "a")
    arguments = ("import", "--floor-from-network", *folder, *chain, "--yes", "--json")
    return CliRunner().invoke(guard_command, [str(part) for part in arguments])


def floor_of(town: Town) -> int:
    shown = CliRunner().invoke(guard_command, ["status", "--dir", str(town.folder / "nodes" / "a"), "--json"])
    size: int = json.loads(shown.output)["floor"]["size"]
    return size


def test_a_guard_is_raised_to_no_less_than_the_public_chain_holds(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.anchor(8)
    assert isinstance(guard_import(town, 7, monkeypatch).exception, Missing)
    assert floor_of(town) == 1
    told = json.loads(guard_import(town, 9, monkeypatch).output)
    assert (told["floor"]["size"], told["answered"]) == (9, ["b", "c", "d"])
    assert floor_of(town) == 9


def test_members_with_another_history_than_the_public_chains_raise_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.anchor(8)
    town.leaves[6] = leaf_hash(b"what never was")
    assert isinstance(guard_import(town, 9, monkeypatch).exception, RootMismatch)
    assert floor_of(town) == 1


def test_a_log_that_the_contract_does_not_know_raises_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Web3Chain, "head", lambda self, _log, at: UNREGISTERED)
    assert isinstance(guard_import(town, 9, monkeypatch).exception, UnknownLog)
    assert floor_of(town) == 1


def test_the_public_record_shows_whose_signatures_made_the_newest_anchor(town: Town) -> None:
    record = PublicRecord(town.terminal.devnet.url, town.chain.contract)
    before = list(record.anchors(town.log_id))
    size = town.head.tree_size + 3
    town.anchor(size)
    newest, *older = record.anchors(town.log_id)
    assert (newest.tree_size, older) == (size, before)
    calldata, digest = record.calldata(newest.tx_hash), town.checkpoint(size).digest()
    for bit, address in enumerate(town.validators.addresses):
        found = signature_within(calldata, digest, address)
        assert (found is not None) is bool(newest.signers >> bit & 1)
    with pytest.raises(UnknownLog):
        next(record.anchors(LogId(bytes(32))))
    with pytest.raises(NotYet):
        record.calldata(TxHash(bytes(32)))


def test_calldata_longer_than_any_node_takes_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    record = PublicRecord("http://127.0.0.1:1", Address(bytes(20)))
    monkeypatch.setattr(record._chain.rpc, "ask", lambda *_: {"input": "0x" + "00" * (MAX_CALLDATA + 1)})
    with pytest.raises(TooLong):
        record.calldata(TxHash(bytes(32)))
