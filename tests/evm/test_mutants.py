"""The mutator of the contracts finds every check, and what it makes of them is compiled and killed. All of them: by hand,
`make mutation`; what came of it is contracts/MUTATION.md.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {path.name: path.read_text() for path in sorted((ROOT / "contracts" / "src").rglob("*.sol"))}
HAVE_CODE = sorted(name for name, text in SOURCES.items() if re.search(r"\n    function \w+\([^;]*\{", text))


@pytest.fixture
def mutator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "infra" / "contracts" / "mutants.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "mutants", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", HAVE_CODE)
def test_every_refusal_has_a_mutant_without_it(mutator: ModuleType, name: str) -> None:
    source = SOURCES[name]
    found = mutator.mutants_of(f"src/{name}", source)
    assert len({one.key for one in found}) == len(found)
    assert all(one.text != source and one.text.count("\n") <= source.count("\n") for one in found)
    dropped = [one for one in found if re.search(r"if \(false\) \{?\s*revert ", one.text)]
    assert len(dropped) == len(re.findall(r"\brevert \w+\(", source))


def test_what_the_mutator_is_for(mutator: ModuleType) -> None:
    """One of each kind, so that none gets lost."""
    found = [one for name, text in SOURCES.items() for one in mutator.mutants_of(name, text)]
    assert {one.kind for one in found} == {"check", "call", "bound", "guard", "limit", "quorum", "effect"}
    keys = {one.key for one in found}
    assert {
        "Seals: 2 * members / 3 + 1 → 2 * members / 3",
        "Seals: if gt(s, MAX_S) { break } → nothing",
        "Tree: older == 0 || older > newer || newer > MAX_SIZE → older == 0 || older > newer",
        "Genesis: _within(record, 19, 0, 30 days) → _within(record, 19, 0, uint256(30 days) + 1)",
        "AnchorRegistry: _requireOpen(logId, log, meta); → {}",
        "AnchorRegistry: requireQuorum( → count(",
        "AnchorRegistry: log.brake.nonce++ → log.brake.nonce",
        "Disclosure: 8192 → 8192 + 1",
    } <= keys
    assert len(found) >= 320


def test_every_mutant_of_today_has_been_judged_and_none_lives(mutator: ModuleType) -> None:
    """A change of a check needs its mutants judged again: `make mutation MUTATION="--only …"`."""
    rows = (ROOT / "contracts" / "MUTATION.md").read_text().splitlines()
    judged = {line.split("` | ")[0]: line.rsplit("| ", 1)[-1] for line in rows if line.startswith("| `")}
    found = [one for name, text in SOURCES.items() for one in mutator.mutants_of(name, text)]
    verdicts = [judged.get("| `" + one.key.replace("|", "\\|"), "not judged").partition(":")[0] for one in found]
    wrong = [(one.key, v) for one, v in zip(found, verdicts, strict=True) if v not in {"killed", "equivalent"}]
    assert wrong == []


@pytest.mark.engine
def test_a_mutant_is_compiled_judged_and_killed(build: ModuleType, tmp_path: Path) -> None:
    options = ["--quick", "--only", "^Entry: entry", "--results", tmp_path / "results"]
    command = [sys.executable, "infra/contracts/mutate.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=900)
    verdicts = [line.rsplit(": ", 1)[1] for line in done.stdout.splitlines()]
    assert len(verdicts) == 2
    assert all(one.startswith("test_proofs.py::") for one in verdicts)
