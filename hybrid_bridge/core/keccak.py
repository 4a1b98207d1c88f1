"""keccak-256, used only where Ethereum asks for it: addresses, typed data, evidence from a public chain (SPEC §1)."""

import sha3

from hybrid_bridge.units import Digest


def keccak256(data: bytes) -> Digest:
    """The hash of Ethereum: Keccak with the padding from before FIPS 202. 32 bytes."""
    return Digest(sha3.keccak_256(data).digest())
