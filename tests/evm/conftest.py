"""A public chain inside this program, both contracts on it, and an honest consortium that makes calldata.

`world.registry` and `world.proofs` are called by function name; `world.refuses("StaleHead", 7, 5)` expects that error
with those fields. Every value the consortium makes comes from `hybrid_bridge.core`, so the contracts judge Python's bytes.
"""

import contextlib
import importlib.util
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pyrevm
import pytest
from eth_abi import decode, encode

from hybrid_bridge.core.attestation import Checkpoint, boundary, seals, set_update_digest
from hybrid_bridge.core.encoding import pack_words, sha256, type_hash
from hybrid_bridge.core.epoch import EPOCH_TYPE
from hybrid_bridge.core.genesis import GENESIS_TYPE
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import address_of, public_key_of, sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from hybrid_bridge.core.validators import ValidatorEntry, ValidatorSet

if TYPE_CHECKING:
    from tests.evm.terminal import Terminal
    from tests.evm.town import Town

ROOT = Path(__file__).parents[2]
ABI = ROOT / "hybrid_bridge" / "adapters" / "abi"
SENDER = "0x" + "11" * 20
GENESIS_TIME, CADENCE, GRACE, PAUSE_MAX = 1_800_000_000, 600, 1800, 86_400
ORIGIN = "example.org/receivables"
TRUSTED_WORDS = {  # numbers of the words of the genesis record
    "origin": 1, "version": 2, "time": 3, "cadence": 4, "grace": 5, "set": 13, "guardian": 18, "pause": 19,
    "first": 21, "predecessor": 23, "predecessor_size": 24, "predecessor_root": 25,
}  # fmt: skip


class Refused(Exception):
    """A call reverted with this typed error."""

    def __init__(self, name: str, fields: tuple[Any, ...]) -> None:
        super().__init__(f"{name}{fields}")
        self.name, self.fields = name, fields


# ── the public chain ─────────────────────────────────────────────────────────────────────────────────────────────────


def signature_of(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(type_of(part) for part in item['inputs'])})"


def type_of(part: dict[str, Any]) -> str:
    if not part["type"].startswith("tuple"):
        return str(part["type"])
    return f"({','.join(type_of(inner) for inner in part['components'])}){part['type'][5:]}"


@dataclass
class Contract:
    """A deployed contract, called by function name. `logs` and `gas` are those of the last call."""

    evm: pyrevm.EVM
    artefact: dict[str, Any]
    address: str = ""
    arguments: tuple[Any, ...] = ()
    value: int = 0
    logs: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    gas: int = 0

    def __post_init__(self) -> None:
        self.address = self.address or self.evm.deploy(SENDER, self.creation(), self.value)
        self.functions = {item["name"]: item for item in self.artefact["abi"] if item["type"] == "function"}
        self.events = {keccak256(signature_of(i).encode()): i for i in self.artefact["abi"] if i["type"] == "event"}
        self.errors = {keccak256(signature_of(i).encode())[:4]: i for i in self.artefact["abi"] if i["type"] == "error"}

    def creation(self) -> bytes:
        inputs = next((item["inputs"] for item in self.artefact["abi"] if item["type"] == "constructor"), [])
        code = bytes.fromhex(self.artefact["bytecode"][2:])
        return code + encode([type_of(part) for part in inputs], self.arguments)

    def calldata(self, name: str, *arguments: Any) -> bytes:
        item = self.functions[name]
        return keccak256(signature_of(item).encode())[:4] + encode([type_of(p) for p in item["inputs"]], arguments)

    def call(self, name: str, *arguments: Any) -> Any:
        """The decoded answer: one value, or a tuple of several."""
        item = self.functions[name]
        answer = self.send(self.calldata(name, *arguments))
        values = decode([type_of(part) for part in item["outputs"]], answer)
        return values[0] if len(values) == 1 else values

    def send(self, calldata: bytes) -> bytes:
        try:
            answer = bytes(self.evm.message_call(SENDER, self.address, calldata=calldata))
        except RuntimeError as refusal:
            raise self._refused(str(refusal)) from None
        finally:
            self.logs = [self._event(log) for log in self.evm.result.logs] if self.evm.result.is_success else []
            self.gas = self.evm.result.gas_used
        return answer

    def _refused(self, text: str) -> Exception:
        found = re.search(r"output: 0x([0-9a-f]*)", text)
        data = bytes.fromhex(found[1]) if found else b""
        item = self.errors.get(data[:4])
        if item is None:
            return AssertionError(f"no typed error: {text}")
        return Refused(item["name"], decode([type_of(part) for part in item["inputs"]], data[4:]))

    def _event(self, log: pyrevm.Log) -> tuple[str, tuple[Any, ...]]:
        """Name and fields, in the order of the declaration."""
        topics, data = [bytes.fromhex(topic[2:]) for topic in log.topics], log.data[1]
        item = self.events[topics[0]]
        indexed = iter(topics[1:])
        plain = iter(decode([type_of(part) for part in item["inputs"] if not part["indexed"]], data))
        values = (
            decode([type_of(part)], next(indexed))[0] if part["indexed"] else next(plain) for part in item["inputs"]
        )
        return item["name"], tuple(values)


# ── the consortium ───────────────────────────────────────────────────────────────────────────────────────────────────


def member_key(number: int) -> bytes:
    return number.to_bytes(32, "big")


@dataclass(frozen=True)
class Members:
    """Validators with their attestation keys; the set is in address order, and so are the keys."""

    keys: tuple[bytes, ...]
    set: ValidatorSet

    @classmethod
    def of(cls, set_id: int, numbers: Sequence[int]) -> "Members":
        keys = {address_of(public_key_of(member_key(number))): member_key(number) for number in numbers}
        entries = tuple(
            ValidatorEntry(address, sha256(b"name" + address), sha256(b"certificate" + address), sha256(address))
            for address in sorted(keys)
        )
        return cls(tuple(keys[address] for address in sorted(keys)), ValidatorSet(set_id, entries))

    def seals(self, digest: bytes, places: Sequence[int] | None = None) -> tuple[int, bytes]:
        """Signed by the members at `places`, by a quorum if not said otherwise."""
        if places is None:
            signed = {a: sign_digest(k, digest) for k, a in zip(self.keys, self.set.addresses, strict=True)}
            return seals(self.set, signed)
        packed = b"".join(
            to_compact(sign_digest(key, digest)) if index in places else address
            for index, (key, address) in enumerate(zip(self.keys, self.set.addresses, strict=True))
        )
        return sum(1 << index for index in places), packed


@dataclass(frozen=True)
class Anchoring:
    """The arguments of one `anchor` call, to be spoilt by `replace`."""

    log_id: bytes
    from_size: int
    size: int
    root: bytes
    set_hash: bytes
    signers: int
    path: list[bytes]
    seals: bytes

    def arguments(self) -> tuple[Any, ...]:
        to = (self.size, self.root, self.set_hash, self.signers)
        return self.log_id, self.from_size, to, self.path, self.seals


class Consortium:
    """A log: genesis record, members, tree of as many leaves as asked for."""

    def __init__(self, count: int = 4, **words: Any) -> None:
        self.members = Members.of(1, range(1, count + 1))
        self.genesis = self.genesis_record(**words)
        self.log_id = leaf_hash(self.genesis)
        self.tree = Tree()
        self.tree.append(self.log_id)

    def genesis_record(self, **words: Any) -> bytes:
        """832 bytes; a word given by name (or by `w` and its number) as 32 bytes or a number replaces the honest one."""
        honest: list[Any] = [
            type_hash(GENESIS_TYPE),
            sha256(ORIGIN.encode()),
            1,
            GENESIS_TIME,
            CADENCE,
            GRACE,
            6,
            0x440,
        ]
        honest += [0x14, 1, *(sha256(b"%d" % w) for w in (10, 11, 12)), self.members.set.digest]
        honest += [
            *(sha256(b"%d" % w) for w in (14, 15, 16, 17)),
            bytes(20),
            PAUSE_MAX,
            sha256(b"20"),
            1,
            sha256(b"22"),
        ]
        honest += [bytes(32), 0, bytes(32)]
        packed = pack_words("bb" + "u" * 8 + "b" * 8 + "au" + "bub" + "bub", honest)
        for name, value in words.items():
            index = TRUSTED_WORDS.get(name) or int(name[1:])
            word = value if isinstance(value, bytes) else value.to_bytes(32, "big")
            packed = packed[: 32 * index] + word + packed[32 * index + 32 :]
        return packed

    def grow(self, size: int) -> None:
        """Epoch records are hashes here: the registry sees no more of them."""
        while self.tree.size < size:
            self.tree.append(leaf_hash(b"epoch %d of " % self.tree.size + self.log_id))

    def anchoring(
        self,
        from_size: int,
        size: int,
        members: Members | None = None,
        places: Sequence[int] | None = None,
        **changed: Any,
    ) -> Anchoring:
        """The honest call, or one whose checkpoint has `changed` members before it is signed."""
        self.grow(size)
        members = members or self.members
        honest = Checkpoint(
            log_id=self.log_id,
            tree_size=size,
            root=self.tree.root(size),
            timestamp=boundary(GENESIS_TIME, CADENCE, size),
            set_id=members.set.set_id,
            set_hash=members.set.digest,
        )
        signed = replace(honest, **changed)
        signers, packed = members.seals(signed.digest(), places)
        path = self.tree.consistency_path(from_size, size) if from_size <= size else []
        return Anchoring(self.log_id, from_size, size, signed.root, signed.set_hash, signers, path, packed)


@dataclass
class Batch:
    """The entries of one epoch as they are: 37 bytes each, in the order of their leaf hashes."""

    entries: list[bytes]

    def __post_init__(self) -> None:
        self.entries.sort(key=leaf_hash)
        self.tree = Tree()
        self.tree.extend([leaf_hash(entry) for entry in self.entries])

    def proof(self, index: int) -> tuple[bytes, int, list[bytes]]:
        return self.entries[index], index, self.tree.inclusion_path(index, len(self.entries))


class RecordedLog(Consortium):
    """A consortium whose log leaves are real epoch records, each over a batch of eight entries."""

    def __init__(self, count: int = 4, **words: Any) -> None:
        super().__init__(count, **words)
        self.records, self.batches = [self.genesis], [Batch([bytes(37)])]

    def grow(self, size: int) -> None:
        while self.tree.size < size:
            epoch = self.tree.size
            entries = [b"\x01" + pack_words("b", (sha256(b"%d %d" % (epoch, i)),)) for i in range(7)]
            entries = [b"\x01\x01\x0e\x00\x10" + entry[1:] for entry in entries] + [b"\x00" * 5 + bytes(32)]
            self.batches.append(Batch(entries))
            self.records.append(self.record(epoch))
            self.tree.append(leaf_hash(self.records[-1]))

    def record(self, epoch: int, **words: Any) -> bytes:
        """640 bytes; `w` and its number replaces a word."""
        batch, digest = self.batches[epoch], sha256(b"%d" % epoch)
        values: list[Any] = [type_hash(EPOCH_TYPE), self.log_id, epoch, epoch, epoch + 1, digest, len(batch.entries)]
        values += [batch.tree.root(), digest, 3, digest, 1, self.members.set.digest, 5, 6, digest]
        values += [boundary(GENESIS_TIME, CADENCE, epoch + 1), 1, digest, digest]
        packed = pack_words("bbuuububbububuubuubb", values)
        for name, value in words.items():
            index, word = int(name[1:]), value if isinstance(value, bytes) else value.to_bytes(32, "big")
            packed = packed[: 32 * index] + word + packed[32 * index + 32 :]
        return packed

    def epoch_proof(self, epoch: int, size: int) -> tuple[bytes, list[bytes]]:
        return self.records[epoch], self.tree.inclusion_path(epoch, size)


# ── both together ────────────────────────────────────────────────────────────────────────────────────────────────────


class World:
    """Contracts, a clock, one registered consortium of four."""

    def __init__(self) -> None:
        self.evm = pyrevm.EVM(spec_id="PRAGUE")
        self.evm.set_balance(SENDER, 10**20)
        self.registry = self.deploy("AnchorRegistry")
        self.proofs = self.deploy("ProofVerifier")
        self.time = 0
        self.set_time(GENESIS_TIME + 10_000 * CADENCE)
        self.log = self.registered(Consortium())

    def deploy(self, name: str) -> Contract:
        return Contract(self.evm, json.loads((ABI / f"{name}.json").read_text()))

    def set_time(self, time: int) -> None:
        self.time = time
        self.evm.set_block_env(pyrevm.BlockEnv(number=1, timestamp=time))

    def registered(self, log: Consortium) -> Consortium:
        self.registry.call("register", log.genesis, ORIGIN, log.members.set.encode_entries())
        return log

    def anchor(self, anchoring: Anchoring) -> bool:
        return bool(self.registry.call("anchor", *anchoring.arguments()))

    def advanced(self, *sizes: int) -> None:
        """The head of the world's log moved through these sizes."""
        for size in sizes:
            assert self.anchor(self.log.anchoring(self.head()[0], size))

    def head(self, log_id: bytes | None = None) -> tuple[Any, ...]:
        return tuple(self.registry.call("head", log_id or self.log.log_id))

    def slot(self, offset: int, log_id: bytes | None = None) -> int:
        base = int.from_bytes(keccak256((log_id or self.log.log_id) + bytes(32)), "big")
        return (base + offset) % 2**256

    def words(self, log_id: bytes | None = None) -> list[int]:
        """The six words of a log (CONTRACT §2)."""
        return [self.evm.storage(self.registry.address, self.slot(offset, log_id)) for offset in range(6)]

    def set_word(self, offset: int, value: int) -> None:
        """For states that no built function reaches yet: paused, frozen, retired."""
        self.evm.insert_account_storage(self.registry.address, self.slot(offset), value)

    def rotation(self, members: Members, from_size: int, **spoilt: Any) -> tuple[Any, ...]:
        """The arguments of `rotateValidators` from the log's members to `members`."""
        digest = self.set_update(members, from_size, **spoilt)
        signers, packed = self.log.members.seals(digest, spoilt.get("places"))
        old = (self.log.members.set.digest, signers, packed)
        known = self.log.members.set.addresses
        fresh = [k for k, a in zip(members.keys, members.set.addresses, strict=True) if a not in known]
        newcomers = b"".join(to_compact(sign_digest(key, digest)) for key in fresh)
        return self.log.log_id, from_size, old, members.set.encode_entries(), newcomers

    def set_update(self, members: Members, from_size: int, **spoilt: Any) -> bytes:
        """What is signed to appoint `members`."""
        contract = spoilt.get("contract", bytes.fromhex(self.registry.address[2:]))
        chain_id, digest_id = spoilt.get("chain_id", 1), spoilt.get("set_id", members.set.set_id)
        return set_update_digest(chain_id, contract, self.log.log_id, digest_id, members.set.digest, from_size)

    @contextlib.contextmanager
    def refuses(self, name: str, *fields: Any) -> Iterator[None]:
        """The block ends in exactly this typed error, and no word of the log has changed."""
        before = self.words()
        with pytest.raises(Refused) as refusal:
            yield
        assert (refusal.value.name, refusal.value.fields) == (name, fields)
        assert self.words() == before


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def recorded() -> RecordedLog:
    return RecordedLog()


@pytest.fixture
def root() -> Path:
    return ROOT


# ── the compiler ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Terminal"]:
    """A devnet with the contracts, and a user with gas on it."""
    from tests.evm.town import opened  # noqa: PLC0415 dear to import, and few ask

    with opened(tmp_path_factory.mktemp("terminal")) as made:
        yield made


@pytest.fixture
def town(terminal: "Terminal", tmp_path: Path, request: pytest.FixtureRequest) -> "Town":
    """A consortium with a log of its own for each test; its guardian is the user of the terminal."""
    from tests.evm.town import Town, founded  # noqa: PLC0415

    name = request.node.name.partition("[")[0][-60:].strip("_")
    return Town(terminal, tmp_path / "town", founded(terminal.address, name))


@pytest.fixture(scope="session")
def build() -> ModuleType:
    """The build script, if the pinned compiler is here."""
    place = ROOT / "infra" / "contracts" / "build.py"
    spec = importlib.util.spec_from_file_location("contracts_build", place)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    if script.compiler() is None:
        words = f"solc {script.pinned_version()} is not there. Run: {script.INSTALL}"
        if os.environ.get("HYBRID_BRIDGE_REQUIRE_ENGINES") == "1":
            pytest.fail(words, pytrace=False)
        pytest.skip(words)
    return script


@pytest.fixture(scope="session")
def compiled(build: ModuleType) -> dict[str, Any]:
    """Contracts that are not committed as artefacts: the plain twins, the example consumer, that of the guide."""
    sources = build.sources_of(build.CONTRACTS, "src", "examples")
    sources["test/Twins.sol"] = (build.CONTRACTS / "test" / "Twins.sol").read_text()  # forge's own tests are forge's
    sources["examples/Gate.sol"] = GATE + guide_s_contract()
    answer = build.compile_sources(sources, build.settings_of(build.CONTRACTS))
    places = ("test/Twins", "examples/ReceivableEscrow", "examples/Gate")
    found = {place.partition("/")[2]: answer[f"{place}.sol"][place.partition("/")[2]] for place in places}
    return {n: {"abi": c["abi"], "bytecode": "0x" + c["evm"]["bytecode"]["object"]} for n, c in found.items()}


GATE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import {Checkpoint, EntryProof, EpochProof, Fact, Opened} from "../src/Types.sol";
import {IAnchorRegistry} from "../src/interfaces/IAnchorRegistry.sol";
import {IProofVerifier} from "../src/interfaces/IProofVerifier.sol";
import {Claims} from "../src/libraries/Claims.sol";
"""


def guide_s_contract() -> str:
    """The Solidity of docs/guides/integrate.md."""
    [code] = re.findall(r"```solidity\n(.*?)```", (ROOT / "docs/guides/integrate.md").read_text(), re.DOTALL)
    return str(code)
