"""How the tests share two cores: a file stays on one worker, and all tests that start networks on the same one."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, and nothing about the code; a failure prints its seed.
settings.register_profile("project", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

TESTS = Path(__file__).parent
NETWORKS = ("e2e", "behaviours", "docs")
TRACED = ("unit", "vectors", "properties")  # they cover core and steps; elsewhere the tracer only costs time
BUSY_FILES = ("test_devnet", "test_deployment", "test_relayer_on_devnet", "test_relayer_killed")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder not in TRACED:
            item.add_marker(pytest.mark.no_cover)
        busy = folder in NETWORKS or item.path.stem.startswith(BUSY_FILES)
        if folder == "properties":  # long and independent: each on whichever worker is free
            continue
        item.add_marker(pytest.mark.xdist_group("networks" if busy else item.path.stem))
