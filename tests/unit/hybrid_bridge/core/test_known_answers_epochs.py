"""SPEC §17, the part of epochs, batch, registry and labels: bytes that a second program reproduced from the text alone."""

import pytest

from hybrid_bridge.core import vrf
from hybrid_bridge.core.batch import Batch, build_batch
from hybrid_bridge.core.consensus_key import CONSENSUS_KEY
from hybrid_bridge.core.entry import entry_leaf
from hybrid_bridge.core.epoch import EPOCH, EpochRecord, closed_at, verify_first
from hybrid_bridge.core.genesis import GENESIS as GENESIS_RECORD
from hybrid_bridge.core.governance import MEMBER_UPDATE, NOTICE, SET_UPDATE
from hybrid_bridge.core.labels import Label, alpha, commitment, creditor_invoice, identity_value, life, life_value
from hybrid_bridge.core.proof import leaf_hash, verify_inclusion
from hybrid_bridge.core.registry import Pair, PrefixTree, genesis_tree, pad_insertions
from hybrid_bridge.core.registry_proof import OURS, verify
from hybrid_bridge.core.secret import Stats, decoy_key_hash
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.units import Digest, EpochNumber, Height, LeafIndex, RegistryIndex, SetId, TreeSize
from tests.unit.hybrid_bridge.core.consortium import GENESIS, K_1, PUBLIC_KEY, SECRET, SEED, SET_HASH

ONE = EpochNumber(1)
ENTRY = bytes.fromhex("010101000896d9883e279efb7aad41b8b67f0f45344e7ffa811b8484d2689077a18ad786d6")
BLOCK_HASH = Digest(bytes.fromhex("d06541110d1cf5318f754d5664341a69f686f00c1e34985a3e54e5e5117708be"))
OBJECT = bytes(range(16)).hex()
OPENING = bytes(range(0x80, 0xA0))
INVOICE = creditor_invoice("LEI:5493001KJTIIGC8Y1R12", "INV-001")
LIFE = life("asset", OBJECT)


def index_of(label: Label) -> RegistryIndex:
    proof = vrf.prove(SEED, alpha(GENESIS.log_id, label, 0))
    return vrf.index_of(vrf.verify(PUBLIC_KEY, alpha(GENESIS.log_id, label, 0), proof))


def real_pairs() -> list[Pair]:
    leaf = entry_leaf(ENTRY)
    identity = commitment(OPENING, GENESIS.log_id, INVOICE, 0, identity_value(leaf, OBJECT))
    opening = SECRET.life_opening(ONE, LIFE.encode(), 0)
    event = commitment(opening, GENESIS.log_id, LIFE, 0, life_value("0x0101", leaf, {}))
    return [(index_of(INVOICE), identity), (index_of(LIFE), event)]


def registry() -> PrefixTree:
    padded = pad_insertions(SECRET, ONE, real_pairs(), GENESIS.registry_ladder)
    return genesis_tree(SECRET, GENESIS.registry_ladder).insert(padded)


def batch() -> Batch:
    return build_batch(SECRET, ONE, [ENTRY], GENESIS.batch_ladder)


def first_epoch() -> EpochRecord:
    return EpochRecord(
        log_id=GENESIS.log_id,
        epoch=ONE,
        first_block=Height(1),
        end_block=Height(2),
        last_block_hash=BLOCK_HASH,
        batch_size=batch().size,
        batch_root=batch().root,
        registry_root=registry().root,
        governance_size=TreeSize(1),
        governance_root=leaf_hash(GENESIS.encode()),
        set_id=SetId(1),
        set_hash=SET_HASH,
        closed_at=closed_at(GENESIS, ONE),
        stats_commitment=SECRET.stats(ONE, Stats(1, 0, 2, 1)),
        blind=SECRET.blind(ONE),
    )


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (GENESIS_RECORD.hash, "b4b988045d34a481738d12e02c58ac85053869704ad3dd7f6d2340318cc41ca0"),
        (EPOCH.hash, "e4afe08de9960dcf344a9f719e43d55811e97cf77cf7d9aa1decb4cada45a294"),
        (SET_UPDATE.hash, "696299ad416285aa5bd380bdba7f8d416a66f2cd36710008bc9e63b13d707e06"),
        (MEMBER_UPDATE.hash, "a1e490d96664306e93d05f3a4c1a01dd7ff2d5fdf49883896b8c69416947a512"),
        (CONSENSUS_KEY.hash, "c9ff6af14a219d4be3a868131de557ae813930b423ca9efca4e0207fe77f5084"),
        (NOTICE.hash, "c626add6fa0cdd8b05c2b37a799a711cb53aef5f9b492c1ef47b5a68579bc42b"),
        (OURS.leaf(bytes(32), bytes(32)), "977c6d24ff2b851777af4dce0615e547112c6c0128a37338b3a1db9d055fff09"),
        (OURS.node(bytes(32), bytes(32)), "dc48a742ae32cfd66352372d6120ed14d6629fc166246b05ff8b03e23804701f"),
        (decoy_key_hash(K_1), "880a9f1dc9e486eb8a390b81eb6ed59ef1e8147dd96accd9a5a797312332b394"),
    ],
    ids=["Genesis", "Epoch", "SetUpdate", "MemberUpdate", "ConsensusKey", "Notice", "PLEAF", "PNODE", "decoyKeyHash"],
)
def test_type_hashes_and_tags(got: bytes, expected: str) -> None:
    assert got.hex() == expected


def test_the_registry_of_epoch_zero_and_the_log_id() -> None:
    tree = genesis_tree(SECRET, GENESIS.registry_ladder)
    assert tree.root.hex() == "c40cacfb08a7fff466a9e3cf144b471e451a5928705e1b9d0e12e225a4b2734e"
    assert tree.size == 4
    assert GENESIS.log_id.hex() == "2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a"


def test_the_identity_label_its_index_and_commitment() -> None:
    expected = "00030200184c45493a353439333030314b4a54494947433859315231320007494e562d303031"
    assert INVOICE.encode().hex() == expected
    index, found = real_pairs()[0]
    assert index.hex() == "328bbde4c7ecb0581a62efd41e79f9caf3f48575120b33e961aeaa46afa93dc0"
    assert found.hex() == "3a157e3ea2a9e2f61dc880b617da9f6232b7224bfddb1235212b4b6451b9ffe1"


def test_the_life_label_its_index_and_commitment() -> None:
    index, found = real_pairs()[1]
    assert index.hex() == "3441991aff48de91637288933300229332a1144f1e056aa81bcfb382aa259428"
    assert found.hex() == "aaa15210ea1b8e93cbf5128749c193855633aa36d48230968d86ee742e7dcfc1"


def test_the_batch_of_epoch_one_holds_the_record_at_index_51_of_64() -> None:
    made = batch()
    assert made.root.hex() == "3c7af384c758b03db0cb899be4679269a00fbfaefdbcd1a8b732a05fd292674b"
    assert (made.index_of(entry_leaf(ENTRY)), made.size) == (51, 64)
    verify_inclusion(entry_leaf(ENTRY), LeafIndex(51), made.size, made.path(LeafIndex(51)), made.root)


def test_the_registry_of_epoch_one_has_two_real_pairs_and_two_dummies() -> None:
    tree = registry()
    assert tree.root.hex() == "66fbae6d8b037d09f9de1b8830d71abeaf61f74f801571bfba18de16d37d4c77"
    assert tree.size == 8
    for index, found in real_pairs():
        assert verify(tree.root, index, (index, found), tree.prove(index).path) == found


def test_the_record_of_epoch_one_and_the_log_of_size_two() -> None:
    record = first_epoch()
    verify_first(GENESIS, record)
    assert record.leaf.hex() == "4a742bcb9e4cda3b045efbc6b459fa7a701e282c86ad6b5419567a005740adea"
    log = Tree()
    log.extend([Digest(GENESIS.log_id), record.leaf])
    assert log.root().hex() == "2a230a37fe3a8cad73614edfa841475ae8ebe693d7550f652b00a8adb82c8cfc"
