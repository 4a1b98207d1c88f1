"""Before money is spent: can this public chain carry the contracts, and which rules has it? Source: CONTRACT §7.

A call to an absent precompile *succeeds* with empty output, so each is asked something whose answer is known.
"""

from dataclasses import dataclass
from typing import Final

from hybrid_bridge.adapters.evm.chain import Web3Chain
from hybrid_bridge.adapters.evm.create2 import FACTORY, FACTORY_CODE
from hybrid_bridge.adapters.evm.rpc import JsonRpc
from hybrid_bridge.errors import ChainUnsuitable, EndpointRefused, PrecompileMissing, WrongChain
from hybrid_bridge.ports import PublicBlock
from hybrid_bridge.units import Address, ChainId, PublicBlockNumber, Wei

NOBODY: Final = Address(bytes(20))
CREATION: Final = Address(b"")
CLOCK_END: Final = 1 << 40  # seconds, as the contract keeps them; clocks in milliseconds are far beyond
ECRECOVER: Final = bytes.fromhex(  # SPEC §17: the checkpoint of size 2, signed by key 1
    "71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746"
    "000000000000000000000000000000000000000000000000000000000000001c"
    "126203ff77f73755ac541ad9131e79c72d3acb99b24cd4fc061cd9a3a6d4812d"
    "0fcdb252e62c171f96677405c6d57293deee11c6f27bbbaf8f82b25ae71095b7"
)
SIGNER: Final = bytes(12) + bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")
ABC: Final = bytes.fromhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
TESTS: Final = ((1, ECRECOVER, SIGNER), (2, b"abc", ABC))
FEATURES: Final = (  # the newest rules first, each known by one instruction or precompile of its own
    ("osaka", CREATION, bytes.fromhex("60011e5000")),  # CLZ
    ("prague", Address(bytes(19) + b"\x0b"), bytes(256)),  # BLS12_G1ADD of the point at infinity, twice
    ("cancun", CREATION, bytes.fromhex("60005c5000")),  # TLOAD
    ("shanghai", CREATION, bytes.fromhex("5f5000")),  # PUSH0
    ("london", CREATION, bytes.fromhex("485000")),  # BASEFEE
)
OLDER: Final = "before london"
WIDTH: Final = {"prague": 128}  # bytes that only the precompile answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What was seen, at one public block."""

    chain_id: ChainId
    at: PublicBlock
    base_fee: Wei
    has_factory: bool  # deterministic addresses
    rules: str  # the newest that are in force, as far as we know them


def preflight(rpc: JsonRpc, expected: ChainId | None = None) -> Preflight:
    """Look, change nothing. (1) chain id (2) precompiles (3) clock (4) rules.

    Raises:
        WrongChain: another chain than expected.
        PrecompileMissing: no ecrecover or SHA-256 where they belong.
        ChainUnsuitable: the clock falls or is not in seconds, or there is no base fee (EIP-1559).
        Unreachable, AnswerMalformed: see `JsonRpc`.
    """
    chain = Web3Chain(rpc, NOBODY)
    chain_id = chain.chain_id()
    if expected is not None and expected != chain_id:
        raise WrongChain(expected=expected, got=chain_id)
    at = chain.latest()
    for number, question, answer in TESTS:
        if chain.ask(Address(number.to_bytes(20, "big")), question, at) != answer:
            raise PrecompileMissing(number=number)
    _require_clock(chain, at)
    rules = rules_of(chain, at)
    if rules == OLDER:
        raise ChainUnsuitable(rule="transactions with a base fee (EIP-1559)")
    return Preflight(
        chain_id=chain_id,
        at=at,
        base_fee=chain.base_fee(at),
        has_factory=chain.code(FACTORY, at.hash) == FACTORY_CODE,
        rules=rules,
    )


def rules_of(chain: Web3Chain, at: PublicBlock) -> str:
    """The newest rules in force, by what only they can do.

    Raises:
        Unreachable: the endpoint does not answer; an error of its own says "not these rules".
    """
    return next((name for name, to, data in FEATURES if _has(chain, name, to, data, at)), OLDER)


def _has(chain: Web3Chain, name: str, to: Address, data: bytes, at: PublicBlock) -> bool:
    try:
        answer = chain.ask(to, data, at)
    except EndpointRefused:  # its way to say: no such instruction
        return False
    return len(answer) == WIDTH.get(name, 0)


def _require_clock(chain: Web3Chain, at: PublicBlock) -> None:
    if at.time >= CLOCK_END:
        raise ChainUnsuitable(rule="block.timestamp in seconds")
    if at.number == 0:
        return
    before = chain.block(PublicBlockNumber(at.number - 1))
    if before.hash == at.parent and before.time > at.time:
        raise ChainUnsuitable(rule="block.timestamp that never falls")
