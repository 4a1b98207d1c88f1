"""Who may attest from which size, out of the governance records alone."""

from dataclasses import replace

import pytest

from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import MemberUpdate, Notice, SetUpdate
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.roll import Roll
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import WordMalformed
from hybrid_bridge.units import Address, EpochNumber, KeyId, LogId, SetId, TreeSize, UnixSeconds

LOG = LogId(ZERO)


def address(name: str) -> Address:
    return Address(sha256(name.encode())[:20])


def entry(name: str) -> ValidatorEntry:
    return ValidatorEntry(address(name), sha256(b"n"), sha256(name.encode()), sha256(b"b"))


def a_set(set_id: int, *names: str) -> ValidatorSet:
    return ValidatorSet(SetId(set_id), tuple(sorted(map(entry, names), key=lambda one: one.address)))


def update(set_id: int, from_size: int, *names: str) -> bytes:
    validators = a_set(set_id, *names)
    return SetUpdate(
        log_id=LOG,
        previous_set_hash=ZERO,
        set_hash=validators.digest,
        effective_from_size=TreeSize(from_size),
        decoy_key_hash=sha256(b"K"),
        validators=validators,
    ).encode()


def named(name: str, key: bytes) -> bytes:
    return MemberUpdate(
        log_id=LOG,
        action=1,
        name_hash=ZERO,
        certificate_hash=sha256(name.encode()),
        key_id=KeyId(key),
        roles=3,
        from_epoch=EpochNumber(1),
    ).encode()


NOTICE = Notice(
    log_id=LOG,
    notice_type=1,
    source=1,
    time=UnixSeconds(1),
    until=UnixSeconds(0),
    entry_leaf=ZERO,
    subject_hash=ZERO,
).encode()
A, B, C = (sha256(name) for name in (b"key a", b"key b", b"key c"))
FOUNDED = Roll.founded(a_set(1, "a", "b"), sha256(b"K1"), {sha256(b"a"): KeyId(A)})
GROWN = FOUNDED.extended([named("b", B), NOTICE, update(2, 5, "a", "b", "c")]).extended([update(3, 8, "b", "c")])


def test_a_roll_begins_with_the_founders_and_nothing_but_sets_and_members_changes_it() -> None:
    founded = Roll.founded(a_set(1, "a", "b"), sha256(b"K1"), {sha256(b"a"): KeyId(A)})
    assert [(term.first_size, term.validators, term.decoy_key_hash) for term in founded.terms] == [
        (1, a_set(1, "a", "b"), sha256(b"K1"))
    ]
    assert founded.extended([NOTICE]) == founded == FOUNDED
    assert founded.signers(a_set(1, "a", "b")) == (KeyId(A),)


def test_size_decides_which_set_is_responsible() -> None:
    assert [GROWN.term(size).validators.set_id for size in (0, 1, 4, 5, 7, 8, 1000)] == [1, 1, 1, 2, 2, 3, 3]
    assert FOUNDED.term(1000).validators.set_id == 1
    assert [GROWN.end(term) for term in GROWN.terms] == [5, 8, None]
    assert GROWN.terms[0].leaf is None
    assert GROWN.terms[1].leaf == leaf_hash(update(2, 5, "a", "b", "c"))


def test_a_set_is_found_by_its_number_and_no_other_is() -> None:
    assert GROWN.term_of(SetId(2)) == GROWN.terms[1]
    assert GROWN.term_of(SetId(4)) is None


@pytest.mark.parametrize(
    ("name", "after", "last", "sizes"),
    [
        ("a", 0, 20, [1, 2, 3, 4, 5, 6, 7]),
        ("b", 5, 9, [6, 7, 8, 9]),
        ("c", 0, 3, []),
        ("c", 0, 9, [5, 6, 7, 8, 9]),
        ("stranger", 0, 9, []),
    ],
)
def test_a_key_signs_in_the_terms_of_its_sets_and_in_no_other(
    name: str, after: int, last: int, sizes: list[int]
) -> None:
    assert list(GROWN.sizes_of(address(name), after, TreeSize(last))) == sizes


def test_identity_keys_are_known_as_far_as_their_certificates_were_named() -> None:
    validators = GROWN.terms[1].validators
    assert set(GROWN.signers(validators)) == {A, B}
    assert set(GROWN.extended([named("c", C)]).signers(validators)) == {A, B, C}


def test_the_newest_certificate_of_a_key_is_kept() -> None:
    again = MemberUpdate.decode(named("b", B))
    newer = replace(again, action=3, certificate_hash=sha256(b"b2")).encode()
    left = replace(again, action=2, certificate_hash=sha256(b"b2"), roles=0).encode()
    roll = GROWN.extended([newer, left])
    assert roll.certificates == {KeyId(B): sha256(b"b2")}
    assert roll.owners[sha256(b"b")] == roll.owners[sha256(b"b2")] == B
    assert GROWN.certificates == {KeyId(B): sha256(b"b")}


def test_a_keys_cards_are_in_the_order_of_the_ledger_and_count_from_their_epochs() -> None:
    """Two of one epoch, too, and whatever their hashes are."""
    again = MemberUpdate.decode(named("b", B))
    hashes = [sha256(bytes([number])) for number in range(4)]
    epochs = (1, 5, 5, 9)
    records = [
        replace(again, action=3, card_hash=card, from_epoch=EpochNumber(epoch)).encode()
        for card, epoch in zip(hashes, epochs, strict=True)
    ]
    for order, expected in ((records, hashes[::-1]), (records[::-1], hashes)):
        roll = GROWN.extended(order)
        asked = {epoch: [one.card_hash for one in roll.cards_of(KeyId(B), epoch)] for epoch in (0, 4, 5, 9)}
        assert asked[9] == expected
        assert asked[5] == [card for card in expected if card != hashes[3]]
        assert (asked[4], asked[0]) == ([hashes[0]], [])
        assert roll.cards_of(KeyId(A), 9) == []
        assert [one.leaf for one in roll.cards] == [leaf_hash(record) for record in order]
    assert GROWN.cards == ()


def test_a_set_that_was_replaced_before_it_took_charge_never_was() -> None:
    other = SetUpdate.decode(update(3, 9, "a", "c"))
    replacing = replace(other, replaces=leaf_hash(update(3, 8, "b", "c"))).encode()
    for roll in (GROWN.extended([replacing]), GROWN.extended([replace(other, reason_hash=A).encode(), replacing])):
        assert roll.terms[-1].leaf == leaf_hash(replacing)
    roll = GROWN.extended([replacing])
    assert [term.validators.set_id for term in roll.terms] == [1, 2, 3]
    assert [roll.term(size).leaf for size in (8, 9)] == [GROWN.terms[1].leaf, leaf_hash(replacing)]
    assert list(roll.sizes_of(address("b"), 6, TreeSize(20))) == [7, 8]


def test_a_card_that_was_decided_on_anew_before_it_counted_never_counts() -> None:
    """Neither later by itself, nor as the newest of those before the other decision."""
    again = replace(MemberUpdate.decode(named("b", B)), action=3, card_hash=A, from_epoch=EpochNumber(9))
    left = replace(again, action=2, roles=0, card_hash=ZERO, replaces=leaf_hash(again.encode()))
    early, late = (GROWN.extended([again.encode(), left.encode()], [4, epoch]) for epoch in (8, 9))
    assert [len(roll.cards_of(KeyId(B), 20)) for roll in (early, late)] == [0, 1]
    never = GROWN.extended([again.encode()], [4]).extended([left.encode()], [8])
    assert (never.cards, [one.counts for one in never.named]) == ((), [False])  # a set may sit by it


def test_what_is_no_governance_record_is_refused() -> None:
    with pytest.raises(WordMalformed):
        FOUNDED.extended([bytes(288)])
