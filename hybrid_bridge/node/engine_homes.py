"""What founders agree about their consensus engines: the chain's name, where each listens, the home it starts from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.cometbft.home import EngineGenesis, EngineNode, node_id
from hybrid_bridge.core.genesis import Genesis, origin_hash
from hybrid_bridge.errors import SettingsMalformed
from hybrid_bridge.node.directory import Member
from hybrid_bridge.node.settings import ENGINE_HOME, require_endpoint, require_loopback

MAX_IDLE: Final = 10  # seconds after which an idle engine makes a block, so that epochs close
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
        require_endpoint(address.peers, "members.engine")
        require_loopback(address.rpc, "members.engine_rpc")
    if len({address.peers for address in found}) < len(found):
        raise SettingsMalformed(key="members.engine", rule="an address of its own for each")
    return f"hb-{origin_hash(origin).hex()[:16]}"


def key_names(roles: Sequence[str]) -> list[str]:
    """Which keys an engine needs."""
    return [NODE] + [CONSENSUS] * ("validator" in roles)


def homes(
    chain: str,
    genesis: Genesis,
    members: Sequence[Member],
    at: Mapping[str, EngineAddress],
    keys: Mapping[str, Mapping[str, bytes]],
) -> dict[str, dict[str, tuple[bytes, bool]]]:
    """Each member's home of the engine: content of its files by their path in the member's folder, and if it is secret.

    Args:
        chain: its name.
        genesis: of the log.
        members: all, in order.
        at: where each one's engine listens, by name.
        keys: each one's, by name.
    """
    begun = EngineGenesis(
        chain_id=chain,
        log_id=genesis.log_id,
        genesis_time=genesis.genesis_time,
        initial_height=genesis.first_block,
        validators=[(member.name, member.consensus_key) for member in members if member.consensus_key is not None],
    )
    dialled = {name: f"{node_id(keys[name][NODE])}@{where.peers}" for name, where in at.items()}
    found = {}
    for name, where in at.items():
        node = EngineNode(
            node_key=keys[name][NODE],
            consensus_key=keys[name].get(CONSENSUS),
            listen=where.peers,
            rpc=where.rpc,
            peers=[peer for other, peer in dialled.items() if other != name],
        )
        files = node.files(begun, max(1, min(MAX_IDLE, genesis.cadence // 6)))
        found[name] = {f"{ENGINE_HOME}/{path}": file for path, file in files.items()}
    return found
