"""The JavaScript verifier answers the vectors as Python does: the same class, the same name, the same value."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.web.node import ROOT, run

VECTORS = ROOT / "tests" / "vectors"
NOT_PORTED = {  # what a reader of bundles never asks
    "guard/interchange.json": "a key's own store",
    "guard/steps.json": "a key's own store",
    "tx/stand.json": "the ledger's own state",
    "epoch/batch.json": "for whoever holds a batch and the decoys' key",
    "registry/delta.json": "for an auditor who holds every delta",
    "registry/root.json": "builds a registry",
    "tree/root.json": "builds a tree",
    "tree/sum.json": "no bundle carries sums",
    "tree/sum-root.json": "no bundle carries sums",
    "tree/sum-total.json": "no bundle carries sums",
    "export/cose-consistency.json": "an export alone",
    "export/cose-inclusion.json": "an export alone",
    "export/tlog-proof.json": "an export alone",
}
PORTED = sorted(path for path in VECTORS.glob("*/*.json") if str(path.relative_to(VECTORS)) not in NOT_PORTED)


def cases_of(path: Path) -> int:
    document = json.loads(path.read_text("utf-8"))
    if path.name != "variants.json":
        return len(document["cases"])
    return sum(len(document[name]) for name in ("same", "other", "refused", "collides-loosely", "collides-by-terms"))


@pytest.mark.parametrize("path", PORTED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_javascript_says_what_every_vector_says(path: Path) -> None:
    told = run("run_vectors.mjs", str(path))[str(path)]
    assert told["wrong"] == []
    assert told["asked"] == cases_of(path) > 0  # none was left out


def test_a_file_that_is_not_ported_exists_and_is_named_with_its_reason() -> None:
    assert [name for name in NOT_PORTED if not (VECTORS / name).exists()] == []
    assert len(PORTED) == 26


def test_a_vector_that_lies_is_noticed_by_class_by_name_and_by_value(tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads((VECTORS / "entry" / "decode.json").read_text("utf-8"))
    good = next(case for case in document["cases"] if case["class"] == "ok")
    bad = next(case for case in document["cases"] if case["class"] == "Malformed")
    document["cases"] = [
        good | {"class": "Malformed"},
        good | {"expected": good["expected"] | {"width": 4}},
        bad | {"class": "Refuted"},
        bad | {"expected": "TooLong"},
    ]
    (tmp_path / "lies.json").write_text(json.dumps(document), "utf-8")
    told = run("run_vectors.mjs", str(tmp_path / "lies.json"))
    assert [len(one["wrong"]) for one in told.values()] == [4]


def test_an_operation_that_nobody_ported_is_no_silence(tmp_path: Path) -> None:
    (tmp_path / "new.json").write_text('{"operation": "new/one", "count": 0, "cases": []}', "utf-8")
    told = run("run_vectors.mjs", str(tmp_path / "new.json"))
    assert [one["wrong"] for one in told.values()] == [[["no such operation", "new/one"]]]
