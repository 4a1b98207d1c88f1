"""Pure functions that a simulation asks again and again, remembered: the same answers, without the curve's arithmetic.

Nothing is faked. Schedules share one consortium, so its signatures, paths and quorums are the same in each; a gas key
signs anew each time, and its bytes are recovered once instead of at every endpoint.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import hybrid_bridge.testing.memory_chain as chain_module
import hybrid_bridge.testing.memory_contract as contract_module
import relayers.collect as collect_module
import relayers.signing_policy as policy_module
from hybrid_bridge.adapters.evm.calls import anchor_calldata
from hybrid_bridge.core.attestation import Checkpoint, verify_quorum
from hybrid_bridge.core.proof import verify_consistency
from hybrid_bridge.core.public_transaction import decode_signed
from hybrid_bridge.core.signing import recover_address
from tests.simulation.consortium import APPOINTED

_KEPT = 1 << 14

decode_once = lru_cache(_KEPT)(decode_signed)
calldata_once = lru_cache(_KEPT)(anchor_calldata)
_recover_once = lru_cache(_KEPT)(recover_address)
_decode_call_once = lru_cache(_KEPT)(contract_module.decode_call)
_consistency = lru_cache(_KEPT)(verify_consistency)
_quorum = lru_cache(_KEPT)(verify_quorum)
_digest = lru_cache(_KEPT)(Checkpoint.digest)


def _verify_consistency(old: Any, new: Any, path: Sequence[Any], *roots: Any) -> None:
    _consistency(old, new, tuple(path), *roots)


def _verify_quorum(checkpoint: Any, validators: Any, signatures: Sequence[Any]) -> None:
    _quorum(checkpoint, validators, tuple(signatures))


_REMEMBERED: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
    (chain_module, "decode_signed", decode_once),
    (chain_module, "decode_call", _decode_call_once),
    (policy_module, "decode_signed", decode_once),
    (contract_module, "recover_address", _recover_once),
    (contract_module, "verify_consistency", _verify_consistency),
    (Checkpoint, "digest", _digest),
    (collect_module, "recover_address", _recover_once),
    (collect_module, "verify_consistency", _verify_consistency),
    (collect_module, "verify_quorum", _verify_quorum),
)


def forget() -> None:
    """Ask anew: the functions themselves have changed."""
    for kept in (decode_once, calldata_once, _recover_once, _decode_call_once, _consistency, _quorum, _digest):
        kept.cache_clear()
    APPOINTED.clear()


@contextmanager
def remembered() -> Iterator[None]:
    """Within it these names stand for their remembered selves."""
    before = [(module, name, getattr(module, name)) for module, name, _ in _REMEMBERED]
    for module, name, quick in _REMEMBERED:
        setattr(module, name, quick)
    try:
        yield
    finally:
        for module, name, slow in before:
            setattr(module, name, slow)
