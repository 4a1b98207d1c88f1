"""Budgets of design §5: short functions, short files, few exported names, no rooms called after nothing."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import hybrid_bridge

ROOT = Path(__file__).parents[2]
FUNCTION_LINES = 60
FILE_LINES = 500
EMPTY_NAMES = {"utils", "helpers", "common", "manager", "process", "misc"}


def sources() -> list[Path]:
    return sorted(
        path for top in ("hybrid_bridge", "relayers") for path in (ROOT / top).rglob("*.py") if "_pb2" not in path.name
    )


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_files_and_functions_stay_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= FILE_LINES, "split the file by what its parts are for"
    for function in functions(path):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= FUNCTION_LINES, f"{function.name} has {length} lines: give its parts names"
    assert path.stem not in EMPTY_NAMES, "name the file after what it holds"


def test_async_stands_nowhere_outside_an_adapter() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{function.lineno}"
        for path in sources()
        if "adapters" not in path.parts
        for function in functions(path)
        if isinstance(function, ast.AsyncFunctionDef)
    ]
    assert not found


def test_the_public_api_has_at_most_fifteen_names_and_each_of_them_loads() -> None:
    assert len(hybrid_bridge.__all__) <= 15
    for name in hybrid_bridge.__all__:
        assert getattr(hybrid_bridge, name).__doc__


def test_every_cited_section_of_the_specification_exists() -> None:
    pages = {"SPEC": "SPEC.md", "CONTRACT": "CONTRACT.md", "RELAYER": "RELAYER.md"}
    headings = {
        word: set(
            re.findall(r"(?:^#+ |^\*\*|; |^)(\d+(?:\.\d+)*)[. ]", (ROOT / "docs/spec" / page).read_text(), re.MULTILINE)
        )
        for word, page in pages.items()
    }
    missing = [
        f"{path.relative_to(ROOT)}: {word} §{section}"
        for path in sources()
        for word, section in re.findall(r"\b(SPEC|CONTRACT|RELAYER) §(\d+(?:\.\d+)*)", path.read_text())
        if section not in headings[word]
    ]
    assert not missing, missing


def test_the_repository_speaks_of_the_project_alone() -> None:
    """No address of a package registry, no path of a developer's machine."""
    forbidden = re.compile(
        r"registry\.npmjs|pypi\.org|files\.pythonhosted|proxy\.golang|crates\.io/api|/work/(?:main|shared)"
    )
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = [ROOT / name for name in listed.splitlines()]
    found = []
    for path in tracked:
        if not path.exists() or path == Path(__file__):
            continue
        if forbidden.search(path.read_text(errors="replace")):
            found.append(str(path.relative_to(ROOT)))
    assert not found, found
