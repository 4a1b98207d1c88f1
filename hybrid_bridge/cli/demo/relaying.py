"""The settings of a relayer in the demo, as its operator would write them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_bridge.cli.demo.founding import Founded
from hybrid_bridge.units import Address, ChainId


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFacts:
    """What a relayer is told of the public chain and of its own gas key there."""

    url: str
    chain_id: ChainId
    genesis_hash: str
    contract: Address
    keystore: Path
    password: Path
    signer: Address
    operators: Sequence[Address]


def relayer_settings(founded: Founded, name: str, chain: ChainFacts) -> str:
    """`relayer.toml`; paths are absolute, so that it can be run from anywhere."""
    consortium = founded.consortium.resolve()
    client = consortium / "clients" / name
    validators = (member for member in founded.directory.members if "validator" in member.roles)
    members = "\n".join(f'{member.name} = "{member.endpoint}"' for member in validators)
    operators = ", ".join(f'"0x{operator.hex()}"' for operator in chain.operators)
    return f"""\
journal = "sqlite:///journal.db"
tick_seconds = 1

[log]
id = "0x{founded.directory.log_id.hex()}"
genesis = "{consortium}/public/genesis.bin"
anchor_every = 1
delay_seconds = 1
sets = [{{ id = 1, from_size = 1, entries = "{consortium}/public/entries.bin" }}]
tls = {{ ca = "{client}/ca.pem", certificate = "{client}/tls.pem", key = "file:{client}/tls.key" }}

[log.members]
{members}

[[chain]]
name = "public chain"
chain_id = {chain.chain_id}
genesis_hash = "{chain.genesis_hash}"
contract = "0x{chain.contract.hex()}"
first_block = 0
finality = "finalized"
rpc_quorum = 1
endpoints = {{ only = "{chain.url}" }}
signer = "keystore:{chain.keystore.resolve()}?password=file:{chain.password.resolve()}"
signer_address = "0x{chain.signer.hex()}"
fees = {{ max_fee_gwei = 200, tip = "1 gwei", max_cost_per_anchor = "0.1 ether", daily_budget = "5 ether" }}
turns = {{ operators = [{operators}], grace_blocks = 2 }}
"""
