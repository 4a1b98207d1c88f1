import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_bridge.node.founding import Foundation, found
from hybrid_bridge.node.laying import lay
from tests.unit.hybrid_bridge.node.members import START, Members, plan, randomness


@pytest.fixture(scope="session")
def laid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Foundation, Path]:
    """A consortium on disk that nobody touches: each test works on a copy."""
    root = tmp_path_factory.mktemp("laid") / "out"
    foundation = found(plan(), randomness(), START)
    lay(foundation, root)
    return foundation, root


@pytest.fixture
def members(laid: tuple[Foundation, Path], tmp_path: Path) -> Iterator[Members]:
    foundation, root = laid
    shutil.copytree(root, tmp_path / "out")
    members = Members(tmp_path / "out", foundation)
    with members.stack:
        yield members
