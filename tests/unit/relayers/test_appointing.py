"""Which set update is complete and due, of all that was offered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.core.power import MAX_FILE, SignedPower, appoint
from relayers.appointing import FARTHEST, appointment
from relayers.set_files import signed_updates
from relayers.views import Appointment
from tests.crash.relay_world import CONTRACT, World, scope_for
from tests.unit.relayers import builders

EVERYBODY = (0, 1, 2, 3, 4)


@pytest.fixture
def world() -> World:
    world = World()
    world.appoint(in_sizes=7, signers=EVERYBODY)  # set 2 from size 8
    return world


def found(world: World, offered: Any = None, at: Any = None, **head: Any) -> Appointment | None:
    seen = at or builders.chain(head=builders.head(**{"root": world.consortium.log_id} | head))
    updates = world.updates if offered is None else offered
    return appointment(world.log, scope_for(world, "operator"), seen, updates)


def test_a_quorum_of_the_old_set_and_every_newcomer_make_an_appointment(world: World) -> None:
    made = found(world)
    assert made is not None
    new, old = world.consortium.sets[1][1], world.consortium.validators
    assert (made.set_id, made.set_hash, made.call.effective_from_size) == (2, new.digest, 8)
    assert made.call.entries == new.encode_entries()
    signed = {one.signer: one.signature for one in world.updates}
    assert (made.call.signers, made.call.seals, made.call.newcomers) == appoint(new, old, signed)


@pytest.mark.parametrize(("without", "is_found"), [((3,), True), ((2, 3), False), ((4,), False)])
def test_it_needs_a_quorum_and_all_newcomers(world: World, without: tuple[int, ...], is_found: bool) -> None:
    offered = [one for index, one in enumerate(world.updates) if index not in without]
    assert (found(world, offered) is not None) == is_found


@pytest.mark.parametrize(
    "head",
    [
        {"next_from_size": 5},  # another rotation waits
        {"set_id": 2},  # done; no third set is known
        {"set_id": 7},
        {"state": "frozen"},
        {"state": "retired"},
        {"state": "unknown"},
        {"size": 8},  # too late for this update
    ],
)
def test_what_the_contract_would_refuse_is_not_due(world: World, head: dict[str, Any]) -> None:
    assert found(world, **head) is None


def test_a_pause_is_no_obstacle_and_a_handover_in_the_far_future_is_one(world: World) -> None:
    assert found(world, state="paused") is not None
    seen = builders.chain(head=builders.head())
    limit = world.log.boundary(8) - FARTHEST
    for time, is_found in ((limit, True), (limit - 1, False)):
        at = replace(seen, pinned=replace(seen.pinned, time=time))
        assert (found(world, at=at) is not None) == is_found


SPOILT: dict[str, Callable[[SignedPower], SignedPower]] = {
    "another contract": lambda one: replace(one, statement=replace(one.statement, contract=bytes(20))),
    "another chain": lambda one: replace(one, statement=replace(one.statement, chain_id=2)),
    "another size": lambda one: replace(one, statement=replace(one.statement, effective_from_size=9)),
    "another set": lambda one: replace(one, statement=replace(one.statement, set_hash=bytes(32))),
    "nobody's signature": lambda one: replace(one, signature=bytes(65)),
    "a stranger's signature": lambda one: replace(one, signature=one.signature[:40] + bytes(1) + one.signature[41:]),
}


@pytest.mark.parametrize("how", SPOILT)
def test_offers_that_are_not_this_update_by_a_member_count_for_nothing(world: World, how: str) -> None:
    assert found(world, [SPOILT[how](one) for one in world.updates]) is None
    assert found(world, [*(SPOILT[how](one) for one in world.updates), *world.updates]) == found(world)


def test_files_come_and_go_and_rubbish_among_them_stops_nothing(world: World, tmp_path: Path) -> None:
    assert list(signed_updates(None)) == []
    assert list(signed_updates(tmp_path / "missing")) == []
    for number, one in enumerate(world.updates):
        (tmp_path / f"{number}.json").write_bytes(one.encode())
    (tmp_path / "folder").mkdir()
    (tmp_path / "0.draft").write_bytes(b"{}")
    (tmp_path / "1.endless").write_bytes(b" " * (MAX_FILE + 2))
    assert list(signed_updates(tmp_path)) == world.updates
    assert world.updates[0].statement.contract == CONTRACT
