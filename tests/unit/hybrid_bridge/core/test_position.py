import pytest

from hybrid_bridge.core.encoding import ZERO
from hybrid_bridge.core.ledger_state import Overlay
from hybrid_bridge.core.position import Position
from hybrid_bridge.errors import FieldMalformed, StoreBroken, TooLong
from hybrid_bridge.units import Height, UnixSeconds
from tests.unit.hybrid_bridge.core.consortium import GENESIS

START = GENESIS.genesis_time


def at(height, after):
    return Position.before(GENESIS).advance(GENESIS, Height(height), UnixSeconds(START + after))


def test_the_first_block_has_the_height_of_the_genesis_record():
    position = at(1, 0)
    assert (position.next_height, position.epoch, position.chain) == (2, 1, ZERO)
    for height in (0, 2):
        with pytest.raises(FieldMalformed) as caught:
            at(height, 0)
        assert (caught.value.field, caught.value.rule) == ("height", "1")


def test_time_never_falls_and_never_precedes_genesis():
    with pytest.raises(FieldMalformed) as caught:
        at(1, 50).advance(GENESIS, Height(2), UnixSeconds(START + 49))
    assert caught.value.field == "time"
    with pytest.raises(FieldMalformed):
        at(1, -1)
    assert at(1, 50).advance(GENESIS, Height(2), UnixSeconds(START + 50)).epoch == 1


def test_a_new_epoch_is_empty():
    full = at(1, 0).hold(GENESIS, 5, 7)
    assert (full.entries, full.labels) == (5, 7)
    same = full.advance(GENESIS, Height(2), UnixSeconds(START + 599))
    assert (same.epoch, same.entries, same.labels) == (1, 5, 7)
    following = full.advance(GENESIS, Height(2), UnixSeconds(START + 600))
    assert (following.epoch, following.entries, following.labels) == (2, 0, 0)


def test_an_epoch_holds_what_its_highest_rungs_hold():
    assert at(1, 0).hold(GENESIS, 1_024, 16).entries == 1_024
    for entries, labels, field in ((1_025, 0, "epoch.entries"), (0, 17, "epoch.labels")):
        with pytest.raises(TooLong) as caught:
            at(1, 0).hold(GENESIS, entries, labels)
        assert caught.value.field == field


def test_a_position_is_stored_and_loaded():
    view = Overlay({})
    with pytest.raises(StoreBroken):
        Position.load(view)
    position = at(1, 700).hold(GENESIS, 3, 4)
    position.store(view)
    assert Position.load(view) == position
