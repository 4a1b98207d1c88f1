"""`retire`, CONTRACT §3.5: each check broken alone, then the end of a log and the beginning of the next."""

from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.attestation import retire_digest

if TYPE_CHECKING:
    from tests.evm.conftest import Consortium, World

FROZEN, RETIRED = 1 << 248, 1 << 249
SIZE = 12


@pytest.fixture
def ended(world: "World") -> "World":
    """Anchored at its last size."""
    world.advanced(SIZE)
    return world


def successor(world: "World", **changed: Any) -> "Consortium":
    words = {"predecessor": world.log.log_id, "predecessor_size": SIZE, "predecessor_root": world.log.tree.root(SIZE)}
    return type(world.log)(7, **words | changed)


def retiring(world: "World", after: "Consortium", **spoilt: Any) -> tuple[Any, ...]:
    signed: dict[str, Any] = {"chain_id": 1, "contract": bytes.fromhex(world.registry.address[2:])}
    signed |= {"log_id": world.log.log_id, "successor": after.log_id, "tree_size": SIZE}
    places = spoilt.pop("places", None)
    digest = retire_digest(**signed | {"root": world.log.tree.root(SIZE)} | spoilt)
    seals = world.log.members.seals(digest, places)
    return world.log.log_id, after.genesis, (world.log.members.set.digest, *seals)


def retire(world: "World", arguments: tuple[Any, ...]) -> None:
    world.registry.call("retire", *arguments)


def test_an_unknown_a_frozen_and_a_retired_log_do_not_retire(ended: "World") -> None:
    after = ended.registered(successor(ended))
    with ended.refuses("UnknownLog", bytes(32)):
        retire(ended, (bytes(32), *retiring(ended, after)[1:]))
    meta = ended.words()[0]
    ended.set_word(0, meta | FROZEN | RETIRED)
    with ended.refuses("LogFrozen", ended.log.log_id):
        retire(ended, retiring(ended, after))
    ended.set_word(0, meta | RETIRED)
    with ended.refuses("LogRetired", bytes(32)):
        retire(ended, retiring(ended, after))


def test_the_successor_is_registered_first(ended: "World") -> None:
    after = successor(ended)
    with ended.refuses("UnknownLog", after.log_id):
        retire(ended, retiring(ended, after))
    with ended.refuses("RecordMalformed", 832, 831):
        retire(ended, (ended.log.log_id, after.genesis[:-1], retiring(ended, after)[2]))


def test_the_successor_continues_this_head(ended: "World") -> None:
    size, root = SIZE.to_bytes(32, "big"), ended.log.tree.root(SIZE)
    wrong = (7).to_bytes(32, "big")
    for word, expected in (("predecessor", ended.log.log_id), ("predecessor_size", size), ("predecessor_root", root)):
        after = ended.registered(successor(ended, **{word: 7}))
        with ended.refuses("SuccessorMismatch", expected, wrong):
            retire(ended, retiring(ended, after))
    stranger = ended.registered(type(ended.log)(7))
    with ended.refuses("SuccessorMismatch", ended.log.log_id, bytes(32)):
        retire(ended, retiring(ended, stranger))


@pytest.mark.parametrize(
    "spoilt",
    [{"chain_id": 5}, {"contract": bytes(20)}, {"log_id": bytes(32)}, {"successor": bytes(32)}, {"tree_size": 11}, {"root": bytes(32)}],
    ids=lambda spoilt: next(iter(spoilt)),
)  # fmt: skip
def test_a_retirement_of_another_chain_contract_log_successor_or_head_is_none(ended: "World", spoilt: Any) -> None:
    after = ended.registered(successor(ended))
    with pytest.raises(Exception, match="SetMismatch"):
        retire(ended, retiring(ended, after, **spoilt))
    assert ended.head()[7] == 1


def test_too_few_do_not_retire_a_log(ended: "World") -> None:
    after = ended.registered(successor(ended))
    with ended.refuses("BelowQuorum", 3, 2):
        retire(ended, retiring(ended, after, places=(0, 1)))


def test_a_head_that_moved_on_cannot_be_retired_at_an_older_size(ended: "World") -> None:
    after = ended.registered(successor(ended))
    ended.advanced(SIZE + 1)
    moved = (SIZE + 1).to_bytes(32, "big")
    with ended.refuses("SuccessorMismatch", moved, SIZE.to_bytes(32, "big")):
        retire(ended, retiring(ended, after))


def test_dismissed_keys_cannot_end_a_log(ended: "World") -> None:
    """Once the boundary of a pending handover is past, the new set alone retires."""
    after = ended.registered(successor(ended))
    old, new = ended.log.members, type(ended.log.members).of(2, (2, 3, 4, 5, 6))
    ended.set_time(1_800_000_000 + 19 * 600 - 1)
    ended.registry.call("rotateValidators", *ended.rotation(new, 20))
    ended.set_time(1_800_000_000 + 19 * 600)
    with pytest.raises(Exception, match="SetMismatch"):
        retire(ended, retiring(ended, after))
    ended.log.members = new
    retire(ended, retiring(ended, after))
    assert ended.head()[7] == 4
    assert old.set.set_id == 1


def test_a_retired_log_ends_and_its_successor_goes_on(ended: "World") -> None:
    after = ended.registered(successor(ended))
    before, theirs, root = ended.words(), ended.words(after.log_id), ended.log.tree.root(SIZE)
    retire(ended, retiring(ended, after))
    assert ended.registry.logs == [("Retired", (ended.log.log_id, after.log_id, SIZE, root))]
    assert ended.words() == [before[0] | RETIRED, *before[1:5], int.from_bytes(after.log_id, "big")]
    assert ended.words(after.log_id) == theirs
    assert ended.head() == (*ended.head()[:7], 4)
    assert ended.registry.call("successor", ended.log.log_id) == after.log_id
    assert ended.registry.call("isFresh", ended.log.log_id, 2**40) is False
    with ended.refuses("LogRetired", after.log_id):
        ended.anchor(ended.log.anchoring(SIZE, SIZE + 1))
    assert ended.anchor(ended.log.anchoring(1, SIZE)) is False
    path = ended.log.tree.consistency_path(5, SIZE)
    ended.registry.call("verifyHistorical", ended.log.log_id, 5, ended.log.tree.root(5), path)
    assert ended.anchor(after.anchoring(1, 3))
