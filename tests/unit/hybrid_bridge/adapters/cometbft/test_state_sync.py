"""The engine's home before it takes a snapshot."""

import tomllib
from pathlib import Path

from hybrid_bridge.adapters.cometbft.state_sync import forget_blocks, with_state_sync
from hybrid_bridge.units import Digest, Height, Seconds

HASH = Digest(bytes(range(32)))
CONFIG = 'abci = "socket"\n[rpc]\nladdr = "tcp://127.0.0.1:1"\n[statesync]\nenable = false\ntrust_height = 3\n[tx_index]\nindexer = "null"\n'


def test_the_section_takes_the_place_of_any_other_and_leaves_the_rest() -> None:
    once = with_state_sync(CONFIG, ["127.0.0.1:2", "127.0.0.1:3"], Height(7), HASH, Seconds(60))
    again = with_state_sync(once, ["127.0.0.1:4", "127.0.0.1:5"], Height(8), HASH, Seconds(60))
    found = tomllib.loads(again)
    assert found["statesync"] == {
        "enable": True,
        "rpc_servers": "http://127.0.0.1:4,http://127.0.0.1:5",
        "trust_height": 8,
        "trust_hash": HASH.hex().upper(),
        "trust_period": "60s",
        "discovery_time": "5s",
        "chunk_request_timeout": "10s",
        "chunk_fetchers": 4,
    }
    assert {name: found[name] for name in ("abci", "rpc", "tx_index")} == {
        "abci": "socket",
        "rpc": {"laddr": "tcp://127.0.0.1:1"},
        "tx_index": {"indexer": "null"},
    }


def test_blocks_are_forgotten_and_what_was_signed_is_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "blockstore.db").mkdir(parents=True)
    (data / "blockstore.db" / "000001.log").write_bytes(b"blocks")
    (data / "cs.wal").mkdir()
    (data / "left.tmp").touch()
    (data / "priv_validator_state.json").write_text('{"height": "7"}')
    forget_blocks(tmp_path)
    forget_blocks(tmp_path)
    assert [path.name for path in data.iterdir()] == ["priv_validator_state.json"]
    assert (data / "priv_validator_state.json").read_text() == '{"height": "7"}'
