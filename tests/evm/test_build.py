"""The committed artefacts come from the committed sources, whatever the folder; assembly does what its plain twin does."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_bridge.core.keccak import keccak256
from hybrid_bridge.core.signing import sign_digest, to_compact

if TYPE_CHECKING:
    from tests.evm.conftest import Contract, Members, World

FAST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORD = st.binary(min_size=32, max_size=32)


@pytest.mark.engine
def test_two_builds_in_two_folders_give_the_committed_bytes(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, again = build.build_elsewhere(), build.build_elsewhere()
    assert build.faults(built, again) == []
    for name, text in built.items():
        (tmp_path / name).write_text(text.replace("0x60", "0x61", 1))
    (tmp_path / "ProofVerifier.json").unlink()
    monkeypatch.setattr(build, "ARTEFACTS", tmp_path)
    assert [one.split()[0] for one in build.faults(built, {})] == ["two", "AnchorRegistry.json", "ProofVerifier.json"]


@pytest.mark.engine
def test_the_lock_file_names_no_registry(build: ModuleType) -> None:
    lock = (build.HERE / "package-lock.json").read_text()
    assert "resolved" not in lock
    assert "registry" not in lock
    assert f'"version": "{build.pinned_version()}"' in lock


# ── assembly and its plain twin ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def twins(world: "World", compiled: dict[str, Any]) -> "Contract":
    return type(world.registry)(world.evm, compiled["Twins"])


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except Exception as refusal:  # noqa: BLE001 Refused is a class of the conftest, which no test can import
        return refusal.args


def same(twins: "Contract", name: str, *arguments: Any) -> Any:
    plain = "plain" + name[0].upper() + name[1:]
    answer = outcome(lambda: twins.call(name, *arguments))
    assert answer == outcome(lambda: twins.call(plain, *arguments))
    return answer


@pytest.mark.engine
@FAST
@given(left=WORD, right=WORD, number=st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 63).map(lambda k: 2**k)))
def test_nodes_and_bits(twins: "Contract", left: bytes, right: bytes, number: int) -> None:
    same(twins, "node", left, right)
    assert same(twins, "bits", number) == (number.bit_length(), number.bit_count())


@pytest.mark.engine
@FAST
@given(path=st.lists(WORD, max_size=12), seed=WORD, sides=st.integers(0, 2**256 - 1), own=st.integers(0, 1))
def test_climbs_to_two_roots(twins: "Contract", path: list[bytes], seed: bytes, sides: int, own: int) -> None:
    older, newer = same(twins, "climb", seed, sides, path, min(own, len(path)))
    assert (older == seed) == (sides % 2 ** max(0, len(path) - own) == 0 or len(path) <= own)
    assert (newer == seed) == (len(path) <= own)


@pytest.mark.engine
@FAST
@given(hashes=st.tuples(WORD, WORD, WORD), numbers=st.tuples(*[st.integers(0, 2**64 - 1)] * 3))
def test_digests_of_checkpoints(
    twins: "Contract", hashes: tuple[bytes, bytes, bytes], numbers: tuple[int, int, int]
) -> None:
    (log_id, root, set_hash), (size, time, set_id) = hashes, numbers
    same(twins, "checkpoint", log_id, (size, root, set_hash, 7), time, set_id)


@pytest.mark.engine
@pytest.mark.parametrize("n", [1, 2, 3, 8, 63, 64])
def test_lists_of_members(world: "World", twins: "Contract", n: int) -> None:
    members = type(world.log)(n).members.set
    answer = same(twins, "list", 1, members.encode_entries())
    assert answer == (members.digest, members.digest + b"".join(members.addresses))


@pytest.mark.engine
@FAST
@given(data=st.data(), n=st.integers(1, 9), digest=WORD)
def test_quorums(world: "World", twins: "Contract", data: st.DataObject, n: int, digest: bytes) -> None:
    members = type(world.log)(n).members
    key = keccak256(members.set.digest + b"".join(members.set.addresses))
    places = data.draw(st.lists(st.integers(0, n - 1), unique=True))
    signers, seals = spoilt(data, *listed(members, digest, places))
    same(twins, "quorum", digest, members.set.digest, key, signers, seals)


def listed(members: "Members", digest: bytes, places: list[int]) -> tuple[int, bytes]:
    pairs = enumerate(zip(members.keys, members.set.addresses, strict=True))
    seals = b"".join(to_compact(sign_digest(key, digest)) if i in places else address for i, (key, address) in pairs)
    return sum(1 << place for place in places), seals


def spoilt(data: st.DataObject, signers: int, seals: bytes) -> tuple[int, bytes]:
    kind = data.draw(st.integers(0, 5))
    if kind == 1:
        bit = data.draw(st.integers(0, 8 * len(seals) - 1))
        return signers, (int.from_bytes(seals, "big") ^ 1 << bit).to_bytes(len(seals), "big")
    if kind == 2:
        return signers, seals[: data.draw(st.integers(0, len(seals)))]
    if kind == 3:
        return signers, seals + data.draw(st.binary(max_size=70))
    if kind == 4:
        return signers ^ 1 << data.draw(st.integers(0, 63)), seals
    return signers, seals
