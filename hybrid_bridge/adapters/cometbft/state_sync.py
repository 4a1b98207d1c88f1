"""What the engine's home needs before it takes a snapshot: where to begin to believe, and no blocks of its own.

Source: CometBFT v0.38, docs/core/state-sync.md, config/config.go.
"""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hybrid_bridge.units import Digest, Height, Seconds

CONFIG: Final = "config/config.toml"
_SIGNED: Final = "priv_validator_state.json"  # what the consensus key has signed: never put back, never thrown away
_SECTION: Final = re.compile(r"^\[statesync\]$.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
LEAST_SERVERS: Final = 2  # the engine compares them


def with_state_sync(config: str, servers: Sequence[str], height: Height, block_hash: Digest, period: Seconds) -> str:
    """The engine's settings with the section that lets it take a snapshot, in place of any other.

    Args:
        config: as they are.
        servers: host:port of other engines' RPC.
        height: of the block that is believed.
        block_hash: what the engine calls that block.
        period: how old it may be.
    """
    entries: dict[str, object] = {
        "enable": True,
        "rpc_servers": ",".join(f"http://{server}" for server in servers),
        "trust_height": height,
        "trust_hash": block_hash.hex().upper(),
        "trust_period": f"{period}s",
        "discovery_time": "5s",
        "chunk_request_timeout": "10s",
        "chunk_fetchers": 4,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
    return "\n".join([_SECTION.sub("", config).rstrip("\n"), "[statesync]", *lines, ""])


def forget_blocks(home: Path) -> None:
    """The engine begins anew; what its key has signed stays."""
    for path in (home / "data").iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _SIGNED:
            path.unlink()
