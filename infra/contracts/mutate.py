"""Weakens the contracts, one check at a time, and asks the tests: who survives shows a check that nobody tests.

run:  python infra/contracts/mutate.py                      all mutants (hours); goes on where it was interrupted
      python infra/contracts/mutate.py --only 'Seals|Tree'  those whose name has this
      python infra/contracts/mutate.py --sample 20          so many, drawn by --seed
      python infra/contracts/mutate.py --quick …            each is judged by its likeliest test file alone
      python infra/contracts/mutate.py --table              contracts/MUTATION.md from the results so far; runs nothing

A mutant is compiled with the settings of the product into a copy of the tree and judged by the tests of tests/evm that know
the contracts by their behaviour alone: none of them looks at code hashes, sizes or gas. Needs the environment of `make test`.
"""

import argparse
import contextlib
import hashlib
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import build
import pytest
from mutants import Mutant, mutants_of

ROOT = build.ROOT
RESULTS = ROOT / ".mutation.jsonl"  # one line a judgement; not committed
TABLE = ROOT / "contracts" / "MUTATION.md"
COPIED = ("contracts", "hybrid_bridge", "infra", "tests", "pyproject.toml")
KINDS = ("quorum", "guard", "check", "call", "bound", "limit", "effect")  # the worst first
REGISTRY = (
    "anchor",
    "register",
    "rotation",
    "brake",
    "retirement",
    "reports",
    "views",
    "batch_and_names",
    "quorum",
    "self_tests",
)
VERIFIER = ("proofs", "fields_and_registry", "self_tests")
LIKELY = {
    "Precompiles": "self_tests",
    "constructor": "self_tests",
    "anchorBatch": "batch_and_names",
    "publishNames": "batch_and_names",
    "requireName": "batch_and_names",
    "requireCount": "batch_and_names",
    "register": "register",
    "rotateValidators": "rotation",
    "requireHandover": "rotation",
    "requirePossession": "rotation",
    "pause": "brake",
    "pauseByGuardian": "brake",
    "requirePause": "brake",
    "resume": "brake",
    "retire": "retirement",
    "requirePredecessor": "retirement",
    "state": "views",
    "head": "views",
    "isFresh": "views",
    "overdue": "views",
    "verifyHistorical": "views",
    "Evidence": "reports",
    "Genesis": "register",
    "ValidatorSets": "register",
    "Seals": "quorum",
    "PrefixTree": "fields_and_registry",
}
LAST = ("vectors_on_chain", "differential")
ONLY_VERIFIER = {"ProofVerifier", "Entry", "EpochRecord", "PrefixTree", "Disclosure", "Claims"}
MEMORY = 4 << 30  # bytes; a mutant that walks on through memory is a dead one
PATIENCE = 900.0  # seconds; a mutant that loops is a dead one
# Mutants that no test can tell from the original, and why.
SAME: dict[str, str] = json.loads((build.HERE / "equivalent.json").read_text())


def every_mutant() -> list[Mutant]:
    """Of every source but the interfaces."""
    sources = build.sources_of(build.CONTRACTS, "src")
    found = [m for name, text in sources.items() if "/interfaces/" not in name for m in mutants_of(name, text)]
    return sorted(found, key=lambda mutant: KINDS.index(mutant.kind))


# ── one mutant ───────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy in which sources and artefacts may be spoilt."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_file():
                shutil.copy2(ROOT / name, tree / name)
            else:
                shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("out", "cache", "__pycache__"))
        yield tree


def compile_into(tree: Path, mutant: Mutant) -> str | None:
    """Artefacts of the changed source, as far as the tests read them; or why there are none."""
    sources = {**build.sources_of(build.CONTRACTS, "src"), mutant.file: mutant.text}
    names = contracts_with(mutant)
    wanted = {
        f"src/{name}.sol": {name: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]} for name in names
    }
    settings = {**build.settings_of(build.CONTRACTS), "outputSelection": wanted}
    request = {"language": "Solidity", "sources": {n: {"content": t} for n, t in sources.items()}, "settings": settings}
    answer = json.loads(build.ask(json.dumps(request)))
    faults = [one["message"] for one in answer.get("errors", []) if one["severity"] == "error"]
    if faults:
        return faults[0]
    (tree / "contracts" / mutant.file).write_text(mutant.text)
    changed = not names
    for name in names:
        place = build.ARTEFACTS / f"{name}.json"
        artefact, code = json.loads(place.read_text()), answer["contracts"][f"src/{name}.sol"][name]
        changed |= artefact["bytecode"] != "0x" + code["evm"]["bytecode"]["object"]
        artefact["abi"], artefact["bytecode"] = code["abi"], "0x" + code["evm"]["bytecode"]["object"]
        artefact["runtime_bytecode"] = "0x" + code["evm"]["deployedBytecode"]["object"]
        (tree / "hybrid_bridge" / "adapters" / "abi" / place.name).write_text(json.dumps(artefact))
    return None if changed else "the same bytes"


def contracts_with(mutant: Mutant) -> list[str]:
    """Those whose code may change."""
    stem = Path(mutant.file).stem
    if stem in {"Tree", "Precompiles"}:
        return list(build.NAMES)
    if stem == "Claims":
        return []  # consumers' alone: the tests of the example compile it
    return ["ProofVerifier"] if stem in ONLY_VERIFIER else ["AnchorRegistry"]


def restore(tree: Path, mutant: Mutant) -> None:
    """The copy is as it was."""
    shutil.copy2(ROOT / "contracts" / mutant.file, tree / "contracts" / mutant.file)
    for name in build.NAMES:
        shutil.copy2(build.ARTEFACTS / f"{name}.json", tree / "hybrid_bridge" / "adapters" / "abi")


def judges_of(mutant: Mutant | None) -> tuple[list[str], list[str]]:
    """Test files: that one which is most likely to find it, alone, and all others."""
    stem = Path(mutant.file).stem if mutant else ""
    names = VERIFIER if stem in ONLY_VERIFIER else (*VERIFIER, *REGISTRY) if stem == "Tree" else (*REGISTRY, *VERIFIER)
    if stem in {"Claims", "Disclosure"}:
        names = ("escrow", *names)  # compiles the example, so only where it may matter
    likely = (LIKELY.get(mutant.function) or LIKELY.get(stem) or names[0]) if mutant else names[0]
    files = {name: f"tests/evm/test_{name}.py" for name in (*names, *LAST)}
    return [files.pop(likely)], list(files.values())


def judged(tree: Path, judges: Sequence[str]) -> str | None:
    """The first test that failed, or None. In a child, so that a mutant that never ends can be ended."""
    log = tree / "log"
    child = multiprocessing.get_context("fork").Process(target=_run_tests, args=(tree, judges, log))
    child.start()
    child.join(PATIENCE)
    if child.is_alive():
        child.kill()
        child.join()
        return "does not end"
    text = log.read_text()
    if child.exitcode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) (?:tests/evm/)?(\S+)", text, re.MULTILINE)
    if found is None and (child.exitcode or 0) >= 0:
        sys.exit(f"pytest ended with {child.exitcode}: {text[-800:]}")
    return found[1] if found else f"breaks the machine, signal {-(child.exitcode or 0)}"


def judged_by_forge(tree: Path) -> str | None:
    """The first test of forge that failed; for those whom pytest lets live: the libraries by themselves, and histories."""
    command = [tree / "infra" / "contracts" / "forge.sh", "test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    found = re.search(r"^\[FAIL.*\] (\w+)\(", done.stdout, re.MULTILINE)
    if not found:
        sys.exit(f"forge: {done.stdout[-500:]}{done.stderr[-500:]}")
    return f"test_forge.py, {found[1]}"


def _run_tests(tree: Path, judges: Sequence[str], log: Path) -> None:
    os.chdir(tree)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with log.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:cov", "--tb=no"]
        code = pytest.main([*options, *judges])
    os._exit(int(code))


# ── many ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(wanted: Sequence[Mutant], results: Path, *, quick: bool) -> None:
    """Judge those that this source has no judgement of yet."""
    sys.dont_write_bytecode = True
    with copied_tree() as tree:
        sys.path.insert(0, str(tree))
        if not quick:
            _require_that_the_original_passes(tree, results)
        for number, mutant in enumerate(wanted, 1):
            if _print_of(mutant.text) in read(results):
                continue
            verdict = compile_into(tree, mutant)
            if verdict is None:
                first, others = judges_of(mutant)
                verdict = judged(tree, first) or (None if quick else judged(tree, others))
                verdict = verdict or (None if quick else judged_by_forge(tree)) or "SURVIVED"
            restore(tree, mutant)
            _write(results, mutant.key, mutant.text, verdict)
            print(f"{number}/{len(wanted)} {mutant.file}:{mutant.line} {mutant.key}: {verdict}", flush=True)


def _require_that_the_original_passes(tree: Path, results: Path) -> None:
    """Else each mutant would be killed by the same fault. Once for each state of the sources."""
    text = json.dumps(build.sources_of(build.CONTRACTS, "src"))
    if _print_of(text) in read(results):
        return
    if fault := judged(tree, [one for stage in judges_of(None) for one in stage]):
        sys.exit(f"without any mutant {fault} fails")
    _write(results, "original", text, "passes")


def _write(results: Path, key: str, text: str, verdict: str) -> None:
    with results.open("a") as out:
        out.write(json.dumps({"key": key, "source": _print_of(text), "verdict": verdict}) + "\n")


def _print_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read(results: Path) -> dict[str, str]:
    """The last judgement of each source text."""
    lines = results.read_text().splitlines() if results.exists() else []
    return {one["source"]: one["verdict"] for one in map(json.loads, lines)}


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def class_of(mutant: Mutant, verdict: str | None) -> str:
    """killed, equivalent, survived, not compiled, not run."""
    if verdict == "the same bytes" or mutant.key in SAME:
        return "equivalent"
    if verdict is None:
        return "not run"
    if verdict == "SURVIVED":
        return "survived"
    return "killed" if verdict.startswith(("test_", "does not end", "breaks the machine")) else "not compiled"


def table(results: Path) -> str:
    """What is known of all mutants of this source, as Markdown."""
    known = read(results)
    rows = [(mutant, known.get(_print_of(mutant.text))) for mutant in every_mutant()]
    classes = ("killed", "equivalent", "not compiled", "survived", "not run")
    files = sorted({mutant.file for mutant, _ in rows})
    count = Counter((mutant.file, class_of(mutant, verdict)) for mutant, verdict in rows)
    lines = [HEADER, f"| source | mutants | {' | '.join(classes)} |", "|---|--:|--:|--:|--:|--:|--:|"]
    for file in [*files, None]:
        cells = [sum(n for (f, c), n in count.items() if c == kind and file in (f, None)) for kind in classes]
        lines.append(f"| {file or '**all**'} | {sum(cells)} | {' | '.join(map(str, cells))} |")
    lines += ["", "| mutant | line | verdict |", "|---|--:|---|"]
    for mutant, verdict in sorted(rows, key=lambda row: (row[0].file, row[0].line)):
        words = SAME.get(mutant.key) or verdict or "not run"
        name = mutant.key.replace("|", "\\|")
        lines.append(f"| `{name}` | {mutant.line} | {class_of(mutant, verdict)}: {words.replace('|', '')} |")
    return "\n".join(lines) + "\n"


HEADER = """# Mutants of the contracts

Written by `python infra/contracts/mutate.py --table` after `make mutation`. Each row is one change of one check, limit or
effect of `contracts/src`; *killed* names the first test that failed on it. *Equivalent* mutants behave like the original; the
reason is given.
"""


def main() -> None:
    """See the docstring of this file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        TABLE.write_text(table(options.results))
        return
    if build.compiler() is None:
        sys.exit(f"The compiler is not there. Run: {build.INSTALL}")
    wanted = [m for m in every_mutant() if re.search(options.only, m.key) and m.key not in SAME]
    if options.sample is not None:
        wanted = random.Random(options.seed).sample(wanted, min(options.sample, len(wanted)))
    run(wanted, options.results, quick=options.quick)


if __name__ == "__main__":
    main()
