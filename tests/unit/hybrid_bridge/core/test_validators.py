"""Validator sets, the quorum rule, and the word of an identity key for an attestation key."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keys import P256, PrivateKey
from hybrid_bridge.core.validators import (
    KeyBinding,
    SignedKeyBinding,
    ValidatorEntry,
    ValidatorSet,
    name_hash,
    name_text,
    parse_name,
    quorum,
)
from hybrid_bridge.errors import (
    BridgeError,
    EntriesMalformed,
    FieldMalformed,
    FieldMismatch,
    NotCanonical,
    RecordMalformed,
    SignatureWrong,
    SignerUnknown,
    TooLong,
    TrailingBytes,
    Truncated,
    WordMalformed,
)
from hybrid_bridge.units import Address, Digest, SetId


def entry(number: int) -> ValidatorEntry:
    digest = sha256(b"%d" % number)
    return ValidatorEntry(Address(number.to_bytes(20, "big")), digest, digest, digest)


def members(*numbers: int, set_id: int = 1) -> ValidatorSet:
    return ValidatorSet(SetId(set_id), tuple(entry(number) for number in numbers))


# ── quorum ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("n", range(1, 65))
def test_the_quorum_is_the_least_number_above_two_thirds(n: int) -> None:
    q = quorum(n)
    assert q > Fraction(2 * n, 3) >= q - 1
    assert q == n - (n - 1) // 3
    assert 2 * q - n >= (n - 1) // 3 + 1  # two quorums share an honest member


def test_the_quorums_of_the_specification() -> None:
    assert [quorum(n) for n in range(1, 11)] == [1, 2, 3, 3, 4, 5, 5, 6, 7, 7]
    assert [quorum(n) for n in (13, 21, 64)] == [9, 15, 43]


@pytest.mark.parametrize("n", [0, -1, 65, 10**30, True, None, 4.0, "four", b"4"])
def test_there_is_no_quorum_of_none_or_of_65(n: Any) -> None:
    with pytest.raises(FieldMalformed):
        quorum(n)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_text_behind_a_name_hash_is_canonical_json() -> None:
    assert name_text("LEI:1", "Müller & Söhne") == '{"id":"LEI:1","name":"Müller & Söhne"}'
    assert name_hash("LEI:1", "A") == sha256(b'{"id":"LEI:1","name":"A"}')


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_name_is_read_back_as_it_was_written(member_id: str, name: str) -> None:
    assert parse_name(name_text(member_id, name)) == (member_id, name)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"id":"a", "name":"b"}', NotCanonical),
        ('{"id":"a"}', FieldMalformed),
        ('{"id":"a","name":1}', FieldMalformed),
        ('{"id":1,"name":"b"}', FieldMalformed),
        ('{"id":"a","name":"b","x":"c"}', FieldMalformed),
        ('["id","name"]', FieldMalformed),
        ('{"id":"\ud800","name":"b"}', FieldMalformed),
        ('{"id":"a","name":"' + 5000 * "b" + '"}', TooLong),
        (None, FieldMalformed),
    ],
)
def test_what_is_no_name_is_refused(text: Any, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        parse_name(text)


def test_a_name_that_is_no_text_has_no_hash() -> None:
    wrong: Any = 7
    with pytest.raises(FieldMalformed):
        name_text("LEI:1", wrong)
    with pytest.raises(FieldMalformed):
        name_text("LEI:1", "\ud800")


# ── the set ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(st.sets(st.integers(1, 2**160 - 1), min_size=1, max_size=64), st.integers(1, 2**53 - 1))
@settings(max_examples=30)
def test_entries_are_read_back_as_they_were_written(numbers: set[int], set_id: int) -> None:
    known = members(*sorted(numbers), set_id=set_id)
    data = known.encode_entries()
    assert len(data) == 128 * len(numbers)
    assert ValidatorSet.decode_entries(SetId(set_id), data) == known
    assert known.quorum == quorum(len(numbers))
    assert [known.index_of(address) for address in known.addresses] == list(range(len(numbers)))


@pytest.mark.parametrize(("numbers", "index"), [((0, 1), 0), ((2, 1), 1), ((1, 1), 1), ((1, 3, 2), 2)])
def test_addresses_ascend_strictly_and_none_is_zero(numbers: tuple[int, ...], index: int) -> None:
    with pytest.raises(EntriesMalformed) as caught:
        members(*numbers)
    assert caught.value.index == index


def test_an_address_has_20_bytes() -> None:
    digest = sha256(b"")
    with pytest.raises(EntriesMalformed):
        ValidatorSet(SetId(1), (ValidatorEntry(Address(bytes(18) + b"\x01"), digest, digest, digest),))


@pytest.mark.parametrize("set_id", [0, -1, 2**53, True, None])
def test_a_set_has_a_number_from_one(set_id: Any) -> None:
    with pytest.raises(FieldMalformed):
        members(1, set_id=set_id)


@pytest.mark.parametrize("count", [0, 65])
def test_a_set_has_1_to_64_members(count: int) -> None:
    with pytest.raises(FieldMalformed):
        members(*range(1, count + 1))


def test_a_stranger_has_no_place_in_the_set() -> None:
    with pytest.raises(SignerUnknown) as caught:
        members(1, 2).index_of(Address(bytes(20)))
    assert caught.value.address == bytes(20)


def test_the_digest_commits_to_number_order_and_every_word() -> None:
    data = members(1, 2, 3).encode_entries()
    digests = {members(1, 2, 3).digest, members(1, 2, 3, set_id=2).digest, members(1, 2).digest}
    for byte in range(12, len(data)):
        if byte % 128 >= 12:
            changed = data[:byte] + bytes([data[byte] ^ 1]) + data[byte + 1 :]
            try:
                digests.add(ValidatorSet.decode_entries(SetId(1), changed).digest)
            except EntriesMalformed:
                digests.add(Digest(byte.to_bytes(2, "big")))  # the lowest bit made two addresses fall
    assert len(digests) == 3 + sum(byte % 128 >= 12 for byte in range(12, len(data)))


def test_entries_of_another_length_are_refused() -> None:
    data = members(1, 2).encode_entries()
    for bad in (data[:-1], data + b"\x00", bytes(65 * 128)):
        with pytest.raises(RecordMalformed):
            ValidatorSet.decode_entries(SetId(1), bad)
    with pytest.raises(FieldMalformed):
        ValidatorSet.decode_entries(SetId(1), b"")


def test_a_pad_byte_before_an_address_is_refused() -> None:
    data = members(1, 2).encode_entries()
    with pytest.raises(WordMalformed) as caught:
        ValidatorSet.decode_entries(SetId(1), data[:128] + b"\x01" + data[129:])
    assert caught.value.index == 4


@given(st.one_of(st.binary(max_size=300), st.none(), st.text(max_size=3)))
def test_only_bridge_errors_leave_the_decoders(data: Any) -> None:
    for decode in (lambda: ValidatorSet.decode_entries(SetId(1), data), lambda: KeyBinding.decode(data),
                   lambda: SignedKeyBinding.decode(data)):  # fmt: skip
        try:
            decode()
        except BridgeError:
            continue


# ── key binding ──────────────────────────────────────────────────────────────────────────────────────────────────────

IDENTITY = PrivateKey.from_seed(bytes(range(32)))
BINDING = KeyBinding(sha256(b"origin"), sha256(b"certificate"), Address(b"\x01" * 20), Digest(bytes(32)))
SIGNED = SignedKeyBinding(BINDING, IDENTITY.public.scheme, IDENTITY.sign(BINDING.message()))


def test_a_key_binding_is_read_back_as_it_was_written() -> None:
    assert (len(BINDING.encode()), len(SIGNED.encode())) == (117, 183)
    assert KeyBinding.decode(BINDING.encode()) == BINDING
    assert SignedKeyBinding.decode(SIGNED.encode()) == SIGNED
    assert BINDING.digest == sha256(b"hybrid-bridge/v1/key-binding\x00" + BINDING.encode())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda d: d[:-1], Truncated),
        (lambda d: d + b"\x00", TrailingBytes),
        (lambda d: b"\x02" + d[1:], FieldMalformed),
        (lambda d: b"", Truncated),
    ],
    ids=["short", "long", "version", "empty"],
)
def test_another_layout_is_refused(change: Any, error: type[BridgeError]) -> None:
    with pytest.raises(error):
        KeyBinding.decode(change(BINDING.encode()))
    with pytest.raises(error):
        SignedKeyBinding.decode(change(SIGNED.encode()))


def test_the_identity_key_vouches_for_the_attestation_key() -> None:
    SIGNED.verify(IDENTITY.public)


def test_key_binding_of_other_origin_does_not_verify() -> None:
    other = KeyBinding(sha256(b"other"), BINDING.certificate_hash, BINDING.address, BINDING.mldsa_key_hash)
    with pytest.raises(SignatureWrong):
        SignedKeyBinding(other, SIGNED.scheme, SIGNED.signature).verify(IDENTITY.public)


def test_a_binding_by_another_key_or_scheme_does_not_verify() -> None:
    with pytest.raises(SignatureWrong):
        SIGNED.verify(PrivateKey.from_seed(bytes(32)).public)
    with pytest.raises(FieldMismatch):
        SignedKeyBinding(BINDING, P256, SIGNED.signature).verify(IDENTITY.public)


def test_a_scheme_nobody_knows_is_refused() -> None:
    data = SIGNED.encode()
    with pytest.raises(FieldMalformed):
        SignedKeyBinding.decode(data[:117] + b"\x08\x08" + data[119:])
