"""How the tests share two cores: a file stays on one worker, and so do the networks, and the demos.

Three workers, for processes of networks and demos wait much.

Two networks of five members at once would wait for the machine and not for one another; a demo beside a network does not.

And where they write: in memory, where there is enough of it, because every store commits to the disk before it goes on.
"""

import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, and nothing about the code; a failure prints its seed.
settings.register_profile("project", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

TESTS = Path(__file__).parent
MEMORY = Path("/dev/shm")
ROOM = 4 << 30  # bytes; a whole run leaves some hundred MiB


def pytest_configure():
    """Folders of tests lie in memory, unless somebody says where: `--basetemp`, or the variable below."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM:
        runs_programs = not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
        if runs_programs:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


NETWORKS = "e2e"  # the folder
FIRST = {"networks": 0, "demos": 1}
DEMOS = "test_demo"  # what its files begin with that play one
TRACED = ("unit/hybrid_bridge/core", "unit/hybrid_bridge/steps", "vectors")  # these reach every branch of core and
# steps without the help of others, for whom the tracer would double the time
BUSY_FILES = ("test_devnet", "test_deployment", "test_relayer_on_devnet", "test_relayer_killed")


def tracer(config):
    """What counts lines and branches here; None where nobody asked for it."""
    plugin = config.pluginmanager.getplugin("_cov")
    return None if plugin is None else plugin.cov_controller


@pytest.hookimpl(wrapper=True)  # around pytest-cov's own
def pytest_sessionstart(session):
    """A worker has two tracers, of which pytest-cov knows the second: pausing that would only let the first go on.

    And what modules do when they are imported is counted here, so that nobody need look at the collection of tests.
    """
    if hasattr(session.config, "workerinput") and tracer(session.config) is not None:
        tracer(session.config).cov.stop()
    result = yield
    if tracer(session.config) is not None:
        for package in map(import_module, ("hybrid_bridge.core", "hybrid_bridge.steps")):
            for found in walk_packages(package.__path__, f"{package.__name__}."):
                import_module(found.name)
        tracer(session.config).pause()
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """The tracer looks at the tests that it is for, with their fixtures; its own mark would leave fixtures in."""
    counted, path = tracer(item.config), item.path.relative_to(TESTS)
    if counted is not None:
        wanted = any(path.is_relative_to(folder) for folder in TRACED)
        if wanted and not counted.started:
            forget()
            counted.resume()
        elif counted.started and not wanted:
            counted.pause()


def forget():
    """What tests before made the product remember: lines that need not run again would count as never run."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("hybrid_bridge.core", "hybrid_bridge.steps")):
            for remembers in vars(module).values():
                if hasattr(remembers, "cache_clear"):
                    remembers.cache_clear()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config, items):
    """Networks and demos begin at once, for nothing else takes as long; all others fill what they leave."""
    for item in items:
        if (name := group(item.path.relative_to(TESTS))) is not None:
            item.add_marker(pytest.mark.xdist_group(name))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: FIRST.get(group(item.path.relative_to(TESTS)), len(FIRST)))


def group(path):
    """Whose tests are one after the other; None for those that any worker may take."""
    folder, stem = path.parts[0], path.stem
    if folder == "properties":  # long and independent
        return None
    if folder == NETWORKS:
        return "demos" if stem.startswith(DEMOS) else "networks"
    return "demos" if stem.startswith(BUSY_FILES) else stem
