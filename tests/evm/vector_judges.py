"""The operations of tests/vectors as the deployed contracts answer them: one judge for each question that they can be asked.

A judge returns what the contract says, or raises what it, or the converter before it, refuses with. Logs are written into the
registry's storage (CONTRACT §2), so that a vector's root is the head whatever the root may be.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyrevm

from hybrid_bridge import errors
from hybrid_bridge.adapters.evm.facts import proof_arguments
from hybrid_bridge.core.attestation import Checkpoint, set_update_digest
from hybrid_bridge.core.bundle import decode_bundle
from hybrid_bridge.core.checkpoint import parse_note, quorum_signatures
from hybrid_bridge.core.disclosure import disclosure_octets, parse_disclosure
from hybrid_bridge.core.encoding import pack_words, require_digest, sha256, type_hash
from hybrid_bridge.core.epoch import EPOCH_TYPE
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import recover_address, sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import VALIDATOR_SET_TYPE, ValidatorSet
from tests.evm.proven import encoded
from tests.vectors.operations import bundle_bytes

if TYPE_CHECKING:
    from tests.evm.conftest import World

Given = dict[str, Any]
Judge = Callable[["World", Given], Any]
LEAF_1 = bytes.fromhex(
    "4a742bcb9e4cda3b045efbc6b459fa7a701e282c86ad6b5419567a005740adea"
)  # SPEC §17: root 2 = NODE(logId, it)
GENESIS_TIME, CADENCE = 1_800_000_000, 600
LOG = sha256(b"a log of the vectors")
OURS = b"\x02"  # the leaf tag of our registry; the other rules are those of other systems' trees


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def inclusion(world: "World", given: Given) -> None:
    leaf = given["leaf"] if "leaf" in given else leaf_hash(given["data"])
    world.proofs.call("verifyInclusion", leaf, given["index"], given["size"], given["path"], given["root"])


def consistency(world: "World", given: Given) -> None:
    arguments = given["old_size"], given["new_size"], given["path"], given["old_root"], given["new_root"]
    world.proofs.call("verifyConsistency", *arguments)


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def standing(world: "World", log_id: bytes, size: int, root: bytes) -> None:
    """A log with this head."""
    meta = size | world.time << 40 | GENESIS_TIME << 80 | CADENCE << 200 | 1 << 224
    for offset, value in enumerate((meta, int.from_bytes(root, "big"))):
        world.evm.insert_account_storage(world.registry.address, world.slot(offset, log_id), value)


def epoch_record(batch_root: bytes = bytes(32), registry_root: bytes = bytes(32)) -> bytes:
    """Of epoch 1, whose batch has one entry."""
    zero = bytes(32)
    values: list[Any] = [type_hash(EPOCH_TYPE), LOG, 1, 1, 2, zero, 1, batch_root, registry_root, 1, zero, 1, zero]
    return pack_words("bbuuububbububuubuubb", [*values, 0, 0, zero, GENESIS_TIME + CADENCE, 0, zero, zero])


def recorded(world: "World", log_id: bytes, record: bytes) -> tuple[Any, ...]:
    """The arguments that all facts begin with: the record stands in the head, at the epoch that it names."""
    named = int.from_bytes(record[64:96], "big")
    epoch = named if 0 < named < 64 else 1
    tree = Tree()
    tree.extend([*(sha256(b"leaf %d" % k) for k in range(epoch)), leaf_hash(record)])
    standing(world, log_id, epoch + 1, tree.root(epoch + 1))
    path = tree.inclusion_path(epoch, epoch + 1)
    return world.registry.address, log_id, (epoch + 1, tree.root(epoch + 1), []), (record, path)


def entry(world: "World", given: Given) -> dict[str, Any]:
    record = epoch_record(leaf_hash(given["data"]))
    _, kind, width, root = world.proofs.call("verifyEntry", *recorded(world, LOG, record), (given["data"], 0, []))
    return {"kind": 1, "record_type": kind, "width": width, "body": root}


def shown(world: "World", given: Given) -> list[bool]:
    """Each field by itself, after the converter has read it."""
    before = recorded(world, LOG, epoch_record(leaf_hash(given["entry"])))
    halves = []
    for part in given["shown"]:
        parse_disclosure(part["value"])
        field = disclosure_octets(part["value"]), part["index"], part["path"]
        halves.append(world.proofs.call("verifyDisclosure", *before, (given["entry"], 0, []), field)[1])
    return halves


def epochs(world: "World", given: Given) -> None:
    """Each of the two records by itself."""
    log_id = leaf_hash(given["genesis"])
    for record in (given["older"], given["newer"]):
        world.proofs.call("verifyEpoch", *recorded(world, log_id, record))


def registry_proof(world: "World", given: Given) -> Any:
    """`given["terminal"]` is a pair or null for a hole; what stands there is asked for, or else its absence."""
    for digest in (given["root"], given["key"], *(given["terminal"] or ()), *given["path"]):
        require_digest(digest, "registry")  # an encoder would pad it
    before = recorded(world, LOG, epoch_record(registry_root=given["root"]))
    index, value = given["terminal"] or (bytes(32), bytes(32))
    if index == given["key"] and given["terminal"] is not None:
        world.proofs.call("verifyRegistryPresence", *before, index, value, given["path"])
        return value
    end = given["terminal"] is None, index, value
    world.proofs.call("verifyRegistryAbsence", *before, given["key"], end, given["path"])
    return None


# ── bundles ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def pinned(world: "World", given: Given) -> dict[str, Any]:
    """The bundle's arguments, against the log and the checkpoint of the whole bundle that it was made from."""
    told = proof_arguments(decode_bundle(bundle_bytes(given)), [])
    whole = proof_arguments(decode_bundle(bundle_bytes({name: given[name] for name in ("bundles", "bundle")})), [])
    log_id = bytes.fromhex(whole["logId"][2:])  # type: ignore[index]
    head: Any = whole["checkpoint"]
    standing(world, log_id, head["treeSize"], bytes.fromhex(head["rootHash"][2:]))
    return {**told, "registry": world.registry.address, "logId": whole["logId"]}


def facts(world: "World", given: Given) -> list[str]:
    """Everything that the bundle states, as far as the contract can be asked: one text for each fact."""
    told = pinned(world, given)
    inputs = {name: item["inputs"] for name, item in world.proofs.functions.items()}

    def ask(view: str, epoch: Any, **more: Any) -> Any:
        shared = {"registry": told["registry"], "logId": told["logId"], "c": told["checkpoint"], "e": epoch}
        return world.proofs.call(view, *encoded(inputs[view], shared | more))

    said = []
    for one in told["facts"]:
        entry_proof = one["entryProof"]
        said.append(str(ask("verifyEntry", one["epochProof"], x=entry_proof)))
        for name, field in one["fields"].items():
            fact = ask("verifyDisclosure", one["epochProof"], x=entry_proof, f=field["fieldProof"])
            said.append(f"{fact} {name} {field['json']}")
    for one in told["labels"]:
        places = {name: one[name] for name in ("index", "siblings")}
        if "commitment" in one:
            epoch = ask("verifyRegistryPresence", one["epochProof"], commitment=one["commitment"], **places)
        else:
            epoch = ask("verifyRegistryAbsence", one["epochProof"], end=one["terminal"], **places)
        said.append(f"{one['index']} {one.get('commitment')} at {epoch}")
    return said


# ── quorums ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def addresses(entries: bytes) -> list[bytes]:
    return [entries[place + 12 : place + 32] for place in range(0, len(entries), 128)]


def set_hash(set_id: int, entries: bytes) -> bytes:
    head = pack_words("buu", (type_hash(VALIDATOR_SET_TYPE), set_id, len(entries) // 128))
    return sha256(head + entries)


def key_word(set_id: int, entries: bytes) -> int:
    return int.from_bytes(keccak256(set_hash(set_id, entries) + b"".join(addresses(entries))), "big")


def stored(world: "World", given: Given, size: int, sets: list[dict[str, Any]]) -> None:
    """Words of a log at `size`, under sets[0], with sets[1] pending if there is one."""
    pending = sets[1]["from_size"] if len(sets) > 1 else 0
    clock = given.get("genesis_time", GENESIS_TIME) << 80 | given.get("cadence", CADENCE) << 200
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


def checkpoint(world: "World", given: Given) -> None:
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


def note(world: "World", given: Given) -> None:
    """What a relayer makes of a note: the members' lines as seals. The log's own line is for readers of notes."""
    parsed = parse_note(given["note"], origin=given["origin"])
    members = ValidatorSet.decode_entries(given["set_id"], given["entries"])
    signatures = quorum_signatures(parsed, members, given["log_id"], given["timestamp"])
    told = {"tree_size": parsed.size, "root": parsed.root, "set_hash": members.digest, "signatures": signatures}
    sets = [{"from_size": 1, "set_id": given["set_id"], "entries": given["entries"]}]
    checkpoint(world, {**given, **told, "sets": sets})


def power(world: "World", given: Given, new: bytes) -> None:
    """`new`: the entries of the set that is appointed, of which the vector tells the hash."""
    code = bytes.fromhex(world.registry.artefact["runtime_bytecode"][2:])
    world.registry.address = "0x" + given["contract"].hex()
    world.evm.insert_account_info(world.registry.address, pyrevm.AccountInfo(code=code))
    stored(world, given, 1, [{"from_size": 1, "set_id": 1, "entries": given["entries"]}])
    names = ("chain_id", "contract", "log_id", "set_id", "new_set_hash", "effective_from_size")
    digest = set_update_digest(*(given[name] for name in names))
    signers, packed = to_seals(digest, addresses(given["entries"]), given["signatures"])
    old = (set_hash(1, given["entries"]), signers, packed)
    fresh = sorted(set(addresses(new)) - set(addresses(given["entries"])))
    keys = {recover_address(digest, sign_digest(key, digest)): key for key in (n.to_bytes(32, "big") for n in (5, 6))}
    newcomers = b"".join(to_compact(sign_digest(keys[address], digest)) for address in fresh)
    assert set_hash(2, new) == given["new_set_hash"]
    world.registry.call("rotateValidators", given["log_id"], given["effective_from_size"], old, new, newcomers)
