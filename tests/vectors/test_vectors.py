"""The vectors are what the slow reference says, and the code says the same."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.signing import from_compact, to_compact
from tests.vectors.operations import OPERATIONS

HERE = Path(__file__).parent
APART = ("labels/variants.json", "anchor/evm.json")  # a table, and cases with a reader of their own
FILES = sorted(path for path in HERE.glob("*/*.json") if str(path.relative_to(HERE)) not in APART)


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def unhex(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, list):
        return [unhex(item) for item in value]
    if isinstance(value, dict):
        return {key: unhex(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_code_says_what_every_vector_says(path: Path) -> None:
    document = unhex(read(path))
    shared = {key: value for key, value in document.items() if key not in {"operation", "count", "cases"}}
    run, wrong = OPERATIONS[document["operation"]], []
    for case in document["cases"]:
        try:
            got, kind = run({**shared, **case["input"]}), "ok"
        except errors.BridgeError as error:
            got = type(error).__name__
            kind = next(branch.__name__ for branch in type(error).__mro__ if errors.BridgeError in branch.__bases__)
        if (got, kind) != (case["expected"], case["class"]):
            wrong.append((case["name"], case["expected"], got))
    assert not wrong


# ── the files themselves ─────────────────────────────────────────────────────────────────────────────────────────────


def test_the_vectors_are_what_the_reference_says_today(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HERE / "generate.py"), str(tmp_path)], check=True, timeout=120)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert made == {path.relative_to(HERE): path.read_bytes() for path in FILES}, "run python tests/vectors/generate.py"


def test_names_are_unique_in_a_file_and_cases_have_five_fields() -> None:
    for path in FILES:
        document = read(path)
        assert document["count"] == len(document["cases"]) == len({case["name"] for case in document["cases"]})
        assert {tuple(case) for case in document["cases"]} == {("name", "section", "input", "expected", "class")}


def test_four_of_five_vectors_must_be_refused() -> None:
    classes = [case["class"] for path in FILES for case in read(path)["cases"]]
    assert sum(kind != "ok" for kind in classes) >= 0.8 * len(classes)


def test_every_file_of_vectors_has_a_line_of_provenance() -> None:
    lines = (HERE / "PROVENANCE.md").read_text()
    assert [path for path in FILES if f"`{path.relative_to(HERE)}`" not in lines] == []


def test_signatures_convert_to_seals_and_back_or_are_refused() -> None:
    for case in unhex(read(HERE / "quorum/checkpoint.json"))["cases"]:
        for signature in case["input"]["signatures"]:
            try:
                assert from_compact(to_compact(signature)) == signature
            except errors.Malformed:
                assert case["name"].split(" ")[0] in {
                    "high-s", "v-0-or-1", "r-zero", "s-zero", "r-order", "s-order", "signature-64-bytes",
                    "signature-66-bytes",
                }  # fmt: skip


def test_every_named_case_of_the_specification_has_a_vector() -> None:
    spec = (HERE / "../../docs/spec/SPEC.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)/`[^|]*\| (.*) \|$", spec[spec.index("## 15.") :], re.MULTILINE)
    cases = {(path.parent.name, case["name"].split(" ")[0]) for path in FILES for case in read(path)["cases"]}
    cases |= {("anchor", case["name"].split(" ")[0]) for case in read(HERE / "anchor" / "evm.json")["cases"]}
    named = {(family, part.strip().split(" ")[0]) for family, cell in rows for part in cell.split("·")}
    assert len(rows) >= 14
    assert named - cases == set()
