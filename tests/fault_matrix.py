"""Which tests play which case of the fault table (RELAYER §7). `python -m tests.fault_matrix` prints the index.

A test says so in its docstring, or a file of tests for all of them: `Case 11`, or `Cases 13, 14`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "spec" / "RELAYER.md"
NAMED = re.compile(r"\bcases? ((?:\d+(?:, | and )?)+)", re.IGNORECASE)

# What no test plays yet. A case that is played must leave this list: `tests/architecture/test_fault_matrix.py` says so.
NOT_YET: dict[int, str] = {}


def table() -> dict[int, str]:
    """The numbers of the page, with their words."""
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|[^|]+\|[^|]+\|[^|]+\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    section = PAGE.read_text(encoding="utf-8").split("## 7. Faults")[1].split("## 8.")[0]
    return {int(number): words.strip() for number, words in rows if f"| {number} | {words} |" in section}


def played() -> dict[int, list[str]]:
    """For each number the tests whose docstrings name it."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, words in _docstrings(path):
            for numbers in NAMED.findall(words):
                for number in re.findall(r"\d+", numbers):
                    found.setdefault(int(number), []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def _docstrings(path: Path) -> Iterator[tuple[str, str]]:
    whole = ast.parse(path.read_text(encoding="utf-8"))
    yield "*", ast.get_docstring(whole) or ""
    for node in ast.walk(whole):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


def index() -> Iterator[str]:
    """One line a test."""
    tests = played()
    for number, words in sorted(table().items()):
        yield f"{number:2}  {words}"
        for name in tests.get(number, [f"NOT YET: {NOT_YET.get(number, 'and on no list')}"]):
            yield f"      {name}"


if __name__ == "__main__":
    print("\n".join(index()))
