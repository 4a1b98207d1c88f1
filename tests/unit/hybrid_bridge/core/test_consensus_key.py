"""The record that ties a key of the consensus engine to a member's identity key."""

from dataclasses import replace

import pytest

from hybrid_bridge.adapters.cometbft.home import public_key_of
from hybrid_bridge.core.consensus_key import CONSENSUS_KEY, CONSENSUS_KEY_TYPE, ConsensusKey, possession_message
from hybrid_bridge.core.encoding import ZERO, sha256
from hybrid_bridge.core.governance import decode_governance
from hybrid_bridge.core.signing import ORDER, address_of
from hybrid_bridge.core.signing import public_key_of as point_of
from hybrid_bridge.errors import FieldMalformed, RecordMalformed, SignatureWrong, WordMalformed
from hybrid_bridge.units import KeyId, LogId
from tests.comet_chain import Key

LOG, HOLDER = LogId(sha256(b"log")), KeyId(sha256(b"holder"))
SECRETS = [sha256(b"vote %d" % k) for k in range(6)]


def record(secret: bytes = SECRETS[0], **changes: object) -> ConsensusKey:
    made = ConsensusKey.signed(secret, public_key_of(secret), LOG, HOLDER)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("secret", SECRETS)
def test_of_either_parity_it_is_read_as_it_was_written(secret: bytes) -> None:
    made = record(secret)
    assert decode_governance(made.encode()) == made
    made.verify_possession()
    assert made.address == address_of(point_of(secret))


def test_the_words_lie_where_the_specification_puts_them() -> None:
    made = record(replaces=sha256(b"before"), reason_hash=sha256(b"why"))
    words = [made.encode()[at : at + 32] for at in range(0, 288, 32)]
    head = [sha256(CONSENSUS_KEY_TYPE.encode()), LOG, HOLDER, bytes(31) + made.key[:1], made.key[1:], made.replaces]
    assert words == [*head, made.possession[:32], made.possession[32:], made.reason_hash]
    assert CONSENSUS_KEY.width == 288


def test_both_parities_were_among_them() -> None:
    assert {record(secret).key_prefix for secret in SECRETS} == {2, 3}


@pytest.mark.parametrize(
    ("word", "value", "index"),
    [
        (0, ZERO, 0),
        (3, (4).to_bytes(32, "big"), 3),
        (3, (0).to_bytes(32, "big"), 3),
        (3, (0x100000002).to_bytes(32, "big"), 3),
        (4, b"\xff" * 32, 4),  # beyond the field
        (4, (5).to_bytes(32, "big"), 4),  # no point has this x
    ],
)
def test_bytes_that_are_no_key_are_refused_by_their_word(word: int, value: bytes, index: int) -> None:
    data = record().encode()
    with pytest.raises(WordMalformed) as caught:
        ConsensusKey.decode(data[: 32 * word] + value + data[32 * word + 32 :])
    assert caught.value.index == index


@pytest.mark.parametrize("size", [0, 287, 320])
def test_another_length_is_refused(size: int) -> None:
    with pytest.raises(RecordMalformed):
        ConsensusKey.decode((record().encode() + bytes(32))[:size])


@pytest.mark.parametrize("key", [b"", b"\x02", point_of(SECRETS[0]), b"\x02" + point_of(SECRETS[0])[1:]])
def test_only_a_compressed_point_is_a_consensus_key(key: bytes) -> None:
    with pytest.raises(WordMalformed):
        record(key=key)


def test_a_signature_has_sixty_four_bytes() -> None:
    with pytest.raises(WordMalformed) as caught:
        record(possession=bytes(65))
    assert caught.value.index == 7


def test_a_key_that_did_not_sign_itself_is_refused() -> None:
    """What another key signed, or this key for another holder, log or key, names nobody."""
    stranger, made = record(SECRETS[1]), record()
    for claimed in (
        replace(made, possession=stranger.possession),
        replace(made, key=stranger.key),
        replace(made, key_id=KeyId(sha256(b"another"))),
        replace(made, log_id=LogId(sha256(b"another"))),
        replace(made, possession=bytes(64)),
    ):
        with pytest.raises(SignatureWrong):
            claimed.verify_possession()


def test_there_is_one_signature_a_key_only_with_low_s() -> None:
    made = record()
    high = ORDER - int.from_bytes(made.possession_s, "big")
    with pytest.raises(SignatureWrong):
        replace(made, possession=made.possession_r + high.to_bytes(32, "big")).verify_possession()


def test_an_independent_signer_makes_what_we_accept() -> None:
    key = Key(7)
    message = b"hybrid-bridge/v1/consensus-key\0" + LOG + HOLDER + key.validator.key
    assert message == possession_message(LOG, HOLDER, key.validator.key)
    ConsensusKey(log_id=LOG, key_id=HOLDER, key=key.validator.key, possession=key.sign(message)).verify_possession()


def test_no_private_key_no_record() -> None:
    with pytest.raises(FieldMalformed):
        ConsensusKey.signed(bytes(32), record().key, LOG, HOLDER)
