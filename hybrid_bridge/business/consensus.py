"""Who votes in the consensus engine: consensus keys by member, and the engine's set, which follows the validators'.

Only a ledger with an engine has the row `ENGINE`, from its genesis state on. The engine's set changes in the first
block of an epoch and at no other time, by the state before that block: so every node tells its engine the same, and
an outsider knows where to look. Source: SPEC §5, §7.3; ADR 34.
"""

from typing import Final, TypeAlias

from hybrid_bridge.business.membership import EVER, is_validator, read_set, responsible_set, roles_of
from hybrid_bridge.business.ruling import refuse
from hybrid_bridge.core.consensus_key import ConsensusKey
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import NODE
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.core.ledger_state import (
    ENGINE,
    NEWEST_SET,
    Overlay,
    StateReader,
    consensus_key,
    consensus_owner_key,
    get_number,
)
from hybrid_bridge.units import Address, EpochNumber, SetId

Vote: TypeAlias = tuple[bytes, int]  # a compressed secp256k1 key, and its power: 1, or 0 for one that goes

_WIDTH: Final = 33


def apply_consensus_key(view: Overlay, record: ConsensusKey, epoch: EpochNumber) -> None:
    """Bind a consensus key to an identity key, in place of the one it has (SPEC §7.3). No two ever share one.

    Raises:
        RuleRejected: consensus-ledger, consensus-holder, consensus-replaces, consensus-taken, consensus-attestation.
    """
    subject = key_id_text(record.key_id)
    if view.get(ENGINE) is None:
        refuse("consensus-ledger", subject)
    if not (roles_of(view, record.key_id, EVER) & NODE or is_validator(view, record.key_id, epoch)):
        refuse("consensus-holder", subject)
    present, owner = view.get(consensus_key(record.key_id)), view.get(consensus_owner_key(record.address))
    if record.replaces != (ZERO if present is None else sha256(present)):
        refuse("consensus-replaces", subject)
    if owner not in (None, record.key_id) or record.key == present:
        refuse("consensus-taken", subject)
    if _attests(view, record.address):
        refuse("consensus-attestation", subject)
    view.put(consensus_key(record.key_id), record.key)
    view.put(consensus_owner_key(record.address), record.key_id)


def _attests(state: StateReader, address: Address) -> bool:
    """In any set that ever was: an old attestation key still speaks for old checkpoints."""
    sets = range(1, get_number(state, NEWEST_SET) + 1)
    return any(address in read_set(state, SetId(number)).validators.addresses for number in sets)


# ── the engine's set ─────────────────────────────────────────────────────────────────────────────────────────────────


def put_engine(view: Overlay, keys: list[bytes]) -> None:
    """Store whom the engine was told of."""
    view.put(ENGINE, b"".join(sorted(keys)))


def follow_set(view: Overlay, epoch: EpochNumber) -> tuple[Vote, ...]:
    """What the engine is told in the first block of `epoch`, ascending by key; mostly nothing.

    Nothing either while a validator of the responsible set has no key: the founders' are bound in the first block, and
    no later set is taken up without. So the engine's set is never empty, and never another than the members' set.
    """
    stored = view.get(ENGINE)
    if stored is None:
        return ()
    told = {stored[at : at + _WIDTH] for at in range(0, len(stored), _WIDTH)}
    keys = [view.get(consensus_key(key)) for key in responsible_set(view, epoch).keys]
    wanted = {key for key in keys if key is not None}
    if len(wanted) < len(keys) or wanted == told:
        return ()
    put_engine(view, list(wanted))
    return tuple(sorted([(key, 1) for key in wanted - told] + [(key, 0) for key in told - wanted]))
