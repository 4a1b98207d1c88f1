"""What a number or a byte string means. Types that differ by one, or by a factor, are different types.

Everything here is a promise to the type checker only: decoders and public verifiers still check lengths and ranges.
"""

from typing import Final, NewType

Digest = NewType("Digest", bytes)  # 32 bytes, SHA-256
LogId = NewType("LogId", bytes)  # 32 bytes, LEAF(genesis record) (SPEC §7.1)
KeyId = NewType("KeyId", bytes)  # 32 bytes, SHA-256 of a SubjectPublicKeyInfo (SPEC §1)
TransactionId = NewType("TransactionId", bytes)  # 32 bytes (SPEC §4)
RegistryIndex = NewType("RegistryIndex", bytes)  # 32 bytes, first half of a VRF output (SPEC §9.3)
Commitment = NewType("Commitment", bytes)  # 32 bytes, hiding (SPEC §9.3)
Address = NewType("Address", bytes)  # 20 bytes, Ethereum
EcdsaSignature = NewType("EcdsaSignature", bytes)  # 65 bytes r ‖ s ‖ v, v in {27, 28}, low s (SPEC §8.2)

TreeSize = NewType("TreeSize", int)  # leaves of a tree, counted
LeafIndex = NewType("LeafIndex", int)  # a leaf of a tree, from zero
EpochNumber = NewType("EpochNumber", int)  # equals the index of its log leaf
Height = NewType("Height", int)  # a block of the private chain
Sequence = NewType("Sequence", int)  # a submitter's transactions, from zero
SetId = NewType("SetId", int)  # validator sets, from one
RecordType = NewType("RecordType", int)  # u16 (SPEC §3)
UnixSeconds = NewType("UnixSeconds", int)  # a moment
Seconds = NewType("Seconds", int)  # a span

ChainId = NewType("ChainId", int)  # of a public chain
PublicBlockNumber = NewType("PublicBlockNumber", int)
PublicBlockHash = NewType("PublicBlockHash", bytes)  # 32 bytes, keccak-256 of the header
TxHash = NewType("TxHash", bytes)  # 32 bytes, of a public transaction
RawTransaction = NewType("RawTransaction", bytes)  # signed public transaction
Nonce = NewType("Nonce", int)  # of a gas key
Wei = NewType("Wei", int)
Gas = NewType("Gas", int)

MAX_U64: Final = 2**53 - 1  # JavaScript, JSON and SQL must agree on every number (SPEC §1)
