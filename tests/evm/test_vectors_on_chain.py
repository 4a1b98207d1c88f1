"""The vectors of tests/vectors, judged by the deployed code: the same verdict class, and the same error where both have it.

Two kinds of bytes never reach the contract. What the converter to seals refuses (a strict signature is its only input)
is refused there, with the class of the vector. A set that is malformed cannot be registered.
"""

import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyrevm
import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.attestation import Checkpoint, set_update_digest
from hybrid_bridge.core.encoding import pack_words, sha256, type_hash
from hybrid_bridge.core.genesis import Genesis
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import recover_address, sign_digest, to_compact
from hybrid_bridge.core.validators import VALIDATOR_SET_TYPE

if TYPE_CHECKING:
    from tests.evm.conftest import World

LEAF_1 = bytes.fromhex(
    "4a742bcb9e4cda3b045efbc6b459fa7a701e282c86ad6b5419567a005740adea"
)  # SPEC §17: root 2 = NODE(logId, it)
SAME = {"PathLength", "SizeOrder", "IndexBeyondSize", "RootMismatch", "BelowQuorum", "SetMismatch"}


def vectors(root: Any, name: str) -> list[dict[str, Any]]:
    document = unhex(json.loads((root / "tests" / "vectors" / f"{name}.json").read_text()))
    shared = {key: value for key, value in document.items() if key not in {"operation", "count", "cases"}}
    return [{**case, "input": {**shared, **case["input"]}} for case in document["cases"]]


def unhex(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, list):
        return [unhex(item) for item in value]
    if isinstance(value, dict):
        return {key: unhex(item) for key, item in value.items()}
    return value


def branch(error: type) -> str:
    return next(kind.__name__ for kind in error.__mro__ if errors.BridgeError in kind.__bases__)


def verdict(call: Callable[[], Any]) -> tuple[str | None, str]:
    """Error name and class: of the contract, or of the converter before it."""
    try:
        call()
    except errors.BridgeError as refusal:
        return type(refusal).__name__, branch(type(refusal))
    except Exception as refusal:  # noqa: BLE001 Refused is a class of the conftest, which no test can import
        return refusal.name, branch(getattr(errors, refusal.name))  # type: ignore[attr-defined]
    return None, "ok"


def require_agreement(cases: list[dict[str, Any]], judge: Callable[[dict[str, Any]], Any], least: int) -> None:
    """Every case: the class of the vector; its very error where the contract has one of that name. `least` were refused on chain."""
    wrong, reached = [], Counter[str]()
    for case in cases:
        name, kind = verdict(lambda case=case: judge(case["input"]))
        expected = case["expected"] if case["class"] != "ok" else None
        same = kind == case["class"] and (expected not in SAME or name == expected)
        wrong += [] if same else [(case["name"], expected, name)]
        reached[name or "ok"] += 1
    assert not wrong
    assert sum(reached[name] for name in SAME) >= least


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inclusion_vectors(world: "World", root: Any) -> None:
    def judge(given: dict[str, Any]) -> None:
        leaf = given["leaf"] if "leaf" in given else leaf_hash(given["data"])
        arguments = leaf, given["index"], given["size"], given["path"], given["root"]
        world.proofs.call("verifyInclusion", *arguments)

    require_agreement(vectors(root, "tree/inclusion"), judge, 700)
    require_agreement(vectors(root, "cross/inclusion"), judge, 15)


def test_consistency_vectors(world: "World", root: Any) -> None:
    def judge(given: dict[str, Any]) -> None:
        arguments = given["old_size"], given["new_size"], given["path"], given["old_root"], given["new_root"]
        world.proofs.call("verifyConsistency", *arguments)

    require_agreement(vectors(root, "tree/consistency"), judge, 450)


# ── quorums ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def addresses(entries: bytes) -> list[bytes]:
    return [entries[place + 12 : place + 32] for place in range(0, len(entries), 128)]


def set_hash(set_id: int, entries: bytes) -> bytes:
    head = pack_words("buu", (type_hash(VALIDATOR_SET_TYPE), set_id, len(entries) // 128))
    return sha256(head + entries)


def key_word(set_id: int, entries: bytes) -> int:
    return int.from_bytes(keccak256(set_hash(set_id, entries) + b"".join(addresses(entries))), "big")


def stored(world: "World", given: dict[str, Any], size: int, sets: list[dict[str, Any]]) -> None:
    """Words of a log at `size`, under sets[0], with sets[1] pending if there is one."""
    pending = sets[1]["from_size"] if len(sets) > 1 else 0
    clock = given.get("genesis_time", 1_800_000_000) << 80 | given.get("cadence", 600) << 200
    meta = size | world.time << 40 | clock | pending << 160 | sets[0]["set_id"] << 224
    next_key = key_word(sets[1]["set_id"], sets[1]["entries"]) if pending else 0
    first = key_word(sets[0]["set_id"], sets[0]["entries"])
    for offset, value in enumerate((meta, int.from_bytes(given["log_id"], "big"), first, 0, next_key, 0)):
        world.evm.insert_account_storage(world.registry.address, world.slot(offset, given["log_id"]), value)


def to_seals(digest: bytes, members: list[bytes], signatures: list[bytes]) -> tuple[int, bytes]:
    """A member's signature in its place, a stranger's in the lowest that is free.

    Raises:
        Malformed: not strict, more than members, or members' signatures not strictly ascending: no list can be written.
    """
    compact = [to_compact(signature) for signature in signatures]
    if len(signatures) > len(members):
        raise errors.FieldMalformed(field="signatures", rule="at most one for each member")
    places = [place_of(digest, members, signature) for signature in signatures]
    known = [place for place in places if place is not None]
    if known != sorted(set(known)):
        raise errors.FieldMalformed(field="signatures", rule="strictly ascending")
    free = iter(sorted(set(range(len(members))) - set(known)))
    taken = {next(free) if place is None else place: seal for place, seal in zip(places, compact, strict=True)}
    packed = b"".join(taken.get(index, address) for index, address in enumerate(members))
    return sum(1 << index for index in taken), packed


def place_of(digest: bytes, members: list[bytes], signature: bytes) -> int | None:
    try:
        signer = recover_address(digest, signature)
    except errors.SignatureWrong:  # the zero address on chain
        return None
    return members.index(signer) if signer in members else None


def anchored(world: "World", given: dict[str, Any]) -> None:
    """The head before is the tree of the largest power of two below, whose root is here the log id."""
    if "sets" not in given:  # a sweep: set n is the first n
        sets = [{"from_size": 1, "set_id": 1, "entries": given["entries"][: 128 * given["members"]]}]
    else:
        sets = given["sets"]
    require_registrable(world, sets[0]["entries"])
    names = ("log_id", "tree_size", "root", "timestamp", "set_id", "set_hash")
    digest = Checkpoint(**{name: given[name] for name in names}).digest()
    size = given["tree_size"]
    before = 1 << (size - 1).bit_length() - 1
    if before >= sets[-1]["from_size"] > 1:  # long after the handover: only the new set is left
        sets = sets[1:]
    stored(world, given, before, sets)
    responsible = [one for one in sets if one["from_size"] <= size][-1]
    signers, packed = to_seals(digest, addresses(responsible["entries"]), given["signatures"])
    to = (size, given["root"], given["set_hash"], signers)
    world.registry.call("anchor", given["log_id"], before, to, [LEAF_1], packed)


def require_registrable(world: "World", entries: bytes) -> None:
    """Malformed sets end here: the genesis record may name any hash, the entries are read first."""
    log = type(world.log)(set=set_hash(1, entries))
    world.registry.call("register", log.genesis, "example.org/receivables", entries)


def test_quorum_vectors(world: "World", root: Any) -> None:
    cases = vectors(root, "quorum/checkpoint")
    require_agreement(cases, lambda given: anchored(world, given), 18)


@pytest.mark.parametrize("even", [False, True])
def test_the_quorum_sweep(world: "World", root: Any, even: bool) -> None:
    cases = vectors(root, "quorum/sweep")[even::2]
    require_agreement(cases, lambda given: anchored(world, given), 0 if not even else 60)


def test_power_vectors(world: "World", root: Any) -> None:
    cases = vectors(root, "quorum/power")
    rotation = next(c for c in vectors(root, "quorum/checkpoint") if c["name"] == "new-set-at-handover")
    new = rotation["input"]["sets"][1]["entries"]
    code = bytes.fromhex(world.registry.artefact["runtime_bytecode"][2:])

    def judge(given: dict[str, Any]) -> None:
        world.registry.address = "0x" + given["contract"].hex()
        world.evm.insert_account_info(world.registry.address, pyrevm.AccountInfo(code=code))
        stored(world, given, 1, [{"from_size": 1, "set_id": 1, "entries": given["entries"]}])
        names = ("chain_id", "contract", "log_id", "set_id", "new_set_hash", "effective_from_size")
        digest = set_update_digest(*(given[name] for name in names))
        signers, packed = to_seals(digest, addresses(given["entries"]), given["signatures"])
        old = (set_hash(1, given["entries"]), signers, packed)
        fresh = sorted(set(addresses(new)) - set(addresses(given["entries"])))
        keys = {
            recover_address(digest, sign_digest(key, digest)): key for key in (n.to_bytes(32, "big") for n in (5, 6))
        }
        newcomers = b"".join(to_compact(sign_digest(keys[address], digest)) for address in fresh)
        assert set_hash(2, new) == given["new_set_hash"]
        world.registry.call("rotateValidators", given["log_id"], given["effective_from_size"], old, new, newcomers)

    require_agreement(cases, judge, 8)


# ── known answers ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_log_of_the_specification_registers_and_anchors_its_second_size(world: "World", root: Any) -> None:
    """SPEC §17: genesis record, logId, root of size 2, signatures by the keys 1 … 4."""
    good = next(c["input"] for c in vectors(root, "quorum/checkpoint") if c["name"] == "quorum-good three of four")
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    genesis = Genesis(
        origin_hash=sha256(b"example.org/receivables"),
        spec_version=1,
        genesis_time=1_800_000_000,
        cadence=600,
        grace=1800,
        promise_delay=6,
        batch_ladder=0x440,
        registry_ladder=0x14,
        registry_suite=1,
        vrf_public_key=key,
        registry_root=bytes.fromhex("c40cacfb08a7fff466a9e3cf144b471e451a5928705e1b9d0e12e225a4b2734e"),
        label_table_hash=sha256(b"label table"),
        set_hash=good["set_hash"],
        decoy_key_hash=bytes.fromhex("880a9f1dc9e486eb8a390b81eb6ed59ef1e8147dd96accd9a5a797312332b394"),
        log_key=key,
        receipt_key=bytes(32),
        log_mldsa_key_hash=bytes(32),
        guardian=bytes(20),
        pause_max=86_400,
        ledger_id=sha256(b"ledger"),
        first_block=1,
        policy_hash=sha256(b"policy"),
    )
    entries = good["sets"][0]["entries"]
    log_id = world.registry.call("register", genesis.encode(), "example.org/receivables", entries)
    assert log_id.hex() == "2723b7869e5eafec1e8a2c0f79c66dab9f0d693a03ceb1602ec9df710a6a905a"
    digest = bytes.fromhex("71930e4fdae6a504a093487558289b967c414c50f3d87895ddf3b60c4a1da746")
    signers, packed = to_seals(digest, addresses(entries), good["signatures"])
    assert world.registry.call("anchor", log_id, 1, (2, good["root"], good["set_hash"], signers), [LEAF_1], packed)
    assert world.head(log_id)[:3] == (2, good["root"], 1_800_000_600)
