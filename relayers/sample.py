"""Settings to begin with: every key there is, each with what it means. A test parses them and finds no key missing."""

from typing import Final

SAMPLE: Final = """\
# Settings of hybrid-relayer. Paths begin in this file's folder. What is 0x00… or an example is yours to fill in.
# Then: `config validate` parses it, `check` looks at everything, `init` makes the journal, `run` relays.

# The relayer's memory: one file, on a local disk. `init` makes it, and nothing else ever does.
# With several [[chain]] tables each has a journal of its own: "sqlite:///{chain}.db".
# For two machines: "postgresql://USER@HOST:PORT/DATABASE?password=file:PATH".
journal = "sqlite:///journal.db"
# Seconds between two looks at the world: 1 to 3600. About half of the public chain's interval.
tick_seconds = 6
# Metrics and health, on loopback only. Leave it out, and nobody listens.
listen = "127.0.0.1:9464"

# ── whose checkpoints ────────────────────────────────────────────────────────────────────────────────────────────────
[log]
# The log's id; the consortium's genesis record commits to it, and is checked against it.
id = "0x0000000000000000000000000000000000000000000000000000000000000000"
genesis = "genesis.bin"
# How many epochs may wait for one anchor, at most. Rounds have the greatest power of two that is not more.
anchor_every = 8
# On how many of the chains below an epoch must be final to count as anchored. All of them unless it says otherwise.
anchored_when = 1
# Seconds after an epoch's end before its checkpoint is due: members need a moment to sign. 30 unless it says otherwise.
delay_seconds = 30
# Every set of validators the log had, and the size from which on it signs.
sets = [{ id = 1, from_size = 1, entries = "entries.bin" }]
# How members know us: the consortium's authority, our certificate and its key, in a file that only its owner can read.
tls = { ca = "ca.pem", certificate = "relayer.pem", key = "file:relayer.key" }

# At least a quorum of the members: name = host:port.
[log.members]
member-a = "member-a.example:7443"
member-b = "member-b.example:7443"
member-c = "member-c.example:7443"

# ── where they are anchored ──────────────────────────────────────────────────────────────────────────────────────────
[[chain]]
# For people, metrics and logs.
name = "mainnet"
chain_id = 1
# Hash of the chain's first public block: chains may share an id.
genesis_hash = "0x0000000000000000000000000000000000000000000000000000000000000000"
# AnchorRegistry there, and the public block that brought it: no event is older.
contract = "0x0000000000000000000000000000000000000000"
first_block = 0
# The chain's own word, or { depth = 64 } where there is no such tag.
finality = "finalized"
# So many endpoints must say the same: more than half of them. Three on two hosts are the least against one liar.
rpc_quorum = 2
# Prove head, nonce, balance and code against the agreed header (eth_getProof): liars in the majority forge no state.
state_proofs = false
# Name = address; file:PATH hides one that holds a password, in a file that only its owner can read.
endpoints = { own = "http://127.0.0.1:8545", b = "https://b.example/", c = "https://c.example/" }
# The gas key: keystore:…, pkcs11:…, web3signer:…, aws-kms:…, gcp-kms:… or azure-kms:…; it pays, and that is all.
# `keys --at PLACE` says its address.
signer = "keystore:gas.json?password=file:gas.password"
signer_address = "0x0000000000000000000000000000000000000000"
# A key that is being replaced: true beside another [[chain]] for the same contract. What it began is finished, no more.
retiring = false
# A folder of signed set updates for this contract; without it this relayer posts no rotations.
set_updates = "rotations"

# Money: the first four have no defaults.
[chain.fees]
# Never more for each gas, whatever happens.
max_fee_gwei = 120
# For whoever puts the transaction into a public block, for each gas.
tip = "1 gwei"
# One anchor costs no more; three times this is kept back for emergencies.
max_cost_per_anchor = "0.03 ether"
# All of a UTC day's transactions together.
daily_budget = "0.3 ether"
# No transaction uses more gas; and what one is taken to use before the first is known.
max_gas = 1500000
usual_gas = 300000
# Public blocks after which an unmined transaction is offered dearer.
bump_blocks = 10

# Who else anchors this log, in one order for all: courtesy, not permission.
[chain.turns]
operators = ["0x0000000000000000000000000000000000000000"]
# Public blocks that each waits longer than the one before.
grace_blocks = 6
"""
