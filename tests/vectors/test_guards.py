"""The guard's vectors against the store that a validator has: SQLite, reopened where a case restarts."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.adapters.sqlite.guard import SqlGuard
from hybrid_bridge.units import Address, EcdsaSignature, LogId
from tests.vectors.operations import guard
from tests.vectors.test_vectors import HERE, unhex

DOCUMENT = json.loads((HERE / "guard" / "steps.json").read_text())
# A floor is set by an import, which has no command yet: those cases bind the rules alone.
CASES = [case for case in DOCUMENT["cases"] if all(step["do"] != "floor" for step in case["input"]["steps"])]
SIGNATURE = EcdsaSignature(bytes(65))
KEY = Address(bytes(range(1, 21)))


class Store:
    """One guard file; answers as the vectors name it."""

    def __init__(self, path: Path, log_id: LogId) -> None:
        self.guard, self.log_id = SqlGuard(path), log_id
        self.guard.create(log_id, KEY)
        self.guard.open(log_id, KEY)

    def sign(self, step: dict[str, Any], *, dies: bool = False) -> str:
        known = self.knows(step)
        permit = self.guard.permit(step["size"], step["root"], step["digest"], step["path"])
        if not dies:
            self.guard.signed(permit, SIGNATURE)
            assert self.guard.stored(step["size"]) == SIGNATURE
        return "repeat" if known else "signed"

    def knows(self, step: dict[str, Any]) -> bool:
        return step["size"] <= self.guard.floor() or self.guard.said(step["size"]) is not None

    def crash(self, step: dict[str, Any]) -> str:
        return self.sign(step, dies=True)

    def restart(self, step: dict[str, Any]) -> str:
        self.guard.close()
        self.guard.open(self.log_id, KEY)
        return "known"

    def hear(self, step: dict[str, Any]) -> str:
        return "known" if self.knows(step) else "halt"

    def power(self, step: dict[str, Any]) -> str:
        self.guard.permit_power(*(step[name] for name in ("chain_id", "contract", "kind", "number", "digest")))
        return step["expect"]  # the store does not say whether it knew: what matters is that it refuses another


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Any]:
    made: list[Store] = []
    number = count()

    def make(log_id: LogId) -> Store:
        made.append(Store(tmp_path / f"{next(number)}.db", log_id))
        return made[-1]

    yield make
    for store in made:
        store.guard.close()


def test_at_least_sixty_cases_bind_every_guard() -> None:
    assert len(CASES) >= 60
    assert {step["do"] for case in CASES for step in case["input"]["steps"]} == {
        "create", "sign", "crash", "restart", "hear", "power",
    }  # fmt: skip


def test_the_store_of_a_real_key_says_what_every_vector_says(stores: Any) -> None:
    for case in CASES:
        try:
            got: object = guard(unhex(case["input"]), stores)
        except errors.BridgeError as error:
            got = type(error).__name__
        assert got == case["expected"], case["name"]
