"""Tests that share what is dear stay on one worker; were they scattered, each worker would make it again."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_workers_get_groups_and_not_single_tests():
    tests = ["tests/unit/hybrid_bridge/core/test_frontier.py", "tests/unit/hybrid_bridge/core/test_ladder.py"]
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "--no-cov", "-v", *tests]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("[gw")]
    workers = {(line[0], line[-1].rpartition("@")[2]) for line in lines}
    assert len(lines) > 2, done.stdout
    assert len(workers) == len({group for _, group in workers}) == len(tests), done.stdout
