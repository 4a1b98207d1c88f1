"""Of whole bundles Python and JavaScript say the same, word for word: evidence, or the error, its check and its field.

The first that differs is what "verified" must never be worth: that one of the two says it of what the other refutes.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge.cli.exits import error_json
from hybrid_bridge.core.trust import parse_trust
from hybrid_bridge.errors import BridgeError
from hybrid_bridge.steps.verify import PublicSight, verify
from hybrid_bridge.units import Address, ChainId, UnixSeconds
from tests.bundles import CHAIN, CONTRACT, NOW, consortium
from tests.vectors.operations import bundle_bytes, bundle_trust
from tests.web.node import ROOT, run

EXAMPLES = ROOT / "hybrid_bridge" / "cli" / "example_files"
VECTORS = (
    "anchor/stamps",
    "bundle/facts",
    "bundle/verify",
    "promise/verify",
    "registry/shown",
    "replay/verify",
    "rotation/verify",
)
KINDS = ("receivable", "split", "financing", "unregistered", "history", "document", "omission")
CHANGES = 40  # of one bit, in each kind of bundle


@dataclass(frozen=True)
class Asked:
    """A bundle, a trust file and a moment."""

    name: str
    bundle: bytes
    trust: bytes
    now: int
    sights: tuple[PublicSight, ...] = ()
    flip: tuple[tuple[int, int], ...] = ()

    def line(self) -> str:
        told: dict[str, Any] = {
            "bundle": self.bundle.hex(),
            "trust": self.trust.hex(),
            "now": self.now,
            "flip": self.flip,
        }
        return json.dumps(told | {"sights": [as_told(sight) for sight in self.sights]})

    def flipped(self, change: tuple[int, int]) -> bytes:
        position, bit = change
        return self.bundle[:position] + bytes([self.bundle[position] ^ 1 << bit]) + self.bundle[position + 1 :]


def as_told(sight: PublicSight) -> dict[str, Any]:
    return {
        "chainId": sight.chain_id,
        "contract": sight.contract.hex(),
        "basis": sight.basis,
        "hashes": {str(number): known.hex() for number, known in sight.finalized_hashes.items()},
        "head": {"treeSize": sight.head.tree_size, "root": sight.head.root.hex(), "state": sight.head.state},
    }


def in_python(asked: Asked, data: bytes) -> dict[str, Any]:
    try:
        return verify(data, parse_trust(asked.trust), UnixSeconds(asked.now), asked.sights).to_json()
    except BridgeError as error:
        told = error_json(error)
        kept: dict[str, Any] = {name: told[name] for name in ("error", "branch", "stopped_at", "reached")}
        return kept | {"field": getattr(error, "field", None)}


def compare(asked: Sequence[Asked]) -> list[Any]:
    """What JavaScript says, after it was the same."""
    answers = run("verify_bundles.mjs", text="\n".join(one.line() for one in asked))
    different = []
    for one, answer in zip(asked, answers, strict=True):
        pairs = [((), one.bundle, answer["whole"])]
        pairs += [(at, one.flipped(at), said) for at, said in zip(one.flip, answer["flipped"], strict=True)]
        for where, data, said in pairs:
            expected = in_python(one, data)
            if said != expected:
                different.append((one.name, where, difference(expected, said)))
    assert different == []
    return [answer["whole"] for answer in answers]


def difference(expected: Any, said: Any, at: str = "") -> Any:
    """The first place where they part."""
    if isinstance(expected, dict) and isinstance(said, dict) and expected.keys() == said.keys():
        return next(
            difference(expected[key], said[key], f"{at}/{key}") for key in expected if expected[key] != said[key]
        )
    if isinstance(expected, list) and isinstance(said, list) and len(expected) == len(said):
        parts = zip(expected, said, strict=True)
        return next(difference(one, other, f"{at}/{i}") for i, (one, other) in enumerate(parts) if one != other)
    return at, expected, said


def test_of_the_examples_they_say_the_same() -> None:
    trust = (EXAMPLES / "trust.json").read_bytes()
    files = sorted(EXAMPLES.glob("*.hb.json"))
    said = compare([Asked(path.name, path.read_bytes(), trust, 1_900_000_000) for path in files])
    assert [one.get("complete", one.get("error")) for one in said] == [True, "RootMismatch", "BelowQuorum", True, True]


def test_without_trust_they_ask_for_the_same() -> None:
    bare = json.dumps(
        json.loads((EXAMPLES / "trust.json").read_text()) | {"logs": [], "public_chains": [], "member_roots": []}
    )
    said = compare([Asked("bare", (EXAMPLES / "financing.hb.json").read_bytes(), bare.encode(), 1_900_000_000)])
    assert [one["complete"] for one in said] == [False]


@pytest.mark.parametrize("name", VECTORS)
def test_of_every_bundle_of_the_vectors_they_say_the_same(name: str) -> None:
    document = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text("utf-8"))
    shared = {key: value for key, value in document.items() if key not in {"operation", "count", "cases"}}
    given = [shared | case["input"] for case in document["cases"]]
    compare([Asked("", bundle_bytes(one), bundle_trust(one), one["now"]) for one in given])


@cache
def whole(kind: str) -> tuple[bytes, bytes]:
    return consortium().all()[kind].encode(), consortium().trust().encode()


@pytest.mark.parametrize("kind", KINDS)
def test_of_bundles_with_one_bit_changed_they_say_the_same(kind: str) -> None:
    data, trust = whole(kind)
    draw = random.Random(f"{kind} one bit")
    flip = tuple((draw.randrange(len(data)), draw.randrange(7)) for _ in range(CHANGES))
    compare([Asked(kind, data, trust, NOW, flip=flip)])


def test_of_timestamps_with_one_bit_changed_they_say_the_same() -> None:
    document = json.loads((ROOT / "tests" / "vectors" / "anchor" / "stamps.json").read_text("utf-8"))
    given = {"bundles": document["bundles"], "bundle": "stamped"}
    data, trust = bundle_bytes(given), bundle_trust(given)
    begin = data.index(b'"token":"') + 9
    end = data.index(b'"', begin)
    draw = random.Random("a token, one bit")
    flip = tuple((draw.randrange(begin, end), draw.randrange(7)) for _ in range(2 * CHANGES))
    compare([Asked("stamped", data, trust, document["now"], flip=flip)])


class Head:
    """What a contract says of the log."""

    def __init__(self, tree_size: int, root: bytes, state: str) -> None:
        self.tree_size, self.root, self.state = tree_size, root, state


def seen(head: Head, hashes: dict[int, bytes]) -> PublicSight:
    return PublicSight(
        chain_id=ChainId(CHAIN),
        contract=Address(CONTRACT),
        basis="2 of 3 endpoints that call it final",
        finalized_number=max(hashes, default=0),
        finalized_hashes=hashes,
        head=head,  # type: ignore[arg-type]  # of the three members that are read
    )


def test_of_what_the_verifiers_own_endpoints_say_they_say_the_same() -> None:
    data, trust = whole("receivable")
    evidence = verify(data, parse_trust(trust), NOW)
    [anchor, *_] = evidence.anchors
    root = bytes(consortium().receivable().checkpoints[0].note.encode())
    heads = [
        Head(evidence.tree_size, bytes(32), "active"),
        Head(99, bytes(32), "active"),
        Head(99, root[:32], "frozen"),
    ]
    sights = [seen(head, {anchor.last_number: anchor.last_hash}) for head in heads]
    sights.append(seen(heads[1], {anchor.last_number: bytes(32)}))
    said = compare([Asked("sight", data, trust, NOW, (sight,)) for sight in sights])
    assert [one.get("error", "") for one in said] == ["HeadConflict", "", "", "FieldMismatch"]


def test_hostile_bundles_end_soon_and_alike() -> None:
    trust = Path(EXAMPLES / "trust.json").read_bytes()
    hostile = (
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'"' + b"\\" * 1_000_000,
        b'{"__proto__":{"format":"hybrid-bridge/bundle/v1"}}',
        b'{"constructor":1,"toString":2}',
        b"9" * 1_000_000,
        b'{"format":"\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b"",
    )
    said = compare([Asked(str(data[:20]), data, trust, NOW) for data in hostile])
    assert {one["branch"] for one in said} == {"malformed"}
