"""The suites are shipped with the library; their assertions are shown like those of tests."""

import pytest

pytest.register_assert_rewrite(
    "hybrid_bridge.testing.public_chain_behaviour",
    "hybrid_bridge.testing.registry_store_behaviour",
    "tests.behaviours.member_store_behaviour",
)
