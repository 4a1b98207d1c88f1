from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.hybrid_bridge.node.members import Members, found_members


@pytest.fixture
def members(tmp_path: Path) -> Iterator[Members]:
    yield from found_members(tmp_path / "out")
