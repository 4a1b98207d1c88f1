"""Pause, resume, retire: one text for each statement, and a quorum counted from files of strangers."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.core.attestation import (
    all_seals,
    pause_digest,
    resume_digest,
    retire_digest,
    seals,
    set_update_digest,
)
from hybrid_bridge.core.encoding import canonical_json, parse_canonical_json, sha256
from hybrid_bridge.core.power import (
    MAX_REASON,
    Draft,
    Pause,
    Resume,
    Retire,
    SetUpdate,
    SignedPower,
    appoint,
    decode_draft,
    decode_signed,
    gather,
    hash_of_reason,
)
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet
from hybrid_bridge.errors import (
    BelowQuorum,
    FieldMalformed,
    FieldMismatch,
    Malformed,
    Missing,
    NewcomerUnproven,
    NotCanonical,
    SignerUnknown,
    TooLong,
)
from hybrid_bridge.units import Address, ChainId, LogId, SetId, TreeSize, UnixSeconds

KEYS = {address_of(public_key_of(k.to_bytes(32, "big"))): k.to_bytes(32, "big") for k in range(1, 6)}
MEMBERS = sorted(KEYS)[:4]
STRANGER = sorted(KEYS)[4]
WORD = sha256(b"word")
SET = ValidatorSet(SetId(1), tuple(ValidatorEntry(Address(a), WORD, WORD, WORD) for a in MEMBERS))
PLACE: Any = {"chain_id": ChainId(1), "contract": Address(b"\xcc" * 20), "log_id": LogId(sha256(b"log"))}
PAUSE = Pause(**PLACE, nonce=4, until=UnixSeconds(1_800_000_000), reason="stolen keys")
RESUME = Resume(**PLACE, nonce=5, reason="new keys")
RETIRE = Retire(**PLACE, successor=LogId(sha256(b"after")), tree_size=TreeSize(9), root=sha256(b"root"))
NEW = ValidatorSet(
    SetId(2), tuple(ValidatorEntry(Address(a), WORD, WORD, WORD) for a in sorted([*MEMBERS[1:], STRANGER]))
)
UPDATE = SetUpdate(**PLACE, set_id=SetId(2), set_hash=NEW.digest, effective_from_size=TreeSize(40))
ALL = [PAUSE, RESUME, RETIRE, UPDATE]


def signed(statement: Any, *signers: bytes) -> list[SignedPower]:
    return [
        SignedPower(statement=statement, signature=sign_digest(KEYS[Address(one)], statement.digest()))
        for one in signers
    ]


def test_what_is_signed_are_the_structs_of_the_contract() -> None:
    where = PLACE.values()
    assert PAUSE.digest() == pause_digest(*where, 4, UnixSeconds(1_800_000_000), sha256(b"stolen keys"))
    assert RESUME.digest() == resume_digest(*where, 5, sha256(b"new keys"))
    assert RETIRE.digest() == retire_digest(*where, LogId(sha256(b"after")), TreeSize(9), sha256(b"root"))
    assert UPDATE.digest() == set_update_digest(*where, SetId(2), NEW.digest, TreeSize(40))
    assert [statement.number for statement in ALL] == [4, 5, 9, 2]


@pytest.mark.parametrize("statement", ALL, ids=lambda one: one.type)
def test_a_file_has_one_text(statement: Any) -> None:
    draft, (file,) = Draft(statement=statement), signed(statement, MEMBERS[0])
    assert decode_draft(draft.encode()) == draft
    assert decode_signed(file.encode()) == file
    assert file.signer == MEMBERS[0]
    for other in (decode_draft, decode_signed):
        with pytest.raises(Malformed):
            other(file.encode() if other is decode_draft else draft.encode())
        with pytest.raises(NotCanonical):
            other(b" " + draft.encode())


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("", FieldMalformed),
        ("two\nlines", FieldMalformed),
        ("\x1b[2Ja screen of its own", FieldMalformed),
        ("x" * (MAX_REASON + 1), TooLong),
        (7, FieldMalformed),
    ],
)
def test_a_reason_is_one_line_that_people_can_read(reason: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        _draft_with("reason", reason)


@pytest.mark.parametrize(
    ("member", "value"),
    [("nonce", 1 << 32), ("nonce", -1), ("until", 1 << 53), ("contract", "AA"), ("type", "freeze"), ("chain_id", "1")],
)
def test_a_number_out_of_range_and_an_unknown_kind_are_no_statement(member: str, value: Any) -> None:
    with pytest.raises(Malformed):
        _draft_with(member, value)


def _draft_with(member: str, value: Any) -> None:
    document: Any = parse_canonical_json(Draft(statement=PAUSE).encode(), "draft", 1 << 16)
    document["statement"][member] = value
    decode_draft(canonical_json(document))


def test_what_could_not_be_read_is_not_written() -> None:
    with pytest.raises(FieldMalformed):
        Draft(statement=replace(PAUSE, reason="")).encode()
    with pytest.raises(FieldMalformed):
        replace(signed(PAUSE, MEMBERS[0])[0], signature=b"short").encode()


@given(st.text(min_size=1, max_size=20))
def test_reasons_hash_as_their_utf8(reason: str) -> None:
    try:
        data = reason.encode()
    except UnicodeEncodeError:
        return
    assert hash_of_reason(reason) == sha256(data)


def test_files_in_any_order_and_twice_are_one_quorum() -> None:
    files = signed(PAUSE, *MEMBERS[:3])
    assert gather(files, SET) == gather([*files[::-1], files[0]], SET)
    assert gather(files, SET)[0] == 0b0111


def test_two_members_twice_are_two_members() -> None:
    with pytest.raises(BelowQuorum):
        gather(signed(PAUSE, MEMBERS[0], MEMBERS[1], MEMBERS[0]), SET)


def test_a_strangers_signature_is_refused_and_not_skipped() -> None:
    with pytest.raises(SignerUnknown) as caught:
        gather(signed(PAUSE, *MEMBERS[:3], STRANGER), SET)
    assert caught.value.address == STRANGER


def test_signatures_of_different_statements_are_not_mixed() -> None:
    other = replace(PAUSE, until=UnixSeconds(1_800_000_001))
    with pytest.raises(FieldMismatch) as caught:
        gather([*signed(PAUSE, *MEMBERS[:2]), *signed(other, MEMBERS[2])], SET)
    assert (caught.value.expected, caught.value.got) == (PAUSE.digest().hex(), other.digest().hex())


def test_no_file_is_no_quorum() -> None:
    with pytest.raises(Missing):
        gather([], SET)


def test_for_a_report_every_signer_counts_however_few() -> None:
    one = signed(PAUSE, MEMBERS[2])[0]
    signers, packed = all_seals(SET, {one.signer: one.signature})
    assert (signers, len(packed), packed[:40]) == (0b0100, 3 * 20 + 64, MEMBERS[0] + MEMBERS[1])
    with pytest.raises(SignerUnknown):
        all_seals(SET, {Address(STRANGER): one.signature})


# ── another set ──────────────────────────────────────────────────────────────────────────────────────────────────────


def signatures(*signers: bytes) -> dict[Address, Any]:
    return {Address(one): sign_digest(KEYS[Address(one)], UPDATE.digest()) for one in signers}


def test_a_set_is_appointed_by_a_quorum_of_the_old_one_and_by_everybody_who_is_new() -> None:
    given = signatures(*MEMBERS, STRANGER)
    old = {a: s for a, s in given.items() if a in SET.addresses}
    assert appoint(NEW, SET, given) == (*seals(SET, old), to_compact(given[Address(STRANGER)]))
    assert appoint(NEW, SET, dict(reversed(given.items()))) == appoint(NEW, SET, given)


def test_whoever_stays_need_not_sign() -> None:
    assert appoint(NEW, SET, signatures(*MEMBERS[:3], STRANGER))[2] != b""
    assert appoint(replace(SET, set_id=SetId(2)), SET, signatures(*MEMBERS[:3]))[2] == b""


def test_a_newcomer_who_does_not_show_his_key_and_too_few_of_the_old_ones_appoint_nobody() -> None:
    with pytest.raises(NewcomerUnproven) as caught:
        appoint(NEW, SET, signatures(*MEMBERS))
    assert caught.value.validator == STRANGER
    with pytest.raises(BelowQuorum):
        appoint(NEW, SET, signatures(*MEMBERS[:2], STRANGER))
