"""The known answers of SPEC §17 that concern trees, sets, statements and notes."""

import pytest

from hybrid_bridge.core.attestation import (
    CHECKPOINT_TYPE,
    LOG_DOMAIN_TYPE,
    PAUSE_TYPE,
    POWER_DOMAIN_TYPE,
    RESUME_TYPE,
    RETIRE_TYPE,
    SET_UPDATE_TYPE,
    Checkpoint,
    boundary,
    domain_separator,
)
from hybrid_bridge.core.checkpoint import Note, log_line, quorum_line
from hybrid_bridge.core.encoding import ZERO, sha256, type_hash
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash, node_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import VALIDATOR_SET_TYPE, KeyBinding, ValidatorEntry, ValidatorSet, name_hash
from hybrid_bridge.units import Digest, LogId, Seconds, SetId, TreeSize, UnixSeconds

ORIGIN = "example.org/receivables"
KEYS = [number.to_bytes(32, "big") for number in (1, 2, 3, 4)]
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
LOG_ID = LogId(bytes.fromhex("2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a"))
EPOCH_LEAF = Digest(bytes.fromhex("4a742bcb9e4cda3b045efbc6b459fa7a701e282c86ad6b5419567a005740adea"))


def fixture_set() -> ValidatorSet:
    entries = []
    for i, address in enumerate(sorted(address_of(public_key_of(key)) for key in KEYS)):
        certificate = sha256(b"certificate %d" % i)
        binding = KeyBinding(sha256(ORIGIN.encode()), certificate, address, ZERO)
        entries.append(ValidatorEntry(address, name_hash(f"LEI:TEST{i}", f"Member {i}"), certificate, binding.digest))
    return ValidatorSet(SetId(1), tuple(entries))


def fixture_checkpoint() -> Checkpoint:
    tree = Tree()
    tree.extend([LOG_ID, EPOCH_LEAF])
    known = fixture_set()
    return Checkpoint(
        log_id=LOG_ID,
        tree_size=tree.size,
        root=tree.root(),
        timestamp=boundary(UnixSeconds(1800000000), Seconds(600), tree.size),
        set_id=known.set_id,
        set_hash=known.digest,
    )


@pytest.mark.parametrize(
    ("type_string", "expected"),
    [
        (LOG_DOMAIN_TYPE, "599a80fcaa47b95e2323ab4d34d34e0cc9feda4b843edafcc30c7bdf60ea15bf"),
        (POWER_DOMAIN_TYPE, "d87cd6ef79d4e2b95e15ce8abf732db51ec771f1ca2edccf22a46c729ac56472"),
        (CHECKPOINT_TYPE, "7f5c204447db420ebedcf891bfac3b67b398689342ac83d0e9fcb74fdb913603"),
        (SET_UPDATE_TYPE, "c88dc056994e88825fffc13be307c4bba560a403a2f049b267f7fd2f42ae5022"),
        (PAUSE_TYPE, "01ec882ef904eab4e476006baf91185506849c82cc6d04743c0e5c01cc3f7978"),
        (RESUME_TYPE, "09ad42fa22eeb1dff6bc01a43a8ff075473f87752bccb08abfe3a5cc6b6c2ce2"),
        (RETIRE_TYPE, "e843d2bd765cddf749b477f848c946afe8f789b4f4a0422fd8c09c5380fcbfcf"),  # CONTRACT §3.5
    ],
    ids=lambda value: value.split("(")[0][-40:],
)
def test_type_hashes_of_typed_data(type_string: str, expected: str) -> None:
    assert keccak256(type_string.encode()).hex() == expected


def test_type_hash_of_the_validator_set() -> None:
    expected = "6e87e25102f736f98f729108d5f951d38fcf55272a1142e71025e0ff9f4094b8"
    assert type_hash(VALIDATOR_SET_TYPE).hex() == expected


def test_hashes_of_nothing() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert node_hash(ZERO, ZERO).hex() == "ae0798d0ecaed2b778eddebf18f071a561c53658c05e76cedecc27cafbdbc577"


def test_the_hash_of_the_fixture_set() -> None:
    assert fixture_set().digest.hex() == "8580f137e8cd84a70d66faed8b88a5c993138bc1b0169c2463505e3f2504c6d9"


def test_the_root_of_size_two() -> None:
    expected = "2a230a37fe3a8cad73614edfa841475ae8ebe693d7550f652b00a8adb82c8cfc"
    assert fixture_checkpoint().root.hex() == expected


def test_the_separator_and_the_digest_of_the_checkpoint() -> None:
    separator = "35bc8570e31f93e2388d62b8b672657129d575d2093d88878334807d01b60e1c"
    assert domain_separator(LOG_ID).hex() == separator
    digest = "71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746"
    assert fixture_checkpoint().digest().hex() == digest


def test_the_signature_of_key_one() -> None:
    signature = sign_digest(KEYS[0], fixture_checkpoint().digest())
    assert signature[:32].hex() == "126203ff77f73755ac541ad9131e79c72d3acb99b24cd4fc061cd9a3a6d4812d"
    assert signature[32:64].hex() == "0fcdb252e62c171f96677405c6d57293deee11c6f27bbbaf8f82b25ae71095b7"
    assert signature[64] == 28


def test_the_note_body_and_the_key_ids_of_its_lines() -> None:
    checkpoint = fixture_checkpoint()
    body = Note(ORIGIN, TreeSize(2), checkpoint.root).body()
    assert sha256(body).hex() == "6b53c8d9a92342c79cbfcc2bab11ab5abbe0e98144a0fa92ddb94b956cc2d6cb"
    assert log_line(ORIGIN, SEED, body).key_id.hex() == "e2f9928a"
    signature = sign_digest(KEYS[0], checkpoint.digest())
    address = address_of(public_key_of(KEYS[0]))
    line = quorum_line(ORIGIN, address, checkpoint.timestamp, checkpoint.set_id, signature)
    assert line.key_id.hex() == "db1f871e"
