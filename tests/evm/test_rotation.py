"""`rotateValidators`, CONTRACT §3.4, and the handover in `anchor`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_bridge.core.attestation import Checkpoint
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import recover_address, sign_digest, to_compact
from hybrid_bridge.core.validators import ValidatorSet

if TYPE_CHECKING:
    from tests.evm.conftest import Members, World

FROZEN, RETIRED = 1 << 248, 1 << 249
DAYS_90 = 90 * 86_400
NEXT = (2, 3, 4, 5, 6)  # of members 1 … 4, number 1 leaves; 5 and 6 are new


@pytest.fixture
def new(world: "World") -> "Members":
    return type(world.log.members).of(2, NEXT)


def rotate(world: "World", arguments: tuple[Any, ...]) -> None:
    world.registry.call("rotateValidators", *arguments)


def newcomer(new: "Members", place: int) -> bytes:
    """The place-th of the addresses that are new, ascending."""
    fresh = type(new).of(2, (5, 6))
    return fresh.set.addresses[place]


def hexed(address: bytes) -> str:
    return "0x" + address.hex()


# ── (1), (2), (3) the state of the log ───────────────────────────────────────────────────────────────────────────────


def test_an_unknown_log_does_not_rotate(world: "World", new: "Members") -> None:
    with world.refuses("UnknownLog", bytes(32)):
        rotate(world, (bytes(32), *world.rotation(new, 9)[1:]))


def test_a_frozen_and_a_retired_log_do_not_rotate(world: "World", new: "Members") -> None:
    meta = world.words()[0]
    world.set_word(0, meta | FROZEN | RETIRED)
    with world.refuses("LogFrozen", world.log.log_id):
        rotate(world, world.rotation(new, 9))
    world.set_word(0, meta | RETIRED)
    world.set_word(5, 5)
    with world.refuses("LogRetired", (5).to_bytes(32, "big")):
        rotate(world, world.rotation(new, 9))


def test_a_pause_does_not_stop_a_rotation(world: "World", new: "Members") -> None:
    world.set_word(0, world.words()[0] | (world.time + 9) << 120)
    rotate(world, world.rotation(new, 9))
    assert world.head()[5:] == (9, world.time + 9, 2)


def test_one_rotation_at_a_time(world: "World", new: "Members") -> None:
    rotate(world, world.rotation(new, 9))
    for from_size in (8, 9, 10):
        with world.refuses("RotationPending", 9):
            rotate(world, world.rotation(new, from_size))


def test_a_rotation_takes_effect_beyond_the_head_and_within_ninety_days(world: "World", new: "Members") -> None:
    world.advanced(7)
    high = 10_000 + DAYS_90 // 600 + 1  # boundary exactly now + 90 days
    for from_size in (0, 1, 7, high + 1, 2**40, 2**53 - 1):
        with world.refuses("RotationOutOfRange", from_size, 8, high):
            rotate(world, world.rotation(new, from_size))
    world.set_time(world.time - 1)
    with world.refuses("RotationOutOfRange", high, 8, high - 1):
        rotate(world, world.rotation(new, high))
    world.set_time(world.time + 1)
    rotate(world, world.rotation(new, high))
    assert world.head()[5] == high


def test_a_log_that_begins_after_the_horizon_cannot_rotate_yet(world: "World", new: "Members") -> None:
    world.log = world.registered(type(world.log)(time=world.time + DAYS_90 + 1))
    with world.refuses("RotationOutOfRange", 2, 2, 0):
        rotate(world, world.rotation(new, 2))


def test_a_handover_fits_its_forty_bits_at_the_end_of_the_clock(world: "World", new: "Members") -> None:
    world.set_time(2**40 - 1)
    world.log = world.registered(type(world.log)(time=1, cadence=1))
    for from_size in (2**40, 2**40 + 1):
        with world.refuses("RotationOutOfRange", from_size, 2, 2**40 - 1):
            rotate(world, world.rotation(new, from_size))
    rotate(world, world.rotation(new, 2**40 - 1))
    assert world.head()[4:7] == (1, 2**40 - 1, 0)


# ── (4) the new entries ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_new_entries_are_checked_as_at_registration(world: "World", new: "Members") -> None:
    log_id, size, old, entries, newcomers = world.rotation(new, 9)
    swapped = entries[128:256] + entries[:128] + entries[256:]
    for spoilt, index in ((b"", 0), (entries[:-1], 4), (swapped, 1), (entries * 13, 64)):
        with world.refuses("EntriesMalformed", index):
            rotate(world, (log_id, size, old, spoilt, newcomers))


# ── (5) the old quorum ───────────────────────────────────────────────────────────────────────────────────────────────


def test_less_than_a_quorum_of_the_old_set_is_refused(world: "World", new: "Members") -> None:
    with world.refuses("BelowQuorum", 3, 2):
        rotate(world, world.rotation(new, 9, places=(0, 3)))


@pytest.mark.parametrize("spoilt", [{"chain_id": 5}, {"set_id": 3}, {"set_id": 1}, {"contract": b"\x01" * 20}])
def test_signatures_for_another_chain_contract_or_set_id_are_refused(
    world: "World", new: "Members", spoilt: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="SetMismatch"):
        rotate(world, world.rotation(new, 9, **spoilt))


def test_signatures_for_another_size_or_another_set_are_refused(world: "World", new: "Members") -> None:
    log_id, _, old, entries, newcomers = world.rotation(new, 9)
    other = type(new).of(2, (2, 3, 4, 5, 7)).set.encode_entries()
    for arguments in ((log_id, 10, old, entries, newcomers), (log_id, 9, old, other, newcomers)):
        with pytest.raises(Exception, match="SetMismatch"):
            rotate(world, arguments)


def test_the_new_set_cannot_appoint_itself(world: "World", new: "Members") -> None:
    log_id, size, _, entries, newcomers = world.rotation(new, 9)
    members, world.log.members = world.log.members, new
    _, _, self_made, _, _ = world.rotation(new, 9)
    world.log.members = members
    with pytest.raises(Exception, match="SetMismatch"):
        rotate(world, (log_id, size, self_made, entries, newcomers))


def test_malformed_seals_are_refused(world: "World", new: "Members") -> None:
    log_id, size, old, entries, newcomers = world.rotation(new, 9)
    with world.refuses("SealsMalformed", 4):
        rotate(world, (log_id, size, (old[0], old[1] | 1 << 9, old[2]), entries, newcomers))


# ── (6) possession ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_newcomer_proves_that_it_holds_its_key(world: "World", new: "Members") -> None:
    *arguments, newcomers = world.rotation(new, 9)
    first, second = hexed(newcomer(new, 0)), hexed(newcomer(new, 1))
    stranger = to_compact(sign_digest((9).to_bytes(32, "big"), b"\x01" * 32))
    for spoilt, unproven in (
        (b"", first),
        (newcomers[:63], first),
        (newcomers[:64], second),
        (newcomers[:127], second),
        (newcomers[64:], first),
        (newcomers[64:] + newcomers[:64], first),
        (stranger + newcomers[64:], first),
        (newcomers[:64] + bytes(64), second),
        (newcomers + b"\x00", hexed(bytes(20))),
        (newcomers + newcomers, hexed(bytes(20))),
    ):
        with world.refuses("NewcomerUnproven", unproven):
            rotate(world, (*arguments, spoilt))


def test_what_lies_behind_the_old_list_makes_nobody_a_member(world: "World") -> None:
    """The last member of the old set does not sign, so twelve bytes of calldata after his address are left in memory: the
    padding, which the caller chooses. No address that begins with them is known for that.
    """
    hidden = b"\xff" * 12 + bytes(8)
    kept = world.log.members.set.entries
    appointed = ValidatorSet(2, (*kept, replace(kept[0], address=hidden)))
    members = type(world.log.members)((*world.log.members.keys, bytes(32)), appointed)
    digest = world.set_update(members, 9)
    signers, seals = world.log.members.seals(digest, (0, 1, 2))
    old = (world.log.members.set.digest, signers, seals)
    calldata = world.registry.calldata("rotateValidators", world.log.log_id, 9, old, appointed.encode_entries(), b"")
    assert calldata.count(seals + bytes(12)) == 1
    with world.refuses("NewcomerUnproven", hexed(hidden)):
        world.registry.send(calldata.replace(seals + bytes(12), seals + hidden[:12]))


def test_a_newcomers_high_s_is_refused(world: "World", new: "Members") -> None:
    *arguments, newcomers = world.rotation(new, 9)
    high = bytes([newcomers[32] & 0x80 | 0x7F]) + b"\xff" * 31
    with world.refuses("NewcomerUnproven", hexed(newcomer(new, 0))):
        rotate(world, (*arguments, newcomers[:32] + high + newcomers[64:]))


def test_members_who_stay_need_not_sign_so_a_dead_one_is_removed_without_his_help(world: "World") -> None:
    fewer = type(world.log.members).of(2, (1, 2, 3))
    arguments = world.rotation(fewer, 9)
    assert arguments[4] == b""
    rotate(world, arguments)


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4), (4,), (10, 11, 12), range(1, 65), range(30, 94)])
def test_any_set_may_follow_any_other(world: "World", numbers: Any) -> None:
    following = type(world.log.members).of(2, numbers)
    rotate(world, world.rotation(following, 9))
    assert world.anchor(world.log.anchoring(1, 9, members=following))
    assert world.head()[4] == 2


# ── what a good call does, and the handover ──────────────────────────────────────────────────────────────────────────


def key_word(members: "Members") -> int:
    return int.from_bytes(keccak256(members.set.digest + b"".join(members.set.addresses)), "big")


def test_a_rotation_is_announced_at_once_and_moves_nothing_else(world: "World", new: "Members") -> None:
    world.advanced(7)
    before, head = world.words(), world.head()
    rotate(world, world.rotation(new, 9))
    entries = new.set.encode_entries()
    assert world.registry.logs == [("ValidatorSet", (world.log.log_id, 2, new.set.digest, 9, entries))]
    assert world.words() == [before[0] | 9 << 160, *before[1:4], key_word(new), 0]
    assert world.head() == (*head[:5], 9, *head[6:])


def test_size_decides_who_signs(world: "World", new: "Members") -> None:
    rotate(world, world.rotation(new, 9))
    old_key, new_key = (key_word(m).to_bytes(32, "big") for m in (world.log.members, new))
    too_early = world.log.anchoring(1, 8, members=new)
    with world.refuses("SetMismatch", old_key, too_early_key(world, too_early.set_hash, new, 1)):
        world.anchor(too_early)
    assert world.anchor(world.log.anchoring(1, 8))
    with pytest.raises(Exception, match="SetMismatch") as refusal:
        world.anchor(world.log.anchoring(8, 9))
    assert refusal.value.fields[0] == new_key
    assert world.anchor(world.log.anchoring(8, 9, members=new))
    assert world.registry.logs[0][1][4] == 2
    with pytest.raises(Exception, match="SetMismatch"):
        world.anchor(world.log.anchoring(9, 10))
    assert world.anchor(world.log.anchoring(9, 10, members=new))
    assert world.head()[4:6] == (2, 0)


def too_early_key(world: "World", set_hash: bytes, signers: "Members", set_id: int) -> bytes:
    """What the new set's signatures, read as those of the old one's set id, recover to: strangers."""
    size = 8
    base = {"log_id": world.log.log_id, "tree_size": size, "root": world.log.tree.root(size)}
    base |= {"timestamp": 1_800_000_000 + (size - 1) * 600, "set_hash": set_hash}
    signed = Checkpoint(set_id=2, **base).digest()
    judged = Checkpoint(set_id=set_id, **base).digest()
    quorum = signers.set.quorum
    members = [recover_address(judged, sign_digest(key, signed)) for key in signers.keys[:quorum]]
    return keccak256(set_hash + b"".join([*members, *signers.set.addresses[quorum:]]))


def test_a_rotation_may_be_crossed_in_one_step(world: "World", new: "Members") -> None:
    rotate(world, world.rotation(new, 9))
    anchoring = world.log.anchoring(1, 30, members=new)
    assert world.anchor(anchoring)
    assert world.head()[0] == 30
    assert world.head()[4:6] == (2, 0)
    assert world.words()[2] == world.words()[4] == key_word(new)


def test_the_head_again_at_a_pending_handover_is_still_a_no_op(world: "World", new: "Members") -> None:
    world.advanced(7)
    rotate(world, world.rotation(new, 8))
    assert world.anchor(world.log.anchoring(1, 7)) is False
    assert world.head()[5] == 8


def test_a_rotation_cannot_be_replayed(world: "World", new: "Members") -> None:
    first = world.rotation(new, 9)
    rotate(world, first)
    assert world.anchor(world.log.anchoring(1, 9, members=new))
    world.log.members = new
    back = type(new).of(3, (1, 2, 3, 4))
    rotate(world, world.rotation(back, 12))
    assert world.anchor(world.log.anchoring(9, 12, members=back))
    for again in (first, (*first[:1], 20, *first[2:])):
        with pytest.raises(Exception, match=r"RotationOutOfRange|SetMismatch"):
            rotate(world, again)
    assert world.head()[4] == 3


def test_a_rotation_touches_no_other_log(world: "World", new: "Members") -> None:
    other = world.registered(type(world.log)(7))
    before = world.words(other.log_id)
    rotate(world, world.rotation(new, 9))
    assert world.words(other.log_id) == before
    spoilt = replace(world.log.anchoring(1, 9, members=new), log_id=other.log_id)
    with pytest.raises(Exception, match="RootMismatch"):
        world.anchor(spoilt)
