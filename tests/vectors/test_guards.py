"""The guard's vectors against the store that a validator has: SQLite, reopened where a case restarts."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.core.guard import History
from hybrid_bridge.units import Address, EcdsaSignature, LogId
from tests.vectors.operations import guard, power_of
from tests.vectors.test_vectors import HERE, unhex

CASES = [
    case
    for name in ("steps", "interchange")
    for case in json.loads((HERE / "guard" / f"{name}.json").read_text())["cases"]
]
SIGNATURE = EcdsaSignature(bytes(65))


class Store:
    """One guard file; answers as the vectors name it."""

    def __init__(self, path: Path, log_id: LogId, key: Address) -> None:
        self.guard, self.log_id, self.key = SqlGuard(path), log_id, key
        self.guard.create(log_id, key)
        self.guard.open(log_id, key)
        self.history, self.said, self.floor_size = self.guard.history, self.guard.said, self.guard.floor

    def absorb(self, theirs: History) -> None:
        self.guard.absorb(self.key, theirs)

    def sign(self, step: dict[str, Any], *, dies: bool = False) -> str:
        known = any(row.size == step["size"] for row in self.guard.history().signed)
        permit = self.guard.permit(step["size"], step["root"], step["digest"], step["path"])
        if not dies:
            self.guard.signed(permit, SIGNATURE)
            assert self.guard.stored(step["size"]) == SIGNATURE
        return "repeat" if known else "signed"

    def crash(self, step: dict[str, Any]) -> str:
        return self.sign(step, dies=True)

    def restart(self, step: dict[str, Any]) -> str:
        self.guard.close()
        self.guard.open(self.log_id, self.key)
        return "known"

    def power(self, step: dict[str, Any]) -> str:
        asked = power_of(step)
        known = any(power.place == asked.place for power in self.guard.history().power)
        self.guard.permit_power(asked.chain_id, asked.contract, asked.kind, asked.number, asked.digest)
        return "repeat" if known else "signed"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Any]:
    made: list[Store] = []
    number = count()

    def make(log_id: LogId, key: Address) -> Store:
        made.append(Store(tmp_path / f"{next(number)}.db", log_id, key))
        return made[-1]

    yield make
    for store in made:
        store.guard.close()


def test_the_cases_ask_every_step_of_every_guard() -> None:
    assert len(CASES) >= 200
    assert {step["do"] for case in CASES for step in case["input"]["steps"]} == {
        "create", "sign", "crash", "restart", "floor", "hear", "power", "import", "export",
    }  # fmt: skip


def test_the_store_of_a_real_key_says_what_every_vector_says(stores: Any) -> None:
    for case in CASES:
        try:
            got: object = guard(unhex(case["input"]), stores)
        except errors.BridgeError as error:
            got = type(error).__name__
        assert got == case["expected"], case["name"]
