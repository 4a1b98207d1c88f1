from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_bridge.adapters.evm.deploy import Deployment
from hybrid_bridge.adapters.evm.deployments import Known, deployed, read_deployments, write_deployments
from hybrid_bridge.errors import SettingsMalformed, Unknown
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import (
    Address,
    ChainId,
    Digest,
    PublicBlockHash,
    PublicBlockNumber,
    TxHash,
    UnixSeconds,
)

MADE = Deployment(
    chain_id=ChainId(31337),
    contract="AnchorRegistry",
    address=Address(b"\xc0" * 20),
    code_hash=Digest(b"\xab" * 32),
    public_block=PublicBlock(
        PublicBlockNumber(7), PublicBlockHash(b"\x77" * 32), PublicBlockHash(b"\x66" * 32), UnixSeconds(1)
    ),
    transaction=TxHash(b"\x44" * 32),
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deployments.json"
    write_deployments(path, [MADE, replace(MADE, contract="ProofVerifier", transaction=None)])
    assert deployed(path, ChainId(31337), "AnchorRegistry") == Known(
        MADE.chain_id, "AnchorRegistry", MADE.address, MADE.code_hash
    )
    with pytest.raises(Unknown):
        deployed(path, ChainId(1), "AnchorRegistry")


def test_a_second_deployment_replaces_its_entry_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "deployments.json"
    write_deployments(path, [MADE, replace(MADE, chain_id=ChainId(1))])
    write_deployments(path, [replace(MADE, address=Address(b"\xc1" * 20))])
    assert [(k.chain_id, k.address[:1]) for k in read_deployments(path)] == [(1, b"\xc0"), (31337, b"\xc1")]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"deployments": 5}', '{"deployments": [5]}', '{"deployments": [{}]}',
     '{"deployments": [{"chain_id": "1", "contract": "A", "address": "0x", "code_hash": "0x"}]}',
     '{"deployments": [{"chain_id": 1, "contract": "A", "address": "0x11", "code_hash": "0x22"}]}',
     '{"deployments": [{"chain_id": 1, "contract": "A", "address": "zz", "code_hash": "0x22"}]}',
     '{"deployments": [{"chain_id": 1, "contract": "A", "address": 5, "code_hash": "0x22"}]}'],
)  # fmt: skip
def test_a_file_of_another_shape_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "deployments.json"
    path.write_text(text)
    with pytest.raises(SettingsMalformed):
        read_deployments(path)
    with pytest.raises(SettingsMalformed):
        write_deployments(path, [MADE])
    assert path.read_text() == text


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsMalformed):
        read_deployments(tmp_path / "none.json")
