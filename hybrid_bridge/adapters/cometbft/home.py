"""The files the engine starts from: its genesis, its keys, the settings that matter. All else is the engine's default.

Validators have secp256k1 keys, one vote each. Addresses are left out, the engine fills them in. Times: block time lags
behind the clock by about a block; an idle chain makes an empty block from time to time, so that epochs close.
Source: CometBFT v0.38, docs/core/configuration.md.
"""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256K1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hybrid_bridge.errors import FieldMalformed
from hybrid_bridge.units import Height, LogId, UnixSeconds

MAX_BLOCK: Final = 2 << 20  # bytes of transactions in one block, as the embedded ledger has it
MAX_PEERS: Final = 256  # as many members as a directory has
CONFIG: Final = "config/config.toml"
_ID_DIGITS: Final = 40
_PEER: Final = re.compile(r"[0-9a-f]{40}@[0-9A-Za-z.:\[\]-]{1,200}:[0-9]{1,5}")
_PEERS: Final = re.compile(r"^persistent_peers = .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineGenesis:
    """What every node of one chain starts from."""

    chain_id: str
    log_id: LogId
    genesis_time: UnixSeconds
    initial_height: Height
    validators: Sequence[tuple[str, bytes]]  # name, compressed secp256k1 key

    def encode(self) -> bytes:
        """`genesis.json`."""
        document = {
            "genesis_time": datetime.fromtimestamp(self.genesis_time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "chain_id": self.chain_id,
            "initial_height": str(self.initial_height),
            "consensus_params": {
                "block": {"max_bytes": str(MAX_BLOCK), "max_gas": "-1"},
                "evidence": {
                    "max_age_num_blocks": "100000",
                    "max_age_duration": "172800000000000",
                    "max_bytes": "65536",
                },
                "validator": {"pub_key_types": ["secp256k1"]},
                "version": {"app": "1"},
                "abci": {"vote_extensions_enable_height": "0"},
            },
            "validators": [
                {"pub_key": _public("Secp256k1", key), "power": "1", "name": name} for name, key in self.validators
            ],
            "app_hash": "",
            "app_state": {"log_id": self.log_id.hex()},
        }
        return _json(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineNode:
    """One node: where it listens, whom it dials. Whom it lets in its application says."""

    listen: str  # host:port for peers
    rpc: str  # host:port for this member alone
    peers: Sequence[str]  # id@host:port

    def files(self, genesis: EngineGenesis, idle: int) -> dict[str, tuple[bytes, bool]]:
        """Content of each file of its home beside its keys, and whether it is secret.

        Args:
            genesis: of the chain.
            idle: seconds after which a block is made although nothing waits.
        """
        return {"config/genesis.json": (genesis.encode(), False), CONFIG: (self._config(idle), False)}

    def _config(self, idle: int) -> bytes:
        values: dict[str, dict[str, object]] = {
            "": {
                "abci": "socket",
                "moniker": self.listen,
                "db_backend": "goleveldb",
                "log_level": "error",
                "filter_peers": True,  # members alone: our node is asked of each that comes, by its key
            },
            "rpc": {"laddr": f"tcp://{self.rpc}", "max_body_bytes": 1 << 20, "pprof_laddr": ""},
            "p2p": {
                "laddr": f"tcp://{self.listen}",
                "persistent_peers": ",".join(self.peers),
                "pex": False,
                "max_num_inbound_peers": MAX_PEERS,
                "addr_book_strict": False,
                "allow_duplicate_ip": True,
                "flush_throttle_timeout": "10ms",
            },
            "mempool": {"recheck": True, "broadcast": True, "max_tx_bytes": 1 << 17},
            "consensus": {
                "timeout_propose": "1s",
                "timeout_commit": "200ms",
                "peer_gossip_sleep_duration": "10ms",
                "create_empty_blocks": False,
                "create_empty_blocks_interval": f"{idle}s",
                "double_sign_check_height": 0,
            },
            "tx_index": {"indexer": "null"},
            "storage": {"discard_abci_responses": False},
            "instrumentation": {"prometheus": False},
        }
        lines = []
        for section, entries in values.items():
            lines += [f"[{section}]"] if section else []
            lines += [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
        return ("\n".join(lines) + "\n").encode()


def key_files(node_key: bytes, consensus_key: bytes | None) -> dict[str, tuple[bytes, bool]]:
    """The files of an engine's keys, and what its consensus key has signed: nothing. Whether each is secret.

    Args:
        node_key: Ed25519 seed, the name under which peers know it.
        consensus_key: None for a node without a vote, which has one all the same that no validator set names.
    """
    consensus = consensus_key or sha256(b"no validator" + node_key).digest()
    return {
        "config/node_key.json": (_json({"priv_key": _private("Ed25519", _expanded(node_key))}), True),
        "config/priv_validator_key.json": (consensus_key_file(consensus), True),
        "data/priv_validator_state.json": (_json({"height": "0", "round": 0, "step": 0}), False),
    }


def with_peers(config: str, peers: Sequence[str]) -> str:
    """The engine's settings with these peers (id@host:port) in place of any other; it dials them at its next start."""
    return _PEERS.sub(f"persistent_peers = {json.dumps(','.join(peers))}", config)


def require_peer(text: str) -> str:
    """The id of an engine by which others dial it.

    Raises:
        FieldMalformed: not id@host:port.
    """
    if not _PEER.fullmatch(text):
        raise FieldMalformed(field="engine", rule="40 hex digits@host:port")
    return text[:_ID_DIGITS]


def public_key_of(consensus_key: bytes) -> bytes:
    """The compressed public key, 33 bytes."""
    secret = derive_private_key(int.from_bytes(consensus_key, "big"), SECP256K1())
    return secret.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def node_id(node_key: bytes) -> str:
    """Under which name peers dial a node: 40 hex digits, the first half of the hash of its public key."""
    return sha256(_expanded(node_key)[32:]).hexdigest()[:40]


def _expanded(seed: bytes) -> bytes:
    """Seed and public key, as Go keeps them."""
    return seed + Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def consensus_key_file(secret: bytes) -> bytes:
    """`priv_validator_key.json` for a consensus key."""
    public = _public("Secp256k1", public_key_of(secret))
    return _json({"address": "", "pub_key": public, "priv_key": _private("Secp256k1", secret)})


def _public(kind: str, key: bytes) -> dict[str, str]:
    return {"type": f"tendermint/PubKey{kind}", "value": b64encode(key).decode()}


def _private(kind: str, key: bytes) -> dict[str, str]:
    return {"type": f"tendermint/PrivKey{kind}", "value": b64encode(key).decode()}


def _json(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"
