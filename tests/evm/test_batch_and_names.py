"""`anchorBatch`, CONTRACT §3.2: what is refused stops nobody else. `publishNames`, §3.3: names behind hashes."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet

if TYPE_CHECKING:
    from tests.evm.conftest import Anchoring, Members, World


def batch(world: "World", *calls: "Anchoring") -> int:
    return int(world.registry.call("anchorBatch", [call.arguments() for call in calls]))


def selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


# ── batch ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_many_logs_in_one_call(world: "World") -> None:
    logs = [world.log, *(world.registered(type(world.log)(count)) for count in (1, 5, 7))]
    assert batch(world, *(log.anchoring(1, 5 + k) for k, log in enumerate(logs))) == 0b1111
    assert [(name, fields[:2]) for name, fields in world.registry.logs] == [
        ("Anchored", (log.log_id, 5 + k)) for k, log in enumerate(logs)
    ]
    assert [world.head(log.log_id)[0] for log in logs] == [5, 6, 7, 8]


def test_what_is_refused_says_why_and_stops_nobody_else(world: "World") -> None:
    other = world.registered(type(world.log)(7))
    unknown = type(world.log)(5)
    stale, few = world.log.anchoring(2, 9), world.log.anchoring(1, 9, places=(0, 1))
    cut = replace(world.log.anchoring(1, 9), seals=b"\x01")
    good, again = other.anchoring(1, 6), other.anchoring(1, 6)
    answer = batch(world, unknown.anchoring(1, 2), stale, few, cut, good, again, world.log.anchoring(1, 4))
    assert answer == 0b1010000, "an item that was done already did not advance"
    refused = {fields[0:3] for name, fields in world.registry.logs if name == "AnchorRefused"}
    assert refused == {
        (unknown.log_id, 2, selector("UnknownLog(bytes32)")),
        (world.log.log_id, 9, selector("StaleHead(uint256,uint256)")),
        (world.log.log_id, 9, selector("BelowQuorum(uint256,uint256)")),
        (world.log.log_id, 9, selector("SealsMalformed(uint256)")),
    }
    assert (world.head()[0], world.head(other.log_id)[0]) == (4, 6)


def test_a_batch_does_what_single_calls_do(world: "World") -> None:
    calls = [world.log.anchoring(1, 5), world.log.anchoring(5, 6), world.log.anchoring(6, 40)]
    assert batch(world, *calls) == 0b111
    in_one = world.words()
    alone = type(world)()
    for call in calls:
        assert alone.anchor(call)
    assert alone.words() == in_one


def test_a_batch_has_a_bit_for_each_of_its_items(world: "World") -> None:
    call = world.log.anchoring(1, 5)
    assert batch(world) == 0
    assert batch(world, *[call] * 256) == 1
    with world.refuses("BatchLength", 256, 257):
        batch(world, *[call] * 257)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def named(set_id: int, members: "Members") -> tuple["Members", list[str]]:
    """The same keys under names that somebody can publish."""
    names = [f'{{"id":"LEI:TEST{i}","name":"Bank № {i}"}}' for i in range(len(members.keys))]
    entries = tuple(
        ValidatorEntry(entry.address, sha256(name.encode()), entry.certificate_hash, entry.key_binding_hash)
        for entry, name in zip(members.set.entries, names, strict=True)
    )
    return replace(members, set=ValidatorSet(set_id, entries)), names


@pytest.fixture
def names(world: "World") -> list[str]:
    """Of the members of the world's log, which is registered with them."""
    log = type(world.log)()
    log.members, names = named(1, log.members)
    log.genesis = log.genesis_record()
    world.log = type(log)(set=log.members.set.digest)
    world.log.members = log.members
    world.registered(world.log)
    return names


def publish(world: "World", entries: bytes, names: list[str], log_id: bytes | None = None) -> None:
    world.registry.call("publishNames", log_id or world.log.log_id, entries, names)


def published(world: "World") -> list[tuple[Any, ...]]:
    assert {name for name, _ in world.registry.logs} <= {"ValidatorNamed"}
    return [fields for _, fields in world.registry.logs]


def test_names_of_another_log_set_count_or_text_are_refused(world: "World", names: list[str]) -> None:
    entries = world.log.members.set.encode_entries()
    with world.refuses("UnknownLog", bytes(32)):
        publish(world, entries, names, log_id=bytes(32))
    with world.refuses("EntriesMalformed", 3):
        publish(world, entries, names[:3])
    with world.refuses("EntriesMalformed", 5):
        publish(world, entries, [*names, ""])
    with world.refuses("EntriesMalformed", 3):
        publish(world, entries[:-1], names)
    wrong = sha256(b"Bank of somebody else")
    with world.refuses("RootMismatch", sha256(names[2].encode()), wrong):
        publish(world, entries, [*names[:2], "Bank of somebody else", names[3]])
    strangers = type(world.log.members).of(1, (5, 6, 7)).set
    key = keccak256(strangers.digest + b"".join(strangers.addresses))
    with world.refuses("SetMismatch", world.words()[2].to_bytes(32, "big"), key):
        publish(world, strangers.encode_entries(), ["", "", ""])


def test_names_are_events_and_no_state(world: "World", names: list[str]) -> None:
    before, addresses = world.words(), world.log.members.set.addresses
    publish(world, world.log.members.set.encode_entries(), names)
    assert published(world) == [
        (world.log.log_id, 1, "0x" + address.hex(), name) for address, name in zip(addresses, names, strict=True)
    ]
    publish(world, world.log.members.set.encode_entries(), ["", names[1], "", ""])
    assert published(world) == [(world.log.log_id, 1, "0x" + addresses[1].hex(), names[1])]
    assert world.words() == before


def test_a_pending_set_can_be_named_before_it_takes_over(world: "World") -> None:
    new, names = named(2, type(world.log.members).of(2, (3, 4, 5)))
    with pytest.raises(Exception, match="SetMismatch"):
        publish(world, new.set.encode_entries(), names)
    world.registry.call("rotateValidators", *world.rotation(new, 9))
    own, own_names = named(1, world.log.members)
    with pytest.raises(Exception, match="SetMismatch"):
        publish(world, own.set.encode_entries(), own_names)  # its name hashes are others than those registered
    publish(world, world.log.members.set.encode_entries(), [""] * 4)  # the current set is still one to name
    assert published(world) == []
    publish(world, new.set.encode_entries(), names)
    assert [fields[1:3] for fields in published(world)] == [(2, "0x" + address.hex()) for address in new.set.addresses]
    assert world.anchor(world.log.anchoring(1, 9, members=new))
    publish(world, new.set.encode_entries(), names)
    assert [fields[3] for fields in published(world)] == names
