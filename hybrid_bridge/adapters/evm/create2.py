"""The deterministic deployment factory: same code and salt, same address on every chain (EIP-1014; CONTRACT §6)."""

from typing import Final

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.units import Address

FACTORY: Final = Address(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c"))
FACTORY_CODE: Final = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)  # calldata is salt ‖ creation code; answers the new address
SALT: Final = bytes(32)


def deterministic_address(creation_code: bytes) -> Address:
    """Where the factory puts this code under salt 0."""
    return Address(keccak256(b"\xff" + FACTORY + SALT + keccak256(creation_code))[12:])
