"""Members' consensus engines: the chain's name, where each listens, the home it starts from, whom it lets in.

Source: CometBFT v0.38, spec/abci/abci++_app_requirements.md (peer filtering); ADR 33, 44.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hybrid_bridge.adapters.cometbft.home import (
    CONFIG,
    EngineGenesis,
    EngineNode,
    key_files,
    node_id,
    require_peer,
    with_peers,
)
from hybrid_bridge.adapters.sqlite.file import write_whole
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.directory import Directory, Member
from hybrid_bridge.node.settings import ENGINE_HOME, require_endpoint, require_loopback

MAX_IDLE: Final = 10  # seconds after which an idle engine makes a block, so that epochs close
BY_ID: Final = "/p2p/filter/id/"  # how the engine asks its application of a peer
NODE, CONSENSUS = "node", "consensus"  # its keys; the second is a validator's


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """Where a member's consensus engine listens: for the others, and for this member alone. Both host:port."""

    peers: str
    rpc: str


def chain_name(origin: str, addresses: Sequence[EngineAddress | None]) -> str | None:
    """What the engines call the chain; None for the embedded ledger, where nobody has one.

    Raises:
        SettingsMalformed: some have one and some have none; no address, or one that two share; an RPC for others, too,
            which asks nobody who they are.
    """
    found = [address for address in addresses if address is not None]
    if not found:
        return None
    if len(found) < len(addresses):
        raise SettingsMalformed(key="members.engine", rule="every member's, or nobody's")
    for address in found:
        require_engine_address(address)
    if len({address.peers for address in found}) < len(found):
        raise SettingsMalformed(key="members.engine", rule="an address of its own for each")
    return f"hb-{origin_hash(origin).hex()[:16]}"


def require_engine_address(address: EngineAddress) -> None:
    """Return if others can reach the one and this machine alone the other.

    Raises:
        SettingsMalformed: they cannot, or can.
    """
    require_endpoint(address.peers, "members.engine")
    require_loopback(address.rpc, "members.engine_rpc")


def key_names(roles: Sequence[str]) -> list[str]:
    """Which keys an engine needs."""
    return [NODE] + [CONSENSUS] * ("validator" in roles)


def dialled(keys: Mapping[str, bytes], address: str) -> str:
    """How others dial an engine with these keys: id@host:port."""
    return f"{node_id(keys[NODE])}@{address}"


def key_home(keys: Mapping[str, bytes]) -> dict[str, tuple[bytes, bool]]:
    """The files of an engine's keys by their path in the member's folder, and whether each is secret."""
    return _placed(key_files(keys[NODE], keys.get(CONSENSUS)))


def home(
    chain: str, genesis: Genesis, founders: Sequence[Member], peers: Sequence[str], at: EngineAddress
) -> dict[str, tuple[bytes, bool]]:
    """The other files of a member's home of the engine, likewise.

    Args:
        chain: its name.
        genesis: of the log.
        founders: all, in order: the engine's genesis names those that voted first.
        peers: whom it dials.
        at: where it listens itself.
    """
    begun = EngineGenesis(
        chain_id=chain,
        log_id=genesis.log_id,
        genesis_time=genesis.genesis_time,
        initial_height=genesis.first_block,
        validators=[(member.name, member.consensus_key) for member in founders if member.consensus_key is not None],
    )
    node = EngineNode(listen=at.peers, rpc=at.rpc, peers=peers)
    return _placed(node.files(begun, max(1, min(MAX_IDLE, genesis.cadence // 6))))


def _placed(files: Mapping[str, tuple[bytes, bool]]) -> dict[str, tuple[bytes, bool]]:
    return {f"{ENGINE_HOME}/{path}": file for path, file in files.items()}


def keep_peers(folder: Path, peers: Sequence[str]) -> None:
    """Whom our engine dials from its next start on; again is no change."""
    path = folder / ENGINE_HOME / CONFIG
    before = path.read_text("utf-8")
    if (after := with_peers(before, peers)) != before:
        write_whole(path, after.encode())


def admitted(directory: Directory, path: str) -> bool:
    """Whether an engine may be our engine's peer, which asks by a path: by address anybody, by id a member's alone."""
    if not path.startswith(BY_ID):
        return True
    return path.removeprefix(BY_ID) in {require_peer(peer) for peer in directory.engines}
