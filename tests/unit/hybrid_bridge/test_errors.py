import ast
import re
from pathlib import Path

import hybrid_bridge.errors as tree
from hybrid_bridge.errors import BridgeError, Broken, Malformed, PathLength, Refuted, Rejected, RootMismatch, Undecided
from hybrid_bridge.units import Digest

BRANCHES = {Malformed: 2, Refuted: 1, Undecided: 3, Rejected: 2, Broken: 4}


def classes():
    return [c for c in vars(tree).values() if isinstance(c, type) and issubclass(c, BridgeError)]


def test_every_error_belongs_to_exactly_one_branch_and_exits_by_its_meaning():
    for error in set(classes()) - {BridgeError}:
        branches = [branch for branch in BRANCHES if issubclass(error, branch)]
        assert len(branches) == 1, error
        assert error.exit_code == BRANCHES[branches[0]], error


def test_every_error_says_what_to_do_in_its_first_line():
    for error in classes():
        assert error.__doc__
        assert len(error.__doc__.strip().splitlines()[0]) > 15, error


def test_the_text_has_class_fields_and_rule():
    error = RootMismatch(expected=Digest(bytes(32)), calculated=Digest(b"\x01" * 32))
    assert str(error).startswith(f"RootMismatch(expected={'00' * 32}, calculated={'01' * 32}): The path leads")
    assert str(error).endswith("[SPEC §2]")
    assert (PathLength(expected=3, got=2).expected, PathLength(expected=3, got=2).got) == (3, 2)


def test_an_error_starts_with_nothing_reached():
    assert PathLength(expected=1, got=2).reached == ()


def test_no_product_code_catches_everything_and_goes_on():
    """`except Exception` hides unless it raises again, or says on its line why nothing is lost."""
    root = Path(tree.__file__).parents[2]
    sources = [path for top in ("hybrid_bridge", "relayers") for path in (root / top).rglob("*.py")]
    found = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and catches_all(node)
        and not any(isinstance(n, ast.Raise) for n in ast.walk(node))
        and not re.search(r"# noqa: BLE001 \w", path.read_text().splitlines()[node.lineno - 1])
    ]
    assert not found, found


def catches_all(handler):
    return handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException")
