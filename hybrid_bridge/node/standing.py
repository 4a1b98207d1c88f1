"""What is stopped here and now: brakes that are on, orders that freeze an object, as this node's ledger has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hybrid_bridge.business.brake import Braked, brakes
from hybrid_bridge.business.fields import ID16
from hybrid_bridge.business.freeze import orders_on
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.core.epoch import epoch_of
from hybrid_bridge.errors import TooLong
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber, UnixSeconds

MAX_OBJECTS: Final = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """Brakes and freezes in force in `epoch`; of every object asked for the orders on it, by id."""

    epoch: EpochNumber
    brakes: tuple[Braked, ...]
    freezes: dict[str, dict[str, dict[str, Json]]]


def standing(view: View, objects: Sequence[str]) -> Standing:
    """What would be refused in a block made now.

    Raises:
        FieldMalformed: no id of an object.
        TooLong: too many of them.
    """
    if len(objects) > MAX_OBJECTS:
        raise TooLong(field="objects", limit=MAX_OBJECTS, got=len(objects))
    for object_id in objects:
        ID16.require(object_id, "objects")
    genesis, tip = view.directory.genesis, view.chain.tip
    now = UnixSeconds(max(view.clock.now(), genesis.genesis_time, 0 if tip is None else tip.time))
    epoch = epoch_of(genesis, now)
    with view.ledger.state() as state:
        on = tuple(braked for braked in brakes(state) if braked.is_on(epoch))
        return Standing(epoch, on, {object_id: orders_on(state, object_id, epoch) for object_id in objects})
