"""Whole transactions of the registry: base cost, calldata and execution together, each from a cold state.

`operations` yields what is sent, in order, with a name for what is measured; whoever sends it (py-evm here, geth's tool in
`bench/gas.py`) must have the registry at `place` and blocks at `TIME` or later.

run:  python -m tests.evm.whole_transactions      writes gas.json anew; say in its `why`, and in CHANGELOG.md, why it moved
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_tester import EthereumTester, PyEVMBackend

from hybrid_bridge.core.attestation import pause_digest, resume_digest, retire_digest, set_update_digest
from hybrid_bridge.core.encoding import sha256
from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.proof import leaf_hash
from hybrid_bridge.core.signing import sign_digest, to_compact
from hybrid_bridge.core.tree import Tree
from tests.evm.conftest import ABI, CADENCE, GENESIS_TIME, ORIGIN, Consortium, Members, signature_of, type_of

SNAPSHOT = Path(__file__).with_name("gas.json")
TIME = GENESIS_TIME + 10_000 * CADENCE
PLAIN = range(6001, 6017)  # CONTRACT §4.1: one anchor for each epoch
ALIGNED = range(6152, 6176 + 1, 8)  # sizes that are multiples of eight (CONTRACT §4.4)
MEMBERS = (1, 4, 7, 16)
REASON = sha256(b"a reason")
FORGED = sha256(b"forged")
ARTEFACT = json.loads((ABI / "AnchorRegistry.json").read_text())
FUNCTIONS = {item["name"]: item for item in ARTEFACT["abi"] if item["type"] == "function"}


@dataclass(frozen=True)
class Place:
    """Where the registry stands, since powers are signed for one chain and contract."""

    chain_id: int
    contract: bytes


@dataclass(frozen=True)
class Sent:
    """One transaction. Those without a name only prepare what is measured."""

    name: str
    data: bytes
    hashes: int = 0  # of the path


def calldata(function: str, *arguments: Any) -> bytes:
    item = FUNCTIONS[function]
    return keccak256(signature_of(item).encode())[:4] + encode([type_of(part) for part in item["inputs"]], arguments)


def registration(name: str, log: Consortium, genesis: bytes | None = None) -> Sent:
    entries = log.members.set.encode_entries()
    return Sent(name, calldata("register", genesis or log.genesis, ORIGIN, entries))


def anchoring(name: str, log: Consortium, older: int, newer: int, members: Members | None = None) -> Sent:
    call = log.anchoring(older, newer, members)
    return Sent(name, calldata("anchor", *call.arguments()), len(call.path))


def anchors(n: int, members: tuple[str, str] = ("plain", "aligned")) -> Iterator[Sent]:
    """Registration, then the reference run, then aligned anchors, of a log of n members."""
    log = Consortium(n, w22=sha256(b"anchors"))
    yield registration(f"register {n}", log)
    yield anchoring("", log, 1, 2)  # from here on no slot of the head is new
    yield anchoring("", log, 2, PLAIN[0] - 1)
    for size in PLAIN:
        yield anchoring(f"{members[0]} {n}", log, size - 1, size)
    yield anchoring(f"head again {n}", log, PLAIN[-2], PLAIN[-1])
    yield anchoring("", log, PLAIN[-1], ALIGNED[0] - 8)
    for size in ALIGNED:
        yield anchoring(f"{members[1]} {n}", log, size - 8, size)


def batch(n: int = 4, count: int = 10) -> Iterator[Sent]:
    """One operator, many logs of n members, one transaction: each log one epoch on, at sizes of the reference run."""
    logs = [Consortium(n, w22=sha256(b"batch %d" % k)) for k in range(count)]
    for k, log in enumerate(logs):
        yield registration("", log)
        yield anchoring("", log, 1, 2)
        yield anchoring("", log, 2, PLAIN[k] - 1)
    updates = [log.anchoring(PLAIN[k] - 1, PLAIN[k]).arguments() for k, log in enumerate(logs)]
    yield Sent(f"batch of {count} logs {n}", calldata("anchorBatch", updates))


def rare(place: Place, n: int = 7) -> Iterator[Sent]:
    """What happens seldom, at n members: rotation, brake, retirement, reports."""
    log = Consortium(n, w22=sha256(b"rare"))
    where = {"chain_id": place.chain_id, "contract": place.contract, "log_id": log.log_id}
    yield registration("", log)
    yield anchoring("", log, 1, 6001)

    after = Members.of(2, range(3, n + 3))  # two leave, two are new
    digest = set_update_digest(**where, set_id=2, new_set_hash=after.set.digest, effective_from_size=6010)
    known = log.members.set.addresses
    fresh = [k for k, a in zip(after.keys, after.set.addresses, strict=True) if a not in known]
    newcomers = b"".join(to_compact(sign_digest(key, digest)) for key in fresh)
    old = (log.members.set.digest, *log.members.seals(digest))
    rotation = (log.log_id, 6010, old, after.set.encode_entries(), newcomers)
    yield Sent(f"rotate {n}", calldata("rotateValidators", *rotation))
    yield anchoring(f"handover {n}", log, 6001, 6010, after)
    log.members = after

    def powers(digest: bytes) -> tuple[Any, ...]:
        return log.members.set.digest, *log.members.seals(digest)

    until = TIME + 80_000
    digest = pause_digest(**where, nonce=0, until=until, reason_hash=REASON)
    yield Sent(f"pause {n}", calldata("pause", log.log_id, until, REASON, powers(digest)))
    digest = resume_digest(**where, nonce=1, reason_hash=REASON)
    yield Sent(f"resume {n}", calldata("resume", log.log_id, REASON, powers(digest)))

    one, both = log.anchoring(6010, 6020, after, (0,)), log.anchoring(6010, 6020, after, (0,), root=FORGED)
    report = (log.log_id, attested(one), one.seals, attested(both), both.seals)
    yield Sent(f"report equivocation, one member {n}", calldata("reportEquivocation", *report))

    words = {"predecessor": log.log_id, "predecessor_size": 6010, "predecessor_root": log.tree.root(6010)}
    next_log = Consortium(4, w22=sha256(b"after"), **words)
    yield registration("", next_log)
    digest = retire_digest(**where, successor=next_log.log_id, tree_size=6010, root=log.tree.root(6010))
    retirement = calldata("retire", log.log_id, next_log.genesis, powers(digest))

    forged = Tree()
    forged.extend([log.tree.leaf(i) if i < 6005 else leaf_hash(b"forged %d" % i) for i in range(6008)])
    lie = log.anchoring(6010, 6008, after, root=forged.root(6008))
    path = log.tree.consistency_path(6008, 6010)
    freezing = (log.log_id, attested(lie), lie.seals, log.tree.root(6008), path)
    yield Sent(f"retire {n}", retirement)
    yield Sent(f"report inconsistency, freezes {n}", calldata("reportInconsistent", *freezing))


def attested(call: Any) -> tuple[Any, ...]:
    return call.size, call.root, call.set_hash, call.signers


# ── one machine: py-evm, Prague rules ────────────────────────────────────────────────────────────────────────────────


class Ledger:
    """A public chain in this process; its answer to a transaction is the receipt."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.tester.time_travel(TIME)
        self.sender = self.tester.get_accounts()[0]
        deployed = self.send(bytes.fromhex(ARTEFACT["bytecode"][2:]), "")
        self.registry, self.deployment = deployed["contract_address"], int(deployed["gas_used"])

    @property
    def place(self) -> Place:
        return Place(self.tester.backend.chain.chain_id, bytes.fromhex(self.registry[2:]))

    def send(self, data: bytes, to: str | None = None) -> Any:
        target = self.registry if to is None else to
        parts = {"from": self.sender, "to": target, "data": "0x" + data.hex(), "value": 0}
        parts |= {"gas": 10_000_000, "gas_price": 10**10}
        receipt = self.tester.get_transaction_receipt(self.tester.send_transaction(parts))
        assert receipt["status"] == 1
        return receipt


def mean(values: list[int]) -> int:
    return round(sum(values) / len(values))


def measured(ledger: Ledger, sent: Iterable[Sent]) -> dict[str, int]:
    """Gas by name; the mean where a name comes more than once."""
    found: dict[str, list[int]] = {}
    for one in sent:
        gas = int(ledger.send(one.data)["gas_used"])
        if one.name:
            found.setdefault(one.name, []).append(gas)
    return {name: mean(values) for name, values in found.items()}


def committed_ones() -> dict[str, int]:
    """What `gas.json` holds."""
    ledger = Ledger()
    return {"deploy AnchorRegistry": ledger.deployment, **measured(ledger, everything(ledger.place))}


def everything(place: Place) -> Iterator[Sent]:
    for n in MEMBERS:
        yield from anchors(n)
    yield from batch()
    yield from rare(place)


if __name__ == "__main__":
    before = json.loads(SNAPSHOT.read_text()) if SNAPSHOT.exists() else {"why": ""}
    snapshot = {"rules": "prague", "why": before["why"], "gas": committed_ones()}
    SNAPSHOT.write_text(json.dumps(snapshot, indent=1) + "\n")
    print(SNAPSHOT.read_text())
