"""How the tests share two cores: a file stays on one worker, and all tests that start networks on the same one.

And where they write: in memory, where there is enough of it, because every store commits to the disk before it goes on.
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, and nothing about the code; a failure prints its seed.
settings.register_profile("project", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; a whole run leaves some hundred MiB


def pytest_configure():
    """Folders of tests lie in memory, unless somebody says where: `--basetemp`, or the variable below."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        runs_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        if runs_programs:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


NETWORKS = ("e2e", "behaviours", "docs")
BUSY_FILES = ("test_devnet", "test_deployment", "test_relayer_on_devnet", "test_relayer_killed")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        folder = Path(item.fspath).parent.name
        busy = folder in NETWORKS or Path(item.fspath).stem.startswith(BUSY_FILES)
        if folder == "properties":  # long and independent: each on whichever worker is free
            item.add_marker(pytest.mark.no_cover)  # the unit tests and vectors reach every branch without them
            continue
        item.add_marker(pytest.mark.xdist_group("networks" if busy else Path(item.fspath).stem))
