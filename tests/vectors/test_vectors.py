"""The vectors are what the slow reference says, and the code says the same."""

import json
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from hybrid_bridge import errors
from hybrid_bridge.core.signing import from_compact, to_compact
from tests.vectors.operations import OPERATIONS

HERE = Path(__file__).parent
FAMILIES = (
    "tree", "cross", "quorum", "note", "entry", "disclosure", "tx", "epoch", "registry", "guard", "export",
)  # fmt: skip
FILES = sorted(path for family in FAMILIES for path in (HERE / family).glob("*.json"))

NAMED = {  # SPEC §15; the sum tree has no vectors, its names stand in its unit test
    "tree": "path-one-short path-one-long index-equals-size index-aliased-lone-right-leaf size-zero"
    " consistency-from-zero consistency-m-greater-n consistency-equal-size-with-path consistency-middle-hash-swapped"
    " siblings-reversed path-54-hashes inner-node-as-leaf zero-root",
    "cross": "field-leaf-in-batch entry-as-field epoch-record-as-governance-leaf governance-record-as-log-leaf"
    " registry-leaf-as-node sum-leaf-as-field batch-root-as-log-root empty-tree-hash-as-root",
    "quorum": "below-quorum exactly-quorum duplicate-signer unsorted-signers signer-not-in-set set-mismatch-id"
    " set-mismatch-hash old-set-after-handover new-set-too-early high-s v-0-or-1 r-zero recovered-zero-address"
    " wrong-logid-salt wrong-logid-field domain-with-chainid power-signature-on-other-chain n-zero n-65"
    " timestamp-not-boundary",
    "note": "extension-line size-leading-zero origin-mismatch root-43-chars known-key-bad-signature quorum-line-doubled"
    " control-character no-blank-line keyid-collision-unknown-name cosignature-time-altered",
    "entry": "decoy-shown-as-record refusal-shown-as-record 36-bytes 38-bytes width-not-power-of-two type-zero"
    " unknown-first-byte",
    "disclosure": "reserved-name sd-name name-twice claim-shown-from-private-half private-name-in-left-half"
    " second-private-field-as-decoy salt-16-bytes salt-not-canonical not-jcs-whitespace array-of-four float-value"
    " integer-2^53 lone-surrogate base64-padding trailing-bits-set digest-is-decoy left-padding-before-claim"
    " list-not-ascending schema-not-disclosed field-index-aliased",
    "epoch": "non-contiguous-epochs index-differs-from-epoch blocks-overlap blocks-gap closedat-off-by-one"
    " time-goes-backwards batch-size-off-ladder governance-size-falls registry-root-zero flags-unknown-bit"
    " pad-byte-set u64-over-2^53 beacon-half-zero",
    "registry": "absence-terminal-equals-key absence-terminal-off-prefix presence-of-neighbour hole-with-wrong-root"
    " deepest-sibling-empty path-257 vrf-proof-of-other-label vrf-proof-of-other-version vrf-proof-of-other-log"
    " vrf-s-not-reduced vrf-small-order-key",
}


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


def test_every_named_mutation_has_a_vector_with_its_own_name() -> None:
    for family, names in NAMED.items():
        cases = [case["name"] for path in FILES if path.parent.name == family for case in read(path)["cases"]]
        assert set(names.split()) <= {name.split(" ")[0] for name in cases}


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


def excused() -> dict[str, list[str]]:
    """By family, the patterns of names that the README says have no vector."""
    found: dict[str, list[str]] = {}
    for line in (HERE / "README.md").read_text().splitlines():
        cells = [re.findall(r"`([^`]+)`", cell) or [cell.strip()] for cell in line.strip("|").split(" | ")]
        for family in cells[0]:
            if family.endswith("/") and len(cells) == 3:
                found[family[:-1]] = ["*"] if cells[1] == ["all"] else cells[1]
    return found


def test_every_named_case_of_the_specification_has_a_vector_or_a_reason_in_the_readme() -> None:
    spec = (HERE / "../../docs/spec/SPEC.md").read_text()
    rows = re.findall(r"^\| `([a-z]+)/`[^|]*\| (.*) \|$", spec[spec.index("## 15.") :], re.MULTILINE)
    cases = {
        (path.parent.name, case["name"].split(" ")[0])
        for path in HERE.glob("*/*.json")
        for case in read(path).get("cases", ())  # labels/variants.json is a table
    }
    unexplained = [
        (family, name)
        for family, cell in rows
        for name in (part.strip().split(" ")[0] for part in cell.split("·"))
        if (family, name) not in cases and not any(fnmatch(name, pattern) for pattern in excused().get(family, []))
    ]
    assert len(rows) >= 10
    assert not unexplained
