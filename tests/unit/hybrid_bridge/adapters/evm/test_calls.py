from dataclasses import replace

import pytest
from eth_abi.abi import decode, encode

from hybrid_bridge.adapters.evm.artefact import REGISTRY, VERIFIER, artefact, selector, type_of
from hybrid_bridge.adapters.evm.calls import (
    ANCHOR,
    EQUIVOCATION,
    HEAD,
    INCONSISTENT,
    PAUSE,
    PAUSE_ALONE,
    REGISTER,
    RESUME,
    RETIRE,
    ROTATE,
    Attested,
    BrakeState,
    Rotation,
    Sealed,
    anchor_calldata,
    decode_brake,
    decode_head,
    equivocation_calldata,
    head_calldata,
    inconsistent_calldata,
    pause_alone_calldata,
    pause_calldata,
    register_calldata,
    resume_calldata,
    retire_calldata,
    rotate_calldata,
)
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.power import Pause, Resume, Retire
from hybrid_bridge.errors import DigestLength, FieldMalformed, Malformed, RecordMalformed, WordMalformed
from hybrid_bridge.ports import Update
from hybrid_bridge.testing.memory_contract import decode_call
from hybrid_bridge.units import Address, ChainId, Digest, LogId, Seconds, TreeSize, UnixSeconds

UPDATE = Update(
    log_id=LogId(b"\x11" * 32),
    from_size=TreeSize(5),
    tree_size=TreeSize(9),
    root=Digest(b"\x22" * 32),
    set_hash=Digest(b"\x33" * 32),
    signers=2**64 - 1,
    path=(Digest(b"\x44" * 32), Digest(b"\x55" * 32)),
    seals=b"\x66" * 84,
)
ROTATION = Rotation(
    log_id=LogId(b"\x11" * 32),
    effective_from_size=TreeSize(9),
    set_hash=Digest(b"\x33" * 32),
    signers=7,
    seals=b"\x66" * 212,
    entries=b"\x77" * 512,
    newcomers=b"",
)


def arguments(signature: str, data: bytes) -> tuple[object, ...]:
    """What the committed interface reads."""
    assert data[:4] == selector(signature)
    item = artefact(REGISTRY).of_type("function")[signature]
    return tuple(decode([type_of(part) for part in item["inputs"]], data[4:]))


def test_the_contract_s_own_types_read_an_anchor() -> None:
    u = UPDATE
    attested = (u.tree_size, u.root, u.set_hash, u.signers)
    assert arguments(ANCHOR, anchor_calldata(u)) == (u.log_id, u.from_size, attested, u.path, u.seals)


def test_an_independent_decoder_reads_an_anchor() -> None:
    call = decode_call(anchor_calldata(UPDATE))
    assert (call.log_id, call.from_size, call.signers) == (UPDATE.log_id, UPDATE.from_size, UPDATE.signers)


def test_the_contract_s_own_types_read_a_registration_and_a_rotation() -> None:
    assert arguments(REGISTER, register_calldata(bytes(832), "example.org/log", bytes(512))) == (
        bytes(832),
        "example.org/log",
        bytes(512),
    )
    r = ROTATION
    quorum = (r.set_hash, r.signers, r.seals)
    assert arguments(ROTATE, rotate_calldata(r)) == (r.log_id, 9, quorum, r.entries, r.newcomers)


@pytest.mark.parametrize("changed", [{"log_id": b"x"}, {"root": bytes(31)}, {"set_hash": b""}, {"path": (bytes(33),)}])
def test_a_hash_of_another_length_is_never_padded(changed: dict[str, object]) -> None:
    with pytest.raises(DigestLength):
        anchor_calldata(replace(UPDATE, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("changed", [{"from_size": 2**64}, {"tree_size": -1}, {"signers": 2**64}, {"seals": "text"}])
def test_a_value_beyond_its_type_is_malformed(changed: dict[str, object]) -> None:
    with pytest.raises(FieldMalformed):
        anchor_calldata(replace(UPDATE, **changed))  # type: ignore[arg-type]


def test_a_rotation_with_short_hashes_is_malformed() -> None:
    with pytest.raises(DigestLength):
        rotate_calldata(replace(ROTATION, set_hash=Digest(b"")))


def test_a_head_is_eight_words() -> None:
    numbers = [9, 1_800_000_000, 1_800_000_009, 3, 12, 0, 2]
    words = [number.to_bytes(32, "big") for number in numbers]
    head = decode_head(words[0] + b"\x22" * 32 + b"".join(words[1:]))
    assert (head.tree_size, head.root, head.timestamp, head.anchored_at) == (9, b"\x22" * 32, *numbers[1:3])
    assert (head.set_id, head.next_from_size, head.paused_until, head.state) == (3, 12, 0, "paused")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", RecordMalformed),
        (bytes(255), RecordMalformed),
        (b"\xff" * 256, WordMalformed),
        (bytes(255) + b"\x05", FieldMalformed),
    ],
)
def test_what_is_no_head_is_malformed(answer: bytes, error: type[Malformed]) -> None:
    with pytest.raises(error):
        decode_head(answer)


def test_head_is_asked_by_its_selector() -> None:
    assert head_calldata(UPDATE.log_id) == keccak256(HEAD.encode())[:4] + UPDATE.log_id


def test_the_committed_contracts_are_what_their_files_say() -> None:
    for name in (REGISTRY, VERIFIER):
        assert len(artefact(name).creation_code) > 1000
        assert artefact(name) is artefact(name)


def test_a_brake_is_four_words_and_its_numbers_are_ours() -> None:
    guardian = b"\x22" * 20
    answer = encode(["address", "uint32", "uint32", "uint32"], [guardian, 86_400, 600, 2**32 - 1])
    assert decode_brake(answer) == BrakeState(Address(guardian), Seconds(86_400), Seconds(600), 2**32 - 1)
    for bad in (answer[:-1], answer + bytes(32), b"\x01" + answer[1:], answer[:32] + b"\xff" * 32 + answer[64:]):
        with pytest.raises(Malformed):
            decode_brake(bad)


def test_reports_and_powers_are_read_by_the_contract_s_own_types() -> None:
    sealed = Sealed(Digest(b"\x33" * 32), 7, b"\x66" * 212)
    one = Attested(TreeSize(9), Digest(b"\x22" * 32), sealed)
    log, quorum = LogId(b"\x11" * 32), (sealed.set_hash, 7, sealed.seals)
    words = (9, one.root, sealed.set_hash, 7)
    assert arguments(EQUIVOCATION, equivocation_calldata(log, one, one)) == (
        log, words, sealed.seals, words, sealed.seals,
    )  # fmt: skip
    other, path = Digest(b"\x44" * 32), (Digest(b"\x55" * 32),)
    assert arguments(INCONSISTENT, inconsistent_calldata(log, one, other, path)) == (
        log, words, sealed.seals, other, path,
    )  # fmt: skip
    place = {"chain_id": ChainId(1), "contract": Address(bytes(20)), "log_id": log}
    reason = sha256(b"why")
    pause = Pause(**place, nonce=0, until=UnixSeconds(9), reason="why")  # type: ignore[arg-type]
    assert arguments(PAUSE, pause_calldata(pause, sealed)) == (log, 9, reason, quorum)
    assert arguments(PAUSE_ALONE, pause_alone_calldata(log, UnixSeconds(9), "why")) == (log, 9, reason)
    resume = Resume(**place, nonce=0, reason="why")  # type: ignore[arg-type]
    assert arguments(RESUME, resume_calldata(resume, sealed)) == (log, reason, quorum)
    retire = Retire(**place, successor=log, tree_size=TreeSize(9), root=other)  # type: ignore[arg-type]
    assert arguments(RETIRE, retire_calldata(retire, bytes(832), sealed)) == (log, bytes(832), quorum)
    for short in (replace(one, root=Digest(b"")), replace(one, sealed=replace(sealed, set_hash=Digest(b"")))):
        with pytest.raises(DigestLength):
            equivocation_calldata(log, one, short)
