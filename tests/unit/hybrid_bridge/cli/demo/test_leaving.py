"""What a demo says it left behind."""

import pytest

from hybrid_bridge.cli.demo.leaving import contents


@pytest.mark.parametrize("embedded", [True, False])
def test_public_blocks_are_left_by_an_embedded_chain_alone(embedded: bool) -> None:
    left = dict(contents(3 + embedded, embedded=embedded))
    assert ("every public block" in left["public-chain/"]) == embedded
    assert len(left) == 10
    assert left["bundles/"].endswith("four bundles" if embedded else "three bundles")
