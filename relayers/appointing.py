"""Which set update may be posted now: of all that was offered, what the contract would take, or nothing. Pure.

Every signature is recovered here; an offer of a stranger, over another statement, or for another contract is as good as
none. A set update that is due and complete is a duty like a checkpoint (RELAYER §4.7).
"""

from collections.abc import Iterable
from typing import Final

from hybrid_bridge.core.power import SetUpdate, SignedPower, appoint
from hybrid_bridge.core.validators import ValidatorSet
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.ports import Rotation
from hybrid_bridge.units import Address, EcdsaSignature, SetId
from relayers.journal import Scope
from relayers.log import Log, SetPeriod
from relayers.views import Appointment, ChainView

FARTHEST: Final = 90 * 86_400  # seconds ahead of now that the contract takes (CONTRACT §3.4)
TAKES_ROTATIONS: Final = ("active", "paused")  # stolen keys are a reason for both


def set_after(log: Log, set_id: SetId) -> tuple[ValidatorSet, SetPeriod] | None:
    """The set of this id and the period of the one after it; None if either is not known."""
    known = {period.validators.set_id: period for period in log.periods}
    if set_id not in known or set_id + 1 not in known:
        return None
    return known[set_id].validators, known[SetId(set_id + 1)]


def appointment(log: Log, scope: Scope, chain: ChainView, offered: Iterable[SignedPower]) -> Appointment | None:
    """The update to the set after the one that stands at the pinned public block, if all that it needs was offered."""
    head, found = chain.head, set_after(log, chain.head.set_id)
    if found is None or head.state not in TAKES_ROTATIONS or head.next_from_size != 0:
        return None
    old, period = found
    new, from_size = period.validators, period.from_size
    if from_size <= head.tree_size or log.boundary(from_size) > chain.pinned.time + FARTHEST:
        return None
    update = update_to(period, scope)
    try:
        signers, seals, newcomers = appoint(new, old, _signatures(update, offered))
    except BridgeError:
        return None  # not all have signed yet
    call = Rotation(
        log_id=log.log_id,
        effective_from_size=from_size,
        set_hash=old.digest,
        signers=signers,
        seals=seals,
        entries=new.encode_entries(),
        newcomers=newcomers,
    )
    return Appointment(set_id=new.set_id, set_hash=new.digest, digest=update.digest(), call=call)


def update_to(period: SetPeriod, scope: Scope) -> SetUpdate:
    """What is signed for this contract, so that the set of this period is the next one."""
    return SetUpdate(
        chain_id=scope.chain_id,
        contract=scope.contract,
        log_id=scope.log_id,
        set_id=period.validators.set_id,
        set_hash=period.validators.digest,
        effective_from_size=period.from_size,
    )


def update_by(call: Rotation, log: Log, scope: Scope) -> SetUpdate | None:
    """The set update that a call posts; None where it is not one that the settings know."""
    old = next((period.validators for period in log.periods if period.validators.digest == call.set_hash), None)
    found = None if old is None else set_after(log, old.set_id)
    if found is None or call.log_id != scope.log_id:
        return None
    period = found[1]
    said = (call.entries, call.effective_from_size)
    return update_to(period, scope) if said == (period.validators.encode_entries(), period.from_size) else None


def _signatures(update: SetUpdate, offered: Iterable[SignedPower]) -> dict[Address, EcdsaSignature]:
    found: dict[Address, EcdsaSignature] = {}
    for one in offered:
        if one.statement == update:
            try:
                found[one.signer] = one.signature
            except BridgeError:
                continue  # nobody's signature
    return found
